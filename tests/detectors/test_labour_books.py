"""Books that close by weeks, months that come late, rosters and shifts accuse nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from asking import flagged
from frame_factories import World, clean
from planted_labour import SUBJECT, add_sheets, workplaces

from detectors.overview import overview

if TYPE_CHECKING:
    from collections.abc import Callable

HOURS, SHEETS = "excess_hours", "falsified_timesheet"
WEEKS = 52 / 12
HIGHEST = 49.0
MONTHS = pd.period_range("2023-01", periods=14, freq="M")
Weeks = "Callable[[pd.Period], float]"


def saturdays(month: pd.Period) -> float:
    """Weeks that end within the month."""
    days = pd.date_range(month.start_time, month.end_time)
    return float((days.day_of_week == 5).sum())


def periods(month: pd.Period) -> float:
    """Thirteen periods of four weeks: two of them end in one month of the year."""
    return 8.0 if month.month == 7 else 4.0


def thirds(month: pd.Period) -> float:
    """Four, four and five weeks to the quarter."""
    return 5.0 if month.month % 3 == 0 else 4.0


def days(month: pd.Period) -> float:
    """The days of the calendar."""
    return month.days_in_month / 7


def six_days(month: pd.Period) -> float:
    """The working days of the month, six to the week."""
    dates = pd.date_range(month.start_time, month.end_time)
    return float((dates.day_of_week < 6).sum()) / 6


def works(weekly: float, weeks: Callable[[pd.Period], float], worked: dict[int, float]) -> World:
    """A site of a hundred that reports its usual week, whatever was `worked` in some months."""
    world = World()
    world.site("A")
    world.limit()
    for n, month in enumerate(MONTHS):
        total = 100 * worked.get(n, weekly) * weeks(month)
        world.month(month=str(month), avg_weekly_hours=weekly, total_hours=round(total))
    return world


@pytest.mark.parametrize("weeks", [saturdays, periods, thirds, days])
def test_books_that_close_by_weeks_accuse_nobody(weeks: Callable[[pd.Period], float]) -> None:
    """A month of five weeks, or of two periods, is no long month to anybody."""
    world = works(47.5, weeks, {})
    assert flagged(HOURS, world) == {}
    shown = [month.hours for month in overview(world.frames(), ()).months]
    assert len(shown) == len(MONTHS)
    assert all(hours is None or hours < HIGHEST for hours in shown)


@pytest.mark.parametrize("weeks", [saturdays, periods, thirds, days])
def test_long_hours_show_in_whatever_books(weeks: Callable[[pd.Period], float]) -> None:
    """A site that keeps such books is flagged for the month in which it did work longer."""
    found = flagged(HOURS, works(45.0, weeks, {4: 56.0, 9: 53.0}))
    assert {subject[0] for subject in found} == {"A"}
    assert {subject[2:] for subject in found} == {str(MONTHS[4]), str(MONTHS[9])}


def silent(world: World) -> World:
    """The same, of a site that reports no weeks."""
    for _, entry in world.entries:
        entry.pop("avg_weekly_hours", None)
    return world


@pytest.mark.parametrize("weeks", [saturdays, periods, thirds, days, six_days])
def test_books_show_by_their_rhythm_where_no_weeks_are_reported(
    weeks: Callable[[pd.Period], float],
) -> None:
    """Longer months that come round by a calendar are no long weeks; one out of turn is."""
    assert flagged(HOURS, silent(works(46.5, weeks, {}))) == {}
    found = flagged(HOURS, silent(works(45.0, weeks, {4: 57.0})))
    assert set(found) == {f"A|{MONTHS[4]}"}


def test_rhythm_does_not_hide_hours_that_are_always_long() -> None:
    """A site that reports no weeks, and works sixty hours in all of them, is flagged in each."""
    for weeks in (saturdays, thirds, six_days):
        assert len(flagged(HOURS, silent(works(60.0, weeks, {})))) == len(MONTHS)


@pytest.mark.parametrize("known", [2, len(MONTHS)])
def test_hours_that_are_always_long_are_no_calendar(known: int) -> None:
    """Totals that are always a sixth beyond the reports are hours that were not reported."""
    world = works(42.0, lambda _: WEEKS, dict.fromkeys(range(14), 49.0))
    world.entries[2 + known :] = []
    assert len(flagged(HOURS, world)) == known


def test_month_that_comes_with_the_next_is_not_twice_as_long() -> None:
    """Totals of two months, where the one before was not reported; else they are what they say."""
    found = []
    for left_out in ({6}, set()):
        world = World()
        world.site("A")
        world.limit()
        for n, month in enumerate(MONTHS):
            if n not in left_out:
                total = 100 * 44 * WEEKS * (2.1 if n == 7 else 1)
                world.month(month=str(month), avg_weekly_hours=44.0, total_hours=round(total))
        found.append(set(flagged(HOURS, world)))
    assert found == [set(), {f"A|{MONTHS[7]}"}]


@pytest.mark.parametrize("weeks", [4, 5])
@pytest.mark.parametrize(("cycle", "count"), [(3, 0), (9, len(MONTHS))])
def test_weeks_off_by_a_roster_count(weeks: int, cycle: int, count: int) -> None:
    """Two weeks of 66 hours and one at home are 44 a week; one at home in nine are 59."""
    world = works(44.0, lambda _: WEEKS, {})
    for month in MONTHS:
        workers = [
            {
                "worker_id": f"W{crew}",
                "weeks": [
                    clean({"week": week + 1, "hours": 66.0})
                    for week in range(weeks)
                    if (week + crew + month.month) % cycle != 2
                ],
            }
            for crew in range(12)
        ]
        content = {"party": world.party, "facility_id": "A", "month": str(month)}
        world.entries.append(("timesheet/1", content | {"workers": workers}))
    assert len(flagged(HOURS, world)) == count


def test_shifts_of_one_length_are_no_pen() -> None:
    """Where weeks are three or four shifts of twelve hours, equal weeks are what shifts make."""
    world = workplaces(sites=8, months=14)
    dice = np.random.default_rng(1)
    for number, (version, entry) in enumerate(world.entries):
        if version == "timesheet/1" and entry["facility_id"] == "F3":
            few = 0.1 if entry["month"][-2:] in ("03", "04") else 0.4
            hours = np.where(dice.random((9, 4)) < few, 36.0, 48.0)
            fresh = World()
            rows = [[(float(h), float(15 * h)) for h in own] for own in hours]
            add_sheets(fresh, "F3", entry["month"], rows)
            world.entries[number] = fresh.entries[0]
    assert not {one for one in flagged(SHEETS, world) if one.startswith("F3")}


def write_again(world: World, site: str, rows: Callable[[str], np.ndarray]) -> World:
    """Let a site's sheets have these hours, at 15 an hour, and its report the same mean."""
    said = {}
    for number, (version, entry) in enumerate(world.entries):
        if version == "timesheet/1" and entry["facility_id"] == site:
            hours = rows(entry["month"])
            said[entry["month"]] = float(hours.mean())
            fresh = World()
            paid = [[(float(h), float(15 * h)) for h in own] for own in hours]
            add_sheets(fresh, site, entry["month"], paid)
            world.entries[number] = fresh.entries[0]
    for version, entry in world.entries:
        if version == "labour/1" and entry["facility_id"] == site:
            report(entry, said[entry["month"]])
    return world


def report(entry: dict[str, Any], weekly: float) -> None:
    """Let a month's report and its totals tell of this week, of a hundred workers."""
    total = 100 * weekly * WEEKS
    entry |= clean({"headcount": 100.0, "avg_weekly_hours": weekly, "total_hours": total})


@pytest.mark.parametrize("seed", range(4))
def test_whole_shifts_of_eight_hours_are_no_pen(seed: int) -> None:
    """Five shifts a week, or six: which of them most weeks have follows from how long weeks are."""
    dice = np.random.default_rng(seed)

    def shifts(month: str) -> np.ndarray:
        six = 0.35 + 0.3 * (int(month[-2:]) % 4) / 3
        return np.where(dice.random((12, 4)) < six, 48.0, 40.0)

    found = flagged(SHEETS, write_again(workplaces(sites=8, months=14), "F3", shifts))
    assert not {one for one in found if one.startswith("F3")}


def test_sheets_of_whole_shifts_that_belie_the_totals_are_flagged() -> None:
    """Sheets of 44 hours a week stand out in a month that is reported with 55."""
    dice = np.random.default_rng(2)
    world = write_again(
        workplaces(sites=8, months=14),
        "F3",
        lambda _: np.where(dice.random((12, 4)) < 0.5, 48.0, 40.0),
    )
    for version, entry in world.entries:
        if version == "labour/1" and f"{entry['facility_id']}|{entry['month']}" == SUBJECT:
            report(entry, 55.0)
    assert SUBJECT in flagged(SHEETS, world)


@pytest.mark.parametrize("seed", range(4))
def test_step_of_a_clock_is_told_by_all_months_of_the_site(seed: int) -> None:
    """A month in which a clock of half hours shows hardly a half is what such a clock makes."""
    dice = np.random.default_rng(seed)

    def halves(month: str) -> np.ndarray:
        hours = np.round(2 * dice.normal(40, 3, (9, 4))) / 2
        if month == SUBJECT[3:]:
            hours[np.cumsum(hours % 1 > 0).reshape(hours.shape) > 2] //= 1
        return hours

    found = flagged(SHEETS, write_again(workplaces(sites=8, months=14), "F3", halves))
    assert not {one for one in found if one.startswith("F3")}
