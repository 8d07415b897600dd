"""Episodes of a site: found when they end, never a step down, never chance; seasons come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.labour.departures import Peers, departures
from detectors.labour.episodes import episodes

SITES = 12
MONTHS = 30


def panel(seed: int, **raised: tuple[range, float]) -> np.ndarray:
    """Sites of independent months with spread 1; `s3=(range, height)` raises some of site 3."""
    values = np.random.default_rng(seed).normal(size=(SITES, MONTHS))
    for name, (months, height) in raised.items():
        values[int(name[1:]), list(months)] += height
    return values.ravel()


SITE = np.repeat(np.arange(SITES), MONTHS)
PEERS = Peers(SITE, np.zeros(len(SITE), np.int64), np.tile(np.arange(MONTHS), SITES))
NOISE = np.full(len(SITE), 0.1)


def of(site: int, rows: np.ndarray) -> np.ndarray:
    """The months of one site."""
    return np.asarray(rows.reshape(SITES, MONTHS)[site])


@given(st.integers(0, 50), st.integers(4, 10), st.integers(5, 16), st.sampled_from([-6.0, 6.0]))
@settings(max_examples=25)
def test_stretch_that_ends_is_found(seed: int, start: int, length: int, height: float) -> None:
    """Up to more than half of all months: what was before and comes back is the usual."""
    stretch = range(start, start + length)
    found = of(3, episodes(panel(seed, s3=(stretch, height)), SITE, NOISE))
    planted = np.isin(np.arange(MONTHS), stretch)
    assert (found != planted).sum() <= 3


def test_chance_is_no_episode() -> None:
    """Of forty records without any, hardly a month is taken for one."""
    share = [episodes(panel(seed), SITE, NOISE).mean() for seed in range(40)]
    assert np.mean(share) < 0.01


def test_end_of_an_old_level_is_no_episode() -> None:
    """A slow start, or a practice given up, leaves the months before as they were."""
    found = of(3, episodes(panel(1, s3=(range(12), 8.0)), SITE, NOISE))
    assert not found[:12].any()


def test_months_of_an_episode_stand_out_though_they_are_most() -> None:
    """A wrong of sixteen months among thirty is measured against the other fourteen."""
    stretch = range(6, 22)
    z = of(3, departures(panel(2, s3=(stretch, 6.0)), NOISE, PEERS).own)
    assert np.median(z[6:22]) > 3
    assert np.abs(np.median(z[22:])) < 1


def test_season_of_one_site_comes_back() -> None:
    """The same month of two years is a season of the site's own; once is not."""
    twice = panel(3, s3=(range(6, 7), 9.0))
    twice[3 * MONTHS + 18] += 9.0
    once = departures(panel(3, s3=(range(6, 7), 9.0)), NOISE, PEERS).own
    assert of(3, once)[6] > 4
    assert of(3, departures(twice, NOISE, PEERS).own)[6] < 3


@pytest.mark.parametrize("size", [0, 1, 5])
def test_few_months_have_no_episodes(size: int) -> None:
    """A record too short to say what is usual has none, and nothing fails."""
    rows = np.zeros(size, np.int64)
    assert not episodes(np.linspace(0, 9, size), rows, np.ones(size)).any()
    assert not episodes(np.full(size, np.nan), rows, np.ones(size)).any()
