"""Whether what is odd is so in company: many of one market or place, in the same weeks.

What befalls many at once (a clearance, a full port, a holiday) is nobody's doing.

Next: detectors/routes/scales.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Around", "in_company"]


class Around:
    """Cases in the order of their groups and times, to look around each of them."""

    def __init__(
        self, at: NDArray[np.int64], codes: NDArray[np.int64], *, farthest_us: int
    ) -> None:
        """Sort once for many questions.

        Args:
            at: Time of each case, microseconds.
            codes: Group number of each, not negative.
            farthest_us: How far before and after anybody will look.
        """
        since = at - at.min() if len(at) else at
        # Groups lie further apart than any two times, so that no window reaches over to another.
        self._key = codes.astype(np.int64) * (int(since.max(initial=0)) + farthest_us + 1) + since
        self._order = np.argsort(self._key, kind="stable")
        self._held = self._key[self._order]

    def company(
        self,
        odd: NDArray[np.bool_],
        *,
        reach_us: int,
        least: int,
        share: float,
        asked: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """Tell for each case whether enough others around it are odd.

        Args:
            odd: Who is odd.
            reach_us: How far to look before and after.
            least: How many others must be odd.
            share: And what share of the others of that time they must be.
            asked: Of whom to tell it; the others are in no company. None for everybody.
        """
        found = np.zeros(len(odd), bool)
        # Asked in order: each search begins where the one before it has warmed the memory.
        who = self._order if asked is None else self._order[asked[self._order]]
        first = np.searchsorted(self._held, self._key[who] - reach_us)
        last = np.searchsorted(self._held, self._key[who] + reach_us, side="right")
        before = np.append(0, np.cumsum(odd[self._order]))
        others = before[last] - before[first] - odd[who]
        found[who] = (others >= least) & (others >= share * (last - first - 1))
        return found


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
    """Tell for each case whether enough others around it are odd; see `Around`."""
    if not len(odd) or not (asked is None or asked.any()):
        return np.zeros(len(odd), bool)
    around = Around(at, codes, farthest_us=reach_us)
    return around.company(odd, reach_us=reach_us, least=least, share=share, asked=asked)
