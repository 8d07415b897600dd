"""The log's database: how it is opened, and its errors.

SQLite comes from apsw, which bundles its own: the system's may hold the
WAL-reset race (SQLite 3.7.0 to 3.51.2) that corrupts a database which one
process writes while another reads. A database is never born by accident:
only `create` makes one.

The database is not trusted. Triggers refuse what a mistake would do; what an
attacker does is found by `audit`.

Next: provenance/store/identity.py
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import apsw

from provenance.errors import (
    ProvenanceError,
    StorageError,
    WorkspaceDamaged,
    WorkspaceLocked,
    WorkspaceMissing,
    WorkspaceReadOnly,
    WorkspaceTooNew,
)
from provenance.store.schema import FORMAT, lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "connect",
    "create",
    "discard",
    "hold_little",
    "rows",
    "transaction",
    "translated",
    "truncate",
    "upgrade",
]

_APPLICATION_ID: Final = 0x504C4531  # "PLE1"
_OLDEST_SQLITE: Final = 3_051_003
_BUSY_MS: Final = 30_000
_TRUNCATE_MS: Final = 2_000
_CACHE_KIB: Final = 64 * 1024


def hold_little(size: int) -> None:
    """Let all databases of this process together hold about `size` bytes; 0 sets no limit.

    For a process that works beside others on the same log: their caches would add up.
    """
    apsw.soft_heap_limit(size)


def create(path: Path) -> apsw.Connection:
    """Make a new, empty log database at `path`.

    Raises:
        StorageError: There is a file already, or the disk refused; then nothing is left behind.
    """
    _assert_sqlite()
    with translated(path):
        path.touch(mode=0o600, exist_ok=False)
        try:
            connection = _connection(os.fspath(path), apsw.SQLITE_OPEN_READWRITE)
            connection.pragma("page_size", 16384)
            _prepare(connection)
            with transaction(connection):
                lay_out(connection)
                connection.pragma("application_id", _APPLICATION_ID)
        except BaseException:
            discard(path)
            raise
        return connection


def discard(path: Path) -> None:
    """Remove a database that was being made and never used, with the files SQLite keeps by it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def connect(path: Path, *, readonly: bool) -> apsw.Connection:
    """Open an existing log database.

    Args:
        path: The database file.
        readonly: Open without the right to write; works on read-only media too.

    Raises:
        WorkspaceMissing: There is no such file.
        WorkspaceReadOnly: It may not be written, or has an earlier format, and `readonly` is
            false; or it cannot be read without writing beside it.
        WorkspaceTooNew: It has a later format.
        WorkspaceDamaged: It is no log database, or SQLite finds it malformed.
    """
    _assert_sqlite()
    with translated(path):
        if not path.exists():
            raise WorkspaceMissing(f"{path}: no log here; `provenance init` makes a workspace")
        connection = _open_readonly(path) if readonly else _open(path)
        try:
            _check_format(connection, path, oldest=1 if readonly else FORMAT)
            if not readonly:
                _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def upgrade(path: Path) -> None:
    """Bring an existing log database to the present format; a crash leaves the old one.

    Raises:
        WorkspaceError: As for `connect`, but any released format will do.
    """
    with translated(path):
        if not path.exists():
            raise WorkspaceMissing(f"{path}: no log here; `provenance init` makes a workspace")
        connection = _open(path)
        try:
            found = _check_format(connection, path, oldest=1)
            _prepare(connection)
            with transaction(connection):
                lay_out(connection, found)
        finally:
            connection.close()


def _open(path: Path) -> apsw.Connection:
    if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
        raise WorkspaceReadOnly(f"{path}: may not be written; check owner and mode")
    return _connection(os.fspath(path), apsw.SQLITE_OPEN_READWRITE)


def _open_readonly(path: Path) -> apsw.Connection:
    connection = _connection(os.fspath(path), apsw.SQLITE_OPEN_READONLY)
    try:
        connection.pragma("schema_version")
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        connection.close()
    else:
        return connection
    # A WAL database needs a -shm file even to be read, and here none can be made.
    # Read as immutable, the WAL itself would be passed over, and with it the
    # newest entries: only where there is none does the file hold everything.
    if path.with_name(f"{path.name}-wal").exists():
        raise WorkspaceReadOnly(
            f"{path}: was not closed by its last writer and can only be read where its directory "
            "may be written; copy the directory and read the copy"
        )
    uri = path.resolve().as_uri() + "?immutable=1"
    return _connection(uri, apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def _connection(place: str, flags: int) -> apsw.Connection:
    connection = apsw.Connection(place, flags=flags)
    # From the first statement on: a writer that opens or closes holds the file for a moment.
    connection.set_busy_timeout(_BUSY_MS)
    return connection


def _check_format(connection: apsw.Connection, path: Path, oldest: int) -> int:
    if connection.pragma("application_id") != _APPLICATION_ID:
        raise WorkspaceDamaged(f"{path}: not a log of this program")
    found: int = connection.pragma("user_version")
    if found > FORMAT:
        raise WorkspaceTooNew(
            f"{path}: log format {found}, this program reads up to {FORMAT}; install a newer one"
        )
    if found < 1:
        raise WorkspaceDamaged(f"{path}: log format {found} was never released")
    if found < oldest:
        raise WorkspaceReadOnly(
            f"{path}: log format {found} can be read, but not written; run `provenance upgrade`"
        )
    return found


def _prepare(connection: apsw.Connection) -> None:
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    connection.pragma("secure_delete", "ON")
    # Row keys lie at random places of their table: with SQLite's own 2 MB nearly
    # every look-up and insert of a larger log would fetch a page and drop another.
    connection.pragma("cache_size", -_CACHE_KIB)
    # Without it INSERT OR REPLACE would delete rows past the triggers.
    connection.pragma("recursive_triggers", "ON")
    if sys.platform == "darwin":
        # Without it macOS answers fsync before the data is on the disk.
        connection.pragma("fullfsync", "ON")


def _assert_sqlite() -> None:
    if apsw.SQLITE_VERSION_NUMBER < _OLDEST_SQLITE:
        raise StorageError(
            f"SQLite {apsw.sqlite_lib_version()} can corrupt a database read while it is "
            "written; install apsw 3.54 or newer"
        )
    # Whole columns are handed to SQLite at once; a build by others may not know how.
    if "ENABLE_CARRAY" not in apsw.compile_options:
        raise StorageError("this apsw is built without carray; install a released wheel of it")


def rows(connection: apsw.Connection, ask: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a query and return all its rows; the schema, not the type checker, knows their types."""
    return connection.execute(ask, values).fetchall()


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """Run one write transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # On some errors, a full disk among them, SQLite has rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def truncate(connection: apsw.Connection) -> bool:
    """Bring the file up to date and cut the WAL; False while an older state is being read."""
    connection.set_busy_timeout(_TRUNCATE_MS)
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").get
    finally:
        connection.set_busy_timeout(_BUSY_MS)
    return not busy


_FULL: Final = "the disk is full; nothing was half-written"
_TRANSLATIONS: Final[tuple[tuple[Any, type[ProvenanceError], str], ...]] = (
    (apsw.FullError, StorageError, _FULL),
    ((apsw.BusyError, apsw.LockedError), WorkspaceLocked, "another process is writing; try again"),
    (apsw.ReadOnlyError, WorkspaceReadOnly, "may not be written; check owner and mode"),
    (
        (apsw.CorruptError, apsw.NotADBError, apsw.FormatError),
        WorkspaceDamaged,
        "{error}; restore it from a backup",
    ),
    ((apsw.CantOpenError, apsw.PermissionsError), WorkspaceReadOnly, "cannot be opened: {error}"),
    (apsw.ConstraintError, StorageError, "refused: {error}"),
    (
        (apsw.SQLError, apsw.MismatchError),
        WorkspaceDamaged,
        "its tables are not those of a log: {error}",
    ),
    (UnicodeDecodeError, WorkspaceDamaged, "a text in it is not UTF-8; run `verify`"),
    (apsw.Error, StorageError, "{error}"),
)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the driver's and the system's errors into ours: the one place where it happens."""
    try:
        yield
    except (apsw.Error, UnicodeDecodeError) as error:
        ours, text = next(
            (ours, text) for theirs, ours, text in _TRANSLATIONS if isinstance(error, theirs)
        )
        raise ours(f"{path}: {text.format(error=error)}") from None
    except OSError as error:
        raise _system_error(path, error) from None


def _system_error(path: Path, error: OSError) -> ProvenanceError:
    place = error.filename or path
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return WorkspaceReadOnly(f"{place}: {error.strerror}; check owner and mode")
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(f"{place}: {_FULL}")
    return StorageError(f"{place}: {error.strerror}")
