"""The batch entry: one claim about everything that one file brought into the log.

It names how many entries, at which indexes, and the RFC 6962 root over their
body digests in file order, so that a sender can later show that a row was, or
was not, part of what it delivered.

Next: provenance/ingest/ports.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.entries import Draft, EntryType
from provenance.hashing import EMPTY_ROOT, leaf_hash, node_hash
from provenance.privacy import b64

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RootStream", "batch_draft", "ranges_of"]


class RootStream:
    """An RFC 6962 root over a stream, with memory for one hash per tree level."""

    def __init__(self) -> None:
        """Begin with the empty tree."""
        self.count = 0
        self._peaks: list[bytes] = []

    def add(self, entry: bytes) -> None:
        """Append one leaf, here a body digest."""
        node = leaf_hash(entry)
        size = self.count
        while size & 1:
            node = node_hash(self._peaks.pop(), node)
            size >>= 1
        self._peaks.append(node)
        self.count += 1

    def root(self) -> bytes:
        """The root over the leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        *others, root = self._peaks
        for peak in reversed(others):
            root = node_hash(peak, root)
        return root


def ranges_of(indexes: Iterable[int], ranges: list[list[int]]) -> None:
    """Add rising indexes to [first, last] ranges; other writers may sit between them."""
    for index in indexes:
        if ranges and ranges[-1][1] + 1 == index:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])


def batch_draft(
    party: str, stream: RootStream, ranges: list[list[int]], name: str, digest: bytes
) -> Draft:
    """Make the batch entry of one file.

    Args:
        party: The capturing party.
        stream: Over the body digests, in file order.
        ranges: Index ranges of the entries.
        name: The source's file name, private.
        digest: BLAKE3 of the source's bytes, private.
    """
    return Draft(
        type=EntryType.BATCH,
        version="batch/1",
        content={
            "party": party,
            "count": stream.count,
            "ranges": ranges,
            "root": b64(stream.root()),
            "source": {"name": name, "digest": b64(digest)},
        },
    )
