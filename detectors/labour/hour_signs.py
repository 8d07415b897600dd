"""Signs in recorded hours: written up at a desk, copied, smoothed, or kept under a limit.

All of them are figures of one facility-month's timesheets. What a time clock
does by itself is taken out: a clock that counts quarter hours shows a quarter
of whole hours, and many equal ones.

Next: detectors/labour/clocks.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.sheets import Sheets

    Floats = NDArray[np.float64]

__all__ = ["EDGE", "MIN_ROWS", "by_usual", "hour_signs", "per_month"]

MIN_ROWS: Final = 8
"""Fewer worker-weeks show no pattern."""
_GRIDS: Final = (0.5, 0.25, 0.1, 0.05)
_FINEST: Final = 0.01
_KEPT: Final = 0.98
_TELLING: Final = 3
"""A handful of broken hours does not tell the clock they came from."""
_ON: Final = 1e-6
EDGE: Final = 0.75
"""Hours below a limit that count as just under it."""
_PAIRS: Final = 2.0
"""Rows that are alike come at least in pairs: their number varies as much more."""
_LEAST_SPREAD: Final = 0.05
_QUARTILES: Final = 1.349
"""Distance of a normal's quartiles in standard deviations."""
_OF_QUARTILES: Final = 1.65
"""Error of a spread read off quartiles, over that of a standard deviation."""
_OF_MEDIAN: Final = 1.25
"""Error of a median over that of a mean."""


def per_month(sheets: Sheets, values: Floats) -> Floats:
    """Add up a figure of rows by facility-month."""
    return np.asarray(np.bincount(sheets.month, values, len(sheets.months)), np.float64)


def hour_signs(sheets: Sheets, limit: Floats) -> pd.DataFrame:
    """Measure the recorded hours of each facility-month.

    Args:
        sheets: All timesheets.
        limit: Weekly limit of each of `sheets.months`; NaN where unknown.

    Returns:
        One row per row of `sheets.months`, with `value_*` and `noise_*` of "week_to_week",
        "worker_to_worker" and "under_limit", `value_*` of "whole", "alike", "repeated" and
        "copied", the share of pairs of weeks that are equal, `equal`, the usual week, `middle`,
        with its standard error over workers, `middle_error`, how many `rows` and `workers` there
        are and how far hours spread among all rows, `across`, and among a worker's, `within`,
        the lower quartile, `low`, the `limit` and the share of weeks `over` it (see `stops`),
        and the step of the clock, `step`, with how many hours are `broken` (see `clocks`).
    """
    known = sheets.hours > 0
    rows = sheets._replace(
        month=sheets.month[known],
        person=sheets.person[known],
        worker=sheets.worker[known],
        hours=sheets.hours[known],
        pay=sheets.pay[known],
    )
    count = np.maximum(per_month(rows, np.ones(len(rows.month))), 1)
    within, freedom = _within(rows, count)
    low, middle, across = _across(rows)
    workers = np.bincount(rows.month[np.diff(rows.worker, prepend=-1) > 0], minlength=len(count))
    found = {
        **_whole(rows, count),
        **_alike(rows, count),
        "value_week_to_week": np.log(within + _LEAST_SPREAD),
        "noise_week_to_week": 1 / np.sqrt(2 * np.maximum(freedom, 1)),
        "value_worker_to_worker": np.log(across + _LEAST_SPREAD),
        "noise_worker_to_worker": _OF_QUARTILES / np.sqrt(2 * count),
        "middle": middle,
        "middle_error": _OF_MEDIAN * across / np.sqrt(np.maximum(workers, 1)),
        **_repeated(rows),
        **_copied(rows),
        **_under(rows, count, limit),
    }
    over = per_month(rows, (rows.hours > limit[rows.month]).astype(np.float64)) / count
    table = sheets.months.assign(
        **found,
        **_steps(rows),
        low=low,
        across=across,
        within=within,
        rows=count,
        workers=workers,
        limit=limit,
        over=over,
    )
    enough = per_month(rows, np.ones(len(rows.month))) >= MIN_ROWS
    names = [name for name in found if name.startswith("value_")]
    table[names] = table[names].where(pd.Series(enough, index=table.index), axis=0)
    return table


def by_usual(window: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Take chance off shares, and give them the noise that the site's usual share has.

    What is strange about a month must not excuse it.

    Args:
        window: With `site` and, by name, `value_*`, a plain share, `chance_*`, what chance gives
            it, and `of_*`, what it is a share of.
        names: Of the signs.
    """
    found = {}
    for name in names:
        expected, count = window[f"chance_{name}"], window[f"of_{name}"]
        beyond = window[f"value_{name}"] - expected
        usual = beyond.groupby(window["site"]).transform("mean").clip(lower=0.0)
        share = (expected + usual).clip(0.0, 1.0)
        found[f"value_{name}"] = beyond
        found[f"noise_{name}"] = (_PAIRS * share * (1 - share) / count + 1 / count**2) ** 0.5
    return window.assign(**found)


def _steps(rows: Sheets) -> dict[str, Floats]:
    """Return the step of the clock: the coarsest that nearly all hours that are not whole keep.

    NaN where there are too few of them; also how many there are.
    """
    broken = np.abs(rows.hours - np.round(rows.hours)) > _ON
    parts = per_month(rows, broken.astype(np.float64))
    found = np.full(len(rows.months), _FINEST)
    for step in reversed(_GRIDS):
        on = np.abs(rows.hours / step - np.round(rows.hours / step)) < _ON
        kept = per_month(rows, (on & broken).astype(np.float64))
        found = np.where(kept >= _KEPT * parts, step, found)
    return {"step": np.where(parts >= _TELLING, found, np.nan), "broken": parts}


def _whole(rows: Sheets, count: Floats) -> dict[str, Floats]:
    whole = np.abs(rows.hours - np.round(rows.hours)) < _ON
    return {"value_whole": per_month(rows, whole.astype(np.float64)) / count}


def _alike(rows: Sheets, count: Floats) -> dict[str, Floats]:
    """Return how common the commonest figure is, and the share of pairs of weeks that are equal."""
    order = np.lexsort((rows.hours, rows.month))
    month, hours = rows.month[order], rows.hours[order]
    new = (np.diff(month, prepend=-1) != 0) | (np.diff(hours, prepend=-1.0) != 0)
    starts = np.flatnonzero(new)
    length = np.diff(np.append(starts, len(hours)))
    most = np.zeros(len(rows.months))
    np.maximum.at(most, month[starts], length)
    pairs = np.bincount(month[starts], length * (length - 1.0), len(most))
    return {"value_alike": most / count, "equal": pairs / np.maximum(count * (count - 1), 1)}


def _across(rows: Sheets) -> tuple[Floats, Floats, Floats]:
    """Return the lower quartile of all rows, the mean of their middle half and their spread.

    Whether one of a few part-timers is on the sheet must not matter to either.
    """
    found = np.zeros((len(rows.months), 3))
    if len(rows.month):
        quartiles = pd.Series(rows.hours).groupby(rows.month).quantile(np.array([0.25, 0.5, 0.75]))
        found[np.unique(rows.month)] = quartiles.to_numpy(np.float64).reshape(-1, 3)
    low, middle, high = found.T
    inside = (rows.hours >= low[rows.month]) & (rows.hours <= high[rows.month])
    count = per_month(rows, inside.astype(np.float64))
    mean = per_month(rows, np.where(inside, rows.hours, 0.0)) / np.maximum(count, 1)
    return low, np.where(count > 0, mean, middle), (high - low) / _QUARTILES


def _within(rows: Sheets, count: Floats) -> tuple[Floats, Floats]:
    """Return the spread of hours within workers and its degrees of freedom."""
    size = int(rows.worker.max(initial=0)) + 1
    weeks = np.bincount(rows.worker, minlength=size)
    mean = np.bincount(rows.worker, rows.hours, size) / np.maximum(weeks, 1)
    squares = per_month(rows, (rows.hours - mean[rows.worker]) ** 2)
    workers = per_month(rows, 1 / weeks[rows.worker])
    freedom = count - workers
    return np.sqrt(squares / np.maximum(freedom, 1)), freedom


def _repeated(rows: Sheets) -> dict[str, Floats]:
    """Return how often a worker's week equals the week before."""
    same = np.diff(rows.worker, prepend=-1) == 0
    equal = same & (np.abs(np.diff(rows.hours, prepend=-1.0)) < _ON)
    pairs = np.maximum(per_month(rows, same.astype(np.float64)), 1)
    return {"value_repeated": per_month(rows, equal.astype(np.float64)) / pairs}


def _copied(rows: Sheets) -> dict[str, Floats]:
    """Return the share of workers whose whole month is another's, or their own of the month before.

    A month of equal weeks is no pattern that could be recognised.
    """
    first = np.flatnonzero(np.diff(rows.worker, prepend=-1))
    size = len(rows.months)
    if not len(first):
        return {"value_copied": np.zeros(size)}
    place = np.arange(len(rows.worker)) - np.repeat(
        first, np.diff(np.append(first, len(rows.worker)))
    )
    mixed = _mix(np.round(rows.hours * 100).astype(np.uint64), place.astype(np.uint64))
    pattern = np.add.reduceat(mixed, first)
    high, low = (op.reduceat(rows.hours, first) for op in (np.maximum, np.minimum))
    weeks = np.diff(np.append(first, len(rows.worker)))
    varied = (high > low) & (weeks >= 3)  # noqa: PLR2004 - two weeks coincide by chance
    month, person = rows.month[first], rows.person[first]
    table = pd.DataFrame({"pattern": pattern, "month": month, "person": person})[varied]
    among = table.groupby(["month", "pattern"])["person"].transform("size") > 1
    again = pd.Series(_as_before(rows, place, first), index=np.arange(len(first)))[varied]
    copies = np.asarray(np.bincount(table["month"], among | again, size), np.float64)
    held = np.maximum(np.bincount(table["month"], minlength=size), 1).astype(np.float64)
    return {"value_copied": copies / held}


def _as_before(
    rows: Sheets, place: NDArray[np.int64], first: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Return whose weeks are, but for one in four, those of the worker's month before.

    Months differ in length, so week is held against week.
    """
    order = np.lexsort((rows.month, place, rows.person))
    person, week, hours = rows.person[order], place[order], rows.hours[order]
    known = (np.diff(person, prepend=-1) == 0) & (np.diff(week, prepend=-1) == 0)
    held, equal = np.zeros(len(order)), np.zeros(len(order))
    held[order] = known
    equal[order] = known & (np.abs(np.diff(hours, prepend=-1.0)) < _ON)
    weeks, same = np.add.reduceat(held, first), np.add.reduceat(equal, first)
    return np.asarray((weeks >= 3) & (same >= 0.75 * weeks))  # noqa: PLR2004 - as above


def _mix(hours: NDArray[np.uint64], place: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return a number for an hour figure in its week, so that sums tell month patterns apart."""
    with np.errstate(over="ignore"):
        mixed = (hours + place * np.uint64(100_003)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        return mixed ^ (mixed >> np.uint64(32))


def _under(rows: Sheets, count: Floats, limit: Floats) -> dict[str, Floats]:
    """Return the share of weeks just under the limit that a smooth spread does not explain."""
    below = limit[rows.month] - rows.hours
    just = per_month(rows, ((below >= 0) & (below < EDGE)).astype(np.float64))
    before = per_month(rows, ((below >= EDGE) & (below < 3 * EDGE)).astype(np.float64))
    beyond = per_month(rows, ((below < 0) & (below >= -EDGE)).astype(np.float64))
    value = np.where(np.isnan(limit), np.nan, (just - (before / 2 + beyond) / 2) / count)
    return {
        "value_under_limit": value,
        "noise_under_limit": np.sqrt(just + (before / 2 + beyond) / 4 + 0.5) / count,
    }
