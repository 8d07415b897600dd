"""Expectations of routes: what a value depends on is taken off, and nulls keep their promise."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from detectors import nulls
from detectors.routes.additive import crossed, standing, steps
from detectors.routes.company import in_company
from detectors.routes.residuals import drawn_spread
from detectors.routes.scales import Scale, most_even
from detectors.routes.shipments import grain
from detectors.routes.tails import weigh
from detectors.routes.weight_misdeclared import SLIP, WeightMisdeclared

WORLDS = 30


def world(seed: int, size: int = 1_500) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of products by month: some products' prices move by the month, others' do not."""
    dice = np.random.default_rng(seed)
    product, month = dice.integers(0, 8, size), dice.integers(0, 24, size)
    moves = dice.normal(0, 1, (8, 24)) * (np.arange(8) % 2)[:, None]
    return dice.normal(0, 0.1, size) + moves[product, month] + product, product, month


def test_what_a_group_does_together_is_no_residual() -> None:
    """Months whose prices move are taken off; the spread left is about the natural one."""
    values, product, month = world(1)
    months = (crossed(product, month), product)
    found = standing(values, product, [months], scale_by=product, floor=0.01)
    assert np.median(np.abs(found.residual)) < 0.1
    without = standing(values, product, [], scale_by=product, floor=0.01)
    assert np.median(np.abs(without.residual)) > 0.15


def test_spreads_that_differ_by_chance_alone_are_drawn_together() -> None:
    """Groups that stray alike have about one spread, however few each are and whatever lies out."""
    dice = np.random.default_rng(11)
    group = np.repeat(np.arange(40), 30)
    values = dice.normal(0, 0.1, len(group))
    values[::150] += 2
    found = drawn_spread(values, group, 0.001)[::30]
    assert found == pytest.approx(0.1, rel=0.12)
    alone = [drawn_spread(values[group == one], group[group == one], 0.001)[0] for one in range(40)]
    assert np.std(found) < np.std(alone) / 2


def test_one_that_strays_makes_no_week_uneven_and_many_do() -> None:
    """The others of a week count as ever where one lies far out, and much less where most do."""
    week = np.repeat(np.arange(200), 6)
    values = np.random.default_rng(13).normal(0, 0.1, len(week))
    site = np.zeros_like(week)
    values[:12] = np.tile([0.05, -0.05], 6)
    values[0] += 1
    values[6:11] += np.array([1, -1, 1, -1, 1])
    calm, told = (
        standing(values, site, [], scale_by=site, floor=0.01, unrest=unrest).spread
        for unrest in ([], [week])
    )
    wider = told / calm
    assert wider[1:6].max() < 1.2
    assert wider[11] > 1.4
    assert np.median(wider[12:]) < 1.02


def test_spreads_that_differ_by_nature_stay_apart() -> None:
    """A group that strays thrice as far keeps its spread; one of none has next to none."""
    dice = np.random.default_rng(12)
    group = np.repeat(np.arange(20), 80)
    natural = np.where(np.arange(20) % 2, 0.3, 0.1)
    values = dice.normal(0, natural[group])
    values[group == 0] = 0.0
    found = drawn_spread(values, group, 0.02)[::80]
    assert found[1:] == pytest.approx(natural[1:], rel=0.3)
    assert found[0] < 0.05
    assert not len(drawn_spread(np.empty(0), np.empty(0, np.int64), 0.02))


def test_the_few_loads_of_one_size_may_all_be_slips() -> None:
    """Pounds written as kilograms are found where no other load was of that size."""
    dice = np.random.default_rng(13)
    amount = np.append(dice.integers(600, 4_000, 300), [400, 410, 420]).astype(np.float64)
    none = np.zeros(len(amount), np.int64)
    ratio = dice.normal(0, 0.01, len(amount))
    groups = dict.fromkeys(("product", "product_shipper", "product_lane"), none)
    window = pd.DataFrame(
        {"amount": amount, "ratio": ratio, "kg_grain": 0.0, "pounds": False, **groups}
    ).assign(month=np.arange(len(amount)) % 24)
    last = window.index >= len(window) - 3
    slipped = window.assign(ratio=window["ratio"] + np.log(2.2046) * last)
    found = WeightMisdeclared().standing(slipped)
    assert (found["benign"][last] == SLIP).all()
    assert np.abs(found["z"]).max() < 5
    heavy = window.assign(ratio=window["ratio"] + np.log(3.5) * last)
    assert (WeightMisdeclared().standing(heavy)["benign"] == "").all()


def loads(amount: np.ndarray, kg: np.ndarray) -> pd.DataFrame:
    """Loads of one product, shipper and lane."""
    none = np.zeros(len(amount), np.int64)
    groups = dict.fromkeys(("product", "product_shipper", "product_lane"), none)
    written = {"kg_grain": 0.0, "pounds": False, "month": np.arange(len(amount)) % 24}
    return pd.DataFrame({"amount": amount, "ratio": np.log(kg / amount), **groups, **written})


def test_where_a_step_of_packing_lies_no_load_is_odd() -> None:
    """A pallet from 65 pieces on, a reel for every thousand: only what strays beyond is odd."""
    dice = np.random.default_rng(14)
    lots = np.append(dice.integers(24, 140, 300), [64, 65, 66])
    pieces = loads(lots, 0.4 * lots + 18 * (lots > 64))
    reels = dice.integers(1, 40, 300) * 100
    reeled = loads(reels, 0.0001 * reels + 0.4 * np.ceil(reels / 1_000) + 1.3)
    for window in (pieces, reeled):
        noisy = window.assign(ratio=window["ratio"] + dice.normal(0, 0.008, len(window)))
        assert np.abs(WeightMisdeclared().standing(noisy)["z"]).max() < 5
        off = noisy.assign(ratio=noisy["ratio"] + np.log(0.85) * (window.index == 7))
        z = WeightMisdeclared().standing(off)["z"]
        assert z[7] < -5
        assert z.drop(7).abs().max() < 5


def test_a_value_is_not_held_against_itself() -> None:
    """A value in a group of its own keeps its distance, and what is not known widens its spread."""
    values, product, month = world(2)
    values = np.append(values, values[product == 1].mean() + 5)
    product, month = np.append(product, 1), np.append(month, 99)
    found = standing(
        values, product, [(crossed(product, month), product)], scale_by=product, floor=0.01
    )
    assert found.residual[-1] > 4
    assert found.spread[-1] > 2 * np.median(found.spread[product == 0])


def test_a_grouping_that_explains_nothing_costs_next_to_nothing() -> None:
    """Without effects the residuals are the values less their product's middle."""
    dice = np.random.default_rng(3)
    product, idle = dice.integers(0, 5, 900), dice.integers(0, 300, 900)
    values = dice.normal(0, 1, 900)
    found = standing(values, product, [(idle, product)], scale_by=product, floor=0.01)
    assert np.corrcoef(found.residual, values)[0, 1] > 0.98


@settings(max_examples=12, deadline=None)
@given(order=st.permutations(range(60)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    """The same values in another order stand where they stood."""
    values, product, month = world(4, 60)
    groups = [(crossed(product, month), product)]
    found = standing(values, product, groups, scale_by=product, floor=0.01)
    again = standing(
        values[order],
        product[order],
        [(crossed(product[order], month[order]), product[order])],
        scale_by=product[order],
        floor=0.01,
    )
    assert again.residual == pytest.approx(found.residual[order], abs=1e-9)
    assert again.spread == pytest.approx(found.spread[order], rel=1e-9)


def trial(
    kind: str, size: int, level: float, seed: int, *, stands_off: bool = False
) -> tuple[int, int, int]:
    """False flags, true flags and planted ones among residuals with one in a hundred far out."""
    dice = np.random.default_rng(seed)
    draws = {
        "normal": dice.normal(size=size),
        "even": dice.uniform(-1.7, 1.7, size),
        "long": dice.standard_t(8, size) / np.sqrt(8 / 6),
    }
    residuals = draws[kind]
    wrong = np.arange(size) < size // 100
    residuals[wrong] += dice.choice([-7, 7], wrong.sum())
    null = weigh(residuals, "both", least=0.1, stands_off=stands_off)
    assert null is not None
    found = nulls.adjust(null.p_values(residuals, "both")) <= level
    return int((found & ~wrong).sum()), int((found & wrong).sum()), int(wrong.sum())


@pytest.mark.parametrize("kind", ["normal", "even", "long"])
@pytest.mark.parametrize(("level", "stands_off"), [(0.05, False), (0.10, False), (0.05, True)])
def test_false_discoveries_stay_within_the_promise(
    kind: str, level: float, stands_off: bool
) -> None:
    """Whatever the tails, at most q + 0.02 of the flags are chance, mean over worlds."""
    trials = [trial(kind, 800, level, seed, stands_off=stands_off) for seed in range(WORLDS)]
    assert np.mean([false / max(1, false + true) for false, true, _ in trials]) <= level + 0.02
    if kind != "long":
        assert sum(true for _, true, _ in trials) > 0.9 * sum(planted for *_, planted in trials)


def test_a_gap_tells_of_light_tails_where_wrong_ones_stand_off() -> None:
    """Three in two hundred far out, and none between: they are rarer than tails alone allow."""
    dice = np.random.default_rng(2)
    residuals = np.append(dice.normal(size=400), [8.0, -9.0, 10.0, 11.0, -8.5, 9.5])
    p = {}
    for stands_off in (False, True):
        null = weigh(residuals, "both", least=0.1, stands_off=stands_off)
        assert null is not None
        p[stands_off] = float(null.p_values(np.array([9.0]), "both")[0])
    assert p[True] < p[False] / 10


def test_long_tails_without_a_gap_stay_long() -> None:
    """What strays farther and farther without a gap is no sample of wrong ones."""
    residuals = np.random.default_rng(3).standard_t(3, 2_000)
    null = weigh(residuals, "both", least=0.1, stands_off=True)
    assert null is not None
    p = null.p_values(residuals, "both")
    assert not (nulls.adjust(p) <= 0.05).any()


def test_p_values_fall_with_distance_and_hold_both_sides() -> None:
    """Farther out is rarer; the upper side alone is half as rare as both sides."""
    null = weigh(np.random.default_rng(5).normal(3, 2, 700), "both", least=0.1)
    assert null is not None
    far = null.centre + np.geomspace(0.1, 1e4, 50)
    p = null.p_values(far, "both")
    assert (np.diff(p) <= 0).all()
    assert (np.diff(null.p_values(2 * null.centre - far, "both")) <= 0).all()
    assert null.p_values(far, "upper") == pytest.approx(p / 2)
    assert stats.norm.isf(null.p_values(np.array([null.centre]), "upper")[0]) == pytest.approx(
        0, abs=0.01
    )


def test_each_side_is_held_against_itself() -> None:
    """Open doors warm and never cool: as far out, warm is ordinary and cold is not."""
    dice = np.random.default_rng(6)
    residuals = dice.normal(0, 0.45, 3_000) + (dice.random(3_000) < 0.12) * dice.exponential(
        0.6, 3_000
    )
    null = weigh(residuals, "both", least=0.1)
    assert null is not None
    assert not (nulls.adjust(null.p_values(residuals, "both")) <= 0.05).any()
    warm, cold = null.p_values(null.centre + np.array([2.5, -2.5]), "both")
    assert cold < warm / 100


def test_sides_vouch_for_each_other() -> None:
    """Of few residuals each side shows little; that the other one is like it makes p smaller."""

    def log_p(seed: int, side: Literal["both", "upper"]) -> float:
        null = weigh(np.random.default_rng(seed).normal(size=150), side, least=0.1)
        assert null is not None
        return float(np.log(null.p_values(np.array([null.centre + 4.5]), side)[0]))

    gains = [log_p(seed, "upper") + np.log(2) - log_p(seed, "both") for seed in range(20)]
    assert np.mean(gains) > 0.4


def test_values_that_do_not_spread_have_no_null() -> None:
    """All equal, or none at all: there is nothing to weigh."""
    assert weigh(np.zeros(50), "both", least=0.1) is None
    assert weigh(np.empty(0), "upper", least=0.1) is None


@pytest.mark.parametrize("power", [0.0, 1.0])
def test_the_scale_is_the_one_on_which_values_are_even(power: float) -> None:
    """Values made even on a scale are found to be."""
    even = np.random.default_rng(6).normal(10, 1.5, 4_000)
    values = np.exp(even) if power == 0.0 else even
    codes = np.arange(4_000) % 20
    scale = most_even(values, codes)
    assert scale == Scale(power)
    assert scale.back(scale.values(values)) == pytest.approx(values)


def test_company_is_others_of_the_group_in_those_weeks() -> None:
    """Two odd ones near each other are company; one far off, or of another group, is not."""
    odd = np.array([True, True, True, True, False])
    at = np.array([0, 5, 500, 5, 6])
    codes = np.array([0, 0, 0, 1, 1])
    found = in_company(odd, at, codes, reach_us=10, least=1, share=0.5)
    assert found.tolist() == [True, True, False, False, True]
    assert not in_company(odd, at, codes, reach_us=10, least=2, share=0.5).any()


def test_what_rises_with_a_figure_is_no_residual() -> None:
    """A discount on large amounts is taken off, for each product its own."""
    dice = np.random.default_rng(7)
    product, amount = dice.integers(0, 6, 1_200), np.exp(dice.normal(5, 1.5, 1_200))
    values = dice.normal(0, 0.05, 1_200) - (0.05 + 0.05 * product) * np.log(amount)
    rise = (product, np.zeros_like(product), steps(amount, product))
    found = standing(values, product, [rise], scale_by=product, floor=0.01)
    assert np.std(found.residual) == pytest.approx(0.05, rel=0.15)
    assert np.std(standing(values, product, [], scale_by=product, floor=0.01).residual) > 0.15


def test_what_was_written_with_few_digits_is_held_less_strictly() -> None:
    """Rounding is part of a value's own spread, and of no other's."""
    dice = np.random.default_rng(8)
    product = dice.integers(0, 3, 900)
    grain = np.where(np.arange(900) % 5, 0.0, 0.3)
    values = dice.normal(0, 0.02, 900) + grain * dice.uniform(-1.7, 1.7, 900)
    found = standing(values, product, [], scale_by=product, floor=0.01, grain=grain)
    assert np.median(found.spread[grain == 0]) < 0.03
    assert found.spread[grain > 0].min() > 0.29
    assert np.abs(found.residual / found.spread).max() < 6


def test_figures_are_as_exact_as_their_hand_writes_them() -> None:
    """Whole kilograms are off by up to half of one; a round figure among exact ones is exact."""
    whole = pd.Series([2.0, 7.0, 5.0, np.nan])
    fine = pd.Series([2.3, 7.0, 5.1, 3.9])
    hand = pd.Series([1, 1, 1, 1])
    assert grain(whole, hand).tolist() == pytest.approx(
        [1 / 2 / 12**0.5, 1 / 7 / 12**0.5, 1 / 5 / 12**0.5, 0]
    )
    assert grain(fine, hand) == pytest.approx(0.1 / fine.to_numpy() / 12**0.5)
    both = grain(pd.concat([whole, fine]), pd.Series([1] * 4 + [2] * 4))
    assert both == pytest.approx([*grain(whole, hand), *grain(fine, hand)])
