"""A detection run over a workspace: what it goes on from, what it leaves, who throws it away."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from detectors import registry
from detectors.custody_gap import CustodyGap
from detectors.onward import reading
from provenance.errors import WorkspaceLocked
from workspace.detecting import alone, detect
from workspace.workspace import Workspace, create_workspace

sys.path.append(str(Path(__file__).parent.parent / "detectors"))
from planted import custody

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVEL = 0.05


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace with half of a record, which one detector looks at."""
    monkeypatch.setattr(registry, "load", lambda: ((CustodyGap(),), ()))
    place = tmp_path / "workspace"
    create_workspace(place, origin="log.example/t", party="acme", domain="https://t.example")
    with Workspace(place) as opened:
        opened.log.append(custody().world.drafts()[:-4])
        yield opened


def grow(workspace: Workspace) -> None:
    """The other half comes."""
    workspace.log.append(custody().world.drafts()[-4:])


def test_a_run_goes_on_and_a_whole_one_adds_nothing(workspace: Workspace) -> None:
    """The flag of the new entries is in the log, once, whatever runs after it."""
    first = detect(workspace, LEVEL)
    assert first.since is None
    grow(workspace)
    second = detect(workspace, LEVEL, onward=True)
    assert second.since == first.position
    assert [outcome.kind for outcome in second.outcomes].count("appended") == 1
    again = detect(workspace, LEVEL, onward=True)
    assert again.since == second.position
    assert len(again.onward.standing) == 1
    assert again.outcomes == ()
    whole = detect(workspace, LEVEL)
    assert {outcome.kind for outcome in whole.outcomes} == {"duplicate"}


def test_a_rehearsal_leaves_nothing(workspace: Workspace) -> None:
    """Neither flags, nor a basis, nor a lock file: it may be of read-only media."""
    grow(workspace)
    before = workspace.reader.size
    done = detect(workspace, LEVEL, rehearsal=True)
    assert done.onward.result.flags
    assert workspace.reader.size == before
    assert not workspace.layout.detection.exists()
    assert not workspace.layout.detection_lock.exists()


def test_an_erasure_throws_away_what_was_read(workspace: Workspace) -> None:
    """The place is one that erasures go to; while a run is going on it is pending."""
    detect(workspace, LEVEL)
    assert workspace.layout.detection.exists()
    follow = workspace._places.followers(workspace.reader)["detection"]
    with alone(workspace.layout):
        assert "is going on" in (follow(frozenset()) or "")
    assert follow(frozenset()) is None
    assert not workspace.layout.detection.exists()
    assert "detection" not in workspace._places.followers(workspace.reader)


def test_an_erasure_during_a_run_leaves_nothing_of_what_it_read(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before it is not put on the shelf after it."""
    detect(workspace, LEVEL)
    grow(workspace)
    monkeypatch.setattr(reading, "adds", lambda *_: False)
    detect(workspace, LEVEL, onward=True)
    assert not workspace.layout.detection.exists()


def test_a_basis_that_cannot_be_kept_costs_no_flag(workspace: Workspace) -> None:
    """The flags are in the log; the run says that the next one reads everything."""
    grow(workspace)
    workspace.layout.detection.write_text("in the way")
    done = detect(workspace, LEVEL)
    assert [outcome.kind for outcome in done.outcomes] == ["appended"]
    assert "is not kept" in done.problems[0]


def test_runs_wait_for_each_other(workspace: Workspace) -> None:
    """A second run does not start beside the first; who waits too long is told."""
    told = pytest.raises(WorkspaceLocked, match="detection run is going on")
    with alone(workspace.layout), told, alone(workspace.layout, 0.0):
        pass
