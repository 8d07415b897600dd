"""On which scale values spread alike to both sides: hours, their roots or their logarithms.

Stays of some trades vary by hours, of others by a factor. On the wrong scale one
tail is long for no reason, and what is far out there is hidden by it or looks
strange. The scale is read off the values' own middle.

Next: detectors/routes/tails.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Scale", "most_even", "outer_reach"]

_POWERS: Final = (0.0, 1 / 3, 0.5, 1.0)
"""Cube roots of waits that add up from parts are all but normal (Wilson and Hilferty, 1931)."""
_LOW, _HIGH = 0.1, 0.9
_LEAST: Final = 12
"""Fewer values of a group do not show how they are spread."""


class Scale(NamedTuple):
    """A power that values are raised to; 0 is the logarithm."""

    power: float

    def values(self, positive: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bring positive values to the scale."""
        if self.power:
            return np.asarray(positive**self.power, np.float64)
        return np.log(positive)

    def back(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the positive values that lie there on the scale."""
        if self.power:
            return np.asarray(np.maximum(values, 0.0) ** (1 / self.power), np.float64)
        return np.exp(values)

    def floor(self, share: float, least: float) -> float:
        """Return the least spread on the scale: a share on the logarithmic, else an amount."""
        return float(least**self.power * self.power) if self.power else share


def most_even(positive: NDArray[np.float64], codes: NDArray[np.int64]) -> Scale:
    """Choose the scale on which the groups' upper and lower halves are most alike.

    Args:
        positive: Values.
        codes: Group number of each; every group of some size has a say by its size.
    """
    size = np.bincount(codes)[codes] if len(codes) else codes
    some = size >= _LEAST
    if not some.any():
        return Scale(0.0)

    def unevenness(power: float) -> float:
        grouped = pd.Series(Scale(power).values(positive[some])).groupby(codes[some])
        low, middle, high = (grouped.quantile(q) for q in (_LOW, 0.5, _HIGH))
        skew = (high + low - 2 * middle) / (high - low).where(high > low)
        weight = grouped.size()[skew.notna()]
        return abs(float(np.average(skew.dropna(), weights=weight))) if len(weight) else 0.0

    return Scale(min(_POWERS, key=unevenness))


def outer_reach(z: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many times further the outer ones of each one's group lie than those of all.

    Where a load leaves at once or when patience ends, or a port is full now and then, the middle
    does not tell how far the outer ones lie.

    Args:
        z: Residuals in the usual spreads of their groups, by the middle of these.
        codes: Group number of each.

    Returns:
        At least 1: groups whose outer ones lie nearer are as few as their size is small.
    """
    if not len(z):
        return z
    away = np.abs(z)
    every = float(np.quantile(away, _OUTER))
    grouped = pd.Series(away).groupby(codes, sort=False)
    size, own = (grouped.transform("size").to_numpy(), grouped.quantile(_OUTER))
    far = own.reindex(codes).to_numpy()
    both = (size * far**2 + _POOL * every**2) / (size + _POOL)
    return np.asarray(np.maximum(np.sqrt(both) / max(every, _TINY), 1.0), np.float64)


_OUTER: Final = 0.85
"""Fewer than three in twenty are wrong at any one place."""
_POOL: Final = 20.0
"""A group of this size has as much say about its own reach as all groups together."""
_TINY: Final = 1e-9
