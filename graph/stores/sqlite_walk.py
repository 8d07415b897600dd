"""Walking the SQLite graph breadth first, one question for each level.

What was read is kept for the next questions, which are often about the same
goods: a product's page, its journey, the origin of the lot beside it. It holds
as long as nobody has written: `data_version` tells, within the transaction that
reads. Full, it is emptied.

Next: graph/stores/sqlite.py
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from graph.keys import NodeKind
from graph.model import Edge, EdgeKind
from graph.store import Walk
from graph.stores import sqlite_text as text
from graph.stores.sqlite_rows import as_edge, as_json, open_all

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import apsw

    from graph.store import Direction
    from provenance.entries import Tier

__all__ = ["Walker"]

_GAP: Final = f"{NodeKind.GAP}:"
_BECAME: Final = EdgeKind.BECAME
_MOST_KEPT: Final = 50_000

_Placed = tuple[int, int, Edge]
"""An edge with its place in the log: index, and number within the entry."""
_Near = tuple[tuple[_Placed, ...], tuple[str, ...]]
"""The edges of a node on one side, and the nodes at their other ends, gaps left out."""
_NOTHING: Final[_Near] = ((), ())


class _Kept:
    """What was read for one tier, of one side for walks."""

    def __init__(self) -> None:
        self.near: dict[str, _Near] = {}
        self.ids: dict[str, int] = {}
        self.makers: dict[str, Edge | None] = {}


class Walker:
    """Walks of one connection; the caller holds its turn, within a read transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Keep nothing yet."""
        self._connection = connection
        self._version = -1
        self._kept: dict[tuple[Direction, Tier], _Kept] = {}
        self._number = 0

    def forget(self) -> None:
        """Let go of what was kept: this connection writes."""
        self._kept.clear()
        self._number = 0

    def walk(
        self,
        starts: Sequence[str],
        tier: Tier,
        direction: Direction,
        *,
        depth: int,
        limit: int,
        at: int | None,
    ) -> Walk:
        """Follow `became` edges breadth first, as `GraphStore.walk` describes."""
        kept = self._valid(direction, tier)
        asked = list(dict.fromkeys(starts))
        if unknown := [key for key in asked if key not in kept.ids]:
            kept.ids.update(self._connection.execute(text.STARTS, (as_json(unknown), tier)))
        known = [key for key in asked if key in kept.ids]
        hops = dict.fromkeys(sorted(known[:limit]), 0)
        passed: list[_Near] = []
        level, truncated, distance = list(hops), len(known) > limit, 0
        while level:
            if missing := [key for key in level if key not in kept.near]:
                self._read(missing, kept, direction, tier)
            here = [kept.near[key] for key in level]
            if at is not None:
                here = [_until(near, at) for near in here]
            passed += here
            found = {other for _, others in here for other in others if other not in hops}
            room = limit - len(hops) if distance < depth else 0
            truncated = truncated or len(found) > room
            level, distance = sorted(found)[:room], distance + 1
            for key in level:
                hops[key] = distance
        edges = [each for placed, _ in passed for each in placed]
        edges.sort()
        return Walk(hops, [edge for _, _, edge in edges], truncated)

    def made_by(self, keys: Collection[str], tier: Tier, at: int | None) -> dict[str, Edge]:
        """Return the events that made items, as `GraphStore.made_by` describes."""
        if at is not None:
            return dict(self._makers(keys, tier, at))
        makers = self._valid("upstream", tier).makers
        if missing := [key for key in keys if key not in makers]:
            makers |= dict.fromkeys(missing) | dict(self._makers(missing, tier, at))
            self._number += len(missing)
        found = ((key, makers[key]) for key in keys)
        return {key: edge for key, edge in found if edge is not None}

    def _makers(
        self, keys: Iterable[str], tier: Tier, at: int | None
    ) -> Iterable[tuple[str, Edge]]:
        rows = self._connection.execute(text.MADE_BY, (as_json(set(keys)), tier, at))
        return ((item, as_edge(next(own), tier)) for item, own in groupby(rows, itemgetter(3)))

    def _valid(self, direction: Direction, tier: Tier) -> _Kept:
        """Return what is kept of one side, after letting go of what no longer holds."""
        (version,) = next(self._connection.execute("PRAGMA data_version"))
        if version != self._version or self._number > _MOST_KEPT:
            self.forget()
            self._version = version
        return self._kept.setdefault((direction, tier), _Kept())

    def _read(self, keys: list[str], kept: _Kept, direction: Direction, tier: Tier) -> None:
        """Read the edges of nodes whose ids are known."""
        upstream = direction == "upstream"
        names = {kept.ids[key]: key for key in keys}
        statement = text.STEP_UP if upstream else text.STEP_DOWN
        rows: list[tuple[Any, ...]]
        rows = self._connection.execute(statement, (as_json(names), tier)).fetchall()
        contents = open_all([row[6] for row in rows], tier)
        kept.near.update(dict.fromkeys(keys, _NOTHING))
        number = 0
        for here, own in groupby(rows, itemgetter(2)):
            key, placed, others = names[here], [], set()
            for index, seq, _, _, other, time_us, _ in own:
                src, dst = (other, key) if upstream else (key, other)
                edge = Edge(src, _BECAME, dst, index, None, time_us, contents[number])
                placed.append((index, seq, edge))
                number += 1
                if not other.startswith(_GAP):
                    others.add(other)
            kept.near[key] = (tuple(placed), tuple(others))
        kept.ids.update([(row[4], row[3]) for row in rows])
        self._number += len(rows) + len(keys)


def _until(near: _Near, at: int) -> _Near:
    """Return what counts of it at a time: edges up to then, and undated ones."""
    edges = [each for each in near[0] if each[2].time_us is None or each[2].time_us <= at]
    ends = {end for _, _, edge in edges for end in (edge.src, edge.dst)}
    return tuple(edges), tuple(ends.intersection(near[1]))
