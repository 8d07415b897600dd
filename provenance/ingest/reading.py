"""Bytes to rows: encodings, newlines, separators, quotes; memory stays flat.

The standard library's csv parser (C, RFC 4180, strict) does the work; it is
fed line by line from a reader that ends lines at CRLF, LF and bare CR, and
that bounds what one line and one row may hold. A row that cannot be split
into its columns comes back with its original text instead of cells; a file
that cannot be read at all is one `InputError`.

Next: provenance/ingest/formats/opening.py
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from provenance.errors import InputError
from provenance.ingest.decoding import codec_of, undecodable
from provenance.ingest.heading import LOOKED_AT, find_header, named_columns, title_note
from provenance.ingest.table import (
    MAX_ROW,
    Position,
    Row,
    Table,
    TableSettings,
    refuse_endless,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.ingest.sources import Source

__all__ = ["CsvTable", "Position", "Row", "Table", "open_table"]

_SEPARATORS: Final = ",;\t|"
_PROGRESS: Final = 1000
_LONGEST_CELL: Final = 1 << 17
_SAMPLE: Final = 1 << 18


@dataclass(frozen=True)
class CsvTable:
    """A file of separated values.

    Attributes:
        source: The bytes.
        encoding: The codec that fits its first bytes or that was asked for.
        separator: One of comma, semicolon, tab and bar.
        header: The column names.
        header_line: The line on which the header begins.
        header_end: The line on which the header ends.
        notes: What stands above the header, and renamed columns.
        cells: The header as it stands in the file.
    """

    source: Source
    encoding: str
    separator: str
    header: tuple[str, ...]
    header_line: int
    header_end: int
    notes: tuple[str, ...]
    cells: tuple[str, ...]

    @property
    def form(self) -> str:
        """What `Table` asks for."""
        return "csv"

    @property
    def details(self) -> dict[str, str]:
        """Encoding and separator, in words."""
        encoding = self.encoding.replace("-sig", ", with a byte order mark")
        return {"encoding": encoding, "separator": _SAID[self.separator]}

    def rows(self, progress: Callable[[Position], None] | None = None) -> Iterator[Row]:
        """Yield the rows after the header, in order; rows without any text are passed over.

        Args:
            progress: Called now and then with the position in the file.

        Raises:
            InputError: Undecodable bytes, NUL characters, a row over 1 MiB, an endless
                quote, damaged compression: the message names the line and the remedy.
        """
        with self.source.open() as (plain, file), _text(plain, self.encoding) as text:
            lines = _Lines(text, self.source.name)
            try:
                for _ in range(self.header_end):
                    next(lines.stream, None)
                lines.fresh = True
                # The limit belongs to the whole process; somebody may have raised it.
                csv.field_size_limit(_LONGEST_CELL)
                reader = csv.reader(lines.stream, delimiter=self.separator, strict=True)
                for count, row in enumerate(_split(reader, lines, self.cells)):
                    yield row
                    if progress is not None and count % _PROGRESS == 0:
                        progress((file.tell(), self.source.size))
            except UnicodeDecodeError as error:
                raise undecodable(self.source, self.encoding, error) from None
            except csv.Error as error:
                raise InputError(f"{self.source.name}: line {lines.row_line}: {error}") from None


def open_table(
    source: Source, encoding: str | None, known: frozenset[str], wanted: TableSettings | None = None
) -> CsvTable:
    """Recognise encoding and separator, and read the header.

    Args:
        source: The bytes.
        encoding: What the user or the mapping says; a byte order mark goes before it.
        known: Folded native column names; the separator that finds most of them is the file's.
        wanted: What a mapping says.

    Raises:
        InputError: Empty, unreadable, unknown encoding, or a native column twice.
    """
    wanted = wanted or TableSettings()
    with source.open() as (plain, _):
        codec = codec_of(source.name, encoding, plain.read(3))
    with source.open() as (plain, _), _text(plain, codec) as text:
        lines = _Lines(text, source.name)
        try:
            record = _header_record(lines, source.name, wanted.header)
        except UnicodeDecodeError as error:
            raise undecodable(source, codec, error) from None
        first_line, end = lines.row_line, lines.line
        candidates = [(mark, cells) for mark in _SEPARATORS if (cells := _cells(record, mark))]
        if not candidates:
            raise InputError(f"{source.name}: line {first_line}: the header's quotes do not match")
        sample = [*record, *_more(lines)]
    below = [_found(mark, sample, first_line, known | wanted.columns) for mark in _SEPARATORS]
    if wanted.header is not None:
        below = [found._replace(at=0) for found in below]
    below = [found for found in below if found.rows]
    if not below:
        raise InputError(f"{source.name}: line {first_line}: no column has a name")
    best = max(below, key=_Found.fit)
    start, last, cells = best.rows[best.at]
    header, notes = named_columns(cells, f"{source.name}: line {start}", known)
    above = [row.cells for row in best.rows[: best.at]]
    return CsvTable(
        source=source,
        encoding=codec,
        separator=best.separator,
        header=header,
        header_line=start,
        header_end=last if best.at else end,
        notes=(*title_note(above, start), *notes),
        cells=tuple(cells),
    )


class _Record(NamedTuple):
    """A row of the sample: its first and last line, and its cells."""

    first: int
    last: int
    cells: list[str]


class _Found(NamedTuple):
    """How the first rows of a file look with one separator."""

    separator: str
    rows: list[_Record]
    at: int
    known: frozenset[str]

    def fit(self) -> tuple[int, int, int]:
        """Known columns, then rows as wide as the header, then its width; more is better."""
        cells = self.rows[self.at].cells
        names = sum(cell.strip().casefold() in self.known for cell in cells)
        width = len(cells)
        like = sum(len(row.cells) == width for row in self.rows[self.at :]) if width > 1 else 0
        return names, like, width


def _found(mark: str, sample: list[str], line: int, known: frozenset[str]) -> _Found:
    reader = csv.reader(sample, delimiter=mark, strict=True)
    rows: list[_Record] = []
    before = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and len(rows) < LOOKED_AT:
                rows.append(_Record(line + before, line + reader.line_num - 1, cells))
            before = reader.line_num
    except csv.Error:
        pass
    return _Found(mark, rows, find_header([row.cells for row in rows], known), known)


def _more(lines: _Lines) -> list[str]:
    """Some lines after the first row; what cannot be read there is found when it is its turn."""
    found: list[str] = []
    size = 0
    try:
        for line in lines.stream:
            lines.fresh = True
            found.append(line)
            size += len(line)
            if len(found) >= LOOKED_AT or size > _SAMPLE:
                break
    except (UnicodeDecodeError, InputError):
        pass
    return found


def _text(plain: IO[bytes], codec: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(plain, encoding=codec, newline="")


class _Lines:
    """Lines with their newlines, and the place of the row that is being read.

    Attributes:
        name: Of the file.
        stream: The lines.
        line: Number of the last one.
        row_line: Where the present row started.
        row: Its lines.
        fresh: Set by the consumer when the next line begins a new row.
    """

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self.name = name
        self.stream = self._read(text.readline, name)
        self.line = 0
        self.row_line = 1
        self.row: list[str] = []
        self.fresh = True

    def _read(self, readline: Callable[[int], str], name: str) -> Iterator[str]:
        size = 0
        while line := readline(MAX_ROW):
            self.line += 1
            if self.fresh:
                self.fresh = False
                self.row = []
                self.row_line = self.line
                size = 0
            self.row.append(line)
            size += len(line)
            if size >= MAX_ROW:
                raise InputError(
                    f"{name}: line {self.row_line}: a row of more than {MAX_ROW} characters; "
                    "is a newline or a closing quote missing?"
                )
            if "\0" in line:
                raise InputError(
                    f"{name}: line {self.line}: a NUL character; "
                    "if the file is UTF-16, say --encoding utf-16-le"
                )
            yield line


def _split(reader: Iterator[list[str]], lines: _Lines, header: tuple[str, ...]) -> Iterator[Row]:
    """Yield rows; after a malformed one the parser goes on with the next line."""
    width, first = len(header), header[0]
    beginning = lines.line
    while True:
        try:
            for cells in reader:
                lines.fresh = True
                if not any(cells):
                    refuse_endless(lines.name, lines.line, beginning)
                    continue
                beginning = lines.line
                if len(cells) == width:
                    if cells[0][-len(first) :] == first and _is_header(cells, header):
                        yield Row(lines.row_line, cells, _AGAIN, "".join(lines.row))
                    else:
                        yield Row(lines.row_line, cells)
                elif any(cell.strip() for cell in cells):
                    problem = f"has {len(cells)} cells, the header has {width}"
                    yield Row(lines.row_line, cells, problem, "".join(lines.row))
        except csv.Error as error:
            if "field limit" in str(error):
                raise csv.Error(_ENDLESS) from None
            yield Row(lines.row_line, [], f"is not well-formed: {error}", "".join(lines.row))
            lines.fresh, beginning = True, lines.line
        else:
            return


def _is_header(cells: list[str], header: tuple[str, ...]) -> bool:
    """Whether a row is the header again, as where files were put one behind the other."""
    return len(header) > 1 and [cells[0].lstrip("\ufeff"), *cells[1:]] == list(header)


_AGAIN: Final = "repeats the header; were files put together?"
_ENDLESS: Final = "a cell of more than 128 KiB; is a closing quote missing?"


def _header_record(lines: _Lines, name: str, wanted: int | None) -> list[str]:
    """The lines of the first row that is not blank, or of the one that is wanted."""
    for line in lines.stream:
        if wanted is not None and lines.line < wanted:
            lines.fresh = True
            continue
        if line.strip(" \t\r\n,;|"):
            record = [line]
            break
        lines.fresh = True
        refuse_endless(name, lines.line, 0)
    else:
        raise InputError(f"{name}: is empty; a header and rows are expected")
    # A quoted name may hold newlines: read on until the quotes are even.
    while sum(line.count('"') for line in record) % 2:
        following = next(lines.stream, None)
        if following is None:
            raise InputError(f"{name}: line {lines.row_line}: a quote in the header is not closed")
        record.append(following)
    return record


def _cells(record: list[str], separator: str) -> list[str]:
    try:
        return next(csv.reader(record, delimiter=separator, strict=True))
    except csv.Error:
        return []


_SAID: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
