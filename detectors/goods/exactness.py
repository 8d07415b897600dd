"""Exactness: how far quantities of the same goods may differ before it means something.

As far as those of the product do otherwise, in the same record. Goods that
shrink on the way do not grow for the same reasons, so gains are asked apart
from losses, each from the middle of all.

Next: detectors/goods/surplus.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.past import past
from detectors.units import PIECE, is_measure, unit_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = [
    "ANY",
    "BEYOND_OUTER",
    "LEAST_GAIN",
    "LEAST_LOSS",
    "MANY",
    "OUTER",
    "TOLERANCE",
    "by_product",
    "counted",
    "gains",
    "holding_limits",
    "holdings",
    "losses",
    "resolution",
    "weighing_steps",
]

TOLERANCE: Final = 0.05
"""Share of a quantity that weighing, rounding and ordinary loss may explain, for all we know."""
LEAST_LOSS: Final = 0.02
"""Goods dry, spill and are sampled, however exactly the others were counted."""
LEAST_GAIN: Final = 0.01
"""No scale is more exact; nothing else makes goods more."""
MANY: Final = 30
"""So many quantities of a product tell how exactly they agree otherwise."""
OUTER, BEYOND_OUTER = 0.98, 2.5
"""One in fifty may be wrong; what is ordinary ends at five normal spreads."""
_LEFT: Final = 0.1
"""Where more of a lot than this stayed or came from nowhere, its balance shows no exactness."""
_WITH_FEW: Final = 2.0
ANY: Final = 1e9
"""A limit where quantities say nothing: a form was filled in with one number."""
_ROUNDED: Final = 1 + 1e-9


def losses(product: NDArray[np.int64], change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each change how far a quantity of its product may shrink, as a share.

    Args:
        product: A number for each product.
        change: Later over earlier quantity, less 1; NaN unknown.
    """
    return _limits(product, -change, LEAST_LOSS)


def gains(product: NDArray[np.int64], change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each change how far a quantity of its product may grow, as a share.

    Args:
        product: A number for each product.
        change: Later over earlier quantity, less 1; NaN unknown.
    """
    return _limits(product, change, LEAST_GAIN)


def _limits(
    product: NDArray[np.int64], way: NDArray[np.float64], least: float
) -> NDArray[np.float64]:
    """Return where ordinary differences of each product end on one side, at `least` or beyond."""
    table = pd.Series(way)
    grouped = table.groupby(product)
    many = grouped.transform("count").to_numpy() >= MANY
    middle, outer = grouped.median(), grouped.quantile(OUTER)
    own = pd.Series(_end(middle, outer), index=middle.index).reindex(product).to_numpy()
    every = TOLERANCE
    if table.count() >= MANY:
        every = _WITH_FEW * float(_end(float(table.median()), float(table.quantile(OUTER))))
    few = np.minimum(np.maximum(np.nan_to_num(own), every), TOLERANCE)
    return np.asarray(np.maximum(np.where(many, own, few), least), np.float64)


def _end(middle: pd.Series | float, outer: pd.Series | float) -> NDArray[np.float64]:
    return np.asarray(middle + BEYOND_OUTER * (outer - middle), np.float64)


def counted(products: pd.DataFrame) -> pd.Series:
    """Return the ids of the products that are counted in pieces.

    Args:
        products: A `products.catalogue`.
    """
    return products.loc[unit_names(products["unit"]) == PIECE, "product_id"]


def resolution(shared: Features) -> NDArray[np.float64]:
    """Return for each of `rows` the step in which its product is weighed; 0 for what is counted.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    steps = shared.yardstick(weighing_steps)
    names = [*shared.products["product_id"].astype("str"), ""]
    own = np.array([steps.get(name, 0.0) for name in names])
    return np.asarray(own[shared.rows["product"].to_numpy()], np.float64)


@past
def weighing_steps(shared: Features) -> dict[str, float]:
    """Return the step in which each product is weighed."""
    rows = shared.rows
    product, unit = rows["product"].to_numpy(), unit_names(shared.products["unit"])
    weighed = np.append(unit.map(is_measure).to_numpy(bool), False)
    amount = np.where(weighed[product], rows["amount"].to_numpy(np.float64), np.nan)
    step = np.zeros(len(weighed))
    for digits in range(_DIGITS, -1, -1):
        finer = np.abs(amount - np.round(amount, digits)) > 10.0 ** -(_DIGITS + 2)
        coarse = np.ones(len(weighed), bool)
        coarse[product[finer]] = False
        step = np.where(coarse & weighed, 10.0**-digits, step)
    seen = np.unique(product[product >= 0])
    names = shared.products["product_id"].astype("str").to_numpy(object)[seen]
    return {str(name): float(one) for name, one in zip(names, step[seen], strict=True) if one}


_DIGITS: Final = 3
"""More decimals than this are a converted unit, not a scale's."""


def holdings(shared: Features) -> NDArray[np.float64]:
    """Return for each lot by how much more of it may leave a site than came there, as a share.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    usual = shared.yardstick(holding_limits)
    number, names, lot = _products(shared)
    limit = np.full(int(lot.max(initial=-1)) + 1, usual.get("", TOLERANCE))
    own = np.array([usual.get(str(name), usual.get("", TOLERANCE)) for name in names])
    known = number >= 0
    limit[lot[known]] = own[number[known]]
    return limit


@past
def holding_limits(shared: Features) -> dict[str, float]:
    """Return by how much more may leave a site than came, by product; "" for any other."""
    flows = shared.flows
    number, places = pd.factorize(flows["stock"])
    inward = (flows["sign"] > 0).to_numpy()
    amount = flows["amount"].to_numpy(np.float64)
    came = np.bincount(number[inward], amount[inward], len(places))
    left = np.bincount(number[~inward], amount[~inward], len(places))
    with np.errstate(divide="ignore", invalid="ignore"):
        change = left / came - 1
    change = np.where(np.abs(change) <= _LEFT, change, np.nan)
    number, names, lots = _products(shared)
    product = np.full(int(lots.max(initial=-1)) + 1, -1)
    product[lots] = number
    product = product[np.asarray(places, np.int64) >> 32]
    limits = by_product(gains, product, names, change)
    return limits | dict.fromkeys(_one_value(shared, names[product[left > came * _ROUNDED]]), ANY)


def _one_value(shared: Features, overdrawn: NDArray[np.object_]) -> list[str]:
    """List the products of which every quantity is the same, although lots are divided.

    Args:
        shared: Features of the run.
        overdrawn: The product of each lot of which more left a site than came.
    """
    amount = shared.rows["amount"].groupby(shared.rows["product_id"])
    lots = shared.rows.groupby("product_id")["lot"].nunique()
    often = pd.Series(overdrawn).value_counts().reindex(lots.index, fill_value=0)
    one, many = (amount.max() == amount.min()), amount.count() >= MANY
    same = one & many & (often > _LEFT * lots)
    if 2 * same.sum() > many.sum():
        # Most goods are filled in so: those with few quantities of one number are, too.
        same |= one & ~many
    return sorted(map(str, same.index[same.to_numpy(bool)]))


def by_product(
    limits: Callable[[NDArray[np.int64], NDArray[np.float64]], NDArray[np.float64]],
    product: NDArray[np.int64],
    names: NDArray[np.object_],
    change: NDArray[np.float64],
) -> dict[str, float]:
    """Return limits of changes by the name of the product, as round numbers; "" for any other.

    Args:
        limits: `gains` or `losses`.
        product: Number of the product of each change, -1 for none.
        names: Of the products.
        change: As for `limits`.
    """
    # One more change, of no product and of unknown size, tells what any other product may do.
    whole = np.append(product, len(names))
    limit = np.ceil(limits(whole, np.append(change, np.nan)) / _STEP) * _STEP
    own, first = np.unique(whole, return_index=True)
    by_number = dict(zip(own.tolist(), limit[first].tolist(), strict=True))
    found = zip([*map(str, names), ""], range(len(names) + 1), strict=True)
    return {name: by_number[one] for name, one in found if one in by_number}


_STEP: Final = 0.001
"""Limits are round numbers: what came in late moves none of them by less."""


def _products(
    shared: Features,
) -> tuple[NDArray[np.int64], NDArray[np.object_], NDArray[np.int64]]:
    """Number the product of every row and input; return numbers, products and lots."""
    named = pd.concat([shared.rows[_LOT], shared.inputs[_LOT]], ignore_index=True)
    number, names = pd.factorize(named["product_id"])
    return number, np.asarray(names, object), named["lot"].to_numpy(np.int64)


_LOT: Final = ["product_id", "lot"]
