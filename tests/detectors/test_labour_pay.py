"""Thirteenth months, idle weeks, new payroll programs and plain salaries accuse nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from asking import flagged
from planted_labour import LAST, MONTHS, SITE, SUBJECT, Change, add_sheets, workplaces

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
            fresh = workplaces(sites=0)
            rows = [
                [(float(one), float(pay)) for one in own]
                for own, pay in zip(hours, salaries, strict=True)
            ]
            add_sheets(fresh, SITE, entry["month"], rows)
            world.entries[number] = fresh.entries[-1]
    assert not {one for one in flagged(PAYROLL, world) if one.startswith(SITE)}


def test_one_salary_for_all_is_not_explained_by_whole_units() -> None:
    """Workers who were all paid one sum in a month, where their wages differ, stand out."""
    world = workplaces(written=lambda rows: [[(hours, 600.0) for hours, _ in own] for own in rows])
    assert SUBJECT in flagged(PAYROLL, world)
