"""How far an ingest is, told where there is no terminal; and asking it to stop."""

from __future__ import annotations

import os
import signal
import sys
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest

from commands import ingesting
from commands.ingesting import shown, stoppable


def test_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every half a minute: share, rows a second and time left, of this pass over this file."""
    now = [100.0]
    monkeypatch.setattr(ingesting, "monotonic", lambda: now[0])
    with shown() as report:
        report("reading", "a/events.csv", 0, 1_000, 0)
        now[0] = 131.0
        report("reading", "a/events.csv", 500, 1_000, 6_200)
        report("reading", "a/events.csv", 510, 1_000, 6_300)
        now[0] = 200.0
        report("logging", "a/events.csv", 100, 1_000, 1_000)
        now[0] = 231.0
        report("logging", "a/events.csv", 250, 1_000, 4_100)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "provenance: reading events.csv: 50%, 200 rows/s, 0 min 31 s left"
    assert told[1].startswith("provenance: logging events.csv: 10%")
    assert told[2] == "provenance: logging events.csv: 25%, 100 rows/s, 1 min 33 s left"
    assert len(told) == 3


def test_what_is_done_soon_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A small file leaves standard error empty."""
    with shown() as report:
        for done in range(0, 1_001, 100):
            report("logging", "events.csv", done, 1_000, done)
    assert capsys.readouterr().err == ""


def test_a_terminal_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """There the stage, the file, the share and the rate stand in one line that goes away."""

    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with shown() as report:
        report("logging", "a/events.csv", 0, 1_000, 0)
        report("logging", "a/events.csv", 420, 1_000, 42)
    drawn = screen.getvalue()
    assert "logging events.csv" in drawn
    assert "42%" in drawn


@pytest.mark.parametrize(
    ("stage", "rows", "entries", "helped"),
    [
        ("reading", ingesting._LARGE, 0, True),
        ("reading", ingesting._LARGE - 1, 0, False),
        ("logging", ingesting._LARGE, 0, False),
        ("logging", ingesting._WORTH_A_PROCESS, ingesting._WORTH_A_PROCESS, True),
        ("logging", ingesting._WORTH_A_PROCESS, ingesting._WORTH_A_PROCESS - 1, False),
        ("logging", ingesting._WORTH_A_PROCESS - 1, ingesting._WORTH_A_PROCESS, False),
    ],
)
def test_helpers_start_where_there_is_enough_to_do(
    stage: str, rows: int, entries: int, *, helped: bool
) -> None:
    """While a large file is looked through, else when many rows turned out to be new."""
    started: list[bool] = []
    told: list[Any] = []
    workspace: Any = SimpleNamespace(log=SimpleNamespace(size=3))
    helper = SimpleNamespace(start=lambda: started.append(True))
    watch = ingesting.followed(workspace, [helper], lambda *said: told.append(said))
    workspace.log.size += entries
    watch(stage, "f.csv", 1, 2, rows)
    assert bool(started) == helped
    assert told == [(stage, "f.csv", 1, 2, rows)]


def test_asked_once_and_asked_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """The first Ctrl-C asks; after it, and after the work, signals mean what they meant before."""
    before = signal.getsignal(signal.SIGINT)
    with stoppable() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        assert signal.getsignal(signal.SIGINT) is before
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert "once more stops at once" in capsys.readouterr().err
