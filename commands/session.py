"""How commands open a workspace whose graph is up to date, and find the entry that is meant."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from commands.output import progress
from provenance.errors import NotFound
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["index_of", "with_graph"]


@contextmanager
def with_graph(data: Path) -> Iterator[Workspace]:
    """Open a workspace and let its graph catch up with its log first."""
    with Workspace(data) as workspace:
        with progress("Projecting") as report:
            workspace.sync_graph(report)
        yield workspace


def index_of(workspace: Workspace, event: str, party: str) -> int:
    """Return the index of the entry that a person names: an event id of `party`, or #INDEX.

    Raises:
        NotFound: There is no such event.
    """
    if event.startswith("#") and event[1:].isdecimal():
        return int(event[1:])
    index = workspace.reader.find(("event", party, event))
    if index is None:
        raise NotFound(f"no event {event} of party {party} is in the log")
    return index
