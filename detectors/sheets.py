"""Timesheets as columns in one fixed order, and what each facility-month's come to.

A million rows of personal records are read once per run. They are put in order
by site, month, worker and week, so that no sum depends on the order in which a
store returns them; what no week can hold counts as missing.

Next: detectors/workplace.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.columns import numbers, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HOURS_A_WEEK", "Sheets", "averages", "read"]

HOURS_A_WEEK: Final = 168.0


class Sheets(NamedTuple):
    """The rows of all timesheets, by site, month, worker and week.

    Attributes:
        months: One row per facility-month that has any: `facility_id`, `month`.
        month: Row of `months` of each timesheet row, ascending.
        person: Number of the worker at the site, the same in all its months.
        worker: Number of the worker within the month, ascending over all rows.
        hours: Hours of the week; NaN where missing or impossible.
        pay: Gross pay of the week; NaN where missing or not above zero.
        weeks: How many different weeks the rows of each of `months` are of.
    """

    months: pd.DataFrame
    month: NDArray[np.int64]
    person: NDArray[np.int64]
    worker: NDArray[np.int64]
    hours: NDArray[np.float64]
    pay: NDArray[np.float64]
    weeks: NDArray[np.int64]


def read(timesheets: pd.DataFrame) -> Sheets:
    """Put the timesheets frame in order; rows without site, month or worker are left out."""
    names = ("facility_id", "month", "worker_id")
    keys = [pd.factorize(texts(timesheets, name), sort=True) for name in names]
    hours, pay = numbers(timesheets, "hours"), numbers(timesheets, "gross_pay")
    week = numbers(timesheets, "week")
    named = np.logical_and.reduce([codes >= 0 for codes, _ in keys])
    site, month, person = (codes[named].astype(np.int64) for codes, _ in keys)
    order = np.lexsort((pay[named], hours[named], week[named], person, month, site))
    site, month, person = site[order], month[order], person[order]
    at, worker = _starts(site, month), _starts(site, month, person)
    firsts = np.flatnonzero(np.diff(at, prepend=-1))
    return Sheets(
        months=pd.DataFrame(
            {
                "facility_id": np.asarray(keys[0][1], object)[site[firsts]],
                "month": np.asarray(keys[1][1], object)[month[firsts]],
            },
            dtype="str",
        ),
        month=at,
        person=_pairs(site, person),
        worker=worker,
        hours=_between(hours[named][order], HOURS_A_WEEK),
        pay=_between(pay[named][order], np.inf, above=True),
        weeks=_different(at, week[named][order]),
    )


def _different(month: NDArray[np.int64], week: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the different weeks of each month."""
    named = ~np.isnan(week)
    pairs = np.unique(np.stack([month[named].astype(np.float64), week[named]]), axis=1)
    return np.bincount(pairs[0].astype(np.int64), minlength=int(month.max(initial=-1)) + 1)


def _starts(*keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the runs of equal keys among sorted rows."""
    changed = np.zeros(len(keys[0]), bool)
    for key in keys:
        changed |= np.diff(key, prepend=key[:1]) != 0
    return np.cumsum(changed)


def _pairs(site: NDArray[np.int64], person: NDArray[np.int64]) -> NDArray[np.int64]:
    return site * (int(person.max(initial=0)) + 1) + person


def _between(
    values: NDArray[np.float64], most: float, *, above: bool = False
) -> NDArray[np.float64]:
    low = values > 0 if above else values >= 0
    return np.where(low & (values <= most), values, np.nan)


def averages(sheets: Sheets) -> pd.DataFrame:
    """Average the workers' weeks of each facility-month.

    Returns:
        One row per facility-month with hours: `facility_id`, `month`, `sheet_workers`,
        `sheet_hours` (mean per worker and week), `sheet_error` (standard error of that mean
        over workers, NaN for one worker) and `sheet_weeks` (share of the month's weeks that
        workers have hours in; a month has four, or as many as its sheets name).
    """
    known = ~np.isnan(sheets.hours)
    hours, worker, month = sheets.hours[known], sheets.worker[known], sheets.month[known]
    who, first, weeks = np.unique(worker, return_index=True, return_counts=True)
    each = np.bincount(worker, hours, len(sheets.hours))[who] / weeks
    of, size = month[first], len(sheets.months)
    count = np.bincount(of, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(of, each, size) / count
        spread = np.bincount(of, (each - mean[of]) ** 2, size) / (count - 1)
        error = np.where(count > 1, np.sqrt(spread / count), np.nan)
        present = np.bincount(of, weeks, size) / count
    most = np.maximum(sheets.weeks, 4.0)
    np.maximum.at(most, of, weeks)
    found = sheets.months.assign(
        sheet_workers=count,
        sheet_hours=mean,
        sheet_error=error,
        sheet_weeks=present / most,
    )
    return found[count > 0].reset_index(drop=True)
