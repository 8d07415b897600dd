"""Row keys: how the log knows that a row has come before.

Keys and content digests are BLAKE3 keyed with the workspace secret, because an
unkeyed hash would let anyone guess private fields and would outlive their
erasure. Each stored row carries a MAC of itself, so that a changed row is
found although nothing in the log names it.

Next: provenance/writing.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from provenance import canonical
from provenance.entries import Known
from provenance.hashing import keyed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import apsw

    from provenance.entries import Draft, Identity

__all__ = ["Row", "Rows", "identity_row", "identity_rows", "row_mac"]

MAC_SIZE: Final = 16


class Row(NamedTuple):
    """One identity as it is stored: keyed digests of its key and of its content."""

    key: bytes
    digest: bytes


def identity_rows(draft: Draft, secret: bytes) -> tuple[Row, ...]:
    """Digest the identities of a draft."""
    return tuple(identity_row(identity, draft.content, secret) for identity in draft.identities)


def identity_row(identity: Identity, whole: object, secret: bytes) -> Row:
    """Digest one identity; where it has no content of its own, over the draft's `whole` content."""
    content = whole if identity.content is None else identity.content
    return Row(
        keyed(secret, "key", canonical.encode(list(identity.key))),
        keyed(secret, "content", canonical.encode(content)),
    )


def row_mac(secret: bytes, row: Row, index: int) -> bytes:
    """MAC of a stored row, 16 bytes."""
    return keyed(secret, "row", row.key + row.digest + index.to_bytes(8))[:MAC_SIZE]


class Rows:
    """The table `event_id` of one connection."""

    def __init__(self, connection: apsw.Connection, secret: bytes) -> None:
        """Read and write through `connection`; transactions are the caller's."""
        self._connection = connection
        self._secret = secret

    def known(self, rows: Iterable[Row]) -> list[Known | None]:
        """Look each row up by its key."""
        ask = "SELECT idx, digest FROM event_id WHERE key = ?"
        found = (self._connection.execute(ask, (row.key,)).fetchone() for row in rows)
        return [
            None if hit is None else Known(hit[0], hit[1] == row.digest)
            for hit, row in zip(found, rows, strict=True)
        ]

    def index_of(self, key: tuple[str, ...]) -> int | None:
        """Return the entry that a row key stands for, or None."""
        digest = keyed(self._secret, "key", canonical.encode(list(key)))
        hit = self._connection.execute("SELECT idx FROM event_id WHERE key = ?", (digest,))
        row = hit.fetchone()
        return None if row is None else row[0]

    def write(self, rows: Sequence[tuple[Row, int]]) -> None:
        """Store rows with the entries they stand for; a later version takes the key over."""
        self._connection.executemany(
            "INSERT INTO event_id (key, digest, idx, mac) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET digest = excluded.digest, idx = excluded.idx, "
            "mac = excluded.mac",
            [
                (row.key, row.digest, index, row_mac(self._secret, row, index))
                for row, index in rows
            ],
        )
