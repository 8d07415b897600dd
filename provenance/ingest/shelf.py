"""What is set aside and waits for a person: listed, taken out again, dropped, kept so long.

A quarantine file holds the open rows, and nothing else does: a row that is
settled or dropped leaves it, and what was erased from the log has left it
already. Beside it lies a small record of where the rows came from and what
became of them. It quotes no row, so it stays when they are gone; without it, as
of a file from an older version, the rows are all there is to tell.

Next: provenance/ingest/sink.py
"""

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from provenance.errors import InputError, NotFound
from provenance.files import replace_file
from provenance.ingest.quarantined import OpenRow, fingerprint, open_rows, without
from provenance.store.storage import translated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from provenance.ingest.receipt import Part

__all__ = ["About", "Closed", "Closing", "Shelf", "Waiting", "day_of", "expiries"]

Closing = Literal["settled", "dropped", "expired"]
"""Why rows left: they came again, a person gave them up, or they were kept long enough."""

_ABOUT: Final = "about"
_NUMBERED: Final = re.compile(r"(-[0-9a-f]{12})-\d{1,4}\Z")
_DAY_US: Final = 86_400 * 1_000_000


class Closed(msgspec.Struct, frozen=True):
    """Rows that left a quarantine file.

    Attributes:
        how: Why.
        rows: How many.
        time_us: When, microseconds since 1970.
        batch: The batch entry of what they came again in; None where nothing of it was new.
        places: Where they stood in the first delivery.
    """

    how: Closing
    rows: int
    time_us: int
    batch: int | None = None
    places: tuple[str, ...] = ()


class About(msgspec.Struct, frozen=True):
    """Where set aside rows came from, and what became of them.

    Attributes:
        source: The file's name as it was given.
        kind: The native format it was read as.
        party: Whose rows they are.
        set_aside_us: When, microseconds since 1970.
        mapping: The mapping it was read with.
        batch: The batch entry of the rows of that file that were taken; None where none was.
        of: The quarantine file that these rows were in before.
        closed: Which rows have left since.
    """

    source: str
    kind: str
    party: str
    set_aside_us: int
    mapping: str | None = None
    batch: int | None = None
    of: str | None = None
    closed: tuple[Closed, ...] = ()


class Waiting(NamedTuple):
    """A quarantine file.

    Attributes:
        name: Its name.
        about: Where its rows came from; None when nobody knows.
        rows: How many wait; none when all have left.
        reasons: What is wrong with them -> rows, without their values.
        since_us: When they were set aside.
    """

    name: str
    about: About | None
    rows: int
    reasons: Counter[str]
    since_us: int


class Shelf:
    """The quarantine directory of a workspace."""

    def __init__(self, directory: Path) -> None:
        """Look after `directory`, which need not be there."""
        self.directory = directory

    def remember(self, part: Part, party: str, time_us: int) -> None:
        """Note where the rows in the quarantine file of a receipt came from.

        A crash before it: the rows are there, and nothing tells where they came from.

        Raises:
            StorageError: The disk refused.
        """
        if part.quarantine is None:
            return
        path = self.directory / part.quarantine.rpartition(os.sep)[2]
        if not self._has_new(path):
            first = self._first(path)
            part.quarantine = str(first) if first.exists() else None
        elif self.about(path) is None:
            of = part.settles["of"] if part.settles else None
            source = part.file.rpartition(os.sep)[2]
            about = About(source, part.kind, party, time_us, part.mapping, part.batch, of=of)
            self._write(path, about)

    def about(self, path: Path) -> About | None:
        """What is known of a quarantine file."""
        try:
            return msgspec.json.decode(self._beside(path).read_bytes(), type=About)
        except (OSError, msgspec.DecodeError):
            return None

    def find(self, name: str) -> Path:
        """Return the quarantine file of a name.

        Raises:
            NotFound: There is none.
        """
        for path in self._files():
            if name in {path.name, path.stem}:
                return path
        about = self._beside(self.directory / name)
        gone = "has no rows left" if about.exists() else "is no quarantine file"
        raise NotFound(f"{name}: {gone}; `provenance quarantine list` names them")

    def holds(self, path: Path) -> bool:
        """Say whether a path names one of the quarantine files."""
        return path.resolve() in {one.resolve() for one in self._files()}

    def rows(self, path: Path) -> Iterator[OpenRow]:
        """Yield the open rows of a quarantine file, as it is now.

        Raises:
            InputError: It cannot be read as one any more.
        """
        return open_rows(path)

    def waiting(self, *, closed: bool = False) -> list[Waiting]:
        """List the files with open rows, the oldest first; those without as well if `closed`.

        One that cannot be read any more counts as one row, whose reason is that.
        """
        found = [self._waiting(path) for path in self._files()]
        if closed:
            there = {one.name for one in found}
            for path in sorted((self.directory / _ABOUT).glob("*.json")):
                about = self.about(self.directory / path.stem)
                if about is not None and path.stem not in there:
                    since = about.set_aside_us
                    found.append(Waiting(path.stem, about, 0, Counter(), since))
        return sorted(found, key=lambda one: (one.since_us, one.name))

    def take_out(
        self, path: Path, places: Collection[str] | None, closing: Closed, seen: bytes
    ) -> int:
        """Take rows out of a quarantine file, all of them when `places` is None.

        A crash before the file is replaced: the rows are still there; brought again they
        are duplicates.

        Args:
            path: The file.
            places: Which rows.
            closing: Why; its number of rows is counted here.
            seen: Fingerprint of the file as it was when it was decided.

        Returns:
            How many rows left.

        Raises:
            InputError: The file was edited meanwhile; nothing was taken out.
        """
        if fingerprint(path) != seen:
            raise InputError(
                f"{path.name}: was edited meanwhile, so its rows stay; what was brought again is "
                "in the log, and a duplicate the next time"
            )
        held = [row.place for row in (_readable(path) if places is None else open_rows(path))]
        gone, left = without(path, places)
        with translated(self.directory):
            if left is None:
                path.unlink()
            elif gone:
                replace_file(path, left, mode=0o600)
        about = self.about(path)
        if about is not None and (gone or left is None):
            own = tuple(place for place in held if places is None or place in places)
            told = msgspec.structs.replace(closing, rows=gone, places=own)
            self._write(path, msgspec.structs.replace(about, closed=(*about.closed, told)))
        return gone

    def expire(self, keep_days: int, time_us: int) -> list[Waiting]:
        """Drop the rows that were kept for longer than so many days; 0 keeps them for ever.

        Returns:
            The files that went; whoever asked has to tell.
        """
        if keep_days < 1:
            return []
        latest = time_us - keep_days * _DAY_US
        old = [one for one in self.waiting() if one.since_us < latest]
        for one in old:
            path = self.directory / one.name
            self.take_out(path, None, Closed("expired", 0, time_us), fingerprint(path))
        return old

    def _has_new(self, path: Path) -> bool:
        """Take out of a file what the same delivery had set aside before; False if that was all.

        A row that was settled or given up does not come back with the file that it was in,
        and one that still waits does not wait twice.
        """
        there = [
            one for one in self._files() if one != path and self._first(one) == self._first(path)
        ]
        abouts = [self.about(one) for one in {path, self._first(path), *there}]
        known = {p for about in abouts if about for one in about.closed for p in one.places}
        waiting = {(row.place, row.summary) for one in there for row in _readable(one)}
        known |= {row.place for row in open_rows(path) if (row.place, row.summary) in waiting}
        gone, left = without(path, known) if known else (0, b"")
        with translated(self.directory):
            if left is None:
                path.unlink()
            elif gone:
                replace_file(path, left, mode=0o600)
        return left is not None

    def _first(self, path: Path) -> Path:
        """The name that the rows of a delivery are first set aside under."""
        return path.with_name(_NUMBERED.sub(r"\1", path.stem) + path.suffix)

    def _waiting(self, path: Path) -> Waiting:
        about = self.about(path)
        try:
            reasons = Counter(row.summary for row in open_rows(path))
        except InputError as error:  # edited by somebody; the others are listed all the same
            reasons = Counter({str(error): 1})
        since = about.set_aside_us if about else path.stat().st_mtime_ns // 1000
        return Waiting(path.name, about, reasons.total(), reasons, since)

    def _files(self) -> list[Path]:
        if not self.directory.is_dir():
            return []
        return sorted(
            path
            for path in self.directory.iterdir()
            if path.suffix in {".csv", ".jsonld"} and path.name[0] != "." and path.is_file()
        )

    def _beside(self, path: Path) -> Path:
        return self.directory / _ABOUT / f"{path.name}.json"

    def _write(self, path: Path, about: About) -> None:
        with translated(self.directory):
            beside = self._beside(path)
            beside.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(beside, msgspec.json.encode(about), mode=0o600)


def _readable(path: Path) -> list[OpenRow]:
    """The rows of a file; none of one that somebody has edited beyond recognition."""
    try:
        return list(open_rows(path))
    except InputError:
        return []


def expiries(gone: Iterable[Waiting], keep_days: int) -> list[str]:
    """Say what was dropped because its time was over."""
    return [
        f"{one.name}: {one.rows:,} rows set aside on {day_of(one.since_us)} were dropped "
        f"after {keep_days} days"
        for one in gone
    ]


def day_of(time_us: int) -> str:
    """Write the day of a time, YYYY-MM-DD in UTC."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).date().isoformat()
