"""Questions about workplaces, asked of absurd figures in any table; see also test_bad_input."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from frame_factories import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_labour import LABOUR, workplaces

from detectors.labour.audit_lapsed import AuditLapsed
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
