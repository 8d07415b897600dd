"""A checkpoint that somebody kept, named on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.errors import ProvenanceError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.notes.checkpoint import Checkpoint
    from workspace.workspace import Workspace

__all__ = ["read_bytes", "read_kept", "size_or_kept"]


def read_bytes(path: Path) -> bytes:
    """Read a file that was named on the command line.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def read_kept(workspace: Workspace, path: Path) -> tuple[Checkpoint, str]:
    """Read a kept checkpoint and hold it against the log; returns what it says, and the note.

    Raises:
        ProvenanceError: As `consistency.kept_checkpoint` says, with the file's name.
    """
    from provenance.govern.consistency import kept_checkpoint
    from provenance.store.witnessed import read_trust

    text = read_bytes(path)
    try:
        said = kept_checkpoint(workspace.reader, text, read_trust(workspace.layout.policy))
    except ProvenanceError as error:
        raise type(error)(f"{path}: {error}") from None
    return said, text.decode()


def size_or_kept(workspace: Workspace, text: str) -> int:
    """Return the size that an argument stands for: a number, or a checkpoint's file.

    Raises:
        ProvenanceError: As `read_kept`.
    """
    from pathlib import Path

    if text.isdecimal() and text.isascii():
        return int(text)
    return read_kept(workspace, Path(text))[0].size
