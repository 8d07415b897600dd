"""Holidays: on which days a country rests, so that a quiet week accuses nobody.

Dates are those of the `holidays` library, by country and, where it is known,
part of the country. A country that the library does not know has no holidays
here, and whoever counts them gets no number.

Next: detectors/legs.py
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["days_off", "of_month", "perhaps_off"]

_OF_SOME = ("public", "bank", "government", "optional")
"""Kinds of holidays, as the library calls them: of everybody, of banks and offices, or as one
chooses."""


@cache
def days_off(country: str, year: int, region: str = "") -> NDArray[np.datetime64]:
    """Return the public holidays of a country in a year, as days in order.

    Args:
        country: ISO 3166-1 alpha-2.
        year: Gregorian.
        region: ISO 3166-2 code or its second part; unknown ones count as the whole country.
    """
    import holidays  # noqa: PLC0415 - a large library, for these questions only

    regions = holidays.list_supported_countries(include_aliases=False).get(country)
    if regions is None:
        return np.empty(0, "datetime64[D]")
    part = region.rsplit("-", maxsplit=1)[-1]
    found = holidays.country_holidays(country, subdiv=part if part in regions else None, years=year)
    return np.array(sorted(day for day in found if day.year == year), "datetime64[D]")


@cache
def perhaps_off(country: str, year: int) -> NDArray[np.int64]:
    """Return the days on which a country, or some of those who work there, may rest.

    Args:
        country: ISO 3166-1 alpha-2.
        year: Gregorian.

    Returns:
        Days since 1970 in order; none for a country that the library does not know.
    """
    import holidays  # noqa: PLC0415 - a large library, for these questions only

    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        return np.empty(0, np.int64)
    held = getattr(holidays, country).supported_categories
    found = holidays.country_holidays(
        country, years=year, categories=[kind for kind in _OF_SOME if kind in held]
    )
    return np.array(sorted(found), "datetime64[D]").astype(np.int64)


def of_month(country: Iterable[object], month: Iterable[object]) -> NDArray[np.float64]:
    """Count the holidays on working days in each month "YYYY-MM"; NaN for unknown calendars."""
    return np.array([_count(one, text) for one, text in zip(country, month, strict=True)], float)


@cache
def _count(country: object, month: object) -> float:
    if not isinstance(country, str) or not isinstance(month, str):
        return float("nan")
    first = pd.to_datetime(f"{month}-01", format="%Y-%m-%d", errors="coerce")
    if pd.isna(first):
        return float("nan")
    days = days_off(country, int(first.year))
    if not len(days):
        return float("nan")
    days = days[days.astype("datetime64[M]") == np.datetime64(month, "M")]
    return float(np.is_busday(days).sum())
