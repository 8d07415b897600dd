"""Walking the SQLite graph breadth first, one question for each level.

What was read is kept, as the rows that it was, for the next questions, which
are often about the same goods: a product's page, its journey, the origin of the
lot beside it. It holds as long as nobody has written: `data_version` tells,
within the transaction that reads. Full, it is emptied.

Next: graph/stores/sqlite.py
"""

from __future__ import annotations

from array import array
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import apsw

from graph.model import Edge, EdgeKind
from graph.stores import sqlite_text as text
from graph.stores.sqlite_file import ROLES
from graph.stores.sqlite_rows import as_json, open_all
from graph.walked import GAP, Edges, Walk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from graph.store import Direction
    from provenance.entries import Tier

__all__ = ["Walker"]

_BECAME: Final = EdgeKind.BECAME
_INVOLVES: Final = EdgeKind.INVOLVES
_MOST_KEPT: Final = 100_000

_Row = tuple[int, str, int, int, int, int | None, bytes | None]
"""An edge: here, its key, index, number within the entry, the other end, time, layers."""
_INDEX: Final = 2
_SEQ: Final = 3
_OTHER: Final = 4
_TIME: Final = 5
_LAYERS: Final = 6


class _Kept:
    """What was read for one tier, of one side for walks."""

    def __init__(self) -> None:
        self.near: dict[int, list[_Row]] = {}
        self.ids: dict[str, int] = {}
        self.makers: dict[str, Edge | None] = {}


class Walker:
    """Walks of one connection; the caller holds its turn, within a read transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        """Keep nothing yet."""
        self._connection = connection
        self._version = -1
        self.forget()

    def forget(self) -> None:
        """Let go of what was kept: this connection writes."""
        self._kept: dict[tuple[Direction, Tier], _Kept] = {}
        self._names: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._gaps: set[int] = set()
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
        known = self._known(starts, kept, tier)
        near, names, gaps = kept.near, self._names, self._gaps
        hops: dict[str, int] = {}
        ends: list[str] = []
        passed: list[_Row] = []
        level = [kept.ids[key] for key in known[:limit]]
        seen, truncated, distance = set(level), len(known) > limit, 0
        while level:
            if missing := [node for node in level if node not in near]:
                self._read(missing, near, direction, tier)
            items = sorted([node for node in level if node not in gaps], key=names.__getitem__)
            hops.update(dict.fromkeys([names[node] for node in items], distance))
            here = [near[node] for node in items]
            if at is not None:
                here = [_until(rows, at) for rows in here]
            ends += [names[node] for node, rows in zip(items, here, strict=True) if not rows]
            reached = [row for rows in here for row in rows]
            passed += reached
            found = {row[_OTHER] for row in reached} - seen
            seen |= found
            room = limit - len(hops) if distance < depth else 0
            level, distance = list(found), distance + 1
            if len(found) > room:
                # Which are nearest by key, and whether these are items at all?
                self._name(found)
                level = sorted(found - gaps, key=names.__getitem__)
                truncated = truncated or len(level) > room
                del level[room:]
        made = Edges(lambda: _edges(passed, names, direction, tier))
        to_gaps = [row for row in passed if row[_OTHER] in gaps] if gaps else []
        return Walk(hops, made, _edges(to_gaps, names, direction, tier), ends, truncated)

    def _known(self, starts: Sequence[str], kept: _Kept, tier: Tier) -> list[str]:
        """Return those of the starts that a viewer may know of, each once."""
        asked = list(dict.fromkeys(starts))
        if unknown := [key for key in asked if key not in kept.ids]:
            for key, node in self._ask(text.STARTS, as_json(unknown), tier):
                kept.ids[key] = node
                self._names[node] = key
        return [key for key in asked if key in kept.ids]

    def made_by(self, keys: Collection[str], tier: Tier, at: int | None) -> dict[str, Edge]:
        """Return the events that made items, as `GraphStore.made_by` describes."""
        makers = self._valid("upstream", tier).makers
        if at is not None:
            return dict(self._makers(keys, tier, at))
        if missing := [key for key in keys if key not in makers]:
            makers |= dict.fromkeys(missing) | dict(self._makers(missing, tier, at))
            self._number += len(missing)
        found = ((key, makers[key]) for key in keys)
        return {key: edge for key, edge in found if edge is not None}

    def _makers(
        self, keys: Iterable[str], tier: Tier, at: int | None
    ) -> Iterable[tuple[str, Edge]]:
        ids = self._ids
        if unknown := [key for key in keys if key not in ids]:
            ids.update(self._connection.execute(text.NUMBERS, (as_json(unknown),)))
        items = {ids[key]: key for key in keys if key in ids}
        rows = self._ask(text.MADE_BY, apsw.carray(array("q", items)), tier, at) if items else []
        for node, own in groupby(rows, itemgetter(0)):
            _, event, index, role, time_us = next(own)
            yield items[node], Edge(event, _INVOLVES, items[node], index, ROLES[role], time_us, {})

    def _valid(self, direction: Direction, tier: Tier) -> _Kept:
        """Return what is kept of one side, after letting go of what no longer holds."""
        (version,) = next(self._connection.execute("PRAGMA data_version"))
        if version != self._version or self._number > _MOST_KEPT:
            self.forget()
            self._version = version
        return self._kept.setdefault((direction, tier), _Kept())

    def _read(
        self, nodes: list[int], near: dict[int, list[_Row]], direction: Direction, tier: Tier
    ) -> None:
        """Read the keys of nodes, and their edges; a gap's lead nowhere."""
        statement = text.STEP_UP if direction == "upstream" else text.STEP_DOWN
        rows: list[Any] = self._ask(statement, apsw.carray(array("q", nodes)), tier)
        names = self._names
        own: list[_Row] = []
        for row in rows:
            node = row[0]
            if node not in near:
                names[node], self._ids[row[1]], own = row[1], node, []
                near[node] = own
                if row[1].startswith(GAP):
                    self._gaps.add(node)
            if row[_OTHER] is not None:
                own.append(row)
        self._number += len(rows)

    def _name(self, nodes: set[int]) -> None:
        """Learn the keys of nodes."""
        names = self._names
        unknown = array("q", [node for node in nodes if node not in names])
        if unknown:
            for node, key in self._ask(text.KEYS, apsw.carray(unknown)):
                names[node] = key
                if key.startswith(GAP):
                    self._gaps.add(node)

    def _ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()


def _edges(
    rows: Iterable[_Row], names: dict[int, str], direction: Direction, tier: Tier
) -> list[Edge]:
    """Make edges of rows, in log order."""
    ordered = sorted(rows, key=itemgetter(_INDEX, _SEQ))
    contents = open_all([row[_LAYERS] for row in ordered], tier)
    upstream = direction == "upstream"
    return [
        Edge(
            names[other] if upstream else here,
            _BECAME,
            here if upstream else names[other],
            index,
            None,
            time_us,
            content,
        )
        for (_, here, index, _, other, time_us, _), content in zip(ordered, contents, strict=True)
    ]


def _until(rows: list[_Row], at: int) -> list[_Row]:
    """Return what counts of them at a time: edges up to then, and undated ones."""
    return [row for row in rows if row[_TIME] is None or row[_TIME] <= at]
