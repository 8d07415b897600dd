"""The tree as RFC 6962 section 2.1 writes it down: recursive, slow, and only for comparison."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def leaves(count: int) -> list[bytes]:
    """Make `count` distinct leaf hashes."""
    return [hashlib.sha256(b"\x00" + number.to_bytes(8, "big")).digest() for number in range(count)]


def _parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _k(count: int) -> int:
    """The largest power of two smaller than `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def root(hashes: Sequence[bytes]) -> bytes:
    """MTH."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = _k(len(hashes))
    return _parent(root(hashes[:k]), root(hashes[k:]))


def inclusion(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH."""
    if len(hashes) == 1:
        return []
    k = _k(len(hashes))
    if m < k:
        return [*inclusion(m, hashes[:k]), root(hashes[k:])]
    return [*inclusion(m - k, hashes[k:]), root(hashes[:k])]


def consistency(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PROOF."""
    return _subproof(m, hashes, whole=True)


def _subproof(m: int, hashes: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if m == len(hashes):
        return [] if whole else [root(hashes)]
    k = _k(len(hashes))
    if m <= k:
        return [*_subproof(m, hashes[:k], whole=whole), root(hashes[k:])]
    return [*_subproof(m - k, hashes[k:], whole=False), root(hashes[:k])]


class EveryTree:
    """The same definitions for all trees over the first leaves of one list, each span hashed once.

    RFC 6962's D[a:b] is a span here, so that thousands of trees can be compared in a second.
    """

    def __init__(self, hashes: Sequence[bytes]) -> None:
        """Look at the trees over the first 0, 1, 2 ... of `hashes`."""
        self._hashes = hashes
        self._known: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, stop: int) -> bytes:
        """MTH(D[start:stop])."""
        if stop - start <= 1:
            return root(self._hashes[start:stop])
        if (start, stop) not in self._known:
            middle = start + _k(stop - start)
            self._known[start, stop] = _parent(self.root(start, middle), self.root(middle, stop))
        return self._known[start, stop]

    def inclusion(self, m: int, start: int, stop: int) -> list[bytes]:
        """PATH(m, D[start:stop])."""
        if stop - start == 1:
            return []
        middle = start + _k(stop - start)
        if m < middle - start:
            return [*self.inclusion(m, start, middle), self.root(middle, stop)]
        return [*self.inclusion(m - (middle - start), middle, stop), self.root(start, middle)]

    def consistency(self, m: int, start: int, stop: int, *, whole: bool = True) -> list[bytes]:
        """SUBPROOF(m, D[start:stop], whole)."""
        if m == stop - start:
            return [] if whole else [self.root(start, stop)]
        middle = start + _k(stop - start)
        if m <= middle - start:
            return [*self.consistency(m, start, middle, whole=whole), self.root(middle, stop)]
        rest = self.consistency(m - (middle - start), middle, stop, whole=False)
        return [*rest, self.root(start, middle)]
