"""Memory that is let go of and wanted again a moment later, over and over.

Over a large record every step makes tables of megabytes and lets go of others. glibc hands
each back to the kernel, which has to clear it before it hands it out again: a twentieth of
all that a run of a million events takes. Kept, it is there for the next step.

Next: detectors/abreast.py
"""

from __future__ import annotations

import ctypes
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["kept"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""What `mallopt` calls how much may lie free at the end, and from what size on tables lie apart."""
_KEPT: Final = (256 << 20, 64 << 20)
_USUAL: Final = (64 << 20, 32 << 20)
"""As far as glibc goes by itself, once it has seen large tables."""


@contextmanager
def kept() -> Iterator[None]:
    """Keep what is let go of while the body runs, a quarter of a gigabyte of it at the most.

    Where the library of C is another one, or no library tells, nothing changes.
    """
    with suppress(OSError, AttributeError, TypeError):
        _set(_KEPT)
    try:
        yield
    finally:
        with suppress(OSError, AttributeError, TypeError):
            _set(_USUAL)
            ctypes.CDLL(None).malloc_trim(0)


def _set(sizes: tuple[int, int]) -> None:
    library = ctypes.CDLL(None)
    for option, size in zip((_TRIM_THRESHOLD, _MMAP_THRESHOLD), sizes, strict=True):
        library.mallopt(option, size)
