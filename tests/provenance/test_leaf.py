"""Rules of the leaf's 88 bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.errors import EncodingError
from provenance.hashing import chain_next
from provenance.proving.leaf import (
    LEAF_SIZE,
    Leaf,
    decode_leaf,
    encode_leaf,
    encode_leaves,
    refit_leaf,
)

HASHES = st.binary(min_size=32, max_size=32)
U64 = st.integers(0, 2**64 - 1)
LEAVES = st.builds(Leaf, st.integers(0, 255), U64, U64, HASHES, HASHES)


def encoded(leaf: Leaf) -> bytes:
    """Write a decoded leaf."""
    return encode_leaf(
        leaf.type, leaf.index, leaf.ingest_time_us, leaf.body_digest, leaf.prev_chain
    )


@given(LEAVES)
def test_a_leaf_decodes_to_what_was_encoded(leaf: Leaf) -> None:
    """Every type, index, time and hash comes back from 88 bytes, unknown types too."""
    data = encoded(leaf)

    assert len(data) == LEAF_SIZE == 88
    assert decode_leaf(data) == leaf


@given(st.lists(st.tuples(st.integers(0, 255), HASHES)), U64.map(lambda at: at >> 1), U64, HASHES)
def test_leaves_that_follow_each_other_are_leaves_one_by_one(
    entries: list[tuple[int, bytes]], start: int, time_us: int, chain: bytes
) -> None:
    """Written together they are what they are alone, each with the chain value after the last."""
    leaves, end = encode_leaves(
        [kind for kind, _ in entries], start, time_us, [digest for _, digest in entries], chain
    )

    assert len(leaves) == len(entries)
    for index, (leaf, (kind, digest)) in enumerate(zip(leaves, entries, strict=True), start):
        assert leaf == encode_leaf(kind, index, time_us, digest, chain)
        chain = chain_next(leaf)
    assert end == chain


def test_the_bytes_stand_where_the_format_says() -> None:
    """Magic, type, flags, padding, index, time, digest, chain: big-endian, in that order."""
    data = encode_leaf(5, 258, 3, b"d" * 32, b"c" * 32)

    assert data == (
        b"PLE1\x05\x00\x00\x00"
        b"\x00\x00\x00\x00\x00\x00\x01\x02"
        b"\x00\x00\x00\x00\x00\x00\x00\x03" + b"d" * 32 + b"c" * 32
    )


@given(LEAVES, st.integers(0, 87), st.integers(1, 255))
def test_no_two_byte_strings_are_the_same_leaf(leaf: Leaf, place: int, change: int) -> None:
    """A changed byte is refused or is another leaf: nothing in the 88 bytes is without meaning."""
    data = bytearray(encoded(leaf))
    data[place] ^= change

    try:
        found = decode_leaf(bytes(data))
    except EncodingError:
        assert place < 8
        assert place != 4
    else:
        assert found != leaf
        assert encoded(found) == bytes(data)


@pytest.mark.parametrize("place", [5, 6, 7])
def test_flags_and_padding_are_refused(place: int) -> None:
    """A flag of a later version is not passed over."""
    data = bytearray(encode_leaf(1, 0, 0, bytes(32), bytes(32)))
    data[place] = 1

    with pytest.raises(EncodingError, match="flags and padding"):
        decode_leaf(bytes(data))


@pytest.mark.parametrize("data", [b"", b"PLE1", bytes(88), b"PLE2" + bytes(84), b"PLE1" * 23])
def test_other_bytes_are_no_leaf(data: bytes) -> None:
    """Another size or magic is refused."""
    with pytest.raises(EncodingError):
        decode_leaf(data)


@given(LEAVES, LEAVES, st.integers(0, 87), st.integers(1, 255))
def test_a_leaf_fits_its_place_or_does_not(
    leaf: Leaf, other: Leaf, place: int, change: int
) -> None:
    """Refitting gives the same bytes exactly where all but type and time is right."""
    data = encoded(leaf)
    damaged = bytearray(data)
    damaged[place] ^= change
    free = place == 4 or 16 <= place < 24  # type and time are a leaf's own to say

    def refit(data: bytes, by: Leaf) -> bytes:
        return refit_leaf(data, by.index, by.body_digest, by.prev_chain)

    assert refit(data, leaf) == data
    assert (refit(bytes(damaged), leaf) == bytes(damaged)) is free
    same = (leaf.index, leaf.body_digest, leaf.prev_chain)
    if same != (other.index, other.body_digest, other.prev_chain):
        assert refit(data, other) != data
