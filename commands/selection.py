"""Which entries a person means: named one by one, or all of an item or a place."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from commands.session import index_of, with_graph
from provenance.entries import Tier
from provenance.errors import NotFound, UsageError
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["select"]

_MOST_EVENTS: Final = 100_000


@contextmanager
def select(
    data: Path,
    events: Sequence[str],
    party: str | None,
    item: str | None,
    depth: int,
    facility: str | None,
) -> Iterator[tuple[Workspace, list[int]]]:
    """Open the workspace and find the entries that are meant, by index.

    Args:
        data: The workspace.
        events: Event ids of `party`, or #INDEX.
        party: Whose they are; None for the workspace's.
        item: Also all events of this item.
        depth: And of what it was made from, so many steps back.
        facility: Also all events at this facility.

    Raises:
        UsageError: Nothing was named, or a depth of nothing.
        NotFound: What was named is not on record, or has no events.
    """
    if not events and item is None and facility is None:
        raise UsageError("say which entries: an event id, #INDEX, --item or --facility")
    if depth < 0 or (depth and item is None):
        raise UsageError("--depth says how many steps back to go from an --item")
    by_graph = item is not None or facility is not None
    with with_graph(data) if by_graph else Workspace(data) as workspace:
        party = party or workspace.settings.party
        found = {index_of(workspace, event, party) for event in events}
        if item is not None:
            found |= _of_item(workspace, item, depth)
        if facility is not None:
            found |= _at_facility(workspace, facility)
        yield workspace, sorted(found)


def _of_item(workspace: Workspace, text: str, depth: int) -> set[int]:
    from commands.items import find_item

    node = find_item(workspace.graph, text).node
    journey = workspace.graph.journey(node, Tier.PRIVATE, depth=depth, limit=_MOST_EVENTS)
    if len(journey.steps) >= _MOST_EVENTS:
        raise UsageError(f"{text!r} has {_MOST_EVENTS:,} events or more; take a smaller --depth")
    found = {step.event.index for step in journey.steps if step.event.index is not None}
    if not found:
        raise NotFound(f"no event of {text!r} is in the log")
    return found


def _at_facility(workspace: Workspace, facility: str) -> set[int]:
    from graph.keys import facility_key
    from graph.model import EdgeKind

    graph, key = workspace.graph, facility_key(facility)
    edges = graph.edges([key], Tier.PRIVATE, EdgeKind.AT, "upstream")
    events = graph.fetch({edge.src for edge in edges}, Tier.PRIVATE)
    found = {event.index for event in events.values() if event.index is not None}
    if not found:
        raise NotFound(f"no event at facility {facility!r} is in the log")
    return found
