"""Chance that is the same everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples.dice import Dice

seeds = st.integers(min_value=0, max_value=2**32)


def test_the_stream_is_pinned() -> None:
    """These draws hold on every machine and Python; a change would change every sample file."""
    dice = Dice(7, "pinned")
    assert [dice.whole(0, 999) for _ in range(5)] == [394, 944, 309, 278, 125]
    assert dice.unit() == 0.2866115754501921
    assert dice.bell(10, 2) == 10.045823507753012


@given(seeds, st.integers(-50, 50), st.integers(0, 50))
def test_whole_numbers_stay_in_range(seed: int, low: int, width: int) -> None:
    """`whole` includes both ends and nothing beyond."""
    dice = Dice(seed, "range")
    drawn = {dice.whole(low, low + width) for _ in range(20)}
    assert low <= min(drawn) <= max(drawn) <= low + width


@given(seeds)
def test_names_are_separate_streams(seed: int) -> None:
    """Streams of different names differ, equal names repeat, drawing from one leaves others."""
    one, other, again = Dice(seed, "a", "b"), Dice(seed, "ab"), Dice(seed, "a", "b")
    other.unit()
    first = [one.unit() for _ in range(20)]
    assert first == [again.unit() for _ in range(20)]
    assert first != [other.unit() for _ in range(20)]


@given(seeds, st.lists(st.integers(), min_size=1, max_size=12), st.integers(0, 15))
def test_some_draws_without_putting_back(seed: int, pool: list[int], count: int) -> None:
    """`some` gives different places of the pool, and as many as there are."""
    drawn = Dice(seed).some(list(enumerate(pool)), count)
    assert len(set(drawn)) == len(drawn) == min(count, len(pool))


@given(seeds)
def test_weights_of_nearly_nothing_are_hardly_ever_drawn(seed: int) -> None:
    """`weighted` follows its weights."""
    dice = Dice(seed, "weights")
    drawn = [dice.weighted((("often", 10**6), ("never", 1))) for _ in range(50)]
    assert drawn.count("never") < 2


@pytest.mark.parametrize(("expected", "spread"), [(0.0, 1.0), (15.2, 0.9)])
def test_the_bell_has_its_centre_and_spread(expected: float, spread: float) -> None:
    """Mean and deviation of many draws are those asked for."""
    dice = Dice(1, "bell")
    drawn = [dice.bell(expected, spread) for _ in range(4000)]
    mean = sum(drawn) / len(drawn)
    assert abs(mean - expected) < 0.08 * spread
    deviation = (sum((value - mean) ** 2 for value in drawn) / len(drawn)) ** 0.5
    assert abs(deviation - spread) < 0.06 * spread


@given(seeds, st.floats(0, 20, allow_nan=False))
def test_around_is_one_of_the_two_neighbours(seed: int, expected: float) -> None:
    """`around` rounds down or up, nothing else."""
    assert Dice(seed).around(expected) in {int(expected), int(expected) + 1}
