"""Exchanged: events whose date has day and month the wrong way round.

A spreadsheet of another country reads 3 May for 5 March, and writes it on as a date
like any other. Goods then arrive months before they leave, or leave before they are
made. Whether it was that can be seen: with day and month put back, goods take as
long as they usually do on that way, or at that place. One date may fit by chance:
only where most of what is reversed does were dates read so, and only of what fits.

Next: detectors/goods/magnified.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import at as taken
from detectors.columns import firsts
from detectors.custody import stock
from detectors.features import CLOCK_HOURS
from detectors.legs import HOUR_US, LEAST_WRONG, WRONG_SHARE
from detectors.past import past

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["EXCHANGED", "exchanged"]

EXCHANGED: Final = "a date whose day and month look exchanged"
_MONTHS: Final = 12
_DAY_HOURS: Final = 24.0
_SLACK_HOURS: Final = 48.0
_TIMES: Final = 2.0
"""Twice the usual, and two days more: later than that is late."""
_LEAVES: Final = ("ship", "sell")
_COMES: Final = ("produce", "transform", "receive")


def exchanged(shared: Features) -> NDArray[np.bool_]:
    """Mark the rows of events that fit in time with what was before and after once put back.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    if not shared.yardstick(are_exchanged):
        return np.zeros(len(shared.rows), bool)
    return _fitting(shared, shared.yardstick(usual_hours))


@past
def are_exchanged(shared: Features) -> bool:
    """Tell whether most of what is reversed by days fits once a date is put back."""
    steps = _steps(shared)
    reversed_ = steps[_hours(shared, steps) < -_DAY_HOURS]
    fits = _fitting(shared, shared.once(usual_hours))
    mended = int(np.any([fits[reversed_[end]] for end in reversed_], axis=0).sum())
    return mended >= max(LEAST_WRONG, WRONG_SHARE * len(reversed_))


def _fitting(shared: Features, usual: Mapping[str, float]) -> NDArray[np.bool_]:
    """Mark the rows of events whose steps all take what is usual with day and month put back."""
    rows = shared.rows
    found = np.zeros(len(rows), bool)
    steps = _steps(shared)
    hours = _hours(shared, steps)
    latest = _latest(_names(shared, steps), usual)
    odd = _is_odd(hours, latest)
    # Who is asked: both ends of a step that is odd; and of those, about all their steps.
    ends = np.unique(steps[["cause", "effect"]].to_numpy()[odd])
    ends = ends[_ambiguous(shared, ends)]
    asked = np.zeros(len(rows), bool)
    asked[ends] = True
    shift = np.zeros(len(rows))
    shift[ends] = _shift_hours(rows["at"].to_numpy(np.int64)[ends])
    cause, effect = steps["cause"].to_numpy(), steps["effect"].to_numpy()
    right, wrong = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    mended = np.zeros(len(rows), np.int64)
    for end, sign in ((cause, -1), (effect, 1)):
        own = np.flatnonzero(asked[end])
        still_odd = _is_odd(hours[own] + sign * shift[end[own]], latest[own])
        np.add.at(wrong, end[own], still_odd)
        np.add.at(right, end[own], ~still_odd)
        np.add.at(mended, end[own], odd[own] & ~still_odd)
    found[asked] = ((wrong == 0) & (mended > 0))[asked]
    return found


def _steps(shared: Features) -> pd.DataFrame:
    """List what has to follow what: `cause` and `effect`, positions in `Features.rows`.

    What is received after it was shipped; and what leaves a place first after it came there, or
    was made there, first.
    """
    rows, legs = shared.rows, shared.legs
    ship = (rows["kind"] == "ship").to_numpy()
    holder = np.where(ship, rows["shipper_number"], rows["site_number"])
    known = (rows["has_lot"] & rows["timed"]).to_numpy() & (holder >= 0)
    place = stock(rows["lot"].to_numpy(), holder)
    ends = []
    for kinds in (_COMES, _LEAVES):
        own = np.flatnonzero(known & rows["kind"].isin(kinds).to_numpy())
        own = own[np.argsort(rows["at"].to_numpy()[own], kind="stable")]
        number, places = pd.factorize(place[own])
        ends.append(pd.Series(own[firsts(number)], index=places))
    came, left = ends
    both = came.index.intersection(left.index)
    return pd.DataFrame(
        {
            "cause": np.append(legs["ship"].to_numpy(np.int64), came[both].to_numpy(np.int64)),
            "effect": np.append(legs["receive"].to_numpy(np.int64), left[both].to_numpy(np.int64)),
        }
    )


def _hours(shared: Features, steps: pd.DataFrame) -> NDArray[np.float64]:
    at = shared.rows["at"].to_numpy(np.int64)
    return np.asarray((at[steps["effect"]] - at[steps["cause"]]) / HOUR_US, np.float64)


def _names(shared: Features, steps: pd.DataFrame) -> NDArray[np.object_]:
    """Name the way of each step: from where to where."""
    ends = [taken(shared.rows["site"], steps[end].to_numpy()) for end in ("cause", "effect")]
    one, other = (pd.Series(end).astype("str").fillna("") for end in ends)
    return (one + " " + other).to_numpy(object)


@past
def usual_hours(shared: Features) -> dict[str, float]:
    """Return how long steps take on each way: half of them take less; under "" that of all."""
    steps = _steps(shared)
    hours = pd.Series(_hours(shared, steps))
    hours = hours[hours >= 0]
    if hours.empty:
        return {}
    by_way = hours.groupby(_names(shared, steps)[hours.index]).median()
    return {"": float(hours.median())} | {str(way): one for way, one in by_way.items()}


def _latest(ways: NDArray[np.object_], usual: Mapping[str, float]) -> NDArray[np.float64]:
    """Return after how many hours steps on each way are late."""
    number, names = pd.factorize(ways)
    own = np.array([usual.get(str(name), usual.get("", 0.0)) for name in names], np.float64)
    return np.asarray(_TIMES * own[number] + _SLACK_HOURS, np.float64)


def _is_odd(hours: NDArray[np.float64], latest: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((hours < -CLOCK_HOURS) | (hours > latest), bool)


def _ambiguous(shared: Features, position: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell of which events day and month could be read the other way round."""
    day, month = _date(shared.rows["at"].to_numpy(np.int64)[position])[1:]
    return np.asarray((day <= _MONTHS) & (day != month), bool)


def _date(at: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return year, day and month of times."""
    when = at.astype("datetime64[us]")
    months = when.astype("datetime64[M]")
    years = months.astype("datetime64[Y]")
    day = (when.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    return years.astype(np.int64), day + 1, (months - years).astype(np.int64) + 1


def _shift_hours(at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return by how many hours times move when day and month are exchanged."""
    year, day, month = _date(at)
    other = (year * _MONTHS + day - 1).astype("datetime64[M]").astype("datetime64[D]")
    moved = other + (month - 1) - at.astype("datetime64[us]").astype("datetime64[D]")
    return np.asarray(moved.astype(np.int64) * _DAY_HOURS)
