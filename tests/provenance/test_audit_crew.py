"""Rules of an audit by several processes: it tells what one process tells, and leaves none."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from erase_tools import erase
from hypothesis import given, settings
from hypothesis import strategies as st
from log_factories import SECRET, Rig, event, facility, seeded

from provenance.auditing import audit as audit_module
from provenance.auditing import crew
from provenance.auditing.audit import audit
from provenance.auditing.checker import Checker, Found
from provenance.auditing.team import Team
from provenance.disclosure.tiers import DEFAULT_POLICY, TierPolicy
from provenance.entries import Tier
from provenance.forget.wanted import record_of
from provenance.store.storage import connect
from provenance.store.subjects import SubjectKeys

if TYPE_CHECKING:
    from collections.abc import Iterator

    import apsw

    from provenance.auditing.audit import AuditReport
    from provenance.auditing.team import Work

ROOT = Path(__file__).parent.parent.parent
DAMAGE = [
    "UPDATE leaf SET leaf = {changed} WHERE idx = {index}",
    "UPDATE body SET body = {changed} WHERE idx = {index}",
    "UPDATE opening SET salt = {changed} WHERE idx = {index}",
    "UPDATE opening SET preimage = {changed} WHERE idx = {index}",
    "UPDATE opening SET tier = tier % 3 + 1 WHERE idx >= {index}",
    "UPDATE opening SET path = CAST(x'2fff' AS TEXT) WHERE idx = {index} AND path = '/shipment_id'",
    "INSERT OR IGNORE INTO opening SELECT idx + {index}, '/a%b', 1, salt, preimage FROM opening",
    "DELETE FROM opening WHERE idx = {index}",
    "DELETE FROM opening WHERE idx > {index}",
    "DELETE FROM opening WHERE idx = {index} AND path = '/shipment_id'",
    "DELETE FROM body WHERE idx = {index}",
    "UPDATE body SET body = NULL WHERE idx = {index}",
    "DELETE FROM leaf WHERE idx = {index}",
    "UPDATE OR IGNORE leaf SET idx = 1000 WHERE idx = {index}",
    "DELETE FROM event_id WHERE idx = {index}",
    "UPDATE tile SET hashes = {changed}",
    "DELETE FROM checkpoint",
]
WHERE = st.tuples(st.sampled_from(DAMAGE), st.integers(0, 34), st.integers(1, 60))


class KeyedRig(Rig):
    """A log that keeps what is about persons under keys of theirs."""

    @property
    def instruments(self) -> Any:
        """What a writer needs."""
        return replace(super().instruments, subjects=self.subjects)

    @property
    def subjects(self) -> SubjectKeys:
        """The keys, opened once more."""
        return SubjectKeys(self.directory / "subjects.db", SECRET, seeded(3))

    def audit(self, processes: int | None = 1) -> AuditReport:
        """Recompute all of it."""
        found = self.subjects
        try:
            return audit(self.files, self.key.vkey, SECRET, subjects=found, processes=processes)
        finally:
            found.close()


def person(number: int) -> Any:
    """An event with a field about a person."""
    return replace(event(number), subjects={"/shipment_id": f"person {number}"})


def make(directory: Path) -> KeyedRig:
    """A log with tiers that change, an erasure, encrypted openings, and bodies of all kinds."""
    directory.mkdir()
    rig = KeyedRig(directory)
    SubjectKeys.create(directory / "subjects.db")
    log = rig.create()
    for start in range(0, 12, 3):
        log.append([event(number) for number in range(start, start + 3)])
    log.govern(lambda register: register.policy_change(OTHER_TIERS))
    more = {"ext": [["%b", "x"], ["}", "y"]], 'a"}%b': "z", "A": "before the format's own"}
    log.append([event(number, **more) for number in range(20, 24)])
    log.append([replace(event(number), tiers={"/party": Tier.PARTNER}) for number in range(30, 33)])
    log.append([facility("F-1"), *[person(number) for number in range(40, 46)]])
    erase(rig, log)
    log.close()
    return rig


OTHER_TIERS = TierPolicy(
    {
        **DEFAULT_POLICY.rules,
        "event/1": {**DEFAULT_POLICY.rules["event/1"], "/carrier": Tier.PRIVATE},
    }
)


@pytest.fixture(scope="module")
def model() -> Iterator[KeyedRig]:
    """One log for all, to be copied."""
    with tempfile.TemporaryDirectory() as directory:
        yield make(Path(directory) / "log")


@pytest.fixture
def rig(model: KeyedRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyedRig:
    """A log that is divided into small ranges."""
    shorten(monkeypatch)
    copy: Any = model.copied(tmp_path / "log")
    return replace(model, directory=copy.directory)


def shorten(patched: pytest.MonkeyPatch, size: int = 4, ahead: int = 1) -> None:
    """Make ranges small and look at files once."""
    patched.setattr(crew, "_RANGE", size)
    patched.setattr(crew, "_AHEAD", ahead)
    patched.setattr(audit_module, "_LOOK_SECONDS", 0)


class Near(Team):
    """A team in this process, that leaves some work undone and fails at some."""

    turns = "worked"

    def start(self, _connection: apsw.Connection, count: int) -> None:
        """Start nothing."""
        self.joined = count
        self._own = connect(self._database, readonly=True)
        keys = SubjectKeys(self._subjects, bytes(32), seeded(4)) if self._subjects else None
        self._checker = Checker(self._own, keys)
        self._handed = 0

    def hand(self, work: Work) -> None:
        """Do it at once, as over a pipe; or fail; or leave it."""
        turn = self.turns[self._handed % len(self.turns)]
        self._handed += 1
        if turn == "w":
            work.answer.set_running_or_notify_cancel()
            asked = json.loads(json.dumps([work.governing, work.bounds]))
            found = json.loads(json.dumps(self._checker.check(*asked)))
            work.answer.set_result([Found(*one) for one in found])
        elif turn == "f":
            work.answer.set_running_or_notify_cancel()
            work.answer.set_exception(ValueError())


@settings(max_examples=40, deadline=None)
@given(
    damage=st.lists(WHERE, max_size=3),
    size=st.integers(1, 9),
    ahead=st.integers(0, 3),
    turns=st.text("wfl", min_size=1, max_size=4),
    keys=st.booleans(),
)
def test_the_report_is_that_of_one_process(
    model: KeyedRig,
    damage: list[tuple[str, int, int]],
    size: int,
    ahead: int,
    turns: str,
    *,
    keys: bool,
) -> None:
    """Whatever is damaged, and whoever checks what: the same lines, in the same order."""
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patched:
        copy: Any = model.copied(Path(place) / "log")
        if not keys:
            copy.subjects.path.unlink()
        with copy.attacked() as database:
            for text, index, at in damage:
                name = text.partition(" SET ")[2].partition(" ")[0]
                changed = f"substr({name}, 1, {at - 1}) || x'0d' || substr({name}, {at + 1})"
                database.execute(text.format(changed=f"CAST({changed} AS BLOB)", index=index))
        shorten(patched, size, ahead)
        patched.setattr(audit_module, "Team", Near)
        patched.setattr(Near, "turns", turns)
        one, several = copy.audit(1), copy.audit(2)

    assert one == several
    assert (one.processes, several.processes) == (1, 2)
    assert damage or not one.problems


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """The processes that are started."""
    seen: list[subprocess.Popen[bytes]] = []
    start = Team._started

    def watched(self: Team) -> subprocess.Popen[bytes]:
        seen.append(start(self))
        return seen[-1]

    monkeypatch.setattr(Team, "_started", watched)
    return seen


def settled(report: AuditReport) -> AuditReport:
    """A report on a log in which all adds up."""
    assert report.problems == []
    assert report.openings_erased == 1
    return report


def wait_for_all(patched: pytest.MonkeyPatch) -> None:
    """Let the audit itself do nothing before the processes have joined, or cannot."""
    start = Team.start

    def patient(self: Team, connection: apsw.Connection, asked: int) -> None:
        start(self, connection, asked)
        while self.joined < asked and all(thread.is_alive() for thread in self._threads):
            self._threads[0].join(0.01)

    patched.setattr(Team, "start", patient)


def test_several_processes_take_part_and_none_is_left(
    rig: KeyedRig, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    """Real processes find what one finds, in damage and without, and end with the audit."""
    wait_for_all(monkeypatch)

    report = rig.audit(3)

    assert settled(report) == rig.audit(1)
    assert report.processes == 3
    with rig.attacked() as database:
        database.execute("DELETE FROM opening WHERE idx % 3 = 1 AND path = '/shipment_id'")
    assert rig.audit(2) == rig.audit(1)
    assert len(started) == 3
    assert all(process.returncode is not None for process in started)


BAD = {
    "dies at once": "",
    "says nothing of use": "print('x')",
    "sees another log": "print('\"[]\"', flush=True); input(); input()",
    "dies at work": "print(json.dumps(sys.argv[1]), flush=True); input(); input()",
    "answers too little": "print(json.dumps(sys.argv[1])); print([], flush=True); input(); input()",
}


@pytest.mark.parametrize("how", BAD)
def test_a_process_that_fails_changes_nothing(
    rig: KeyedRig, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """What a process leaves undone, or answers wrongly, is done by the audit itself."""

    def bad(self: Team) -> subprocess.Popen[bytes]:
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        text = "import sys, json; " + BAD[how]
        return subprocess.Popen([sys.executable, "-c", text, self._state], **pipes)

    monkeypatch.setattr(Team, "_started", bad)
    with rig.attacked() as database:
        database.execute("DELETE FROM opening WHERE idx = 9")

    report = rig.audit(2)

    assert report == rig.audit(1)
    assert report.problems


def test_a_process_that_was_stopped_is_not_waited_for_for_ever(
    rig: KeyedRig, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    """After a while it is ended, its work is done by the audit, and the report says so."""
    wait_for_all(monkeypatch)
    monkeypatch.setattr(crew, "_PATIENCE_SECONDS", 0.2)
    hand = Team.hand
    first: list[Work] = []

    def stop_first(self: Team, work: Work) -> None:
        if not first:
            first.append(work)
            started[0].send_signal(signal.SIGSTOP)
            hand(self, work)
            while work.process is None:
                time.sleep(0.005)
        else:
            hand(self, work)

    monkeypatch.setattr(Team, "hand", stop_first)
    with rig.attacked() as database:
        database.execute("DELETE FROM opening WHERE idx = 2")

    report = rig.audit(2)

    assert report == rig.audit(1)
    assert [f"process {started[0].pid} " in note for note in report.notes] == [True]
    assert started[0].returncode == -signal.SIGKILL


def test_no_process_can_be_started(rig: KeyedRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no room for more processes, one does it all."""
    monkeypatch.setattr(sys, "executable", str(rig.directory / "nothing"))

    assert settled(rig.audit(4)).processes == 1


@pytest.mark.parametrize("what", ["append", "erase"])
def test_a_process_that_sees_a_later_log_is_not_used(
    rig: KeyedRig, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A writer between the audit's snapshot and a process's own: the audit does all by itself."""
    start = Team._started

    def late(self: Team) -> subprocess.Popen[bytes]:
        log = rig.open()
        if what == "append":
            log.append([event(99)])
        else:
            erase(rig, log, record_of(log.entry(5), ("shipment_id",)))
        log.close()
        return start(self)

    wait_for_all(monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(Team, "_started", late)
        size = rig.audit(1).size
        report = rig.audit(2)

    assert (report.problems, report.processes, report.size) == ([], 1, size)
    assert rig.audit(2).processes == 2


def test_an_interrupt_ends_all(rig: KeyedRig, started: list[subprocess.Popen[bytes]]) -> None:
    """Where an audit is broken off, no process is left."""

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(rig.files, rig.key.vkey, SECRET, interrupt, processes=3)

    assert [process.poll() is not None for process in started] == [True, True]


SCRIPT = """
import sys
from pathlib import Path
print("begun")
from provenance.auditing import audit as audit_module
from provenance.log import LogFiles
class Patient(audit_module.Team):
    def start(self, *args):
        super().start(*args)
        while not self.joined:
            self._threads[0].join(0.01)
audit_module.Team = Patient
files = LogFiles(Path({place!r}))
report = audit_module.audit(files, {vkey!r}, bytes(range(32)), processes=2)
print(report.processes, report.size)
"""


def test_a_program_without_a_guard_is_not_run_again(rig: KeyedRig) -> None:
    """A script that begins an audit at once, from standard input, is run once."""
    text = SCRIPT.format(place=str(rig.directory), vkey=rig.key.vkey)
    done = subprocess.run(
        [sys.executable, "-"],
        input=text,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines() == ["begun", f"2 {rig.audit(1).size}"], done.stderr


def test_a_small_log_needs_one_process(
    rig: KeyedRig, monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]
) -> None:
    """Processes are started only where there is enough to do; then as many as processors."""
    monkeypatch.setattr(audit_module, "usable_cpus", lambda: 3)
    assert rig.audit(None).processes == 1
    assert started == []

    monkeypatch.setattr(audit_module, "_WORTHWHILE", 10)
    rig.audit(None)
    assert len(started) == 2
