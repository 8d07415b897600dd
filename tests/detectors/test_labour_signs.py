"""Statistical questions about workplaces: what adds up, what is innocent, what never changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from asking import ask, flagged, reasons
from frame_factories import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_labour import LABOUR, LAST, MONTHS, SITE, SUBJECT, workplaces

from detectors.labour.departures import Peers, departures
from detectors.labour.pay_signs import by_wages
from detectors.labour.persistence import runs, settled
from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from planted_labour import Change

    from graph.frames import Frames

OUTPUT, AGES, SHEETS, PAYROLL = (
    "output_beyond_capacity",
    "child_labour_signs",
    "falsified_timesheet",
    "fabricated_payroll",
)
deviates = st.lists(st.floats(-3, 6), min_size=1, max_size=40)


def site_of(size: int, sites: int) -> np.ndarray:
    """Numbers of sites for rows, ascending."""
    return np.sort(np.arange(size) % sites)


@given(deviates, st.integers(1, 3))
def test_runs_agree_with_the_definition(values: list[float], sites: int) -> None:
    """The strangest run a month is part of, no neighbour worth more than it; a twin."""
    site, own = site_of(len(values), sites), np.array(values)
    for at, found in enumerate(runs(own, site)):
        best = own[at]
        for first in range(at + 1):
            for last in range(at, len(own)):
                if last - first < 6 and len(set(site[first : last + 1])) == 1:
                    part = np.minimum(own[first : last + 1], own[at])
                    best = max(best, part.sum() / np.sqrt(len(part)))
        assert found == pytest.approx(best)


@given(deviates)
def test_quiet_month_stays_quiet(values: list[float]) -> None:
    """A month at or below the median is not made strange by its neighbours."""
    own = np.array(values)
    quiet = own <= -1
    assert (runs(own, np.zeros(len(own), np.int64))[quiet] <= 0).all()


def test_new_level_is_one_that_lasts_to_the_end() -> None:
    """Six high months up to the last are a new usual; six before it, or all there are, are not."""
    low, high = [0.0] * 6, [3.0] * 6
    site = np.zeros(12, np.int64)
    assert settled(np.array(low + high), site, 6).tolist() == [False] * 6 + [True] * 6
    assert not settled(np.array(high + low), site, 6).any()
    assert not settled(np.array(high + high), site, 6).any()


@given(
    st.lists(st.floats(-5, 5, width=32), min_size=3, max_size=25),
    st.floats(-100, 100),
    st.sampled_from([None, 3]),
)
@settings(max_examples=60)
def test_usual_is_the_median_of_the_other_months(
    values: list[float], shift: float, reach: int | None
) -> None:
    """One site alone: the centre is the median of the others, and moves with the data."""
    own = np.array(values)
    size = len(own)
    peers = Peers(np.zeros(size, np.int64), np.zeros(size, np.int64), np.arange(size))
    noise = np.full(size, 100.0)
    found, moved = (departures(own + by, noise, peers, reach) for by in (0.0, shift))
    # What differs by less than rounding at the new level may come out as equal there.
    np.testing.assert_allclose(moved.own, found.own, atol=1e-4)
    if size <= 4:
        assert np.isfinite(found.own).all()


def test_season_of_all_sites_accuses_nobody() -> None:
    """Every site makes half as much again in one month: a season."""
    season = workplaces(
        everywhere=lambda _, month, own: (
            own | {"output_units": own["output_units"] * 1.5} if month == LAST else own
        )
    )
    assert not {s for s in flagged(OUTPUT, season) if s.endswith(LAST)}


def test_new_machine_is_no_subcontractor() -> None:
    """A level that rises by a third and stays, within capacity, is not flagged."""

    def machine(site: str, month: str, own: Change) -> Change:
        since = site == SITE and month >= LAST
        return own | ({"output_units": own["output_units"] * 1.35} if since else {})

    assert not {s for s in flagged(OUTPUT, workplaces(everywhere=machine)) if s.startswith(SITE)}


def test_more_hands_explain_more_goods() -> None:
    """A site that grows beyond the hands its capacity was declared for is not flagged."""

    def grown(site: str, month: str, own: Change) -> Change:
        more = 2.2 if site == SITE and month >= LAST else 1.0
        names = ("headcount", "total_hours", "output_units")
        return own | {name: own[name] * more for name in names}

    assert not {s for s in flagged(OUTPUT, workplaces(everywhere=grown)) if s.startswith(SITE)}


@pytest.mark.parametrize(("times", "accused"), [(1.0, set()), (1.6, {LAST})])
def test_hands_of_every_harvest_do_not_explain_what_goes_beyond_capacity(
    times: float, accused: set[str]
) -> None:
    """As many hands stayed within it in other months; without a wrong none of them is flagged."""
    names = ("headcount", "total_hours", "output_units")

    def harvest(site: str, month: str, own: Change) -> Change:
        if site != SITE or month[5:] not in {"01", "11", "12"}:
            return own
        more = own | {name: own[name] * 60_000 / 42_000 for name in names}
        return more | {"output_units": more["output_units"] * (times if month == LAST else 1.0)}

    found = flagged(OUTPUT, workplaces(everywhere=harvest))
    assert {s[len(SITE) + 1 :] for s in found if s.startswith(SITE)} == accused


def test_months_in_a_row_add_up() -> None:
    """What one month would not show, four do."""

    def months(last: int) -> set[str]:
        uneasy = MONTHS[8:last]
        world = workplaces(
            everywhere=lambda site, month, own: (
                own | {"output_units": own["output_units"] * 1.22}
                if site == SITE and month in uneasy
                else own
            )
        )
        return {s for s in flagged(OUTPUT, world) if s.startswith(SITE)}

    assert months(9) == set()
    assert len(months(12)) >= 2


def test_country_of_1_january_is_no_sign() -> None:
    """Where a third of everybody is born on 1 January, nobody is flagged for it."""
    common = workplaces(
        everywhere=lambda _, __, own: (
            own | {"share_birthdate_jan1": own["share_birthdate_jan1"] + 0.3}
        )
    )
    assert flagged(AGES, common) == {}


def test_more_foreign_workers_explain_1_january() -> None:
    """As many more foreign workers as birth dates on 1 January: no sign of children."""

    def hired(own: Change) -> Change:
        return own | {"share_birthdate_jan1": 0.15, "migrant_share": 0.6}

    assert SUBJECT not in flagged(AGES, workplaces(hired))


def test_foreign_workers_whose_share_strays_explain_1_january() -> None:
    """What many more foreign workers explain shows in their mean, whatever one month tells."""

    def hired(site: str, month: str, own: Change) -> Change:
        if site != SITE:
            return own
        late = month >= LAST
        stray = 0.12 if month[-2:] in ("01", "02", "05", "06", "09", "10") else -0.12
        born = own["share_birthdate_jan1"] + 0.1 * late
        return own | {"share_birthdate_jan1": born, "migrant_share": 0.45 + stray + 0.15 * late}

    assert not {one for one in flagged(AGES, workplaces(everywhere=hired)) if SITE in one}


def test_quarter_hour_clock_is_no_pen() -> None:
    """A site that begins to count half hours has not begun to write them up."""
    clock = workplaces(
        written=lambda rows: [[(round(2 * h) / 2, pay) for h, pay in own] for own in rows]
    )
    assert SUBJECT not in flagged(SHEETS, clock)


def test_new_currency_is_no_fabrication() -> None:
    """A currency that loses three zeros changes every total and accuses nobody."""

    def lighter(_: str, month: str, own: Change) -> Change:
        later = month >= LAST
        new = {"gross_wages": round(own["gross_wages"] / 1000, 2), "currency": "NEW"}
        return own | (new if later else {})

    subjects = flagged(PAYROLL, workplaces(everywhere=lighter))
    assert len([s for s in subjects if s >= f"F0|{LAST}"]) <= 2


def test_without_timesheets_hours_are_not_judged() -> None:
    """Sites without sheets are named, not cleared."""
    world = workplaces()
    world.month("F0", "2025-01")
    told = reasons(SHEETS, world)
    assert "F0|2025-01" in told["timesheets of fewer than 8 worker-weeks"]


def test_too_few_months_are_not_judged() -> None:
    """Thirty facility-months show no usual: all of them abstain."""
    world = workplaces(sites=1)
    result = ask(OUTPUT, world)
    assert result.flags == ()
    assert result.judged == {OUTPUT: 0}
    assert "fewer than 60" in result.abstentions[0].reason


def _up_to(frames: Frames, month: str) -> Frames:
    labour, sheets = frames.labour, frames.timesheets
    return replace(
        frames,
        labour=labour[labour["month"] <= month],
        timesheets=sheets[sheets["month"] <= month],
    )


def test_later_months_change_nothing_in_a_closed_quarter() -> None:
    """Two quarters after it, a quarter is judged as it is with all that comes later."""
    names = (OUTPUT, AGES, SHEETS, PAYROLL, "coercion_signs")
    detectors = [one for one in BUILT_IN if one.name in names]
    frames = workplaces(lambda own: own | {"output_units": own["output_units"] * 2}, months=24)
    full, early = (
        run(held, detectors, tree_size=1, root=ROOT).scores.set_index(["detector", "subject_id"])
        for held in (frames.frames(), _up_to(frames.frames(), "2024-06"))
    )
    closed = early.index.get_level_values("subject_id").str[-7:] <= "2023-12"
    assert closed.sum() > 500
    later = full.loc[early.index[closed]]
    for name in ("p_value", "q_value"):
        assert (early.loc[closed, name].to_numpy() == later[name].to_numpy()).all()


@pytest.mark.parametrize("name", list(LABOUR))
def test_planted_month_disappears_when_it_is_corrected(name: str) -> None:
    """A corrected report replaces what it corrects, and the flag goes."""
    assert SUBJECT not in flagged(name, workplaces())


@pytest.mark.parametrize("salaried", [False, True])
def test_absences_of_the_salaried_are_no_fabrication(*, salaried: bool) -> None:
    """Short weeks at full pay are nothing where it is the custom; once, at a site that pays by
    the hour, they are a sign.
    """

    def month(absent: float) -> dict[str, list[float]]:
        dice = np.random.default_rng(int(absent))
        hours = 40 - absent * dice.random(32) ** 4
        pay = np.where(salaried or absent > 20, 600.0, 15 * hours) + np.arange(32) // 4
        rate, log = (
            (each - each.reshape(8, 4).mean(axis=1).repeat(4))
            for each in (np.log(pay / hours), np.log(hours))
        )
        return {
            name: [float((one * other).mean())]
            for name, one, other in (
                ("rate_by_rate", rate, rate),
                ("rate_by_hours", rate, log),
                ("hours_by_hours", log, log),
            )
        }

    months = [month(absent) for absent in (9, 10, 11, 12, 13, 14, 15, 25)]
    window = pd.concat([pd.DataFrame(one) for one in months], ignore_index=True)
    found = by_wages(window.assign(site="F0"))["value_pay_without_hours"]
    assert bool(found.iloc[-1] > found.iloc[:-1].max() + 1) != salaried
