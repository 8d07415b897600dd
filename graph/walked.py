"""What a walk along the edges of transformations found.

Most questions ask how far something is, not by which amounts: edges are put
together only when somebody looks at them, from rows that were read in the same
state of the graph as everything else.

Next: graph/store.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, overload

from graph.keys import NodeKind
from graph.model import Edge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["GAP", "Edges", "Walk", "walked"]

GAP: Final = f"{NodeKind.GAP}:"
"""What the key of a gap node begins with."""


class Edges(Sequence[Edge]):
    """Edges that are made when they are first looked at; equal to any sequence of the same."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Iterable[Edge]]) -> None:
        """Take what makes them, from what nobody changes any more."""
        self._make = make
        self._made: tuple[Edge, ...] | None = None

    def _all(self) -> tuple[Edge, ...]:
        if self._made is None:
            self._made = tuple(self._make())
        return self._made

    @overload
    def __getitem__(self, place: int) -> Edge: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Edge, ...]: ...

    def __getitem__(self, place: int | slice) -> Edge | tuple[Edge, ...]:
        """Return one, or some."""
        return self._all()[place]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._all())

    def __iter__(self) -> Iterator[Edge]:
        """Yield them in order."""
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        """Compare with any sequence of edges."""
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        """Return a number that equal ones share."""
        return hash(tuple((edge.src, edge.dst, edge.index) for edge in self._all()))

    def __repr__(self) -> str:
        """Show them."""
        return repr(self._all())


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk along `became` edges found.

    Attributes:
        hops: The items found with their distance, nearest first, equal ones by key; gap nodes
            are not among them.
        edges: Every visible `became` edge at these items on the side walked to, in log order;
            the other end may be a gap node, or beyond the limits.
        to_gaps: Those whose other end is a gap node.
        ends: The items without any such edge, in the order of `hops`.
        truncated: Whether an edge leads to an item that the limits left out.
    """

    hops: dict[str, int]
    edges: Sequence[Edge]
    to_gaps: Sequence[Edge]
    ends: list[str]
    truncated: bool


def walked(hops: dict[str, int], edges: list[Edge], *, upstream: bool, truncated: bool) -> Walk:
    """Put a walk together from its edges.

    Args:
        hops: As in `Walk`.
        edges: As in `Walk`.
        upstream: Whether it went towards the origin.
        truncated: As in `Walk`.
    """
    to_gaps = [edge for edge in edges if (edge.src if upstream else edge.dst).startswith(GAP)]
    going_on = {edge.dst if upstream else edge.src for edge in edges}
    return Walk(hops, edges, to_gaps, [key for key in hops if key not in going_on], truncated)
