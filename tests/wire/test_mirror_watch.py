"""A rule of mirrors that watch: outages pass, and a split view ends it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from log_factories import SECOND_US, Rig, event, seeded
from log_server import LogServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent.parent


def show(server: LogServer, rig: Rig) -> None:
    """Let the server show a log as it is."""
    reader = rig.reader()
    server.hold(reader)
    reader.close()


def wait_for(place: Path, size: int) -> None:
    """Wait until the mirror shows so many entries."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        path = place / "checkpoint"
        if path.exists() and path.read_text().split("\n")[1] == str(size):
            return
        time.sleep(0.05)
    pytest.fail(f"no checkpoint of {size} entries came")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log of 11 entries."""
    (tmp_path / "log").mkdir()
    return Rig(tmp_path / "log").filled(10)


@pytest.fixture
def watching(rig: Rig, tmp_path: Path) -> Iterator[tuple[LogServer, subprocess.Popen[str]]]:
    """A server that shows the log, and a process that follows it for ever."""
    with serving(lambda server: show(server, rig)) as server:
        words = ["--data", tmp_path / "mirror", "log", "mirror", server.address]
        options = ["--vkey", rig.key.vkey, "--watch", "--every", "0.1", "--party", "acme"]
        with subprocess.Popen(
            [sys.executable, "-c", "from cli import main; main()", *words, *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            yield server, process
            process.kill()


def test_a_mirror_that_watches(
    watching: tuple[LogServer, subprocess.Popen[str]], rig: Rig, tmp_path: Path
) -> None:
    """New entries come by themselves, a server that fails is waited for, two histories end it."""
    server, process = watching
    wait_for(tmp_path / "mirror", 11)
    server.files["checkpoint"] = (500, {}, b"")
    server.asked.clear()
    while server.asked.count("checkpoint") < 5:  # one round of attempts, and the next has begun
        assert process.poll() is None
        time.sleep(0.05)
    rig.clock.now_us += SECOND_US
    log = rig.open()
    log.append([event(number) for number in range(10, 20)])
    log.close()
    show(server, rig)
    wait_for(tmp_path / "mirror", 21)

    (tmp_path / "other").mkdir()
    other = Rig(tmp_path / "other", entropy=seeded(9)).filled(25)
    show(server, other)
    _, told = process.communicate(timeout=60)

    assert process.returncode == 1
    assert 'party = "acme"' in (tmp_path / "mirror" / "workspace.toml").read_text()
    assert "500, 4 times; try again later" in told
    assert "SPLIT VIEW" in told.splitlines()[-1]
