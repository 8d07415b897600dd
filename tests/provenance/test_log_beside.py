"""Rules of several at once: readers beside a writer, writers beside each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from log_factories import Rig, check_log, event, facility

from provenance import log as log_module
from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.entries import Outcome
    from provenance.log import Log

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A place for a log."""
    return Rig(tmp_path)


@pytest.fixture
def log(rig: Rig) -> Iterator[Log]:
    """A new log."""
    made = rig.create()
    yield made
    made.close()


def kinds(outcomes: list[Outcome]) -> list[tuple[str, int]]:
    """Outcomes as plain pairs."""
    return [(each.kind, each.index) for each in outcomes]


def test_a_reader_sees_whole_calls_beside_a_writer(rig: Rig, log: Log) -> None:
    """A reader that stays open sees what was appended, and can be opened while a writer is."""
    reader = rig.reader()
    for call in range(3):
        log.append([event(call * 10 + number) for number in range(10)])
        assert reader.size == 1 + 10 * (call + 1)
        assert reader.checkpoint() == log.checkpoint()
        assert reader.find(("event", "acme", f"E-{call * 10 + 9}")) == reader.size - 1
    entries = reader.entries(0)
    first = next(entries)
    log.append([event(99)])
    assert first.index == 0
    assert len(list(entries)) == 30
    assert rig.audit().problems == []
    reader.close()


OPENER = """
import sys
from pathlib import Path
from log_factories import Rig, event
rig = Rig(Path(sys.argv[1]))
for number in range(60):
    log = rig.open()
    log.append([event(number)])
    log.close()
"""


def test_readers_open_while_writers_come_and_go(rig: Rig) -> None:
    """The moment in which a writer opens or closes the log is waited out, never an error."""
    rig.create().close()
    command = [sys.executable, "-c", OPENER, str(rig.directory)]
    environment = {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    sizes = []
    with subprocess.Popen(command, env=environment) as writer:
        while writer.poll() is None:
            reader = rig.reader()
            sizes.append(reader.size)
            reader.close()

    assert writer.returncode == 0
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 10


def test_two_logs_of_one_process_make_one_history(rig: Rig, log: Log) -> None:
    """A second writer on the same log sees what the first appended since it looked."""
    second = rig.open()
    log.append([event(0)])

    assert kinds(second.append([event(0), event(1)])) == [("duplicate", 1), ("appended", 2)]
    assert kinds(log.append([event(1, carrier="x"), event(2)])) == [
        ("conflict", 2),
        ("appended", 3),
    ]
    second.close()
    log.close()
    check_log(rig, acknowledged=3, drafts=3)


def test_what_came_in_between_looking_and_locking_counts(
    rig: Rig, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that another writer appends while ours are being sealed are duplicates, not doubled."""
    second = rig.open()
    real = log_module.prepare

    def slow(*arguments: Any) -> Any:
        batch = real(*arguments)
        monkeypatch.setattr(log_module, "prepare", real)
        second.append([event(0), facility("F-1", name="first")])
        return batch

    monkeypatch.setattr(log_module, "prepare", slow)
    outcomes = log.append([event(0), event(1), facility("F-1", name="second"), event(0)])

    assert kinds(outcomes) == [
        ("duplicate", 1),
        ("appended", 3),
        ("appended", 4),
        ("duplicate", 1),
    ]
    second.close()
    assert rig.audit().problems == []


WRITER = """
import sys
from pathlib import Path
from log_factories import Rig, event, seeded
rig = Rig(Path(sys.argv[1]), entropy=seeded(int(sys.argv[2])))
log = rig.open()
for start in range(0, 120, 6):
    for outcome in log.append([event(number) for number in range(start, start + 6)]):
        print(outcome.kind, outcome.index)
log.close()
"""


def test_processes_that_append_at_once_make_one_log(rig: Rig) -> None:
    """Four processes with the same events: each is in once, in one chain, and all know where."""
    rig.create().close()
    command = [sys.executable, "-c", WRITER, str(rig.directory)]
    environment = {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    running = [
        subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, text=True, env=environment)
        for seed in range(4)
    ]
    answers = [process.communicate(timeout=120)[0].split() for process in running]

    assert [process.returncode for process in running] == [0, 0, 0, 0]
    assert sum(answer.count("appended") for answer in answers) == 120
    assert len({tuple(answer[1::2]) for answer in answers}) == 1
    with_log = rig.open()
    seen = [open_entry(entry, Tier.PRIVATE)["event_id"] for entry in with_log.entries(1)]
    assert sorted(seen) == sorted({f"E-{number}" for number in range(120)})
    with_log.close()
    assert rig.audit().problems == []
