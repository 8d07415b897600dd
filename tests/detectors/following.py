"""Somebody who goes on from run to run, and what a whole run would have said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from frame_factories import ROOT, World

from detectors.onward.going import Before, Onward, go_on
from detectors.record import content
from graph.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from detectors.base import Detector, Flag
    from detectors.onward.kept import KeptRun
    from detectors.run import RunResult

Subject = tuple[str, str | None, str]
TABLES = [name for name in Frames.__dataclass_fields__ if name != "position"]


def changed(frames: Frames, since: int) -> frozenset[str]:
    """The tables that have rows of entries from `since` on."""
    return frozenset(name for name in TABLES if (getattr(frames, name)["index"] >= since).any())


def said(flag: Flag) -> dict[str, Any]:
    """What a flag says, without where the log then ended and what other detectors found."""
    whole = {k: v for k, v in content(flag).items() if k not in {"tree_size", "root", "q"}}
    parameters = {k: v for k, v in whole["parameters"].items() if k != "largest_p"}
    return whole | {"parameters": parameters}


def cut(world: World, size: int) -> Frames:
    """What a run read when the log had `size` entries."""
    early = World(world.party)
    early.entries = world.entries[:size]
    return early.frames()


class Follower:
    """Goes on from run to run, and remembers what the log would hold."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        """Begin with nothing."""
        self.detectors = detectors
        self.kept: KeptRun | None = None
        self.fits: Mapping[str, bytes] = {}
        self.log: dict[Subject, dict[str, Any]] = {}

    def go_on(self, frames: Frames) -> tuple[Onward, dict[Subject, dict[str, Any]]]:
        """Go on to `frames`; returns what was concluded, and the flags as the log has them."""
        before = None
        if self.kept is not None:
            fits = self.fits
            since = changed(frames, self.kept.position)
            before = Before(self.kept, since, lambda name, _: fits.get(name))
        size = frames.position
        done = go_on(frames, self.detectors, tree_size=size, root=ROOT, before=before)
        assert done.result.errors == ()
        self.kept, self.fits = done.kept, done.fits
        fresh = by_subject(done.result.flags)
        self.log |= fresh
        standing = {(one.detector, one.party, one.subject) for one in done.standing}
        assert not standing & fresh.keys()
        return done, {subject: self.log[subject] for subject in standing | fresh.keys()}


def by_subject(flags: Iterable[Flag]) -> dict[Subject, dict[str, Any]]:
    """Flags by whom they are about."""
    return {(one.detector, one.subject_party, one.subject_id): said(one) for one in flags}


def assert_same(done: Onward, flags: dict[Subject, dict[str, Any]], whole: RunResult) -> None:
    """A run that went on concludes what a whole one does."""
    assert flags == by_subject(whole.flags)
    assert done.result.judged == whole.judged
    assert sorted(done.result.abstentions) == sorted(whole.abstentions)
    assert done.result.expected_false == pytest.approx(whole.expected_false)
