"""Seeded chance that is the same on every machine and in every Python.

Each question of the world ("how long does this truck take?") has its own
stream, named after the thing it is about. A deed planted in one place
therefore does not change the luck of all others: the honest world and the
world with irregularities are the same world.

The streams are BLAKE2b in counter mode and every draw is integer arithmetic or
a single exact IEEE operation; numpy's distributions may change with its
version, and `math` with the C library.

Next: samples/workdays.py
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Dice"]

T = TypeVar("T")
_WORDS = struct.Struct(">8Q")
_UNIT = 2.0**-53
_BELL_ROLLS = 12  # the sum of twelve uniform draws has variance one


class Dice:
    """One stream of chance, named by a seed and any number of words."""

    def __init__(self, seed: int, *names: str) -> None:
        """Open the stream of this name; the same name is the same stream."""
        self._key = "/".join((str(seed), *names)).encode()
        self._block = 0
        self._words: list[int] = []

    def _word(self) -> int:
        """Draw 64 bits."""
        if not self._words:
            digest = blake2b(self._key + self._block.to_bytes(8, "big")).digest()
            self._words = list(_WORDS.unpack(digest))
            self._block += 1
        return self._words.pop()

    def unit(self) -> float:
        """Draw from [0, 1)."""
        return (self._word() >> 11) * _UNIT

    def between(self, low: float, high: float) -> float:
        """Draw from [low, high), every value equally likely."""
        return low + (high - low) * self.unit()

    def whole(self, low: int, high: int) -> int:
        """Draw an integer from low to high, both included."""
        return low + self._word() % (high - low + 1)

    def bell(self, centre: float, spread: float) -> float:
        """Draw from a bell curve; `spread` is its standard deviation.

        The curve ends at six standard deviations.
        """
        total = sum(self._word() >> 11 for _ in range(_BELL_ROLLS))
        return centre + spread * (total * _UNIT - _BELL_ROLLS / 2)

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self.unit() < probability

    def pick(self, options: Sequence[T]) -> T:
        """Draw one of the options, all equally likely."""
        return options[self._word() % len(options)]

    def weighted(self, options: Sequence[tuple[T, int]]) -> T:
        """Draw one of (option, weight), weights being positive integers."""
        mark = self._word() % sum(weight for _, weight in options)
        for option, weight in options:
            mark -= weight
            if mark < 0:
                return option
        return options[-1][0]

    def some(self, options: Sequence[T], count: int) -> list[T]:
        """Draw up to `count` different options, in the order drawn."""
        pool = list(options)
        return [pool.pop(self._word() % len(pool)) for _ in range(min(count, len(pool)))]

    def around(self, expected: float) -> int:
        """Round up or down by chance, so that the mean is `expected`."""
        return int(expected) + self.chance(expected - int(expected))
