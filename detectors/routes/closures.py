"""Days of rest: what they add to a stay, no hand did.

Which weekdays a site rests on is read off its own record, or off that of the sites
of its kind and country together. A site that has such a day keeps the holidays of
its country, too, and the days beside them on which no such site there recorded
anything. What a site recorded anything on was no day of rest. Sites without a
weekly rest (ports, works in shifts) never rest.

Next: detectors/routes/tails.py
"""

from __future__ import annotations

import hashlib
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from detectors.columns import codes, texts
from detectors.custody import DAY_US
from detectors.holiday_calendar import perhaps_off

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["days_of_rest"]

_LONGEST: Final = 14
"""Longer than any row of holidays: what is shut for so long is closed for another reason."""
_SEEN: Final = 6
"""Weekdays on which a site was usually seen at work so often show which one it rests on."""
_RARE: Final = 0.1
_WEEK: Final = 7
_MONDAY: Final = 3
"""Days since 1970 begin with a Thursday."""
_LAST: Final = 47_482
"""The year 2100; days since 1970."""
_SPAN: Final = 1 << 17
"""A group and a day are one number."""


class _Calendar(NamedTuple):
    """When sites rest; sites and countries by number."""

    country: NDArray[np.int64]
    rests: NDArray[np.bool_]
    """Of each site, whether on Monday, Tuesday and so on."""
    recorded: NDArray[np.int64]
    """Sites and days on which they recorded anything."""
    worked: NDArray[np.int64]
    """Countries and days on which a site that rests on some weekday recorded anything."""
    holidays: NDArray[np.int64]
    """Countries and days on which some rest."""

    def shut(self, site: NDArray[np.int64], day: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell whether sites rested on a day."""
        own = self.rests[site]
        weekly = own[np.arange(len(site)), _weekday(day)]
        country = self.country[site] * _SPAN
        off = _among(country + day, self.holidays)
        beside = _among(country + day - 1, self.holidays) | _among(country + day + 1, self.holidays)
        off |= beside & ~_among(country + day, self.worked)
        off &= own.any(axis=1)
        return np.asarray((weekly | off) & ~_among(site * _SPAN + day, self.recorded), bool)


def days_of_rest(
    shared: Features,
    site: NDArray[np.int64],
    since: NDArray[np.int64],
    left: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Count the days of rest in a row just before goods left, after the day they came.

    Goods that were ready when a site shut leave when it opens. Days of rest further back are
    part of a stay like others.

    Args:
        shared: The run's features.
        site: Number of the site that each stay was at, as in `rows`; -1 for none.
        since: When it began, microseconds.
        left: When it ended.
    """
    calendar = shared.once(_calendar)
    found = np.zeros(len(site), np.int64)
    first, day = since // DAY_US, left // DAY_US
    open_ = np.flatnonzero((site >= 0) & _told(first) & _told(day))
    open_ = open_[np.asarray(calendar.rests[site[open_]].any(axis=1), bool)]
    for step in range(1, _LONGEST + 1):
        open_ = open_[day[open_] - step > first[open_]]
        open_ = open_[calendar.shut(site[open_], day[open_] - step)]
        found[open_] += 1
    return found


def _calendar(shared: Features) -> _Calendar:
    rows = shared.rows
    number = rows["site_number"].to_numpy(np.int64)
    day = np.asarray(rows["at"].to_numpy() // DAY_US, np.int64)
    seen = rows["timed"].to_numpy(bool) & (number >= 0) & _told(day)
    recorded = np.unique(number[seen] * _SPAN + day[seen])
    site, day = recorded // _SPAN, recorded % _SPAN
    kind, country, names = _places(shared)
    worked = np.zeros((len(country), _WEEK))
    np.add.at(worked, (site, _weekday(day)), 1)
    alike = np.zeros((int(kind.max(initial=-1)) + 1, _WEEK))
    np.add.at(alike, kind, worked)
    shown = np.median(worked, axis=1) >= _SEEN
    rests = np.where(shown[:, None], _weekly_rest(worked), _weekly_rest(alike)[kind])
    some = np.asarray(rests.any(axis=1), bool)
    weekly, resting = some[site], np.unique(country[some])
    return _Calendar(
        country,
        rests,
        recorded,
        np.unique(country[site[weekly]] * _SPAN + day[weekly]),
        _holidays(shared, {int(one): names[one] for one in resting}, np.unique(day)),
    )


def _weekly_rest(worked: NDArray[np.float64]) -> NDArray[np.bool_]:
    usual = np.median(worked, axis=1, keepdims=True)
    return np.asarray((usual >= _SEEN) & (worked <= _RARE * usual), bool)


def _places(shared: Features) -> tuple[NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Return of each site the number of its kind and country, and of its country; their names."""
    rows = shared.rows
    numbers = [rows[name].to_numpy(np.int64) for name in ("site_number", "shipper_number")]
    row = np.full(max(int(one.max(initial=-1)) for one in numbers) + 1, -1)
    names = np.full(len(row), None, object)
    for number, column in zip(numbers, ("site", "shipper"), strict=True):
        held = np.flatnonzero(number >= 0)
        row[:] = -1
        row[number[held]] = held
        named = np.flatnonzero(row >= 0)
        names[named] = rows[column].iloc[row[named]].to_numpy(object)
    source = shared.frames.facilities
    columns = {name: texts(source, name) for name in ("facility_id", "facility_type", "country")}
    known = pd.DataFrame(columns).dropna(subset="facility_id").drop_duplicates("facility_id")
    table = known.set_index("facility_id").reindex(pd.Index(names))
    country, called = pd.factorize(table["country"].fillna(""))
    kind = codes(table, ["facility_type", "country"])
    return kind, country.astype(np.int64), [str(name) for name in called]


def _holidays(
    shared: Features, countries: Mapping[int, str], days: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return countries and days on which some rest, of all years of these days.

    A run that goes on over the same countries and years looks nothing up: the library takes longer
    to load than all else here.
    """
    held = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
    years, names = (np.unique(held) + 1970).tolist(), sorted(countries.values())
    asked = msgspec.json.encode([names, years])
    name = f"holidays-{hashlib.sha256(asked).hexdigest()[:32]}"
    kept = shared.fitted(name, partial(_looked_up, names, years))
    off = msgspec.msgpack.decode(kept, type=dict[str, list[int]])
    every = [number * _SPAN + np.array(off[name], np.int64) for number, name in countries.items()]
    return np.unique(np.concatenate([np.empty(0, np.int64), *every]))


def _looked_up(names: Sequence[str], years: Sequence[int]) -> bytes:
    off = {name: [perhaps_off(name, year).tolist() for year in years] for name in names}
    return msgspec.msgpack.encode({name: list(chain(*days)) for name, days in off.items()})


def _told(day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which days may be some of a record, and not an absurd entry."""
    return (day > 0) & (day < _LAST)


def _weekday(day: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray((day + _MONDAY) % _WEEK, np.int64)


def _among(keys: NDArray[np.int64], held: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which keys are among those held, which are in order."""
    if not len(held):
        return np.zeros(len(keys), bool)
    place = np.minimum(np.searchsorted(held, keys), len(held) - 1)
    return np.asarray(held[place] == keys, bool)
