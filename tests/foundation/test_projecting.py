"""The graph that follows in a process of its own: it saves time, and nothing hangs on it."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance import beside
from provenance.entries import Draft, EntryType, Identity
from workspace import projecting
from workspace.projecting import Projecting, follow
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provenance.store.reading import LogReader

SECONDS = 60.0


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace."""
    place = tmp_path / "data"
    create_workspace(place, origin="log.example/test", party="p", domain="https://p.example")
    with Workspace(place) as opened:
        yield opened


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine has."""
    monkeypatch.setattr(beside, "usable_cpus", lambda: 2)


def append(workspace: Workspace, first: int, count: int) -> None:
    """Append events."""
    names = [f"E-{number}" for number in range(first, first + count)]
    contents = [{"party": "p", "event_id": name, "event_type": "inspect"} for name in names]
    workspace.log.append(
        [
            Draft(EntryType.EVENT, "event/1", one, (Identity(("event", "p", one["event_id"])),))
            for one in contents
        ]
    )


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def is_there(process: int) -> bool:
    """Say whether a process still runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.usefixtures("two_processors")
def test_it_follows_while_the_log_grows(workspace: Workspace) -> None:
    """What is appended appears in the graph by itself; afterwards the process is gone."""
    append(workspace, 0, 10)
    with Projecting(workspace.layout.directory) as graph:
        graph.start()
        wait_for(lambda: workspace.graph.position() == 11)
        append(workspace, 10, 10)
        wait_for(lambda: workspace.graph.position() == 21)
        assert graph.process is not None
        process = graph.process.pid
    assert not is_there(process)
    assert workspace.sync_graph() == 0


@pytest.mark.usefixtures("two_processors")
def test_a_dead_one_is_not_missed(workspace: Workspace) -> None:
    """Killed, it leaves a graph that is behind and whole; whoever needs it does the rest."""
    append(workspace, 0, 10)
    with Projecting(workspace.layout.directory) as graph:
        graph.start()
        assert graph.process is not None
        os.kill(graph.process.pid, signal.SIGKILL)
        append(workspace, 10, 10)
    workspace.sync_graph()
    assert workspace.graph.position() == workspace.log.size


@pytest.mark.usefixtures("two_processors")
def test_it_ends_with_whoever_started_it(workspace: Workspace) -> None:
    """When the other end of its input is gone, for whatever reason, so is it."""
    with Projecting(workspace.layout.directory) as graph:
        graph.start()
        assert graph.process is not None
        assert graph.process.stdin is not None
        graph.process.stdin.close()
        wait_for(lambda: graph.process is not None and graph.process.poll() is not None)


@pytest.mark.usefixtures("two_processors")
def test_it_finishes_or_is_not_waited_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is waited for while it gets on, and told; one that is stuck, or dead, is left."""
    append(workspace, 0, 10)
    told: list[tuple[int, int]] = []
    with Projecting(workspace.layout.directory) as graph:
        graph.start()
        graph.finish(workspace.graph.position, 11, lambda *at: told.append(at))
        assert workspace.graph.position() == 11
        assert told[-1] == (11, 11)
        monkeypatch.setattr(projecting, "_STUCK_SECONDS", 0.2)
        graph.finish(lambda: 3, 11, lambda *at: told.append(at))
        assert told[-1] == (3, 11)
        assert graph.process is not None
        graph.process.kill()
        graph.process.wait()
        graph.finish(lambda: 4, 11, lambda *at: told.append(at))
        assert told[-1] == (3, 11)


def test_one_processor_is_left_to_the_ingest(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is one processor, or no room for a process, nothing is started."""
    monkeypatch.setattr(beside, "usable_cpus", lambda: 1)
    with Projecting(workspace.layout.directory) as graph:
        graph.start()
        assert graph.process is None

    def full(*_words: str) -> None:
        raise BlockingIOError

    monkeypatch.setattr(beside, "usable_cpus", lambda: 2)
    monkeypatch.setattr(beside, "start", full)
    with Projecting(workspace.layout.directory) as graph:
        graph.start()
        assert graph.process is None


def test_it_stops_between_batches(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to end in the middle of a long way, it ends after the batch at hand."""
    append(workspace, 0, 30)
    ended, store = threading.Event(), MemoryStore()

    def one_batch(log: LogReader, into: MemoryStore, tell: Callable[[int, int], None]) -> int:
        ended.set()
        return catch_up(log, into, tell, batch=7)

    monkeypatch.setattr(projecting, "catch_up", one_batch)
    follow(workspace.reader, store, ended)
    assert store.position() == 7
