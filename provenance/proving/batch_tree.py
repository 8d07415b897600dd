"""The tree over a batch's body digests: where an entry stands in it, and its path.

Nothing of it is stored. It is hashed from the leaves once, in blocks of 256
entries whose roots are kept, so that the next entry of the same batch costs one
block. A batch of five million entries keeps less than a megabyte.

Next: provenance/store/reading.py
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from provenance.disclosure.privacy import b64
from provenance.errors import WorkspaceDamaged
from provenance.hashing import leaf_hash
from provenance.proving.leaf import LEAF_DIGEST
from provenance.proving.merkle import tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.entries import Content

__all__ = ["BatchTree"]

_BLOCK: Final = 256
_READ: Final = 64 * _BLOCK


class BatchTree:
    """The RFC 6962 tree of one batch."""

    def __init__(self, batch: Content, leaves: Callable[[int, int], list[bytes]]) -> None:
        """Hash the batch.

        Args:
            batch: The batch entry's content.
            leaves: Gives the leaves from one index up to, not including, another.

        Raises:
            WorkspaceDamaged: Its entries are not there, or have not the root that it says.
        """
        ranges: list[list[int]] = batch["ranges"]
        self._ranges = ranges
        self._starts: list[int] = [0, *accumulate(last - first + 1 for first, last in ranges)]
        self._leaves = leaves
        roots: list[bytes] = []
        for start in range(0, self.count, _READ):
            hashes = self._hashes(start, min(start + _READ, self.count))
            roots += [tree_of(hashes[at : at + _BLOCK])[0] for at in range(0, len(hashes), _BLOCK)]
        root, self._top = tree_of(roots)
        self._block = -1, self._top  # the block that was asked for last, and its tree
        if (b64(root), self.count) != (batch["root"], batch["count"]):
            raise WorkspaceDamaged("a signed batch is not of the entries that it names")

    @property
    def count(self) -> int:
        """Number of entries."""
        return self._starts[-1]

    def position(self, index: int) -> int | None:
        """Say which of the batch's entries stands at `index` of the log; None if none does."""
        for start, (first, last) in zip(self._starts, self._ranges, strict=False):
            if first <= index <= last:
                return start + index - first
        return None

    def path(self, position: int) -> list[bytes]:
        """Return the inclusion path of the entry at `position`, from below."""
        block, within = divmod(position, _BLOCK)
        start = block * _BLOCK
        size = min(_BLOCK, self.count - start)
        if self._block[0] != block:
            self._block = block, tree_of(self._hashes(start, start + size))[1]
        below = self._block[1].inclusion_path(within, size)
        return below + self._top.inclusion_path(block, -(-self.count // _BLOCK))

    def _hashes(self, start: int, stop: int) -> list[bytes]:
        hashes = [
            leaf_hash(leaf[LEAF_DIGEST])
            for first, last in self._spans(start, stop)
            for leaf in self._leaves(first, last)
        ]
        if len(hashes) != stop - start:
            raise WorkspaceDamaged("entries of a signed batch are missing; run `verify`")
        return hashes

    def _spans(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Turn positions in the batch into spans of the log."""
        at = bisect_right(self._starts, start) - 1
        while start < stop:
            first = self._ranges[at][0] + start - self._starts[at]
            size = min(stop, self._starts[at + 1]) - start
            yield first, first + size
            start += size
            at += 1
