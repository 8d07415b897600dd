"""Silence: how probable it is that an honest lane of this shipper saw so few loads and no other.

Loads on a lane come at the shipper's usual rate, times how much lanes differ: most
by the shape of a gamma distribution, some of them occasional, with rates spread evenly
from nothing up. How many, and how much, is read off the lanes that saw several
loads, every answer weighed by how well it explains them.

Next: detectors/routes/likeness.py
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.chances import negative_binomial
from detectors.custody import DAY_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ONE_LOAD_DAYS", "RARE", "SHIPPER_SIZE", "WAIT_DAYS", "loads_of", "rates", "silence"]

WAIT_DAYS: Final = 60
RARE: Final = 2
"""Up to so many loads are no trade, but one deal: it may take two lorries, a fortnight apart."""
ONE_LOAD_DAYS: Final = 7
"""Shipments so near each other are one load."""
SHIPPER_SIZE: Final = 10.0
OTHERS: Final = 20.0
"""What lanes of other kinds of shippers show counts as so many lanes of the own kind."""
_SHAPES: Final = tuple(float(one) for one in np.geomspace(0.7, 8.0, 7))
_LEVELS: Final = tuple(float(one) for one in np.geomspace(0.3, 1.5, 6))
"""Against the rate of the shipper's loads: busy lanes have most of those."""
_SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7)
"""Of lanes that are occasional."""
_OCCASIONAL: Final = 0.3
"""Mean rate of occasional lanes, against the usual: near nothing every rate is as frequent."""
_TINY: Final = 1e-300
_SURE: Final = 1 - 1e-9


def loads_of(uses: pd.DataFrame) -> pd.DataFrame:
    """Count the loads of each lane, and find the first: `loads`, `first`.

    Args:
        uses: Shipments, with `lane` and `at`.
    """
    first = uses.groupby("lane")["at"].transform("min")
    load = (uses["at"] - first) // (ONE_LOAD_DAYS * DAY_US)
    loads = uses.assign(load=load).drop_duplicates(["lane", "load"]).groupby("lane").size()
    return pd.DataFrame({"loads": loads, "first": uses.groupby("lane")["at"].min()})


def rates(
    uses: pd.DataFrame, lanes: pd.DataFrame, kind: NDArray[np.int64], end: int
) -> NDArray[np.float64]:
    """Return how many loads a day are typical on a lane of each lane's shipper.

    A load speaks for its lane, so that busy lanes count more; a shipper with few loads is thought
    to be as others of its kind, and a kind with few as all.

    Args:
        uses: Shipments, with `lane` and `maker`.
        lanes: `loads_of` them, with `maker`.
        kind: Number of the kind of each lane's shipper.
        end: When the record ends.
    """
    days = ((end - lanes["first"]) / DAY_US).clip(lower=float(WAIT_DAYS))
    own = pd.Series(np.log(lanes["loads"] / days))
    rate = uses["lane"].map(own)
    usual = pd.Series(float(rate.median()), rate.index)
    for group in (uses["lane"].map(pd.Series(kind, lanes.index)), uses["maker"]):
        size = rate.groupby(group).transform("size")
        usual = (size * rate.groupby(group).transform("median") + SHIPPER_SIZE * usual) / (
            size + SHIPPER_SIZE
        )
    typical = usual.groupby(uses["lane"].to_numpy()).first()
    return np.exp(typical.reindex(lanes.index).to_numpy(np.float64))


def silence(
    loads: NDArray[np.int64], expected: NDArray[np.float64], kind: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return how probable it is that so few loads followed the first of each lane, or fewer.

    For a lane of more than `RARE` loads, that so few did as follow the first of a rare one.

    Args:
        loads: Of each lane. Those of one load are no evidence of how often that happens.
        expected: Further loads that the shipper's usual rate lets expect.
        kind: Number of the shipper's kind: lanes of one kind say most about each other.
    """
    expected = np.maximum(expected, 1e-9)
    often = loads > 1
    heights = _heights(
        loads[often] - 1, expected[often], kind[often], int(kind.max(initial=-1)) + 1
    )
    weights = _weights(heights, np.bincount(kind[often], minlength=heights.shape[-1]))
    shares = np.array(_SHARES)[:, None]
    found, more = np.zeros(len(loads)), np.minimum(loads, RARE) - 1
    for own, (shape, level) in zip(weights, product(_SHAPES, _LEVELS), strict=True):
        usual, rare = (own * (1 - shares)).sum(axis=0), (own * shares).sum(axis=0)
        found += usual[kind] * _at_most(more, level * expected, shape)
        found += rare[kind] * _at_most(more, _OCCASIONAL * expected, 1.0)
    return found


def _heights(
    more: NDArray[np.int64], mean: NDArray[np.float64], kind: NDArray[np.int64], kinds: int
) -> NDArray[np.float64]:
    """Return how well each answer explains the lanes that saw several loads, kind by kind."""
    rare = _chance(more, _OCCASIONAL * mean, 1.0), _none(_OCCASIONAL * mean, 1.0)
    heights = []
    for shape, level in product(_SHAPES, _LEVELS):
        usual = _chance(more, level * mean, shape), _none(level * mean, shape)
        for share in _SHARES:
            seen, none = ((1 - share) * a + share * b for a, b in zip(usual, rare, strict=True))
            height = np.log(np.maximum(seen, _TINY)) - np.log1p(-np.minimum(none, _SURE))
            heights.append(np.bincount(kind, height, kinds))
    found = np.array(heights, np.float64)
    return found.reshape(len(_SHAPES) * len(_LEVELS), len(_SHARES), kinds)


def _weights(heights: NDArray[np.float64], lanes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weigh each answer for each kind, by its own lanes and what the others are worth."""
    rest, others = heights.sum(axis=-1, keepdims=True) - heights, lanes.sum() - lanes
    heights = heights + rest * np.minimum(1.0, OTHERS / np.maximum(others, 1))
    weights = np.exp(heights - heights.max(axis=(0, 1)))
    return np.asarray(weights / weights.sum(axis=(0, 1)), np.float64)


def _chance(
    more: NDArray[np.int64], mean: NDArray[np.float64], shape: float
) -> NDArray[np.float64]:
    """Return how probable so many further loads are."""
    return negative_binomial(more, shape, shape / (shape + mean))


def _at_most(
    more: NDArray[np.int64], mean: NDArray[np.float64], shape: float
) -> NDArray[np.float64]:
    """Return how probable so many further loads are, or fewer; fewer than `RARE` are asked for."""
    found = _none(mean, shape)
    for number in range(1, RARE):
        some = np.flatnonzero(more >= number)
        found[some] += _chance(np.full(len(some), number), mean[some], shape)
    return found


def _none(mean: NDArray[np.float64], shape: float) -> NDArray[np.float64]:
    return np.asarray((shape / (shape + mean)) ** shape)
