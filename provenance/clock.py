"""The only place where the machine's time and randomness enter the program.

Everything else takes a `Clock` or an `Entropy` as an argument, so that tests
and replays can hold them still (ruff's TID251 keeps it that way).

Next: provenance/hashing.py
"""

from __future__ import annotations

import os
import time
from typing import Protocol

__all__ = ["Clock", "Entropy", "monotonic", "system_clock", "system_entropy"]


class Clock(Protocol):
    """Microseconds since the Unix epoch, UTC. May jump; callers must cope."""

    def __call__(self) -> int:
        """Return the present time in microseconds since 1970-01-01T00:00:00Z."""
        ...


class Entropy(Protocol):
    """Cryptographically strong random bytes; blocks rather than return weak ones."""

    def __call__(self, size: int, /) -> bytes:
        """Return `size` fresh random bytes."""
        ...


def system_clock() -> int:
    """Read the operating system's clock, in microseconds since the Unix epoch."""
    return time.time_ns() // 1_000


def system_entropy(size: int, /) -> bytes:
    """Read `size` bytes from the operating system's generator."""
    return os.urandom(size)


def monotonic() -> float:
    """Seconds on a clock that never goes back; for waiting and rates, never for records."""
    return time.monotonic()
