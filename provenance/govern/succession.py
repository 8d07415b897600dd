"""Continuing a log as a new one: another name, another key, the same entries at the same places.

Bodies, openings and row keys are taken over as they are, so that whatever names
an entry by its index still names it. Only entry 0 is new: it names the
predecessor's last checkpoint, and leads back to it; see `predecessor`.

Next: provenance/auditing/audit.py
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from provenance.disclosure.privacy import seal
from provenance.errors import EncodingError, InputError, VerificationError, WorkspaceDamaged
from provenance.hashing import body_digest, chain_next, chain_start, leaf_hash
from provenance.notes.checkpoint import Checkpoint, parse, sign
from provenance.proving import merkle
from provenance.proving.leaf import decode_leaf, refit_leaf
from provenance.proving.predecessor import Predecessor
from provenance.store.head import Head, insert_head
from provenance.store.identity import Rows, copy_rows
from provenance.store.published import publish, read_checkpoint
from provenance.store.reading import LogReader
from provenance.store.register import Register, founding_draft
from provenance.store.storage import connect, create, transaction, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from provenance.entries import Entry
    from provenance.store.published import LogFiles
    from provenance.store.writing import Instruments

__all__ = ["Former", "carry_over", "predecessor_faults"]

_CHUNK: Final = 1_000
_RENUMBERED: Final = ("register", "erasure", "grant")
"""Acts that count in the new log, too; an anchor is of the old tree, and stays behind."""


def carry_over(
    old: LogFiles,
    new: LogFiles,
    instruments: Instruments,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> None:
    """Write a new log with the entries of an old one.

    Args:
        old: A log that nobody writes any more, and that has been audited.
        new: Where; there must be no log yet. A crash leaves half of it.
        instruments: With the new log's key, whose name is its origin, and the secret of the old.
        progress: Called with entries done and in all.

    Raises:
        WorkspaceDamaged: The old log cannot be read.
        StorageError: The disk refused.
    """
    reader = LogReader(old.database, connect(old.database, readonly=True), instruments.secret)
    try:
        with translated(new.database):
            connection = create(new.database)
            try:
                connection.execute("ATTACH ? AS old", (os.fspath(old.database),))
                with transaction(connection):
                    note = _Carrying(reader, connection, instruments).run(progress)
            finally:
                connection.close()
        publish(new, instruments.signer.name, note)
    finally:
        reader.close()


class _Carrying:
    """One log on its way into another, within the caller's transaction."""

    def __init__(self, old: LogReader, connection: Any, instruments: Instruments) -> None:
        self._old = old
        self._connection = connection
        self._instruments = instruments
        self._origin = instruments.signer.name
        self._rows = Rows(connection, instruments.secret)

    def run(self, progress: Callable[[int, int], None]) -> str:
        """Write everything; returns the signed checkpoint."""
        size = self._old.size
        body = self._founding()
        self._connection.execute(
            "INSERT INTO body SELECT idx, CASE idx WHEN 0 THEN ? ELSE body END FROM old.body",
            (body,),
        )
        for table in ("opening", "maker"):
            self._connection.execute(f"INSERT INTO {table} SELECT * FROM old.{table}")  # noqa: S608 - constants
        copy_rows(self._connection, "old")
        edge, chain, time_us = merkle.EMPTY_EDGE, chain_start(self._origin), 0
        for start in range(0, size, _CHUNK):
            leaves = []
            for index, data in enumerate(self._old.leaves(start, start + _CHUNK), start):
                digest = decode_leaf(data).body_digest if index else body_digest(body)
                leaves.append(refit_leaf(data, index, digest, chain))
                chain = chain_next(leaves[-1])
            edge = self._write(edge, leaves)
            time_us = decode_leaf(leaves[-1]).ingest_time_us
            progress(edge.size, size)
        insert_head(self._connection, Head(edge.size, edge.root, chain, time_us, self._sums(edge)))
        note = sign(Checkpoint(self._origin, edge.size, edge.root), [self._instruments.signer])
        self._connection.execute("INSERT INTO checkpoint VALUES (?, ?)", (edge.size, note))
        return note

    def _founding(self) -> bytes:
        """Make the body of entry 0. Its tiers are the old one's, as later entries change them."""
        note = self._old.checkpoint()
        old_body = self._old.entry(0).body
        if old_body is None:
            raise WorkspaceDamaged(f"{self._old.path}: entry 0 is missing; run `verify`")
        predecessor = Predecessor(parse(note)[0], note, old_body)
        tiers = self._old.register.policies[0][1]
        draft = founding_draft(self._instruments.signer.vkey, tiers, predecessor)
        return seal(draft, tiers, self._instruments.entropy).body

    def _write(self, edge: merkle.Edge, leaves: list[bytes]) -> merkle.Edge:
        grown, tiles = merkle.append(edge, [leaf_hash(leaf) for leaf in leaves])
        self._connection.executemany("INSERT INTO leaf VALUES (?, ?)", enumerate(leaves, edge.size))
        self._connection.executemany(
            "INSERT INTO tile (level, number, hashes) VALUES (?, ?, ?) "
            "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
            tiles,
        )
        return grown

    def _sums(self, edge: merkle.Edge) -> bytes:
        """Give acts their numbers in the new log; returns the sums over all rows."""
        acts = {}
        for kind in _RENUMBERED:
            for number, row in self._acts(kind):
                acts[self._rows.key_of((kind, self._origin, str(number)))] = row
        ask = "SELECT row_sums FROM old.head"
        masked = self._connection.execute(ask).fetchone()[0]
        seals, old = self._rows.seals, parse(self._old.checkpoint())[0]
        sums = int.from_bytes(seals.mask(masked, old.size, old.root)) ^ self._rows.write(acts, {})
        return seals.mask(sums.to_bytes(len(masked)), edge.size, edge.root)

    def _acts(self, kind: str) -> Iterator[tuple[int, tuple[bytes | None, int]]]:
        number = 1
        while True:
            key = self._rows.key_of((kind, self._old.origin, str(number)))
            held = self._rows.held([key])
            if not held:
                return
            yield number, held[key]
            number += 1


class Former:
    """The predecessor's entries as they were in it, read from the log that continues it.

    What was logged there names entries by their hashes there, such as the evidence of
    a flag. Erased bodies and openings are as absent as in the log itself.

    Attributes:
        size: How many entries it had.
    """

    def __init__(self, log: LogReader, predecessor: Predecessor) -> None:
        """Read through `log`."""
        self.size = predecessor.said.size
        self._log = log
        self._predecessor = predecessor
        self._reached = 0
        self._chain = chain_start(predecessor.said.origin)

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """Yield the entries [start, stop) in order; cheapest where the last call ended."""
        if start < self._reached:
            self._reached, self._chain = 0, chain_start(self._predecessor.said.origin)
        for entry in self._log.entries(self._reached, min(stop, self.size)):
            leaf = self._predecessor.leaf(entry.index, entry.leaf, self._chain)
            self._reached, self._chain = entry.index + 1, chain_next(leaf)
            if entry.index >= start:
                body = entry.body if entry.index else self._predecessor.founding
                yield replace(entry, leaf=leaf, leaf_hash=leaf_hash(leaf), body=body)


def predecessor_faults(log: LogReader) -> list[str]:
    """Check that a continued log holds its predecessor's entries; one line for what is wrong.

    Args:
        log: The log; a mirror will do.
    """
    predecessor = log.register.predecessor
    if predecessor is None:
        return []
    try:
        predecessor.retrace(_leaves(log))
        register = _old_register(log, predecessor)
        read_checkpoint(predecessor.note, register.origin, register.signers_at)
    except (EncodingError, InputError, VerificationError) as error:
        return [f"predecessor: {error}"]
    return []


def _leaves(log: LogReader) -> Iterator[bytes]:
    for start in range(0, log.size, _CHUNK):
        yield from log.leaves(start, start + _CHUNK)


def _old_register(log: LogReader, predecessor: Predecessor) -> Register:
    """Replay what governed the predecessor, from its founding body and the entries carried over."""
    register = Register.founded(predecessor.founding)
    for index in log.register.entries[1:]:
        if index < predecessor.said.size:
            register = register.followed(index, log.entry(index).body)
    return register
