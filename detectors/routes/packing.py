"""What packing adds to a weight, by how much there is of a product.

Few pieces share a carton, a reel or a pallet as many do. Its part falls with the amount, at first
as fast as the amount rises and then hardly any more, and it rises in steps: one piece more than
a pallet holds is a second pallet. Where a step lies is not known, so a load is held against those
of a little less and those of a little more alike; what lies between the two is ordinary.

Next: detectors/routes/residuals.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.routes.additive import crossed, steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.routes.additive import Effects

__all__ = [
    "ABOUT",
    "BESIDE",
    "DOUBT",
    "PARTS",
    "SAME_AMOUNT",
    "beyond",
    "packing",
    "roughly",
    "size",
    "sizes",
    "wider",
]

ABOUT: Final = 3
"""Loads of about one size are within so many factors of two."""
PARTS: Final = 4
"""Within a quarter of a factor of two, few loads lie on both sides of a step."""
SAME_AMOUNT: Final = 3
"""So many loads of exactly one amount tell how that much is packed."""
BESIDE: Final = 3
"""The middle one of so many on a side, which a single odd one does not move, speaks for it."""
DOUBT: Final = 1.4
"""A side says something else than all together where it lies off by more than chance explains: so
many usual spreads."""
_REACH: Final = 0.5
"""Loads beside each other are within so many factors of two."""


def size(amount: NDArray[np.float64], parts: int = 1) -> NDArray[np.int64]:
    """Return the size of amounts, to a factor of two or a part of it.

    A round amount is the largest of its size: 64 may just fill what 65 do not go into.
    """
    return np.asarray(np.ceil(np.log2(amount) * parts), np.int64)


def sizes(window: pd.DataFrame) -> list[Effects]:
    """Return how weight per unit changes with the amount where it does so smoothly."""
    product, number = window["product"].to_numpy(), window["amount"].to_numpy()
    octave = size(number)
    same = crossed(product, octave)
    return [*_rise(window), (same, product), (same, product, np.log2(number) - octave + 0.5)]


def roughly(window: pd.DataFrame) -> list[list[Effects]]:
    """Return the same without sizes that only few loads may be of, in several ways."""
    product, octave = window["product"].to_numpy(), size(window["amount"].to_numpy())
    wide = [crossed(product, (octave + shift) // ABOUT) for shift in range(ABOUT)]
    rise = _rise(window)
    return [[*rise, (about, product)] for about in wide]


def packing(window: pd.DataFrame) -> list[Effects]:
    """Return what the weight of packing depends on; loads of exactly one amount tell it best."""
    product, number = window["product"].to_numpy(), window["amount"].to_numpy()
    exact = crossed(product, pd.factorize(number)[0])
    often = np.where(np.bincount(exact)[exact] >= SAME_AMOUNT, exact + 1, 0)
    alike = (size(number, PARTS), often)
    return [*sizes(window), *((crossed(product, one), product) for one in alike)]


def _rise(window: pd.DataFrame) -> list[Effects]:
    product = window["product"].to_numpy()
    rise, every = steps(window["amount"].to_numpy(), product), np.zeros_like(product)
    return [(product, every, rise), (product, every, np.logaddexp(0, -rise))]


def beyond(
    residual: NDArray[np.float64],
    smooth: NDArray[np.float64],
    spread: NDArray[np.float64],
    window: pd.DataFrame,
) -> NDArray[np.float64]:
    """Return how far weights lie beyond what all, those of less and those of more let expect.

    Args:
        residual: Weight less what it should be by all that is known.
        smooth: Weight less what it should be if packing had no steps.
        spread: How far residuals usually stray.
        window: The loads, with `product` and `amount`.
    """
    product, number = window["product"].to_numpy(), window["amount"].to_numpy()
    order = np.lexsort((number, product))
    goods, doublings, values = product[order], np.log2(number)[order], smooth[order]
    less = _before(goods, doublings, values)
    more = _before(goods[::-1], doublings[::-1], values[::-1])[::-1]
    low, high = np.zeros(len(window)), np.zeros(len(window))
    for side in (less, more):
        away = residual[order] - smooth[order] + side
        low = np.fmin(low, away + DOUBT * spread[order])
        high = np.fmax(high, away - DOUBT * spread[order])
    beyond = np.empty(len(window))
    beyond[order] = residual[order] - np.clip(residual[order], low, high)
    return beyond


def wider(z: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many times further than usual the middle one of each one's group strays.

    A parcel's box and ice weigh what was at hand: parcels stray many times as far as loads do, and
    what is clipped as too far to be ordinary does not tell how far.

    Args:
        z: Residuals in usual spreads.
        codes: Group number of each.

    Returns:
        At least 1: small groups are taken to stray as others do.
    """
    size = np.bincount(codes)[codes]
    middle = pd.Series(np.abs(z)).groupby(codes).transform("median").to_numpy()
    square = (size * (_MAD_TO_SIGMA * middle) ** 2 + _CALM) / (size + _CALM)
    return np.asarray(np.sqrt(np.maximum(square, 1.0)), np.float64)


_MAD_TO_SIGMA: Final = 1.4826
_CALM: Final = 16.0
"""So many imagined others stray as far as usual."""


def _before(
    product: NDArray[np.int64], doublings: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the middle one of the values just before each; NaN where too few are near."""
    before = np.full((BESIDE, len(values)), np.nan)
    for step in range(1, min(BESIDE, len(values) - 1) + 1):
        near = (product[step:] == product[:-step]) & (
            np.abs(doublings[step:] - doublings[:-step]) <= _REACH
        )
        before[step - 1, step:] = np.where(near, values[:-step], np.nan)
    return np.asarray(np.median(before, axis=0), np.float64)
