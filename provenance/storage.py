"""The log's database: how it is opened, its schema, and its errors.

SQLite comes from apsw, which bundles its own: the system's may hold the
WAL-reset race (SQLite 3.7.0 to 3.51.2) that corrupts a database which one
process writes while another reads. A database is never born by accident:
only `create` makes one.

The database is not trusted. Triggers refuse what a mistake would do; what an
attacker does is found by `audit`.

Next: provenance/writing.py
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import apsw

from provenance.errors import (
    StorageError,
    WorkspaceDamaged,
    WorkspaceLocked,
    WorkspaceMissing,
    WorkspaceReadOnly,
    WorkspaceTooNew,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["FORMAT", "connect", "create", "rows", "transaction", "translated"]

FORMAT: Final = 1
"""Format of the log database, kept in `user_version`."""
_APPLICATION_ID: Final = 0x504C4531  # "PLE1"
_OLDEST_SQLITE: Final = 3_051_003
_BUSY_MS: Final = 30_000

_SCHEMA: Final = """
CREATE TABLE leaf (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT;
CREATE TABLE body (idx INTEGER PRIMARY KEY, body BLOB) STRICT;
CREATE TABLE opening (
    idx INTEGER NOT NULL, path TEXT NOT NULL, tier INTEGER NOT NULL,
    salt BLOB NOT NULL, preimage BLOB NOT NULL, PRIMARY KEY (idx, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE event_id (
    key BLOB PRIMARY KEY, digest BLOB, idx INTEGER NOT NULL, mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE maker (
    lot_id TEXT NOT NULL, party TEXT NOT NULL, product_id TEXT NOT NULL, idx INTEGER NOT NULL,
    PRIMARY KEY (lot_id, party, product_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE tile (
    level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, root BLOB NOT NULL,
    chain BLOB NOT NULL, ingest_time_us INTEGER NOT NULL
) STRICT;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
"""

# A partial tile gives way only to a wider one that begins with the same hashes.
_TRIGGERS: Final = """
CREATE TRIGGER leaf_kept BEFORE UPDATE ON leaf
    BEGIN SELECT RAISE(ABORT, 'a leaf is never changed'); END;
CREATE TRIGGER leaf_never_deleted BEFORE DELETE ON leaf
    BEGIN SELECT RAISE(ABORT, 'a leaf is never deleted'); END;
CREATE TRIGGER checkpoint_kept BEFORE UPDATE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'a checkpoint is never changed'); END;
CREATE TRIGGER checkpoint_never_deleted BEFORE DELETE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'a checkpoint is never deleted'); END;
CREATE TRIGGER tile_only_grows BEFORE UPDATE ON tile
    WHEN new.level <> old.level OR new.number <> old.number
      OR length(new.hashes) <= length(old.hashes)
      OR substr(new.hashes, 1, length(old.hashes)) <> old.hashes
    BEGIN SELECT RAISE(ABORT, 'a tile only grows'); END;
CREATE TRIGGER tile_never_deleted BEFORE DELETE ON tile
    BEGIN SELECT RAISE(ABORT, 'a tile is never deleted'); END;
"""


def create(path: Path) -> apsw.Connection:
    """Make a new, empty log database at `path`.

    Raises:
        StorageError: There is a file already, or the disk refused.
    """
    _assert_sqlite()
    with translated(path):
        path.touch(mode=0o600, exist_ok=False)
        connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.pragma("page_size", 16384)
        _prepare(connection)
        with transaction(connection):
            connection.execute(_SCHEMA)
            connection.execute(_TRIGGERS)
            connection.pragma("application_id", _APPLICATION_ID)
            connection.pragma("user_version", FORMAT)
        return connection


def connect(path: Path, *, readonly: bool) -> apsw.Connection:
    """Open an existing log database.

    Args:
        path: The database file.
        readonly: Open without the right to write; works on read-only media too.

    Raises:
        WorkspaceMissing: There is no such file.
        WorkspaceReadOnly: It may not be written and `readonly` is false.
        WorkspaceTooNew: It has a later format.
        WorkspaceDamaged: It is no log database, or SQLite finds it malformed.
    """
    _assert_sqlite()
    if not path.exists():
        raise WorkspaceMissing(f"{path}: no log here; `provenance init` makes a workspace")
    with translated(path):
        connection = _open(path, readonly=readonly)
        _check_format(connection, path)
        if not readonly:
            _prepare(connection)
        return connection


def _open(path: Path, *, readonly: bool) -> apsw.Connection:
    if not readonly:
        if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
            raise WorkspaceReadOnly(f"{path}: may not be written; check owner and mode")
        return apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE)
    if os.access(path.parent, os.W_OK):
        return apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    # A WAL database needs its -shm file even to be read. Where none can be
    # made nobody writes either, so reading it as immutable is safe.
    uri = path.resolve().as_uri() + "?immutable=1"
    return apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def _check_format(connection: apsw.Connection, path: Path) -> None:
    connection.set_busy_timeout(_BUSY_MS)
    if connection.pragma("application_id") != _APPLICATION_ID:
        raise WorkspaceDamaged(f"{path}: not a log of this program")
    found = connection.pragma("user_version")
    if found > FORMAT:
        raise WorkspaceTooNew(
            f"{path}: log format {found}, this program reads up to {FORMAT}; install a newer one"
        )
    if found < 1:
        raise WorkspaceDamaged(f"{path}: log format {found} was never released")


def _prepare(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(_BUSY_MS)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    connection.pragma("secure_delete", "ON")
    if sys.platform == "darwin":
        # Without it macOS answers fsync before the data is on the disk.
        connection.pragma("fullfsync", "ON")


def _assert_sqlite() -> None:
    if apsw.SQLITE_VERSION_NUMBER < _OLDEST_SQLITE:
        raise StorageError(
            f"SQLite {apsw.sqlite_lib_version()} can corrupt a database read while it is "
            "written; install apsw 3.54 or newer"
        )


def rows(connection: apsw.Connection, ask: str, *values: object) -> list[tuple[Any, ...]]:
    """Run a query and return all its rows; the schema, not the type checker, knows their types."""
    return connection.execute(ask, values).fetchall()


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """Run one write transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the driver's and the system's errors into ours: the one place where it happens."""
    try:
        yield
    except apsw.FullError:
        raise StorageError(f"{path}: the disk is full; nothing was half-written") from None
    except (apsw.BusyError, apsw.LockedError):
        raise WorkspaceLocked(f"{path}: another process is writing; try again") from None
    except apsw.ReadOnlyError:
        raise WorkspaceReadOnly(f"{path}: may not be written; check owner and mode") from None
    except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError) as error:
        raise WorkspaceDamaged(f"{path}: {error}; restore it from a backup") from None
    except (apsw.CantOpenError, apsw.PermissionsError, PermissionError) as error:
        raise WorkspaceReadOnly(f"{path}: cannot be opened: {error}") from None
    except apsw.ConstraintError as error:
        raise StorageError(f"{path}: refused: {error}") from None
    except (apsw.SQLError, apsw.MismatchError) as error:
        raise WorkspaceDamaged(f"{path}: its tables are not those of a log: {error}") from None
    except (apsw.Error, OSError) as error:
        raise StorageError(f"{path}: {error}") from None
