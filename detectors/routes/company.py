"""Whether what is odd is so in company: many of one market or place, in the same weeks.

What befalls many at once (a clearance, a full port, a holiday) is nobody's doing.

Next: detectors/routes/scales.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["in_company"]


def in_company(
    odd: NDArray[np.bool_],
    at: NDArray[np.int64],
    codes: NDArray[np.int64],
    *,
    reach_us: int,
    least: int,
    share: float,
    asked: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Tell for each case whether enough others around it are odd.

    Args:
        odd: Who is odd.
        at: Time of each, microseconds.
        codes: Group number of each, not negative.
        reach_us: How far to look before and after.
        least: How many others must be odd.
        share: And what share of the others of that time they must be.
        asked: Of whom to tell it; the others are in no company. None for everybody.
    """
    found = np.zeros(len(odd), bool)
    if not len(odd) or not (asked is None or asked.any()):
        return found
    since = at - at.min()
    # Groups lie further apart than any two times, so that no window reaches over to another.
    key = codes.astype(np.int64) * (int(since.max()) + reach_us + 1) + since
    order = np.argsort(key, kind="stable")
    held = key[order]
    # Asked in order: each search begins where the one before it has warmed the memory.
    who = order if asked is None else order[asked[order]]
    first = np.searchsorted(held, key[who] - reach_us)
    last = np.searchsorted(held, key[who] + reach_us, side="right")
    before = np.append(0, np.cumsum(odd[order]))
    others = before[last] - before[first] - odd[who]
    found[who] = (others >= least) & (others >= share * (last - first - 1))
    return found
