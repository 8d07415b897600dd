"""Walking the ArangoDB graph level by level; a long and narrow walk does not ask at each step.

After a few steps that led to few items, what is within reach of them is asked for
first, by the server's own traversal along all edges, and then the edges of all that.
Which of them a viewer may see, and which count at a time, is judged by the same
question as ever: reading ahead changes how often the server is asked, never the answer.

Next: graph/stores/arango/store.py
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from graph.stores.arango import text
from graph.stores.arango.encoding import node_key
from graph.stores.arango.rows import as_edge, order_of
from graph.walked import GAP, walked

if TYPE_CHECKING:
    from collections.abc import Callable

    from graph.store import Direction
    from graph.stores.arango.schema import Names
    from graph.walked import Walk
    from provenance.entries import Tier

__all__ = ["Ahead"]

_AFTER: Final = 3
"""Steps before reading ahead pays: most walks are over by then."""
_NARROW: Final = 8
"""Items at most, of which what is within reach is asked for."""
_HOPS: Final = 256
_ITEMS: Final = 256


class Ahead:
    """One walk, and the edges at its items."""

    def __init__(self, ask: Callable[..., list[Any]], names: Names, direction: Direction) -> None:
        """Ask queries of `text` about what became what by `ask`."""
        up = direction == "upstream"
        self._ask = ask
        self._names = names
        self._upstream = up
        self._step = text.STEP_UP if up else text.STEP_DOWN
        self._reach = text.REACH_UP if up else text.REACH_DOWN
        self._here = 2 if up else 1
        self._read: set[str] = set()
        self._rows: dict[str, list[Any]] = defaultdict(list)
        self._steps = 0

    def walk(
        self, starts: list[str], tier: Tier, *, depth: int, limit: int, at: int | None
    ) -> Walk:
        """Follow `became` edges from known nodes, as `GraphStore.walk` describes."""
        other = 1 if self._upstream else 2
        hops = dict.fromkeys(sorted(starts[:limit]), 0)
        rows: list[list[Any]] = []
        level, truncated, distance = list(hops), len(starts) > limit, 0
        while level:
            ids = [self._names.node_id(node_key(key)) for key in level]
            here = self.rows_at(dict(zip(level, ids, strict=True)), tier, at)
            rows += here
            others = {row[other] for row in here} - hops.keys()
            found = sorted(key for key in others if not key.startswith(GAP))
            room = limit - len(hops) if distance < depth else 0
            truncated = truncated or len(found) > room
            level, distance = found[:room], distance + 1
            hops |= dict.fromkeys(level, distance)
        edges = [as_edge(row, tier) for row in sorted(rows, key=order_of)]
        return walked(hops, edges, upstream=self._upstream, truncated=truncated)

    def rows_at(self, items: dict[str, str], tier: Tier, at: int | None) -> list[Any]:
        """Return the edges at the items of one step, asking for them unless they were read.

        Args:
            items: Key -> document.
            tier: The viewer's.
            at: Only edges up to this time count, and undated ones.
        """
        self._steps += 1
        missing = [id_ for id_ in items.values() if id_ not in self._read]
        if missing:
            if self._steps > _AFTER and len(missing) <= _NARROW:
                reach = self._ask(
                    *(self._reach, "nodes", "became"), ids=missing, hops=_HOPS, most=_ITEMS
                )
                missing = list(dict.fromkeys([*missing, *reach]))
            new = [id_ for id_ in missing if id_ not in self._read]
            for row in self._ask(self._step, "became", ids=new, tier=tier, at=at):
                self._rows[row[self._here]].append(row)
            self._read.update(new)
        return [row for key in items for row in self._rows.pop(key, ())]
