"""The general layer: repeatable to the last bit, careful, and weaker than the rules."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from asking import ask
from frame_factories import World
from planted import legs_world, months_world
from pyod.models.iforest import IForest
from scipy import stats

from detectors import nulls, unusual_models, unusual_overall
from detectors.features import Features
from detectors.labour.unusual import MONTH_WORDS, month_residuals
from detectors.peers import residuals, scaled
from detectors.unusual_features import LEG_WORDS, leg_residuals, leg_values
from detectors.unusual_forest import planted, strangeness
from detectors.unusual_overall import _families

LEGS, MONTHS = "unusual_overall_legs", "unusual_overall_months"

SCRIPT = """
import hashlib, sys
import numpy as np
from detectors import unusual_models
rows = np.random.default_rng(4).standard_t(5, (700, 6))
model = unusual_models.fit(rows, 99)
print(hashlib.sha256(unusual_models.deviates(model, rows).tobytes()).hexdigest())
"""


def test_scores_are_bit_identical_across_processes_and_threads() -> None:
    """One thread or four, this process or another, any hash seed: the same bits."""
    rows = np.random.default_rng(4).standard_t(5, (700, 6))
    model = unusual_models.fit(rows, 99)
    assert model is not None
    here = hashlib.sha256(unusual_models.deviates(model, rows).tobytes()).hexdigest()
    root = str(Path(__file__).parents[2])
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    for threads in {"1", "4"} - {os.environ.get("OMP_NUM_THREADS", "4")}:
        env = {**os.environ, "PYTHONPATH": root, "PYTHONHASHSEED": threads}
        env |= dict.fromkeys(names, threads)
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == here


def test_the_forest_scores_as_the_library_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Laid out as plain numbers it says the same to the digit, of rows it knows and others, also
    where they go down in several blocks.
    """
    monkeypatch.setattr("detectors.unusual_forest._AT_ONCE", 128)
    dice = np.random.default_rng(11)
    for size in (2, 3, 40, 900):
        known, other = (np.round(dice.standard_t(3, (count, 4)), 2) for count in (size, 500))
        grown = IForest(n_estimators=20, random_state=5, n_jobs=1).fit(known)
        forest = planted(grown.detector_)
        for rows in (known, other):
            whole = grown.decision_function(rows) - grown.detector_.offset_
            np.testing.assert_array_equal(strangeness(forest, rows), whole)


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_models_are_read_as_they_were_written(spread: float) -> None:
    """What is kept of a fit scores as the fit does, to the last bit; also that there is none."""
    rows = np.random.default_rng(4).standard_t(5, (120, 4)) * spread
    found = unusual_models.fitted(rows, 1)
    again = unusual_models.unpacked(unusual_models.packed(found))
    assert (again.digest, again.size) == (found.digest, 120)
    assert (again.model is None) == (found.model is None) == (not spread)
    if found.model is not None and again.model is not None:
        one, other = (unusual_models.deviates(model, rows) for model in (found.model, again.model))
        assert one.tobytes() == other.tobytes()


def test_score_depends_on_the_row_alone() -> None:
    """Scored alone, in another order or with other rows, a row has the same score."""
    rows = np.random.default_rng(4).standard_t(5, (300, 5))
    model = unusual_models.fit(rows, 1)
    assert model is not None
    whole = unusual_models.deviates(model, rows)
    assert (unusual_models.deviates(model, rows[::-1].copy())[::-1] == whole).all()
    assert unusual_models.deviates(model, rows[7:8].copy())[0] == whole[7]


@pytest.mark.parametrize(("dof", "share"), [(200, 0.02), (5, 0.0), (5, 0.02)])
def test_models_promise_is_kept(dof: float, share: float) -> None:
    """Of rows that differ in chance alone, no more than promised are flagged."""
    false = flags = 0
    for seed in range(2):
        dice = np.random.default_rng(seed)
        rows = dice.standard_t(dof, (600, 6))
        wrong = np.arange(600) < share * 600
        rows[wrong] *= 5
        model = unusual_models.fit(rows, 1)
        assert model is not None
        found = nulls.adjust(stats.norm.sf(unusual_models.deviates(model, rows))) <= 0.05
        false, flags = false + int((found & ~wrong).sum()), flags + int(found.sum())
    assert false <= 0.07 * flags + (1 if share == 0 else 0)


def test_rows_that_are_all_equal_have_no_model() -> None:
    """Nothing spreads, nothing is strange."""
    assert unusual_models.fit(np.zeros((300, 4)), 1) is None


def test_flags_rank_below_every_rule() -> None:
    """Whatever its p, a general flag is graded low and ranks below a broken rule."""
    world = months_world(20)
    wrong = world.month("F3", "2024-07", headcount=9.0, avg_weekly_hours=25.0, total_hours=6e4)
    flag = next(one for one in ask(MONTHS, world).flags if one.subject_id == wrong)
    assert flag.severity == "low"
    assert flag.rank < 2
    assert flag.reference_digest is not None
    assert flag.family == "2024Q3"


def test_too_few_subjects_are_not_judged() -> None:
    """Below the minimum nobody is compared with anybody."""
    result = ask(MONTHS, months_world(5))
    assert result.judged == {MONTHS: 0}
    assert result.abstentions[0].reason == "too few cases: 30 of at least 100"


def test_values_missing_everywhere_are_usual() -> None:
    """Legs without weights, values and times of day are compared by what they have."""
    world, bare = legs_world(240), World()
    drop = ("gross_weight", "declared_value_usd", "transport_mode")
    for version, entry in world.entries:
        bare.entries.append((version, {k: v for k, v in entry.items() if k not in drop}))
    result = ask(LEGS, bare)
    assert result.judged == {LEGS: 240}
    assert len(result.flags) <= 1


def test_families_wait_for_the_first_enough() -> None:
    """Quarters merge until there is enough to compare with; later ones stand alone."""
    days = pd.Series(pd.date_range("2024-01-01", "2025-01-31", freq="D", tz="UTC"))
    at = pd.Series(days.to_numpy("datetime64[us]").astype(np.int64))
    assert list(_families(at, 150)) == [
        ("2024Q2", slice(0, 182), slice(0, 182), True),
        ("2024Q3", slice(182, 274), slice(0, 274), True),
        ("2024Q4", slice(274, 366), slice(0, 366), False),
        ("2025Q1", slice(366, 397), slice(0, 397), False),
    ]


def test_peers_are_recent_and_models_not_too_old() -> None:
    """Ten years on, peers are of eight quarters, and no model is older than a year."""
    days = pd.Series(pd.date_range("2014-01-01", "2023-12-31", freq="D", tz="UTC"))
    at = pd.Series(days.to_numpy("datetime64[us]").astype(np.int64))
    found = list(_families(at, 80))
    assert len(found) == 40
    assert all(window.stop - window.start <= 8 * 92 for _, _, window, _ in found)
    renewed = [n for n, family in enumerate(found) if family[3]]
    assert max(later - earlier for earlier, later in pairwise(renewed)) == 4


def test_models_that_have_seen_enough_wait_for_the_end_of_a_quarter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What comes into an open quarter moves only small models; once it is over both are renewed."""
    days = pd.Series(pd.date_range("2014-01-01", "2023-12-31", freq="D", tz="UTC"))
    at = pd.Series(days.to_numpy("datetime64[us]").astype(np.int64))
    found = list(_families(at, 80))
    renewed = [number for number, family in enumerate(found[:-1]) if family[3]]
    assert len(renewed) > 4
    for most in (80, 10_000):
        monkeypatch.setattr(unusual_overall, "FOREST_ROWS", most)
        for number in renewed[1:]:
            end = found[number][1].stop
            assert list(_families(at[:end], 80))[-1][3] == (most > len(at))
            assert list(_families(at[: end + 1], 80))[-2] == found[number]


def test_closed_quarters_keep_their_scores() -> None:
    """What happens later changes no score, no q and no flag of an earlier quarter."""
    early, late = months_world(50), months_world(50)
    for n in range(50):
        late.month(f"F{n}", "2024-07", total_hours=9e4, avg_weekly_hours=44.0)
    before, after = ask(MONTHS, early).scores, ask(MONTHS, late).scores
    both = before.merge(after, on="subject_id", suffixes=("_before", "_after"))
    assert len(both) == len(before) < len(after)
    assert (both["q_value_before"] == both["q_value_after"]).all()
    assert (both["score_before"] == both["score_after"]).all()


def test_residuals_lean_on_the_wider_group_where_the_finer_is_small() -> None:
    """One value of its own hardly moves what is usual; fifty do."""
    values = pd.Series([10.0] * 50 + [20.0] + [30.0] * 50)
    group, whole = pd.Series([0] * 50 + [1] + [2] * 50), pd.Series([0] * 101)
    found = residuals(values, [whole, group])
    assert abs(found[0]) < 2
    assert abs(found[100]) < 2
    assert found[50] == pytest.approx(0, abs=1)


def test_nothing_is_held_against_other_kinds() -> None:
    """The first of a kind is usual, however far from all others it is."""
    values = pd.Series([10.0] * 50 + [90.0])
    kind = pd.Series([0] * 50 + [1])
    assert (residuals(values, [kind, kind]) == 0).all()


@pytest.mark.parametrize("values", [[0.0] * 10, [0.0] * 95 + [3.0] * 5, [np.nan] * 5])
def test_scaling_survives_columns_without_spread(values: list[float]) -> None:
    """Unknown is usual, and what never departs has no scale to be divided by."""
    assert np.isfinite(scaled(pd.Series(values))).all()


def test_rounding_is_no_departure() -> None:
    """Figures that are even to a thousandth make no sign of a difference of one in a hundred."""
    values = pd.Series([0.001, -0.001] * 50 + [0.01])
    assert scaled(values).abs().max() < 1


def delivered(*amounts: float) -> pd.DataFrame:
    """A lot of a hundred, of which receipts came at hours that follow each other."""
    world = World()
    for site in "AB":
        world.site(site)
    world.product("P")
    world.make(0, "A", "L", 100.0)
    world.ship(10, "A", "B", "L", "S1", 100.0)
    for hour, amount in enumerate(amounts):
        world.receive(20.0 + hour, "B", "L", "S1", amount)
    return leg_values(Features(world.frames())).iloc[:1][list(LEG_WORDS)[:5]]


def test_a_receipt_that_nobody_scanned_makes_no_leg_strange() -> None:
    """Two lorries bring 45 and 55 of a hundred, and one of them is not scanned."""
    pd.testing.assert_frame_equal(delivered(45.0), delivered(45.0, 55.0))


def test_pounds_for_kilograms_make_no_leg_strange() -> None:
    """The factor is a slip in either direction; another one is a departure."""
    legs = leg_values(Features(legs_world().frames()))
    usual = leg_residuals(legs)["weight"]
    legs.loc[:2, "weight"] += np.log([2.2046, 1 / 2.2046, 1.8]) - usual[:3]
    weight = leg_residuals(legs)["weight"]
    assert weight[:2].isna().all()
    assert weight[2] > np.log(1.5)


def test_a_wage_that_rose_for_a_country_is_usual_there() -> None:
    """What sites share in a month is taken off, and what one of them shows besides is left."""
    sites, months = 6, 24
    dice = np.random.default_rng(8)
    pay = dice.normal(0, 0.02, (sites, months))
    pay[:, 18:] += np.log(1.6)
    pay[2, 22] += np.log(2)
    site, month = (part.ravel() for part in np.indices((sites, months)))
    table = pd.DataFrame({"site": site, "currency_site": site, "product_site": site})
    table = table.assign(month=month, country=site // 4, product=0)
    for name in MONTH_WORDS:
        table[name] = pay.ravel() if name == "pay" else np.nan
    left = month_residuals(table)["pay"].to_numpy(copy=True).reshape(sites, months)
    assert left[2, 22] == pytest.approx(np.log(2), abs=0.1)
    left[2, 22] = 0
    assert np.abs(left).max() < 0.15


@pytest.mark.parametrize("zeros", [0.5, 0.59, 0.61, 0.7])
def test_a_column_is_measured_alike_with_a_few_zeros_more(zeros: float) -> None:
    """Whether a figure is zero in slightly more or fewer months does not change its unit."""
    dice = np.random.default_rng(4)
    values = np.where(np.arange(2_000) < 2_000 * zeros, 0.001, 1) * dice.normal(0, 1, 2_000)
    assert 0.5 < scaled(pd.Series(values)).abs().max() / np.abs(values).max() < 3
