"""How commands open a workspace whose graph is up to date."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from commands.output import progress
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["with_graph"]


@contextmanager
def with_graph(data: Path) -> Iterator[Workspace]:
    """Open a workspace and let its graph catch up with its log first."""
    with Workspace(data) as workspace:
        with progress("Projecting") as report:
            workspace.sync_graph(report)
        yield workspace
