"""Rules of crashes: what was acknowledged is there, nothing is doubled, and all adds up."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from crash_nursery import NEW, OLD, STEPS, Step, dying
from log_factories import Rig, check_log, event

from provenance.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent


def nursery(*arguments: str) -> str:
    """Run the nursery in a process without threads; returns what it printed."""
    done = subprocess.run(
        [sys.executable, str(HERE / "crash_nursery.py"), *arguments],
        env={"PYTHONPATH": f"{HERE.parent.parent}:{HERE}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_killed_at_random_moments_the_log_is_whole(tmp_path: Path) -> None:
    """Twelve writers are killed with SIGKILL; each time the log opens with all acknowledged."""
    assert "in 12 rounds" in nursery("kills", str(tmp_path), "12", "7")


def test_a_process_that_dies_at_any_step_leaves_all_or_nothing(tmp_path: Path) -> None:
    """Before or after each step of the write path: the log is as before, or as after."""
    told = nursery("steps", str(tmp_path)).splitlines()

    assert len(told) == 2 * len(STEPS) + 2  # and at the commit itself


def full_disk() -> None:
    """What a write says when the disk is full."""
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupt() -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A log of a few events, to be copied."""
    return Rig(tmp_path_factory.mktemp("whole")).filled(OLD)


@pytest.mark.parametrize(("death", "after"), [(full_disk, False), (interrupt, True)])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.name}-{step.call}")
def test_an_error_at_any_step_leaves_a_log_that_goes_on(
    whole: Rig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: Step,
    death: Callable[[], None],
    *,
    after: bool,
) -> None:
    """The call fails with one line or the interrupt, the same object goes on, nothing is lost."""
    rig = whole.copied(tmp_path / "copy")
    log = rig.open()
    drafts = [event(number) for number in range(OLD, NEW)]
    with monkeypatch.context() as patch:
        patch.setattr(step.owner, step.name, dying(step, after=after, death=death))
        with pytest.raises((StorageError, KeyboardInterrupt)) as caught:
            log.append(drafts)
    if death is full_disk:
        on_files = step.name in {"replace_file", "fsync", "replace"}
        assert ("are in the log, but" in str(caught.value)) is on_files
    assert log.size == 1 + (NEW if step.committed else OLD)

    outcomes = {each.kind for each in log.append(drafts)}

    assert outcomes == {"duplicate" if step.committed else "appended"}
    assert rig.files.checkpoint.read_text() == log.checkpoint()
    log.close()
    check_log(rig, acknowledged=NEW, drafts=NEW)
    assert [path.name for path in rig.directory.iterdir() if path.name.endswith(".new")] == []


def test_a_crash_while_a_log_is_made_can_be_opened(tmp_path: Path) -> None:
    """A log that was made but never published is published by its first opening."""
    rig = Rig(tmp_path)
    rig.create().close()
    rig.files.checkpoint.unlink()
    rig.files.high_water.unlink()

    check_log(rig, drafts=3)


def test_a_log_that_could_not_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error on the way leaves no half log: making it again works."""
    rig = Rig(tmp_path)
    for step in STEPS:
        if step.name in {"insert_entries", "sign", "publish"}:
            with monkeypatch.context() as patch:
                patch.setattr(step.owner, step.name, dying(step, after=False, death=full_disk))
                with pytest.raises(StorageError):
                    rig.create()
            assert not rig.files.database.exists()

    rig.create().close()
    check_log(rig, drafts=3)
