"""Rules of the hashes: the published vectors, and the contexts that are permanent."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import blake3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance import hashing

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def vectors(test_data: Path) -> Any:
    """The official BLAKE3 vectors."""
    return json.loads((test_data / "vectors" / "blake3" / "test_vectors.json").read_text())


def _input(length: int) -> bytes:
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def test_the_library_gives_the_official_hashes(vectors: Any) -> None:
    """Plain hashing is BLAKE3 for every published length."""
    for case in vectors["cases"]:
        data = _input(case["input_len"])
        assert blake3.blake3(data).digest().hex() == case["hash"][:64]


def test_contexts_are_used_as_the_official_derive_key(
    vectors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the vectors' context in place of ours, the three give the vectors' hashes."""
    prepared = blake3.blake3(derive_key_context=vectors["context_string"])
    for name in ("_BODY", "_FIELD", "_CHAIN"):
        monkeypatch.setattr(hashing, name, prepared)

    for case in vectors["cases"]:
        data, right = _input(case["input_len"]), case["derive_key"][:64]
        assert hashing.body_digest(data).hex() == right
        assert hashing.chain_next(data).hex() == right
        assert hashing.field_commitment(data[:32], data[32:]).hex() == right


def test_keyed_hashes_are_the_official_keyed_hash(vectors: Any) -> None:
    """Purpose, NUL and data are one keyed input; the vectors' inputs begin with the NUL."""
    for case in vectors["cases"]:
        if case["input_len"]:
            data = _input(case["input_len"])
            found = hashing.keyer(vectors["key"].encode(), "")(data[1:])
            assert found.hex() == case["keyed_hash"][:64]


@pytest.mark.parametrize(
    ("context", "function"),
    [
        ("provenance 2026-11 body v1", hashing.body_digest),
        ("provenance 2026-11 chain v1", hashing.chain_next),
        ("provenance 2026-11 field v1", lambda data: hashing.field_commitment(b"", data)),
        ("provenance 2026-11 chain v1", lambda data: hashing.chain_start(data.decode("latin-1"))),
    ],
    ids=["body", "chain", "field", "origin"],
)
@settings(max_examples=20)
@given(data=st.binary(max_size=200).filter(bytes.isascii))
def test_each_use_has_its_context(context: str, function: Any, data: bytes) -> None:
    """Each hash is BLAKE3 under the context written in the format, and stays so when repeated."""
    right = blake3.blake3(data, derive_key_context=context).digest()

    assert function(data) == right
    assert function(data) == right


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.binary())
def test_keyed_hashes_depend_on_secret_and_purpose(one: bytes, other: bytes, data: bytes) -> None:
    """The same data under another secret or for another purpose has another name."""
    found = hashing.keyer(one, "key")(data)

    assert found == blake3.blake3(b"key\x00" + data, key=one).digest()
    assert found != hashing.keyer(one, "row")(data)
    assert (found == hashing.keyer(other, "key")(data)) is (one == other)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_tree_hashes_are_those_of_rfc_6962(left: bytes, right: bytes) -> None:
    """Leaves and nodes are SHA-256 with 0x00 and 0x01 before; the empty tree hashes nothing."""
    assert hashing.leaf_hash(left) == hashlib.sha256(b"\x00" + left).digest()
    assert hashing.node_hash(left, right) == hashlib.sha256(b"\x01" + left + right).digest()
    assert hashlib.sha256(b"").digest() == hashing.EMPTY_ROOT


def test_a_source_is_hashed_in_pieces() -> None:
    """The digest of a file does not depend on how it was cut while reading."""
    whole, pieces = hashing.source_digest(), hashing.source_digest()
    whole.update(b"header\nrow\n")
    for piece in (b"header\n", b"", b"row\n"):
        pieces.update(piece)

    right = blake3.blake3(b"header\nrow\n", derive_key_context="provenance 2026-11 source v1")
    assert whole.digest() == pieces.digest() == right.digest()
