"""What a value should be by whom and when it belongs to, and how surely that is known.

A value is the sum of effects of several groupings (product, shipper, lane, the
weeks around), fitted in turn until they stay. How much a grouping matters is read
off the values (empirical Bayes: Efron and Morris, 1975): one that explains nothing
is not taken off, and a small group is trusted as far as its size warrants. Each
value is held against what the others say, never against itself, and counts
less where they are few.

Next: detectors/routes/statistical.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from detectors.routes.residuals import spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Standing", "crossed", "standing"]

_CLIPS: Final = (12.0, 6.0, 3.0, 1.7, 1.7, 1.7)
"""Residuals beyond so many spreads move no effect any further (Huber, 1964), round by round: at
first as far as whole groups may lie from each other, at last as far as single values do."""
_LOSS: Final = 1.1
"""How much the variance of a clipped mean exceeds that of a mean."""
_FAR: Final = 3.0
_CALM: Final = 4.0
"""So many imagined others stray as far as usual."""
_LEAST: Final = 1e-12
_SHARED: Final = 2.0
"""So many groups as large as the middle speak for all products in what is said of each."""


class Standing(NamedTuple):
    """Where each value stands among its like.

    Attributes:
        residual: Value less what the others let expect.
        spread: How far such residuals usually stray, the doubt about the expectation included.
    """

    residual: NDArray[np.float64]
    spread: NDArray[np.float64]


class _Grouping:
    """One grouping while effects are fitted.

    Where each of its groups lies within one group of the base, effects vary as much as those of
    that base group do: prices of one product move, those of another do not.
    """

    def __init__(self, codes: NDArray[np.int64], base: NDArray[np.int64]) -> None:
        base, self.codes = _numbered(base), _numbered(codes)
        self.size = np.bincount(self.codes).astype(np.float64)
        self.effect = np.zeros(len(self.size))
        self.between = np.zeros(len(self.size))
        """Variance of effects among those that a group is one of."""
        owner = np.zeros(len(self.size), np.int64)
        owner[self.codes] = base
        self.owner = owner if (owner[self.codes] == base).all() else np.zeros_like(owner)

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(self.codes, values, len(self.size)) / self.size, np.float64)

    def refit(
        self, rest: NDArray[np.float64], scale: NDArray[np.float64], clip: float
    ) -> NDArray[np.float64]:
        """Take the effect off anew; return what is left."""
        partial = rest + self.effect[self.codes]
        middle = self.effect + self.mean(np.clip(rest, -clip * scale, clip * scale))
        doubt = _LOSS * self.mean(scale**2) / self.size
        self.between = self._variance(middle, doubt)
        self.effect = middle * self.between / (self.between + np.maximum(doubt, _LEAST))
        return partial - self.effect[self.codes]

    def _variance(
        self, middle: NDArray[np.float64], doubt: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return how much effects vary beyond what the doubt about each explains."""
        weight = 1 / (1 + self.between / np.maximum(doubt, _LEAST)) * self.size
        excess = weight * (middle**2 - doubt)
        whole = max(float(excess.sum() / weight.sum()), 0.0)
        own = np.bincount(self.owner, excess) + _SHARED * whole * weight.mean()
        among = np.bincount(self.owner, weight) + _SHARED * weight.mean()
        return np.asarray(np.maximum(own / among, 0.0)[self.owner], np.float64)

    def without_own(
        self, rest: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each value's effect by the others of its group, and the variance of its error."""
        far = _CLIPS[-1] * scale
        own = np.clip(rest, -far, far) + self.effect[self.codes]
        others = np.bincount(self.codes, own, len(self.size))[self.codes] - own
        between, doubt = self.between[self.codes], np.maximum(_LOSS * scale**2, _LEAST)
        whole = between * (self.size[self.codes] - 1) + doubt
        return others * between / whole, between * doubt / whole


def standing(
    values: NDArray[np.float64],
    base: NDArray[np.int64],
    groupings: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    *,
    scale_by: NDArray[np.int64],
    floor: float,
    unrest: Sequence[NDArray[np.int64]] = (),
) -> Standing:
    """Hold each value against what the groups it belongs to let expect.

    Args:
        values: Finite values.
        base: Group numbers whose medians are taken for what they are, for example products.
        groupings: Group numbers whose effects are estimated, the coarser first.
        scale_by: Group numbers that have a spread of their own.
        floor: No spread is smaller.
        unrest: Group numbers in some of which everything strays further than otherwise, for
            example a site's weeks: a value counts less where the others are far out, too.
    """
    if not len(values):
        return Standing(values, values)
    parts = [_Grouping(codes, owner) for codes, owner in ((base, np.zeros_like(base)), *groupings)]
    rest = values - _medians(values, parts[0].codes)
    scale = spread(rest, scale_by, floor)
    for clip in _CLIPS:
        for part in parts:
            rest = part.refit(rest, scale, clip)
        scale = spread(rest, scale_by, floor)
    error = np.zeros(len(values))
    residual = rest.copy()
    for part in parts:
        effect, doubt = part.without_own(rest, scale)
        residual += part.effect[part.codes] - effect
        error += doubt
    wider = np.sqrt(1 + error / scale**2)
    usual = spread(residual / wider, scale_by, floor) * wider
    restless = [_unrest(residual / usual, codes) for codes in unrest]
    return Standing(residual, usual * np.max([np.ones(len(values)), *restless], axis=0))


def _unrest(z: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many times further than usual the others of each one's group stray."""
    square = np.minimum(z**2, _FAR**2)
    others = np.bincount(codes, square)[codes] - square + _CALM
    return np.asarray(np.sqrt(others / (np.bincount(codes)[codes] - 1 + _CALM)), np.float64)


def _medians(values: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    order = np.lexsort((values, codes))
    ends = np.cumsum(np.bincount(codes))
    starts = np.append(0, ends[:-1])
    low, high = (starts + ends - 1) // 2, (starts + ends) // 2
    ordered = values[order]
    return np.asarray(((ordered[low] + ordered[high]) / 2)[codes], np.float64)


def crossed(*codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the combinations of several groupings."""
    number = np.zeros(len(codes[0]), np.int64)
    for one in codes:
        again = _numbered(one)
        number = _numbered(number * (int(again.max(initial=0)) + 1) + again)
    return number


def _numbered(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number groups from 0 on without gaps, in the order of their codes."""
    low = int(codes.min(initial=0))
    width = int(codes.max(initial=0)) - low + 1
    if width > _SPARSE * len(codes):
        return np.asarray(np.unique(codes, return_inverse=True)[1], np.int64)
    there = np.zeros(width, np.int64)
    there[codes - low] = 1
    return np.asarray(np.cumsum(there)[codes - low] - 1, np.int64)


_SPARSE: Final = 16
"""A table of all codes is faster than sorting them, unless it is so many times longer."""
