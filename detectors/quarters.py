"""Closed quarters: which cases are judged together, and whom they are compared with.

A quarter is judged against the window up to its end, or up to the end of the
quarters that must have followed before it closes. It keeps its answers when later
cases arrive; quarters still open are one family, and judged anew. The first
quarters wait for each other until there is enough to compare with.

Next: detectors/nulls.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["AT_ITS_END", "Closing", "Family", "Span", "families", "families_in_time"]


class Closing(NamedTuple):
    """When a quarter closes.

    Attributes:
        window: Quarters that the window holds, those that followed included.
        following: Quarters that must have passed before one closes.
        first: Quarters at the beginning that wait for each other.
    """

    window: int = 8
    following: int = 0
    first: int = 1


AT_ITS_END: Final = Closing()
"""What was usual more than two years ago is not what is usual."""


class Family(NamedTuple):
    """Rows that are judged together, and the rows that say what is usual.

    Attributes:
        label: Its last quarter, for example "2024Q1".
        own: Positions of the rows judged.
        window: Positions of the rows they are compared with, themselves among them.
    """

    label: str
    own: NDArray[np.intp]
    window: NDArray[np.intp]


class Span(NamedTuple):
    """A family of a table that is in the order of time; attributes as of `Family`."""

    label: str
    own: slice
    window: slice


class _Bounds(NamedTuple):
    """A family by the numbers of its quarters, all of them inclusive."""

    label: str
    own: tuple[int, int]
    window: tuple[int, int]


def families(times: pd.Series, minimum: int, closing: Closing) -> Iterator[Family]:
    """Yield the families of rows, oldest first.

    Args:
        times: Of each row.
        minimum: Rows that a comparison needs, and that the first family waits for.
        closing: When quarters close.
    """
    quarter = _numbers(times)
    for label, own, window in _bounds(quarter, minimum, closing):
        rows = (np.flatnonzero((quarter >= low) & (quarter <= high)) for low, high in (own, window))
        yield Family(label, *rows)


def families_in_time(at: pd.Series, minimum: int, closing: Closing = AT_ITS_END) -> Iterator[Span]:
    """Yield the families of a table in the order of time.

    Args:
        at: Time of each row, microseconds, ascending.
        minimum: As for `families`.
        closing: When quarters close.
    """
    quarter = _numbers(pd.to_datetime(at, unit="us", utc=True))
    for label, own, window in _bounds(quarter, minimum, closing):
        spans = (
            slice(*(int(end) for end in np.searchsorted(quarter, [low, high + 1])))
            for low, high in (own, window)
        )
        yield Span(label, *spans)


def _numbers(times: pd.Series) -> NDArray[np.int64]:
    return np.asarray(times.dt.year * 4 + times.dt.quarter - 1, np.int64)


def _bounds(quarter: NDArray[np.int64], minimum: int, closing: Closing) -> Iterator[_Bounds]:
    held, sizes = np.unique(quarter, return_counts=True)
    if not len(held):
        return
    upto = np.cumsum(sizes)
    first, latest = int(held[0]), int(held[-1])
    begin = first
    for number in map(int, held):
        end = min(number + closing.following, latest)
        open_ = number + closing.following > latest
        early = number < first + closing.first - 1
        few = _rows(held, upto, first, number) < minimum
        if number != latest and (open_ or early or few):
            continue
        if _rows(held, upto, first, end) < minimum:
            return
        since = end - closing.window + 1
        if _rows(held, upto, since, end) < minimum:
            since = first
        label = f"{number // 4}Q{number % 4 + 1}"
        yield _Bounds(label, (begin, number), (min(since, begin), end))
        begin = number + 1


def _rows(held: NDArray[np.int64], upto: NDArray[np.int64], low: int, high: int) -> int:
    """Count the rows of the quarters from `low` to `high`."""
    before, last = np.searchsorted(held, [low, high + 1])
    total = np.concatenate([[0], upto])
    return int(total[last] - total[before])
