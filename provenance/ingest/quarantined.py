"""Quarantine files as they lie there, edited or not: their rows, and what is left without some.

A spreadsheet may have saved it with another encoding and separator; what stays
is written back as it was. A row is known by its place in the first delivery.

Next: provenance/ingest/shelf.py
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.errors import InputError
from provenance.hashing import source_digest
from provenance.ingest.forgetting import decoded, event_texts, separator_of
from provenance.ingest.headers import IGNORED_PREFIX
from provenance.ingest.quarantine import unguarded
from provenance.ingest.sources import unreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

__all__ = ["OpenRow", "fingerprint", "open_rows", "without"]

_OF_THE_ROW: Final = re.compile(
    r"(?:: (?:did you mean [^?]*\?|entry \d+|line \d+ of [^:]*))?(?: \(found .*\))?\Z", re.DOTALL
)
_LONGEST: Final = 1 << 30
_EVENT: Final = re.compile(
    r".*?/(?:eventList|quarantine)/\d+(?:/event)?(?=/|\Z)|/epcisBody/.*?/event"
)


class OpenRow(NamedTuple):
    """One row or event that waits.

    Attributes:
        place: Where it stood in the first delivery: a line, or a JSON pointer.
        column: What is wrong.
        reason: Why, with what stood there.
        cells: The row by column, or the event as JSON under "event".
        summary: Column and reason without the value, to count by.
    """

    place: str
    column: str
    reason: str
    cells: dict[str, str]
    summary: str


def fingerprint(path: Path) -> bytes:
    """Digest a file, to see later whether somebody has edited it.

    Raises:
        InputError: It cannot be read.
    """
    with unreadable(str(path)):
        state = source_digest()
        state.update(path.read_bytes())
        return state.digest()


def open_rows(path: Path) -> Iterator[OpenRow]:
    """Yield the rows of a quarantine file.

    Raises:
        InputError: It cannot be read as one any more.
    """
    with unreadable(str(path)):
        text, _encoding = decoded(path.read_bytes())
    if path.suffix != ".csv":
        for _written, entry in _entries(path, text):
            yield _event(entry)
        return
    header, rows = _table(path, text)
    for row in rows:
        cells = unguarded(row)
        told = dict(zip((name.casefold() for name in header), cells, strict=False))
        own = {n: c for n, c in zip(header, cells, strict=False) if not _is_note(n)}
        column, reason, place = (told.get(IGNORED_PREFIX + n, "") for n in _NOTES)
        yield OpenRow(place, column, reason, own, _summary(column, reason))


_NOTES: Final = ("column", "reason", "line")


def without(path: Path, places: Collection[str] | None) -> tuple[int, bytes | None]:
    """Say how many rows have these places, and what the file is without them; None for nothing.

    Raises:
        InputError: It cannot be read as a quarantine file any more.
    """
    with unreadable(str(path)):
        text, encoding = decoded(path.read_bytes())
    if path.suffix != ".csv":
        gone, left = _events_without(path, text, places)
    else:
        gone, left = _rows_without(path, text, places)
    return gone, None if left is None else left.encode(encoding)


def _rows_without(path: Path, text: str, places: Collection[str] | None) -> tuple[int, str | None]:
    header, rows = _table(path, text)
    if places is None:
        return sum(1 for _ in rows), None
    names = [name.casefold() for name in header]
    at = names.index(f"{IGNORED_PREFIX}line") if f"{IGNORED_PREFIX}line" in names else None
    fresh, gone, kept = io.StringIO(newline=""), 0, 0
    writer = csv.writer(fresh, delimiter=separator_of(text), lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        if at is not None and at < len(row) and row[at].strip() in places:
            gone += 1
        else:
            kept += 1
            writer.writerow(row)
    return gone, fresh.getvalue() if kept else None


def _events_without(
    path: Path, text: str, places: Collection[str] | None
) -> tuple[int, str | None]:
    try:
        entries = list(_entries(path, text))
    except InputError:
        if places is None:
            return 0, None  # nobody can count them any more
        raise
    if places is None:
        return len(entries), None
    kept = [written for written, entry in entries if _event(entry).place not in places]
    head, _parts, tail = event_texts(text)
    left = head + ",\n".join(kept) + "\n" + tail
    return len(entries) - len(kept), left if kept else None


def _table(path: Path, text: str) -> tuple[list[str], Iterator[list[str]]]:
    csv.field_size_limit(_LONGEST)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text))
    try:
        header = [name.strip("\ufeff ") for name in next(rows, [])]
    except csv.Error as error:
        raise InputError(f"{path.name}: is no table any more: {error}") from None
    return header, (row for row in rows if any(row))


def _entries(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        for written in event_texts(text)[1]:
            entry = json.loads(written)
            yield written, entry if isinstance(entry, dict) else {}
    except (IndexError, ValueError):
        raise InputError(f"{path.name}: is no quarantine document any more; mend it") from None


def _event(entry: dict[str, Any]) -> OpenRow:
    column, reason = str(entry.get("place", "")), str(entry.get("reason", ""))
    found = _EVENT.match(column)
    place = str(entry.get("at") or (found[0] if found else column))
    field = column.removeprefix(place) or column
    plain = re.sub(r"/\d+(?=/|\Z)", "/*", field).strip("/")
    event = json.dumps(entry.get("event"), ensure_ascii=False)
    return OpenRow(place, column, reason, {"event": event}, _summary(plain, reason))


def _summary(column: str, reason: str) -> str:
    """Take off what is of this row alone: what stood in the cell, and what may help with it."""
    plain = _OF_THE_ROW.sub("", reason)
    return f"{column}: {plain}" if column else plain


def _is_note(name: str) -> bool:
    return name.casefold().startswith(IGNORED_PREFIX)
