"""Whether what is odd is so in company: many of one market or place, in the same weeks.

What befalls many at once (a clearance, a full port, a holiday) is nobody's doing.
Where such things happen, they also befall one that nobody else was near.

Next: detectors/routes/scales.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Around", "in_company", "unshown"]

_PASSES: Final = 0.7
"""Of those who come while a place is full, so many may yet go through as ever."""
_OF_KINDS: Final = 5.0
"""All kinds of places together speak for so many cases of each kind."""
_OF_SITES: Final = 20.0
"""And all places of a kind for so many of each place."""


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
        able: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """Tell for each case whether enough others around it are odd.

        Args:
            odd: Who is odd.
            reach_us: How far to look before and after.
            least: How many others must be odd.
            share: And what share of the others of that time they must be.
            asked: Of whom to tell it; the others are in no company. None for everybody.
            able: Who would be odd if the same befell them; the others show nothing. None for all.
        """
        found = np.zeros(len(odd), bool)
        # Asked in order: each search begins where the one before it has warmed the memory.
        who = self._order if asked is None else self._order[asked[self._order]]
        others, all_others = self._others(odd, reach_us, who)
        if able is not None:
            all_others = self._others(able, reach_us, who)[0]
        found[who] = (others >= least) & (others >= share * all_others)
        return found

    def others(self, marked: NDArray[np.bool_], *, reach_us: int) -> NDArray[np.int64]:
        """Count for each case how many others around it are marked."""
        found = np.zeros(len(marked), np.int64)
        found[self._order] = self._others(marked, reach_us, self._order)[0]
        return found

    def _others(
        self, marked: NDArray[np.bool_], reach_us: int, who: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count the others around some cases: those that are marked, and all."""
        first = np.searchsorted(self._held, self._key[who] - reach_us)
        last = np.searchsorted(self._held, self._key[who] + reach_us, side="right")
        before = np.append(0, np.cumsum(marked[self._order]))
        return before[last] - before[first] - marked[who], last - first - 1


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


def unshown(
    far: NDArray[np.float64],
    held: NDArray[np.bool_],
    usual: NDArray[np.int64],
    *,
    site: NDArray[np.int64],
    kind: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return how probable it is that what befalls many befell each case, and nobody shows it.

    It befalls one as often as it does others at the place, or at places of its kind; the less
    likely the more others of those days were as usual; and seldom so far as none of those went.

    Args:
        far: How far out each case is, in its place's usual spreads.
        held: Which cases are odd in company.
        usual: How many others around each were as usual.
        site: Number of each one's place, not negative.
        kind: Number of each one's kind of place, not negative.
    """
    every = float(held.mean()) if len(held) else 0.0
    of_kind = _share(held, kind, _OF_KINDS, np.full(len(held), every))
    often = _share(held, site, _OF_SITES, of_kind)
    return np.asarray(often * _PASSES**usual * _as_far(far, held, kind), np.float64)


def _share(
    held: NDArray[np.bool_], codes: NDArray[np.int64], pool: float, before: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of each one's group that is marked, drawn towards what is known before."""
    size, marked = np.bincount(codes)[codes], np.bincount(codes, held)[codes]
    return np.asarray((marked + pool * before) / (size + pool), np.float64)


def _as_far(
    far: NDArray[np.float64], held: NDArray[np.bool_], kind: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the share of the marked of each one's kind that are as far out, itself counted."""
    values, number = np.unique(far, return_inverse=True)
    key = kind * len(values) + number
    marked = np.sort(key[held])
    first, last = (np.searchsorted(marked, kind_ * len(values)) for kind_ in (kind, kind + 1))
    beyond = last - np.searchsorted(marked, key)
    return np.asarray((1 + beyond) / (1 + last - first), np.float64)
