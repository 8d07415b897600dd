"""Old workspaces: one step per released format, taken in order.

A step gets the workspace directory in its own format and leaves it in the
next; it must be repeatable, because a crash between a step and its new format
number runs it again. Formats are permanent: a step adds, it never rewrites an
entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provenance.files import replace_file
from provenance.log import LogFiles
from provenance.store import storage
from workspace.settings import FORMAT, edited, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["STEPS", "upgrade"]

STEPS: Final[dict[int, Callable[[Path], None]]] = {
    1: lambda directory: storage.upgrade(LogFiles(directory).database),  # room for cosignatures
    2: lambda directory: storage.upgrade(LogFiles(directory).database),  # for settled row keys
    3: lambda directory: storage.upgrade(LogFiles(directory).database),  # for those on the way
}
"""Format -> the step that leads out of it."""


def upgrade(directory: Path) -> list[int]:
    """Bring a workspace to the newest format.

    Returns:
        The formats that were left behind, oldest first; empty when there was nothing to do.

    Raises:
        WorkspaceMissing: There is no workspace.
        WorkspaceTooNew: A newer version of the program wrote it.
    """
    path = directory / "workspace.toml"
    left = []
    while (found := read_settings(path).format) < FORMAT:
        STEPS[found](directory)
        replace_file(path, edited(path.read_text(), format=found + 1).encode())
        left.append(found)
    return left
