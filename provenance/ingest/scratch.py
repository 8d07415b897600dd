"""What an ingest must remember between its passes, on disk instead of in memory.

A private temporary SQLite database that the system deletes with the process:
which lots the files make, which keys of master data have come, and the rows
of timesheets, so that they can be grouped whatever their order in the file.
Nothing in it outlives the ingest, so it is written without a journal.

Next: provenance/ingest/quarantine.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import apsw
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KnownMakers", "Scratch", "SheetRow"]

_MAKERS_KEPT = 65_536

MakersOf = Callable[[Sequence[str]], Iterable[tuple[str, str, str]]]
"""Gives (lot_id, party, product_id) for each who made one of some lots."""

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
BEGIN;
CREATE TABLE lot (lot_id TEXT, party TEXT, product_id TEXT,
    PRIMARY KEY (lot_id, party, product_id)) WITHOUT ROWID;
CREATE TABLE seen (key BLOB PRIMARY KEY, content BLOB, place TEXT) WITHOUT ROWID;
CREATE TABLE sheet (facility_id TEXT, month TEXT, worker_id TEXT, week INTEGER,
    line INTEGER, record BLOB, cells BLOB);
"""


class SheetRow(NamedTuple):
    """One row of a timesheet.

    Attributes:
        facility_id: Where.
        month: YYYY-MM.
        worker_id: Who; personal data.
        week: Within the month, from 1.
        line: In the file.
        record: {hours?, gross_pay?, ext?}.
        cells: The row as it stood, for the quarantine.
    """

    facility_id: str
    month: str
    worker_id: str
    week: int
    line: int
    record: dict[str, object]
    cells: list[str]


class Scratch:
    """The temporary database of one ingest."""

    def __init__(self) -> None:
        """Open an empty one."""
        self._lots = False
        self._connection = apsw.Connection("")
        self._connection.execute(_SCHEMA).fetchall()  # to its end: a PRAGMA answers with rows

    def close(self) -> None:
        """Delete it."""
        self._connection.close()

    def add_lot(self, lot_id: str, party: str, product_id: str) -> None:
        """Remember that a file makes a lot."""
        self._lots = True
        self._connection.execute(
            "INSERT OR IGNORE INTO lot VALUES (?, ?, ?)", (lot_id, party, product_id)
        )

    def makers_of(self, lot_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """The (lot_id, party, product_id) of those who make one of these lots in the files."""
        if not self._lots:
            return []
        ask = "SELECT * FROM lot WHERE lot_id IN (SELECT value FROM json_each(?))"
        found = self._connection.execute(ask, (orjson.dumps(lot_ids).decode(),))
        return [(lot, party, product) for lot, party, product in found]

    def seen(self, key: bytes, content: bytes, place: str) -> tuple[bool, str] | None:
        """Remember a row key, unless it came before.

        Returns:
            None the first time, else whether the content is the same, and the first place.
        """
        ask = "SELECT content = ?, place FROM seen WHERE key = ?"
        before = self._connection.execute(ask, (content, key)).fetchone()
        if before is not None:
            return bool(before[0]), before[1]
        self._connection.execute("INSERT INTO seen VALUES (?, ?, ?)", (key, content, place))
        return None

    def add_sheet(self, row: SheetRow) -> None:
        """Keep a timesheet row until the file is complete."""
        self._connection.execute(
            "INSERT INTO sheet VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row[:5], orjson.dumps(row.record), orjson.dumps(row.cells)),
        )

    def take_sheets(self) -> Iterator[SheetRow]:
        """Yield the timesheet rows by facility, month, worker, week and line, then forget them."""
        ask = "SELECT * FROM sheet ORDER BY facility_id, month, worker_id, week, line"
        for facility, month, worker, week, line, record, cells in self._connection.execute(ask):
            found = orjson.loads(record), orjson.loads(cells)
            yield SheetRow(facility, month, worker, week, line, *found)
        self._connection.execute("DELETE FROM sheet")


class KnownMakers:
    """Who made the lots that rows name, each looked up once, and many of them in one go."""

    def __init__(self, *sources: MakersOf) -> None:
        """Look up in all of `sources`."""
        self._sources = sources
        self._known: dict[str, list[tuple[str, str]]] = {}

    def __call__(self, lot_id: str) -> list[tuple[str, str]]:
        """Return the (party, product_id) of everybody who made a lot of this name, in order."""
        if lot_id not in self._known:
            self.foresee([lot_id])
        return self._known[lot_id]

    def foresee(self, lot_ids: Iterable[str]) -> None:
        """Look up the lots that the next rows name."""
        wanted = list(dict.fromkeys(lot for lot in lot_ids if lot not in self._known))
        if not wanted:
            return
        if len(self._known) + len(wanted) > _MAKERS_KEPT:
            self._known.clear()
        found: dict[str, set[tuple[str, str]]] = {lot: set() for lot in wanted}
        for makers_of in self._sources:
            for lot, party, product in makers_of(wanted):
                if lot in found:  # SQLite ends a text at a NUL character, and finds another then
                    found[lot].add((party, product))
        self._known |= {lot: sorted(pairs) for lot, pairs in found.items()}
