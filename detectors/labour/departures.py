"""Departures: how far a month is from what its site, its peers and the season explain.

The usual is the median of the site's other months, drawn towards its peers
where the site has few, by as much as sites are alike. What many sites share in
one month is taken out first: a season or a holiday accuses nobody. The spread
is the site's own, drawn towards everybody's, and never below what chance alone
gives such a figure.

Next: detectors/labour/persistence.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

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
    own, count = _others(level, peers.site, reach)
    middle, between, apart = _sites(level, peers)
    pooled = _spread(level - own)
    alike = pooled**2 / max(between**2, 1e-30) if pooled else 0.0
    known = count > 0
    weight = np.where(known, count + alike, 1.0)
    centre = np.where(known, (count * np.where(known, own, 0) + alike * middle) / weight, middle)
    away = level - centre
    spread = _site_spread(np.where(known, away, np.nan), peers.site, pooled)
    spread = np.maximum(spread, noise)
    doubt = np.where(known, _MEDIAN * spread**2 / weight, between**2)
    total = np.sqrt(spread**2 + doubt)
    z = np.where(count >= _PAST, np.nan_to_num(away / total), 0.0)
    return Departures(z, apart, centre + season, total)


def _others(values: Floats, site: Codes, reach: int | None) -> tuple[Floats, Floats]:
    """Return the median of the site's other values, and how many there are."""
    if reach is not None:
        return _neighbours(values, site, reach)
    order = np.lexsort((values, site))
    ranked, of = values[order], site[order]
    first = np.searchsorted(of, of)
    size = np.bincount(site, ~np.isnan(values))[of].astype(np.int64)
    rank = np.arange(len(of)) - first
    low, high = (size - 2) // 2, (size - 1) // 2
    both = [first + np.maximum(j, 0) + (np.maximum(j, 0) >= rank) for j in (low, high)]
    known = (size > 1) & (rank < size)
    pair = [ranked[np.minimum(at, len(of) - 1)] for at in both]
    found, count = np.full(len(of), np.nan), np.zeros(len(of))
    found[order] = np.where(known, (pair[0] + pair[1]) / 2, np.nan)
    count[order] = np.where(known, size - 1, 0)
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


def _shrunken(away: Floats, key: Codes) -> Floats:
    grouped = pd.Series(away).groupby(key, sort=False)
    size = grouped.transform("count").to_numpy(np.float64)
    middle = np.nan_to_num(grouped.transform("median").to_numpy(np.float64))
    return np.asarray(middle * size / (size + _SEASON))


def _sites(level: Floats, peers: Peers) -> tuple[Floats, float, Floats]:
    """Return what sites like this one show, how much sites differ, and how far this one is."""
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
    apart = np.nan_to_num(away / between) if enough else np.zeros(len(away))
    row = np.searchsorted(medians.index.to_numpy(), peers.site)
    return like[row], between, apart[row]


def _spread(away: Floats) -> float:
    """Return the usual size of departures, read off a central quantile."""
    known = np.abs(away[~np.isnan(away)])
    return float(np.quantile(known, _SHARE)) / _NORMAL if len(known) else 0.0


def _site_spread(away: Floats, site: Codes, pooled: float) -> Floats:
    size = np.abs(away)
    order = np.lexsort((size, site))
    of = site[order]
    first = np.searchsorted(of, of)
    count = np.bincount(site, ~np.isnan(away))[of]
    at = first + np.floor(_SHARE * np.maximum(count - 1, 0)).astype(np.int64)
    found = np.zeros(len(of))
    found[order] = np.nan_to_num(size[order][at]) / _NORMAL
    months = np.zeros(len(of))
    months[order] = count
    squares = (months * found**2 + _OWN_SPREAD * pooled**2) / (months + _OWN_SPREAD)
    return np.sqrt(squares)
