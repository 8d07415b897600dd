"""Two processes at work on one run: the same answers, whatever becomes of the second one."""

from __future__ import annotations

import mmap
import os
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from following import changed, cut
from frame_factories import ROOT
from planted import custody

from detectors import abreast
from detectors.abreast import Plan, each
from detectors.custody_gap import CustodyGap
from detectors.features import Features
from detectors.impossible_travel import ImpossibleTravel
from detectors.mass_balance import MassBalance
from detectors.onward import going
from detectors.onward.going import Before, go_on
from detectors.record import content
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = os.getpid()


@pytest.fixture
def shared() -> Features:
    """The features of a small record."""
    return Features(custody().world.frames())


@pytest.fixture(autouse=True)
def _two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any record is large enough for two, and the machine has room for them."""
    monkeypatch.setattr(abreast, "_ENOUGH", 0)
    monkeypatch.setattr(abreast, "usable_cpus", lambda: 2)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    SEEN[0] = 0


SEEN = mmap.mmap(-1, 1)
"""Memory of both processes: whether the copy has been asked anything."""


def slow(answer: Any) -> tuple[int, Any]:
    """Say who was asked; nobody is the only one."""
    if os.getpid() == HERE:
        until = time.monotonic() + 60
        while not SEEN[0] and time.monotonic() < until:
            time.sleep(0.005)
    SEEN[0] = 1
    time.sleep(0.005)
    return os.getpid(), answer


def there(work: Callable[[], Any]) -> Any:
    """Do something in the copy alone."""
    process, _ = slow(None)
    return "here" if process == HERE else work()


def test_both_take_part_and_the_order_is_kept(shared: Features) -> None:
    """Answers come in the order of the tasks, from two processes, each told of once."""
    told: list[int] = []
    done: list[Any] = list(each([partial(slow, n) for n in range(20)], shared, begun=told.append))
    assert [answer for _, answer in done] == list(range(20))
    assert len({process for process, _ in done}) == 2
    assert sorted(told) == list(range(20))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_some_tasks_are_for_this_process_alone(shared: Features) -> None:
    """They are done here before all others, once what they need was made; each one is told of."""
    told: list[int] = []
    made: list[Features] = []
    plan = Plan(made.append, own=(1, 3), others=(4, 0, 2))
    tasks = [partial(slow, n) for n in (0, 1, 2, 3, 4)]
    done: list[Any] = list(each(tasks, shared, begun=told.append, plan=plan))
    assert [answer for _, answer in done] == [0, 1, 2, 3, 4]
    assert [done[own][0] for own in plan.own] == [HERE, HERE]
    assert {process for process, _ in done} != {HERE}
    assert told[:2] == [1, 3]
    assert made == [shared]


def test_tables_arrive_whole_and_shared_ones_are_not_doubled(shared: Features) -> None:
    """Columns of any kind arrive as they were sent, writable; what both have is the same object."""
    table = pd.DataFrame(
        {
            "text": pd.Series(["a", None, "ö"], dtype="str"),
            "number": [1.5, np.nan, -0.0],
            "time": pd.Series(["2024-01-01", None, "2024-01-02"], dtype="datetime64[us, UTC]"),
            "object": [["x"], None, b"y"],
        }
    )
    rows = shared.rows
    tasks = [partial(there, lambda: (table.copy(), rows)) for _ in range(2)]
    sent: list[Any] = [answer for answer in each(tasks, shared) if isinstance(answer, tuple)]
    arrived, same = sent[0]
    pd.testing.assert_frame_equal(arrived, table)
    arrived.loc[0, "number"] = 2.0
    assert same is rows


def test_what_a_task_raises_is_its_answer(shared: Features) -> None:
    """An exception is handed over like any answer, from either process."""

    def fails() -> object:
        raise ValueError("no")

    answers = {str(answer) for answer in each([partial(there, fails)] * 2, shared)}
    assert "no" in answers
    assert [str(answer) for answer in each([fails], shared)] == ["no"]


def test_what_cannot_be_sent_is_done_here(shared: Features) -> None:
    """An answer that no pickle can hold is made again, in this process."""
    tasks = [partial(slow, lambda: None) for _ in range(6)]
    done: list[Any] = list(each(tasks, shared))
    assert {process for process, _ in done} == {HERE}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_copy_that_dies_changes_nothing(shared: Features, end: int) -> None:
    """What the copy had taken on is done here, what it had sent counts."""

    def dies() -> str:
        os.kill(os.getpid(), end)
        return "unreached"

    assert list(each([partial(there, dies)] * 3, shared)) == ["here"] * 3


def test_a_copy_that_hangs_is_not_waited_for(
    shared: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nothing is heard of for long is done here, and the copy is gone."""
    monkeypatch.setattr(abreast, "_PATIENCE_SECONDS", 0.2)
    hangs = partial(there, threading.Event().wait)
    assert list(each([hangs] * 3, shared)) == ["here"] * 3
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_who_gives_up_takes_the_copy_along(shared: Features) -> None:
    """Ctrl-C in this process ends the copy at once, however long it would have been at it."""

    def interrupted() -> None:
        if os.getpid() != HERE:
            time.sleep(60)
        time.sleep(0.05)
        raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(each([interrupted] * 2, shared))
    assert time.monotonic() - start < 30
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("lacking", ["rows", "processors", "one thread"])
def test_a_process_that_may_not_be_copied_is_not(
    shared: Features, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    """Small records, one processor, other threads: all is done here, in order."""
    if lacking == "rows":
        monkeypatch.setattr(abreast, "_ENOUGH", len(shared.frames.events) + 1)
    elif lacking == "processors":
        monkeypatch.setattr(abreast, "usable_cpus", lambda: 1)
    else:
        monkeypatch.setattr(threading, "active_count", lambda: 2)
    told: list[int] = []
    SEEN[0] = 1
    done = list(each([partial(slow, n) for n in range(4)], shared, begun=told.append))
    assert done == [(HERE, n) for n in range(4)]
    assert told == [0, 1, 2, 3]


def test_a_run_by_two_says_what_a_run_by_one_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags, explanations, scores and abstentions are the same, to the last digit."""
    frames = custody().world.frames()
    asked = (CustodyGap(), ImpossibleTravel(), MassBalance())
    two = run(frames, asked, tree_size=frames.position, root=ROOT)
    monkeypatch.setattr(abreast, "_ENOUGH", len(frames.events) + 1)
    one = run(frames, asked, tree_size=frames.position, root=ROOT)
    assert one.flags
    assert [content(flag) for flag in two.flags] == [content(flag) for flag in one.flags]
    assert (two.abstentions, two.judged, two.errors) == (one.abstentions, one.judged, ())
    pd.testing.assert_frame_equal(two.scores, one.scores, check_exact=True)


@pytest.mark.parametrize("onward", [False, True])
def test_what_a_run_keeps_does_not_tell_how_many_worked_on_it(
    monkeypatch: pytest.MonkeyPatch,
    onward: bool,
) -> None:
    """Whether it judges everything or goes on: by two or by one, the same flags and basis."""
    world = custody().world
    frames, before = world.frames(), None
    asked = (CustodyGap(), ImpossibleTravel(), MassBalance())
    monkeypatch.setattr(going, "_MUCH", 0)
    if onward:
        early = cut(world, len(world.entries) - 4)
        first = go_on(early, asked, tree_size=early.position, root=ROOT)
        before = Before(first.kept, changed(frames, early.position))
    two = go_on(frames, asked, tree_size=frames.position, root=ROOT, before=before)
    monkeypatch.setattr(abreast, "_ENOUGH", len(frames.events) + 1)
    one = go_on(frames, asked, tree_size=frames.position, root=ROOT, before=before)
    assert one.result.flags or one.standing
    assert two.kept == one.kept
    assert (two.result.flags, two.standing, two.asked) == (
        one.result.flags,
        one.standing,
        one.asked,
    )
