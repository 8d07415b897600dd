"""A log in a directory, with a clock that can be set, and drafts for it."""

from __future__ import annotations

import random
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import apsw

from provenance.auditing.audit import audit
from provenance.disclosure.privacy import open_entry
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.hashing import body_digest
from provenance.log import Instruments, Log, LogFiles
from provenance.notes import keys
from provenance.proving.proof import bundle_text
from provenance.store import row_levels
from provenance.verify import check_bundle, parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.auditing.audit import AuditReport
    from provenance.store.reading import LogReader

ORIGIN = "log.example/tests"
SECRET = bytes(range(32))
START_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
SECOND_US = 1_000_000


@dataclass
class SetClock:
    """A clock that stands still until it is set."""

    now_us: int = START_US

    def __call__(self) -> int:
        """Be a `provenance.clock.Clock`."""
        return self.now_us


@dataclass
class Rig:
    """One log's directory and what it is opened with; nothing is open by itself."""

    directory: Path
    clock: SetClock = field(default_factory=SetClock)
    key: keys.LogKey = field(default_factory=lambda: keys.generate(ORIGIN, seeded(1)))
    entropy: Any = field(default_factory=lambda: seeded(2))

    @property
    def files(self) -> LogFiles:
        """Where the log's files are."""
        return LogFiles(self.directory)

    @property
    def instruments(self) -> Instruments:
        """What a writer needs."""
        return Instruments(self.key, SECRET, self.clock, self.entropy)

    def create(self) -> Log:
        """Begin the log."""
        return Log.create(self.files, self.key.vkey, DEFAULT_POLICY, self.instruments)

    def filled(self, count: int, batch: int = 7) -> Rig:
        """Begin the log, append `count` events in batches, and close it."""
        log = self.create()
        for start in range(0, count, batch):
            self.clock.now_us += SECOND_US
            log.append([event(n) for n in range(start, min(start + batch, count))])
        log.close()
        return self

    def open(self) -> Log:
        """Open it to write."""
        return Log.open(self.files, self.instruments)

    def reader(self) -> LogReader:
        """Open it to read."""
        return Log.open_readonly(self.files, SECRET)

    def audit(self) -> AuditReport:
        """Recompute all of it."""
        return audit(self.files, self.key.vkey, SECRET)

    @contextmanager
    def attacked(self) -> Iterator[apsw.Connection]:
        """The database in an attacker's hands, who takes the triggers off and puts them back."""
        connection = apsw.Connection(str(self.files.database))
        connection.pragma("ignore_check_constraints", "ON")
        ask = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        triggers = connection.execute(ask).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, text in triggers:
            connection.execute(text)
        connection.close()

    def copied(self, directory: Path) -> Rig:
        """The same log in another place."""
        shutil.copytree(self.directory, directory)
        return replace(self, directory=directory)


def seeded(seed: int) -> Any:
    """Entropy that gives the same bytes every time."""
    return random.Random(seed).randbytes


@contextmanager
def settling(room: int, factor: int = 0) -> Iterator[None]:
    """Let row keys move on once there are more than `room` new ones; by default to the very end."""
    kept = row_levels._ROOM, row_levels._FACTOR
    row_levels._ROOM, row_levels._FACTOR = room, factor  # type: ignore[misc]
    try:
        yield
    finally:
        row_levels._ROOM, row_levels._FACTOR = kept  # type: ignore[misc]


def event(number: int, **more: Any) -> Draft:
    """A shipment with public, partner and private fields; its row key is its number."""
    content = {
        "party": "acme",
        "event_id": f"E-{number}",
        "event_type": "ship",
        "event_time": "2026-01-02T03:04:05Z",
        "items": [{"party": "acme", "product_id": "P-1", "lot_id": f"L-{number // 3}"}],
        "shipment_id": f"S-{number}",
        "declared_value_usd": {"_d": f"{number}.50"},
        **more,
    }
    return Draft(
        EntryType.EVENT,
        "event/1",
        content,
        (Identity(("event", "acme", f"E-{number}")),),
        lots=((f"L-{number // 3}", "acme", "P-1"),),
    )


def facility(site: str, **more: Any) -> Draft:
    """Master data: a change of it is a new version."""
    return Draft(
        EntryType.MASTER_DATA,
        "facility/1",
        {"party": "acme", "facility_id": site, **more},
        (Identity(("facility", site)),),
        on_change="version",
    )


def check_log(rig: Rig, acknowledged: int = 0, drafts: int = 0) -> None:
    """Open a log after whatever happened to it, and see that it is sound and complete.

    Args:
        rig: The log.
        acknowledged: How many of `event(0)`, `event(1)`... were acknowledged, from the first.
        drafts: How many of them were tried at all; they are all appended again.
    """
    log = rig.open()
    size = log.size
    assert size > acknowledged
    for number in range(acknowledged):
        assert log.find(("event", "acme", f"E-{number}")) is not None
    log.append([event(number) for number in range(drafts)])
    seen = [open_entry(entry, Tier.PRIVATE) for entry in log.entries(1)]
    assert [content["event_id"] for content in seen] == [f"E-{n}" for n in range(log.size - 1)]
    assert log.size == 1 + max(drafts, size - 1)
    _check_proof(rig, log)
    log.close()
    report = rig.audit()
    assert report.problems == []
    assert report.openings_missing == 0
    assert rig.files.checkpoint.read_text().split("\n")[1] == str(report.size)


def _check_proof(rig: Rig, log: Log) -> None:
    """The newest entry proves itself to a stranger, with a field opened."""
    entry = log.entry(log.size - 1)
    assert body_digest(entry.body or b"") in entry.leaf
    bundle = log.prove(entry.index, lambda _opening: True)
    policy = parse_policy(f"log {rig.key.vkey}\nquorum none\n".encode())
    verdicts = check_bundle(bundle_text(bundle), policy)
    assert {verdict.status for verdict in verdicts} <= {"ok", "absent"}
