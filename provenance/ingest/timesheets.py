"""Timesheets: one entry per facility and month for up to 500 workers.

The rows come in any order and are grouped on disk. Within an entry the
workers stand in random order and each worker's rows are one committed field,
so that a position in the list says nothing about a person and one worker can
be erased without the others. Rows that the log holds drop out; changed ones
become corrections, and weeks that come later further entries.

Next: provenance/ingest/run.py
"""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from provenance.entries import Draft, EntryType, Identity
from provenance.ingest.columns import TIMESHEETS
from provenance.ingest.drafts import correction, person, reference
from provenance.ingest.quarantine import Rejected
from provenance.ingest.scratch import SheetRow
from provenance.ingest.values import Unacceptable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provenance.clock import Entropy
    from provenance.entries import Content, Known
    from provenance.ingest.scratch import Scratch
    from provenance.ingest.sink import Sink

__all__ = ["WORKERS", "log_timesheets", "sheet_row"]

WORKERS: Final = 500
"""Most workers in one entry."""
_ROWS_AT_ONCE: Final = 5_000

_Parcel = list[SheetRow]
"""Rows of up to `WORKERS` workers of one facility and month; no two of one worker and week."""


def sheet_row(found: Content, extra: list[list[str]], line: int, cells: list[str]) -> SheetRow:
    """Keep a converted row until all rows of the file are there."""
    record: Content = {name: found[name] for name in ("hours", "gross_pay") if name in found}
    if extra:
        record["ext"] = extra
    keys = found["facility_id"], found["month"], found["worker_id"], found["week"]
    return SheetRow(*keys, line, record, cells)


def log_timesheets(sink: Sink, scratch: Scratch, party: str, entropy: Entropy) -> None:
    """Log all rows that `scratch` holds.

    Args:
        sink: Of the file that they came from.
        scratch: Where they wait.
        party: The capturing party.
        entropy: For the order of the workers.
    """
    waiting: list[_Parcel] = []
    for parcel in _parcels(_unique(scratch.take_sheets(), sink)):
        waiting.append(parcel)
        if sum(map(len, waiting)) >= _ROWS_AT_ONCE:
            _settle(waiting, sink, party, entropy)
            waiting = []
    _settle(waiting, sink, party, entropy)


def _unique(rows: Iterable[SheetRow], sink: Sink) -> Iterator[SheetRow]:
    """Drop repeated rows; set aside those that contradict an earlier line of the file."""
    before: SheetRow | None = None
    for row in rows:
        if before is None or row[:4] != before[:4]:
            before = row
            yield row
        elif row.record == before.record:
            sink.part.duplicate += 1
        else:
            reason = "conflict: an earlier row has this key with other content"
            why = Unacceptable(reason, column="worker_id", detail=f"line {before.line}")
            sink.reject(Rejected(row.line, row.cells, why))


def _parcels(rows: Iterable[SheetRow]) -> Iterator[_Parcel]:
    for _month, sheet in groupby(rows, key=attrgetter("facility_id", "month")):
        parcel: _Parcel = []
        workers = 0
        for _worker, weeks in groupby(sheet, key=attrgetter("worker_id")):
            parcel.extend(weeks)
            workers += 1
            if workers == WORKERS:
                yield parcel
                parcel, workers = [], 0
        if parcel:
            yield parcel


def _settle(parcels: list[_Parcel], sink: Sink, party: str, entropy: Entropy) -> None:
    """Append what is new in the parcels; again for those that another writer touched meanwhile."""
    while parcels:
        drafts: list[Draft] = []
        behind: list[_Parcel] = []
        for rows in parcels:
            for draft, of_rows in _drafts(rows, sink, party, entropy):
                drafts.append(draft)
                behind.append(of_rows)
        parcels = []
        for outcome, rows in zip(sink.append(drafts), behind, strict=True):
            if outcome.kind == "appended":
                sink.part.accepted += len(rows)
            elif outcome.kind == "duplicate":
                sink.part.duplicate += len(rows)
            else:
                parcels.append(rows)


def _drafts(
    rows: _Parcel, sink: Sink, party: str, entropy: Entropy
) -> Iterator[tuple[Draft, _Parcel]]:
    """One draft for the new rows, and one per entry that changed rows correct.

    A worker's rows that were erased count as known: the same file again brings nobody back.
    """
    known = sink.log.known([_identity(row, party) for row in rows])
    settled = [found is not None and (found.same or found.erased) for found in known]
    sink.part.duplicate += sum(settled)
    paired: list[tuple[SheetRow, Known | None]] = list(zip(rows, known, strict=True))
    fresh = [row for row, found in paired if found is None]
    if fresh:
        yield _draft(fresh, party, entropy), fresh
    changed: dict[int, _Parcel] = {}
    for (row, found), done in zip(paired, settled, strict=True):
        if found is not None and not done:
            changed.setdefault(found.index, []).append(row)
    for index, of_entry in changed.items():
        corrected = reference(sink.log.origin, sink.log.entry(index))
        yield correction(_draft(of_entry, party, entropy), corrected), of_entry


def _identity(row: SheetRow, party: str) -> Identity:
    key = (TIMESHEETS.entity, row.facility_id, row.month, row.worker_id, str(row.week))
    return Identity(key, {"party": party, **row.record})


def _draft(rows: _Parcel, party: str, entropy: Entropy) -> Draft:
    workers: list[Content] = []
    for worker, sheet in groupby(rows, key=attrgetter("worker_id")):
        weeks = [{"week": row.week, **row.record} for row in sheet]
        workers.append({"worker_id": worker, "weeks": weeks})
    site = rows[0].facility_id
    ordered = _shuffled(workers, entropy)
    content = {
        "party": party,
        "facility_id": site,
        "month": rows[0].month,
        "workers": ordered,
    }
    return Draft(
        type=EntryType.LABOUR,
        version=TIMESHEETS.version,
        content=content,
        identities=tuple(_identity(row, party) for row in rows),
        on_change="version",
        subjects={
            f"/workers/{place}": person("worker", party, site, one["worker_id"])
            for place, one in enumerate(ordered)
        },
    )


def _shuffled(workers: list[Content], entropy: Entropy) -> list[Content]:
    places = entropy(8 * len(workers))
    order = sorted(range(len(workers)), key=lambda at: places[8 * at : 8 * at + 8])
    return [workers[at] for at in order]
