"""Row keys as they are stored: digests that only holders of the workspace secret can make.

A row is what one identity of a draft comes to: the digest of its key, by which
the log knows that it has come before, and that of its content, by which it
knows whether it has come so. No database is needed here; `identity` keeps the
rows that the log holds.

Next: provenance/store/identity.py
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from provenance import canonical
from provenance.hashing import keyer_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.entries import Draft

__all__ = ["DIGEST_SIZE", "Digester", "Held", "Row", "are_apart", "keys_of", "split_rows"]

DIGEST_SIZE: Final = 16
"""Bytes of a digest: 128 bits, and no birthday bound, as the secret keeps everybody else from
searching."""

Row = tuple[bytes, bytes]
"""One identity as it is stored: the digests of its key and of its content."""

Held = tuple[bytes | None, int]
"""What is known of a key: the content's digest (None once erased) and the entry's index."""

_ROW: Final = 2 * DIGEST_SIZE


class Digester:
    """Digests the identities of drafts as they are stored; needs the secret alone."""

    def __init__(self, secret: bytes) -> None:
        """Digest with the workspace's secret."""
        self._keys = keyer_each(secret, "key", DIGEST_SIZE)
        self._contents = keyer_each(secret, "content", DIGEST_SIZE)

    def __call__(self, drafts: Sequence[Draft], wholes: Sequence[bytes]) -> list[bytes]:
        """Digest identities.

        Args:
            drafts: Whose.
            wholes: The canonical bytes of their contents.

        Returns:
            For each draft its rows, one after the other: the digests of key and of content, 16
            bytes each.
        """
        encode = canonical.encode
        keys: list[tuple[str, ...]] = []
        compared: list[bytes] = []
        for draft, whole in zip(drafts, wholes, strict=True):
            for key, content in draft.identities:
                keys.append(key)
                compared.append(whole if content is None else encode(content))
        dumped = canonical.dump_each(keys)
        pairs = zip(self._keys(dumped), self._contents(compared), strict=True)
        rows = [key + content for key, content in pairs]
        counts = [len(draft.identities) for draft in drafts]
        # Nearly always each has one.
        if {*counts} <= {1}:
            return rows
        rest = iter(rows)
        return [b"".join(islice(rest, count)) for count in counts]


def split_rows(own: bytes) -> list[Row]:
    """Part the rows of a draft."""
    return [
        (own[at : at + DIGEST_SIZE], own[at + DIGEST_SIZE : at + _ROW])
        for at in range(0, len(own), _ROW)
    ]


def keys_of(rows: Sequence[bytes]) -> list[bytes]:
    """Return the keys of all rows of a column of rows."""
    if _are_single(rows):
        return [row[:DIGEST_SIZE] for row in rows]
    return [key for own in rows for key, _ in split_rows(own)]


def are_apart(rows: Sequence[bytes], keys: Sequence[bytes]) -> bool:
    """Say whether drafts with these rows have one row each, and no two of them the same key.

    Args:
        rows: Of each draft.
        keys: What `keys_of` says of them.
    """
    return len({*keys}) == len(rows) and _are_single(rows)


def _are_single(rows: Sequence[bytes]) -> bool:
    return {*map(len, rows)} == {_ROW}
