"""Clocks: what a clock's step, and shifts of one length, make equal by themselves.

A clock that counts quarter hours shows a quarter of whole hours. Which step a
site's clock has, its months tell together: one with next to no broken hours
goes by the others. Where weeks are made of whole shifts, all that is equal is
held against that, and how far hours spread, or on which figure they heap,
says nothing.

Next: detectors/labour/stops.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["by_clock", "by_shifts"]

_FINEST: Final = 0.01
_CARDS: Final = 4
"""Ways in which three of four weeks can be those of the month before."""
_SHIFTS: Final = 0.16
"""Share of pairs of weeks that are equal from which on a site's weeks are made of shifts."""


def by_clock(window: pd.DataFrame) -> pd.DataFrame:
    """Add what a clock of some step and hours of some spread make equal by themselves.

    Args:
        window: What `hour_signs` returns, with `site`.

    Returns:
        It with `chance_*` and `of_*` (see `by_usual`) of "whole", "alike", "repeated" and "copied".
    """
    rows, across, people = window["rows"], window["across"], window["workers"].clip(lower=1.0)
    known = window["step"].groupby(window["site"])
    none = (3 / rows).clip(upper=1.0).where(window["broken"] == 0, _FINEST)
    grid = window["step"].fillna(known.transform("quantile", 0.5, "lower")).fillna(none)
    week, other = _equal(window["within"], grid), _equal(across, grid)
    return window.assign(
        chance_whole=grid,
        of_whole=rows,
        chance_alike=0.4 * grid / np.maximum(across, grid) + 1 / rows,
        of_alike=rows,
        chance_repeated=week,
        of_repeated=(rows - people).clip(lower=1.0),
        chance_copied=(_CARDS * week**3 + (people - 1) * other**4).clip(upper=1.0),
        of_copied=people,
    )


def by_shifts(window: pd.DataFrame) -> pd.DataFrame:
    """Expect of a site that works in whole shifts, or days, what these make equal by themselves.

    A shift more or less is no change of how far its hours spread, and whether half of the weeks
    or nearly all have the same shifts follows from how long the usual week is. The usual week of
    such a month is the mean: what lies in the middle jumps from one number of shifts to the next.

    Args:
        window: What `hour_signs` and `by_clock` return, with `site`, and `value_*`, `noise_*`,
            `mean_value_*` and `mean_noise_*` of what holds the sheets against other figures.
    """
    usual = window["equal"].groupby(window["site"]).transform("median")
    shifts = usual > _SHIFTS
    equal = window["equal"].where(shifts, 0.0)
    copied = _CARDS * equal**3 + (window["of_copied"] - 1) * equal**4
    found = {
        "chance_repeated": np.maximum(window["chance_repeated"], equal),
        "chance_copied": np.minimum(np.maximum(window["chance_copied"], copied), 1.0),
    }
    for name in ("whole", "alike", "week_to_week", "worker_to_worker", "under_limit"):
        found[f"value_{name}"] = window[f"value_{name}"].mask(shifts)
    for name in ("sheets_against_report", "sheets_against_totals"):
        for part in ("value", "noise"):
            mean = window[f"mean_{part}_{name}"]
            found[f"{part}_{name}"] = window[f"{part}_{name}"].where(~shifts, mean)
    return window.assign(**found)


def _equal(spread: pd.Series, grid: pd.Series) -> pd.Series:
    """Return the chance that two figures of this spread fall on one step of the clock."""
    wide = spread.where(spread > grid / 4, grid / 4)
    return (0.28 * grid / wide).clip(upper=1.0)
