"""Entry bundles: up to 256 leaves in a row, each after its length (c2sp.org/tlog-tiles).

A bundle is a sequence of entries, each behind its length as a big-endian uint16.
An entry of this log is a leaf of 88 bytes; a reader takes nothing else.

Pure: bytes in, bytes out.

Next: provenance/wire/static.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provenance.errors import InputError
from provenance.proving.leaf import LEAF_SIZE
from provenance.proving.merkle import TILE_WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["format_entries", "parse_entries"]

_LENGTH: Final = LEAF_SIZE.to_bytes(2)
_STEP: Final = len(_LENGTH) + LEAF_SIZE


def format_entries(leaves: Sequence[bytes]) -> bytes:
    """Write a bundle of 1 to 256 leaves of 88 bytes."""
    assert 0 < len(leaves) <= TILE_WIDTH
    assert all(len(leaf) == LEAF_SIZE for leaf in leaves)
    return b"".join([_LENGTH + leaf for leaf in leaves])


def parse_entries(data: bytes, width: int | None = None) -> list[bytes]:
    """Read a bundle; what the leaves say is for `leaf.decode_leaf` and the tree to judge.

    Args:
        data: The bundle.
        width: How many leaves it must hold; None for 1 to 256.

    Raises:
        InputError: Cut short, padded, of another width, or with entries that are no leaves.
    """
    count, rest = divmod(len(data), _STEP)
    if rest or not 0 < count <= TILE_WIDTH:
        raise InputError(
            f"an entry bundle of {len(data)} bytes; one of this log has {_STEP} a leaf, "
            f"and 1 to {TILE_WIDTH} leaves"
        )
    if width is not None and count != width:
        raise InputError(f"an entry bundle of {count} leaves, {width} are needed")
    starts = range(0, len(data), _STEP)
    if any(data[at : at + 2] != _LENGTH for at in starts):
        raise InputError(f"an entry bundle holds an entry that is not {LEAF_SIZE} bytes long")
    return [data[at + 2 : at + _STEP] for at in starts]
