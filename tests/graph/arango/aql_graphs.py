"""Traversals and paths as AQL walks them.

Edges are tried in the order in which a server was recorded to try them: a
traversal in depth takes the newest first, those that come in before those
that go out.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Doc = dict[str, Any]


class Data(Protocol):
    """Where documents come from."""

    def document(self, id_: str) -> Doc | None:
        """Return a document by its id."""

    def edges_at(self, collection: str, end: str, id_: str) -> list[Doc]:
        """Return the edges whose `end`, `_from` or `_to`, is a vertex, oldest first."""


class Path(NamedTuple):
    """Vertices, and the edges between them."""

    vertices: tuple[str, ...]
    edges: tuple[Doc, ...]


class Options(NamedTuple):
    """How a traversal goes."""

    order: str = "dfs"
    vertices: str = "none"
    edges: str = "path"


class Walker:
    """Walks some edge collections, each in its direction."""

    def __init__(self, data: Data, ways: list[tuple[str, str]]) -> None:
        """Walk `ways`: collections with OUTBOUND, INBOUND or ANY."""
        self._data = data
        self._ways = ways

    def steps(self, id_: str) -> list[tuple[Doc, str]]:
        """Return the edges at a vertex with the vertex at their other end."""
        found = []
        for collection, way in self._ways:
            if way in {"OUTBOUND", "ANY"}:
                found += [(e, e["_to"]) for e in self._data.edges_at(collection, "_from", id_)]
            if way in {"INBOUND", "ANY"}:
                found += [(e, e["_from"]) for e in self._data.edges_at(collection, "_to", id_)]
        return found

    def traverse(
        self,
        start: str,
        least: int,
        most: int,
        options: Options,
        pruned: Callable[[Path], bool],
    ) -> Iterator[Path]:
        """Yield the paths from a vertex, `least` to `most` edges long."""
        pending = deque([Path((start,), ())])
        seen = {start}
        while pending:
            path = pending.popleft() if options.order == "bfs" else pending.pop()
            if len(path.edges) >= least:
                yield path
            if len(path.edges) == most or pruned(path):
                continue
            for edge, other in self.steps(path.vertices[-1]):
                if options.edges == "path" and any(e["_id"] == edge["_id"] for e in path.edges):
                    continue
                if options.vertices == "path" and other in path.vertices:
                    continue
                if options.vertices == "global":
                    if other in seen:
                        continue
                    seen.add(other)
                pending.append(Path((*path.vertices, other), (*path.edges, edge)))

    def shortest(self, start: str, end: str, weight: Callable[[Doc], float]) -> Path | None:
        """Return a path of least weight."""
        return next(self.by_weight(start, end, weight), None)

    def all_shortest(self, start: str, end: str) -> Iterator[Path]:
        """Yield all paths with the fewest edges."""
        paths = self.by_weight(start, end, lambda _: 1)
        first = next(paths, None)
        if first is not None:
            yield first
            yield from itertools.takewhile(lambda p: len(p.edges) == len(first.edges), paths)

    def by_weight(self, start: str, end: str, weight: Callable[[Doc], float]) -> Iterator[Path]:
        """Yield the paths between two vertices without circles, the lightest first."""
        count = itertools.count()
        pending: list[tuple[float, int, Path]] = [(0, next(count), Path((start,), ()))]
        while pending:
            so_far, _, path = heapq.heappop(pending)
            if path.vertices[-1] == end:
                yield path
                continue
            for edge, other in self.steps(path.vertices[-1]):
                if other not in path.vertices:
                    longer = Path((*path.vertices, other), (*path.edges, edge))
                    heapq.heappush(pending, (so_far + weight(edge), next(count), longer))

    def all_between(self, start: str, end: str, least: int, most: int) -> Iterator[Path]:
        """Yield all paths between two vertices without circles, of a length."""
        for path in self.by_weight(start, end, lambda _: 1):
            if len(path.edges) > most:
                return
            if len(path.edges) >= least:
                yield path
