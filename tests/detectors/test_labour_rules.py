"""Hours and wages: which source counts, which law held, and what is not judged."""

from __future__ import annotations

import pytest
from asking import ask, flagged, reasons
from frame_factories import World
from hypothesis import given, settings
from hypothesis import strategies as st

HOURS, WAGES = "excess_hours", "wage_below_minimum"
WEEKS = 52 / 12


def works(**limit: object) -> World:
    """A site in a country with a 48-hour week and 12 an hour."""
    world = World()
    world.site("A")
    world.limit(**limit)  # type: ignore[arg-type]
    return world


@pytest.mark.parametrize(
    ("month", "source"),
    [
        ({"avg_weekly_hours": 52.0, "total_hours": 100 * 40 * WEEKS}, "reported weekly hours"),
        ({"avg_weekly_hours": 40.0, "total_hours": 100 * 52 * WEEKS}, "total hours over headcount"),
    ],
)
def test_largest_source_speaks(month: dict[str, float], source: str) -> None:
    """Reported and total hours are both believed when they accuse, neither when they excuse."""
    world = works()
    subject = world.month(**month)  # type: ignore[arg-type]
    assert source in flagged(HOURS, world)[subject].account.sentence


def test_totals_that_always_stray_prove_less() -> None:
    """Totals three per cent over the limit: within what they stray by, or beyond it."""
    found = []
    for share in (0.0, 0.03):
        world = works()
        for n in range(12):
            weeks = 46 * (1 + share * (-1) ** n)
            world.month(
                month=f"2023-{n + 1:02d}", avg_weekly_hours=46.0, total_hours=100 * weeks * WEEKS
            )
        world.month(avg_weekly_hours=46.0, total_hours=100 * 49.5 * WEEKS)
        found.append(len(flagged(HOURS, world)))
    assert found == [1, 0]


def test_timesheets_speak_for_the_site() -> None:
    """Twenty workers at 55 hours outweigh a report of 40."""
    world = works()
    subject = world.month()
    world.sheets("A", "2024-03", {f"W{n}": [55.0, 56.0, 54.0, 55.0] for n in range(20)})
    flag = flagged(HOURS, world)[subject]
    assert "the timesheets" in flag.account.sentence
    assert flag.account.peer_group == ("workers with timesheets", 20)
    assert len(flag.evidence) == 4


def test_one_workers_week_is_no_flag() -> None:
    """A single long week, and a handful of workers, say nothing about the site."""
    world = works()
    world.month()
    weeks = {f"W{n}": [40.0, 41.0, 39.0, 40.0] for n in range(20)} | {"W99": [80.0, 40.0]}
    world.sheets("A", "2024-03", weeks)
    world.month(month="2024-04")
    world.sheets("A", "2024-04", {f"W{n}": [70.0] for n in range(4)})
    assert flagged(HOURS, world) == {}


def test_chance_sample_of_timesheets_does_not_accuse() -> None:
    """A mean just over the limit with a wide spread is within its own error."""
    world = works()
    world.month()
    hours = {f"W{n}": [49.0 + (n - 5) * 3.0] for n in range(10)}
    world.sheets("A", "2024-03", hours)
    assert flagged(HOURS, world) == {}


def test_limit_of_the_months_first_day_holds() -> None:
    """A limit that takes effect within the month or later does not apply to it."""
    world = works()
    world.limit(since="2024-05-15", max_weekly_hours=35.0)
    subjects = [world.month(month=f"2024-{n:02d}") for n in (4, 5, 6)]
    assert set(flagged(HOURS, world)) == {subjects[2]}


def test_country_without_a_limit_is_not_judged() -> None:
    """No limit, a limit that begins later, and an unknown site: told, not guessed."""
    world = works(since="2024-02-01")
    world.site("B", country="FR")
    told = sorted([world.month(month="2024-01"), world.month("B"), world.month("UNKNOWN")])
    assert reasons(HOURS, world) == {
        "no legal limit on hours for the country and month": tuple(told)
    }
    assert reasons(WAGES, world) == {"no minimum wage for the country and month": tuple(told)}


def test_impossible_hours_are_no_source() -> None:
    """More hours than a week has, none or negative ones: another source speaks, or none."""
    world = works()
    told = [
        world.month(month=f"2024-{n + 1:02d}", avg_weekly_hours=bad, total_hours=None)
        for n, bad in enumerate((400.0, -5.0))
    ]
    world.month(month="2024-03", headcount=0.0)
    assert flagged(HOURS, world) == {}
    assert reasons(HOURS, world)["no usable report of hours"] == tuple(told)


def test_correction_speaks_for_the_month() -> None:
    """A corrected month replaces what it corrects."""
    world = works()
    world.month(avg_weekly_hours=60.0)
    world.month()
    result = ask(HOURS, world)
    assert result.flags == ()
    assert result.judged == {HOURS: 1}


@pytest.mark.parametrize(("hourly", "count"), [(12.0, 0), (11.95, 0), (11.9, 1), (3.0, 1)])
def test_pay_per_hour_is_held_against_the_minimum(hourly: float, count: int) -> None:
    """The minimum is enough; rounding of totals is forgiven; less is flagged."""
    world = works()
    subject = world.month(gross_wages=round(100 * 40 * WEEKS * hourly, 2))
    assert set(flagged(WAGES, world)) == ({subject} if count else set())


@given(pay=st.lists(st.floats(0.5, 30), min_size=20, max_size=20, unique=True))
@settings(max_examples=4)
def test_less_pay_is_stranger(pay: list[float]) -> None:
    """The score falls as pay rises, and flags are exactly the months below the minimum."""
    world = works()
    paid = {}
    for n, hourly in enumerate(pay):
        site = world.site(f"F{n}")
        paid[world.month(site, total_hours=1e4, gross_wages=1e4 * hourly)] = hourly
    scores = ask(WAGES, world).scores.assign(pay=lambda t: t["subject_id"].map(paid))
    ordered = scores.sort_values("pay")
    assert ordered["score"].is_monotonic_decreasing
    assert set(scores.loc[scores["flagged"], "subject_id"]) == {
        subject for subject, hourly in paid.items() if hourly < 12.0 * 0.995
    }


def test_currencies_must_agree() -> None:
    """Wages in dollars are not held against a minimum in euros, nor wages without a currency."""
    world = works()
    dollars = world.month(currency="USD", gross_wages=1.0)
    nothing = world.month(month="2024-04", currency=None, gross_wages=1.0)
    assert reasons(WAGES, world) == {
        "wages and minimum in different currencies": (dollars,),
        "wages without a currency": (nothing,),
    }


def test_missing_and_absurd_figures_are_not_judged() -> None:
    """No wages, zero hours, more hours than there are: told with the reason, never a crash."""
    world = works()
    empty = [
        world.month(month="2024-01", gross_wages=None),
        world.month(month="2024-02", total_hours=0.0),
        world.month(month="2024-03", gross_wages=-5.0),
    ]
    absurd = world.month(month="2024-04", total_hours=1e7)
    assert flagged(WAGES, world) == {}
    assert reasons(WAGES, world) == {
        "wages or hours missing or zero": tuple(empty),
        "more hours than a week has": (absurd,),
    }


def test_wage_flag_says_what_is_missing() -> None:
    """The way out is stated in money and in hours."""
    world = works()
    subject = world.month(total_hours=10_000.0, gross_wages=60_000.0, avg_weekly_hours=None)
    account = flagged(WAGES, world)[subject].account
    assert "59,400 EUR higher" in account.counterfactual
    assert account.expected.low == 12.0


def test_months_that_are_none_are_left_out() -> None:
    """A month that is no month has no first day and no law."""
    world = works()
    world.month(month="2024-13", avg_weekly_hours=90.0)
    world.month(month="soon", avg_weekly_hours=90.0)
    assert ask(HOURS, world).judged == {HOURS: 0}
