"""Questions about workplaces, asked of absurd figures in any table; see also test_bad_input."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from frame_factories import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_labour import LABOUR, workplaces

from detectors.features import Features
from detectors.labour.audit_lapsed import AuditLapsed
from detectors.misreported import COPIED
from detectors.registry import BUILT_IN
from detectors.run import run
from detectors.wage_below_minimum import WageBelowMinimum

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from detectors.run import RunResult
    from graph.frames import Frames

NAMES = {*LABOUR, "excess_hours", "wage_below_minimum"}
DETECTORS = [one for one in BUILT_IN if one.name in NAMES]
ABSURD = (float("nan"), float("inf"), -1.0, 0.0, 1e300, -1e18, 1e-300)


@cache
def world() -> Frames:
    """A decent world; nobody changes it."""
    return workplaces(sites=6, months=14).frames()


def asked(frames: Frames) -> RunResult:
    """What all detectors say; none may raise, every score is finite."""
    result = run(frames, DETECTORS, tree_size=1, root=ROOT)
    assert result.errors == ()
    assert np.isfinite(result.scores["score"]).all()
    return result


def figures(table: pd.DataFrame) -> list[str]:
    """The number columns of a table that a report fills in."""
    numbers = table.select_dtypes("float64").columns
    return [name for name in numbers if name != "week"]


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["labour", "timesheets", "legal_limits"]),
    st.floats(0.05, 1.0),
)
@settings(max_examples=1, deadline=None)
def test_absurd_figures_crash_nothing(seed: int, name: str, share: float) -> None:
    """Not a number, infinite, negative, zero, huge and tiny, in any column, to any share."""
    dice, frames = np.random.default_rng(seed), world()
    table = getattr(frames, name).copy()
    for column in figures(table):
        hit = dice.random(len(table)) < share
        table.loc[hit, column] = dice.choice(ABSURD, hit.sum())
    asked(replace(frames, **{name: table}))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.assign(month="2023-05"),
        lambda t: t.assign(facility_id="F1"),
        lambda t: t.iloc[:1],
    ],
    ids=["one-month", "one-site", "one-row"],
)
def test_degenerate_records_are_no_reason_to_flag(
    change: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    """One month, one site, one row: hardly a flag, never a crash."""
    frames = replace(world(), labour=change(world().labour).reset_index(drop=True))
    statistical = [flag for flag in asked(frames).flags if flag.p is not None]
    assert len(statistical) <= 1


@pytest.mark.parametrize(
    ("times", "sites", "judged"), [(20.0, 6, 0), (20.0, 2, 28), (1e6, 2, 0), (2.0, 6, 84)]
)
def test_minimum_that_nobody_comes_near_judges_nobody(
    times: float, sites: int, judged: int
) -> None:
    """A minimum of another money is one slip, not a wrong of every site; two sites prove none
    while somebody could pay so little, nor does a minimum that pay comes near.
    """
    frames = workplaces(sites=sites, months=14).frames()
    limits = frames.legal_limits
    limits = limits.assign(min_hourly_wage=limits["min_hourly_wage"] * times)
    result = run(replace(frames, legal_limits=limits), [WageBelowMinimum()], tree_size=1, root=ROOT)
    assert result.judged["wage_below_minimum"] == judged
    reasons = {one.reason: one.count for one in result.abstentions}
    near = "a minimum wage that nobody's pay comes near, perhaps not one of an hour"
    assert reasons.get(near, 0) == sites * 14 - judged


def test_dates_in_any_shape_crash_nothing() -> None:
    """Audit dates that are none are no dates."""
    frames = world()
    odd = ["2024-02-30", "soon", "31/12/2024", "0000-00-00", "2024-12-31T00:00:00Z"]
    dates = np.resize(np.array(odd, object), len(frames.labour))
    table = frames.labour.assign(audit_expiry_date=dates, last_audit_date=dates)
    result = run(replace(frames, labour=table), [AuditLapsed()], tree_size=1, root=ROOT)
    assert result.errors == ()


def reported(change: Callable[[pd.DataFrame], pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The facility-months of a decent world, and those of its report changed; nothing is flagged
    of either.
    """
    frames = world()
    spoilt = replace(frames, labour=change(frames.labour.copy()))
    assert asked(spoilt).flags == asked(frames).flags
    return Features(frames).facility_months, Features(spoilt).facility_months


@pytest.mark.parametrize("name", ["headcount", "total_hours", "gross_wages", "output_units"])
def test_figures_of_another_magnitude_are_unknown(name: str) -> None:
    """A dozen digits more in a few months of every site are a slip of the form."""
    slip = np.arange(len(world().labour)) % 7 == 3
    own, found = reported(lambda t: t.assign(**{name: t[name].mask(slip, 1e12)}))
    odd = found[name].isna()
    assert odd.sum() == slip.sum()
    assert (found[name][~odd] == own[name][~odd]).all()


def test_growth_is_no_slip() -> None:
    """A site that makes ten times as much from one month to the next may do so."""
    grown = world().labour["month"] > "2023-09"
    frames = replace(
        world(),
        labour=world().labour.assign(
            headcount=world().labour["headcount"].where(~grown, world().labour["headcount"] * 10)
        ),
    )
    found = Features(frames).facility_months["headcount"]
    assert found.notna().all()
    assert (found > 10 * found.min()).any()


def test_hours_and_heads_change_places_again() -> None:
    """Where the week's hours stand under heads, and heads under hours, both are read as meant."""
    slip = np.arange(len(world().labour)) % 7 == 3
    own, found = reported(
        lambda t: t.assign(
            headcount=t["headcount"].mask(slip, t["avg_weekly_hours"]),
            avg_weekly_hours=t["avg_weekly_hours"].mask(slip, t["headcount"]),
        )
    )
    for name in ("headcount", "avg_weekly_hours"):
        assert (found[name] == own[name]).all()


def test_long_weeks_of_few_are_no_columns_that_changed_places() -> None:
    """Half the heads and twice the hours are what happened, not a slip."""
    frames = world()
    months = frames.labour
    hit = months["month"] == "2023-12"
    changed = months.assign(
        headcount=months["headcount"].where(~hit, months["headcount"] / 2),
        avg_weekly_hours=months["avg_weekly_hours"].where(~hit, months["avg_weekly_hours"] * 2),
    )
    result = asked(replace(frames, labour=changed))
    assert {one.subject_id for one in result.flags if one.type == "excess_hours"} == {
        f"F{n}|2023-12" for n in range(6)
    }


def test_minimum_of_no_hour_is_not_made_up_for_by_thousands() -> None:
    """Pay that would be a fortune in thousands is not in thousands: the minimum is the slip."""
    frames = world()
    limits = frames.legal_limits.assign(min_hourly_wage=20_000.0, usd_per_unit=1.0)
    result = asked(replace(frames, legal_limits=limits))
    assert not [one for one in result.flags if one.type == "wage_below_minimum"]
    reasons = {one.reason for one in result.abstentions if one.detector == "wage_below_minimum"}
    assert "a minimum wage that nobody's pay comes near, perhaps not one of an hour" in reasons


FIGURES = ["headcount", "total_hours", "gross_wages", "output_units", "min_worker_age"]


@pytest.mark.parametrize(("sites", "flags"), [(6, 1), (1, 14)])
def test_form_of_one_site_says_nothing_of_the_others(sites: int, flags: int) -> None:
    """One filled-in form that stands for several sites is judged once; a site that repeats its own
    says so of each month.
    """
    frames = workplaces(sites=sites, months=14).frames()
    form = frames.labour.iloc[0][FIGURES].to_dict() | {"min_worker_age": 12.0}
    labour = frames.labour.assign(**form)
    result = run(replace(frames, labour=labour), DETECTORS, tree_size=1, root=ROOT)
    young = [one for one in result.flags if one.detector == "child_labour"]
    assert len(young) == flags
    left_out = {one.detector: one.count for one in result.abstentions if one.reason == COPIED}
    assert left_out == ({"child_labour": 83, "wage_below_minimum": 83} if sites > 1 else {})


def in_other_money(factor: float, since: str = "2023-09") -> dict[str, int]:
    """Flags by detector where two of six sites pay in rupees, and report other wages from then."""
    frames = workplaces(sites=6, months=14).frames()
    limits = frames.legal_limits.assign(currency="INR", usd_per_unit=0.012)
    other = frames.labour["facility_id"].isin(["F1", "F2"]) & (frames.labour["month"] >= since)
    wages = frames.labour["gross_wages"]
    labour = frames.labour.assign(currency="INR", gross_wages=wages.mask(other, wages * factor))
    found = run(
        replace(frames, labour=labour, legal_limits=limits),
        [WageBelowMinimum()],
        tree_size=1,
        root=ROOT,
    )
    return Counter(one.detector for one in found.flags)


def test_wages_that_are_reported_in_dollars_are_read_as_meant() -> None:
    """A site that switches its report to dollars has not cut its pay to a hundredth."""
    assert in_other_money(0.012) == {}
    assert in_other_money(0.012 * 1.1) == {}


@pytest.mark.parametrize("factor", [0.6, 0.3, 0.05])
def test_pay_that_no_rate_of_exchange_explains_is_below_the_minimum(factor: float) -> None:
    """Less is less, unless it is just as much less as a dollar is worth more."""
    assert in_other_money(factor)["wage_below_minimum"] == 2 * 6


def test_a_site_that_never_paid_the_minimum_is_not_taken_for_one_in_dollars() -> None:
    """Without months that tell what the site pays, nothing is read as meant."""
    assert in_other_money(0.012, since="2023-01")["wage_below_minimum"] > 0
