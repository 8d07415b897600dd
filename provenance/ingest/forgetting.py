"""What was set aside forgets too: rows and events that hold what was erased leave their files.

A quarantine file may have been edited by a person and saved by a spreadsheet,
so any encoding and separator is read, and written back as it was. A row or an
event goes as a whole, with its original text and the reason beside it.

Next: provenance/ingest/receipt.py
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import re
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from provenance.files import replace_file
from provenance.ingest.headers import IGNORED_PREFIX
from provenance.ingest.quarantine import unguarded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from provenance.forget.marks import Needle

__all__ = ["forget_rows"]

_SEPARATORS: Final = ",;\t"
_PARTS: Final = re.compile(r"[,;\t|\"'\r\n]")
_EVENTS: Final = re.compile(r'"quarantine"\s*:\s*\[\s*')
_BETWEEN: Final = ", \t\r\n"
_MOST: Final = 1 << 30


def forget_rows(
    directory: Path, needles: Collection[Needle], digest: Callable[[str], str]
) -> str | None:
    """Take the rows that fit any needle out of all files of a directory.

    Args:
        directory: Of the quarantine.
        needles: Each is what a row must hold, all of it: (column or "", digest of the text).
        digest: The keyed hash that the needles were made with.

    Returns:
        Why a file still holds such rows, or None when none does.
    """
    if not needles or not directory.is_dir():
        return None
    problems = []
    for path in sorted(directory.iterdir()):
        try:
            if path.is_file():
                _forget_in(path, needles, digest)
        except (OSError, csv.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(f"{path.name} cannot be rewritten: {reason}; delete it by hand")
    return "; ".join(problems) or None


def _forget_in(path: Path, needles: Collection[Needle], digest: Callable[[str], str]) -> None:
    text, encoding = _decoded(path.read_bytes())
    if path.name.startswith("."):
        if _fits_anywhere([text], needles, digest):
            _remove_abandoned(path)
        return
    if path.suffix == ".csv":
        left = _rows_left(text, needles, digest)
    else:
        left = _events_left(text, needles, digest)
    # A crash before it: the file is as it was, and is gone through again.
    if left is None:
        path.unlink()
    elif left != text:
        replace_file(path, left.encode(encoding), mode=0o600)


def _rows_left(text: str, needles: Collection[Needle], digest: Callable[[str], str]) -> str | None:
    """Return the table without the rows that fit; None where no row is left."""
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    csv.field_size_limit(_MOST)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    if not rows:
        return text
    header = [name.strip("\ufeff ").casefold() for name in rows[0]]
    kept = [row for row in rows[1:] if not _fits(header, unguarded(row), needles, digest)]
    if len(kept) + 1 == len(rows):
        return text
    fresh = io.StringIO(newline="")
    writer = csv.writer(fresh, delimiter=separator, lineterminator="\r\n")
    writer.writerows([rows[0], *kept])
    return fresh.getvalue() if kept else None


def _events_left(
    text: str, needles: Collection[Needle], digest: Callable[[str], str]
) -> str | None:
    """Return the EPCIS document without the events that fit; None where no event is left.

    What stays keeps its characters: numbers written anew could become others.
    """
    begin = _EVENTS.search(text)
    if begin is None:
        return None if _fits_anywhere([text], needles, digest) else text
    kept, at, decoder, dropped = [], begin.end(), json.JSONDecoder(), False
    try:
        while text[at] != "]":
            event, end = decoder.raw_decode(text, at)
            if _fits_anywhere(_texts(event), needles, digest):
                dropped = True
            else:
                kept.append(text[at:end])
            at = next(place for place in count(end) if text[place] not in _BETWEEN)
    except (IndexError, ValueError):
        # No document any more: it cannot be ingested as it is, and goes as a whole.
        return None if _fits_anywhere([text], needles, digest) else text
    if not dropped:
        return text
    return text[: begin.end()] + ",\n".join(kept) + "\n" + text[at:] if kept else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _fits_anywhere(
    texts: Iterable[str], needles: Collection[Needle], digest: Callable[[str], str]
) -> bool:
    held = {digest(part) for text in texts for part in _parts(text)}
    return any(all(wanted in held for _, wanted in needle) for needle in needles)


def _decoded(data: bytes) -> tuple[str, str]:
    for encoding in ("utf-8", "utf-16") if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8",):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "latin-1"  # every byte is a character, and comes back as it was


def _fits(
    header: Sequence[str],
    row: Sequence[str],
    needles: Collection[Needle],
    digest: Callable[[str], str],
) -> bool:
    cells = [{digest(part) for part in _parts(cell)} for cell in row]
    notes = [
        cell
        for at, cell in enumerate(cells)
        if at >= len(header) or header[at].startswith(IGNORED_PREFIX)
    ]
    return any(
        all(_holds(header, cells, notes, name.casefold(), wanted) for name, wanted in needle)
        for needle in needles
    )


def _holds(
    header: Sequence[str],
    cells: Sequence[set[str]],
    notes: Sequence[set[str]],
    name: str,
    wanted: str,
) -> bool:
    """Look in the column of a name, where there is one, and in what stands beside the row."""
    if name not in header:
        return any(wanted in cell for cell in cells)
    at = header.index(name)
    return any(wanted in cell for cell in (*cells[at : at + 1], *notes))


def _parts(cell: str) -> Iterator[str]:
    """Yield a cell's text, and the parts of a list or of a row that could not be split."""
    yield cell.strip()
    if _PARTS.search(cell):
        yield from (part.strip() for part in _PARTS.split(cell))


def _remove_abandoned(path: Path) -> None:
    """Remove what a killed ingest left behind and nobody needs; a running one holds a lock."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(descriptor)
