"""What the log has shown to the world, kept in two small files beside the database.

`checkpoint` is the newest signed checkpoint, for everybody. `high-water`
remembers the furthest size and root ever published, so that an old database put
back in place is noticed instead of being continued into a second history. It is
not signed: it guards against mishaps and against whoever can only exchange the
database. Against whoever can write here, witnesses guard.

Next: provenance/store/head.py
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from provenance.errors import (
    InputError,
    StorageError,
    VerificationError,
    WorkspaceDamaged,
    WorkspaceReadOnly,
)
from provenance.files import replace_file
from provenance.hashing import EMPTY_ROOT
from provenance.notes.checkpoint import (
    Checkpoint,
    format_note,
    key_id,
    parse,
    parse_note,
    parse_vkey,
)
from provenance.notes.cosignature import check_line

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "HighWater",
    "LogFiles",
    "is_shown",
    "publish",
    "read_checkpoint",
    "read_high_water",
    "refuse_other",
    "refuse_shrunk",
    "remembered",
]

_HEADER: Final = "provenance high-water v1"

SignersAt = Callable[[int], Sequence[str]]
"""The vkeys of those who must have signed the checkpoint of a size, in their order."""


@dataclass(frozen=True)
class LogFiles:
    """Where the log's files lie.

    Attributes:
        directory: The workspace directory; it must exist.
    """

    directory: Path

    @property
    def database(self) -> Path:
        """The SQLite database: leaves, bodies, openings, tiles, head, checkpoints."""
        return self.directory / "log.db"

    @property
    def lock(self) -> Path:
        """The lock file at which writers queue."""
        return self.directory / "log.lock"

    @property
    def checkpoint(self) -> Path:
        """The latest signed checkpoint, for everybody."""
        return self.directory / "checkpoint"

    @property
    def erased(self) -> Path:
        """How many erasures have been carried out in every place, and what is pending."""
        return self.directory / "erased"

    @property
    def high_water(self) -> Path:
        """The furthest size and root that were published."""
        return self.directory / "high-water"


@dataclass(frozen=True)
class HighWater:
    """The furthest published state: number of entries and 32-byte root."""

    size: int
    root: bytes


def publish(files: LogFiles, origin: str, note: str) -> None:
    """Show a committed checkpoint to the world; high-water first.

    A crash before the first write: the next writer publishes. A crash between the
    two: the old checkpoint stays up, and the next writer publishes. The other
    order could show a checkpoint that a restored database contradicts without
    anyone remembering it.

    Raises:
        StorageError: The disk refused; the entries are in the log, but not acknowledged.
    """
    _, size, root = note.split("\n", 3)[:3]
    try:
        replace_file(files.high_water, f"{_HEADER}\n{origin}\n{size}\n{root}\n".encode())
        replace_file(files.checkpoint, note.encode(), settle=False)
    except OSError as error:
        raise StorageError(
            f"{files.directory}: the entries are in the log, but the new checkpoint cannot be "
            f"shown: {error.strerror}; mend it and repeat the call"
        ) from None


def is_shown(files: LogFiles, origin: str, note: str) -> bool:
    """Say whether `note` is what both files hold; witnesses' lines may stand under it."""
    mark = read_high_water(files.high_water, origin)
    size = int(note.split("\n", 2)[1])
    try:
        text = files.checkpoint.read_text()
        return mark is not None and mark.size >= size and text.startswith(note)
    except (FileNotFoundError, ValueError):
        return False


def remembered(files: LogFiles, origin: str, signers_at: SignersAt) -> HighWater | None:
    """Return the furthest state that the two files remember; None where both are gone.

    Args:
        files: Where they are.
        origin: The log's name.
        signers_at: The log's keys at a size. What they have not signed is evidence of no later
            state.

    Raises:
        WorkspaceDamaged: High-water is not a high-water file of this log.
    """
    mark = read_high_water(files.high_water, origin)
    try:
        text = _own_lines(files.checkpoint.read_bytes(), origin)
        if mark is None or parse(text)[0].size > mark.size:
            shown = read_checkpoint(text, origin, signers_at)
            return HighWater(shown.size, shown.root)
    except (FileNotFoundError, InputError, VerificationError):
        pass
    return mark


def _own_lines(text: bytes, origin: str) -> str:
    """Leave out the lines that witnesses have added: a log's keys are named like its origin."""
    note = parse_note(text)
    own = tuple(line for line in note.signatures if line.name == origin)
    return format_note(note._replace(signatures=own))


def refuse_shrunk(files: LogFiles, size: int, origin: str, signers_at: SignersAt) -> HighWater:
    """Refuse a database with fewer entries than were published.

    Args:
        files: Where the files are.
        size: How many entries the database holds.
        origin: The log's name.
        signers_at: The log's keys at a size.

    Returns:
        What was published, furthest.

    Raises:
        WorkspaceReadOnly: The database is an old copy, or nothing tells whether it is.
        WorkspaceDamaged: High-water is not a high-water file of this log.
    """
    mark = remembered(files, origin, signers_at)
    if mark is None:
        # A crash while the log was made leaves entry 0 unpublished; later there is no such way.
        if size > 1:
            raise WorkspaceReadOnly(
                f"{files.high_water}: missing, and so is the checkpoint: nothing tells whether "
                "these are the newest entries; put one of them back from a backup"
            )
        return HighWater(0, EMPTY_ROOT)
    if size < mark.size:
        raise WorkspaceReadOnly(
            f"{files.database}: holds fewer entries than the {mark.size} once published: an old "
            "copy was put back. It can be read; put the newest copy back to go on writing"
        )
    return mark


def refuse_other(files: LogFiles, mark: HighWater, root: bytes) -> None:
    """Refuse a database whose first entries are not those once published.

    Args:
        files: Where the files are.
        mark: What was published.
        root: The root over as many entries of the database.

    Raises:
        WorkspaceReadOnly: They are not.
    """
    if root != mark.root:
        raise WorkspaceReadOnly(
            f"{files.database}: its first {mark.size} entries are not the ones once published; "
            "put the right database back"
        )


def read_checkpoint(text: bytes | str, origin: str, signers_at: SignersAt) -> Checkpoint:
    """Read a checkpoint of this log: its own keys' signatures, and nothing besides.

    Args:
        text: The signed note.
        origin: The log's name.
        signers_at: The keys that must have signed at a size, as `Register.signers_at` tells them.

    Raises:
        VerificationError: Other keys' than those of its size, or a wrong signature.
        InputError: Not a checkpoint in its one written form.
    """
    found, note = parse(text)
    if found.origin != origin:
        raise VerificationError(f"it is of the log {found.origin}")
    keys = [parse_vkey(vkey) for vkey in signers_at(found.size)]
    expected = [(key.name, key_id(*key)) for key in keys]
    if [(line.name, line.key_id) for line in note.signatures] != expected:
        raise VerificationError("its signatures are not those of the keys that signed at its size")
    for key, line in zip(keys, note.signatures, strict=True):
        check_line(line, key, note.text)
    return found


def read_high_water(path: Path, origin: str) -> HighWater | None:
    """Read the high-water file; None where there is none.

    Raises:
        WorkspaceDamaged: It is not a high-water file of this log.
        StorageError: It cannot be read.
    """
    try:
        lines = path.read_text().split("\n")
        header, found, size, root, end = lines
        mark = HighWater(int(size), b64decode(root, validate=True))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise WorkspaceDamaged(f"{path}: not a high-water file; run `verify`") from None
    plain = f"{_HEADER}\n{origin}\n{mark.size}\n{b64encode(mark.root).decode()}\n"
    if (header, found, end) != (_HEADER, origin, "") or "\n".join(lines) != plain:
        raise WorkspaceDamaged(f"{path}: not this log's high-water file; run `verify`")
    return mark
