"""Workplaces over two years with one wrong planted in each world; and one without any."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from frame_factories import World, clean

if TYPE_CHECKING:
    from collections.abc import Callable

SITE, MONTHS = "F3", tuple(f"{2023 + n // 12}-{n % 12 + 1:02d}" for n in range(24))
LAST = MONTHS[12]
SUBJECT = f"{SITE}|{LAST}"
CENTS = 2

Change = dict[str, Any]


def share(dice: random.Random, heads: int, usual: float) -> float:
    """The share of the workers that something is true of by chance."""
    return round(sum(dice.random() < usual for _ in range(heads)) / heads, 4)


def ordinary(dice: random.Random, heads: int) -> Change:
    """An ordinary month of a decent workplace."""
    hours = 40 + dice.gauss(0, 1)
    total = heads * hours * 52 / 12
    return {
        "headcount": float(heads),
        "avg_weekly_hours": round(hours, 2),
        "total_hours": round(total * dice.lognormvariate(0, 0.01), 1),
        "gross_wages": round(total * 15 * dice.lognormvariate(0, 0.01), CENTS),
        "output_units": float(round(total * 0.7 * dice.lognormvariate(0, 0.05))),
        "output_product_id": "SHIRT",
        "min_worker_age": float(dice.randint(16, 18)),
        "share_age_docs_missing": share(dice, heads, 0.02),
        "share_birthdate_jan1": share(dice, heads, 0.02),
        "share_age_exactly_18": share(dice, heads, 0.03),
        "migrant_share": 0.2,
        "recruitment_fee_usd": round(30 * dice.lognormvariate(0, 0.2), CENTS),
        "passports_held_share": 0.0,
        "wage_deduction_share": round(0.03 + dice.gauss(0, 0.005), 4),
        "grievances": float(dice.randint(0, 4)),
        "last_audit_date": "2022-12-01",
        "audit_expiry_date": "2025-12-01",
        "audit_scheme": "GoodWork",
        "certified_claim": "true",
    }


def sheet(dice: random.Random, workers: int = 8) -> list[list[tuple[float, float]]]:
    """Hours to the quarter and pay to the cent, per worker and week."""
    rates = [15 * dice.lognormvariate(0, 0.05) for _ in range(workers)]
    weeks = [[round(4 * dice.gauss(40, 2.5)) / 4 for _ in range(4)] for _ in range(workers)]
    return [
        [(hours, round(hours * rate, CENTS)) for hours in own]
        for own, rate in zip(weeks, rates, strict=True)
    ]


def add_sheets(world: World, site: str, month: str, rows: list[list[tuple[float, float]]]) -> None:
    """Add a facility-month's timesheets."""
    workers = [
        {
            "worker_id": f"{site}-W{n}",
            "weeks": [
                clean({"week": week + 1, "hours": hours, "gross_pay": pay})
                for week, (hours, pay) in enumerate(own)
            ],
        }
        for n, own in enumerate(rows)
    ]
    content = {"party": world.party, "facility_id": site, "month": month, "workers": workers}
    world.entries.append(("timesheet/1", content))


def workplaces(
    change: Callable[[Change], Change] | None = None,
    written: Callable[[list[list[tuple[float, float]]]], list[list[tuple[float, float]]]]
    | None = None,
    *,
    everywhere: Callable[[str, str, Change], Change] | None = None,
    sites: int = 10,
    months: int = 18,
    seed: int = 9,
) -> World:
    """Make the world; `change` and `written` alter the one month, `everywhere` all of them."""
    world, dice = World(), random.Random(seed)
    world.limit(since="2020-01-01", min_age=15.0)
    for s in range(sites):
        site = world.site(f"F{s}", declared_capacity_per_month=60_000.0)
        heads = dice.randint(150, 400)
        for month in MONTHS[:months]:
            figures, rows = ordinary(dice, heads), sheet(dice)
            figures = everywhere(site, month, figures) if everywhere else figures
            if (site, month) == (SITE, LAST):
                figures = change(figures) if change else figures
                rows = written(rows) if written else rows
            world.month(site, month, **figures)
            add_sheets(world, site, month, rows)
    return world


def subcontracted() -> World:
    """Twice the output of the same hands."""
    return workplaces(lambda own: own | {"output_units": own["output_units"] * 2})


def child() -> World:
    """A worker of twelve where fifteen is the least."""
    return workplaces(lambda own: own | {"min_worker_age": 12.0})


def childlike() -> World:
    """A fifth without papers, a fifth born on 1 January, a fifth just eighteen."""
    shares = ("share_age_docs_missing", "share_birthdate_jan1", "share_age_exactly_18")
    return workplaces(lambda own: own | dict.fromkeys(shares, 0.2))


def written_up() -> World:
    """Everybody worked forty hours in every week."""
    return workplaces(written=lambda rows: [[(40.0, pay) for _, pay in own] for own in rows])


def made_up() -> World:
    """Everybody got the same round sum."""
    return workplaces(written=lambda rows: [[(hours, 600.0) for hours, _ in own] for own in rows])


def unaudited() -> World:
    """Sold as certified half a year after the audit expired."""
    return workplaces(lambda own: own | {"audit_expiry_date": "2023-07-01"})


def bonded() -> World:
    """Debts of months' pay, and passports held."""
    return workplaces(
        lambda own: own | {"recruitment_fee_usd": 6000.0, "passports_held_share": 0.6}
    )


def uneasy() -> World:
    """Fees, passports and deductions beyond what is usual, and no complaint."""
    return workplaces(
        lambda own: (
            own
            | {
                "recruitment_fee_usd": 300.0,
                "passports_held_share": 0.15,
                "wage_deduction_share": 0.12,
                "grievances": 9.0,
            }
        )
    )


LABOUR: dict[str, Callable[[], World]] = {
    "audit_lapsed": unaudited,
    "child_labour": child,
    "child_labour_signs": childlike,
    "coercion_indicators": bonded,
    "coercion_signs": uneasy,
    "fabricated_payroll": made_up,
    "falsified_timesheet": written_up,
    "output_beyond_capacity": subcontracted,
}
