"""The write path: one transaction makes entries durable, ordered, hashed and signed.

Everything costly (digests, commitments, encoding) is done before the lock is
taken. Under the lock the steps follow each other so that a crash at any point
leaves the log as it was before or as it is after, never between; the comments
say which. No signature leaves this module before COMMIT.

Next: provenance/store/tree.py
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count, repeat
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance import canonical
from provenance.entries import Outcome
from provenance.errors import StorageError, VerificationError, WorkspaceDamaged
from provenance.hashing import EMPTY_ROOT, chain_start, leaf_hashes
from provenance.notes.checkpoint import Checkpoint, sign
from provenance.proving import merkle
from provenance.proving.leaf import encode_leaves
from provenance.store.head import Head, continued_head, insert_head, swap_head
from provenance.store.identity import Rows
from provenance.store.inserting import insert_entries
from provenance.store.preparing import Preparer, prepare, taken, verdict_of
from provenance.store.register import POLICY, Register
from provenance.store.row_keys import are_apart, keys_of, split_rows
from provenance.store.storage import transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import apsw

    from provenance.clock import Clock, Entropy
    from provenance.disclosure.subject_cipher import Encryption
    from provenance.entries import Draft
    from provenance.notes.keys import Signer
    from provenance.store.preparing import Batch, Prepared
    from provenance.store.row_keys import Held
    from provenance.store.subjects import SubjectKeys

__all__ = [
    "Amend",
    "Committed",
    "Instruments",
    "commit",
    "found",
    "read_tile",
]

_CLOCK_SLACK_US: Final = 5 * 60 * 1_000_000
"""How far the clock may be behind the last entry before appending is refused."""


Amend = Callable[["apsw.Connection", "Rows"], int]
"""Takes out of the log, within the transaction that appends the entry which says so, what is
to be forgotten; returns the sums' change, as `Rows.write` does."""


class Committed(NamedTuple):
    """What a commit gives back.

    Attributes:
        outcomes: What became of each draft.
        note: The signed checkpoint that covers them; None where nothing was appended.
        edge: The right edge of the tree now.
    """

    outcomes: list[Outcome]
    note: str | None
    edge: merkle.Edge


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


def found(connection: apsw.Connection, draft: Draft, instruments: Instruments) -> None:
    """Write the empty head of a new log, then entry 0 in the one way that there is."""
    origin = instruments.signer.name
    rows = Rows(connection, instruments.secret)
    sums = rows.seals.mask(bytes(32), 0, EMPTY_ROOT)
    with transaction(connection):
        insert_head(connection, Head(0, EMPTY_ROOT, chain_start(origin), 0, sums))
    register = Register.founded(canonical.encode({**draft.content, "_v": POLICY}))
    preparer = Preparer(instruments.secret, register, instruments.entropy)
    commit(connection, rows, prepare(connection, rows, preparer, [draft]), origin, instruments)


def commit(
    connection: apsw.Connection,
    rows: Rows,
    batch: Batch,
    origin: str,
    instruments: Instruments,
    *,
    edge: merkle.Edge = merkle.EMPTY_EDGE,
    successor: Signer | None = None,
    amend: Amend | None = None,
) -> Committed:
    """Append what is new, in order, in one transaction. The caller holds the writers' lock.

    Args:
        connection: The database.
        rows: Its row keys.
        batch: From `prepare`, under the tier policy that is in force now.
        origin: The log's name.
        instruments: What to write with.
        edge: What the tree's edge was after the commit before; only saves time.
        successor: Signs the checkpoint too: whom the batch hands the log over to.
        amend: Takes out what an erasure among the drafts names.

    Raises:
        StorageError: The clock is more than five minutes behind the log.
        WorkspaceDamaged: The stored tree does not fit the head.
    """
    with (
        _keys_held(batch.prepared, instruments.subjects) as encryption,
        transaction(connection),  # a crash before COMMIT: as if nothing had been asked
    ):
        head = continued_head(connection)
        # Row keys only come with entries: at the same size what `prepare` saw still holds.
        of_old = head.size == batch.size
        own = keys_of(batch.prepared.rows)
        held = batch.held if of_old else rows.held(own)
        outcomes, fresh, keys = _settle(batch, own, held, head.size)
        if not fresh.kinds:
            return Committed(outcomes, None, edge)
        time_us = _ingest_time(instruments.clock, head)
        leaves, chain = encode_leaves(fresh.kinds, head.size, time_us, fresh.digests, head.chain)
        edge = _grow(connection, head, leaves, edge)
        insert_entries(connection, fresh, leaves, head.size, encryption)
        lots = [(*lot, at) for at, own in enumerate(fresh.lots, head.size) for lot in own]
        change = rows.write_run(fresh.rows, head.size) if keys is None else rows.write(keys, held)
        change ^= rows.write_makers(lots)
        if amend is not None:
            change ^= amend(connection, rows)
        sums = _move_sums(rows, head, change, edge)
        swap_head(connection, head, Head(edge.size, edge.root, chain, time_us, sums))
        signers = [instruments.signer, *([successor] if successor else ())]
        note = sign(Checkpoint(origin, edge.size, edge.root), signers)
        connection.execute("INSERT INTO checkpoint VALUES (?, ?)", (edge.size, note))
    # A crash here: the entries are in and signed for, but not acknowledged. The
    # next writer publishes the checkpoint; the same drafts are then duplicates.
    return Committed(outcomes, note, edge)


def _keys_held(
    prepared: Prepared, subjects: SubjectKeys | None
) -> AbstractContextManager[Encryption | None]:
    return nullcontext() if subjects is None else subjects.held(prepared.subjects)


class _Settled(NamedTuple):
    """What became of each draft, those to append, and the row keys to write.

    Attributes:
        outcomes: One a draft.
        fresh: Those to append.
        keys: The row keys to write; None where they are just those of `fresh`, one a draft and all
            of them new.
    """

    outcomes: list[Outcome]
    fresh: Prepared
    keys: dict[bytes, Held] | None


def _settle(batch: Batch, own: Sequence[bytes], held: Mapping[bytes, Held], size: int) -> _Settled:
    """Decide each draft for good: against the log, and against the drafts before it."""
    prepared = batch.prepared
    if held or not are_apart(prepared.rows, own):
        return _settle_each(batch, held, size)
    numbered = zip(repeat("appended"), count(size), prepared.digests)
    # Outcome._make checks the length of each, which `zip` has settled for all.
    outcomes = [*map(tuple.__new__, repeat(Outcome), numbered)]
    return _Settled(_in_place(outcomes, batch.known), prepared, None)


def _settle_each(batch: Batch, held: Mapping[bytes, Held], size: int) -> _Settled:
    prepared = batch.prepared
    outcomes: list[Outcome] = []
    fresh: list[int] = []
    keys: dict[bytes, Held] = {}
    known = dict(held)
    for at, own in enumerate(prepared.rows):
        verdict = verdict_of(prepared.changes[at], own, known)
        if verdict is None:
            index = size + len(fresh)
            for key, digest in split_rows(own):
                known[key] = keys[key] = (digest, index)
            fresh.append(at)
            verdict = Outcome("appended", index, prepared.digests[at])
        outcomes.append(verdict)
    if len(fresh) < len(outcomes):
        prepared = taken(prepared, fresh)
    return _Settled(_in_place(outcomes, batch.known), prepared, keys)


def _in_place(decided: list[Outcome], known: Mapping[int, Outcome]) -> list[Outcome]:
    """Put outcomes of before between those of now."""
    if not known:
        return decided
    rest = iter(decided)
    return [known.get(at) or next(rest) for at in range(len(decided) + len(known))]


def _ingest_time(clock: Clock, head: Head) -> int:
    now = clock()
    if now < head.ingest_time_us - _CLOCK_SLACK_US:
        behind = (head.ingest_time_us - now) // 1_000_000
        raise StorageError(
            f"the clock is {behind} s behind the log's last entry; set it right and try again"
        )
    return max(now, head.ingest_time_us)


def _grow(
    connection: apsw.Connection, head: Head, leaves: Sequence[bytes], known: merkle.Edge
) -> merkle.Edge:
    try:
        edge = merkle.load_edge(head.size, read_tile(connection), known)
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
