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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.files import replace_file
from provenance.ingest.headers import IGNORED_PREFIX
from provenance.ingest.quarantine import unguarded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from provenance.forget.marks import Needle

__all__ = ["Sought", "count_rows", "decoded", "event_texts", "forget_rows", "separator_of"]

_SEPARATORS: Final = ",;\t"
_PARTS: Final = re.compile(r"[,;\t|\"'\r\n]")
_EVENTS: Final = re.compile(r'"(?:quarantine|eventList)"\s*:\s*\[\s*')
_BETWEEN: Final = ", \t\r\n"
_MOST: Final = 1 << 30


class Sought(NamedTuple):
    """What rows are looked through for.

    Attributes:
        needles: Each is what a row must hold, all of it: (column or "", digest of the text).
        digest: The keyed hash that the needles were made with.
    """

    needles: Collection[Needle]
    digest: Callable[[str], str]

    def anywhere(self, texts: Iterable[str]) -> bool:
        """Say whether texts hold all of any needle, whatever their columns."""
        held = {self.digest(part) for text in texts for part in _parts(text)}
        return any(all(wanted in held for _, wanted in needle) for needle in self.needles)


class _Left(NamedTuple):
    """How many rows fit, and the text without them; None where nothing would be left."""

    dropped: int
    text: str | None


def forget_rows(directory: Path, sought: Sought) -> str | None:
    """Take the rows that fit any needle out of all files of a directory.

    Returns:
        Why a file still holds such rows, or None when none does.
    """
    problems = []
    for path in _files(directory, sought):
        try:
            _forget_in(path, sought)
        except (OSError, csv.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(f"{path.name} cannot be rewritten: {reason}; delete it by hand")
    return "; ".join(problems) or None


def count_rows(directory: Path, sought: Sought) -> dict[str, int]:
    """Count the rows that fit, by file, and change nothing."""
    counts = {}
    for path in _files(directory, sought):
        try:
            dropped = _looked_through(path, sought)[0].dropped
        except (OSError, csv.Error):
            dropped = 0  # whoever forgets says why
        if dropped:
            counts[path.name] = dropped
    return counts


def _files(directory: Path, sought: Sought) -> list[Path]:
    if not sought.needles or not directory.is_dir():
        return []
    return sorted(path for path in directory.iterdir() if path.is_file())


def _forget_in(path: Path, sought: Sought) -> None:
    left, encoding = _looked_through(path, sought)
    # A crash before the file is replaced: it is as it was, and is gone through again.
    if left.dropped and path.name.startswith("."):
        _remove_abandoned(path)
    elif left.dropped and left.text is None:
        path.unlink()
    elif left.dropped and left.text is not None:
        replace_file(path, left.text.encode(encoding), mode=0o600)


def _looked_through(path: Path, sought: Sought) -> tuple[_Left, str]:
    text, encoding = decoded(path.read_bytes())
    if path.name.startswith("."):
        return _Left(int(sought.anywhere([text])), None), encoding
    look = _rows_left if path.suffix == ".csv" else _events_left
    return look(text, sought), encoding


def decoded(data: bytes) -> tuple[str, str]:
    """Decode a file that a person may have saved anew; returns the text and its encoding."""
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        # Every byte is a character of it, and comes back as it was.
        return data.decode("latin-1"), "latin-1"


def _rows_left(text: str, sought: Sought) -> _Left:
    separator = max(_SEPARATORS, key=text.split("\n", 1)[0].count)
    usual = csv.field_size_limit(_MOST)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    finally:
        csv.field_size_limit(usual)  # the whole process has one
    header = [name.strip("\ufeff ").casefold() for row in rows[:1] for name in row]
    kept = [row for row in rows[1:] if not _fits(header, unguarded(row), sought)]
    fresh = io.StringIO(newline="")
    csv.writer(fresh, delimiter=separator, lineterminator="\r\n").writerows([*rows[:1], *kept])
    return _Left(len(rows[1:]) - len(kept), fresh.getvalue() if kept else None)


def separator_of(text: str) -> str:
    """What stands between the columns of a table, by its header."""
    return max(_SEPARATORS, key=text.split("\n", 1)[0].count)


def _events_left(text: str, sought: Sought) -> _Left:
    """Do it to an EPCIS document.

    What stays keeps its characters: numbers written anew could become others.
    """
    try:
        head, written, tail = event_texts(text)
        kept = [one for one in written if not sought.anywhere(_texts(json.loads(one)))]
    except (IndexError, ValueError):
        # No such document any more: nobody can ingest it as it is, and it goes as a whole.
        return _Left(int(sought.anywhere([text])), None)
    left = head + ",\n".join(kept) + "\n" + tail
    return _Left(len(written) - len(kept), left if kept else None)


def event_texts(text: str) -> tuple[str, list[str], str]:
    """Split an EPCIS document: what is before its events, each of them, what is after.

    Raises:
        IndexError, ValueError: It is no such document.
    """
    begin = _EVENTS.search(text)
    at = begin.end() if begin else len(text)
    head, found, decoder = text[:at], [], json.JSONDecoder()
    while text[at] != "]":
        _event, end = decoder.raw_decode(text, at)
        found.append(text[at:end])
        at = next(place for place in count(end) if text[place] not in _BETWEEN)
    return head, found, text[at:]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _fits(header: Sequence[str], row: Sequence[str], sought: Sought) -> bool:
    cells = [{sought.digest(part) for part in _parts(cell)} for cell in row]
    beside = [
        cell
        for at, cell in enumerate(cells)
        if at >= len(header) or header[at].startswith(IGNORED_PREFIX)
    ]

    def holds(name: str, wanted: str) -> bool:
        """Look in the column of a name, where there is one, and in what stands beside the row."""
        if name not in header:
            return any(wanted in cell for cell in cells)
        at = header.index(name)
        return any(wanted in cell for cell in (*cells[at : at + 1], *beside))

    return any(
        all(holds(name.casefold(), wanted) for name, wanted in needle) for needle in sought.needles
    )


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
