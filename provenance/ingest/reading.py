"""Bytes to rows: encodings, newlines, separators, quotes; memory stays flat.

The standard library's csv parser (C, RFC 4180, strict) does the work; it is
fed line by line from a reader that ends lines at CRLF, LF and bare CR, and
that bounds what one line and one row may hold. A row that cannot be split
into its columns comes back with its original text instead of cells; a file
that cannot be read at all is one `InputError`.

Next: provenance/ingest/columns.py
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final, NamedTuple

from provenance.errors import InputError
from provenance.ingest.decoding import codec_of, undecodable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.ingest.sources import Source

__all__ = ["Position", "Row", "Table", "open_table"]

MAX_ROW: Final = 1 << 20
"""Most characters that one row may have, embedded newlines included."""
_SEPARATORS: Final = ",;\t|"
_MAX_COLUMNS: Final = 2000
_PROGRESS: Final = 1000


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        line: The line on which it starts, from 1.
        cells: One text per column of the header; fewer or more only where there is a `problem`.
        problem: Why it cannot be split into its columns, "" where it can.
        raw: Its original text, only where there is a `problem`.
    """

    line: int
    cells: list[str]
    problem: str = ""
    raw: str = ""


Position = tuple[int, int]
"""Bytes read and bytes in all, of the file as it lies on the disk."""


@dataclass(frozen=True)
class Table:
    """A file whose header has been read.

    Attributes:
        source: The bytes.
        encoding: The codec that fits its first bytes or that was asked for.
        separator: One of comma, semicolon, tab and bar.
        header: The column names, stripped; a nameless column is "column N".
        header_end: The line on which the header ends.
    """

    source: Source
    encoding: str
    separator: str
    header: tuple[str, ...]
    header_end: int

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
                reader = csv.reader(lines.stream, delimiter=self.separator, strict=True)
                for count, row in enumerate(_split(reader, lines, len(self.header))):
                    yield row
                    if progress is not None and count % _PROGRESS == 0:
                        progress((file.tell(), self.source.size))
            except UnicodeDecodeError as error:
                raise undecodable(self.source, self.encoding, error) from None
            except csv.Error as error:
                raise InputError(f"{self.source.name}: line {lines.row_line}: {error}") from None


def open_table(source: Source, encoding: str | None, known: frozenset[str]) -> Table:
    """Recognise encoding and separator, and read the header.

    Args:
        source: The bytes.
        encoding: What the user or the mapping says; a byte order mark goes before it.
        known: Folded column names; the separator that finds most of them is the file's.

    Raises:
        InputError: Empty, unreadable, unknown encoding, or a duplicate column.
    """
    with source.open() as (plain, _):
        codec = codec_of(source.name, encoding, plain.read(3))
    with source.open() as (plain, _), _text(plain, codec) as text:
        try:
            lines = _Lines(text, source.name)
            record = _header_record(lines, source.name)
        except UnicodeDecodeError as error:
            raise undecodable(source, codec, error) from None
    candidates = [(mark, cells) for mark in _SEPARATORS if (cells := _cells(record, mark))]
    if not candidates:
        raise InputError(f"{source.name}: line {lines.row_line}: the header's quotes do not match")

    def fit(candidate: tuple[str, list[str]]) -> tuple[int, int]:
        cells = candidate[1]
        return sum(cell.strip().casefold() in known for cell in cells), len(cells)

    separator, cells = max(candidates, key=fit)
    header = _named(cells, f"{source.name}: line {lines.row_line}")
    return Table(source, codec, separator, header, lines.line)


def _text(plain: IO[bytes], codec: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(plain, encoding=codec, newline="")


class _Lines:
    """Lines with their newlines, and the place of the row that is being read.

    Attributes:
        stream: The lines.
        line: Number of the last one.
        row_line: Where the present row started.
        row: Its lines.
        fresh: Set by the consumer when the next line begins a new row.
    """

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
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


def _split(reader: Iterator[list[str]], lines: _Lines, width: int) -> Iterator[Row]:
    """Yield rows; after a malformed one the parser goes on with the next line."""
    while True:
        try:
            for cells in reader:
                lines.fresh = True
                if len(cells) == width:
                    if any(cells):
                        yield Row(lines.row_line, cells)
                elif any(cell.strip() for cell in cells):
                    problem = f"has {len(cells)} cells, the header has {width}"
                    yield Row(lines.row_line, cells, problem, "".join(lines.row))
        except csv.Error as error:
            if "field limit" in str(error):
                raise csv.Error(_ENDLESS) from None
            yield Row(lines.row_line, [], f"is not well-formed: {error}", "".join(lines.row))
            lines.fresh = True
        else:
            return


_ENDLESS: Final = "a cell of more than 128 KiB; is a closing quote missing?"


def _header_record(lines: _Lines, name: str) -> list[str]:
    """The lines of the first row that is not blank."""
    for line in lines.stream:
        if line.strip(" \t\r\n,;|"):
            record = [line]
            break
        lines.fresh = True
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


def _named(cells: list[str], place_name: str) -> tuple[str, ...]:
    header = tuple(cell.strip() or f"column {place}" for place, cell in enumerate(cells, start=1))
    if len(header) > _MAX_COLUMNS:
        raise InputError(f"{place_name}: more than {_MAX_COLUMNS} columns; is this the header?")
    seen: dict[str, int] = {}
    for place, cell in enumerate(header, start=1):
        first = seen.setdefault(cell.casefold(), place)
        if first != place:
            raise InputError(
                f"{place_name}: column {cell!r} stands twice (columns {first} and {place}); "
                "rename or remove one"
            )
    return header
