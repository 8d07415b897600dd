"""Exactness: how far quantities of the same goods may differ before it means something.

As far as those of the product do otherwise, in the same record. A product whose
quantities only ever shrink on the way does not grow for the same reasons, so
gains are asked apart from losses.

Next: detectors/goods/surplus.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["LEAST_GAIN", "LEAST_LOSS", "MANY", "TOLERANCE", "gains", "holdings", "losses"]

TOLERANCE: Final = 0.05
"""Share of a quantity that weighing, rounding and ordinary loss may explain, for all we know."""
LEAST_LOSS: Final = 0.02
"""Goods dry, spill and are sampled, however exactly the others were counted."""
LEAST_GAIN: Final = 0.01
"""No scale is more exact; nothing else makes goods more."""
MANY: Final = 30
"""So many quantities of a product tell how exactly they agree otherwise."""
_OUTER, _BEYOND_OUTER, _SPREADS = 0.98, 1.6, 5.0
_SELDOM: Final = 0.02
"""Where fewer of the differences are gains, the product does not gain."""
_LEFT: Final = 0.1
"""Where more of a lot than this stayed or came from nowhere, its balance shows no exactness."""
_WITH_FEW: Final = 2.0


def losses(product: NDArray[np.int64], change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each change how far a quantity of its product may shrink, as a share.

    Args:
        product: A number for each product.
        change: Later over earlier quantity, less 1; NaN unknown.
    """
    return _limits(product, np.abs(change), LEAST_LOSS)


def gains(product: NDArray[np.int64], change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each change how far a quantity of its product may grow, as a share.

    Args:
        product: A number for each product.
        change: Later over earlier quantity, less 1; NaN unknown.
    """
    grows, moves = (change > _ROUNDING).astype(float), (np.abs(change) > _ROUNDING).astype(float)
    shares = pd.DataFrame({"grows": grows, "moves": moves}).groupby(product).transform("mean")
    shrinks = (shares["grows"] <= _SELDOM * shares["moves"].clip(lower=_SELDOM)).to_numpy()
    return _limits(product, np.where(shrinks, np.maximum(change, 0.0), np.abs(change)), LEAST_GAIN)


_ROUNDING: Final = 1e-3


def _limits(
    product: NDArray[np.int64], away: NDArray[np.float64], least: float
) -> NDArray[np.float64]:
    """Return where ordinary differences of each product end, between `least` and what is usual."""
    table = pd.Series(away)
    grouped = table.groupby(product)
    own = _end(
        grouped.transform("median").to_numpy(np.float64),
        grouped.transform(lambda one: one.quantile(_OUTER)).to_numpy(np.float64),
    )
    many = grouped.transform("count").to_numpy() >= MANY
    every = TOLERANCE
    if table.count() >= MANY:
        every = _WITH_FEW * float(_end(float(table.median()), float(table.quantile(_OUTER))))
    few = np.minimum(np.maximum(own, every), TOLERANCE)
    return np.asarray(np.maximum(np.where(many, own, few), least), np.float64)


def _end(
    middle: NDArray[np.float64] | float, outer: NDArray[np.float64] | float
) -> NDArray[np.float64]:
    return np.nan_to_num(np.maximum(_BEYOND_OUTER * outer, _SPREADS * 1.4826 * middle))


def holdings(shared: Features) -> NDArray[np.float64]:
    """Return for each lot by how much more of it may leave a site than came there, as a share.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    flows = shared.flows
    number, places = pd.factorize(flows["stock"])
    inward = (flows["sign"] > 0).to_numpy()
    amount = flows["amount"].to_numpy(np.float64)
    came = np.bincount(number[inward], amount[inward], len(places))
    left = np.bincount(number[~inward], amount[~inward], len(places))
    with np.errstate(divide="ignore", invalid="ignore"):
        change = left / came - 1
    change = np.where(np.abs(change) <= _LEFT, change, np.nan)
    product = _products(shared)
    lot = np.asarray(places, np.int64) >> 32
    # Lots of which nothing moved are asked about by nobody.
    limit = np.full(len(product), TOLERANCE)
    limit[lot] = gains(product[lot], change)
    return limit


def _products(shared: Features) -> NDArray[np.int64]:
    """Number the product of each lot."""
    named = pd.concat([shared.rows[_LOT], shared.inputs[_LOT]], ignore_index=True)
    number, lot = pd.factorize(named["product_id"])[0], named["lot"].to_numpy(np.int64)
    found = np.full(int(lot.max(initial=-1)) + 1, -1)
    found[lot] = number
    return found


_LOT: Final = ["product_id", "lot"]
