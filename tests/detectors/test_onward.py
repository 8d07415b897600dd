"""Runs that go on from the one before: what they conclude is what a whole run concludes."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING

import pytest
from following import Follower, assert_same, cut
from frame_factories import ROOT
from planted import concluded

from detectors.onward.going import go_on
from detectors.registry import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detectors.base import Detector


@cache
def _cuts(name: str, entries: int) -> list[int]:
    dice = random.Random(name)
    return [dice.randrange(entries // 2, entries)]


@pytest.mark.parametrize("detector", BUILT_IN, ids=lambda detector: detector.name)
def test_a_run_that_goes_on_says_what_a_whole_one_says(detector: Detector) -> None:
    """Whatever was judged before, at whatever point the record was cut: same flags, word for
    word, same counts, same reasons.
    """
    planted, frames, whole = concluded(detector.name)
    follower = Follower([detector])
    for size in _cuts(detector.name, len(planted.world.entries)):
        follower.go_on(cut(planted.world, size))
    done, flags = follower.go_on(frames)
    assert_same(done, flags, whole)


def test_what_a_detector_reads_does_not_hang_on_who_was_asked_before() -> None:
    """A feature that was made for somebody else is booked to everybody who uses it."""
    frames = concluded("custody_gap")[1]

    def read(detectors: Sequence[Detector]) -> dict[str, frozenset[str]]:
        done = go_on(frames, detectors, tree_size=frames.position, root=ROOT)
        assert done.result.errors == ()
        return {name: answer.tables for name, answer in done.kept.answers.items()}

    # The general models take seconds to load, and read what the others do.
    several = [one for one in BUILT_IN if not one.name.startswith("unusual_overall")]
    alone = {detector.name: read([detector])[detector.name] for detector in several}
    assert read(several) == alone
    assert all(alone.values())
