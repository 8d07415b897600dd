"""The people behind the goods: heads, hours, pay and papers of every site and month.

A manager follows the season, keeps to the limits and raises pay when the law
does. `samples.abuses` lets some of them do otherwise.

Next: samples/abuses.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from samples.dice import Dice
from samples.goods import UNIT
from samples.law import Law, law_in
from samples.papertrail import Audits
from samples.places import SITES, Site
from samples.workdays import months

if TYPE_CHECKING:
    from samples.world import World

__all__ = ["Month", "Workplace", "workplaces"]

WEEKS = 52 / 12  # of a month
_STANDARD_WEEK = 45.0
_OVERTIME = 0.5
_MIN_AGE = {"farm": (15, 17), "cooperative": (17, 18), "gin": (17, 18)}
_JAN_1 = {"BD": 0.17, "IN": 0.11, "GH": 0.09, "CI": 0.14, "TR": 0.02, "LK": 0.03, "EC": 0.02}
_NO_PAPERS = {"farm": 0.16, "gin": 0.07, "cooperative": 0.06, "garment_factory": 0.02}
_MIGRANTS = {"CI": 0.34, "DE": 0.27, "NL": 0.31, "BE": 0.18, "TR": 0.12, "US": 0.22, "IN": 0.15}
# output per hour of one worker, in units of the product
_PACE = {
    "farm": 9.0,
    "gin": 120.0,
    "spinner": 9.0,
    "weaver": 14.0,
    "knitter": 11.0,
    "dyer": 28.0,
    "garment_factory": 1.3,
    "cooperative": 45.0,
    "grinder": 220.0,
    "chocolate_maker": 90.0,
}
_HARVEST = frozenset((9, 10, 11, 12, 1, 2, 3))
_BUSY = {  # calendar months with more work, and how much more
    "garment_factory": (frozenset((1, 2, 3, 7, 8)), 1.08),
    "chocolate_maker": (frozenset((10, 11, 12, 2, 3)), 1.09),
    "distribution_centre": (frozenset((11, 12)), 1.1),
    "exporter": (frozenset((11, 12, 1, 2)), 1.08),
}
_BONUS = {"BD": (4, 6), "TR": (4, 6), "IN": (10, 11), "DE": (11,), "NL": (5,), "BE": (12,)}


@dataclass(slots=True)
class Month:
    """One site's month as its books show it; what an abuse changes, it changes here."""

    site: Site
    month: str
    law: Law
    heads: int
    weekly: float
    rate: float  # average gross pay per hour
    made: int  # in tenths of the product's unit; 0 where nothing is made
    min_age: int
    no_papers: float
    jan_1: float
    exactly_18: float
    migrants: float
    fee: float
    passports: float
    deductions: float
    grievances: int
    audits: Audits
    claims: bool
    total_hours: float = 0.0
    wages: float = 0.0
    sheet_style: str = "honest"
    sheet_weekly: float = 0.0


@dataclass(slots=True)
class Workplace:
    """A site with people: its product, its declared capacity and its months."""

    site: Site
    product: str
    capacity: int
    months: list[Month] = field(default_factory=list)


def workplaces(world: World) -> list[Workplace]:
    """Make the honest books of all sites with people, in the order of the sites."""
    made = _made_by_month(world)
    return [
        _workplace(world.seed, site, made[site.id]) for site in SITES.values() if site.people > 0
    ]


def _made_by_month(world: World) -> defaultdict[str, defaultdict[tuple[str, str], int]]:
    """Add up what the scans say a site made: site -> (month, product) -> tenths."""
    totals: defaultdict[str, defaultdict[tuple[str, str], int]] = defaultdict(
        lambda: defaultdict(int)
    )
    for row in world.rows:
        if row.kind in {"produce", "transform"}:
            key = (f"{row.true_time:%Y-%m}", row.lot.product.id)
            totals[row.site.id][key] += row.quantity
    return totals


def _workplace(seed: int, site: Site, made: dict[tuple[str, str], int]) -> Workplace:
    """Write two years of one site's books."""
    by_product: defaultdict[str, int] = defaultdict(int)
    for (_, product), quantity in made.items():
        by_product[product] += quantity
    main = min(by_product, key=lambda name: (-by_product[name], name), default="")
    product = main if site.kind in _PACE else ""
    dice = Dice(seed, "labour", site.id)
    audits = Audits.first(site, dice)
    place = Workplace(site, product, 0)
    drift = 1.0
    for month in months():
        drift *= dice.bell(1.001, 0.011)
        place.months.append(_month(site, month, drift, audits, dice))
        audits = audits.renewed(month, dice)
    _set_output(place, {month: made.get((month, product), 0) for month in months()}, dice)
    return place


def _month(site: Site, month: str, drift: float, audits: Audits, dice: Dice) -> Month:
    """Draw one honest month."""
    law = law_in(site.country, month)
    heads_factor, hours_factor = _season(site, month)
    weekly = site.weekly_hours * hours_factor + dice.bell(0, 0.55)
    weekly = round(min(weekly, law.max_hours - dice.between(0.4, 1.6)), 1)
    base = law.minimum * site.pay_percent / 100 * dice.bell(1.0, 0.006)
    overtime = max(0.0, weekly - _STANDARD_WEEK) / weekly * _OVERTIME
    bonus = 1.22 if int(month[5:]) in _BONUS.get(site.country, ()) else 1.0
    low, high = _MIN_AGE.get(site.kind, (18, 18))
    people = site.people * heads_factor * drift
    papers = _NO_PAPERS.get(site.kind, 0.01)
    entry = Month(
        site=site,
        month=month,
        law=law,
        heads=max(4, round(people)),
        weekly=weekly,
        rate=max(base * (1 + overtime) * bonus, law.minimum * 1.03),
        made=0,
        min_age=max(law.min_age, dice.whole(low, high)),
        no_papers=_share(dice, papers, papers / 4),
        jan_1=_share(dice, _JAN_1.get(site.country, 0.005), 0.012),
        exactly_18=_share(dice, 0.03, 0.008),
        migrants=_share(dice, _MIGRANTS.get(site.country, 0.06), 0.02),
        fee=round(dice.between(0, 55)) if site.kind != "farm" else 0.0,
        passports=0.0,
        deductions=_share(dice, 0.03, 0.01),
        grievances=dice.whole(0, 2 + site.people // 130),
        audits=audits,
        claims=audits.valid_in(month),
    )
    settle(entry)
    return entry


def settle(entry: Month) -> None:
    """Work out the month's totals from heads, hours and rate."""
    entry.total_hours = round(entry.heads * entry.weekly * WEEKS * 4) / 4
    entry.wages = round(entry.total_hours * entry.rate, 2)
    entry.sheet_weekly = entry.weekly


def _season(site: Site, month: str) -> tuple[float, float]:
    """Return the season's factors on heads and on hours, with a few known events."""
    number = int(month[5:])
    if site.kind in {"farm", "gin"}:
        return (1.0, 1.04) if number in _HARVEST else (0.42, 0.86)
    busy, factor = _BUSY.get(site.kind, (frozenset(), 1.0))
    hours = factor if number in busy else 1.0
    if site.country == "BD" and month == "2023-11":
        return 0.97, 0.68  # wage protests shut the gates for days
    if site.country in {"BD", "TR"} and number in {4, 6}:
        hours *= 0.93  # the feast days
    if site.id == "TUP-KNIT" and month >= "2023-11":
        return 1.55, hours  # a second hall is opened
    return 1.0, hours


def _share(dice: Dice, centre: float, spread: float) -> float:
    """Draw a share with three decimals."""
    return round(min(0.99, max(0.0, dice.bell(centre, spread))), 3)


def _set_output(place: Workplace, scanned: dict[str, int], dice: Dice) -> None:
    """Let the people make, at a steady pace, at least what the scans show."""
    if not place.product:
        return
    pace = _PACE[place.site.kind] * UNIT
    for entry in place.months:
        pace = max(pace, 1.3 * scanned[entry.month] / entry.total_hours)
    for entry in place.months:
        faster = 1.3 if place.site.id == "DNZ-DYE" and entry.month >= "2024-03" else 1.0
        made = int(entry.total_hours * pace * faster * min(1.12, max(0.88, dice.bell(1, 0.035))))
        entry.made = made - made % UNIT
    most = max(entry.made for entry in place.months)
    place.capacity = _round_up(most * 115 // 100 // UNIT)


def _round_up(value: int) -> int:
    """Round up to two leading digits, as capacities are declared."""
    step = int("1" + "0" * max(0, len(str(value)) - 2))
    return -(-value // step) * step
