"""The write path: one transaction makes entries durable, ordered, hashed and signed.

Everything costly (digests, commitments, encoding) is done before the lock is
taken. Under the lock the steps follow each other so that a crash at any point
leaves the log as it was before or as it is after, never between; the comments
say which. No signature leaves this module before COMMIT.

Next: provenance/log.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance import merkle
from provenance.checkpoint import Checkpoint, sign
from provenance.entries import Draft, Known, Opening, Outcome
from provenance.errors import StorageError, WorkspaceDamaged
from provenance.hashing import body_digest, chain_next, leaf_hash
from provenance.identity import Row, Rows, identity_rows
from provenance.leaf import encode_leaf
from provenance.privacy import seal
from provenance.storage import transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from provenance.clock import Clock, Entropy
    from provenance.keys import Signer
    from provenance.tiers import TierPolicy

__all__ = ["Head", "Instruments", "Prepared", "commit", "prepare", "read_head", "read_tile"]

_CLOCK_SLACK_US: Final = 5 * 60 * 1_000_000
"""How far the clock may be behind the last entry before appending is refused."""


class Head(NamedTuple):
    """The one row that says where the log ends.

    Attributes:
        size: Number of entries.
        root: RFC 6962 root over their leaves.
        chain: Chain value after the last leaf: the next leaf's `prev_chain`.
        ingest_time_us: The last leaf's time.
    """

    size: int
    root: bytes
    chain: bytes
    ingest_time_us: int


@dataclass(frozen=True)
class Instruments:
    """What a writer works with.

    Attributes:
        signer: Signs checkpoints.
        secret: 32 bytes that key the row digests; the workspace's own.
        clock: Gives ingest times.
        entropy: Gives nonces and salts.
    """

    signer: Signer
    secret: bytes
    clock: Clock
    entropy: Entropy


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft with all that can be computed outside the lock."""

    draft: Draft
    rows: tuple[Row, ...]
    body: bytes
    digest: bytes
    openings: tuple[Opening, ...]


def prepare(
    drafts: Sequence[Draft], stored: Rows, policy: TierPolicy, instruments: Instruments
) -> list[Prepared | Outcome]:
    """Seal the drafts that look new; what is known already costs no sealing.

    The answer is provisional: another process may append meanwhile, so `commit`
    looks again under the lock.
    """
    prepared: list[Prepared | Outcome] = []
    for draft in drafts:
        rows = identity_rows(draft, instruments.secret)
        verdict = _verdict(draft, stored.known(rows))
        if verdict is None:
            body, openings = seal(draft, policy, instruments.entropy)
            prepared.append(Prepared(draft, rows, body, body_digest(body), openings))
        else:
            prepared.append(verdict)
    return prepared


def _verdict(draft: Draft, known: list[Known | None]) -> Outcome | None:
    """Say what known identities make of a draft; None means append it."""
    hits = [hit for hit in known if hit is not None]
    same = [hit for hit in hits if hit.same]
    if not hits or (draft.on_change == "version" and not same):
        return None
    if len(same) == len(known):
        return Outcome("duplicate", same[-1].index)
    if len(known) == 1:
        return Outcome("conflict", hits[0].index)
    return Outcome("stale", hits[0].index)


def commit(
    connection: apsw.Connection,
    prepared: Sequence[Prepared | Outcome],
    origin: str,
    instruments: Instruments,
) -> tuple[list[Outcome], str | None]:
    """Append what is new, in order, in one transaction. The caller holds the writers' lock.

    Returns:
        What became of each draft, and the signed checkpoint that covers them; None
        where nothing was appended.

    Raises:
        StorageError: The clock is more than five minutes behind the log.
        WorkspaceDamaged: The stored tree does not fit the head.
    """
    with transaction(connection):  # a crash before COMMIT: as if nothing had been asked
        head = read_head(connection)
        rows = Rows(connection, instruments.secret)
        outcomes, fresh = _settle(prepared, rows, head.size)
        if not fresh:
            return outcomes, None
        time_us = _ingest_time(instruments.clock, head)
        leaves, chain = _chain(fresh, head, time_us)
        edge = _grow(connection, head, leaves)
        _insert(connection, rows, fresh, leaves, head.size)
        _swap_head(connection, head, Head(edge.size, edge.root, chain, time_us))
        note = sign(Checkpoint(origin, edge.size, edge.root), [instruments.signer])
        connection.execute("INSERT INTO checkpoint VALUES (?, ?)", (edge.size, note))
    # A crash here: the entries are in and signed for, but not acknowledged. The
    # next opening publishes the checkpoint; the same drafts are then duplicates.
    return outcomes, note


def _settle(
    prepared: Sequence[Prepared | Outcome], rows: Rows, size: int
) -> tuple[list[Outcome], list[Prepared]]:
    """Decide each draft for good: against the log, and against the drafts before it."""
    outcomes: list[Outcome] = []
    fresh: list[Prepared] = []
    pending: dict[bytes, tuple[bytes, int]] = {}
    for item in prepared:
        if isinstance(item, Outcome):
            outcomes.append(item)
            continue
        verdict = _verdict(item.draft, _known(item.rows, rows, pending))
        if verdict is None:
            index = size + len(fresh)
            pending.update((row.key, (row.digest, index)) for row in item.rows)
            fresh.append(item)
            verdict = Outcome("appended", index)
        outcomes.append(verdict)
    return outcomes, fresh


def _known(
    wanted: Sequence[Row], rows: Rows, pending: dict[bytes, tuple[bytes, int]]
) -> list[Known | None]:
    stored = rows.known(wanted)
    for position, row in enumerate(wanted):
        if row.key in pending:
            digest, index = pending[row.key]
            stored[position] = Known(index, digest == row.digest)
    return stored


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
    edge = merkle.load_edge(head.size, read_tile(connection))
    if edge.root != head.root:
        raise WorkspaceDamaged("the stored tree does not give the head's root; run `verify`")
    edge, tiles = merkle.append(edge, [leaf_hash(leaf) for leaf in leaves])
    connection.executemany(
        "INSERT INTO tile (level, number, hashes) VALUES (?, ?, ?) "
        "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
        tiles,
    )
    return edge


def _insert(
    connection: apsw.Connection,
    rows: Rows,
    fresh: Sequence[Prepared],
    leaves: Sequence[bytes],
    size: int,
) -> None:
    numbered = list(enumerate(fresh, size))
    connection.executemany("INSERT INTO leaf VALUES (?, ?)", enumerate(leaves, size))
    connection.executemany("INSERT INTO body VALUES (?, ?)", ((i, p.body) for i, p in numbered))
    connection.executemany(
        "INSERT INTO opening VALUES (?, ?, ?, ?, ?)",
        (
            (index, opening.path, int(opening.tier), opening.salt, opening.preimage)
            for index, item in numbered
            for opening in item.openings
        ),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO maker VALUES (?, ?, ?, ?)",
        ((*lot, index) for index, item in numbered for lot in item.draft.lots),
    )
    rows.write([(row, index) for index, item in numbered for row in item.rows])


def _swap_head(connection: apsw.Connection, old: Head, new: Head) -> None:
    """Move the head on, only from where this transaction found it."""
    connection.execute(
        "UPDATE head SET size = ?, root = ?, chain = ?, ingest_time_us = ? "
        "WHERE size = ? AND root = ? AND chain = ?",
        (*new, old.size, old.root, old.chain),
    )
    if connection.changes() != 1:
        raise WorkspaceDamaged("the head moved during a write; run `verify`")


def read_head(connection: apsw.Connection) -> Head:
    """Read where the log ends.

    Raises:
        WorkspaceDamaged: The row is missing.
    """
    row = connection.execute("SELECT size, root, chain, ingest_time_us FROM head").fetchone()
    if row is None:
        raise WorkspaceDamaged("the log has no head; restore it from a backup")
    return Head(*row)


def read_tile(connection: apsw.Connection) -> merkle.ReadTile:
    """Read tiles through `connection`, cut to the width asked for."""

    def read(level: int, number: int, width: int) -> bytes:
        ask = "SELECT substr(hashes, 1, ?) FROM tile WHERE level = ? AND number = ?"
        row = connection.execute(ask, (width * 32, level, number)).fetchone()
        return b"" if row is None else row[0]

    return read
