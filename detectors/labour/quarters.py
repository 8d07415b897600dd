"""Closed quarters: which months are judged together, and against which past.

The months of the first year are one family, every quarter after it one more.
What follows tells an order from a new machine, so a quarter closes when two
more have passed, and is judged against the three years up to their end. It keeps
its answers when later months arrive; the quarters still open are one family and
judged anew.

Next: detectors/labour/episodes.py
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = [
    "FIRST_QUARTERS",
    "FOLLOWING_QUARTERS",
    "WINDOW_QUARTERS",
    "Family",
    "digest",
    "families",
]

FIRST_QUARTERS: Final = 4
"""Fewer quarters show no usual; they wait for each other."""
FOLLOWING_QUARTERS: Final = 2
"""How many quarters must have passed before one closes."""
WINDOW_QUARTERS: Final = 12
"""What was usual more than three years ago is not what is usual."""


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


def families(days: pd.Series, minimum: int) -> Iterator[Family]:
    """Yield the families of rows, oldest first.

    Args:
        days: First day of each row's month.
        minimum: Rows that the first family waits for.
    """
    quarter = days.dt.year.to_numpy() * 4 + days.dt.quarter.to_numpy() - 1
    held = np.unique(quarter)
    begin = held[0] if len(held) else 0
    for number in held:
        end = min(number + FOLLOWING_QUARTERS, held[-1])
        closed, last = number + FOLLOWING_QUARTERS <= held[-1], number == held[-1]
        early = number < held[0] + FIRST_QUARTERS - 1
        few = np.count_nonzero(quarter <= number) < minimum
        if not last and (not closed or early or few):
            continue
        if np.count_nonzero(quarter <= end) < minimum:
            return
        own = np.flatnonzero((quarter >= begin) & (quarter <= number))
        window = np.flatnonzero((quarter > end - WINDOW_QUARTERS) & (quarter <= end))
        begin = number + 1
        yield Family(f"{number // 4}Q{number % 4 + 1}", own, np.union1d(own, window))


def digest(window: pd.DataFrame) -> str:
    """Name the rows of a window by their subjects and numbers, whatever their order."""
    lines = window.sort_values("subject_id").round(12)
    state = hashlib.sha256(pd.util.hash_pandas_object(lines, index=False).to_numpy().tobytes())
    return f"sha256:{state.hexdigest()}"
