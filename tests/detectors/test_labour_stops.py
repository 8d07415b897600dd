"""An employer who sends people home before the legal limit has no pen; who cuts hours there has."""

from __future__ import annotations

import random

import pytest
from asking import flagged
from planted_labour import SUBJECT, workplaces

CLOSE = 47.75
"""A quarter of an hour below the limit of these workplaces."""


def judged(seed: int, mean: float, spread: float) -> bool:
    """Is a month flagged whose weeks are of this mean and spread, but end at the limit?"""
    dice = random.Random(seed)
    rates = [15 * dice.lognormvariate(0, 0.05) for _ in range(8)]
    weeks = [[min(CLOSE, round(4 * dice.gauss(mean, spread)) / 4) for _ in range(4)] for _ in rates]
    usual = sum(map(sum, weeks)) / 32
    world = workplaces(
        lambda own: (
            own | {"avg_weekly_hours": usual, "total_hours": own["headcount"] * usual * 52 / 12}
        ),
        lambda _: [
            [(hours, round(hours * rate, 2)) for hours in own]
            for rate, own in zip(rates, weeks, strict=True)
        ],
        seed=seed,
    )
    return SUBJECT in flagged("falsified_timesheet", world)


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_weeks_that_stop_at_the_limit_are_no_pen(seed: int) -> None:
    """Where the usual week comes near the limit, many end just below it and are alike."""
    assert not judged(seed, mean=47.5, spread=2.5)


def test_weeks_that_all_end_at_the_limit_are_written_there() -> None:
    """No stopping in time explains that all do."""
    assert judged(1, mean=60.0, spread=2.5)
