"""Which of a table's first rows is its header, and what its columns are called.

Exports put titles, dates and blank lines above the header. The header is the
first row that names enough columns we know; where none does, the first one
that is as full as the rows below it and reads like names. What stands above
it is told, never dropped in silence.

Next: provenance/ingest/reading.py
"""

from __future__ import annotations

import re
from statistics import median
from typing import TYPE_CHECKING, Final

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["LOOKED_AT", "find_header", "named_columns", "title_note"]

LOOKED_AT: Final = 40
"""Rows at the beginning of a table among which the header is looked for."""
MAX_COLUMNS: Final = 2000
_VALUE: Final = re.compile(r"[\d\s.,:;/%€$£+()'-]*\d[\d\s.,:;/%€$£+()'TZ-]*\Z")
_FULL: Final = 0.6
_VALUES: Final = 0.5
_ENOUGH: Final = 2
_SHOWN: Final = 60


def find_header(rows: Sequence[Sequence[str]], known: Collection[str]) -> int:
    """Return the place of the header among the first rows of a table.

    Args:
        rows: Their cells, from the first row that is not blank.
        known: Folded names of columns that would prove it.
    """
    names = [sum(cell.strip().casefold() in known for cell in row) for row in rows]
    most = max(names, default=0)
    if most >= _ENOUGH:
        return next(at for at, count in enumerate(names) if 2 * count >= most and count > 1)
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    usual = median(filled[len(filled) // 2 :]) if filled else 0
    fits = (
        at
        for at, row in enumerate(rows)
        if filled[at] >= _FULL * usual and (usual < _ENOUGH or filled[at] > 1) and _reads(row)
    )
    return next(fits, 0)


def _reads(row: Sequence[str]) -> bool:
    """Whether cells read like names: different ones, and few of them values."""
    cells = [cell.strip().casefold() for cell in row if cell.strip()]
    values = sum(bool(_VALUE.match(cell)) for cell in cells)
    return values < _VALUES * len(cells) and len(set(cells)) > _VALUES * len(cells)


def named_columns(
    cells: Sequence[str], place: str, known: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give each column a name of its own.

    Args:
        cells: The header as it stands.
        place: File and line, for messages.
        known: Folded native names; two columns of one such name cannot both be it.

    Returns:
        The names, and what was done to them: the second "Qty" is called "Qty (2)".

    Raises:
        InputError: Too many columns, or a native name twice.
    """
    if len(cells) > MAX_COLUMNS:
        raise InputError(f"{place}: more than {MAX_COLUMNS} columns; is this the header?")
    names: list[str] = []
    notes: list[str] = []
    seen: dict[str, int] = {}
    for at, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column {at}"
        first = seen.get(name.casefold())
        if first is not None:
            if name.casefold() in known:
                raise InputError(
                    f"{place}: column {name!r} stands twice (columns {first} and {at}); "
                    "rename or remove one"
                )
            told, name = name, _another(name, seen)
            notes.append(f"column {at} is the second {told!r} and is called {name!r} here")
        seen[name.casefold()] = at
        names.append(name)
    return tuple(names), tuple(notes)


def _another(name: str, seen: Collection[str]) -> str:
    number = 2
    while f"{name} ({number})".casefold() in seen:
        number += 1
    return f"{name} ({number})"


def title_note(above: Sequence[Sequence[str]], line: int) -> tuple[str, ...]:
    """Tell what stands above a header on `line`; nothing where nothing does."""
    texts = [" ".join(cell.strip() for cell in row if cell.strip()) for row in above]
    shown = "; ".join(text[:_SHOWN] for text in texts if text)
    if not shown:
        return ()
    shown = "".join(each if each.isprintable() else "?" for each in shown[:_SHOWN])
    return (f"the header is on line {line}; above it, and not read: {shown}",)
