"""Every hash of the formats, and the only importer of blake3.

BLAKE3 names content and links the chain, each use under a context of its own
(BLAKE3 specification, section 2.3, derive_key); SHA-256 builds the RFC 6962
tree, because tiles, witnesses and receipts elsewhere speak SHA-256.

The contexts and prefixes are permanent: changing one changes every hash.

Next: provenance/proving/leaf.py
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import blake3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "EMPTY_ROOT",
    "HASH_SIZE",
    "body_digest",
    "body_digests",
    "chain_next",
    "chain_start",
    "chain_values",
    "chained",
    "field_commitment",
    "field_commitments",
    "keyer",
    "keyer_each",
    "leaf_hash",
    "leaf_hashes",
    "node_hash",
    "node_hashes",
    "source_digest",
]

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""Root of the tree without leaves, RFC 6962 section 2.1."""

_sha256: Final = hashlib.sha256

# Hashing the context string costs as much as hashing a short message; each
# state is prepared once, never updated, and copied for every message.
_BODY: Final = blake3.blake3(derive_key_context="provenance 2026-11 body v1")
_FIELD: Final = blake3.blake3(derive_key_context="provenance 2026-11 field v1")
_CHAIN: Final = blake3.blake3(derive_key_context="provenance 2026-11 chain v1")


def body_digest(body: bytes) -> bytes:
    """Name a body: 32 bytes over its exact canonical bytes."""
    return _BODY.copy().update(body).digest()


def body_digests(bodies: Iterable[bytes]) -> list[bytes]:
    """`body_digest` of each."""
    return _each(_BODY, bodies)


def field_commitment(salt: bytes, preimage: bytes) -> bytes:
    """Commit to one field: 32 bytes over `salt || preimage`.

    Args:
        salt: 32 random bytes, used for this field only.
        preimage: The canonical bytes of `[path, value]`.
    """
    return _FIELD.copy().update(salt + preimage).digest()


def field_commitments(sealed: Iterable[bytes]) -> list[bytes]:
    """`field_commitment` of each `salt || preimage`, given joined."""
    return _each(_FIELD, sealed)


def chain_start(origin: str) -> bytes:
    """Return `prev_chain` of entry 0: it ties the chain to the log's identity."""
    return _CHAIN.copy().update(origin.encode()).digest()


def chain_next(leaf: bytes) -> bytes:
    """Return the chain value after `leaf`, which the next leaf carries as `prev_chain`."""
    return _CHAIN.copy().update(leaf).digest()


def chain_values(leaves: Iterable[bytes]) -> list[bytes]:
    """`chain_next` of each leaf."""
    return _each(_CHAIN, leaves)


def chained(heads: Iterable[bytes], chain: bytes) -> tuple[list[bytes], bytes]:
    """Put the chain value so far behind each head, which makes it a leaf.

    Args:
        heads: The leaves without their last 32 bytes, in order.
        chain: The chain value before the first.

    Returns:
        The leaves, and the chain value after the last.
    """
    own = _CHAIN.copy()
    back, update, digest = own.reset, own.update, own.digest
    leaves = []
    for head in heads:
        leaf = head + chain
        back()
        update(leaf)
        chain = digest()
        leaves.append(leaf)
    return leaves, chain


def leaf_hash(entry: bytes) -> bytes:
    """Hash one tree leaf: SHA-256(0x00 || entry), RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each."""
    return [_sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash one inner node: SHA-256(0x01 || left || right), RFC 6962 section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def node_hashes(row: Sequence[bytes]) -> list[bytes]:
    """`node_hash` of each pair, from the left; a last one without a partner is left out."""
    pairs = iter(row)
    return [
        _sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)
    ]


def keyer(secret: bytes, purpose: str, size: int = HASH_SIZE) -> Callable[[bytes], bytes]:
    """Make a hash whose inputs only holders of the workspace secret can guess.

    Args:
        secret: 32 bytes.
        purpose: Separates uses of one secret; must hold no NUL.
        size: Bytes of a digest; a shorter one is the beginning of a longer one.

    Returns:
        A function from data to `size` bytes: BLAKE3 keyed with the secret, over
        `purpose || 0x00 || data`.
    """
    # Setting it up costs as much as hashing a row key: done once, as for the contexts.
    copy = blake3.blake3(purpose.encode() + b"\x00", key=secret).copy

    def digest(data: bytes) -> bytes:
        return copy().update(data).digest(size)

    return digest


def keyer_each(
    secret: bytes, purpose: str, size: int = HASH_SIZE
) -> Callable[[Iterable[bytes]], list[bytes]]:
    """Make a `keyer` that takes many data at once."""
    state = blake3.blake3(key=secret)
    prefix = purpose.encode() + b"\x00"

    def digests(data: Iterable[bytes]) -> list[bytes]:
        return _each(state, [prefix + one for one in data], size)

    return digests


def _each(state: blake3.blake3, data: Iterable[bytes], size: int = HASH_SIZE) -> list[bytes]:
    """Hash each as a copy of `state` would, which has taken nothing in yet.

    One state, set back every time, costs half of as many copies; it is used by this call alone,
    so threads do not meet in it.
    """
    own = state.copy()
    back, update, digest = own.reset, own.update, own.digest
    digests = []
    for one in data:
        back()
        update(one)
        digests.append(digest(size))
    return digests


def source_digest() -> blake3.blake3:
    """Start a streaming BLAKE3 over a source file's bytes: `update`, then `digest`."""
    return blake3.blake3(derive_key_context="provenance 2026-11 source v1")
