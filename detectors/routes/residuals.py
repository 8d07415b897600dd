"""What a value is among its like, and how far such values usually stray.

Effects are taken off one after the other, each a median, drawn towards nothing
where its group is small. A median is hardly moved by the few cases that are
wrong; a small group is not trusted to have an effect of its own.

Next: detectors/routes/statistical.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["drawn_spread", "effects", "neighbours", "spread"]

_MAD_TO_SIGMA: Final = 1.4826
_POOL: Final = 20.0
"""A group of this size has as much say about its own spread as all groups together."""
_NEAR: Final = 2.0
"""Residuals further out than so many spreads count as so many."""
_NEAR_SQUARE: Final = 0.9205
"""The mean square that this leaves of normal ones."""
_IMAGINED: Final = 2.0
"""So many imagined residuals of each group lie as far out as those of all groups together."""
_DOUBT: Final = 0.6
"""About the variance of the logarithm of such a spread, times the residuals it comes from."""
_TIMES, _TIMES_DRAWN = 3, 8
_LEAST: Final = 1e-12


def effects(
    values: NDArray[np.float64], groups: Sequence[tuple[NDArray[np.int64], float]]
) -> NDArray[np.float64]:
    """Return values less the usual of their groups, taken off in turn.

    Args:
        values: Finite values.
        groups: Group number of each value, and the size at which a group's median counts half;
            0 takes every median for what it is.
    """
    rest = pd.Series(values)
    for codes, shrinkage in groups:
        grouped = rest.groupby(codes, sort=False)
        size = grouped.transform("size")
        rest = rest - grouped.transform("median") * size / (size + shrinkage)
    return np.array(rest, np.float64)


def spread(
    residuals: NDArray[np.float64], codes: NDArray[np.int64], floor: float
) -> NDArray[np.float64]:
    """Return the usual size of residuals in each one's group, as a standard deviation.

    Args:
        residuals: Finite values, most of them ordinary.
        codes: Group number of each.
        floor: No spread is smaller: what weighing, rounding or a clock alone explain.
    """
    away = pd.Series(np.abs(residuals))
    pooled = float(away.median()) if len(away) else 0.0
    number = pd.factorize(codes)[0]
    size, middle = np.bincount(number), away.groupby(number).median().to_numpy()
    own = (size * middle**2 + _POOL * pooled**2) / (size + _POOL)
    return np.asarray(np.maximum(_MAD_TO_SIGMA * np.sqrt(own), floor)[number], np.float64)


def drawn_spread(
    residuals: NDArray[np.float64], codes: NDArray[np.int64], floor: float
) -> NDArray[np.float64]:
    """Return the usual size of residuals as `spread` does, where groups stray about alike.

    What lies far out counts only as so far (Huber, 1964). Groups are drawn towards each other as
    far as their sizes explain why they differ (Efron and Morris, 1975): a spread that is small by
    chance makes ordinary values look odd.

    Args:
        residuals: Finite values, most of them ordinary.
        codes: Group number of each.
        floor: No spread is smaller: what weighing, rounding or a clock alone explain.
    """
    away = np.abs(residuals)
    number = pd.factorize(codes)[0]
    size, middle = np.bincount(number), pd.Series(away).groupby(number).median().to_numpy()
    pooled = max(_MAD_TO_SIGMA * float(np.median(away)), _LEAST) if len(away) else _LEAST
    known = (size + _IMAGINED).astype(np.float64)
    usual = np.sqrt((size * (_MAD_TO_SIGMA * middle) ** 2 + _IMAGINED * pooled**2) / known)
    for _ in range(_TIMES):
        near = np.minimum(away / usual[number], _NEAR) ** 2
        square = usual**2 * np.bincount(number, near) / _NEAR_SQUARE
        logs = np.log((square + _IMAGINED * pooled**2) / known) / 2
        usual = np.exp(_drawn(logs, _DOUBT / known))
    return np.asarray(np.maximum(usual, floor)[number], np.float64)


def _drawn(logs: NDArray[np.float64], doubt: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw figures of groups towards each other, by the variance of the error of each."""
    between, middle = 0.0, 0.0
    for _ in range(_TIMES_DRAWN if len(logs) else 0):
        weight = 1 / (between + doubt)
        middle = float(weight @ logs / weight.sum())
        excess = weight**2 * ((logs - middle) ** 2 - doubt)
        between = max(float(excess.sum() / (weight @ weight)), 0.0)
    return np.asarray((between * logs + doubt * middle) / (between + doubt), np.float64)


def neighbours(
    values: NDArray[np.float64],
    at: NDArray[np.int64],
    codes: NDArray[np.int64],
    *,
    within_us: int,
    reach: int = 4,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the median of the values next in time in the same group, and how many they are.

    Args:
        values: Finite values.
        at: Time of each.
        codes: Group number of each.
        within_us: How far away in time a neighbour may be.
        reach: How many are looked at on either side. A case is not its own neighbour.
    """
    order = np.lexsort((at, codes))
    times, group, ordered = at[order], codes[order], values[order]
    beside = np.full((2 * reach, len(values)), np.nan)
    for step in range(1, min(reach, len(values) - 1) + 1):
        near = (group[step:] == group[:-step]) & (times[step:] - times[:-step] <= within_us)
        beside[step - 1, step:] = np.where(near, ordered[:-step], np.nan)
        beside[reach + step - 1, :-step] = np.where(near, ordered[step:], np.nan)
    count = (~np.isnan(beside)).sum(axis=0)
    middle = np.zeros(len(values))
    some = count > 0
    if some.any():
        middle[some] = np.nanmedian(beside[:, some], axis=0)
    back = np.empty(len(values), np.int64)
    back[order] = np.arange(len(values))
    return middle[back], count[back]
