"""When people work: time zones, weekends, public holidays and opening hours.

Next: samples/places.py
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from samples.dice import Dice
    from samples.places import Site

__all__ = ["END", "START", "is_workday", "months", "next_open", "offset_hours"]

START = datetime(2022, 10, 1, tzinfo=UTC)  # two cotton and cocoa crop years
END = datetime(2024, 10, 1, tzinfo=UTC)

# Standard time all the year; a scanner's clock is rarely put forward in spring.
_OFFSET = {
    "IN": 5.5,
    "LK": 5.5,
    "BD": 6.0,
    "TR": 3.0,
    "NL": 1.0,
    "DE": 1.0,
    "BE": 1.0,
    "FR": 1.0,
    "US": -5.0,
    "EC": -5.0,
    "CN": 8.0,
    "TM": 5.0,
    "ZA": 2.0,
}
_SUNDAY_ONLY = {6}
_WEEKEND = {"BD": {4}, "NL": {5, 6}, "DE": {5, 6}, "BE": {5, 6}, "US": {5, 6}}

_WEST = "01-01 12-25 12-26 2023-04-10 2024-04-01 2023-05-18 2024-05-09"
_EID = (
    "2023-04-21 2023-04-22 2023-04-23 2024-04-10 2024-04-11 2024-04-12 "
    "2023-06-28 2023-06-29 2023-06-30 2024-06-16 2024-06-17 2024-06-18"
)
_HOLIDAYS = {
    "IN": "01-26 08-15 10-02 2022-10-24 2022-10-25 2023-11-12 2023-11-13 2023-03-08 2024-03-25",
    "BD": "02-21 03-26 04-14 05-01 12-16 " + _EID,
    "TR": "01-01 04-23 05-01 05-19 08-30 10-29 " + _EID,
    "LK": "02-04 05-01 12-25 2023-04-13 2023-04-14 2024-04-12 2024-04-13",
    "GH": "01-01 03-06 05-01 12-25 12-26 2023-04-07 2024-03-29",
    "CI": "01-01 05-01 08-07 12-25 2023-04-10 2024-04-01",
    "EC": "01-01 05-01 08-10 12-25 2023-02-20 2023-02-21 2024-02-12 2024-02-13",
    "NL": "04-27 " + _WEST,
    "DE": "05-01 10-03 " + _WEST,
    "BE": "05-01 07-21 11-11 " + _WEST,
    "FR": "05-01 07-14 08-15 11-11 " + _WEST,
    "GB": "01-01 12-25 12-26 2023-05-08",
    "US": "01-01 07-04 12-25 2022-11-24 2023-11-23 2023-05-29 2024-05-27 2023-09-04 2024-09-02",
}
_CLOSED = {country: frozenset(days.split()) for country, days in _HOLIDAYS.items()}
_OPENS, _CLOSES = 7, 18


def offset_hours(site: Site) -> float:
    """Return the site's offset from UTC in hours."""
    return _OFFSET.get(site.country, 0.0)


def is_workday(site: Site, day: date) -> bool:
    """Say whether people work at the site on this local day; ports never close."""
    if site.kind == "port":
        return True
    weekend = _SUNDAY_ONLY if site.kind in {"retailer", "farm"} else None
    if day.weekday() in (weekend or _WEEKEND.get(site.country, _SUNDAY_ONLY)):
        return False
    closed = _CLOSED.get(site.country, frozenset())
    return f"{day:%m-%d}" not in closed and day.isoformat() not in closed


def next_open(site: Site, when: datetime, dice: Dice) -> datetime:
    """Return the first moment from `when` on at which somebody is there to scan.

    Args:
        site: Where.
        when: The earliest moment, UTC.
        dice: Decides how long after opening the first scans are made.

    Returns:
        `when` itself inside working hours, else a time in the next working morning.
    """
    if site.kind == "port":
        return when
    shift = timedelta(hours=offset_hours(site))
    local = when + shift
    if is_workday(site, local.date()) and _OPENS <= local.hour < _CLOSES:
        return when
    morning = local.replace(hour=_OPENS, minute=0, second=0, microsecond=0)
    if local.hour >= _OPENS:
        morning += timedelta(days=1)
    while not is_workday(site, morning.date()):
        morning += timedelta(days=1)
    return morning - shift + timedelta(seconds=dice.whole(120, 5 * 3600))


def months() -> list[str]:
    """Return every month of the two years as `YYYY-MM`."""
    first, last = START.year * 12 + START.month - 1, END.year * 12 + END.month - 1
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in range(first, last)]
