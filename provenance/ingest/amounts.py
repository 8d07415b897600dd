"""Cells that hold a number together with its unit or currency: `18,833 KGS`, `USD 1,200.00`.

Nothing is guessed from the letters: a mapping says which units may stand there, or
which field takes them. A cell with another unit is set aside, as a number without
its unit would be another number.

Next: provenance/ingest/values.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from provenance.ingest.values import Unacceptable

if TYPE_CHECKING:
    from collections.abc import Collection

    from provenance.ingest.values import Converter

__all__ = ["parted", "unit_in", "with_unit"]

_AMOUNT: Final = re.compile(
    r"(?P<before>[^\W\d_]{1,4}\$?|[$€£¥₹]|)[ \u00a0\u202f]?"
    r"(?P<number>[+-]?\d(?:[\d.,' \u2019\u00a0\u202f]*\d)?(?:[eE][+-]?\d{1,2})?)[ \u00a0\u202f]*"
    r"(?P<after>(?:[°º]?[^\W\d_]|[%$€£¥₹])[^\W\d_.()°/% ]*(?:[ .(/][^\W\d_.()/ ]+)*[.)]*[23²³]?|)\Z"
)
_LONGEST: Final = 80


def parted(text: str) -> tuple[str, str] | None:
    """Split a cell into its number and the unit before or after it.

    Args:
        text: A stripped cell.

    Returns:
        Both as they stand there, the unit "" where there is none. None where the cell is not
        one number with at most one unit.
    """
    found = _AMOUNT.match(text) if len(text) <= _LONGEST else None
    if found is None or (found["before"] and found["after"]):
        return None
    return found["number"], found["before"] or found["after"]


def unit_in(text: str) -> str:
    """Return the unit of a cell, "" where there is none."""
    found = parted(text.strip())
    return found[1] if found else ""


def with_unit(convert: Converter, units: Collection[str]) -> Converter:
    """Make a converter of the numbers in cells that also hold a unit.

    Args:
        convert: For the number alone.
        units: Those that may stand there, in any case; empty where a field takes the unit.
    """
    known = {unit.casefold() for unit in units}

    def read(value: str) -> Any:
        found = parted(value)
        if found is None:
            raise Unacceptable("is not one number with its unit", value)
        number, unit = found
        if known and unit and unit.casefold() not in known:
            raise Unacceptable(f"is not in {' or '.join(units)}", value)
        return convert(number)

    return read
