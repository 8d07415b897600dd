"""How two things are connected: a shortest way through what the records state.

Along what became what, what was inside what, movements, involvements, places,
certificates and flags, in either direction. Who recorded something and whose
goods are whose connect nearly everything, so they do not count unless asked
for. The search goes from both ends, from the side that has found less.

Next: graph/drawing/cards.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from graph.model import EdgeKind
from provenance.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from graph.model import Edge
    from graph.store import Direction, GraphStore
    from provenance.entries import Tier

__all__ = ["MOST_NODES", "USUAL", "Path", "path"]

MOST_NODES: Final = 20_000
"""So many nodes are looked at; then the search gives up, and says so."""
_MOST_EDGES: Final = 50_000
USUAL: Final = (
    EdgeKind.BECAME,
    EdgeKind.CONTAINED,
    EdgeKind.INCLUDES,
    EdgeKind.INVOLVES,
    EdgeKind.MOVED,
    EdgeKind.AT,
    EdgeKind.CERTIFIES,
    EdgeKind.FLAGS,
)
"""The edges that count unless others are asked for."""
_WAYS: Final[tuple[Direction, ...]] = ("upstream", "downstream")


@dataclass(frozen=True, slots=True)
class Path:
    """A shortest way between two nodes.

    Attributes:
        start: Key of the one.
        end: Key of the other.
        tier: Whose view this is.
        position: The log position that the answer is true for.
        at: The time that it was asked for; None for all that is recorded.
        nodes: The keys from start to end, both included; none where there is no way.
        edges: What connects each with the next, in the direction in which it is recorded.
        truncated: Whether a limit left something out: there may be a way, or a shorter one.
    """

    start: str
    end: str
    tier: Tier
    position: int
    at: int | None
    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    truncated: bool


def path(
    store: GraphStore,
    start: str,
    end: str,
    tier: Tier,
    *,
    kinds: Collection[EdgeKind] = USUAL,
    depth: int = 20,
    at: int | None = None,
) -> Path:
    """Find a shortest way between two nodes; of equal ones always the same.

    Args:
        store: Where to read.
        start: Key of a node of any kind.
        end: Key of another.
        tier: The viewer's.
        kinds: Which edges count; not `next`.
        depth: How many edges a way may have.
        at: Microseconds since the epoch: only edges up to then count, and undated ones.

    Raises:
        NotFound: This viewer knows no such node.
        UsageError: The depth is negative.
    """
    if depth < 0:
        raise UsageError(f"depth {depth}: at least 0 edges")
    with store.snapshot():
        known = store.fetch({start, end}, tier)
        for key in (start, end):
            if key not in known:
                raise NotFound(f"the graph knows no {key!r}, or it may not be shown at this tier")
        search = _Search(store, tier, kinds, at)
        edges = search.between(start, end, depth)
        position = store.position()
    nodes: list[str] = [start] if edges is not None else []
    for edge in edges or ():
        nodes.append(edge.dst if edge.src == nodes[-1] else edge.src)
    return Path(start, end, tier, position, at, tuple(nodes), tuple(edges or ()), search.cut)


class _Search:
    """A search from both ends."""

    def __init__(
        self, store: GraphStore, tier: Tier, kinds: Collection[EdgeKind], at: int | None
    ) -> None:
        self._store, self._tier, self._at = store, tier, at
        self._kinds = [kind for kind in EdgeKind if kind in kinds and kind is not EdgeKind.NEXT]
        self.cut = False

    def between(self, start: str, end: str, depth: int) -> list[Edge] | None:
        """Return the edges of a shortest way, in order; None where there is none."""
        if start == end:
            return []
        # How each node was reached: the edge towards its own end; None for that end itself.
        sides: tuple[_Reached, _Reached] = ({start: None}, {end: None})
        levels = [[start], [end]]
        for _ in range(depth):
            side = 0 if len(levels[0]) <= len(levels[1]) else 1
            levels[side] = self._step(levels[side], sides[side])
            if met := sorted(key for key in levels[side] if key in sides[1 - side]):
                return [*_back(sides[0], met[0])[::-1], *_back(sides[1], met[0])]
            if not levels[side]:
                return None
            if len(sides[0]) + len(sides[1]) > MOST_NODES:
                break
        self.cut = True
        return None

    def _step(self, level: Sequence[str], reached: _Reached) -> list[str]:
        """Go one edge further; return what is new, in order of key."""
        here = set(level)
        found: dict[str, Edge] = {}
        for edge in self._around(level):
            ends = (edge.src, edge.dst) if edge.src in here else (edge.dst, edge.src)
            for near, far in (ends, ends[::-1]):
                if near in here and far not in reached:
                    found.setdefault(far, edge)
        reached.update(found)
        return sorted(found)

    def _around(self, level: Sequence[str]) -> Iterable[Edge]:
        for kind in self._kinds:
            for way in _WAYS:
                edges = self._store.edges(level, self._tier, kind, way, limit=_MOST_EDGES)
                self.cut = self.cut or len(edges) == _MOST_EDGES
                for edge in edges:
                    if self._at is None or edge.time_us is None or edge.time_us <= self._at:
                        yield edge


_Reached = dict[str, "Edge | None"]


def _back(reached: _Reached, key: str) -> list[Edge]:
    """Return the edges from a node back to its end of the search."""
    found = []
    while (edge := reached[key]) is not None:
        found.append(edge)
        key = edge.src if edge.dst == key else edge.dst
    return found
