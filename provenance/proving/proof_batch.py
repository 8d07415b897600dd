"""Proofs of many entries in one document that holds each shared node once.

The document is canonical JSON, `provenance/proofs/1`. Its nodes are the hashes of
the largest subtrees without a proven entry, from left to right: with the leaves
they give every other node, and the root. Batch entries that parties signed count
among the proven entries, and each holds the nodes of its batch's tree likewise.

Nothing that is read here is trusted: `shared` turns ordinary bundles into a
document, `expanded` turns it back, and `verify` checks what comes out, one by one.

Next: provenance/store/tree.py
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import msgspec

from provenance import canonical
from provenance.disclosure.privacy import b64, unb64
from provenance.errors import EncodingError, InputError, UsageError, VerificationError
from provenance.hashing import HASH_SIZE, leaf_hash, node_hash
from provenance.notes.checkpoint import parse
from provenance.proving.leaf import LEAF_DIGEST, LEAF_SIZE
from provenance.proving.proof import VERSION as BUNDLE_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from provenance.entries import Content

__all__ = ["VERSION", "expanded", "shared"]

VERSION: Final = "provenance/proofs/1"
_MAX_DOCUMENT: Final = 64 << 20  # bytes, as for a bundle
_COMMON: Final = ("origin", "checkpoint", "consistency", "anchors")
_LEAVES: Final = ("index", "leaf", "body")

Span = tuple[int, int]
"""A subtree, as its first leaf and the one after its last."""


class _Form(msgspec.Struct, forbid_unknown_fields=True):
    """What every part of a document is: exactly its members."""


class _Proven(_Form):
    """An entry, and its leaf's bytes; `body` is None after an erasure."""

    index: int
    leaf: str
    body: str | None


class _Batch(_Proven):
    """A batch entry, and the nodes of the tree over the batch that its members here need."""

    nodes: list[str]


class _Position(_Form):
    """Where an entry stands in a signed batch: the batch entry, and the place in file order."""

    index: int
    position: int


class _Entry(_Proven):
    """An entry with what is disclosed of it."""

    disclosed: list[dict[str, str]]
    batch: _Position | None


class _Document(_Form):
    """The document as its parts; canonical JSON decides on their order."""

    v: str
    origin: str
    checkpoint: str
    entries: list[_Entry]
    batches: list[_Batch]
    nodes: list[str]
    consistency: dict[str, Any] | None
    anchors: list[Any]


def shared(bundles: Sequence[Content]) -> bytes:
    """Put bundles under one checkpoint into one document.

    Args:
        bundles: Of different entries, all under the same checkpoint; see `LogReader.prove_all`.

    Raises:
        UsageError: None at all, or bundles that do not belong together.
    """
    if not bundles:
        raise UsageError("no entry to prove")
    entries = sorted(bundles, key=lambda bundle: bundle["index"])
    common = {name: entries[0][name] for name in _COMMON}
    if any(common != {name: one[name] for name in _COMMON} for one in entries):
        raise UsageError("only bundles under one checkpoint can share their nodes")
    if any(one["index"] == two["index"] for one, two in pairwise(entries)):
        raise UsageError("an entry is to be proven twice")
    size = parse(common["checkpoint"])[0].size
    batches = {one["batch"]["index"]: one["batch"] for one in entries if one["batch"]}
    proven = {one["index"]: one for one in [*batches.values(), *entries]}
    known = {
        span: node
        for one in proven.values()
        for span, node in zip(_siblings(one["index"], size), one["path"], strict=True)
    }
    document = common | {
        "v": VERSION,
        "entries": [_entry(one) for one in entries],
        "batches": [_batch(batches[at], entries) for at in sorted(batches)],
        "nodes": [known[span] for span in _frontier(sorted(proven), size)],
    }
    return canonical.encode(document) + b"\n"


def _entry(bundle: Content) -> Content:
    batch = bundle["batch"]
    return {
        **{name: bundle[name] for name in (*_LEAVES, "disclosed")},
        "batch": {name: batch[name] for name in ("index", "position")} if batch else None,
    }


def _batch(batch: Content, entries: Sequence[Content]) -> Content:
    count = _count(batch["body"])
    parts = [one["batch"] for one in entries]
    members = {one["position"]: one for one in parts if one and one["index"] == batch["index"]}
    known = {
        span: node
        for at, one in members.items()
        for span, node in zip(_siblings(at, count), one["batch_path"], strict=True)
    }
    nodes = [known[span] for span in _frontier(sorted(members), count)]
    return {**{name: batch[name] for name in _LEAVES}, "nodes": nodes}


def _count(body: str | None) -> int:
    """How many entries a batch has, as its own body says; `verify` trusts it no further."""
    try:
        count = canonical.loads(unb64(body or ""))["count"]
    except (EncodingError, LookupError, TypeError):
        count = None
    if type(count) is not int or count < 1:
        raise InputError("the batch of proofs has a batch entry whose body is no batch's")
    return count


def expanded(data: bytes) -> list[Content]:
    """Turn a document back into the bundles that it was made of, by index.

    Raises:
        InputError: It is not such a document, in the one form that `shared` writes.
        VerificationError: Its nodes and leaves do not give the checkpoint's root.
    """
    document = _read(data)
    point = parse(document.checkpoint)[0]
    _refuse_disorder(document, point.size)
    every = [*document.batches, *document.entries]
    leaves = {one.index: _decoded(one.leaf, LEAF_SIZE, "leaf") for one in every}
    tree = _Tree(leaves, document.nodes, point.size)
    if tree.root != point.root:
        raise VerificationError(
            "the batch of proofs: its nodes and leaves do not give the checkpoint's root"
        )
    batches = {one.index: _Members(document, one, leaves, tree) for one in document.batches}
    return [_bundle(document, one, tree, batches) for one in document.entries]


class _Tree:
    """A tree put together from some leaves, and the nodes that stand for all others."""

    def __init__(self, leaves: Mapping[int, bytes], nodes: Sequence[str], size: int) -> None:
        self.size = size
        given = [_decoded(node, HASH_SIZE, "node") for node in nodes]
        if len(set(given)) < len(given):
            raise InputError("the batch of proofs holds a node twice")
        frontier = list(_frontier(sorted(leaves), size))
        if len(given) != len(frontier):
            raise InputError(
                f"the batch of proofs has {len(given)} nodes; its entries need {len(frontier)}"
            )
        self._hashes = dict(zip(frontier, given, strict=True))
        for index, leaf in leaves.items():
            self._hashes[index, index + 1] = leaf_hash(leaf)
        self.root = self._fill(0, size)

    def _fill(self, start: int, stop: int) -> bytes:
        """Hash what is not known yet of a subtree, and all below it."""
        if (start, stop) not in self._hashes:
            middle = _middle(start, stop)
            pair = self._fill(start, middle), self._fill(middle, stop)
            self._hashes[start, stop] = node_hash(*pair)
        return self._hashes[start, stop]

    def path(self, index: int) -> list[str]:
        """Return the inclusion path of one of the leaves."""
        return [b64(self._hashes[span]) for span in _siblings(index, self.size)]


class _Members:
    """A batch entry with the tree over its members, whose root is for `verify` to compare."""

    def __init__(
        self, document: _Document, batch: _Batch, leaves: Mapping[int, bytes], tree: _Tree
    ) -> None:
        count = _count(batch.body)
        digests: dict[int, bytes] = {}
        for one in document.entries:
            if one.batch and one.batch.index == batch.index:
                at = one.batch.position
                if not 0 <= at < count or at in digests:
                    raise InputError(
                        f"the batch of proofs has place {at} of batch {batch.index} twice, or "
                        f"beyond its {count}"
                    )
                digests[at] = leaves[one.index][LEAF_DIGEST]
        self._part = _part(batch, tree)
        self._tree = _Tree(digests, batch.nodes, count)

    def place(self, at: int) -> Content:
        """Return the part of a bundle that leads to this batch."""
        return {**self._part, "position": at, "batch_path": self._tree.path(at)}


def _read(data: bytes) -> _Document:
    if len(data) > _MAX_DOCUMENT:
        raise InputError(f"a batch of proofs of {len(data)} bytes; at most {_MAX_DOCUMENT}")
    try:
        document = msgspec.json.decode(data, type=_Document)
        again = canonical.encode(msgspec.to_builtins(document)) + b"\n"
    except (msgspec.DecodeError, EncodingError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"the batch of proofs cannot be read: {error}") from None
    if document.v != VERSION:
        raise InputError(f"the batch of proofs is of version {document.v[:40]!a}")
    if again != data:
        raise InputError("the batch of proofs is JSON, but not in canonical form and a newline")
    return document


def _decoded(text: str, size: int, what: str) -> bytes:
    try:
        data = unb64(text)
    except EncodingError:
        data = b""
    if len(data) != size:
        raise InputError(f"the batch of proofs has a {what} that is not {size} bytes in base64url")
    return data


def _refuse_disorder(document: _Document, size: int) -> None:
    """Each entry once, by index, in the tree; each batch entry just where it is needed."""
    for what, listed in (("entry", document.entries), ("batch", document.batches)):
        for before, index in pairwise([-1, *(proven.index for proven in listed)]):
            if before == index:
                raise InputError(f"the batch of proofs holds {what} {index} twice")
            if before > index:
                raise InputError(f"the batch of proofs has {what} {index} after {before}")
            if index >= size:
                raise InputError(f"the batch of proofs has {what} {index}, in a tree of {size}")
    if not document.entries:
        raise InputError("the batch of proofs holds no entry")
    needed = {one.batch.index for one in document.entries if one.batch}
    if needed != {one.index for one in document.batches}:
        raise InputError("the batch of proofs has not just the batch entries that it needs")
    both = {one.index: one for one in document.entries}
    for one in document.batches:
        entry = both.get(one.index)
        if entry and (entry.leaf, entry.body) != (one.leaf, one.body):
            raise InputError(f"the batch of proofs has two leaves of entry {one.index}")


def _bundle(
    document: _Document, entry: _Entry, tree: _Tree, batches: Mapping[int, _Members]
) -> Content:
    place = entry.batch
    return {
        "v": BUNDLE_VERSION,
        "origin": document.origin,
        **_part(entry, tree),
        "checkpoint": document.checkpoint,
        "disclosed": entry.disclosed,
        "batch": batches[place.index].place(place.position) if place else None,
        "consistency": document.consistency,
        "anchors": document.anchors,
    }


def _part(one: _Proven, tree: _Tree) -> Content:
    return {"index": one.index, "leaf": one.leaf, "path": tree.path(one.index), "body": one.body}


def _siblings(index: int, size: int) -> list[Span]:
    """The subtrees beside the way from a leaf up to the root (RFC 6962 section 2.1.1)."""
    spans, start, stop = [], 0, size
    while stop - start > 1:
        middle = _middle(start, stop)
        spans.append((middle, stop) if index < middle else (start, middle))
        start, stop = (start, middle) if index < middle else (middle, stop)
    return spans[::-1]


def _frontier(indices: Sequence[int], size: int) -> Iterator[Span]:
    """The largest subtrees that hold none of `indices`, from left to right."""
    waiting = [(0, size)]
    while waiting:
        start, stop = waiting.pop()
        if bisect_left(indices, start) == bisect_left(indices, stop):
            yield start, stop
        elif stop - start > 1:
            middle = _middle(start, stop)
            waiting += [(middle, stop), (start, middle)]


def _middle(start: int, stop: int) -> int:
    """Where RFC 6962 splits a subtree of at least two leaves."""
    return start + (1 << ((stop - start - 1).bit_length() - 1))
