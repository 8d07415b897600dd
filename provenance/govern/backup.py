"""A second copy of a log's files, made while others write, whole and durable.

The database is copied by SQLite from one snapshot, entry by entry, so that
nothing of what was deleted before can come along in free pages. The two small
files beside it are not copied but written anew from the copy: they then say
what the copy holds, whatever was published while it was being made. That the
original is no old copy itself is checked against its own files first.

Next: provenance/auditing/audit.py
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import (
    InputError,
    VerificationError,
    WorkspaceDamaged,
    WorkspaceReadOnly,
)
from provenance.files import sync_directory, sync_file
from provenance.notes.checkpoint import parse
from provenance.proving import merkle
from provenance.store.published import publish, read_high_water
from provenance.store.storage import connect, rows, translated
from provenance.store.writing import read_tile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import apsw

    from provenance.store.published import HighWater, LogFiles

__all__ = ["Copied", "copy_log"]

_STEPS: Final = 20_000  # of SQLite's virtual machine, between two looks at the progress


class Copied(NamedTuple):
    """What a copied log holds.

    Attributes:
        size: Entries.
        root: The root over them.
        checkpoint: The signed note that covers them.
        openings: Fields above the public tier that can be read in the copy.
    """

    size: int
    root: bytes
    checkpoint: str
    openings: int


def copy_log(
    source: LogFiles,
    target: LogFiles,
    origin: str,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Copied:
    """Copy the log's database, and write checkpoint and high-water for the copy.

    Writers may go on meanwhile; the copy holds what was committed when it began.

    Args:
        source: The log.
        target: Where; its directory exists and holds no log. If this fails or we crash, what is
            there is incomplete: the caller makes it under a name that nobody takes for a log.
        origin: The log's name.
        progress: Called with bytes written and about how many there will be.

    Raises:
        WorkspaceReadOnly: The source is an older copy than what it has published.
        WorkspaceDamaged: It cannot be read as a log.
        StorageError: The disk refused, or is full.
    """
    # Before the snapshot: what has been published by now, the database holds by then.
    mark = read_high_water(source.high_water, origin)
    _copy_database(source.database, target.database, progress)
    with translated(target.database):
        connection = connect(target.database, readonly=True)
        try:
            _refuse_older(connection, mark, source)
            copied = _describe(connection, source.database)
        finally:
            connection.close()
    publish(target, origin, copied.checkpoint)
    with translated(target.directory):
        sync_directory(target.directory)
    return copied


def _copy_database(source: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    with translated(source):
        connection = connect(source, readonly=True)
        total = source.stat().st_size
    try:
        connection.set_progress_handler(lambda: _tell(target, total, progress), _STEPS)
        with translated(target):
            # The one statement that copies a snapshot and leaves deleted bytes behind.
            connection.execute("VACUUM INTO ?", (os.fspath(target),))
            target.chmod(0o600)
            sync_file(target)
    finally:
        connection.close()
    progress(total, total)


def _tell(target: Path, total: int, progress: Callable[[int, int], None]) -> bool:
    """Report how far the copy has grown; False lets SQLite go on."""
    try:
        progress(min(target.stat().st_size, total), total)
    except FileNotFoundError:
        progress(0, total)
    return False


def _refuse_older(connection: apsw.Connection, mark: HighWater | None, source: LogFiles) -> None:
    if mark is None:
        return
    try:
        same = merkle.root_at(mark.size, read_tile(connection)) == mark.root
    except VerificationError:
        same = False
    if not same:
        raise WorkspaceReadOnly(
            f"{source.database}: does not hold the {mark.size} entries once published: an old "
            "copy was put back, or it is damaged; run `verify`. A copy of it would hide that"
        )


def _describe(connection: apsw.Connection, place: Path) -> Copied:
    notes = rows(connection, "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
    openings = rows(connection, "SELECT count(*) FROM opening")[0][0]
    try:
        note = str(notes[0][0])
        found = parse(note)[0]
    except (IndexError, InputError):
        raise WorkspaceDamaged(f"{place}: holds no checkpoint; run `verify`") from None
    return Copied(found.size, found.root, note, openings)
