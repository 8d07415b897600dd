"""Which format a file has, by its first bytes and not by its name, and its table.

Next: provenance/ingest/formats/texts.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from provenance.errors import InputError
from provenance.ingest.reading import open_table
from provenance.ingest.table import TableSettings

if TYPE_CHECKING:
    from provenance.ingest.formats.xlsx import Listed
    from provenance.ingest.sources import Source
    from provenance.ingest.table import Table

__all__ = ["looks_packed", "open_any", "sheets_in"]

_ZIP: Final = b"PK\x03\x04"
_PARQUET: Final = b"PAR1"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_JSON: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\{\s*["}]|\[\s*[{\]])')
_HEAD: Final = 1 << 12
_FOREIGN: Final = (
    (_OLE, "an old spreadsheet (.xls) or one with a password; save it as .xlsx or as CSV"),
    (b"%PDF", "a PDF; ask for the data as a table"),
    (b"{\\rtf", "a text document; save the table as CSV"),
    (b"<?xml", "XML; export it as CSV, or EPCIS as JSON"),
    (b"<html", "a web page, also where it is called .xls; save it as .xlsx or as CSV"),
    (b"<!DOCTYPE", "a web page, also where it is called .xls; save it as .xlsx or as CSV"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"BZh", "packed with bzip2; use gzip or zstd, or unpack it"),
    (b"\xfd7zXZ", "packed with xz; use gzip or zstd, or unpack it"),
    (b"SQLite format 3", "a database; export the table as CSV"),
    (b"Obj\x01", "an Avro file; export it as Parquet or CSV"),
)


def open_any(source: Source, known: frozenset[str], wanted: TableSettings | None = None) -> Table:
    """Open a table of whatever format.

    Args:
        source: The bytes; also packed with gzip or zstd.
        known: Folded native column names.
        wanted: What the user and the mapping say about its form.

    Raises:
        InputError: It is no table, or one of a format that is not read.
    """
    wanted = wanted or TableSettings()
    head = head_of(source)
    if head.startswith(_ZIP):
        from provenance.ingest.formats.xlsx import open_workbook  # noqa: PLC0415 - heavy

        return open_workbook(source, known, wanted)
    if head.startswith(_PARQUET):
        from provenance.ingest.formats.parquet import open_parquet  # noqa: PLC0415 - heavy

        return open_parquet(source, known)
    if _JSON.match(head):
        from provenance.ingest.formats.jsonlines import open_json  # noqa: PLC0415 - as the others

        return open_json(source, known, wanted)
    for start, said in _FOREIGN:
        if head.lstrip()[: len(start)].lower() == start.lower():
            raise InputError(f"{source.name}: is {said}")
    return open_table(source, wanted.encoding, known, wanted)


def sheets_in(source: Source, known: frozenset[str], wanted: TableSettings) -> list[Listed]:
    """Look at all sheets of a workbook; other formats have none.

    Args:
        source: The bytes.
        known: Folded native column names.
        wanted: What the mapping says about their form.

    Raises:
        InputError: It is a workbook, and damaged or too large.
    """
    if not head_of(source).startswith(_ZIP):
        return []
    from provenance.ingest.formats.xlsx import list_sheets  # noqa: PLC0415 - heavy

    return list_sheets(source, known, wanted)


def looks_packed(head: bytes) -> bool:
    """Whether a file that begins so is a workbook or Parquet, and no text."""
    return head.startswith((_ZIP, _PARQUET))


def head_of(source: Source) -> bytes:
    """The first bytes, unpacked."""
    with source.open() as (plain, _):
        return plain.read(_HEAD)
