"""Repeated excess: what adds up, how soon it is seen, and what is honest noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from asking import flagged, reasons
from hypothesis import given
from hypothesis import strategies as st
from planted import spinners, stretched

from detectors.goods.drift import BIAS, FARTHEST, LIMIT, MANY, SLACK, runs, spreads

NAME = "repeated_excess"
FEW = "too few batches of the product to tell its spread"
HONEST = {
    "normal": lambda dice, size: dice.normal(0, 0.01, size),
    "heavy tails": lambda dice, size: 0.01 * dice.standard_t(3, size),
    "even": lambda dice, size: dice.uniform(-0.02, 0.02, size),
    "waste only": lambda dice, size: -np.abs(dice.normal(0, 0.01, size)),
    "two kinds of batch": lambda dice, size: (
        dice.normal(0, 0.004, size) * dice.choice([1, 5], size)
    ),
}


@pytest.mark.parametrize("noise", HONEST)
def test_honest_noise_adds_up_to_nothing(noise: str) -> None:
    """Batches around the very limit, whatever their noise: no alarm in a hundred thousand."""
    dice = np.random.default_rng(7)
    over = BIAS + HONEST[noise](dice, 100_000)
    sites = np.arange(len(over)) % 200
    far = spreads(np.zeros(len(over), np.int64), sites, over)
    found = runs(sites, far, np.ones(len(over)))
    assert found.total.max() <= LIMIT


@given(excess=st.floats(0.8, FARTHEST), place=st.integers(0, 3))
def test_repeated_excess_is_seen_within_the_stated_delay(excess: float, place: int) -> None:
    """So many spreads over, batch after batch: the sum passes its limit when it must."""
    due = math.floor(LIMIT / (excess - SLACK)) + 1
    where = np.arange(4 * (due + 5)) % 4
    far = np.where(where == place, excess, 0.0)
    found = runs(where, far, np.ones(len(where)))
    over = np.flatnonzero(found.total > LIMIT)
    assert abs(over[0] - 4 * (due - 1) - place) <= 4
    assert found.start[over[0]] == place
    assert set(where[over].tolist()) == {place}


def test_one_batch_far_off_is_no_repetition() -> None:
    """However far, one batch counts as two spreads; and few batches have no spread at all."""
    over = np.append(np.tile([-0.01, 0.0], MANY), 5.0)
    one = np.zeros(len(over), np.int64)
    assert spreads(one, one, over).max() == FARTHEST
    assert np.isnan(spreads(one[:MANY], one[:MANY], over[:MANY])).all()


def test_excess_that_repeats_is_dated_and_summed_up() -> None:
    """The batch at which it is too much carries the flag, and it names those that led there."""
    planted = stretched()
    found = flagged(NAME, planted.world)
    assert planted.subject in found
    flag = found[planted.subject]
    assert "ONE made YARN in" in flag.account.sentence
    assert flag.account.peer_group is not None
    assert flag.account.peer_group.size == len(flag.account.evidence)
    assert flag.account.observed.value > (flag.account.expected.high or 0.0)
    # Each batch by itself is within what a good yield may be.
    assert flagged("mass_balance", planted.world) == {}


def test_what_all_sites_exceed_is_the_rate() -> None:
    """Both mills make more than the declared rate: it is likely what is wrong."""
    world, _ = spinners(over=0.03, others=0.025, since=0)
    assert all(flag.likely_benign for flag in flagged(NAME, world).values())


def test_few_batches_are_not_judged() -> None:
    """Without a spread there is nothing to add up, and that is said."""
    world, _ = spinners()
    world.product("CLOTH", input_product_id="COTTON", input_units_per_output_unit=2.0)
    world.make(5000, "ONE", "NEW", 400.0, "COTTON")
    few = world.turn(5010, "ONE", [("COTTON", "NEW", 400.0)], "OTHER", 198.0, "CLOTH")
    assert reasons(NAME, world)[FEW] == (few,)
