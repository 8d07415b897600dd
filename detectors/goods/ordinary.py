"""Ordinary: what differs between what left and what arrived, where nobody did anything wrong.

Where a product's own hand-overs are few, one that is wrong widens what counts as ordinary.
How far the outermost ones lie out is much the same for all goods that are weighed: that
is read off all products together, in spreads of each, without what lies beyond. Pieces are
counted, and slips of counting happen in whole pieces, however many there are.

Next: detectors/goods/handovers.py
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import at
from detectors.goods.exactness import (
    BEYOND_OUTER,
    LEAST_GAIN,
    LEAST_LOSS,
    MANY,
    OUTER,
    counted,
    gains,
    losses,
)
from detectors.past import past

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["counted_ships", "grows", "is_surprising", "miscounts", "received", "shrinks"]

_INNER: Final = 0.8
"""Of the differences to one side: what is wrong is rarer than a fifth."""
_ONE_SIDE: Final = 0.35
"""Fewer differences than this share to one side are no spread, but what is rounded away."""
_PASSES: Final = 3
_SLIPS: Final = 0.01
"""Miscounted at least so often, pieces that are missing say nothing."""
_MOST_PIECES: Final = 3
"""More pieces than this are no slip of counting."""
_OFTEN: Final = 3
"""A slip of so many pieces that was seen less often is no habit."""
_SURPRISE: Final = 0.05


def received(shared: Features) -> pd.DataFrame:
    """Return the consignments of which it is known how much left and how much arrived."""
    sent = shared.consignments
    return sent[(sent["receipts"] > 0) & sent["shipped"].notna() & sent["received"].notna()]


def shrinks(product: NDArray[np.int64], change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each change how far a quantity of its product may shrink on its way.

    Args:
        product: A number for each product.
        change: Later over earlier quantity, less 1; NaN unknown.
    """
    return _limits(product, -change, losses(product, change), LEAST_LOSS)


def grows(product: NDArray[np.int64], change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each change how far a quantity of its product may grow on its way.

    Args:
        product: A number for each product.
        change: Later over earlier quantity, less 1; NaN unknown.
    """
    return _limits(product, change, gains(product, change), LEAST_GAIN)


def _limits(
    product: NDArray[np.int64],
    way: NDArray[np.float64],
    own: NDArray[np.float64],
    least: float,
) -> NDArray[np.float64]:
    """Return where all products together say that ordinary differences end, if that is nearer."""
    grouped = pd.Series(way).groupby(product)
    middle = grouped.transform("median").to_numpy()
    side = pd.Series(np.where(way > middle, way - middle, np.nan)).groupby(product)
    many = grouped.transform("count").to_numpy()
    spread = side.transform("quantile", _INNER).to_numpy()
    weighed = (many >= MANY) & (side.transform("count").to_numpy() >= _ONE_SIDE * many)
    out = np.where(weighed & (spread > 0), way - middle, np.nan) / np.where(spread > 0, spread, 1.0)
    limit = own
    for _ in range(_PASSES):
        held = out[(out > 0) & (way <= limit)]
        if len(held) < MANY:
            return own
        end = BEYOND_OUTER * float(np.quantile(held, 1 - 2 * (1 - OUTER)))
        nearer = np.maximum(middle + spread * end, least)
        limit = np.where(np.isnan(out), own, np.minimum(own, nearer))
    return limit


def counted_ships(shared: Features, position: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the rows at `position` whose goods are counted in pieces."""
    names = at(shared.rows["product_id"], position)
    return np.asarray(names.isin(counted(shared.products)), bool)


@past
def miscounts(shared: Features) -> int:
    """Return by how many pieces counts of the same goods often differ; 0 where they agree."""
    sent = received(shared)
    pieces = sent[counted_ships(shared, sent["ship"].to_numpy(np.int64))]
    off = (pieces["received"] - pieces["shipped"]).abs().to_numpy(np.float64)
    times = [int((off == number).sum()) for number in range(1, _MOST_PIECES + 1)]
    if len(off) < MANY or sum(times) < _SLIPS * len(off):
        return 0
    return max((number for number, often in enumerate(times, 1) if often >= _OFTEN), default=0)


def is_surprising(found: int, expected: float) -> bool:
    """Tell whether chance seldom brings so many, 1 or more, where so many are expected.

    Args:
        found: How many there are.
        expected: How many there should be on average; their number is Poisson's.
    """
    term = below = math.exp(-expected)
    for number in range(1, found):
        term *= expected / number
        below += term
    return 1 - below < _SURPRISE
