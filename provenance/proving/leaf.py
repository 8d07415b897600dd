"""The leaf: 88 bytes that fix an entry's place, time, content and past.

Big-endian: magic "PLE1", type u8, flags u8, zero u16, index u64, ingest time
u64 (microseconds since the epoch), body digest 32, previous chain value 32.
Flags and padding are zero in this version; anything else is refused, so that
a later version can give them a meaning no old reader misses.

Next: provenance/disclosure/tiers.py
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import count, repeat
from typing import TYPE_CHECKING, Final

from provenance.errors import EncodingError
from provenance.hashing import chained

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "LEAF_DIGEST",
    "LEAF_SIZE",
    "LEAF_TIME",
    "LEAF_TYPE",
    "Leaf",
    "decode_leaf",
    "encode_leaf",
    "encode_leaves",
    "refit_leaf",
    "refit_leaves",
]

LEAF_SIZE: Final = 88
LEAF_TYPE: Final = slice(4, 5)
"""Where the type stands."""
LEAF_TIME: Final = slice(16, 24)
"""Where the ingest time stands."""
LEAF_DIGEST: Final = slice(24, 56)
"""Where the body digest stands."""
_MAGIC: Final = b"PLE1"
_FORM: Final = struct.Struct(">4sBBHQQ32s32s")
_HEAD: Final = struct.Struct(">4sBBHQQ32s")
_REFIT: Final = struct.Struct(">4s1s3xQ8s32s32s")


@dataclass(frozen=True, slots=True)
class Leaf:
    """The decoded fields of a leaf.

    Attributes:
        type: The entry type, 0-255; unknown ones are kept.
        index: Position in the log, from 0.
        ingest_time_us: Microseconds since the epoch.
        body_digest: 32 bytes, `hashing.body_digest` of the body.
        prev_chain: 32 bytes, the chain value of the leaf before.
    """

    type: int
    index: int
    ingest_time_us: int
    body_digest: bytes
    prev_chain: bytes


def encode_leaf(
    kind: int, index: int, ingest_time_us: int, body_digest: bytes, prev_chain: bytes
) -> bytes:
    """Write the 88 bytes of a leaf; the arguments are the fields of `Leaf`."""
    return _FORM.pack(_MAGIC, kind, 0, 0, index, ingest_time_us, body_digest, prev_chain)


def encode_leaves(
    kinds: Iterable[int],
    index: int,
    ingest_time_us: int,
    body_digests: Iterable[bytes],
    prev_chain: bytes,
) -> tuple[list[bytes], bytes]:
    """Write leaves that follow each other, all of one time.

    Args:
        kinds: The type of each.
        index: Of the first.
        ingest_time_us: Of all.
        body_digests: Of each.
        prev_chain: The chain value before the first.

    Returns:
        The leaves, and the chain value after the last.
    """
    places, times, zero = count(index), repeat(ingest_time_us), repeat(0)
    heads = map(_HEAD.pack, repeat(_MAGIC), kinds, zero, zero, places, times, body_digests)
    return chained(heads, prev_chain)


def decode_leaf(data: bytes) -> Leaf:
    """Read 88 bytes.

    Raises:
        EncodingError: Wrong size or magic, or flags and padding that are not zero.
    """
    if len(data) != LEAF_SIZE:
        raise EncodingError(f"a leaf has {LEAF_SIZE} bytes, this one has {len(data)}")
    magic, kind, flags, padding, index, time_us, digest, prev_chain = _FORM.unpack(data)
    if magic != _MAGIC:
        raise EncodingError(f"a leaf begins with PLE1, this one with {magic!r}")
    if flags or padding:
        raise EncodingError("a leaf's flags and padding are zero in this version")
    return Leaf(kind, index, time_us, digest, prev_chain)


def refit_leaf(data: bytes, index: int, body_digest: bytes, prev_chain: bytes) -> bytes:
    """Write the 88 bytes that the leaf `data` must be, given its own type and time.

    All else in a leaf follows from its body, its place and the leaf before, so an
    audit can compare whole leaves instead of taking each apart.
    """
    return _REFIT.pack(_MAGIC, data[LEAF_TYPE], index, data[LEAF_TIME], body_digest, prev_chain)


def refit_leaves(
    kinds: Iterable[bytes],
    places: range,
    times: Iterable[bytes],
    body_digests: Iterable[bytes],
    prev_chains: Iterable[bytes],
) -> list[bytes]:
    """`refit_leaf` of each, given its own type and time as they stand in it."""
    return [*map(_REFIT.pack, repeat(_MAGIC), kinds, places, times, body_digests, prev_chains)]
