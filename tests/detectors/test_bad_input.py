"""Every detector, asked about records that are bad in the ways that records are bad."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from frame_factories import ROOT, World
from planted_labour import workplaces
from planted_routes import clean_trade

from detectors.base import EvidenceClass
from detectors.conformance import FLOOD
from detectors.record import content
from detectors.registry import BUILT_IN
from detectors.run import run
from detectors.spoiling import SPOILERS
from provenance import canonical

if TYPE_CHECKING:
    from detectors.features import Features
    from detectors.run import RunResult
    from graph.frames import Frames

STATISTICAL = {one.name for one in BUILT_IN if one.evidence_class is EvidenceClass.STATISTICAL}
INNOCENT = (
    "too little data",
    "one facility only",
    "one site with 90 % of the rows",
    "months without reports",
    "no limits and no currency",
    "rows twice",
)
"""What makes a record poorer or longer and no figure in it wrong."""


@cache
def decent() -> Frames:
    """A trade and six workplaces with nothing wrong; nobody changes them."""
    world = World()
    world.entries = clean_trade().entries + workplaces(sites=6, months=14).entries
    return world.frames()


@cache
def asked(name: str) -> RunResult:
    """What all detectors say about the record spoilt in one way."""
    return run(SPOILERS[name](decent()), BUILT_IN, tree_size=1, root=ROOT)


@pytest.mark.parametrize("name", SPOILERS)
def test_bad_record_crashes_and_floods_nothing(name: str) -> None:
    """No detector raises; scores are finite; every flag can be written down; of its cases a
    detector flags a twentieth and two at most.
    """
    result = asked(name)
    assert result.errors == ()
    assert np.isfinite(result.scores["score"]).all()
    assert all(canonical.encode(content(flag)) for flag in result.flags)
    flags = Counter(flag.detector for flag in result.flags)
    floods = {one: n for one, n in flags.items() if n > 2 + FLOOD * result.judged[one]}
    assert not floods.keys() & STATISTICAL


@pytest.mark.parametrize("name", SPOILERS)
def test_silence_is_explained(name: str) -> None:
    """Whoever judged nobody says why."""
    result = asked(name)
    silent = {one for one, count in result.judged.items() if not count}
    assert silent <= {one.detector for one in result.abstentions}


@pytest.mark.parametrize("name", INNOCENT)
def test_poor_record_breaks_no_rule(name: str) -> None:
    """Fewer rows, or the same ones again, make nobody guilty of anything."""
    assert asked(name).flags == ()


def test_mixed_units_and_missing_limits_are_told() -> None:
    """What cannot be compared is left out by name, not compared."""
    reasons = {(one.detector, one.reason) for one in asked("no limits and no currency").abstentions}
    wage = "no minimum wage for the country and month"
    assert ("wage_below_minimum", wage) in reasons
    reasons = {(one.detector, one.reason) for one in asked("units mixed").abstentions}
    assert ("wage_below_minimum", "wages and minimum in different currencies") in reasons


class _Broken(type(BUILT_IN[0])):  # type: ignore[misc]
    """A detector that cannot."""

    name = "broken"

    def features(self, _shared: Features) -> None:
        """Fail as other people's code does."""
        raise RuntimeError("no\nluck")


def test_detector_that_raises_is_named_and_the_run_goes_on() -> None:
    """Its fault is one line of the result; what the others say is the same."""
    frames = SPOILERS["clocks shifted"](decent())
    result = run(frames, [_Broken(), *BUILT_IN[:12]], tree_size=1, root=ROOT)
    assert [(one.detector, one.message) for one in result.errors] == [
        ("broken", "RuntimeError: no luck")
    ]
    assert "broken" not in result.judged
    assert result.judged.items() <= asked("clocks shifted").judged.items()
