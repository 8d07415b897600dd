"""The write path: one transaction makes entries durable, ordered, hashed and signed.

Everything costly (digests, commitments, encoding) is done before the lock is
taken. Under the lock the steps follow each other so that a crash at any point
leaves the log as it was before or as it is after, never between; the comments
say which. No signature leaves this module before COMMIT.

Next: provenance/tree.py
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import apsw

from provenance import merkle
from provenance.checkpoint import Checkpoint, sign
from provenance.entries import Outcome
from provenance.errors import StorageError, VerificationError, WorkspaceDamaged
from provenance.hashing import chain_next, leaf_hashes
from provenance.head import Head, continued_head, swap_head
from provenance.leaf import encode_leaf
from provenance.preparing import Prepared, verdict_of
from provenance.storage import transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from provenance.clock import Clock, Entropy
    from provenance.identity import Held, Rows
    from provenance.keys import Signer
    from provenance.preparing import Batch
    from provenance.subject_cipher import Encryption
    from provenance.subjects import SubjectKeys

__all__ = [
    "Amend",
    "Instruments",
    "commit",
    "read_tile",
]

_CLOCK_SLACK_US: Final = 5 * 60 * 1_000_000
"""How far the clock may be behind the last entry before appending is refused."""


Amend = Callable[["apsw.Connection", "Rows"], int]
"""Takes out of the log, within the transaction that appends the entry which says so, what is
to be forgotten; returns the sums' change, as `Rows.write` does."""


@dataclass(frozen=True)
class Instruments:
    """What a writer works with.

    Attributes:
        signer: Signs checkpoints.
        secret: 32 bytes that key the row digests; the workspace's own.
        clock: Gives ingest times.
        entropy: Gives nonces and salts.
        find_signer: Finds the signer of a vkey when another process has rotated the key; without
            it the log has to be opened anew then.
        subjects: The keys under which openings about data subjects are stored, if any.
    """

    signer: Signer
    secret: bytes
    clock: Clock
    entropy: Entropy
    find_signer: Callable[[str], Signer] | None = None
    subjects: SubjectKeys | None = None


def commit(
    connection: apsw.Connection,
    rows: Rows,
    batch: Batch,
    origin: str,
    instruments: Instruments,
    *,
    successor: Signer | None = None,
    amend: Amend | None = None,
) -> tuple[list[Outcome], str | None]:
    """Append what is new, in order, in one transaction. The caller holds the writers' lock.

    Args:
        connection: The database.
        rows: Its row keys.
        batch: From `prepare`, under the tier policy that is in force now.
        origin: The log's name.
        instruments: What to write with.
        successor: Signs the checkpoint too: whom the batch hands the log over to.
        amend: Takes out what an erasure among the drafts names.

    Returns:
        What became of each draft, and the signed checkpoint that covers them; None
        where nothing was appended.

    Raises:
        StorageError: The clock is more than five minutes behind the log.
        WorkspaceDamaged: The stored tree does not fit the head.
    """
    with (
        _keys_held(batch.items, instruments.subjects) as encryption,
        transaction(connection),  # a crash before COMMIT: as if nothing had been asked
    ):
        head = continued_head(connection)
        # Row keys only come with entries: at the same size what `prepare` saw still holds.
        held = batch.held if head.size == batch.size else rows.held(_keys(batch.items))
        outcomes, fresh, keys = _settle(batch.items, held, head.size)
        if not fresh:
            return outcomes, None
        time_us = _ingest_time(instruments.clock, head)
        leaves, chain = _chain(fresh, head, time_us)
        edge = _grow(connection, head, leaves)
        _insert(connection, fresh, leaves, head.size, encryption)
        lots = [(*lot, at) for at, item in enumerate(fresh, head.size) for lot in item.draft.lots]
        change = rows.write(keys, held) ^ rows.write_makers(lots)
        if amend is not None:
            change ^= amend(connection, rows)
        sums = _move_sums(rows, head, change, edge)
        swap_head(connection, head, Head(edge.size, edge.root, chain, time_us, sums))
        signers = [instruments.signer, *([successor] if successor else ())]
        note = sign(Checkpoint(origin, edge.size, edge.root), signers)
        connection.execute("INSERT INTO checkpoint VALUES (?, ?)", (edge.size, note))
    # A crash here: the entries are in and signed for, but not acknowledged. The
    # next writer publishes the checkpoint; the same drafts are then duplicates.
    return outcomes, note


def _keys_held(
    items: Sequence[Prepared | Outcome], subjects: SubjectKeys | None
) -> AbstractContextManager[Encryption | None]:
    if subjects is None:
        return nullcontext()
    return subjects.held([item.draft for item in items if isinstance(item, Prepared)])


def _keys(items: Sequence[Prepared | Outcome]) -> list[bytes]:
    return [key for item in items if isinstance(item, Prepared) for key, _ in item.rows]


def _settle(
    items: Sequence[Prepared | Outcome], held: Mapping[bytes, Held], size: int
) -> tuple[list[Outcome], list[Prepared], dict[bytes, tuple[bytes, int]]]:
    """Decide each draft for good: against the log, and against the drafts before it.

    Returns:
        What became of each, those to append, and the row keys to write.
    """
    outcomes: list[Outcome] = []
    fresh: list[Prepared] = []
    keys: dict[bytes, tuple[bytes, int]] = {}
    known = dict(held)
    for item in items:
        if isinstance(item, Outcome):
            outcomes.append(item)
            continue
        verdict = verdict_of(item.draft, item.rows, known)
        if verdict is None:
            index = size + len(fresh)
            for key, digest in item.rows:
                known[key] = keys[key] = (digest, index)
            fresh.append(item)
            verdict = Outcome("appended", index, item.digest)
        outcomes.append(verdict)
    return outcomes, fresh, keys


def _ingest_time(clock: Clock, head: Head) -> int:
    now = clock()
    if now < head.ingest_time_us - _CLOCK_SLACK_US:
        behind = (head.ingest_time_us - now) // 1_000_000
        raise StorageError(
            f"the clock is {behind} s behind the log's last entry; set it right and try again"
        )
    return max(now, head.ingest_time_us)


def _chain(fresh: Sequence[Prepared], head: Head, time_us: int) -> tuple[list[bytes], bytes]:
    leaves = []
    chain = head.chain
    for index, item in enumerate(fresh, head.size):
        leaf = encode_leaf(item.draft.type, index, time_us, item.digest, chain)
        chain = chain_next(leaf)
        leaves.append(leaf)
    return leaves, chain


def _grow(connection: apsw.Connection, head: Head, leaves: Sequence[bytes]) -> merkle.Edge:
    try:
        edge = merkle.load_edge(head.size, read_tile(connection))
    except VerificationError as error:
        raise WorkspaceDamaged(f"{error}; run `verify`") from None
    if edge.root != head.root:
        raise WorkspaceDamaged("the stored tree does not give the head's root; run `verify`")
    edge, tiles = merkle.append(edge, leaf_hashes(leaves))
    connection.executemany(
        "INSERT INTO tile (level, number, hashes) VALUES (?, ?, ?) "
        "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
        tiles,
    )
    return edge


def _insert(
    connection: apsw.Connection,
    fresh: Sequence[Prepared],
    leaves: Sequence[bytes],
    size: int,
    encryption: Encryption | None,
) -> None:
    # Where rows are numbered through, SQLite takes a column at a time; its rowids begin at 1.
    for ask, column in (
        ("INSERT INTO leaf SELECT ? + rowid, value FROM carray(?)", leaves),
        ("INSERT INTO body SELECT ? + rowid, value FROM carray(?)", [item.body for item in fresh]),
    ):
        connection.execute(ask, (size - 1, apsw.carray(tuple(column))))
    numbered = enumerate(fresh, size)
    opened = (
        [(at, item.openings) for at, item in numbered]
        if encryption is None
        else [(at, encryption(at, item.draft, item.openings)) for at, item in numbered]
    )
    openings = [(index, *opening) for index, own in opened for opening in own]
    connection.executemany("INSERT INTO opening VALUES (?, ?, ?, ?, ?)", openings)


def _move_sums(rows: Rows, head: Head, change: int, edge: merkle.Edge) -> bytes:
    before = rows.seals.mask(head.row_sums, head.size, head.root)
    after = (int.from_bytes(before) ^ change).to_bytes(len(before))
    return rows.seals.mask(after, edge.size, edge.root)


def read_tile(connection: apsw.Connection) -> merkle.ReadTile:
    """Read tiles through `connection`, cut to the width asked for; empty where there is none."""

    def read(level: int, number: int, width: int) -> bytes:
        ask = "SELECT substr(hashes, 1, ?) FROM tile WHERE level = ? AND number = ?"
        row = connection.execute(ask, (width * 32, level, number)).fetchone()
        return row[0] if row is not None and isinstance(row[0], bytes) else b""

    return read
