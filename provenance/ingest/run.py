"""Ingest: files in, entries and a receipt out.

Two passes. The first reads every file to its end and writes nothing: it finds
what cannot be read, what the times of a file decide, and which lots the files
make. The second converts, appends in groups, and sets aside what cannot be
taken. A killed ingest is completed by the same command.

Next: provenance/log.py
"""

from __future__ import annotations

import gc
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provenance.errors import InputError, Interrupted, UsageError
from provenance.ingest.batches import BatchSigner
from provenance.ingest.columns import TIMESHEETS
from provenance.ingest.decisions import TimeReader, TimeSettings
from provenance.ingest.documents import Document
from provenance.ingest.drafts import DraftBuilder
from provenance.ingest.epcis_drafts import EventDrafts
from provenance.ingest.epcis_log import log_document, scan_document
from provenance.ingest.files import find_jobs
from provenance.ingest.known_names import comparing
from provenance.ingest.quality.master import MasterData
from provenance.ingest.quarantine import (
    EventQuarantine,
    Quarantine,
    Rejected,
    is_quarantine,
    unguarded,
)
from provenance.ingest.receipt import Receipt
from provenance.ingest.rows import RowReader, Scanner, in_groups
from provenance.ingest.scratch import KnownMakers, Scratch
from provenance.ingest.shelf import Shelf
from provenance.ingest.sink import Pending, Sink
from provenance.ingest.timesheets import log_timesheets, sheet_row
from provenance.ingest.values import Unacceptable, ident
from provenance.store.preparing import collector_at_rest
from provenance.store.storage import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from provenance.clock import Clock, Entropy
    from provenance.entries import Content
    from provenance.ingest.files import Job
    from provenance.ingest.known_names import KnownNames
    from provenance.ingest.lane import Writer
    from provenance.ingest.mapping_form import Mapping
    from provenance.ingest.ports import LogWriter, Progress
    from provenance.ingest.reading import Position, Row
    from provenance.notes.keys import Signer

__all__ = ["ingest"]


def ingest(
    paths: Sequence[str],
    log: LogWriter,
    *,
    party: str,
    quarantine: Path,
    clock: Clock,
    entropy: Entropy,
    mapping: Mapping | None = None,
    encoding: str | None = None,
    progress: Progress | None = None,
    signer: Signer | None = None,
    settles: Content | None = None,
    stop: Callable[[], bool] | None = None,
    writer: Writer | None = None,
    names: KnownNames | None = None,
) -> Receipt:
    """Bring files into the log.

    Args:
        paths: Files or directories; "-" is standard input.
        log: Where to append; the caller opened it and closes it.
        party: Whose events these are: the capturing party.
        quarantine: Directory for rejected rows; made when needed.
        clock: For what lies in the future.
        entropy: For the order of workers in timesheets.
        mapping: From `load_mapping`; native files need none.
        encoding: For files without a byte order mark; UTF-8 otherwise.
        progress: Is told how far it is.
        signer: Signs each file's batch for the party, with a key that is registered for it.
        settles: Which rows that were set aside the files bring again, for their batch entries.
        stop: Is asked now and then whether to stop before the next batch.
        writer: Appends to the same log beside this process, while this one reads on.
        names: The ids of earlier files, to notice those that differ only in their form.

    Returns:
        What became of every row.

    Raises:
        UsageError: The party cannot be one, or may not sign with this key; nothing was appended.
        InputError: A file cannot be read or recognised; nothing was appended.
        Interrupted: `stop` said so; what was acknowledged stays, the same call completes it.
        StorageError: The disk refused; as above.
        WorkspaceError: The log cannot be written.
    """
    _check_party(party)
    hand = BatchSigner(party, signer, clock) if signer else None
    if hand is not None:
        hand.refuse_unfit(log.register)
    receipt = Receipt()
    jobs = find_jobs(paths, mapping, encoding, receipt.notices)
    scratch = Scratch()
    run = _Run(log, party, quarantine, entropy, progress, scratch, hand, stop, writer)
    settings = mapping.time_settings() if mapping else TimeSettings()
    try:
        with translated(Path(tempfile.gettempdir())):
            ready = [job for job in jobs if run.scan(job, receipt.notices)]
            if not ready:
                raise InputError(f"{', '.join(paths)}: no rows to ingest")
            for job in ready:
                job.part.settles = settles
                if isinstance(job, Document):
                    run.log_document(job, clock())
                else:
                    with comparing(names, job.evidence.names):
                        run.log_file(job, TimeReader(job.evidence, settings, clock()))
                receipt.parts.append(job.part)
                Shelf(quarantine).remember(job.part, party, clock())
    finally:
        scratch.close()
        for job in jobs:
            job.source.close()
    receipt.size = log.size
    receipt.checkpoint = log.checkpoint()
    return receipt


def _check_party(party: str) -> None:
    if not party:
        raise UsageError("--party: must not be empty")
    try:
        ident(party)
    except Unacceptable as error:
        raise UsageError(f"--party: {error}") from None


@dataclass
class _Run:
    """What stays the same for all files of an ingest."""

    log: LogWriter
    party: str
    quarantine: Path
    entropy: Entropy
    progress: Progress | None
    scratch: Scratch
    signer: BatchSigner | None
    stop: Callable[[], bool] | None
    writer: Writer | None
    sink: Sink | None = None

    def scan(self, job: Job | Document, notices: list[str]) -> bool:
        """The first pass over a file; False when there is nothing in it to ingest."""
        report = self._reporter("reading", job)
        if isinstance(job, Document):
            return scan_document(job, self.scratch, self.party, notices, report)
        scanners = [Scanner(recipe, job.table.header, job.evidence) for recipe in job.recipes]
        for some in in_groups(_rows(job, report)):
            job.part.rows += len(some)
            sound = [row for row in some if not row.problem]
            for scanner in scanners:
                for lot, product in scanner.scan(sound):
                    self.scratch.add_lot(lot, self.party, product)
        job.evidence.names.settle()
        if job.part.rows:
            return True
        if job.named:
            raise InputError(f"{job.part.file}: has a header and no rows")
        notices.append(f"{job.part.file}: has a header and no rows (passed over)")
        return False

    def log_file(self, job: Job, times: TimeReader) -> None:
        """The second pass over a table."""
        makers = self._makers()
        master = MasterData(self.log)
        builders = [
            DraftBuilder(RowReader(r, times), self.party, makers, master) for r in job.recipes
        ]

        def rejected(digest: bytes) -> Quarantine:
            return Quarantine(self.quarantine, job.stem, digest, job.table.header)

        with self._sink(job, rejected) as sink, collector_at_rest():
            for some in in_groups(_rows(job, self._reporter("logging", job))):
                makers.foresee(lot for each in builders for lot in each.reader.lots(some))
                for row in some:
                    _take(row, builders, sink, self.scratch)
            if job.recipes[0].kind is TIMESHEETS:
                log_timesheets(sink, self.scratch, self.party, self.entropy)

    def log_document(self, job: Document, now_us: int) -> None:
        """The second pass over an EPCIS document."""
        builder = EventDrafts(self.party, job.header, self._makers(), self.entropy, now_us)

        def rejected(digest: bytes) -> Quarantine:
            return EventQuarantine(self.quarantine, job.source.stem, digest, job.header.context)

        with self._sink(job, rejected) as sink:
            log_document(job, builder, sink, self._reporter("logging", job))

    @contextmanager
    def _sink(
        self, job: Job | Document, rejected_of: Callable[[bytes], Quarantine]
    ) -> Iterator[Sink]:
        """What settles the rows of a file; its batch entry comes when all went well."""
        source = job.source
        source.assert_unchanged()
        digest = source.digest()
        rejected = rejected_of(digest)
        sink = Sink(
            self.log, job.part, rejected, self.scratch, signer=self.signer, writer=self.writer
        )
        self.sink = sink
        try:
            yield sink
            sink.flush()
            sink.drain()
            source.assert_unchanged()
            kept = rejected.finish()
        except BaseException:
            rejected.discard()
            raise
        finally:
            self.sink = None
        job.part.quarantine = str(kept) if kept else None
        sink.close(self.party, Path(source.name).name, digest)

    def _makers(self) -> KnownMakers:
        return KnownMakers(self.log.makers_of, self.scratch.makers_of)

    def _reporter(self, stage: str, job: Job | Document) -> Callable[[Position], None]:
        part = job.part
        refused = part.quarantined

        def report(position: Position) -> None:
            nonlocal refused
            asked = self.stop is not None and self.stop()
            if asked and self.sink is not None:
                self.sink.drain()  # so that it can be said how far it has come
            # Rows that are taken leave no cycles; what was refused may.
            if part.quarantined > refused and not gc.isenabled():
                refused = part.quarantined
                gc.collect(0)
            settled = part.accepted + part.duplicate + part.quarantined
            rows = settled if stage == "logging" else part.rows
            if self.progress is not None:
                self.progress(stage, part.file, *position, rows)
            if asked:
                raise Interrupted(
                    f"stopped as asked while {stage} {part.file}: {settled:,} of its rows are "
                    "settled, and nothing is lost; the same command goes on from there"
                )

        return report


def _rows(job: Job, report: Callable[[Position], None]) -> Iterator[Row]:
    """The rows of a file; those of a quarantine file without their apostrophes."""
    rows = job.table.rows(report)
    if not is_quarantine(job.table.header):
        return rows
    return (row._replace(cells=unguarded(row.cells)) for row in rows)


def _take(row: Row, builders: list[DraftBuilder], sink: Sink, scratch: Scratch) -> None:
    """Turn one row into drafts, or set it aside."""
    if row.problem:
        sink.reject(Rejected(row.line, row.cells, Unacceptable(row.problem), row.raw))
        return
    try:
        if builders[0].reader.recipe.kind is TIMESHEETS:
            found, extra = builders[0].reader.read(row.cells)
            scratch.add_sheet(sheet_row(found, extra, row.line, row.cells))
            return
        pending = _pending(row, builders, sink)
    except Unacceptable as why:
        order = next((o for b in builders if (o := b.reader.date_order(row.cells))), "")
        sink.reject(Rejected(row.line, row.cells, why, date_order=order))
        return
    sink.put(pending)


def _pending(row: Row, builders: list[DraftBuilder], sink: Sink) -> list[Pending]:
    """The drafts of a row, at least one; what it does not make is counted only if it is taken."""
    pending: list[Pending] = []
    warnings: list[str] = []
    not_made: list[str] = []
    for builder in builders:
        reader = builder.reader
        if not reader.recipe.applies(row.cells):
            continue
        undated = reader.undated(row.cells)
        if undated:
            not_made.append(undated)
            continue
        made = builder.build(row.cells)
        pending.append(Pending(row.line, row.cells, reader, made.draft))
        warnings += made.warnings
    if not pending:
        raise Unacceptable("documents no event with a date")
    if warnings:
        sink.part.warnings.update(warnings)
    if not_made:
        sink.part.not_made.update(not_made)
    return pending
