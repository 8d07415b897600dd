"""Booked: how many weeks a month's totals cover, where a site's books say so.

Totals are meant to be of a whole month. Many payrolls run by the week: their
books close on a weekday, every four weeks, or after four, four and five, and a
month that was not reported comes with the next. A site's own totals, held
against the weeks it reports, show which of these it keeps; a month that one
of them explains accuses nobody. Where a site reports no weeks its sheets speak,
and without either the rhythm of its totals.

Next: detectors/excess_hours.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.workplace import WEEKS_PER_MONTH

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["roster", "weeks_booked"]

_ENOUGH: Final = 6
"""Months that tell by which calendar a site books."""
_BETTER: Final = 0.5
"""How much nearer than whole months another calendar must come, on average."""
_TELLING: Final = 0.05
"""Log distance from the nearest calendar within which a month tells which one it is."""
_FOUR_WEEKS: Final = 4.0
_NEAR: Final = 0.12
"""Log distance at which totals are still those of two periods."""
_LATE: Final = 0.25
"""The same for those of so many months: hands and hours of the others are not known."""
_SELDOM: Final = 1 / 6
"""Two periods of four weeks end in one month of thirteen."""
_QUARTER: Final = 3
_WHOLE: Final = 0.9
"""Share of the weeks on the sheets from which on nobody has weeks off by a roster."""


def weeks_booked(months: pd.DataFrame) -> pd.Series:
    """Return the weeks that each facility-month's totals cover: 52/12 unless its books differ.

    NaN where they seem to hold the months before as well, which were not reported.

    Args:
        months: Facility-months, as of `workplace.facility_months`.
    """
    site = months["facility_id"]
    hours = months["total_hours"] / months["headcount"].where(months["headcount"] > 0)
    said = _week(months)
    shown = hours.where(hours > 0) / said
    usual = said.groupby(site).transform("median")
    rhythm = WEEKS_PER_MONTH * hours / hours.groupby(site).transform("median")
    likely = shown.fillna(hours / usual).fillna(rhythm)
    silent = said.groupby(site).transform("count") == 0
    weeks = _by_calendar(months, shown.mask(silent, rhythm.where(rhythm > 0)), likely, silent)
    # Not all of the months before need to have come with it.
    held = (likely / weeks).round().clip(upper=_months_since(months))
    return weeks.where((held <= 1) | ~(_away(likely, weeks * held) < _LATE))


def _week(months: pd.DataFrame) -> pd.Series:
    """Return the week that is said to be worked: the report's, or else the sheets'."""
    said = months["avg_weekly_hours"].where(months["avg_weekly_hours"] > 0)
    shown = months["sheet_hours"].where(months["sheet_hours"] > 0)
    reports = said.groupby(months["facility_id"]).transform("count") >= _ENOUGH
    return said.where(reports, said.fillna(shown))


def roster(months: pd.DataFrame) -> pd.Series:
    """Return what a sheet's mean week counts: less than 1 where weeks off are left out by a roster.

    Weeks off are no sampling where they make the sheets agree with what the site reports.
    """
    site = months["facility_id"]
    said = months["avg_weekly_hours"].where(months["avg_weekly_hours"] > 0)
    share = months["sheet_weeks"].groupby(site).transform("mean")
    shown = months["sheet_hours"] / said
    whole, part = (_away(shown * each, 1.0).groupby(site) for each in (1.0, share))
    enough = part.transform("count") >= _ENOUGH
    off = enough & (share < _WHOLE) & (part.transform("median") < whole.transform("median"))
    return months["sheet_weeks"].where(off, 1.0)


def _by_calendar(
    months: pd.DataFrame, shown: pd.Series, likely: pd.Series, silent: pd.Series
) -> pd.Series:
    """Return the weeks of that calendar which explains the site's months best.

    A month that none of them explains says nothing about the calendar. Of a `silent` site only
    the rhythm is known, not how long its weeks are; where that tells nothing, either, its books
    may count the month's days, or its working days.
    """
    site = months["facility_id"]
    even: pd.Series = months["first_day"].dt.day * 0 + WEEKS_PER_MONTH
    by_days = _by_days(months)
    calendars = [even, *by_days, *_by_weeks(months, likely)]
    away = [_unlike(shown, weeks, site, silent) for weeks in calendars]
    telling = np.min(away, axis=0) < _TELLING
    means = [each.where(telling).groupby(site).transform("mean") for each in away]
    limit = _BETTER * means[0]
    limit = limit.where(shown.where(telling).groupby(site).transform("count") >= _ENOUGH)
    found = even.where(~silent, np.max([even, *by_days], axis=0))
    for weeks, mean in zip(calendars[1:], means[1:], strict=True):
        better = mean < limit
        found, limit = found.where(~better, weeks), limit.where(~better, mean)
    return found


def _unlike(shown: pd.Series, weeks: pd.Series, site: pd.Series, silent: pd.Series) -> pd.Series:
    """Return how far months are from a calendar; of a silent site from its own middle."""
    share = shown / weeks
    away = share.where(share > 0).map(np.log)
    return (away - away.groupby(site).transform("median").where(silent, 0.0)).abs()


def _by_days(months: pd.DataFrame) -> list[pd.Series]:
    """Return the weeks of each month by its days, and by its working days of six and of five."""
    first = months["first_day"]
    days, start = first.dt.days_in_month, first.dt.day_of_week
    extra = [((day - start) % 7 < days - 28).astype(np.float64) for day in range(7)]
    return [
        days / 7,
        *((4.0 * each + sum(extra[:each])) / each for each in (6, 5)),
    ]


def _by_weeks(months: pd.DataFrame, likely: pd.Series) -> list[pd.Series]:
    """Return the weeks of each month by weekdays, thirds of a quarter and periods."""
    first, site = months["first_day"], months["facility_id"]
    days = first.dt.days_in_month
    by_weekday = [4.0 + ((day - first.dt.day_of_week) % 7 < days - 28) for day in range(7)]
    by_third = [4.0 + (first.dt.month % _QUARTER == third) for third in range(_QUARTER)]
    double = _away(likely, 2 * _FOUR_WEEKS) < _NEAR
    seldom = double.groupby(site).transform("mean") <= _SELDOM
    by_period = _FOUR_WEEKS * (1.0 + (double & seldom))
    return [*by_weekday, *by_third, by_period]


def _months_since(months: pd.DataFrame) -> pd.Series:
    """Return how many months after the site's last totals a month follows; 1 for its first."""
    told = months[(months["total_hours"] > 0).to_numpy()].sort_values(["facility_id", "first_day"])
    number = told["first_day"].dt.year * 12 + told["first_day"].dt.month
    since: pd.Series = number.groupby(told["facility_id"]).diff()
    return since.reindex(months.index).fillna(1.0)


def _away(shown: pd.Series, weeks: pd.Series | float) -> pd.Series:
    """Return the log distance of two figures; NaN where none of one is left, or nothing known."""
    share = shown / weeks
    found: pd.Series = share.where(share > 0).map(np.log).abs()
    return found
