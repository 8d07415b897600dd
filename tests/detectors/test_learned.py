"""The learned class: what a profile may know, honest probabilities, and when it is off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from frame_factories import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from learned_worlds import reviewed

from detectors.learned import model as model_module
from detectors.learned.confirmed_before import ENOUGH, ConfirmedBefore
from detectors.learned.model import Examples, brier, expected_error, learn
from detectors.learned.profiles import Profiles, out_of_fold
from detectors.run import run

NAMES = st.lists(st.sampled_from("abc"), min_size=12, max_size=40)


@settings(max_examples=25)
@given(NAMES, st.randoms(), st.integers(0, 11))
def test_a_case_never_knows_its_own_outcome(names: list[str], dice: object, place: int) -> None:
    """Turning one outcome over changes the profiles of others at most, never its own."""
    outcomes = np.array([dice.random() < 0.4 for _ in names])  # type: ignore[attr-defined]
    table = pd.DataFrame({"name": names})
    turned = outcomes.copy()
    turned[place] = not turned[place]
    assert (out_of_fold(table, outcomes, 3)[place] == out_of_fold(table, turned, 3)[place]).all()


def test_profile_is_the_smoothed_share() -> None:
    """Few cases say little: the share starts from the overall one and moves with the count."""
    names = pd.DataFrame({"name": ["a"] * 30 + ["b"] * 2 + ["c"] * 8})
    outcomes = np.array([True] * 30 + [True] * 2 + [False] * 8)
    overall = 32 / 40
    share, count = Profiles(names, outcomes).figures(pd.DataFrame({"name": ["a", "b", "x"]})).T
    assert share == pytest.approx([(30 + 8) / 40, (2 + 8) / 12, overall])
    assert count == pytest.approx(np.log1p([30, 2, 0]))


def examples(count: int, seed: int, signal: float) -> tuple[Examples, np.ndarray]:
    """Cases whose outcome depends on a name and a figure, as strongly as `signal` says."""
    dice = np.random.default_rng(seed)
    name = dice.integers(0, 12, count)
    figure = dice.normal(size=count)
    odds = signal * (figure + (name % 3 == 0)) - 1
    outcomes = dice.random(count) < 1 / (1 + np.exp(-odds))
    names = pd.DataFrame({"name": name.astype(str)})
    return Examples(names, figure[:, None], np.arange(count)), outcomes


def test_probabilities_are_honest_and_worth_something() -> None:
    """On later cases they are near the shares, and better than the overall share alone."""
    cases, outcomes = examples(4_000, 1, 2.0)
    later, truth = examples(2_000, 2, 2.0)
    model = learn(cases, outcomes, 7)
    assert model is not None
    given_ = model.probabilities(later)
    assert expected_error(given_, truth) < 0.07
    assert brier(given_, truth) < 0.85 * truth.mean() * (1 - truth.mean())
    assert model.report.learnt == 2_800
    assert model.report.assessed == 600
    assert abs(model.report.brier - brier(given_, truth)) < 0.04


def test_nothing_is_learnt_from_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shuffled outcomes give rankings that are, on average, worth no more than chance."""
    monkeypatch.setattr(model_module, "_ROUNDS", 40)
    cases, outcomes = examples(1_500, 3, 2.0)
    later, truth = examples(1_500, 4, 2.0)
    areas = []
    for seed in range(4):
        model = learn(cases, np.random.default_rng(seed).permutation(outcomes), 7)
        assert model is not None
        scores = model.scores(later)
        wins = (scores[truth][:, None] > scores[~truth]).mean()
        areas.append(wins + (scores[truth][:, None] == scores[~truth]).mean() / 2)
    assert abs(np.mean(areas) - 0.5) < 0.08


def test_learning_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same examples give the same numbers."""
    monkeypatch.setattr(model_module, "_ROUNDS", 40)
    cases, outcomes = examples(600, 6, 2.0)
    first = learn(cases, outcomes, 7)
    again = learn(cases, outcomes, 7)
    assert first is not None
    assert again is not None
    assert (first.probabilities(cases) == again.probabilities(cases)).all()


def test_one_kind_of_outcome_teaches_nothing() -> None:
    """Where everything was confirmed there is nothing to tell apart."""
    cases, outcomes = examples(300, 8, 2.0)
    assert learn(cases, np.ones_like(outcomes), 7) is None


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_calibration_error_is_a_mean_distance(found: list[tuple[float, bool]]) -> None:
    """It lies between 0 and 1, and is 0 for certain and right probabilities."""
    probabilities = np.array([one for one, _ in found])
    outcomes = np.array([one for _, one in found])
    assert 0 <= expected_error(probabilities, outcomes) <= 1
    assert expected_error(outcomes.astype(float), outcomes) == 0


@pytest.mark.parametrize("decided", [0, ENOUGH - 1])
def test_off_below_enough_decisions(decided: int) -> None:
    """Too few decisions: nothing is judged, and the run says how many there are."""
    world, _ = reviewed(decided)
    frames = world.frames()
    result = run(frames, [ConfirmedBefore()], tree_size=frames.position, root=ROOT)
    assert (result.flags, result.errors) == ((), ())
    assert str(decided) in result.abstentions[0].reason


def test_judges_only_what_is_open() -> None:
    """Flags that people have decided on are not judged again."""
    world, subject = reviewed(ENOUGH + 60)
    frames = world.frames()
    result = run(frames, [ConfirmedBefore()], tree_size=frames.position, root=ROOT)
    assert result.judged == {"confirmed_before": 1}
    assert [flag.subject_id for flag in result.flags] == [subject]
