"""What must be known of a sheet before the library reads it into memory.

The library holds a sheet as a full rectangle and each cell's text by itself,
so two cells far apart, or one long text that a million cells share, would fill
the machine. It also gives back an error such as #N/A, and a formula whose
result was never stored, as an empty cell. So the sheet's XML is gone through
first: how far it reaches, how much text its cells come to, and which cells
are not what they will seem.

Next: provenance/ingest/formats/xlsx.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from provenance.errors import InputError

if TYPE_CHECKING:
    from provenance.ingest.formats.package import Package
    from provenance.ingest.limits import Limits

__all__ = ["SheetFacts", "place_of", "scan_sheet", "scan_texts"]

_COLUMN: Final = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,7})\d""")
_ROW: Final = re.compile(rb"""\br\s*=\s*["'][A-Za-z]{0,7}(\d{1,9})["']""")
_CELL: Final = re.compile(rb"<(?:\w+:)?c\s")
_ODD: Final = re.compile(
    rb"""<(?:\w+:)?c\s(?P<given>[^>]*)>(?P<inside>(?:(?!</(?:\w+:)?c>).){0,70000}?)</(?:\w+:)?c>""",
    re.DOTALL,
)
_REFERENCE: Final = re.compile(rb"""\br\s*=\s*["']([A-Za-z]+)(\d+)""")
_IS_ERROR: Final = re.compile(rb"""\bt\s*=\s*["']e["']""")
_SHARED: Final = re.compile(rb"""\bt\s*=\s*["']s["'][^>]*>\s*<(?:\w+:)?v>(\d+)<""")
_IS_TEXT: Final = re.compile(rb"""\bt\s*=\s*["']str["']""")
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s>/]")
_RESULT: Final = re.compile(rb"<(?:\w+:)?v>([^<]*)<")
_TEXT_END: Final = re.compile(rb"</(?:\w+:)?si>|<(?:\w+:)?si\s*/>")
_OVERLAP: Final = 1 << 17
_MOST_ODD: Final = 1_000_000
_BYTES_A_CELL: Final = 100


@dataclass
class SheetFacts:
    """What the XML of a sheet says.

    Attributes:
        rows: The last row.
        columns: The last column.
        cells: How many cells there are.
        text: Bytes of its XML, and of texts that cells share, counted where they stand.
        errors: (row, column) from 0 -> "#N/A" and the like.
        unsolved: (row, column) of formulas without a stored result.
    """

    rows: int = 0
    columns: int = 0
    cells: int = 0
    text: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    unsolved: set[tuple[int, int]] = field(default_factory=set)

    def refuse_huge(self, name: str, sheet: str, limits: Limits) -> None:
        """Refuse a sheet whose rectangle, or whose texts, would need too much memory.

        Raises:
            InputError: With the sheet and the setting.
        """
        rectangle = self.rows * self.columns
        if rectangle > limits.cells:
            raise InputError(
                f"{name}: sheet {sheet!r} reaches to row {self.rows:,}, column {self.columns:,}: "
                f"{rectangle:,} cells, and workbooks are read in memory; delete what lies far "
                "out, save it as CSV, or raise limits.cells in a mapping"
            )
        if self.text > limits.cells * _BYTES_A_CELL:
            raise InputError(
                f"{name}: sheet {sheet!r} has {self.text >> 20:,} MiB of text, and workbooks are "
                "read in memory; save it as CSV, or raise limits.cells in a mapping"
            )


def scan_texts(package: Package, member: str) -> list[int]:
    """Lengths of the texts that cells share, in the order in which they are numbered."""
    lengths: list[int] = []
    open_for = 0
    rest = b""
    for piece in package.pieces(member):
        text = rest + piece
        at = 0
        for end in _TEXT_END.finditer(text):
            lengths.append(open_for + end.end() - at)
            open_for, at = 0, end.end()
        keep = max(at, len(text) - 16)
        open_for += keep - at
        rest = text[keep:]
    return lengths


def scan_sheet(package: Package, member: str, lengths: list[int]) -> SheetFacts:
    """Go through a sheet's XML.

    Args:
        package: The workbook.
        member: The sheet's part of it.
        lengths: From `scan_texts`.
    """
    facts = SheetFacts()
    rest = b""
    for piece in package.pieces(member):
        facts.text += len(piece)
        # Cut after a whole cell, so that none is seen twice or in halves.
        text = rest + piece
        cut = text.rfind(b"<", 0, max(text.rfind(b"<c "), text.rfind(b":c ")) + 1)
        if cut <= 0 or len(text) - cut > _OVERLAP:
            cut = max(0, len(text) - 64) if len(text) > _OVERLAP else 0
        rest = text[cut:]
        _look(text[:cut], facts, lengths)
    _look(rest, facts, lengths)
    return facts


def _look(text: bytes, facts: SheetFacts, lengths: list[int]) -> None:
    if not text:
        return
    columns = set(_COLUMN.findall(text))
    facts.columns = max([facts.columns, *map(_number, columns)])
    facts.rows = max([facts.rows, *map(int, set(_ROW.findall(text)))])
    facts.cells += len(_CELL.findall(text))
    for number in _SHARED.findall(text) if lengths else ():
        at = int(number[:9])
        facts.text += lengths[at] if at < len(lengths) else 0
    if _FORMULA.search(text) or _IS_ERROR.search(text):
        _look_for_odd(text, facts)


def _look_for_odd(text: bytes, facts: SheetFacts) -> None:
    for cell in _ODD.finditer(text):
        result = _RESULT.search(cell["inside"])
        if _IS_ERROR.search(cell["given"]):
            found = place_of(cell["given"])
            if found and len(facts.errors) < _MOST_ODD:
                shown = result[1].decode("utf-8", "replace") if result else "#ERROR"
                facts.errors[found] = shown
        elif _IS_TEXT.search(cell["given"]):
            continue  # its result may be an empty text
        elif (result is None or not result[1]) and _FORMULA.search(cell["inside"]):
            found = place_of(cell["given"])
            if found and len(facts.unsolved) < _MOST_ODD:
                facts.unsolved.add(found)


def place_of(given: bytes) -> tuple[int, int] | None:
    """The (row, column) from 0 of a cell's attributes."""
    match = _REFERENCE.search(given)
    return (int(match[2][:9]) - 1, _number(match[1]) - 1) if match else None


def _number(letters: bytes) -> int:
    """A column's number from 1; A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
