"""The SQLite graph's file: how it is opened, its tables, and its errors.

The file is disposable: it holds nothing that the log does not. So commits need
not wait for the disk (a power cut loses the last batches, which are applied
again), and a file of other tables or other projection rules is begun anew.

SQLite comes from apsw, which bundles its own: the system's may hold the
WAL-reset race (SQLite 3.7.0 to 3.51.2) that corrupts a database which one
process writes while another reads.

Never run ANALYZE or PRAGMA optimize here: with statistics the planner turns
the walk's index lookups into scans.

Next: graph/stores/sqlite_write.py
"""

from __future__ import annotations

import errno
import os
import threading
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import apsw

from graph.model import EdgeKind, RecordKind, Role
from graph.project import PROJECTION
from provenance.errors import (
    StorageError,
    WorkspaceDamaged,
    WorkspaceLocked,
    WorkspaceMissing,
    WorkspaceReadOnly,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

__all__ = [
    "KINDS",
    "RECORDS",
    "ROLES",
    "Turns",
    "clear",
    "open_graph",
    "transaction",
    "translated",
    "truncate",
]

KINDS: Final = list(EdgeKind)
ROLES: Final = list(Role)
RECORDS: Final = list(RecordKind)
"""A kind is stored as its place in these lists."""

_OLDEST_SQLITE: Final = 3_051_003
_TRUNCATE_MS: Final = 2_000
_CACHE_KIB: Final = 24 * 1024
_PAGE_SIZE: Final = 8_192
_WAL_PAGES: Final = 2_000
"""How long the write-ahead log may get: pages that many batches write go to the file once."""
_APPLICATION_ID: Final = 0x504C4547  # "PLEG"

_TABLES: Final = f"""
CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL) STRICT;
CREATE TABLE entry (
    idx INTEGER PRIMARY KEY, leaf_hash BLOB NOT NULL, version TEXT NOT NULL,
    node INTEGER, layers BLOB NOT NULL
) STRICT;
CREATE INDEX entry_version ON entry (version, idx);
CREATE TABLE node (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, tier INTEGER NOT NULL, idx INTEGER
) STRICT;
CREATE TABLE edge (
    src INTEGER NOT NULL, kind INTEGER NOT NULL, idx INTEGER NOT NULL, seq INTEGER NOT NULL,
    dst INTEGER NOT NULL, role INTEGER, tier INTEGER NOT NULL, time INTEGER, attrs BLOB,
    PRIMARY KEY (src, kind, idx, seq, dst)
) STRICT, WITHOUT ROWID;
CREATE INDEX edge_in ON edge (dst, kind, idx, seq, src, role, tier, time);
CREATE INDEX became_in ON edge (dst, idx, seq, src, tier, time, attrs)
    WHERE kind = {KINDS.index(EdgeKind.BECAME)};
CREATE TABLE name (
    field TEXT NOT NULL, value TEXT NOT NULL, node INTEGER NOT NULL, tier INTEGER NOT NULL,
    PRIMARY KEY (field, value, node)
) STRICT, WITHOUT ROWID;
CREATE TABLE record (
    kind INTEGER NOT NULL, key TEXT NOT NULL, idx INTEGER NOT NULL, tier INTEGER NOT NULL,
    PRIMARY KEY (kind, key, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_idx ON record (idx);
CREATE TABLE skipped (reason TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO head VALUES (1, 0);
"""  # noqa: S608 - put together from a constant
_NAMES: Final = ("head", "entry", "node", "edge", "name", "record", "skipped")

_RULES: Final = zlib.crc32(repr((PROJECTION, _TABLES, KINDS, ROLES, RECORDS)).encode()) >> 1
"""Tells tables, vocabulary and projection rules apart, in `user_version`."""


def open_graph(path: Path, *, readonly: bool, wait_ms: int) -> apsw.Connection:
    """Open the graph's file, making it, or making it anew, as needed.

    Args:
        path: The file.
        readonly: Open without the right to write; works on read-only media too.
        wait_ms: How long to wait for another process's transaction.

    Raises:
        WorkspaceMissing: There is no such file, and `readonly` forbids making it.
        WorkspaceReadOnly: It may not be written and `readonly` is false.
        WorkspaceDamaged: It is no graph of this program, or SQLite finds it malformed.
        StorageError: It is read only and its rules are not this version's.
    """
    if apsw.SQLITE_VERSION_NUMBER < _OLDEST_SQLITE:
        raise StorageError(
            f"SQLite {apsw.sqlite_lib_version()} can corrupt a database read while it is "
            "written; install apsw 3.54 or newer"
        )
    if readonly and not path.exists():
        raise WorkspaceMissing(f"{path}: no graph here; `provenance graph rebuild` makes it")
    with translated(path):
        connection = _connect(path, readonly=readonly)
        connection.set_busy_timeout(wait_ms)
        connection.pragma("cache_size", -_CACHE_KIB)
        if readonly:
            _check_rules(connection, path)
        else:
            _prepare(connection, path)
        return connection


def _connect(path: Path, *, readonly: bool) -> apsw.Connection:
    if not readonly:
        if not path.exists():
            path.touch(mode=0o600)
        elif not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
            raise WorkspaceReadOnly(f"{path}: may not be written; check owner and mode")
        return apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE)
    if not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
        # Reading a WAL database makes a -shm file. Where none can be made nobody
        # writes either, so reading it as immutable is safe.
        uri = path.resolve().as_uri() + "?immutable=1"
        return apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.pragma("schema_version")
    except (apsw.CantOpenError, apsw.ReadOnlyError):
        connection.close()
        # Taken as immutable it would lack what is still in its write-ahead log.
        raise WorkspaceReadOnly(
            f"{path}: was not closed by its last writer and can only be read where its directory "
            "may be written; copy the directory and read the copy"
        ) from None
    return connection


def _check_rules(connection: apsw.Connection, path: Path) -> None:
    _check_ours(connection, path)
    if connection.pragma("user_version") != _RULES:
        raise StorageError(
            f"{path}: made by another version of the program; `provenance graph rebuild` renews it"
        )


def _check_ours(connection: apsw.Connection, path: Path) -> None:
    if connection.pragma("application_id") != _APPLICATION_ID:
        raise WorkspaceDamaged(f"{path}: not a graph of this program; move it away and try again")


def _prepare(connection: apsw.Connection, path: Path) -> None:
    # Of a new file: with SQLite's own 4 KB a fifth of the time of a batch goes into pages.
    connection.pragma("page_size", _PAGE_SIZE)
    connection.pragma("journal_mode", "WAL")
    connection.wal_autocheckpoint(_WAL_PAGES)
    connection.pragma("synchronous", "NORMAL")
    # Rebuilding must not leave erased fields in free pages.
    connection.pragma("secure_delete", "ON")
    if connection.pragma("user_version") == _RULES:
        _check_ours(connection, path)
        return
    with transaction(connection):
        # Another process may have prepared it while this one waited.
        if connection.pragma("user_version") != _RULES:
            if connection.pragma("schema_version") != 0:
                _check_ours(connection, path)
            clear(connection)


def clear(connection: apsw.Connection) -> None:
    """Drop everything and begin with empty tables, within the caller's transaction."""
    for name in _NAMES:
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    connection.execute(_TABLES)
    connection.pragma("application_id", _APPLICATION_ID)
    connection.pragma("user_version", _RULES)


def truncate(connection: apsw.Connection) -> bool:
    """Bring the file up to date and cut the WAL; False while an older state is being read."""
    patience = connection.pragma("busy_timeout")
    connection.set_busy_timeout(min(patience, _TRUNCATE_MS))
    try:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").get
    finally:
        connection.set_busy_timeout(patience)
    return not busy


@contextmanager
def transaction(connection: apsw.Connection) -> Iterator[None]:
    """Run one write transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        # A full disk makes SQLite roll back by itself; a failed COMMIT leaves that to us.
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the driver's and the system's errors into ours: the one place where it happens."""
    try:
        yield
    except apsw.FullError:
        raise StorageError(f"{path}: the disk is full; nothing was half-written") from None
    except (apsw.BusyError, apsw.LockedError):
        raise WorkspaceLocked(f"{path}: another process is writing; try again") from None
    except (apsw.ReadOnlyError, apsw.PermissionsError, PermissionError):
        raise WorkspaceReadOnly(f"{path}: may not be written; check owner and mode") from None
    except (apsw.CorruptError, apsw.NotADBError, apsw.FormatError, apsw.SQLError) as error:
        raise WorkspaceDamaged(
            f"{path}: {error}; delete it, `provenance graph rebuild` makes it again"
        ) from None
    except (apsw.Error, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.EROFS:
            raise WorkspaceReadOnly(f"{path}: lies on a read-only file system") from None
        raise StorageError(f"{path}: {error}") from None


class Turns:
    """Gives the threads that share a connection their turns, each within one transaction.

    As a context manager it is a reader's turn: everything read inside comes from one
    state of the graph. Turns may be nested; the outermost one holds the transaction.
    """

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        """Take turns at `connection`; `path` is for messages."""
        self._connection = connection
        self._path = path
        self._lock = threading.RLock()
        self._nested = 0

    def __enter__(self) -> None:
        """Wait for a turn and begin to read."""
        self._lock.acquire()
        try:
            if not self._nested:
                with translated(self._path):
                    self._connection.execute("BEGIN")
        except BaseException:
            self._lock.release()
            raise
        self._nested += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """End the turn, and translate what the driver raised in it."""
        with translated(self._path):
            try:
                self._nested -= 1
                if not self._nested and self._connection.in_transaction:
                    self._connection.execute("COMMIT")
            finally:
                self._lock.release()
            if isinstance(error, apsw.Error):
                raise error

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Wait for a writer's turn, which cannot begin inside a reader's.

        Raises:
            StorageError: This thread is in the middle of reading.
        """
        with self._lock:
            if self._nested:
                raise StorageError(f"{self._path}: cannot be written from inside a snapshot")
            with translated(self._path):
                yield
