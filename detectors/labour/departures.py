"""Departures: how far a month is from what its site, its peers and the season explain.

The usual is the median of the site's other months, episodes left out, drawn
towards its peers where the site has few, by as much as sites are alike. What
many sites share in one month is taken out first, and what the site itself shows
every year last: a season or a holiday accuses nobody. The spread is the site's
own, drawn towards everybody's, and never below what chance alone gives such a
figure.

Next: detectors/labour/seasons.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.labour.episodes import episodes
from detectors.labour.seasons import MEDIAN, Peers, in_common, peculiar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

__all__ = ["Departures", "Peers", "departures"]

_SHARE: Final = 0.60
_NORMAL: Final = 0.8416
"""The normal deviate below which `_SHARE` of the magnitudes lie."""
_LIKE: Final = 6.0
"""Like sites that have as much say about what is usual as all sites."""
_OWN_SPREAD: Final = 10.0
"""Months that give a site's own spread as much say as everybody's."""
_PAST: Final = 2
"""Fewer other months are no past: what is usual elsewhere alone accuses nobody."""
_SIDE: Final = 4
"""Months above, and below, the usual that tell how wide each side is."""
_LOPSIDED: Final = 1.5
_OUTSIDE: Final = 5
"""Months that are enough to be a usual."""
_SITES: Final = 8
"""Fewer sites say nothing about how much sites differ."""


class Departures(NamedTuple):
    """What became of each value.

    Attributes:
        own: Distance from what the site usually shows, in its usual spreads; 0 where unknown
            or without a past.
        site: Distance of the site as a whole from its peers, in spreads between sites.
        month: Distance of the month from the site's peers, in the same; NaN where unknown.
        centre: What would have been usual.
        spread: The usual spread around it.
    """

    own: Floats
    site: Floats
    month: Floats
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
    away = values - own
    season = in_common(away, _site_spread(away, peers.site, _spread(away)), peers)
    level = values - season
    outside = np.zeros(len(level), bool) if reach else episodes(level, peers.site, noise)
    outside = _nearer(level, outside, noise, peers)
    own, count = _others(level, peers.site, reach, outside)
    middle, between, apart, month = _sites(np.where(outside, np.nan, level), noise, peers)
    pooled = _spread(level - own)
    alike = pooled**2 / max(between**2, 1e-30) if pooled else 0.0
    known = count > 0
    weight = np.where(known, count + alike, 1.0)
    centre = np.where(known, (count * np.where(known, own, 0) + alike * middle) / weight, middle)
    away = level - centre
    spread = _site_spread(np.where(known & ~outside, away, np.nan), peers.site, pooled)
    spread = np.maximum(spread, noise)
    doubt = np.where(known, MEDIAN * spread**2 / weight, between**2)
    total = np.sqrt(spread**2 + doubt)
    z = np.where(count >= _PAST, np.nan_to_num(away / total), 0.0)
    shown = np.where(count >= _PAST, np.nan_to_num((values - centre) / total), 0.0)
    own = peculiar(z, shown, away, peers)
    return Departures(own, apart, month, centre + season, total)


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


def _nearer(
    level: Floats, outside: NDArray[np.bool_], noise: Floats, peers: Peers
) -> NDArray[np.bool_]:
    """Return what lies outside the usual, where of two levels the one that peers have is usual.

    A wrong that a record begins with looks like the usual, and its end like an episode.
    """
    if not outside.any():
        return outside
    known = ~np.isnan(level)
    inner, outer = (
        pd.Series(np.where(part, level, np.nan)).groupby(peers.site)
        for part in (known & ~outside, known & outside)
    )
    middle, between, *_ = _sites(np.where(outside, np.nan, level), noise, peers)
    away = [(each.transform("median") - middle).abs() for each in (inner, outer)]
    enough = (outer.transform("count") >= _OUTSIDE) & (between > 0)
    swapped = (enough & (away[0] - away[1] > between)).to_numpy()
    return np.asarray(np.where(swapped, known & ~outside, outside))


def _sites(level: Floats, noise: Floats, peers: Peers) -> tuple[Floats, float, Floats, Floats]:
    """Return what sites like this one show, how much sites differ, how far this one and its month.

    What chance gives a month counts in full: at a small site it may lie to one side for years.
    """
    medians = pd.Series(level).groupby(peers.site).median()
    first = np.searchsorted(peers.site, medians.index.to_numpy())
    group = peers.group[first]
    whole = float(medians.median()) if medians.notna().any() else 0.0
    grouped = medians.groupby(group)
    size = grouped.transform("count").to_numpy(np.float64)
    like = np.nan_to_num(grouped.transform("median").to_numpy(np.float64), nan=whole)
    like = (size * like + _LIKE * whole) / (size + _LIKE)
    away = medians.to_numpy(np.float64) - like
    between = _spread(away)
    enough = np.count_nonzero(~np.isnan(away)) >= _SITES and between > 0
    chance = pd.Series(noise).groupby(peers.site).median().to_numpy(np.float64)
    wide = np.hypot(between, chance)
    apart = np.nan_to_num(away / wide) if enough else np.zeros(len(away))
    row = np.searchsorted(medians.index.to_numpy(), peers.site)
    month = (level - like[row]) / np.maximum(wide[row], 1e-30) if enough else np.zeros(len(level))
    return like[row], between, apart[row], np.asarray(month)


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
