"""The head: the one row that says where the log ends, and from where it may go on.

Next: provenance/store/preparing.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provenance.errors import WorkspaceDamaged
from provenance.hashing import chain_next
from provenance.proving.leaf import LEAF_TIME

if TYPE_CHECKING:
    import apsw

__all__ = ["Head", "continued_head", "insert_head", "read_head", "swap_head"]


class Head(NamedTuple):
    """The one row that says where the log ends.

    Attributes:
        size: Number of entries.
        root: RFC 6962 root over their leaves.
        chain: Chain value after the last leaf: the next leaf's `prev_chain`.
        ingest_time_us: The last leaf's time.
        row_sums: Sums over the rows that no entry names, masked; see `identity`.
    """

    size: int
    root: bytes
    chain: bytes
    ingest_time_us: int
    row_sums: bytes


def insert_head(connection: apsw.Connection, head: Head) -> None:
    """Write the head of a log that is being made."""
    connection.execute("INSERT INTO head VALUES (1, ?, ?, ?, ?, ?)", head)


def read_head(connection: apsw.Connection) -> Head:
    """Read where the log ends.

    Raises:
        WorkspaceDamaged: The row is missing, or holds no head.
    """
    ask = "SELECT size, root, chain, ingest_time_us, row_sums FROM head"
    row = connection.execute(ask).fetchone()
    if row is None or [type(value) for value in row] != [int, bytes, bytes, int, bytes]:
        raise WorkspaceDamaged("the log has no head; restore it from a backup")
    head = Head(*row)
    if head.size < 0:
        raise WorkspaceDamaged(f"the log's head says {head.size} entries; run `verify`")
    return head


def continued_head(connection: apsw.Connection) -> Head:
    """Read the head, and see that the last leaf is the one it goes on from.

    Raises:
        WorkspaceDamaged: It is not: going on would build on what was tampered with.
    """
    head = read_head(connection)
    if head.size:
        ask = "SELECT leaf FROM leaf WHERE idx = ?"
        row = connection.execute(ask, (head.size - 1,)).fetchone()
        leaf = row[0] if row is not None and isinstance(row[0], bytes) else b""
        time = head.ingest_time_us.to_bytes(8, signed=True)
        if chain_next(leaf) != head.chain or leaf[LEAF_TIME] != time:
            raise WorkspaceDamaged("the head does not continue the last entry; run `verify`")
    return head


def swap_head(connection: apsw.Connection, old: Head, new: Head) -> None:
    """Move the head on, only from where this transaction found it.

    Raises:
        WorkspaceDamaged: It is somewhere else.
    """
    connection.execute(
        "UPDATE head SET size = ?, root = ?, chain = ?, ingest_time_us = ?, row_sums = ? "
        "WHERE size = ? AND root = ? AND chain = ?",
        (*new, old.size, old.root, old.chain),
    )
    if connection.changes() != 1:
        raise WorkspaceDamaged("the head moved during a write; run `verify`")
