"""Stops at the limit: what an employer who sends people home in time makes equal by itself.

Where the usual week comes near the legal limit and nobody goes beyond it, the
longest weeks all end just below it: many are alike, one week repeats another,
hours spread less. So much is expected of such a month as hours that spread as
they usually do at this site, round a week within the limit, would show if
they were cut there. A sheet of which all weeks end at the limit shows more.

Next: detectors/labour/pay_signs.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.chances import beyond
from detectors.labour.hour_signs import EDGE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["by_limit"]

_FAR: Final = 3.0
"""Spreads below the limit at which it changes nothing."""
_QUARTILE: Final = 0.6745
_LEAST_SPREAD: Final = 0.05
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)


def by_limit(window: pd.DataFrame) -> pd.DataFrame:
    """Expect of months near the limit, beyond which nobody went, what stopping there makes.

    Args:
        window: What `hour_signs` and `by_clock` return, with `site`.
    """
    across, within = (_usual(window, name) for name in ("across", "within"))
    limit, low = (window[name].to_numpy(np.float64) for name in ("limit", "low"))
    with np.errstate(invalid="ignore"):
        mean = np.minimum(low + _QUARTILE * across, limit)
        stops = (window["over"].to_numpy(np.float64) == 0) & (limit - mean < _FAR * across)
    room = np.where(stops, limit - mean, np.inf)
    own = np.minimum(within, across)
    people = np.sqrt(np.maximum(across**2 - own**2, 0.0))
    cut, spread = _cut(room, own, people)
    just, before = (beyond((room - edge * EDGE) / across) for edge in (1, 3))
    heap = just - (before - just) / 4
    narrow = (_QUARTILE * across + np.minimum(room, _QUARTILE * across)) / (2 * _QUARTILE)
    week, worker = (window[f"value_{name}"] for name in ("week_to_week", "worker_to_worker"))
    again = window["chance_repeated"]
    return window.assign(
        value_under_limit=window["value_under_limit"] - np.where(stops, heap, 0.0),
        value_week_to_week=week + _narrower(own, own * spread),
        value_worker_to_worker=worker + _narrower(across, narrow),
        chance_alike=np.maximum(window["chance_alike"], beyond(room / across)),
        chance_repeated=again + (1 - again) * cut,
    )


def _usual(window: pd.DataFrame, name: str) -> Floats:
    """Return how far hours usually spread at each site in months that are far from the limit."""
    free = ~(window["limit"] - window["middle"] < _FAR * window["across"])
    site = window["site"]
    known = window[name].where(window["rows"] > 0)
    usual = known.where(free).groupby(site).transform("median")
    usual = usual.fillna(known.groupby(site).transform("median")).fillna(0.0)
    return np.asarray(np.maximum(usual.to_numpy(np.float64), _LEAST_SPREAD))


def _cut(room: Floats, own: Floats, people: Floats) -> tuple[Floats, Floats]:
    """Return how often two weeks of a worker are both cut, and what is left of their spread.

    Args:
        room: Of the mean week below the limit; infinite where nothing is cut.
        own: Spread of a worker's weeks.
        people: Spread of workers' means.
    """
    both, left = np.zeros(len(room)), np.zeros(len(room))
    for node, weight in zip(_NODES, _WEIGHTS / _WEIGHTS.sum(), strict=True):
        at = np.minimum((room - node * people) / own, 40.0)
        tail = beyond(at)
        density = np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi)
        mean = at * tail - density
        square = 1 - tail - at * density + at**2 * tail
        both += weight * tail**2
        left += weight * np.maximum(square - mean**2, 0.0)
    return both, np.sqrt(left)


def _narrower(usual: Floats, left: Floats) -> Floats:
    return np.log(usual + _LEAST_SPREAD) - np.log(left + _LEAST_SPREAD)
