"""Seasons: what a month did to everybody, to several peers, or to the same site every year.

What most of a group show in one month is taken out before a site is looked at. A
bonus that two sites of three pay is no such season: the month divides the group,
and neither those that pay nor the third are strange. Nor is a site that shows the
same every year, or that never joins in what the others do.

Next: detectors/labour/persistence.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

__all__ = ["MEDIAN", "Peers", "in_common", "peculiar"]

_SEASON: Final = 24.0
"""Rows that a month's uncertain common shift must be seen in to have as much say as none."""
_TOGETHER: Final = 3
"""Fewer sites that depart in one month share nothing."""
_DIVIDED: Final = 3.0
"""Spreads from median to quartile that divide a group; chance alone makes two thirds of one."""
MEDIAN: Final = 1.57
"""Variance of a median over that of a mean."""
_YEAR: Final = 12
_LOUD: Final = 2.0
_ORDINARY: Final = 1.0
_LASTS: Final = 0.4
"""Share of the months between two that are loud, too, from which on it is no season."""
_OTHERS: Final = 2
_SEVERAL: Final = 1 / 6
"""Share of a group, and `_OTHERS` at least, whose departure in one month excuses another's."""
_ALIKE: Final = 1.5
"""How much more may be shown than was shown by others: bonuses are not all of one size."""


class Peers(NamedTuple):
    """Whom each row is compared with; rows are in the order of site, then month.

    Attributes:
        site: Number of the site, ascending.
        group: Number of the group of like sites.
        month: Number of the month.
        trade: Number of a second kind of group, with which sites share seasons; None for none.
    """

    site: Codes
    group: Codes
    month: Codes
    trade: Codes | None = None


def in_common(away: Floats, spread: Floats, peers: Peers) -> Floats:
    """Return what a month did to everybody, and within it to each group of peers.

    Args:
        away: Distance of each value from what its site usually shows; NaN where unknown.
        spread: Of the site's months.
        peers: Whom to compare with.
    """
    months = int(peers.month.max(initial=0)) + 1
    keys = [peers.month, peers.group * months + peers.month]
    if peers.trade is not None:
        trades = int(peers.trade.max(initial=0)) + 1
        both = peers.group * trades + peers.trade
        keys += [peers.trade * months + peers.month, both * months + peers.month]
    season = np.zeros(len(away))
    for key in keys:
        season += _shared(away - season, spread, key)
    return season


def peculiar(z: Floats, shown: Floats, away: Floats, peers: Peers) -> Floats:
    """Return what is left of departures that the site's other years and its peers do not share.

    Args:
        z: Distance from the usual in spreads, what is in common taken out.
        shown: The same with what is in common left in.
        away: Distance from the usual, in the figure's own unit; NaN where unknown.
        peers: Whom to compare with.
    """
    return _nearest(_unseasonal(z, shown, peers), _unshared(z, np.nan_to_num(away), peers))


def _unseasonal(z: Floats, shown: Floats, peers: Peers) -> Floats:
    """Take off what the site showed about the same month of the year before or after, too.

    What lasts from one to the other is no season. What others showed as well, then, is one
    now that they do not report: so `shown` is the distance with the season in it. Only what
    goes beyond this month's own season counts of it: a harvest every year hides no workshop.
    """
    months = int(peers.month.max(initial=0)) + 1
    key = peers.site * (months + 2 * _YEAR) + peers.month
    loud = np.concatenate([[0], np.cumsum(np.abs(z) > _LOUD)])
    rows, found = np.arange(len(z)), z
    for step in (sign * (_YEAR + slack) for sign in (-1, 1) for slack in (-1, 0, 1)):
        at = np.minimum(np.searchsorted(key, key + step), len(key) - 1)
        same = (key[at] == key + step) & (peers.month + step >= 0)
        first, last = np.minimum(rows, at) + 1, np.maximum(rows, at)
        between = (loud[last] - loud[first]) / np.maximum(last - first, 1)
        # A season that is out of z already is not taken off twice.
        size = np.sign(z) * (shown[at] - (shown - z))
        rest = np.maximum(np.abs(z) - size * np.where(size > 2 * _LOUD, _ALIKE, 1.0), 0.0)
        # Who never joins in what others do in a month shows what is usual for it.
        quiet = np.maximum(np.abs(shown), np.abs(shown[at])) < _ORDINARY
        alone = (np.abs(z) > _LOUD) & quiet
        rest = np.sign(z) * np.where(alone, 0.0, rest)
        again = same & (between < _LASTS) & ((size > 0) | alone)
        found = np.where(again & (np.abs(rest) < np.abs(found)), rest, found)
    return np.asarray(found)


def _unshared(z: Floats, away: Floats, peers: Peers) -> Floats:
    """Take off what several peers showed in the same month, too."""
    months = int(peers.month.max(initial=0)) + 1
    found, loud = z, np.where(np.abs(z) > _LOUD, away, 0.0)
    for group in (peers.group, peers.trade):
        if group is not None:
            key = group * months + peers.month
            most = _ALIKE * np.where(z > 0, _several(loud, key), _several(-loud, key))
            left = np.maximum(1 - most / np.maximum(np.abs(away), 1e-30), 0.0)
            found = _nearest(found, z * left)
    return found


def _several(away: Floats, key: Codes) -> Floats:
    """Return what the last of several in a key shows; 0 where they are fewer."""
    order = np.lexsort((-away, key))
    of = key[order]
    first = np.flatnonzero(np.diff(of, prepend=-1))
    size = np.diff(np.append(first, len(of)))
    rank = np.maximum(_OTHERS, np.ceil(size * _SEVERAL).astype(np.int64))
    last = np.where(size > rank, away[order][np.minimum(first + rank, len(of) - 1)], 0.0)
    found = np.zeros(len(away))
    found[order] = np.repeat(np.maximum(last, 0.0), size)
    return found


def _nearest(one: Floats, other: Floats) -> Floats:
    return np.asarray(np.where(np.abs(other) < np.abs(one), other, one))


def _shared(away: Floats, spread: Floats, key: Codes) -> Floats:
    """Return what the rows of a key have in common, as far as chance does not explain it.

    A median is drawn towards none by twice its own error (James and Stein, 1961), where three
    quarters of the rows show at least half of it: what all share is taken off nearly whole,
    however few they are. Else it is drawn by the number of rows.
    """
    known = np.flatnonzero(~np.isnan(away))
    order = known[np.lexsort((away[known], key[known]))]
    of, ranked = key[order], away[order]
    first = np.flatnonzero(np.diff(of, prepend=-1))
    size = np.diff(np.append(first, len(of)))
    if not len(first):
        return np.zeros(len(away))
    middle = (ranked[first + (size - 1) // 2] + ranked[first + size // 2]) / 2
    quarter = (size - 1) // 4
    low, high = ranked[first + quarter], ranked[first + size - 1 - quarter]
    nearer = np.where(middle > 0, low, -high)
    together = nearer >= np.abs(middle) / 2
    square = np.add.reduceat(spread[order] ** 2, first) / size
    error = MEDIAN * square / size
    # A month that divides the rows is one of those that have nothing in common but its lesser part.
    divided = ~together & (np.abs(middle) - nearer > _DIVIDED * np.sqrt(square))
    middle = np.where(divided, np.sign(middle) * np.maximum(nearer, 0.0), middle)
    sure = 1 - 4 * error / np.maximum(middle**2, 1e-30)
    kept = np.maximum(np.where(together, sure, 0.0), size / (size + _SEASON))
    shift = np.where(size >= _TOGETHER, middle * kept, 0.0)
    found = np.zeros(len(away))
    at = np.minimum(np.searchsorted(of[first], key), len(first) - 1)
    same = of[first][at] == key
    found[same] = shift[at[same]]
    return found
