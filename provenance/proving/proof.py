"""Proof bundles: everything a stranger needs to check one entry, in one text.

A bundle is JSON, `provenance/proof/1`; binary is base64url without padding.
What is in it is exactly what the log serves: the leaf, its path, the signed
checkpoint, the body's bytes, and the openings somebody chose to disclose.
`verify` reads it back with a parser of its own.

Next: provenance/proving/tlog_proof.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from provenance.canonical import MAX_BODY
from provenance.disclosure.privacy import b64
from provenance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.entries import Content, Opening

__all__ = [
    "VERSION",
    "build_batch",
    "build_bundle",
    "build_consistency",
    "bundle_text",
]

VERSION: Final = "provenance/proof/1"


def build_bundle(
    *,
    origin: str,
    index: int,
    leaf: bytes,
    path: Sequence[bytes],
    checkpoint: str,
    body: bytes | None,
    disclosed: Sequence[Opening] = (),
    batch: Content | None = None,
    consistency: Content | None = None,
    anchors: Sequence[Any] = (),
) -> Content:
    """Put a bundle together.

    Args:
        origin: The log's.
        index: The entry's.
        leaf: Its 88 bytes.
        path: `merkle.inclusion_path` at the checkpoint's size.
        checkpoint: The signed note, with the cosignatures there are.
        body: The exact bytes, or None after an erasure.
        disclosed: The openings to reveal; everything else stays hidden.
        batch: From `build_batch`: that the capturing party signed the entry's batch.
        consistency: From `build_consistency`: that an older checkpoint was of the same log.
        anchors: JSON values for verifiers that know them; ours says that it does not.

    Raises:
        UsageError: Openings are to be disclosed of a body that is erased.
    """
    if disclosed and body is None:
        raise UsageError(f"entry {index} is erased: it has no fields left to disclose")
    assert body is None or len(body) <= MAX_BODY
    return {
        "v": VERSION,
        "origin": origin,
        "index": index,
        "leaf": b64(leaf),
        "path": [b64(node) for node in path],
        "checkpoint": checkpoint,
        "body": None if body is None else b64(body),
        "disclosed": [
            {"path": one.path, "salt": b64(one.salt), "preimage": b64(one.preimage)}
            for one in disclosed
        ],
        "batch": batch,
        "consistency": consistency,
        "anchors": list(anchors),
    }


def build_batch(
    *,
    index: int,
    leaf: bytes,
    path: Sequence[bytes],
    body: bytes,
    position: int,
    batch_path: Sequence[bytes],
) -> Content:
    """Make the part that leads from an entry to its signed batch.

    Args:
        index: The batch entry's.
        leaf: Its 88 bytes.
        path: Its inclusion path, at the same checkpoint as the bundle's.
        body: Its exact bytes: party, count, root, and the party's signed note.
        position: Where the proven entry stands in the batch.
        batch_path: `BatchTree.path` of that position.
    """
    return {
        "index": index,
        "leaf": b64(leaf),
        "path": [b64(node) for node in path],
        "body": b64(body),
        "position": position,
        "batch_path": [b64(node) for node in batch_path],
    }


def build_consistency(*, checkpoint: str, path: Sequence[bytes]) -> Content:
    """Make the part that ties an older signed checkpoint to the bundle's.

    Args:
        checkpoint: The older signed note, of the same log.
        path: `merkle.consistency_path` from its size to the bundle's.
    """
    return {"checkpoint": checkpoint, "path": [b64(node) for node in path]}


def bundle_text(bundle: Content) -> bytes:
    """Write a bundle as a file: indented JSON, UTF-8, a newline at the end."""
    return orjson.dumps(bundle, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
