"""Departures: how far a month is from what its site, its peers and the season explain.

The usual is the median of the site's other months, episodes left out, drawn
towards its peers where the site has few, by as much as sites are alike. What
many sites share in one month is taken out first, and what the site itself shows
every year last: a season or a holiday accuses nobody. The spread is the site's
own, drawn towards everybody's, and never below what chance alone gives such a
figure.

Next: detectors/labour/persistence.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.labour.episodes import episodes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

__all__ = ["Departures", "Peers", "departures"]

_SHARE: Final = 0.60
_NORMAL: Final = 0.8416
"""The normal deviate below which `_SHARE` of the magnitudes lie."""
_SEASON: Final = 6.0
"""Sites that a month's common shift must be seen at to have as much say as none at all."""
_OWN_SPREAD: Final = 10.0
"""Months that give a site's own spread as much say as everybody's."""
_MEDIAN: Final = 1.57
"""Variance of a median over that of a mean."""
_PAST: Final = 2
"""Fewer other months are no past: what is usual elsewhere alone accuses nobody."""
_SIDE: Final = 4
"""Months above, and below, the usual that tell how wide each side is."""
_YEAR: Final = 12
_LOUD: Final = 2.0
_LASTS: Final = 0.4
"""Share of the months between two that are loud, too, from which on it is no season."""
_LOPSIDED: Final = 1.5
_SITES: Final = 8
"""Fewer sites say nothing about how much sites differ."""


class Peers(NamedTuple):
    """Whom each row is compared with; rows are in the order of site, then month.

    Attributes:
        site: Number of the site, ascending.
        group: Number of the group of like sites.
        month: Number of the month.
    """

    site: Codes
    group: Codes
    month: Codes


class Departures(NamedTuple):
    """What became of each value.

    Attributes:
        own: Distance from what the site usually shows, in its usual spreads; 0 where unknown
            or without a past.
        site: Distance of the site as a whole from its peers, in spreads between sites.
        centre: What would have been usual.
        spread: The usual spread around it.
    """

    own: Floats
    site: Floats
    centre: Floats
    spread: Floats


def departures(values: Floats, noise: Floats, peers: Peers, reach: int | None = None) -> Departures:
    """Hold each value against its site's other months, its peers and the season.

    Args:
        values: NaN where unknown.
        noise: Standard deviation that chance alone gives each value; above zero.
        peers: Whom to compare with.
        reach: Neighbouring months each way that count as the site's past; None is all.
    """
    own, count = _others(values, peers.site, reach)
    season = _season(values - own, peers)
    level = values - season
    outside = np.zeros(len(level), bool) if reach else episodes(level, peers.site, noise)
    own, count = _others(level, peers.site, reach, outside)
    middle, between, apart = _sites(np.where(outside, np.nan, level), noise, peers)
    pooled = _spread(level - own)
    alike = pooled**2 / max(between**2, 1e-30) if pooled else 0.0
    known = count > 0
    weight = np.where(known, count + alike, 1.0)
    centre = np.where(known, (count * np.where(known, own, 0) + alike * middle) / weight, middle)
    away = level - centre
    spread = _site_spread(np.where(known & ~outside, away, np.nan), peers.site, pooled)
    spread = np.maximum(spread, noise)
    doubt = np.where(known, _MEDIAN * spread**2 / weight, between**2)
    total = np.sqrt(spread**2 + doubt)
    z = np.where(count >= _PAST, np.nan_to_num(away / total), 0.0)
    return Departures(_unseasonal(z, peers), apart, centre + season, total)


def _others(
    values: Floats, site: Codes, reach: int | None, apart: NDArray[np.bool_] | None = None
) -> tuple[Floats, Floats]:
    """Return the median of the site's other values, and how many there are.

    Rows that are `apart` have a usual and are part of nobody's.
    """
    if reach is not None:
        return _neighbours(values, site, reach)
    told = ~np.isnan(values)
    counted = told if apart is None else told & ~apart
    order = np.lexsort((np.where(counted, values, np.nan), site))
    ranked, of = values[order], site[order]
    first = np.searchsorted(of, of)
    size = np.bincount(site, counted)[of].astype(np.int64)
    rank = np.arange(len(of)) - first
    own = rank < size
    others = size - own
    low, high = (others - 1) // 2, others // 2
    both = [first + np.maximum(j, 0) + (own & (np.maximum(j, 0) >= rank)) for j in (low, high)]
    known = (others > 0) & told[order]
    pair = [ranked[np.minimum(at, len(of) - 1)] for at in both]
    found, count = np.full(len(of), np.nan), np.zeros(len(of))
    found[order] = np.where(known, (pair[0] + pair[1]) / 2, np.nan)
    count[order] = np.where(known, others, 0)
    return found, count


def _neighbours(values: Floats, site: Codes, reach: int) -> tuple[Floats, Floats]:
    steps = [step for step in range(-reach, reach + 1) if step]
    around = np.full((len(values), len(steps)), np.nan)
    for column, step in enumerate(steps):
        here = slice(max(0, -step), len(values) - max(0, step))
        there = slice(max(0, step), len(values) + min(0, step))
        around[here, column] = np.where(site[here] == site[there], values[there], np.nan)
    around.sort(axis=1)
    count = (~np.isnan(around)).sum(axis=1)
    rows = np.arange(len(values))
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(steps) - 1)
    known = (count > 0) & ~np.isnan(values)
    middle = np.where(known, (around[rows, low] + around[rows, high]) / 2, np.nan)
    return middle, np.where(known, count, 0).astype(np.float64)


def _season(away: Floats, peers: Peers) -> Floats:
    """Return what a month did to everybody, and within it to each group of peers."""
    whole = _shrunken(away, peers.month)
    months = int(peers.month.max(initial=0)) + 1
    return whole + _shrunken(away - whole, peers.group * months + peers.month)


def _unseasonal(z: Floats, peers: Peers) -> Floats:
    """Take off what the site showed in the same month of the year before or after, too.

    What lasts from one to the other is no season.
    """
    months = int(peers.month.max(initial=0)) + 1
    key = peers.site * (months + _YEAR) + peers.month
    loud = np.concatenate([[0], np.cumsum(np.abs(z) > _LOUD)])
    rows, found = np.arange(len(z)), z
    for step in (-_YEAR, _YEAR):
        at = np.minimum(np.searchsorted(key, key + step), len(key) - 1)
        same = (key[at] == key + step) & (peers.month + step >= 0)
        first, last = np.minimum(rows, at) + 1, np.maximum(rows, at)
        between = (loud[last] - loud[first]) / np.maximum(last - first, 1)
        again = same & (between < _LASTS) & (z * z[at] > 0)
        rest = np.sign(z) * np.maximum(np.abs(z) - np.abs(z[at]), 0.0)
        found = np.where(again & (np.abs(rest) < np.abs(found)), rest, found)
    return np.asarray(found)


def _shrunken(away: Floats, key: Codes) -> Floats:
    grouped = pd.Series(away).groupby(key, sort=False)
    size = grouped.transform("count").to_numpy(np.float64)
    middle = np.nan_to_num(grouped.transform("median").to_numpy(np.float64))
    return np.asarray(middle * size / (size + _SEASON))


def _sites(level: Floats, noise: Floats, peers: Peers) -> tuple[Floats, float, Floats]:
    """Return what sites like this one show, how much sites differ, and how far this one is.

    What chance gives a month counts in full: at a small site it may lie to one side for years.
    """
    medians = pd.Series(level).groupby(peers.site).median()
    first = np.searchsorted(peers.site, medians.index.to_numpy())
    group = peers.group[first]
    whole = float(medians.median()) if medians.notna().any() else 0.0
    grouped = medians.groupby(group)
    size = grouped.transform("count").to_numpy(np.float64)
    like = np.nan_to_num(grouped.transform("median").to_numpy(np.float64), nan=whole)
    like = (size * like + _SEASON * whole) / (size + _SEASON)
    away = medians.to_numpy(np.float64) - like
    between = _spread(away)
    enough = np.count_nonzero(~np.isnan(away)) >= _SITES and between > 0
    chance = pd.Series(noise).groupby(peers.site).median().to_numpy(np.float64)
    apart = np.nan_to_num(away / np.hypot(between, chance)) if enough else np.zeros(len(away))
    row = np.searchsorted(medians.index.to_numpy(), peers.site)
    return like[row], between, apart[row]


def _spread(away: Floats) -> float:
    """Return the usual size of departures, read off a central quantile."""
    known = np.abs(away[~np.isnan(away)])
    return float(np.quantile(known, _SHARE)) / _NORMAL if len(known) else 0.0


def _site_spread(away: Floats, site: Codes, pooled: float) -> Floats:
    """Return each site's own spread, drawn towards everybody's.

    Where one side is far wider than the other (a slow start, a strike), the calmer one speaks.
    """
    whole, months = _quantiles(np.abs(away), site)
    up, above = _quantiles(np.where(away > 0, away, np.nan), site)
    down, below = _quantiles(np.where(away < 0, -away, np.nan), site)
    sided = np.minimum(above, below) >= _SIDE
    found = np.where(sided, np.minimum(whole, _LOPSIDED * np.minimum(up, down)), whole) / _NORMAL
    return np.sqrt((months * found**2 + _OWN_SPREAD * pooled**2) / (months + _OWN_SPREAD))


def _quantiles(size: Floats, site: Codes) -> tuple[Floats, Floats]:
    """Return on each row a central quantile of its site's figures, and how many there are."""
    order = np.lexsort((size, site))
    of = site[order]
    first = np.searchsorted(of, of)
    count = np.bincount(site, ~np.isnan(size))[of]
    at = first + np.floor(_SHARE * np.maximum(count - 1, 0)).astype(np.int64)
    found, months = np.zeros(len(of)), np.zeros(len(of))
    found[order], months[order] = np.nan_to_num(size[order][at]), count
    return found, months
