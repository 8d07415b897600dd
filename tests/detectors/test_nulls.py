"""Nulls: flags keep the false-discovery share that they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detectors import nulls

WORLDS = 120


def trial(dof: float, size: int, level: float, seed: int, share: float = 0.02) -> tuple[int, int]:
    """False flags and all flags among t-distributed residuals with a share of anomalies."""
    dice = np.random.default_rng(seed)
    residuals = dice.standard_t(dof, size) * 3 + 40
    wrong = np.zeros(size, bool)
    wrong[: int(share * size)] = True
    residuals[wrong] += 3 * 8 * stats.t.ppf(0.84, dof) * dice.choice([-1, 1], wrong.sum())
    null = nulls.fit(residuals)
    assert null is not None
    found = nulls.adjust(nulls.p_values(null, residuals)) <= level
    return int((found & ~wrong).sum()), int(found.sum())


@pytest.mark.parametrize("level", [0.05, 0.10])
@pytest.mark.parametrize(("dof", "size"), [(4, 500), (10, 200), (10, 2000), (50, 500)])
def test_false_discoveries_stay_within_the_promise(dof: float, size: int, level: float) -> None:
    """With 2 % anomalies in it the null flags at most q + 0.02 falsely, mean over worlds."""
    trials = [trial(dof, size, level, seed) for seed in range(WORLDS)]
    assert np.mean([false / max(1, flags) for false, flags in trials]) <= level + 0.02


def sums(share: float, seed: int, size: int = 500) -> tuple[int, int]:
    """False flags and all flags among roots of summed squares, a share of them far out."""
    dice = np.random.default_rng(seed)
    found = np.sqrt((np.clip(dice.normal(size=(size, 4)), 0, None) ** 2).sum(axis=1))
    wrong = np.arange(size) < share * size
    found[wrong] += 6 * dice.uniform(0.8, 1.2, wrong.sum())
    null = nulls.fit(found, "upper", cleaned=True)
    assert null is not None
    flagged = nulls.adjust(nulls.p_values(null, found, "upper")) <= 0.05
    return int((flagged & ~wrong).sum()), int(flagged.sum())


@pytest.mark.parametrize("share", [0.0, 0.02, 0.05, 0.10])
def test_null_of_sums_keeps_the_promise_when_much_is_far_out(share: float) -> None:
    """From none to a tenth of the rows far out: at most q + 0.02 falsely, mean over worlds."""
    trials = [sums(share, seed) for seed in range(WORLDS)]
    assert np.mean([false / max(1, flags) for false, flags in trials]) <= 0.05 + 0.02


def test_null_of_sums_finds_what_hides_the_tail() -> None:
    """A twentieth far out widens the outer quantile; most of it is found all the same."""
    trials = [sums(0.05, seed) for seed in range(20)]
    assert np.mean([(flags - false) / 25 for false, flags in trials]) > 0.8


def test_it_finds_what_is_there() -> None:
    """A null that never flags would keep every promise: most clear anomalies must be found."""
    trials = [trial(20, 2000, 0.05, seed) for seed in range(20)]
    assert np.mean([(flags - false) / 40 for false, flags in trials]) > 0.8


@given(shift=st.floats(-1e3, 1e3), scale=st.floats(0.01, 1e3), seed=st.integers(0, 50))
def test_null_moves_with_the_data(shift: float, scale: float, seed: int) -> None:
    """Shifting and stretching the residuals changes no p-value."""
    residuals = np.random.default_rng(seed).standard_t(5, 300)
    one, other = nulls.fit(residuals), nulls.fit(residuals * scale + shift)
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(
        nulls.p_values(one, residuals),
        nulls.p_values(other, residuals * scale + shift),
        rtol=1e-4,
        atol=1e-9,
    )


@pytest.mark.parametrize("dof", [3, 8, 30])
def test_null_finds_scale_and_tails(dof: float) -> None:
    """On a large sample the fitted null is the true one, a little on the careful side."""
    null = nulls.fit(np.random.default_rng(1).standard_t(dof, 200_000))
    assert null is not None
    assert abs(null.centre) < 0.02
    assert null.scale == pytest.approx(1, abs=0.03)
    assert 0.7 * dof < null.dof < 1.15 * dof


@pytest.mark.parametrize("residuals", [[], [1.0], [2.0] * 50, [0.0] * 40 + [1.0, 2.0]])
def test_residuals_without_spread_have_no_null(residuals: list[float]) -> None:
    """All equal, or most: there is nothing to be strange against."""
    assert nulls.fit(np.array(residuals)) is None


@given(st.lists(st.floats(0, 1), max_size=40))
def test_adjusting_agrees_with_the_definition(p: list[float]) -> None:
    """q_i is the smallest m p_(k) / k over all k at or above i's rank; naive twin."""
    naive = [
        min([min(1.0, len(p) * other / sum(x <= other for x in p)) for other in p if other >= own])
        for own in p
    ]
    np.testing.assert_allclose(nulls.adjust(np.array(p)), naive, rtol=1e-12)


def test_families_are_adjusted_apart() -> None:
    """A large quiet family does not dilute a small one."""
    p = np.array([0.001, *np.linspace(0.1, 1, 500)])
    family = np.array(["2024Q1"] + ["2024Q2"] * 500, dtype=object)
    assert nulls.adjust_families(p, family)[0] == 0.001
    assert nulls.adjust(p)[0] > 0.4
