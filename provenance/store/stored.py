"""Entries out of their tables: one by one, or in columns for whoever reads millions.

In columns salts, which open commitments, stay where they are, and what the openings of
an entry say comes as one text: enough to know the content, not to prove anything.

Next: provenance/store/reading.py
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.entries import Entry, Opening, Tier
from provenance.errors import EncodingError, WorkspaceDamaged
from provenance.hashing import leaf_hash, leaf_hashes
from provenance.proving.leaf import LEAF_SIZE, decode_leaf
from provenance.store.storage import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

    from provenance.store.subjects import SubjectKeys

__all__ = ["Columns", "read_columns", "read_entries"]

_LEAVES: Final = (
    "SELECT leaf.idx, leaf, body FROM leaf LEFT JOIN body USING (idx) "
    "WHERE leaf.idx >= ? AND leaf.idx < ? ORDER BY leaf.idx"
)
_OPENINGS: Final = (
    "SELECT idx, path, tier, salt, preimage FROM opening "
    "WHERE idx >= ? AND idx < ? ORDER BY idx, length(path), path"
)
# As a blob: what was tampered with may be no text.
_OPENED: Final = (
    "SELECT idx, group_concat(tier, ''), CAST(group_concat(preimage) AS BLOB) FROM opening "
    "WHERE idx >= ? AND idx < ? GROUP BY idx"
)
_NONE: Final = ("", b"")
_HEAD: Final = 8
_TIERS: Final = {tier.value: tier for tier in Tier}


class Columns(NamedTuple):
    """Entries that follow each other, one value an entry.

    Attributes:
        types: Their type bytes.
        leaf_hashes: As in `Entry`.
        bodies: None where it was erased.
        tiers: Those of its openings, a digit each.
        said: The preimages of its openings, in the same order, with commas between them.
    """

    types: list[int]
    leaf_hashes: list[bytes]
    bodies: list[bytes | None]
    tiers: list[str]
    said: list[bytes]


def read_entries(
    connection: apsw.Connection, start: int, stop: int, subjects: SubjectKeys | None
) -> list[Entry]:
    """Read those of the entries [start, stop) that are there; `subjects` opens what is encrypted.

    Raises:
        WorkspaceDamaged: One cannot be read.
    """
    # One read transaction: an erasure between the two queries must not show half.
    with connection:
        leaves = rows(connection, _LEAVES, start, stop)
        openings = rows(connection, _OPENINGS, start, stop)
    if subjects is not None:
        openings = subjects.opened(openings)
    opened = {
        index: tuple([_opening(*row) for row in group])
        for index, group in groupby(openings, key=itemgetter(0))
    }
    return [_entry(index, leaf, body, opened.get(index, ())) for index, leaf, body in leaves]


def _entry(index: int, leaf: bytes, body: bytes | None, openings: tuple[Opening, ...]) -> Entry:
    # Of a damaged file SQLite may give NULL where the schema knows none.
    try:
        decoded = decode_leaf(leaf)
    except (EncodingError, TypeError) as error:
        raise WorkspaceDamaged(f"entry {index}: {error}; run `verify`") from None
    return Entry(index, decoded.type, decoded.ingest_time_us, leaf, leaf_hash(leaf), body, openings)


def _opening(index: int, path: str, tier: int, salt: bytes, preimage: bytes) -> Opening:
    try:
        return Opening(path, _TIERS[tier], salt, preimage)
    except KeyError:
        raise WorkspaceDamaged(
            f"entry {index}: {tier} is not a disclosure tier; run `verify`"
        ) from None


def read_columns(connection: apsw.Connection, start: int, stop: int) -> Columns | None:
    """Read the entries [start, stop); None where some are missing, or cannot be read."""
    # One read transaction, as above.
    with connection:
        found = rows(connection, _LEAVES, start, stop)
        openings = {index: own for index, *own in rows(connection, _OPENED, start, stop)}
    leaves = [leaf for _, leaf, _ in found]
    types = _types(leaves)
    if len(found) != stop - start or types is None:
        return None
    opened = [openings.get(index, _NONE) for index in range(start, stop)]
    return Columns(
        types,
        leaf_hashes(leaves),
        [body for _, _, body in found],
        [tiers for tiers, _ in opened],
        [said for _, said in opened],
    )


def _types(leaves: Sequence[bytes]) -> list[int] | None:
    """Return the type of each leaf; None where one is no leaf."""
    known: dict[bytes, int] = {}
    try:
        for leaf in leaves:
            # Magic, type, flags and padding: others that begin so were leaves.
            if leaf[:_HEAD] not in known or len(leaf) != LEAF_SIZE:
                known[leaf[:_HEAD]] = decode_leaf(leaf).type
    except (EncodingError, TypeError):
        return None
    return [known[leaf[:_HEAD]] for leaf in leaves]
