"""Episodes: months in which a site was not at its usual level, and came back to it.

A median of a site's months says what is usual as long as most of them are. What
is wrong for a year outlasts that. So the record of each site is searched for a
stretch of months that lies apart from those before and those after it, where
these agree with each other, or that has not ended yet: what is usual is then
read off the others. What has lasted for more than a year and has not ended is no
episode: a site that changed its ways has two. Whether what lasts for less is innocent
is for the detectors to say.

Next: detectors/labour/departures.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

__all__ = ["episodes"]

_SHORTEST: Final = 3
"""Months; a shorter stretch hardly moves a median."""
_SIDE: Final = 2
"""Months that must be known before, and after, to say that a level came back."""
_OUTSIDE: Final = 5
"""Months outside that are enough to be a usual."""
_PAST: Final = 6
"""Months before a level that has not ended, to say that it is a new one."""
_NEW: Final = 12
"""Months after which a level that has not ended is as usual as the one before."""
_APART: Final = 5.0
"""Standard errors that the stretch must lie from the rest."""
_AGREE: Final = 0.4
"""How far before and after may differ, as a share of the stretch's distance."""
_MOST: Final = 2
"""Episodes that one site may have within a window."""
_NORMAL: Final = 0.6745
_FARTHEST: Final = 4.0
"""No month counts for more than this many spreads: a stretch is more than one loud month."""


class _Table(NamedTuple):
    """Known values by site and position; `row` is where they came from, -1 for none."""

    value: Floats
    row: Codes


def episodes(level: Floats, site: Codes, noise: Floats) -> NDArray[np.bool_]:
    """Return which rows belong to an episode of their site.

    Args:
        level: One a month, seasons taken out, in the order of site and month; NaN where unknown.
        site: Number of each row's site, ascending.
        noise: Standard deviation that chance alone gives each value.
    """
    found = np.zeros(len(level), bool)
    table = _packed(level, site)
    if table.value.shape[1] < _SHORTEST + _OUTSIDE:
        return found
    chance = _packed(np.where(np.isnan(level), np.nan, noise), site).value
    spread = _steady(table.value, chance)
    inside, lasting = np.zeros(table.value.shape, bool), np.zeros(table.value.shape, bool)
    last = np.maximum((~np.isnan(table.value)).sum(axis=1) - 1, 0)
    for _ in range(_MOST):
        more = _strongest(np.where(inside | lasting, np.nan, table.value), spread)
        if not more.any():
            break
        stays = more[np.arange(len(last)), last] & (more.sum(axis=1) > _NEW)
        lasting |= more & stays[:, None]
        inside |= more & ~stays[:, None]
    found[table.row[inside]] = True
    return found


def _packed(values: Floats, site: Codes) -> _Table:
    """Put each site's known values side by side, in the order of months."""
    known = np.flatnonzero(~np.isnan(values))
    of = site[known]
    place = np.arange(len(known)) - np.searchsorted(of, of)
    shape = (int(site.max(initial=-1)) + 1, int(place.max(initial=-1)) + 1)
    table, row = np.full(shape, np.nan), np.full(shape, -1)
    table[of, place], row[of, place] = values[known], known
    return _Table(table, row)


def _steady(values: Floats, chance: Floats) -> Floats:
    """Return how much each site changes from month to month: steps and episodes do not count."""
    known = (~np.isnan(values)).sum(axis=1)
    step = np.sort(np.abs(np.diff(values, axis=1)), axis=1)
    at = np.maximum(known - 2, 0) // 2
    own = np.nan_to_num(step[np.arange(len(step)), at]) / (_NORMAL * np.sqrt(2))
    usual = np.median(own[known > _SHORTEST]) if (known > _SHORTEST).any() else 0.0
    few = np.sqrt((known * own**2 + 10 * usual**2) / (known + 10))
    rows = np.maximum(known, 1)
    return np.asarray(np.maximum(few, np.nansum(chance, axis=1) / rows))


def _strongest(values: Floats, spread: Floats) -> NDArray[np.bool_]:
    """Return the one stretch of each site that lies farthest from the rest, if any does."""
    middle = np.nanmedian(
        np.where(np.isnan(values).all(axis=1, keepdims=True), 0.0, values), axis=1
    )
    scaled = (values - middle[:, None]) / np.maximum(spread, 1e-12)[:, None]
    held = np.asarray(~np.isnan(scaled))
    sums = _running(np.where(held, np.clip(scaled, -_FARTHEST, _FARTHEST), 0.0))
    counts = _running(held.astype(np.float64))
    sites, width = values.shape
    best, chosen = np.full(sites, _APART), np.zeros((sites, 2), np.int64)
    for length in range(_SHORTEST, width - min(_PAST, 2 * _SIDE) + 1):
        start = np.arange(width - length + 1)
        strength = _apart(sums, counts, start, start + length)
        at = strength.argmax(axis=1)
        most = strength[np.arange(sites), at]
        better = most > best
        best[better], chosen[better] = most[better], np.stack([at, at + length], 1)[better]
    place = np.arange(width)
    return np.asarray(held & (place >= chosen[:, :1]) & (place < chosen[:, 1:]))


def _running(values: Floats) -> Floats:
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _apart(sums: Floats, counts: Floats, start: Codes, stop: Codes) -> Floats:
    """Return how many standard errors stretches lie from what is before and after; 0 for none."""
    size, total = counts[:, stop] - counts[:, start], sums[:, stop] - sums[:, start]
    before, after = counts[:, start], counts[:, -1:] - counts[:, stop]
    with np.errstate(invalid="ignore", divide="ignore"):
        left, right = sums[:, start] / before, (sums[:, -1:] - sums[:, stop]) / after
        outside = (sums[:, -1:] - total) / (before + after)
        away = total / size - outside
        strength = np.abs(away) / np.sqrt(1 / size + 1 / (before + after))
        agree = np.abs(left - right) <= _AGREE * np.abs(away)
    over = (np.minimum(before, after) >= _SIDE) & (before + after >= _OUTSIDE) & agree
    lasts = (after == 0) & (before >= _PAST)
    return np.where((size >= _SHORTEST) & (over | lasts), strength, 0.0)
