"""What every format gives: a header, and rows of texts with the place they come from.

Next: provenance/ingest/heading.py
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

from provenance.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from provenance.ingest.sources import Source

__all__ = [
    "MAX_BLANK",
    "MAX_ROW",
    "Position",
    "Row",
    "Table",
    "TableSettings",
    "refuse_endless",
    "said_lines",
]

MAX_ROW: Final = 1 << 20
"""Most characters that one row may have, embedded newlines included."""
MAX_BLANK: Final = 2_000_000
"""Most rows without any text that may follow each other: about twice what a sheet can have."""


def refuse_endless(name: str, line: int, since: int) -> None:
    """Refuse to pass over ever more blank lines.

    Args:
        name: Of the file.
        line: The one that is reached.
        since: The last that was none of them, 0 at the beginning.

    Raises:
        InputError: There are too many.
    """
    if line - since > MAX_BLANK:
        said = f"more than {MAX_BLANK:,} blank lines from line {since + 1} on"
        raise InputError(f"{name}: {said}; is this a table?")


def said_lines(text: TextIO, name: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers; one over `MAX_ROW` in parts.

    Raises:
        InputError: As for `refuse_endless`.
    """
    since = 0
    for number, line in enumerate(iter(partial(text.readline, MAX_ROW), ""), 1):
        if line.isspace():
            refuse_endless(name, number, since)
        else:
            since = number
            yield number, line


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        line: The line on which it starts, from 1; no two rows of a table share one.
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


class TableSettings(NamedTuple):
    """What a mapping says about the form of a table; None and "" leave it to the file.

    Attributes:
        encoding: Where there is no byte order mark.
        header: The line or row of the header.
        sheet: Of a workbook.
        rows: In JSON, the list within each value whose elements are the rows.
        merged: "fill" gives each cell of a merged area its text.
        decimal: The decimal sign of texts; typed numbers are written with it too.
        columns: Folded names of columns that the mapping uses.
    """

    encoding: str | None = None
    header: int | None = None
    sheet: str = ""
    rows: str = ""
    merged: Literal["", "fill"] = ""
    decimal: Literal["", ".", ","] = ""
    columns: frozenset[str] = frozenset()


class Table(Protocol):
    """A file whose header has been read; each call of `rows` reads it anew.

    Attributes:
        source: The bytes.
        form: "csv", "xlsx", "jsonl" or "parquet".
        header: The column names, stripped; a nameless column is "column N".
        header_line: The line or row on which the header stands, 0 where names are in each row.
        notes: What a person should know about how the table was found in the file.
        details: Form-specific facts for `inspect`, by name.
    """

    @property
    def source(self) -> Source:
        """Return the bytes."""
        ...

    @property
    def form(self) -> str:
        """Return "csv", "xlsx", "jsonl" or "parquet"."""
        ...

    @property
    def header(self) -> tuple[str, ...]:
        """Return the column names."""
        ...

    @property
    def header_line(self) -> int:
        """Return the line of the header, or 0."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a person should know."""
        ...

    @property
    def details(self) -> dict[str, str]:
        """Return facts for `inspect`."""
        ...

    def rows(self, progress: Callable[[Position], None] | None = None) -> Iterator[Row]:
        """Yield the rows after the header, in order; rows without any text are passed over.

        Args:
            progress: Called now and then with the position in the file.

        Raises:
            InputError: The file cannot be read on; the message names the line and the remedy.
        """
        ...
