"""`verify` from inside: recompute everything that is stored, and say what differs and where.

One pass over the leaves rebuilds the chain and the tree and compares them with
every tile, checkpoint, body, opening and row that the database holds, and with
the two files beside it. Nothing the database says is believed on the way; the
log's public key comes from outside it.

What this cannot see is a whole second history signed with the log's own key:
that needs a checkpoint that left the machine.

Next: provenance/proving/proof.py
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.auditing.checker import Checker
from provenance.auditing.crew import Crew
from provenance.auditing.gaps import Gaps
from provenance.auditing.recompute import Recomputation
from provenance.auditing.report import AuditReport
from provenance.auditing.team import Team, usable_cpus
from provenance.errors import ProvenanceError
from provenance.hashing import EMPTY_ROOT
from provenance.proving import merkle
from provenance.store.identity import Rows, row_faults
from provenance.store.published import read_checkpoint, read_high_water
from provenance.store.register import register_key
from provenance.store.row_levels import row_tables
from provenance.store.schema import schema_faults
from provenance.store.storage import connect, rows, translated
from provenance.store.witnessed import added_by_others, cosignature_faults

if TYPE_CHECKING:
    from collections.abc import Callable

    import apsw

    from provenance.store.published import HighWater, LogFiles
    from provenance.store.register import Register
    from provenance.store.subjects import SubjectKeys

__all__ = ["AuditReport", "audit"]

_CHUNK: Final = 1_000
_WORTHWHILE: Final = 50_000
_MOST_PROCESSES: Final = 8
_LOOKS: Final = 20
_LOOK_SECONDS: Final = 0.05


def audit(
    files: LogFiles,
    vkey: str,
    secret: bytes,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    *,
    openings: bool = True,
    subjects: SubjectKeys | None = None,
    processes: int | None = None,
) -> AuditReport:
    """Recompute the whole log from its files.

    Args:
        files: The log's files.
        vkey: A public key of the log, from where the caller trusts it; its name is the origin.
            The log's other keys are those that the register hands it over from and to.
        secret: The workspace's, for the MACs of row keys.
        progress: Called with entries done and in all, about every thousand.
        openings: Whether there are openings here; a mirror has none, and none is missed.
        subjects: The keys of data subjects, where the workspace keeps such. Where their file is
            absent, as in a copy, what is stored under them is counted and not checked.
        processes: How many may work on it, this one among them; None for as many as there are
            processors to use, where the log is large enough to gain by it.

    Returns:
        The report; `problems` is empty if, and only if, everything adds up.

    Raises:
        WorkspaceMissing: There is no log.
        WorkspaceTooNew: It has a later format.
    """
    report = AuditReport(vkey.split("+", 1)[0])
    # Before the snapshot: what has been published by now, the database holds by then.
    shown = _read_published(files, report.origin)
    keys = subjects.path if subjects is not None else None
    with translated(files.database), Team(files.database, keys) as team:
        connection = connect(files.database, readonly=True)
        try:
            # One snapshot, so that a writer beside us changes nothing.
            connection.execute("BEGIN")
            if _is_readable(connection, report):
                checker = Checker(connection, subjects)
                crew = Crew(team, checker, report) if _start(team, connection, processes) else None
                audit_ = _Audit(connection, vkey, secret, report, crew, openings=openings)
                audit_.use(subjects)
                audit_.run(shown, progress)
                report.processes += team.joined
        finally:
            connection.close()
    return report


def _start(team: Team, connection: apsw.Connection, processes: int | None) -> bool:
    """Start processes where they are asked for, or where the log is large enough to gain."""
    ask = "SELECT 1 FROM opening LIMIT 1 OFFSET ?"
    if processes is None and rows(connection, ask, _WORTHWHILE):
        processes = usable_cpus()
    beside = min(processes or 1, _MOST_PROCESSES) - 1
    if beside > 0:
        team.start(connection, beside)
    return beside > 0


class _Published(NamedTuple):
    """What the two files beside the database say, and what is wrong with those that do not."""

    mark: HighWater | None
    checkpoint: str | None
    problems: list[str]


def _read_published(files: LogFiles, origin: str) -> _Published:
    """Read both files as of one moment, as far as there is one.

    A writer exchanges one after the other; where they stay apart, a writer has
    died between the two, or somebody has changed one.
    """
    for _ in range(_LOOKS):
        found = _look(files, origin)
        if found.problems or not found.mark or not found.checkpoint:
            break
        if found.checkpoint.split("\n")[1:2] == [str(found.mark.size)]:
            break
        time.sleep(_LOOK_SECONDS)
    return found


def _look(files: LogFiles, origin: str) -> _Published:
    problems = []
    mark = checkpoint = None
    try:
        mark = read_high_water(files.high_water, origin)
        if mark is None:
            problems.append(f"high-water: {files.high_water} is missing")
    except ProvenanceError as error:
        problems.append(f"high-water: {error}")
    try:
        checkpoint = files.checkpoint.read_text()
    except (OSError, ValueError) as error:
        problems.append(f"checkpoint file: cannot be read: {error}")
    return _Published(mark, checkpoint, problems)


def _is_readable(connection: apsw.Connection, report: AuditReport) -> bool:
    """See whether the database is a log's, down to the types of the values, and say what is not."""
    faults = schema_faults(connection)
    damage = [text for (text,) in rows(connection, "PRAGMA quick_check(10)") if text != "ok"]
    for fault in faults:
        report.add(fault)
    for text in damage:
        report.add(f"database: {text.splitlines()[0]}")
    return not damage and not any("the table" in fault for fault in faults)


class _Audit:
    """One run over one snapshot."""

    def __init__(
        self,
        connection: apsw.Connection,
        vkey: str,
        secret: bytes,
        report: AuditReport,
        crew: Crew | None,
        *,
        openings: bool,
    ) -> None:
        self._connection = connection
        self._vkey = vkey
        self._rows = Rows(connection, secret)
        self._report = report
        self._crew = crew
        self._tell = crew.tell if crew else report.add
        self._gaps = Gaps(connection, self._tell, openings=openings)
        self._pass = Recomputation(connection, report.origin, self._tell, self._gaps)
        self._roots: dict[int, bytes] = {0: EMPTY_ROOT}

    def use(self, subjects: SubjectKeys | None) -> None:
        """Check also what is stored under these keys, or let the crew do so."""
        self._pass.openings.subjects = subjects
        if self._crew is not None:
            self._crew.miss = self._gaps.missing_openings
            self._pass.check_openings = self._crew.check

    def run(self, shown: _Published, progress: Callable[[int, int], None]) -> None:
        """Recompute, then compare everything that was derived."""
        self._gaps.read(self._rows, self._report.origin)
        ask = "SELECT size, CAST(note AS BLOB) FROM checkpoint"
        notes = {size: note.decode(errors="replace") for size, note in rows(self._connection, ask)}
        self._recompute({*notes, shown.mark.size if shown.mark else 0}, progress)
        self._report.size, self._report.root = self._pass.position, self._pass.edge.root
        self._compare_extent()
        if self._pass.whole:
            self._compare_tree()
        self._compare_head()
        self._compare_checkpoints(notes)
        if self._pass.register is not None:
            self._compare_register(self._pass.register, notes)
        self._compare_published(notes, shown)
        if self._crew is not None:
            self._crew.settle()
        openings = self._crew or self._pass.openings
        self._report.openings_missing = openings.missing
        self._report.openings_locked = openings.locked
        self._report.openings_erased = self._gaps.openings
        self._report.bodies_erased = self._gaps.bodies

    def _recompute(self, sizes: set[int], progress: Callable[[int, int], None]) -> None:
        """Go through all entries, halting at each size that something claims a root for."""
        total = self._one("SELECT count(*) FROM leaf")
        stops = {size for size in sizes if 0 < size <= total} | set(range(_CHUNK, total, _CHUNK))
        for stop in sorted(stops):
            if stop > self._pass.position:
                self._pass.advance(stop - self._pass.position)
            if self._pass.whole and stop == self._pass.position:
                self._roots[stop] = self._pass.edge.root
            progress(min(stop, total), total)
        while self._pass.advance(_CHUNK):
            pass
        progress(total, total)

    def _one(self, ask: str, *values: object) -> Any:
        return rows(self._connection, ask, *values)[0][0]

    def _compare_extent(self) -> None:
        """No table may hold rows for entries that are not there."""
        size = self._report.size
        for table in ("leaf", "body", "opening", *row_tables(self._connection), "maker"):
            ask = f"SELECT idx FROM {table} WHERE idx < 0 OR idx >= ? LIMIT 1"  # noqa: S608 - constants
            for (index,) in rows(self._connection, ask, size):
                self._tell(f"{table}: a row for entry {index}, of entries 0 to {size - 1}")

    def _compare_tree(self) -> None:
        """Compare the right edge's tiles, and refuse tiles that belong to no tree of this size."""
        expected = set()
        for level, partial in enumerate(self._pass.edge.partial):
            width = self._report.size >> (8 * level)
            expected |= {(level, number) for number in range(-(-width // merkle.TILE_WIDTH))}
            if partial:
                self._pass.check_tile(level, width // merkle.TILE_WIDTH, partial)
        for level, number in rows(self._connection, "SELECT level, number FROM tile"):
            if (level, number) not in expected:
                self._tell(f"tile {level}/{number}: belongs to no tree of {self._report.size}")

    def _compare_head(self) -> None:
        ask = "SELECT id, size, root, chain, ingest_time_us, row_sums FROM head"
        stored = rows(self._connection, ask)
        if len(stored) != 1:
            self._tell(f"head: {len(stored)} rows, there must be one")
            return
        *found, sums = stored[0]
        edge = self._pass.edge
        right = [1, self._report.size, edge.root, self._pass.chain, self._pass.time_us]
        names = ("id", "size", "root", "chain", "time")
        for name, ours, theirs in zip(names, right, found, strict=True):
            if ours != theirs:
                self._tell(f"head: its {name} is not that of the entries")
        # The sums are masked with size and root: where these are wrong, they say nothing.
        seals = self._rows.seals
        known = seals.mask(sums, edge.size, edge.root) if found[1:3] == right[1:3] else None
        for fault in row_faults(self._connection, seals, known):
            self._tell(fault)

    def _compare_checkpoints(self, notes: dict[int, str]) -> None:
        if self._report.size not in notes:
            self._tell(f"checkpoint {self._report.size}: the newest is missing")
        register = self._pass.register
        signers_at = register.signers_at if register else lambda _size: [self._vkey]
        for fault in cosignature_faults(self._connection, notes):
            self._tell(fault)
        for size, note in sorted(notes.items()):
            try:
                found = read_checkpoint(note, self._report.origin, signers_at)
            except ProvenanceError as error:
                self._tell(f"checkpoint {size}: {error}")
                continue
            if found.size != size:
                self._tell(f"checkpoint {size}: is for a tree of {found.size}")
            elif self._roots.get(size) != found.root:
                self._tell(f"checkpoint {size}: the entries have another root")

    def _compare_register(self, register: Register, notes: dict[int, str]) -> None:
        """See that the trusted key is the log's, that keys were handed over, and readers know."""
        if self._vkey not in register.keys:
            self._tell("body 0: the log's register does not name the trusted key")
        # What stood before the trusted key needs no hand-over: it has signed for all of it.
        start = max((at.entry for at in register.periods if self._vkey in at.vkeys), default=0)
        for period in register.periods:
            if period.entry > start and period.entry + 1 not in notes:
                self._tell(
                    f"checkpoint {period.entry + 1}: missing; the old and the new key sign it, to "
                    f"hand over the log in entry {period.entry}"
                )
        for number, index in enumerate(register.entries[1:], 1):
            if self._rows.index_of(register_key(register.origin, number)) != index:
                self._tell(f"event_id: readers do not find entry {index} of the register")

    def _compare_published(self, notes: dict[int, str], shown: _Published) -> None:
        for problem in shown.problems:
            self._tell(problem)
        mark = shown.mark
        if mark and self._roots.get(mark.size) != mark.root:
            self._tell(
                f"high-water: {mark.size} entries were published, these are other ones or fewer"
            )
        if shown.checkpoint is None:
            return
        signed = [note for note in notes.values() if shown.checkpoint.startswith(note)]
        if not signed:
            self._tell("checkpoint file: not one that this log signed")
        elif added_by_others(self._connection, signed[0], shown.checkpoint):
            self._tell("checkpoint file: a line in it is no cosignature that was stored")
        elif mark and signed[0] != notes.get(mark.size):
            self._tell(
                f"checkpoint file: not the one for the {mark.size} entries once published; where "
                "a crash left it so, the next writer mends it"
            )
