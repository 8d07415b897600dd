"""Pages of lists, in Relay's form: nodes, edges, pageInfo, opaque cursors.

Next: api/types.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import strawberry

from api.limits import MAX_PAGE
from provenance.disclosure.privacy import b64, unb64
from provenance.errors import EncodingError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Connection", "Edge", "PageInfo", "check_first", "connection", "position"]

T = TypeVar("T")

_LONGEST_POSITION = 15


@strawberry.type(description="Where a page ends and whether more follow.")
class PageInfo:
    """Relay's page information; pages go forward only."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    """One node with the cursor that asks for what follows it."""

    node: T
    cursor: str


@strawberry.type
class Connection(Generic[T]):
    """One page of a list."""

    nodes: list[T]
    edges: list[Edge[T]]
    page_info: PageInfo


def check_first(first: int) -> int:
    """Return a page size within its limits.

    Raises:
        InputError: It is not 1 to MAX_PAGE.
    """
    if not 1 <= first <= MAX_PAGE:
        raise InputError(f"first: a page has 1 to {MAX_PAGE} nodes, not {first}")
    return first


def position(cursor: str | None) -> int | None:
    """Return the position that a cursor stands for; None without a cursor.

    Raises:
        InputError: It is not a cursor of ours.
    """
    if cursor is None:
        return None
    try:
        name, _, found = unb64(cursor).decode("ascii").partition(":")
        if name == "at" and found.isdigit() and len(found) <= _LONGEST_POSITION:
            return int(found)
    except (EncodingError, ValueError):
        pass
    raise InputError("after: not a cursor of this API; take it from pageInfo.endCursor")


def connection(found: Sequence[tuple[int, T]], first: int, *, later: bool) -> Connection[T]:
    """Make one page.

    Args:
        found: The nodes of this page, and one more if there is one; each with the position
            that its cursor stands for.
        first: The page size.
        later: Whether this page follows another.
    """
    edges = [Edge(node=node, cursor=b64(f"at:{at}".encode())) for at, node in found[:first]]
    info = PageInfo(
        has_next_page=len(found) > first,
        has_previous_page=later,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return Connection(nodes=[edge.node for edge in edges], edges=edges, page_info=info)
