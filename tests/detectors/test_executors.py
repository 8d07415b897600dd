"""Executors: the same flags wherever detectors are asked, also when a worker dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from frame_factories import ROOT
from planted import custody, travel

from detectors.custody_gap import CustodyGap
from detectors.executors import Cluster, InProcess
from detectors.impossible_travel import ImpossibleTravel
from detectors.mass_balance import MassBalance
from detectors.record import content
from detectors.run import run
from provenance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from detectors.executors import Executor
    from detectors.run import RunResult
    from graph.frames import Frames

ASKED = (CustodyGap(), ImpossibleTravel(), MassBalance())


class Slow(CustodyGap):
    """Takes its time, and says which process it is in."""

    def __init__(self, note: str) -> None:
        """Write the process id to `note` when asked."""
        self.note = note

    def features(self, shared: Any) -> Any:
        """Wait long enough to be killed, the first time."""
        first = not os.path.exists(self.note)  # noqa: PTH110 - runs on a worker
        with open(self.note, "a") as file:  # noqa: PTH123
            file.write(f"{os.getpid()}\n")
        if first:
            time.sleep(60)
        return super().features(shared)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers in processes of their own, on the loopback."""
    place = tmp_path_factory.mktemp("cluster")
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(["tests/detectors", "."])}
    note = place / "scheduler.json"
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    start += ["--port", "0", "--no-dashboard", "--scheduler-file", str(note)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(start, env=here, **quiet)]  # type: ignore[call-overload]
    work = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(note)]
    work += ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
    work += ["--local-directory", str(place)]
    until = time.monotonic() + 60
    while not note.exists() and time.monotonic() < until:
        time.sleep(0.05)
    processes += [subprocess.Popen(work, env=here, **quiet) for _ in range(2)]  # type: ignore[call-overload]
    import json  # noqa: PLC0415 - of this fixture alone

    yield json.loads(note.read_text())["address"]
    for process in reversed(processes):
        process.kill()
        process.wait()


def ask(frames: Frames, executor: Executor | None, asked: Any = ASKED) -> RunResult:
    """One run."""
    return run(frames, asked, tree_size=frames.position, root=ROOT, executor=executor)


def said(result: RunResult) -> list[Any]:
    """Everything a run concludes."""
    return [content(flag) for flag in result.flags] + [sorted(result.abstentions)]


def test_a_cluster_says_the_same(scheduler: str) -> None:
    """Flags, scores and abstentions are those of one process, for several records in turn."""
    cluster = Cluster(scheduler)
    for planted in (custody(), travel()):
        frames = planted.world.frames()
        here, there = ask(frames, InProcess()), ask(frames, cluster)
        assert here.flags
        assert there.errors == ()
        assert said(there) == said(here)
        assert there.scores.equals(here.scores)
    cluster.close()


def test_a_killed_worker_changes_nothing(scheduler: str, tmp_path: Path) -> None:
    """A task whose worker is killed is done by another; the flags are the same."""
    frames, note = custody().world.frames(), tmp_path / "asked"
    cluster = Cluster(scheduler)
    killer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import os,sys,time\n"
                "until=time.monotonic()+60\n"
                "while not (os.path.exists(sys.argv[1]) and open(sys.argv[1]).read().strip()):\n"
                "    assert time.monotonic()<until; time.sleep(.05)\n"
                f"os.kill(int(open(sys.argv[1]).read().split()[0]), {int(signal.SIGKILL)})"
            ),
            str(note),
        ]
    )
    result = ask(frames, cluster, [Slow(str(note))])
    assert killer.wait() == 0
    cluster.close()
    assert len(set(note.read_text().split())) == 2
    assert result.errors == ()
    alone = ask(frames, None, [CustodyGap()])
    assert alone.flags
    assert [(one.subject_id, one.score, one.account) for one in result.flags] == [
        (one.subject_id, one.score, one.account) for one in alone.flags
    ]


def test_nobody_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address at which no scheduler answers is named; so is the missing extra."""
    with pytest.raises(UsageError, match="--scheduler nonsense: nobody answers"):
        Cluster("nonsense")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="install the extra `cluster`"):
        Cluster("tcp://127.0.0.1:1")
