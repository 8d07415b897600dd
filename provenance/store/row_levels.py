"""The tables that row keys lie in, each with room for many more than the one before.

Keys are digests and lie at random: in a large table each new one would touch a
page of its own, and every page that is touched is written twice. So new rows go
into a table that stays small. When it has grown, all of them move into the next
one at once, in order of their keys, and so from table to table: what is written
for a row grows with the number of tables it has passed, not with the log.

In which of them a row lies says nothing. A key is never in two of them.

Next: provenance/store/identity.py
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final

from provenance.store.storage import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import apsw

__all__ = ["NEW_ROWS", "lookup", "move_on", "row_tables", "twice"]

NEW_ROWS: Final = "event_id"
"""Where new rows go."""
_BETWEEN: Final = ("event_id_1", "event_id_2", "event_id_3")
_SETTLED: Final = "event_id_settled"
_TABLES: Final = {
    1: (NEW_ROWS,),
    3: (NEW_ROWS, _SETTLED),
    4: (NEW_ROWS, *_BETWEEN, _SETTLED),
}
"""The tables that there are since a format of the database."""
_ROOM: Final = 4_000
"""Rows that the first table may hold; what a log needs below that lies in some twenty pages."""
_FACTOR: Final = 8
"""By how much more the next one may hold; the last one holds all the others."""


def row_tables(connection: apsw.Connection, schema: str = "main") -> tuple[str, ...]:
    """Return the tables that a database has; another process may upgrade it meanwhile."""
    found = connection.pragma("user_version", schema=schema)
    return _TABLES[max((since for since in _TABLES if since <= found), default=1)]


def lookup(connection: apsw.Connection) -> str:
    """Write the query for key, digest and index of the rows with the keys in carray ?1.

    One statement for all tables: between two of them another process could move a row.
    """
    # Tables that are empty, as most are in a small log, are not asked for each key.
    return " UNION ALL ".join(
        f"SELECT key, digest, idx FROM (SELECT 1 FROM {table} LIMIT 1) "  # noqa: S608 - constants
        f"CROSS JOIN carray(?1) CROSS JOIN {table} ON key = value"
        for table in row_tables(connection)
    )


def move_on(connection: apsw.Connection) -> None:
    """Move the rows of each table that holds more than it may into the next one.

    Within the transaction of the append that filled it: after a crash all are where they were, or
    all have been moved.
    """
    room = _ROOM
    for table, following in pairwise(row_tables(connection)):
        if rows(connection, f"SELECT count(*) FROM {table}")[0][0] <= room:  # noqa: S608 - a constant
            break
        connection.execute(f"INSERT INTO {following} SELECT * FROM {table} ORDER BY key")  # noqa: S608 - constants
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - a constant
        room *= _FACTOR


def twice(connection: apsw.Connection) -> Iterator[int]:
    """Yield the entries of keys that are in two tables: two rows alike cancel out in the sums."""
    for one, other in combinations(row_tables(connection), 2):
        ask = f"SELECT {one}.idx FROM {one} CROSS JOIN {other} USING (key)"  # noqa: S608 - constants
        for (index,) in connection.execute(ask):
            yield index
