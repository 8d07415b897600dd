"""Persistence: several uneasy months in a row say more than each of them alone.

What is wrong at a workplace seldom lasts one month, and chance seldom lasts
three. A month is as strange as the strangest run it belongs to, but a quiet
month next to a loud one stays quiet: no neighbour counts for more than
the month itself.

Next: detectors/labour/signs.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LONGEST", "runs", "settled"]

LONGEST: Final = 6
"""Months; a longer run is judged by its best six."""
_ELEVATED: Final = 1.0
_MOSTLY: Final = 0.7
"""Share of its months that must be elevated for a level to be a new one."""


def runs(deviates: NDArray[np.float64], site: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the strangest of a month and the runs of months it is part of.

    A run of n months scores their sum over the square root of n, which is again a normal
    deviate where the months are independent.

    Args:
        deviates: One a month, in the order of site and month; 0 is the median.
        site: Number of each row's site, ascending.
    """
    best = deviates.copy()
    size = len(deviates)
    for length in range(2, min(LONGEST, size) + 1):
        for back in range(length):
            total = np.zeros(size)
            for step in range(-back, length - back):
                total += _beside(deviates, site, step)
            best = np.maximum(best, total / np.sqrt(length))
    return best


def _beside(
    deviates: NDArray[np.float64], site: NDArray[np.int64], step: int
) -> NDArray[np.float64]:
    at = np.arange(len(deviates)) + step
    inside = (at >= 0) & (at < len(deviates))
    at = np.where(inside, at, 0)
    same = inside & (site[at] == site)
    return np.where(same, np.minimum(deviates[at], deviates), -np.inf)


def settled(
    deviates: NDArray[np.float64], site: NDArray[np.int64], months: int
) -> NDArray[np.bool_]:
    """Return which rows belong to a new level: elevated for long, up to the site's last month.

    It begins where what follows differs most from what was before.

    Args:
        deviates: Distances from the usual, in the order of site and month.
        site: Number of each row's site, ascending.
        months: How long a change must last to count as the new usual.
    """
    high = deviates > _ELEVATED
    found = np.zeros(len(site), bool)
    for end in np.flatnonzero(np.diff(site, append=site[-1:] + 1)) + 1:
        first = int(np.searchsorted(site, site[end - 1]))
        own = high[first:end]
        starts = np.arange(1, len(own) - months + 1)
        if not len(starts):
            continue
        sums = np.cumsum(own)
        before = sums[starts - 1] / starts
        after = (sums[-1] - sums[starts - 1]) / (len(own) - starts)
        apart = np.where((after >= _MOSTLY) & (before <= 1 - _MOSTLY), after - before, 0.0)
        if apart.max() > 0:
            found[first + starts[apart.argmax()] : end] = True
    return found
