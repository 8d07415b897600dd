"""Row keys: how the log knows that a row has come before.

Keys and content digests are BLAKE3 keyed with the workspace secret, because an
unkeyed hash would let anyone guess private fields and would outlive their
erasure.

No entry names the rows of `event_id` and `maker`, so each row carries a seal of
its own, a keyed hash. One half of the seal is stored beside the row and tells a
changed row. The other half is stored nowhere; the halves of all rows together,
a sum that only the secret's holders can make, stand in the head and tell a row
that was added, removed or put back.

Next: provenance/files.py
"""

from __future__ import annotations

from itertools import islice
from operator import add
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import apsw

from provenance import canonical
from provenance.entries import Known
from provenance.hashing import keyer, keyer_each
from provenance.store.row_keys import DIGEST_SIZE
from provenance.store.row_levels import NEW_ROWS, lookup, move_on, row_tables, twice
from provenance.store.storage import rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from provenance.entries import Identity
    from provenance.store.row_keys import Held

__all__ = ["Rows", "Seals", "copy_rows", "row_faults"]

_AT_ONCE: Final = 1_000
_SIZE: Final = DIGEST_SIZE
"""Bytes of either half of a seal."""

_HIDDEN: Final = (1 << 8 * _SIZE) - 1
_NUMBER: Final = Struct(">q").pack
_RUN: Final = (
    f"INSERT INTO {NEW_ROWS} SELECT substr(value, 1, {_SIZE}), "  # noqa: S608 - constants
    f"substr(value, {_SIZE + 1}, {_SIZE}), ? + rowid, substr(value, {2 * _SIZE + 1}) FROM carray(?)"
)


class Seals:
    """The seals of the rows that no entry names, and their sums."""

    def __init__(self, secret: bytes) -> None:
        """Seal with the workspace's secret."""
        self._event_id = keyer(secret, "row")
        self._event_ids = keyer_each(secret, "row")
        self._maker = keyer(secret, "maker")
        self._mask = keyer(secret, "sums")

    def event_id(self, key: bytes, digest: bytes | None, index: int) -> bytes:
        """Seal a row of `event_id`; 32 bytes, of which the first 16 are stored."""
        return self._event_id(key + (digest or b"") + index.to_bytes(8, signed=True))

    def event_ids(self, joined: Iterable[bytes], indexes: Iterable[int]) -> list[bytes]:
        """`event_id` of many rows, given key and digest, if there is one, joined."""
        return self._event_ids(map(add, joined, map(_NUMBER, indexes)))

    def maker(self, lot: str, party: str, product: str, index: int) -> bytes:
        """Seal a row of `maker`; 32 bytes, of which the first 16 are stored."""
        return self._maker(canonical.dump([lot, party, product, index]))

    def mask(self, sums: bytes, size: int, root: bytes) -> bytes:
        """Turn sums into what the head of a log of this size and root stores, or back.

        Unmasked, two stored sums would give away the hidden halves of the rows
        between them.
        """
        mask = self._mask(size.to_bytes(8, signed=True) + root)
        return bytes([ours ^ theirs for ours, theirs in zip(mask, sums, strict=False)])


class Rows:
    """The tables `event_id` and `maker` of one connection; transactions are the caller's."""

    def __init__(self, connection: apsw.Connection, secret: bytes) -> None:
        """Read and write through `connection`."""
        self._connection = connection
        self._key = keyer(secret, "key", _SIZE)
        self._content = keyer(secret, "content", _SIZE)
        self.seals = Seals(secret)

    def known(self, identities: Iterable[Identity]) -> list[Known | None]:
        """Say of each identity whether its key is held, and whether with the same content."""
        wanted = [(self._key_of(key), self._content_of(content)) for key, content in identities]
        held = self.held(key for key, _ in wanted)
        return [_known(*held[key], digest) if key in held else None for key, digest in wanted]

    def held(self, keys: Iterable[bytes]) -> dict[bytes, Held]:
        """Look many keys up at once; those that are not held are left out."""
        wanted = tuple(sorted(keys))  # in the order of the tables: neighbours share pages
        if not wanted:
            return {}
        found = rows(self._connection, lookup(self._connection), apsw.carray(wanted))
        return {key: (digest, index) for key, digest, index in found}

    def index_of(self, key: tuple[str, ...]) -> int | None:
        """Return the entry that a row key stands for, or None."""
        digest = self._key_of(key)
        hit = self.held([digest]).get(digest)
        return None if hit is None else hit[1]

    def key_of(self, named: tuple[str, ...]) -> bytes:
        """Return what stands for a row key in the table."""
        return self._key_of(named)

    def write(self, fresh: Mapping[bytes, Held], held: Mapping[bytes, Held]) -> int:
        """Store rows with the entries they stand for; a later version takes the key over.

        Args:
            fresh: Content digest and index by key.
            held: What the table holds of these keys now, if anything.

        Returns:
            The sums' change: to be XORed into the unmasked sums.
        """
        wholes = [self.seals.event_id(key, *row) for key, row in fresh.items()]
        stored = [
            (key, digest, index, whole[:_SIZE])
            for (key, (digest, index)), whole in zip(fresh.items(), wholes, strict=True)
        ]
        if taken := held.keys() & fresh.keys():
            wholes += [self.seals.event_id(key, *held[key]) for key in taken]
            self._replace([(*row[1:], row[0]) for row in stored if row[0] in taken])
            stored = [row for row in stored if row[0] not in taken]
        self._connection.executemany("INSERT INTO event_id VALUES (?, ?, ?, ?)", stored)
        move_on(self._connection)
        return _joined(wholes) << 8 * _SIZE

    def write_run(self, own: Sequence[bytes], start: int) -> int:
        """Do as `write` for new keys, one an entry.

        Args:
            own: Key and content digest of each, joined.
            start: The entry that the first stands for; the others follow.
        """
        wholes = self.seals.event_ids(own, range(start, start + len(own)))
        # Where entries are numbered through, SQLite takes a column at a time; rowids begin at 1.
        column = tuple([row + whole[:_SIZE] for row, whole in zip(own, wholes, strict=True)])
        self._connection.execute(_RUN, (start - 1, apsw.carray(column)))
        move_on(self._connection)
        return _joined(wholes) << 8 * _SIZE

    def _replace(self, stored: Sequence[tuple[bytes | None, int, bytes, bytes]]) -> None:
        for table in row_tables(self._connection):
            ask = f"UPDATE {table} SET digest = ?, idx = ?, mac = ? WHERE key = ?"  # noqa: S608 - constants
            self._connection.executemany(ask, stored)

    def write_makers(self, lots: Iterable[tuple[str, str, str, int]]) -> int:
        """Store (lot_id, party, product_id, index) for those lots that have no maker row yet.

        Returns:
            As for `write`.
        """
        stored = [(*lot, self.seals.maker(*lot)[:_SIZE]) for lot in lots]
        taken = self._connection.executemany(
            "INSERT INTO maker (lot_id, party, product_id, idx, mac) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING RETURNING lot_id, party, product_id, idx",
            stored,
        )
        change = 0
        for lot in taken:
            change ^= int.from_bytes(self.seals.maker(*lot)[_SIZE:])
        return change

    def forget(
        self, indexes: Collection[int], keys: Iterable[tuple[tuple[str, ...], int]] = ()
    ) -> int:
        """Take out the content digests of rows; that their keys have come is still known.

        Args:
            indexes: Entries all of whose rows lose their digest.
            keys: Single rows, each with the entry that it must stand for to lose it.

        Returns:
            As for `write`.
        """
        held = self._held_by(indexes)
        for named, index in keys:
            digest = self._key_of(named)
            hit = self.held([digest]).get(digest)
            if hit is not None and hit[1] == index:
                held[digest] = hit
        change = 0
        emptied = []
        for key, (old, index) in held.items():
            whole = self.seals.event_id(key, None, index)
            emptied.append((None, index, whole[:_SIZE], key))
            change ^= int.from_bytes(whole[_SIZE:])
            change ^= int.from_bytes(self.seals.event_id(key, old, index)[_SIZE:])
        self._replace(emptied)
        return change << 8 * _SIZE

    def _held_by(self, indexes: Collection[int]) -> dict[bytes, Held]:
        """Find the rows of entries; nothing orders rows so, and all are looked at."""
        ask = " UNION ALL ".join(
            f"SELECT key, digest, idx FROM {table} WHERE digest IS NOT NULL "  # noqa: S608 - constants
            "AND idx IN (SELECT value FROM json_each(?1))"
            for table in row_tables(self._connection)
        )
        found = rows(self._connection, ask, str(sorted(indexes)))
        return {key: (digest, index) for key, digest, index in found}

    def forget_makers(self, indexes: Collection[int]) -> int:
        """Take out the lots that entries were the first to name.

        Returns:
            As for `write`.
        """
        taken: list[tuple[Any, ...]] = self._connection.execute(
            "DELETE FROM maker WHERE idx IN (SELECT value FROM json_each(?)) "
            "RETURNING lot_id, party, product_id, idx",
            (str(sorted(indexes)),),
        ).fetchall()
        change = 0
        for lot in taken:
            change ^= int.from_bytes(self.seals.maker(*lot)[_SIZE:])
        return change

    def _key_of(self, key: tuple[str, ...]) -> bytes:
        return self._key(canonical.dump(key))

    def _content_of(self, content: object) -> bytes:
        return self._content(canonical.encode(content))


def copy_rows(connection: apsw.Connection, source: str) -> None:
    """Take over all rows of `event_id` from the database that is attached as `source`."""
    for table in row_tables(connection, source):
        connection.execute(f"INSERT INTO {table} SELECT * FROM {source}.{table}")  # noqa: S608 - constants


def _known(stored: bytes | None, index: int, digest: bytes) -> Known:
    return Known(index, stored == digest, erased=stored is None)


def _joined(seals: Sequence[bytes]) -> int:
    """Join the hidden halves of seals: all of them as one number, folded until one is left."""
    joined = int.from_bytes(b"".join(seals))
    count = len(seals)
    while count > 1:
        half = count // 2
        bits = 2 * 8 * _SIZE * half
        joined = (joined >> bits) ^ (joined & ((1 << bits) - 1))
        count -= half
    return joined & _HIDDEN


def row_faults(connection: apsw.Connection, seals: Seals, sums: bytes | None) -> Iterator[str]:
    """Say which rows of `event_id` and `maker` were changed, and whether any came or went.

    Args:
        connection: The database.
        seals: Of the workspace's secret.
        sums: The head's, unmasked; None leaves them out of it.
    """
    event_ids = makers = 0
    tables = row_tables(connection)
    ask = " UNION ALL ".join(f"SELECT key, digest, idx, mac FROM {table}" for table in tables)  # noqa: S608 - constants
    cursor = connection.execute(ask)
    while stored := list(islice(cursor, _AT_ONCE)):
        keys, digests, indexes, macs = zip(*stored, strict=True)
        joined = [key + (digest or b"") for key, digest in zip(keys, digests, strict=True)]
        wholes = seals.event_ids(joined, indexes)
        event_ids ^= _joined(wholes)
        halves = tuple([whole[:_SIZE] for whole in wholes])
        for index, half, mac in zip(indexes, halves, macs, strict=True) if halves != macs else ():
            if half != mac:
                yield f"event_id: the row key of entry {index} was changed"
    for index in twice(connection):
        yield f"event_id: the row key of entry {index} is there twice"
    texts = "CAST(lot_id AS BLOB), CAST(party AS BLOB), CAST(product_id AS BLOB)"
    for *names, index, mac in connection.execute(f"SELECT {texts}, idx, mac FROM maker"):  # noqa: S608 - a constant
        # What is not text any more becomes another text, which its seal does not fit.
        lot, party, product = (name.decode(errors="replace") for name in names)
        whole = seals.maker(lot, party, product, index)
        makers ^= int.from_bytes(whole[_SIZE:])
        if whole[:_SIZE] != mac:
            yield f"maker: the row of lot {ascii(lot)[1:-1]} of entry {index} was changed"
    found = event_ids.to_bytes(_SIZE), makers.to_bytes(_SIZE)
    right = (sums[:_SIZE], sums[_SIZE:]) if sums is not None else found
    for table, ours, theirs in zip(("event_id", "maker"), found, right, strict=True):
        if ours != theirs:
            yield f"head: its row_sums do not fit {table}: rows were added, removed or put back"
