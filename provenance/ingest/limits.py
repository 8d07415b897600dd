"""How far a packed file may unpack: the answer to files that were made to fill a machine.

Streams are read with flat memory, so what a bomb could still cost is time and
the log's disk; spreadsheets are held in memory, so their cells are counted
before they are read. A mapping's `[limits]` sets other numbers.

Next: provenance/ingest/sources.py
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from provenance.errors import InputError

__all__ = ["DEFAULT_LIMITS", "Limits", "Meter"]

_FREE: Final = 64 << 20
"""Bytes that any file may unpack to, whatever its ratio: a short repetitive file packs well."""

Positive = Annotated[int, msgspec.Meta(ge=1)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a packed file may become.

    Attributes:
        ratio: Bytes unpacked for each byte packed, beyond the first 64 MiB.
        gigabytes: Bytes unpacked in all, in GiB.
        cells: Cells of a sheet's used rectangle; about 100 bytes of memory each.
    """

    ratio: Positive = 400
    gigabytes: Positive = 64
    cells: Positive = 10_000_000


DEFAULT_LIMITS: Final = Limits()


class Meter:
    """Counts what comes out of one packed file."""

    def __init__(self, name: str, packed: int, limits: Limits) -> None:
        """Watch a file of `packed` bytes; 0 where that is not known."""
        self._name = name
        self._most = limits.gigabytes << 30
        self._said = f"limits.gigabytes ({limits.gigabytes})"
        if packed and max(_FREE, packed * limits.ratio) < self._most:
            self._most = max(_FREE, packed * limits.ratio)
            self._said = f"limits.ratio ({limits.ratio})"
        self._count = 0

    def add(self, count: int) -> None:
        """Count bytes that came out.

        Raises:
            InputError: They are more than the limits allow.
        """
        self._count += count
        if self._count > self._most:
            raise InputError(
                f"{self._name}: unpacks to more than {self._most >> 20:,} MiB, which looks like a "
                f"decompression bomb; if it is none, raise {self._said} in a mapping"
            )
