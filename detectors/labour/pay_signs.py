"""Signs in recorded pay: round figures, one figure for all, pay that does not follow hours.

Next: detectors/labour/output_beyond_capacity.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from detectors.chances import as_many, deviate
from detectors.labour.hour_signs import MIN_ROWS, per_month

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.sheets import Sheets

    Floats = NDArray[np.float64]

__all__ = ["BENFORD_ROWS", "by_same_hours", "by_wages", "pay_signs", "roundness"]

BENFORD_ROWS: Final = 300
_DECADES: Final = 2.0
"""Benford's law (1938) holds only for figures that span at least this many powers of ten."""
_LEAST: Final = 0.002
_VARIED: Final = 0.01
"""Spread of log hours from which on a month tells what hours do to hourly pay."""
_MOST: Final = 0.2
"""Share of a site's months that may show less of what hours do: it must be its custom."""
_TELLING: Final = 6
"""Months that tell what is usual at a site."""
_MOST_ZEROS: Final = 9
_SAME_RATE: Final = 3e-4
"""Wages by the hour nearer to each other than this are one: cents hide the difference."""
_TWO_ALIKE: Final = 3.54
"""Two of a normal figure fall into one step with its share of this many spreads: two root pi."""
_CENTS: Final = 100


def roundness(amounts: Floats) -> Floats:
    """Count the zeros at the end of amounts in cents; a five before them counts for half."""
    cents = np.round(np.nan_to_num(amounts) * _CENTS)
    found = np.zeros(len(cents))
    for zeros in range(1, _MOST_ZEROS + 1):
        unit = 10.0**zeros
        found += np.where((cents > 0) & (cents % unit == 0), 0.5, 0.0)
        found += np.where((cents > 0) & (cents % (unit / 2) == 0), 0.5, 0.0)
    return np.where(np.isnan(amounts), np.nan, found)


def pay_signs(sheets: Sheets) -> pd.DataFrame:
    """Measure the recorded pay of each facility-month.

    Returns:
        One row per row of `sheets.months`: `hourly` (pay over hours of the rows that have both),
        `hourly_error` (its relative standard error over workers), `value_*` and `noise_*` of
        "rounded", "pay_without_hours" and "first_digits", and `value_same_pay`, `of_same_pay`,
        `salaries_alike`, `pairs_same_hours` and `weeks_same_pay` (see `by_same_hours`).
    """
    known = (sheets.hours > 0) & (sheets.pay > 0)
    rows = sheets._replace(
        month=sheets.month[known],
        person=sheets.person[known],
        worker=sheets.worker[known],
        hours=sheets.hours[known],
        pay=sheets.pay[known],
    )
    count = per_month(rows, np.ones(len(rows.month)))
    size = np.maximum(count, 1)
    found = {
        **_hourly(rows),
        **_rounded(rows),
        **_same(rows, size),
        **_loose(rows, size),
        **_first_digits(rows, size),
    }
    table = sheets.months.assign(**found)
    names = [name for name in found if not name.startswith("noise_")]
    table[names] = table[names].where(pd.Series(count >= MIN_ROWS, index=table.index), axis=0)
    return table


def _rounded(rows: Sheets) -> dict[str, Floats]:
    """Return the zeros at the end of pay, every figure that was settled on counting once.

    A wage by the hour that is round makes all pay by it round, and a salary is one figure however
    often it is paid. A hand that rounds makes many: what it writes follows no rate.
    """
    rate = np.round(np.log(rows.pay / rows.hours) / _SAME_RATE)
    table = pd.DataFrame({"month": rows.month, "rate": rate, "pay": np.round(rows.pay, 2)})
    once = [table.groupby(["month", key])["pay"].transform("size") for key in ("rate", "pay")]
    weight = 1 / np.maximum(*(one.to_numpy(np.float64) for one in once))
    size = np.maximum(per_month(rows, weight), 1)
    zeros = roundness(rows.pay)
    mean = per_month(rows, zeros * weight) / size
    spread = np.sqrt(np.maximum(per_month(rows, zeros**2 * weight) / size - mean**2, 0) + 0.1)
    return {"value_rounded": mean, "noise_rounded": spread / np.sqrt(size)}


def _hourly(rows: Sheets) -> dict[str, Floats]:
    hours = np.maximum(per_month(rows, rows.hours), 1e-9)
    hourly = per_month(rows, rows.pay) / hours
    size = int(rows.worker.max(initial=0)) + 1
    own = np.bincount(rows.worker, rows.pay, size) / np.maximum(
        np.bincount(rows.worker, rows.hours, size), 1e-9
    )
    first = np.flatnonzero(np.diff(rows.worker, prepend=-1))
    month, each = rows.month[first], own[rows.worker[first]]
    months = len(rows.months)
    workers = np.maximum(np.bincount(month, minlength=months), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.bincount(month, (each / hourly[month] - 1) ** 2, months)
    return {
        "hourly": np.where(hourly > 0, hourly, np.nan),
        "hourly_error": np.sqrt(away / np.maximum(workers - 1, 1) / workers),
    }


def _same(rows: Sheets, size: Floats) -> dict[str, Floats]:
    """Return the share of rows whose pay another worker got to the cent.

    Two who have other weeks that differ, and the same pay where they have the same hours, are
    people of one wage: that counts as nothing. Also how many pairs of workers' rows have the
    same hours, and how many weeks a worker has.
    """
    table = pd.DataFrame({"month": rows.month, "pay": np.round(rows.pay, 2), "hours": rows.hours})
    table["worker"] = rows.worker
    table["nth"] = table.groupby("worker").cumcount()
    week = pd.util.hash_pandas_object(table[["pay", "hours", "nth"]], index=False)
    table["whole"] = week.groupby(table["worker"]).transform("sum")
    others = _others(table, ["month", "pay"])
    same, both = _others(table, ["month", "hours"]), _others(table, ["month", "hours", "pay"])
    twins = _others(table, ["month", "hours", "pay", "whole"])
    months = len(rows.months)
    first = ~table["worker"].duplicated()
    workers = np.bincount(table["month"][first], minlength=months)
    return {
        "salaries_alike": _by_rounding(table[first], months),
        "value_same_pay": _added(table["month"], others > both - twins, months) / size,
        "of_same_pay": size,
        "pairs_same_hours": _added(table["month"], same, months),
        "weeks_same_pay": size / np.maximum(workers, 1),
    }


def _by_rounding(table: pd.DataFrame, months: int) -> Floats:
    """Return the share of workers whose pay chance makes another's, by how coarse pay is.

    Of few workers with pay in whole units, two have the same, and go on having it where it
    is a salary.
    """
    month = table["month"]
    zeros = np.floor(roundness(table["pay"].to_numpy(np.float64)))
    step = np.full(months, np.inf)
    np.minimum.at(step, month, 0.01 * 10.0**zeros)
    count = np.maximum(np.bincount(month, minlength=months), 1)
    spread = table["pay"].groupby(month).std().reindex(range(months)).to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        one = np.clip(np.nan_to_num(step / (_TWO_ALIKE * spread)), 0.0, 1.0)
    return np.asarray(1 - (1 - one) ** (count - 1))


def _others(table: pd.DataFrame, keys: list[str]) -> Floats:
    """Return how many rows of other workers each row agrees with."""
    whole = table.groupby(keys, sort=False)["worker"].transform("size")
    own = table.groupby([*keys, "worker"], sort=False)["worker"].transform("size")
    return (whole - own).to_numpy(np.float64)


def _added(month: pd.Series, values: NDArray[Any], months: int) -> Floats:
    return np.asarray(np.bincount(month, values, months), np.float64)


def by_same_hours(window: pd.DataFrame) -> pd.DataFrame:
    """Give shares of equal pay the noise of workers' months that coincide because hours do.

    So do those of few workers whose pay is in whole units.

    Two months that coincide come with all their weeks, and a chance pair is seldom, but two
    workers at once: no share is further out than so many pairs are improbable. A few copied workers
    hardly change how many weeks of a month are equal, so they do not excuse themselves; a month in
    which all got one sum does not, because its other months tell how far salaries differ.

    Args:
        window: What `pay_signs` returns, with `noise_same_pay` and `site`.
    """
    rows, weeks = window["of_same_pay"], window["weeks_same_pay"]
    equal = window["pairs_same_hours"] / (rows * (rows - 1)).clip(lower=1.0)
    share = ((rows / weeks - 1) * equal**weeks).clip(0.0, 1.0)
    workers = (rows / weeks).clip(lower=1.0)
    alike = window["salaries_alike"].groupby(window["site"]).transform("median")
    chance = 2 * weeks * share / rows + 2 * alike * (1 - alike) / workers
    noise = (window["noise_same_pay"] ** 2 + chance) ** 0.5
    beyond, pairs = window["value_same_pay"], workers * (share + alike) / 2
    p = as_many((beyond * workers / 2).clip(lower=0.0).fillna(0.0), pairs.fillna(0.0))
    height = np.maximum(deviate(p), _LEAST)
    return window.assign(noise_same_pay=np.maximum(noise, beyond.clip(lower=0.0) / height))


def by_wages(window: pd.DataFrame) -> pd.DataFrame:
    """Take off what hours do to hourly pay at this site: salaries, and premiums for overtime.

    Of a salary short weeks make a high hourly pay, of a premium for overtime a low one.

    Args:
        window: What `pay_signs` returns, with `site`.
    """
    slope = (window["rate_by_hours"] / window["hours_by_hours"]).where(
        window["hours_by_hours"] > _VARIED**2
    )
    months = slope.groupby(window["site"])
    low, high = (months.transform("quantile", part) for part in (_MOST, 1 - _MOST))
    usual = low.clip(lower=0.0) + high.clip(upper=0.0)
    usual = usual.where(months.transform("count") >= _TELLING).fillna(0.0).clip(-1.0, 1.0)
    left = (
        window["rate_by_rate"]
        - 2 * usual * window["rate_by_hours"]
        + usual**2 * window["hours_by_hours"]
    )
    return window.assign(value_pay_without_hours=_log_spread(left))


def _loose(rows: Sheets, size: Floats) -> dict[str, Floats]:
    """Return how far a worker's hourly pay strays from week to week, as a log.

    Also the products of hourly pay and hours within workers, a degree of freedom (see `by_wages`).
    """
    rate, hours = (_within(rows, np.log(each)) for each in (rows.pay / rows.hours, rows.hours))
    weeks = np.bincount(rows.worker)
    freedom = np.maximum(size - per_month(rows, 1 / weeks[rows.worker]), 1)
    squares = per_month(rows, rate**2) / freedom
    # One week of overtime is a spread that says little: what few rows make is mostly chance.
    peaked = size * per_month(rows, rate**4) / np.maximum(freedom * squares, 1e-12) ** 2
    return {
        "value_pay_without_hours": _log_spread(squares),
        "noise_pay_without_hours": np.sqrt(np.maximum(peaked - 1, 2.0) / (4 * freedom)),
        "rate_by_rate": squares,
        "rate_by_hours": per_month(rows, rate * hours) / freedom,
        "hours_by_hours": per_month(rows, hours**2) / freedom,
    }


def _within(rows: Sheets, values: Floats) -> Floats:
    """Return how far each row is from its worker's mean of the month."""
    weeks = np.bincount(rows.worker)
    return values - (np.bincount(rows.worker, values) / np.maximum(weeks, 1))[rows.worker]


def _log_spread(squares: Any) -> Any:
    """Return the log of a spread from its square, which rounding may leave below zero."""
    return np.log(np.sqrt(np.maximum(squares, 0.0)) + _LEAST)


def _first_digits(rows: Sheets, size: Floats) -> dict[str, Floats]:
    """Return how far first digits are from Benford's law, where it can hold at all."""
    months = len(rows.months)
    digit = (rows.pay / 10.0 ** np.floor(np.log10(rows.pay))).astype(np.int64).clip(1, 9)
    counts = np.bincount(rows.month * 10 + digit, minlength=months * 10).reshape(months, 10)[:, 1:]
    law = np.log10(1 + 1 / np.arange(1, 10))
    distance = (((counts / size[:, None] - law) ** 2) / law).sum(axis=1) * size
    low, high = np.full(months, np.inf), np.zeros(months)
    np.minimum.at(low, rows.month, rows.pay)
    np.maximum.at(high, rows.month, rows.pay)
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = (size > BENFORD_ROWS) & (np.log10(high / low) >= _DECADES)
    # The cube root makes chi-square nearly normal (Wilson and Hilferty, 1931).
    value = np.where(wide, np.cbrt(distance / 8), np.nan)
    return {"value_first_digits": value, "noise_first_digits": np.full(months, 0.17)}
