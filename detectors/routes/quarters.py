"""Closed quarters: whom a case is compared with, and which cases are judged together.

A case is held against the two years up to the end of its quarter. What happens
later changes nothing about it, so that a run on new events alone and a run on
everything agree.

Next: detectors/routes/residuals.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["WINDOW_QUARTERS", "Family", "families"]

WINDOW_QUARTERS: Final = 8


class Family(NamedTuple):
    """The cases of one quarter, as positions in a table that is in the order of time.

    Attributes:
        label: For example "2024Q1".
        rows: The cases judged together.
        window: The cases they are compared with, themselves included.
    """

    label: str
    rows: slice
    window: slice


def families(at: pd.Series, minimum: int) -> Iterator[Family]:
    """Yield the quarters of a table; the first holds at least `minimum` cases.

    Args:
        at: Time of each case, microseconds, ascending.
        minimum: Cases that a comparison needs.
    """
    times = pd.to_datetime(at, unit="us", utc=True)
    number = (times.dt.year * 4 + times.dt.quarter - 1).to_numpy(np.int64)
    ends = [*np.flatnonzero(np.diff(number)) + 1, len(number)]
    start = 0
    for end in (int(end) for end in ends):
        if end < minimum:
            continue
        first = number[end - 1] - WINDOW_QUARTERS + 1
        begin = int(np.searchsorted(number, first))
        begin = begin if end - begin >= minimum else 0
        label = f"{number[end - 1] // 4}Q{number[end - 1] % 4 + 1}"
        yield Family(label, slice(start, end), slice(begin, end))
        start = end
