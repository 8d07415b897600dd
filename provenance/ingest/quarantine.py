"""What was not taken, rows and EPCIS events: kept with place, reason and original text.

The quarantine file of a table is a table with the same columns and others
called `quarantine_...`; that of an EPCIS document is a document of the same
context. Correct it and ingest it like any file: what was added is ignored, but
for the date order that the whole table had decided.

The name follows from the source's content, so the same file twice gives the
same quarantine file once. A file that a person may have edited meanwhile is
never overwritten. Cells that a spreadsheet would run as a formula get an
apostrophe in front, which is taken off again when the file is read.

Next: provenance/ingest/receipt.py
"""

from __future__ import annotations

import csv
import fcntl
import filecmp
import os
import re
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from provenance import spreadsheet
from provenance.epcis.vocabulary import CONTEXT
from provenance.epcis.writing import json_text
from provenance.errors import StorageError
from provenance.ingest.headers import IGNORED_PREFIX
from provenance.ingest.rows import HINT_COLUMN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from provenance.ingest.values import Unacceptable

__all__ = ["EventQuarantine", "Quarantine", "Rejected", "is_quarantine", "unguarded"]

_COLUMNS: Final = (
    f"{IGNORED_PREFIX}line",
    f"{IGNORED_PREFIX}column",
    f"{IGNORED_PREFIX}reason",
    f"{IGNORED_PREFIX}text",
    HINT_COLUMN,
)
_OWN_NAME: Final = re.compile(r"(?:-[0-9a-f]{12}(?:-\d{1,4})?)+\Z")


class Rejected(NamedTuple):
    """A row or event that was not taken.

    Attributes:
        line: Where it starts in its file; 0 for an event, whose place is in `why`.
        cells: Its cells, fewer or more than the header has where it is ragged.
        why: The culprit and the reason.
        raw: Its original text where it could not be split into its columns, else ""; an event's
            always.
        date_order: How its open dates were read, or "".
        field: What reasons are counted by instead of the column, which for an event has its
            number in it; "" for the column.
        origin: JSON pointer to an event in the document in which it was first delivered.
    """

    line: int
    cells: list[str]
    why: Unacceptable
    raw: str = ""
    date_order: str = ""
    field: str = ""
    origin: str = ""


class Quarantine:
    """The quarantine file of one source; nothing is written until a row is rejected."""

    _ending = ".csv"

    def __init__(self, directory: Path, stem: str, digest: bytes, header: Sequence[str]) -> None:
        """Prepare for a source.

        Args:
            directory: Where quarantine files lie; made when needed.
            stem: The source's name without endings.
            digest: Of its bytes.
            header: Its columns.
        """
        self._directory = directory
        safe = re.sub(r"[^A-Za-z0-9._-]+", "_", self._first(stem)).strip("._")[:60] or "rows"
        self._name = f"{safe}-{digest.hex()[:12]}"
        self._fresh = directory / f".{self._name}.new"
        self._kept = [at for at, column in enumerate(header) if not _is_ignored(column)]
        self._width = len(header)
        folded = [column.casefold() for column in header]
        self._line_at = folded.index(_COLUMNS[0]) if _COLUMNS[0] in folded else None
        self._header = [header[at] for at in self._kept]
        self._file: IO[str] | None = None
        self._writer: Any = None

    def add(self, row: Rejected) -> None:
        """Keep one row.

        Raises:
            StorageError: The disk refused.
        """
        with _translated(self._directory):
            self._write(self._file or self._open(), row)

    def _write(self, _file: IO[str], row: Rejected) -> None:
        cells = (row.cells + [""] * self._width)[: self._width]
        notes = [
            self._first_line(row, cells),
            row.why.column,
            str(row.why),
            row.raw,
            row.date_order,
        ]
        kept = [cells[at] for at in self._kept]
        self._writer.writerow([spreadsheet.guarded(text) for text in (*kept, *notes)])

    def _first_line(self, row: Rejected, cells: list[str]) -> str:
        """The line of the first delivery: a row that is refused again stays the same row."""
        known = cells[self._line_at].strip() if self._line_at is not None else ""
        return known if known.isascii() and known.isdigit() else str(row.line)

    @staticmethod
    def _first(stem: str) -> str:
        """A corrected file is called like the first delivery, however often it comes."""
        return _OWN_NAME.sub("", stem) or stem

    def _open(self) -> IO[str]:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A crash leaves this hidden file; the next ingest of the same source overwrites it.
        descriptor = os.open(self._fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        # Held as long as the file grows: who finds it unlocked knows that it was left behind.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        self._begin(self._file)
        return self._file

    def _begin(self, file: IO[str]) -> None:
        # CRLF also makes the writer quote a bare CR in a cell, which LF would not.
        self._writer = csv.writer(file, lineterminator="\r\n")
        self._writer.writerow([*self._header, *_COLUMNS])

    def finish(self) -> Path | None:
        """Put the file in place, durably; None when no row was rejected.

        Raises:
            StorageError: The disk refused.
        """
        if self._file is None:
            return None
        with _translated(self._directory):
            self._end(self._file)
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            target = self._target()
            if target.exists():
                self._fresh.unlink()
                return target
            # A crash before the rename: the rows come again with the next ingest of the source.
            self._fresh.rename(target)
            descriptor = os.open(self._directory, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            return target

    def _end(self, file: IO[str]) -> None:
        """Write what comes after the last row; after those of a table comes nothing."""

    def discard(self) -> None:
        """Leave nothing behind, after an ingest that did not come to its end."""
        if self._file is not None:
            self._file.close()
            self._fresh.unlink(missing_ok=True)

    def _target(self) -> Path:
        """The first name that is free, or whose file says the same."""
        number = 1
        while True:
            ending = "" if number == 1 else f"-{number}"
            target = self._directory / f"{self._name}{ending}{self._ending}"
            if not target.exists() or filecmp.cmp(self._fresh, target, shallow=False):
                return target
            number += 1


class EventQuarantine(Quarantine):
    """The quarantine file of one EPCIS document."""

    _ending = ".jsonld"

    def __init__(self, directory: Path, stem: str, digest: bytes, context: list[Any]) -> None:
        """Prepare for a source; `context` is what its events are read with."""
        super().__init__(directory, stem, digest, ())
        self._context = context
        self._separator = ""

    def _begin(self, file: IO[str]) -> None:
        context = json_text([CONTEXT, *self._context])
        head = f'{{"type": "EPCISDocument", "schemaVersion": "2.0",\n"@context": {context},\n'
        file.write(f'{head}"epcisBody": {{"quarantine": [')

    def _write(self, file: IO[str], row: Rejected) -> None:
        told = {"at": row.origin, "place": row.why.column, "reason": str(row.why)}
        file.write(f'{self._separator}\n{json_text(told)[:-1]},\n"event": {row.raw}}}')
        self._separator = ","

    def _end(self, file: IO[str]) -> None:
        file.write("\n]}}\n")


def is_quarantine(header: Sequence[str]) -> bool:
    """Tell whether a file with this header is a quarantine file."""
    return _COLUMNS[0] in header


def unguarded(cells: list[str]) -> list[str]:
    """Take off the apostrophes that keep spreadsheets from running cells."""
    return [spreadsheet.unguarded(cell) for cell in cells]


def _is_ignored(column: str) -> bool:
    return column.casefold().startswith(IGNORED_PREFIX)


@contextmanager
def _translated(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{place}: the quarantine cannot be written: {error.strerror}") from None
