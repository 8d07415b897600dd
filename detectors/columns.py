"""Reading columns that may be missing, mixed or absurd, without changing the frame.

Detectors meet real files: a text column may hold NA, a number column infinities.
These helpers give plain arrays with one meaning of "missing".

Next: detectors/units.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "Grouped",
    "at",
    "codes",
    "first_days",
    "firsts",
    "hashed",
    "microseconds",
    "numbers",
    "positive",
    "texts",
]

_ABSURD: Final = 1e15
"""Nothing in a supply chain is counted in more; beyond it sums lose their units."""


def texts(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as text, missing where it is missing, empty or absent."""
    if column not in frame:
        return pd.Series(pd.NA, index=frame.index, dtype="str")
    series = frame[column].astype("str")
    empty = series == ""
    return series.mask(empty) if empty.any() else series


def numbers(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column as floats, NaN where it is missing, no number, absurdly large or absent."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    values = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.abs(values) < _ABSURD, values, np.nan)


def positive(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return a column as `numbers` does, NaN also where it is not above zero."""
    values = numbers(frame, column)
    return np.where(values > 0, values, np.nan)


def microseconds(series: pd.Series) -> NDArray[np.int64]:
    """Return times as microseconds since the epoch; missing times are the smallest int64."""
    utc = pd.to_datetime(series, utc=True, errors="coerce")
    return utc.to_numpy("datetime64[us]").astype(np.int64)


def first_days(months: pd.Series) -> pd.Series:
    """Return the first day of each "YYYY-MM"; NaT where the text is no month."""
    return pd.to_datetime(months.astype("str") + "-01", format="%Y-%m-%d", errors="coerce")


def codes(frame: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.int64]:
    """Number the distinct combinations of columns; missing values are values too.

    The numbers depend on the order of rows: use them to group, never to sort by.
    """
    number = np.zeros(len(frame), np.int64)
    for place, column in enumerate(columns):
        own, values = pd.factorize(frame[column], use_na_sentinel=False)
        both = pd.factorize(number * len(values) + own)[0] if place else own
        number = both.astype(np.int64, copy=False)
    return number


def firsts(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each of the numbers that `codes` gives stands first, by number."""
    return np.flatnonzero(~pd.Series(number).duplicated().to_numpy())


def at(column: pd.Series, positions: NDArray[np.int64]) -> Any:
    """Take values of a column by position; -1 takes what is missing."""
    return column.array.take(positions, allow_fill=True)


class Grouped:
    """Positions by the number of the group they belong to."""

    def __init__(self, number: NDArray[np.int64]) -> None:
        """Sort the numbers once."""
        self._order = np.argsort(number, kind="stable")
        self._sorted = number[self._order]

    def of(self, number: int) -> NDArray[np.int64]:
        """Return the positions of one group, ascending."""
        first, last = np.searchsorted(self._sorted, [number, number + 1])
        return self._order[first:last]


def hashed(series: pd.Series) -> NDArray[np.uint64]:
    """Return a stable 64-bit number per text, the same in every process: a sort key."""
    return pd.util.hash_array(series.fillna("").to_numpy(object), categorize=True)
