"""Workbooks: the sheets of an .xlsx file, each as a table.

Which sheet, where one is asked for: the one that is named; else the visible one
whose header has most of the columns we know; else the largest visible one.
`list_sheets` tells what all of them are, so that none is passed over unseen.
Hidden sheets are only taken by name.

Values are those that the workbook stores: a formula counts by its stored
result. A cell that holds an error, a formula without a result, or stands under
a merged area of several rows spoils its row, which is set aside with the
reason; nothing is taken as empty that is not.

Next: provenance/ingest/formats/jsonlines.py
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import python_calamine

from provenance.errors import InputError
from provenance.ingest.formats.package import Package
from provenance.ingest.formats.sheet_rows import SheetRows
from provenance.ingest.formats.sheet_scan import SheetFacts, scan_sheet, scan_texts
from provenance.ingest.formats.spool import SpooledTable, spooled
from provenance.ingest.formats.workbook import Book, Sheet, read_book
from provenance.ingest.heading import LOOKED_AT, find_header, named_columns, title_note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.ingest.sources import Source
    from provenance.ingest.table import TableSettings

__all__ = ["Listed", "list_sheets", "open_workbook", "said_of"]

_ENOUGH: Final = 2
_SHOWN: Final = 8


class Listed(NamedTuple):
    """A sheet of a workbook, by its top.

    Attributes:
        name: Its name.
        hidden: Whether people see it.
        header: Its columns; () where it has none, or nobody may see it.
        last: The last row that its XML names.
    """

    name: str
    hidden: bool
    header: tuple[str, ...]
    last: int


def list_sheets(source: Source, known: frozenset[str], wanted: TableSettings) -> list[Listed]:
    """Look at the top of every sheet of a workbook; one that is alone is not looked into.

    Args:
        source: The file.
        known: Folded native column names.
        wanted: Header row and decimal sign, where a mapping says so.

    Raises:
        InputError: Damaged, or a visible sheet is too large to be read.
    """
    with _workbook(source) as reader:
        if len(reader.book.sheets) == 1:
            (only,) = reader.book.sheets
            return [Listed(only.name, only.hidden, (), 0)]
        return [_listed(reader, sheet, known, wanted) for sheet in reader.book.sheets]


def _listed(reader: _Reader, sheet: Sheet, known: frozenset[str], wanted: TableSettings) -> Listed:
    if sheet.hidden:
        return Listed(sheet.name, True, (), reader.scanned(sheet).rows)
    top = _top(reader, sheet, known, wanted)
    return Listed(sheet.name, False, top.header if top else (), reader.facts(sheet).rows)


def open_workbook(source: Source, known: frozenset[str], wanted: TableSettings) -> SpooledTable:
    """Read one sheet of a workbook.

    Args:
        source: The file.
        known: Folded native column names.
        wanted: Sheet, header row and decimal sign, where a mapping says so.

    Raises:
        InputError: Damaged, too large, no such sheet, or several that may be meant.
    """
    with _workbook(source) as reader:
        return _open(reader, known, wanted)


@contextmanager
def _workbook(source: Source) -> Iterator[_Reader]:
    with source.open() as (plain, _):
        if not plain.seekable():
            raise InputError(f"{source.name}: is a packed workbook; unpack it, it packs itself")
        package = Package(source, plain)
        book = read_book(package)
        lengths = scan_texts(package, book.texts) if book.texts else []
        yield _Reader(source, plain, package, book, lengths)


def _open(reader: _Reader, known: frozenset[str], wanted: TableSettings) -> SpooledTable:
    source, book = reader.source, reader.book
    sheet, why = _choose(reader, known | wanted.columns, wanted.sheet)
    rows = reader.rows(sheet, wanted)
    top = _top(reader, sheet, known, wanted)
    if top is None:
        others = "; there are " + _names(book.sheets) if len(book.sheets) > 1 else ""
        raise InputError(f"{source.name}: sheet {sheet.name!r} is empty{others}")
    header, line = top.header, top.line
    wide = _wide(rows, line, len(header))
    header += tuple(f"column {place}" for place in range(len(header) + 1, wide + 1))
    notes = [f"sheet {sheet.name!r} is read{why}", *top.notes]
    return SpooledTable(
        source=source,
        form="xlsx",
        header=header,
        header_line=line,
        notes=tuple(notes) if why else tuple(notes[1:]),
        details={"sheet": sheet.name, "day numbers": f"from {book.epoch}", **rows.told()},
        _file=spooled(source, rows.below(line, len(header))),
    )


class _Top(NamedTuple):
    """A sheet's header, the row it stands on, and what is odd about it."""

    header: tuple[str, ...]
    line: int
    notes: tuple[str, ...]


def _top(
    reader: _Reader, sheet: Sheet, known: frozenset[str], wanted: TableSettings
) -> _Top | None:
    """The header of a sheet; None where it is empty as far as one is looked for."""
    rows = reader.rows(sheet, wanted)
    first = [row for row in islice(rows.cells(), wanted.header or LOOKED_AT) if any(row[1])]
    if not first:
        return None
    texts = [cells for _, cells in first]
    at = find_header(texts, known | wanted.columns) if wanted.header is None else len(first) - 1
    line, cells = first[at]
    width = max(place for place, cell in enumerate(cells, start=1) if cell.strip())
    named = f"sheet {sheet.name!r}, " if len(reader.book.sheets) > 1 else ""
    place = f"{reader.source.name}: {named}row {line}"
    header, renamed = named_columns(cells[:width], place, known)
    return _Top(header, line, (*title_note(texts[:at], line), *renamed))


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
        found = self.scanned(sheet)
        found.refuse_huge(self.source.name, sheet.name, self.source.limits)
        return found

    def scanned(self, sheet: Sheet) -> SheetFacts:
        """What the sheet's XML says, however much it is."""
        if sheet.name not in self._facts:
            found = scan_sheet(self._package, sheet.member, self._lengths)
            found.text += sum(self._lengths)
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
        return found[0], ""
    visible = [sheet for sheet in sheets if not sheet.hidden]
    if not visible:
        raise InputError(f"{name}: has no visible sheet; name one of {_names(sheets)}")
    if len(visible) == 1:
        return visible[0], ": it is the only visible one" if len(sheets) > 1 else ""
    fits = {sheet: _known_columns(reader, sheet, known) for sheet in visible}
    best = max(fits.values())
    if best >= _ENOUGH:
        alike = [sheet for sheet in visible if fits[sheet] == best]
        if len(alike) == 1:
            return alike[0], f": {best} of its columns are known, more than of any other"
        visible = alike
    sizes = {s: reader.facts(s).cells for s in visible}
    return max(visible, key=lambda s: sizes[s]), ": it is the largest that may be meant"


def _known_columns(reader: _Reader, sheet: Sheet, known: frozenset[str]) -> int:
    first = [cells for _, cells in islice(reader.rows(sheet).cells(), LOOKED_AT) if any(cells)]
    if not first:
        return 0
    return sum(cell.strip().casefold() in known for cell in first[find_header(first, known)])


def said_of(sheets: Sequence[Listed]) -> str:
    """Name sheets, with how far they reach."""
    shown = [
        f"{s.name!r} ({'hidden, ' if s.hidden else ''}{s.last:,} row{'s' * (s.last != 1)})"
        for s in sheets[:_SHOWN]
    ]
    more = f" and {len(sheets) - _SHOWN} more" if len(sheets) > _SHOWN else ""
    return ", ".join(shown) + more


def _names(sheets: list[Sheet]) -> str:
    shown = [f"{s.name!r}{' (hidden)' if s.hidden else ''}" for s in sheets[:_SHOWN]]
    more = f" and {len(sheets) - _SHOWN} more" if len(sheets) > _SHOWN else ""
    return ", ".join(shown) + more
