"""Chances: what the special functions say is what the distributions they are of say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from scipy import stats

from detectors import chances

DICE = np.random.default_rng(7)
VALUES = np.append(DICE.normal(0, 6, 20_000), [0, np.inf, -np.inf, 37, 39, -40, np.nan])
SHARES = np.append(DICE.random(20_000) ** 9, [0, 1, 1e-300, 5e-324, 1 - 1e-16, np.nan])
DOF = DICE.uniform(2, 100, len(VALUES))


def test_tails_and_quantiles_are_the_same_to_the_digit() -> None:
    """Normal and Student-t tails and quantiles equal those of the distributions, limits too."""
    np.testing.assert_array_equal(chances.beyond(VALUES), stats.norm.sf(VALUES))
    np.testing.assert_array_equal(chances.deviate(SHARES), stats.norm.isf(SHARES))
    np.testing.assert_array_equal(chances.t_beyond(VALUES, DOF), stats.t.sf(VALUES, DOF))
    np.testing.assert_array_equal(chances.t_quantile(0.95, DOF), stats.t.ppf(0.95, DOF))


def test_counts_are_as_probable_to_twelve_digits() -> None:
    """A negative binomial count is as probable as the distribution says; all of them sum to one."""
    counts, shares = DICE.integers(0, 200, 20_000), DICE.random(20_000)
    for shape in (0.7, 1.0, 8.0):
        found = chances.negative_binomial(counts, shape, shares)
        whole = chances.negative_binomial(np.arange(2_000), shape, 0.1)

        np.testing.assert_allclose(found, stats.nbinom.pmf(counts, shape, shares), rtol=2e-12)
        np.testing.assert_allclose(whole.sum(), 1, rtol=1e-12)
    np.testing.assert_array_equal(chances.negative_binomial(np.arange(3), 1.0, 1.0), [1, 0, 0])


def test_so_many_are_as_probable_to_twelve_digits() -> None:
    """A Poisson number is at least so large as often as the distribution says."""
    counts, means = DICE.integers(0, 40, 20_000), DICE.random(20_000) * 20

    found = chances.as_many(counts, means)

    np.testing.assert_allclose(found, stats.poisson.sf(counts - 1, means), rtol=2e-12)
    np.testing.assert_array_equal(chances.as_many([0, 1, 0], [0, 0, 5]), [1, 0, 1])


def test_asking_for_chances_does_not_load_the_distributions() -> None:
    """No detector takes what loads for longer than a run over a few new entries lasts."""
    asked = "import sys; from detectors import chances; chances.deviate(0.01)"
    told = "print([name for name in ('scipy.special', 'scipy.stats') if name in sys.modules])"
    root = Path(__file__).parent.parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", f"{asked}; {told}"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.strip() == "['scipy.special']"
