"""The patrol: detectors go round by themselves, alone, and whatever happens."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from provenance.errors import StorageError
from workspace import patrol
from workspace.layout import Layout
from workspace.patrol import Patrol, State, read_state, told
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provenance.entries import Draft

_PATIENCE = 60.0


class Outcome(NamedTuple):
    """What became of one flag."""

    kind: str


class Done(NamedTuple):
    """As much of a run's result as the patrol looks at."""

    position: int
    size: int
    outcomes: tuple[Outcome, ...] = ()
    superseded: tuple[Outcome, ...] = ()
    problems: tuple[str, ...] = ()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace, and a patrol without patience."""
    for name in ("_LOOK", "_QUIET", "_STANDBY", "_AGAIN"):
        monkeypatch.setattr(patrol, f"{name}_SECONDS", 0.01)
    directory = tmp_path / "workspace"
    create_workspace(directory, origin="log.example/t", party="acme", domain="https://t.example")
    return directory


def grow(directory: Path, draft: Callable[[int], Draft], number: int) -> None:
    """Append one entry."""
    with Workspace(directory) as workspace:
        workspace.log.append([draft(number)])


def site(number: int) -> Draft:
    """A facility."""
    from provenance.entries import Draft, EntryType, Identity  # noqa: PLC0415

    content = {"party": "acme", "facility_id": f"F{number}"}
    return Draft(
        EntryType.MASTER_DATA, "facility/1", content, (Identity(("facility", f"F{number}")),)
    )


@contextmanager
def going(directory: Path) -> Iterator[None]:
    """A patrol that goes round meanwhile."""
    ended = threading.Event()
    thread = threading.Thread(target=Patrol(directory, ended).run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_PATIENCE)
        assert not thread.is_alive()


def until(holds: Callable[[], Any]) -> None:
    """Wait for something to come true."""
    last = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < last
        time.sleep(0.01)


def state(directory: Path) -> State:
    """What the patrol says."""
    found = read_state(Layout(directory))
    return found or State("waiting", -1, 0)


def test_it_runs_for_new_entries_and_not_for_its_own_flags(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One run at the start, one for entries that came; flags of its own, raised or superseded,
    start none.
    """
    runs: list[int] = []

    def run(workspace: Workspace, *_: object, **__: object) -> Done:
        before = workspace.reader.size
        workspace.log.append([site(1_000 + before), site(2_000 + before)])
        runs.append(before)
        return Done(before, before + 2, (Outcome("appended"),), (Outcome("appended"),))

    monkeypatch.setattr(patrol, "detect", run)
    with going(place):
        until(lambda: len(runs) == 1 and state(place).state == "waiting")
        grow(place, site, 1)
        until(lambda: len(runs) == 2)
        time.sleep(0.2)
    assert runs == [1, 4]
    assert state(place).position == 4


def test_what_came_during_a_run_is_looked_at_after_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry of somebody else between the reading and the end is not passed over."""
    runs: list[int] = []

    def run(workspace: Workspace, *_: object, **__: object) -> Done:
        before = workspace.reader.size
        if not runs:
            workspace.log.append([site(5)])
        runs.append(before)
        return Done(before, workspace.reader.size)

    monkeypatch.setattr(patrol, "detect", run)
    with going(place):
        until(lambda: len(runs) == 2)
        time.sleep(0.1)
    assert runs == [1, 2]


def test_a_run_that_fails_is_reported_and_tried_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator reads why; everybody else that it failed; then it goes on as if nothing was."""
    fails = threading.Event()
    fails.set()

    def run(workspace: Workspace, *_: object, **__: object) -> Done:
        if fails.is_set():
            raise StorageError("graph.db: no space\nleft")
        return Done(workspace.reader.size, workspace.reader.size)

    monkeypatch.setattr(patrol, "detect", run)
    with going(place):
        until(lambda: state(place).state == "failed")
        layout = Layout(place)
        assert (told(layout, whole=True) or {})["error"] == "graph.db: no space left"
        assert "error" not in (told(layout, whole=False) or {})
        fails.clear()
        until(lambda: state(place).state == "waiting")
    assert told(layout, whole=True) == {
        "state": "waiting", "position": 1, "since": state(place).since
    }  # fmt: skip


def test_two_patrols_are_one(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second stands by, and takes over when the first is gone."""
    busy, most, runs = [0], [0], [0]

    def run(workspace: Workspace, *_: object, **__: object) -> Done:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        time.sleep(0.05)
        busy[0] -= 1
        runs[0] += 1
        return Done(workspace.reader.size, workspace.reader.size)

    monkeypatch.setattr(patrol, "detect", run)
    with going(place):
        with going(place):
            until(lambda: runs[0] >= 1)
            grow(place, site, 1)
            until(lambda: runs[0] >= 2)
        grow(place, site, 2)
        until(lambda: runs[0] >= 3)
    assert most[0] == 1


def test_a_process_that_dies_is_started_again_and_ends_with_its_starter(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever kills it; and when the server goes, it goes."""
    started: list[subprocess.Popen[bytes]] = []

    def start(module: str, *_: str) -> subprocess.Popen[bytes]:
        assert module == "workspace.patrol"
        code = "pass" if len(started) < 2 else "import sys; sys.stdin.read()"
        command = [sys.executable, "-c", code]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        return process

    ended = threading.Event()
    thread = threading.Thread(target=patrol._keep_going, args=(place, ended, start))
    thread.start()
    until(lambda: len(started) == 3)
    assert started[2].poll() is None
    ended.set()
    thread.join(_PATIENCE)
    assert not thread.is_alive()
    assert started[2].poll() is not None


def test_its_input_ends_when_the_other_end_does() -> None:
    """It waits as long as it is told, and knows at once, and for good, when nobody is there."""
    read, write = os.pipe()
    given = patrol.Input(read)
    assert not given.is_set()
    assert not given.wait(0.01)
    os.write(write, b"what nobody sends")
    assert not given.is_set()
    os.close(write)
    until(given.is_set)
    assert given.wait(_PATIENCE)
    os.close(read)


def test_the_process_has_one_thread(place: Path) -> None:
    """A process with threads is never copied: a run over everything would take twice the time."""
    code = (
        "import sys, threading\nfrom workspace import patrol\n"
        "patrol.Patrol.run = lambda self: print(threading.active_count(), self._ended.is_set())\n"
        "sys.argv[1:] = ['.']\npatrol.main()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.read().split() == [b"1", b"False"]
    process.communicate()
