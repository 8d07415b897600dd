"""Rows kept in a temporary file, for formats that are costly to read twice.

A workbook is read into memory once, written here row by row, and let go.
Both passes of an ingest then stream from here, with flat memory. The file has
no name: the system deletes it with the process, also after a crash.

Next: provenance/ingest/formats/xlsx.py
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

import orjson

from provenance.ingest.sources import unreadable
from provenance.ingest.table import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from provenance.ingest.sources import Source
    from provenance.ingest.table import Position

__all__ = ["SpooledTable", "spooled"]

_PROGRESS: Final = 1000
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class SpooledTable:
    """A table whose rows lie in a temporary file.

    Attributes:
        source: The file that it was made of.
        form: Its format.
        header: The column names.
        header_line: The row on which the header stands.
        notes: As for any `Table`.
        details: As for any `Table`.
    """

    source: Source
    form: str
    header: tuple[str, ...]
    header_line: int
    notes: tuple[str, ...]
    details: dict[str, str]
    _file: IO[bytes] = field(repr=False, compare=False)

    def rows(self, progress: Callable[[Position], None] | None = None) -> Iterator[Row]:
        """Yield the rows, as often as asked."""
        size = os.fstat(self._file.fileno()).st_size
        at = 0
        for count, line in enumerate(self._lines()):
            at += len(line)
            yield Row(*orjson.loads(line))
            if progress is not None and count % _PROGRESS == 0:
                progress((at, size))

    def _lines(self) -> Iterator[bytes]:
        """The file's lines, by places of its own: another reader may be on its way too."""
        at, rest = 0, b""
        with unreadable(self.source.name):
            while block := os.pread(self._file.fileno(), _BLOCK, at):
                at += len(block)
                *whole, rest = (rest + block).split(b"\n")
                yield from whole


def spooled(source: Source, rows: Iterable[Row]) -> IO[bytes]:
    """Write rows to a temporary file that goes with the source."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the source closes it
    source.keep(file)
    with unreadable(source.name):
        for row in rows:
            file.write(orjson.dumps(tuple(row)) + b"\n")
        file.flush()
    return file
