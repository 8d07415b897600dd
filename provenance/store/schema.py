"""The tables of the log's database, format by format.

A format adds to the one before it and never changes what that one wrote, so an
old database is the beginning of a new one. The text of every statement counts:
an audit compares it with what the database says its tables are.

Next: provenance/store/storage.py
"""

from __future__ import annotations

from typing import Final

import apsw

__all__ = ["FORMAT", "lay_out", "schema_faults"]

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
    mac BLOB NOT NULL, PRIMARY KEY (lot_id, party, product_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE tile (
    level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, root BLOB NOT NULL,
    chain BLOB NOT NULL, ingest_time_us INTEGER NOT NULL, row_sums BLOB NOT NULL
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

_COSIGNATURES: Final = """
CREATE TABLE cosignature (
    size INTEGER NOT NULL, key_id BLOB NOT NULL, vkey TEXT NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (size, key_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER cosignature_kept BEFORE UPDATE ON cosignature
    BEGIN SELECT RAISE(ABORT, 'a cosignature is never changed'); END;
CREATE TRIGGER cosignature_never_deleted BEFORE DELETE ON cosignature
    BEGIN SELECT RAISE(ABORT, 'a cosignature is never deleted'); END;
"""

# The same rows as in `event_id`, of the entries before: see docs/adr/0019.
_SETTLED: Final = """
CREATE TABLE event_id_settled (
    key BLOB PRIMARY KEY, digest BLOB, idx INTEGER NOT NULL, mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""

# And between the two, so that no step is a large one: see docs/adr/0019.
_BETWEEN: Final = "".join(
    f"""
CREATE TABLE event_id_{level} (
    key BLOB PRIMARY KEY, digest BLOB, idx INTEGER NOT NULL, mac BLOB NOT NULL
) STRICT, WITHOUT ROWID;
"""
    for level in (1, 2, 3)
)

_FORMATS: Final = (_SCHEMA + _TRIGGERS, _COSIGNATURES, _SETTLED, _BETWEEN)
"""What each format adds, the first at 0."""

FORMAT: Final = len(_FORMATS)
"""Format of the log database, kept in `user_version`."""


def lay_out(connection: apsw.Connection, found: int = 0) -> None:
    """Bring an empty database, or one of format `found`, to the present format.

    The caller holds the transaction.
    """
    for statements in _FORMATS[found:]:
        connection.execute(statements)
    connection.pragma("user_version", FORMAT)


def schema_faults(connection: apsw.Connection) -> list[str]:
    """Name the tables and triggers that are missing, changed or not ours, one line each."""
    model = apsw.Connection(":memory:")
    for statements in _FORMATS[: connection.pragma("user_version")]:
        model.execute(statements)
    ask = "SELECT type || ' ' || name, CAST(sql AS BLOB) FROM sqlite_schema WHERE sql IS NOT NULL"
    right, found = dict(model.execute(ask)), dict(connection.execute(ask))
    model.close()
    return [
        f"schema: the {name} is {'not ours' if name not in right else 'missing or changed'}"
        for name in sorted(right.keys() | found.keys())
        if right.get(name) != found.get(name)
    ]
