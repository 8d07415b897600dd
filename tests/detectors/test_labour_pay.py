"""Thirteenth months, idle weeks, new payroll programs and plain salaries accuse nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from asking import flagged
from planted_labour import LAST, MONTHS, SITE, SUBJECT, Change, add_sheets, workplaces

from detectors.labour.hour_signs import by_usual
from detectors.labour.pay_signs import by_same_hours, by_wages, pay_signs
from detectors.sheets import Sheets

if TYPE_CHECKING:
    from collections.abc import Callable

PAYROLL = "fabricated_payroll"
DECEMBER = "2023-12"


def found(everywhere: Callable[[str, str, Change], Change]) -> set[str]:
    """The months of the one site that are flagged."""
    world = workplaces(everywhere=everywhere)
    return {one[3:] for one in flagged(PAYROLL, world) if one.startswith(SITE)}


@pytest.mark.parametrize(
    ("paid", "accused"),
    [({DECEMBER: 2.0}, set()), ({LAST: 2.0}, {LAST}), ({DECEMBER: 4.0}, {DECEMBER})],
)
def test_thirteenth_month_is_paid_in_december(paid: dict[str, float], accused: set[str]) -> None:
    """Twice the pay of the sheets is a bonus in a December; in other months, or more, it is not."""

    def bonus(site: str, month: str, own: Change) -> Change:
        times = paid.get(month, 1.0) if site == SITE else 1.0
        return own | {"gross_wages": own["gross_wages"] * times}

    assert found(bonus) == accused


@pytest.mark.parametrize("idle", [True, False])
def test_weeks_that_were_not_worked_may_be_paid(*, idle: bool) -> None:
    """Half a month's hours, at the usual week, explain twice the pay an hour; a whole month's not.

    Of a whole month that is paid twice the sheets tell the usual hours, and so do the totals.
    """

    def stoppage(site: str, month: str, own: Change) -> Change:
        if (site, month) != (SITE, LAST):
            return own
        if idle:
            return own | {"total_hours": own["total_hours"] / 2}
        return own | {"gross_wages": own["gross_wages"] * 2}

    assert found(stoppage) == (set() if idle else {LAST})


@pytest.mark.parametrize(
    ("first", "accused"), [("2024-01", False), ("2023-09", True), ("2023-07", True)]
)
def test_program_that_rounds_from_some_month_on_is_no_pen(first: str, *, accused: bool) -> None:
    """Totals in tens of thousands to the end of the record are a new way; a spell of them is not.

    The sheets keep their cents.
    """
    spell = MONTHS[MONTHS.index(first) :][:6]

    def rounded(site: str, month: str, own: Change) -> Change:
        if site != SITE or month not in spell:
            return own
        return own | {"gross_wages": float(round(own["gross_wages"], -4))}

    assert bool(found(rounded)) == accused


@pytest.mark.parametrize("seed", range(3))
def test_plain_salaries_of_few_workers_coincide(seed: int) -> None:
    """Of ten salaries in whole tens two are the same here and there, and go on being so."""
    dice = np.random.default_rng(seed)
    world = workplaces()
    for number, (version, entry) in enumerate(world.entries):
        if version == "timesheet/1" and entry["facility_id"] == SITE:
            salaries = np.round(dice.normal(600, 60, 10), -1)
            hours = np.round(4 * dice.normal(40, 2, (10, 4))) / 4
            rows = [
                [(float(one), float(pay)) for one in own]
                for own, pay in zip(hours, salaries, strict=True)
            ]
            world.entries[number] = _sheets(entry["month"], rows)
    assert not {one for one in flagged(PAYROLL, world) if one.startswith(SITE)}


def test_one_salary_for_all_is_not_explained_by_whole_units() -> None:
    """Workers who were all paid one sum in a month, where their wages differ, stand out."""
    world = workplaces(written=lambda rows: [[(hours, 600.0) for hours, _ in own] for own in rows])
    assert SUBJECT in flagged(PAYROLL, world)


@pytest.mark.parametrize("seed", range(3))
def test_a_round_wage_by_the_hour_is_one_round_figure(seed: int) -> None:
    """Pay by one wage for all ends on zeros in the month in which that wage does."""
    dice = np.random.default_rng(seed)
    world = workplaces()
    for number, (version, entry) in enumerate(world.entries):
        if version == "timesheet/1" and entry["facility_id"] == SITE:
            rate = 1.2 if entry["month"] == LAST else round(1.137 * dice.lognormal(0, 0.02), 4)
            rows = [[(h, round(h * rate, 2)) for h in own] for own in _half_hours(dice, 10)]
            world.entries[number] = _sheets(entry["month"], rows)
    assert not {one for one in flagged(PAYROLL, world) if one.startswith(SITE)}


@pytest.mark.parametrize(
    ("workers", "weeks", "spread", "clock"), [(12, 3, 1.5, 2), (10, 2, 3.0, 2), (30, 4, 1.5, 1)]
)
def test_pay_that_coincides_because_hours_do_is_as_seldom_strange_as_chance(
    workers: int, weeks: int, spread: float, clock: int
) -> None:
    """With one wage for all and a coarse clock, one month in a hundred is past 2.3 deviations."""
    dice, months = np.random.default_rng(3), 2_000
    worker = np.repeat(np.arange(months * workers), weeks)
    month = worker // workers
    hours = np.round(dice.normal(40, spread, len(worker)) * clock) / clock
    pay = np.round(hours * dice.lognormal(1, 0.1, months)[month], 2)
    table = pd.DataFrame({"facility_id": SITE, "month": [f"{n:05d}" for n in range(months)]})
    each = np.full(months, weeks)
    sheets = Sheets(table, month, worker % workers, worker, hours, pay, each)

    window = by_wages(pay_signs(sheets).assign(site=SITE, chance_same_pay=0.0))
    judged = by_same_hours(by_usual(window, ("same_pay",)))

    assert judged["value_same_pay"].max() > 0
    away = judged["value_same_pay"] / judged["noise_same_pay"]
    assert (away > 2.33).mean() <= 0.01


def _half_hours(dice: np.random.Generator, workers: int, weeks: int = 4) -> list[list[float]]:
    return [[float(h) for h in own] for own in np.round(dice.normal(80, 3, (workers, weeks))) / 2]


def _sheets(month: str, rows: list[list[tuple[float, float]]]) -> tuple[str, dict[str, object]]:
    fresh = workplaces(sites=0)
    add_sheets(fresh, SITE, month, rows)
    return fresh.entries[-1]
