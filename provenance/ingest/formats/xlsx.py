"""Workbooks: one sheet of an .xlsx file as a table.

Which sheet: the one that is named; else the visible one whose header has most
of the columns we know; else the largest visible one. Two that fit alike are an
error that names them. Hidden sheets are only taken by name. What else is there
is told in the notes.

Values are those that the workbook stores: a formula counts by its stored
result. A cell that holds an error, a formula without a result, or stands under
a merged area of several rows spoils its row, which is set aside with the
reason; nothing is taken as empty that is not.

Next: provenance/ingest/formats/jsonlines.py
"""

from __future__ import annotations

from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Final

import python_calamine

from provenance.errors import InputError
from provenance.ingest.formats.package import Package
from provenance.ingest.formats.sheet_rows import SheetRows
from provenance.ingest.formats.sheet_scan import SheetFacts, scan_sheet, scan_texts
from provenance.ingest.formats.spool import SpooledTable, spooled
from provenance.ingest.formats.workbook import Book, Sheet, read_book
from provenance.ingest.heading import LOOKED_AT, find_header, named_columns, title_note

if TYPE_CHECKING:
    from provenance.ingest.sources import Source
    from provenance.ingest.table import TableSettings

__all__ = ["open_workbook"]

_ENOUGH: Final = 2
_SHOWN: Final = 8


def open_workbook(source: Source, known: frozenset[str], wanted: TableSettings) -> SpooledTable:
    """Read one sheet of a workbook.

    Args:
        source: The file.
        known: Folded native column names.
        wanted: Sheet, header row and decimal sign, where a mapping says so.

    Raises:
        InputError: Damaged, too large, no such sheet, or several that may be meant.
    """
    with source.open() as (plain, _):
        if not plain.seekable():
            raise InputError(f"{source.name}: is a packed workbook; unpack it, it packs itself")
        return _open(source, plain, known, wanted)


def _open(
    source: Source, file: IO[bytes], known: frozenset[str], wanted: TableSettings
) -> SpooledTable:
    package = Package(source, file)
    book = read_book(package)
    lengths = scan_texts(package, book.texts) if book.texts else []
    reader = _Reader(source, file, package, book, lengths)
    sheet, why = _choose(reader, known | wanted.columns, wanted.sheet)
    rows = reader.rows(sheet, wanted)
    first = [row for row in islice(rows.cells(), wanted.header or LOOKED_AT) if any(row[1])]
    if not first:
        raise InputError(f"{source.name}: sheet {sheet.name!r} is empty; {_others(book, sheet)}")
    texts = [cells for _, cells in first]
    at = find_header(texts, known | wanted.columns) if wanted.header is None else len(first) - 1
    line, cells = first[at]
    width = max(place for place, cell in enumerate(cells, start=1) if cell.strip())
    header, renamed = named_columns(cells[:width], f"{source.name}: row {line}", known)
    wide = _wide(rows, line, width)
    header += tuple(f"column {place}" for place in range(width + 1, wide + 1))
    notes = [f"sheet {sheet.name!r} is read{why}", *title_note(texts[:at], line), *renamed]
    if others := _others(book, sheet):
        notes.append(others)
    return SpooledTable(
        source=source,
        form="xlsx",
        header=header,
        header_line=line,
        notes=tuple(notes) if len(book.sheets) > 1 else tuple(notes[1:]),
        details={"sheet": sheet.name, "day numbers": f"from {book.epoch}", **rows.told()},
        _file=spooled(source, rows.below(line, len(header))),
    )


def _wide(rows: SheetRows, line: int, width: int) -> int:
    """How wide the rows below the header are: nameless columns are columns all the same."""
    wide = width
    for at, cells in rows.cells():
        if at > line and len(cells) > wide:
            filled = [place for place, cell in enumerate(cells, start=1) if cell]
            wide = max(wide, filled[-1] if filled else 0)
    return wide


class _Reader:
    """Reads sheets of one workbook."""

    def __init__(
        self, source: Source, file: IO[bytes], package: Package, book: Book, lengths: list[int]
    ) -> None:
        self.source = source
        self.book = book
        self._file = file
        self._package = package
        self._lengths = lengths
        self._opened: Any = None
        self._facts: dict[str, SheetFacts] = {}
        self._sheets: dict[str, Any] = {}

    def facts(self, sheet: Sheet) -> SheetFacts:
        """What the sheet's XML says; refused where it is too much to read."""
        if sheet.name not in self._facts:
            found = scan_sheet(self._package, sheet.member, self._lengths)
            found.text += sum(self._lengths)
            found.refuse_huge(self.source.name, sheet.name, self.source.limits)
            self._facts[sheet.name] = found
        return self._facts[sheet.name]

    def rows(self, sheet: Sheet, wanted: TableSettings | None = None) -> SheetRows:
        """The sheet's rows."""
        facts = self.facts(sheet)
        return SheetRows(self._read(sheet), facts, wanted)

    def _read(self, sheet: Sheet) -> Any:
        try:
            if self._opened is None:
                self._file.seek(0)
                self._opened = python_calamine.CalamineWorkbook.from_filelike(self._file)
            if sheet.name not in self._sheets:
                # Only one sheet is in memory at a time.
                self._sheets = {sheet.name: self._opened.get_sheet_by_name(sheet.name)}
            return self._sheets[sheet.name]
        except python_calamine.PasswordError:
            raise InputError(f"{self.source.name}: has a password; save it without one") from None
        except Exception as error:  # noqa: BLE001 - whatever a damaged file makes it say
            raise self._package.damaged(" ".join(str(error).split())[:200]) from None
        except BaseException as error:
            # A failed assertion of the library, which is no Exception in Python.
            if type(error).__name__ == "PanicException":
                raise self._package.damaged("the reader gave up on it") from None
            raise


def _choose(reader: _Reader, known: frozenset[str], wanted: str) -> tuple[Sheet, str]:
    """The sheet to read, and why."""
    name, sheets = reader.source.name, reader.book.sheets
    if wanted:
        found = [s for s in sheets if s.name.casefold() == wanted.casefold()]
        if not found:
            raise InputError(f"{name}: has no sheet {wanted!r}; there are {_names(sheets)}")
        return found[0], " because it was named"
    visible = [sheet for sheet in sheets if not sheet.hidden]
    if not visible:
        raise InputError(f"{name}: has no visible sheet; name one of {_names(sheets)}")
    if len(visible) == 1:
        return visible[0], ": it is the only visible one"
    fits = {sheet: _known_columns(reader, sheet, known) for sheet in visible}
    best = max(fits.values())
    if best >= _ENOUGH:
        alike = [sheet for sheet in visible if fits[sheet] == best]
        if len(alike) > 1:
            raise InputError(
                f"{name}: the sheets {_names(alike)} fit alike; name one: FILE.xlsx#SHEET, "
                "or sheet in a mapping"
            )
        return alike[0], f": {best} of its columns are known, more than of any other"
    sizes = {s: reader.facts(s).cells for s in visible}
    return max(visible, key=lambda s: sizes[s]), ": it is the largest visible one"


def _known_columns(reader: _Reader, sheet: Sheet, known: frozenset[str]) -> int:
    first = [cells for _, cells in islice(reader.rows(sheet).cells(), LOOKED_AT) if any(cells)]
    if not first:
        return 0
    return sum(cell.strip().casefold() in known for cell in first[find_header(first, known)])


def _others(book: Book, sheet: Sheet) -> str:
    others = [other for other in book.sheets if other is not sheet]
    return f"not read: {_names(others)}" if others else ""


def _names(sheets: list[Sheet]) -> str:
    shown = [f"{s.name!r}{' (hidden)' if s.hidden else ''}" for s in sheets[:_SHOWN]]
    more = f" and {len(sheets) - _SHOWN} more" if len(sheets) > _SHOWN else ""
    return ", ".join(shown) + more
