"""Misreported: figures of a workplace that are a slip of the form, not of the workplace.

A form is filled in by hand. Two columns change places, a figure loses its
decimal point or gains a dozen digits, totals are written in thousands. The
site's other months tell: what they make plain is read as it was meant, what
they do not is unknown. No one is accused of a slip.

Next: detectors/workplace.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COPIED", "as_meant", "copied", "in_dollars", "in_thousands", "without_slips"]

COPIED: Final = "a report that repeats another site's, figure for figure"

_ENOUGH: Final = 6
"""Months that tell what is usual at a site."""
_FAR: Final = 100.0
"""Times the site's median: no site hires, works, pays or makes so much more from month to month."""
_MOST: Final = {
    "headcount": 2e6,
    "total_hours": 2e6 * 24 * 31,
    "output_units": 1e10,
    "recruitment_fee_usd": 1e5,
}
"""More than any single site has: the largest ones employ some hundred thousands."""
_TOTALS: Final = ("headcount", "total_hours", "output_units", "gross_wages")
"""What a site has about as much of from month to month."""
_SWAPPED: Final = ("avg_weekly_hours", "headcount")
_WEEK: Final = 0.15
"""Log distance within which a figure is the site's usual week; heads change with the season."""
_BETTER: Final = 0.5
"""How much nearer to what is usual both figures must come when they change places."""
_THOUSANDS: Final = (100.0, 2_500.0)
"""Minimum over pay, between ten times the minimum and two fifths of it paid in thousands."""
_TOO_LITTLE: Final = 5.0
"""Times: nobody pays so much less than the minimum."""
_RAISE: Final = 0.35
"""Log: pay over the minimum, and rates of exchange, move by less than that in some years."""
_DEAREST_HOUR: Final = 100.0
"""US dollars: no site pays so much on average; it is the minimum that is not one of an hour."""


def as_meant(months: pd.DataFrame) -> pd.DataFrame:
    """Return facility-months with hours and heads back in their own columns.

    Args:
        months: With `facility_id`, `avg_weekly_hours` as reported, and `headcount`.
    """
    first, second = (_logs(months[name]) for name in _SWAPPED)
    site = months["facility_id"]
    known = first.notna() & second.notna()
    own, other = (each.where(known).groupby(site).transform("median") for each in (first, second))
    apart = (first - own).abs() + (second - other).abs()
    changed = (first - other).abs() + (second - own).abs()
    swapped = ((first - own).abs() > _WEEK) & ((second - own).abs() < _WEEK)
    swapped &= changed < _BETTER * apart
    swapped &= known.groupby(site).transform("sum") >= _ENOUGH
    one, two = (months[name] for name in _SWAPPED)
    return months.assign(
        **dict(zip(_SWAPPED, (one.mask(swapped, two), two.mask(swapped, one)), strict=True))
    )


def without_slips(months: pd.DataFrame) -> pd.DataFrame:
    """Return facility-months without the figures that no site has, or that this one never had.

    Args:
        months: With `facility_id` and the totals of labour.csv; wages made whole.
    """
    site = months["facility_id"]
    cleared = {name: months[name].where(months[name] <= most) for name, most in _MOST.items()}
    for name in _TOTALS:
        figures = cleared.get(name, months[name])
        told = figures.where(figures > 0).groupby(site)
        usual = told.transform("median").where(told.transform("count") >= _ENOUGH)
        cleared[name] = figures.mask(figures > _FAR * usual)
    return months.assign(**cleared)


def copied(months: pd.DataFrame) -> pd.Series:
    """Return where a report repeats that of another site: the first of them speaks for itself.

    Two sites may have as many heads or pay the same; hours, wages, heads and output that all
    agree to the last digit, time and again, are one form that was filled in for several sites.

    Args:
        months: In the order of the log, with the totals as they were reported.
    """
    totals = list(_TOTALS)
    told = months[months[totals].notna().all(axis=1)]
    form = told.groupby(totals, sort=False)
    several = form["facility_id"].transform("nunique") > 1
    several &= form["facility_id"].transform("size") >= _ENOUGH
    again = several & told.duplicated(totals)
    return again.reindex(months.index, fill_value=False)


def in_dollars(months: pd.DataFrame) -> pd.Series:
    """Return where wages were reported in US dollars under the name of a smaller currency.

    Where the unit is worth a fifth of a dollar or less, such pay is a fifth of the minimum or less,
    as nobody's is; and in the other currency it is, in terms of the minimum, what the site pays
    in its other months.

    Args:
        months: With hours, wages and the minimum in force, as of `workplace.facility_months`.
    """
    same = months["currency"] == months["limit_currency"]
    worth = months["usd_per_unit"].where(months["usd_per_unit"] <= 1 / _TOO_LITTLE)
    hours = months["total_hours"].where(months["total_hours"] > 0)
    paid = months["gross_wages"] / hours / months["min_hourly_wage"]
    short = same & (paid * _TOO_LITTLE < 1)
    meant = _logs(paid.where(~short))
    usual = meant.groupby(months["facility_id"]).transform("median")
    enough = meant.groupby(months["facility_id"]).transform("count") >= _ENOUGH
    found: pd.Series = short & enough & ((_logs(paid / worth) - usual).abs() < _RAISE)
    return found


def in_thousands(months: pd.DataFrame) -> pd.Series:
    """Return where wages were reported in thousands: nobody pays a hundredth of the minimum.

    Args:
        months: With hours, wages and the minimum in force, as of `workplace.facility_months`.
    """
    same = months["currency"] == months["limit_currency"]
    hourly = months["gross_wages"] / months["total_hours"]
    below = months["min_hourly_wage"] / hourly
    dear = hourly * 1e3 * months["usd_per_unit"] > _DEAREST_HOUR
    found: pd.Series = same & (below > _THOUSANDS[0]) & (below < _THOUSANDS[1]) & ~dear
    return found


def _logs(figures: pd.Series) -> pd.Series:
    logs: pd.Series = figures.where(figures > 0).map(np.log)
    return logs
