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
import pandas as pd

from detectors.routes.residuals import drawn_spread, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Effects", "Standing", "crossed", "standing", "steps"]

_ROUNDS: Final = ((12.0, 1), (6.0, 1), (3.0, 1), (1.7, 1), (1.7, 4))
"""Residuals beyond so many spreads move no effect any further (Huber, 1964): at first as far as
whole groups may lie from each other, at last as far as single values do; and how often all effects
are fitted so. Those that overlap pass what is theirs to each other slowly."""
_ROUNDS_SETTLED: Final = ((12.0, 4), (3.0, 4), (1.7, 12))
"""Where partners trade at different times while a market moves far: what is not yet shared out
between them when values are clipped tightly hardly ever is."""
_LOSS: Final = 1.1
"""How much the variance of a clipped mean exceeds that of a mean."""
_FAR: Final = 3.0
_CALM: Final = 16.0
"""So many imagined others stray as far as usual: a few that stray by chance are no unrest."""
_LEAST: Final = 1e-12
_SHARED: Final = 2.0
"""So many groups as large as the middle speak for all products in what is said of each."""

Effects = (
    tuple["NDArray[np.int64]", "NDArray[np.int64]"]
    | tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]
)
"""Group numbers; the groups among which their effects vary alike; and, for slopes, the figure."""


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

    def __init__(
        self,
        codes: NDArray[np.int64],
        base: NDArray[np.int64],
        figure: NDArray[np.float64] | None = None,
    ) -> None:
        self.codes = codes
        self.figure = figure
        self.square = None if figure is None else figure**2
        self.size = self._sums(np.ones(len(codes)))
        self.effect = np.zeros(len(self.size))
        self.between = np.zeros(len(self.size))
        """Variance of effects among those that a group is one of."""
        owner = np.zeros(len(self.size), np.int64)
        owner[self.codes] = base
        self.owner = owner if (owner[self.codes] == base).all() else np.zeros_like(owner)

    def _sums(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the values of each group weigh together."""
        each = weight if self.square is None else weight * self.square
        return np.asarray(np.bincount(self.codes, each), np.float64)

    def at(self, effect: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what an effect of each group is at each value."""
        each = effect[self.codes]
        return each if self.figure is None else each * self.figure

    def weigh(self, weight: NDArray[np.float64]) -> None:
        """Let each value count for so much from now on."""
        self.weight = weight if self.figure is None else weight * self.figure
        self.share = self._sums(weight) + _LEAST

    def refit(self, rest: NDArray[np.float64], far: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the effect off anew; return what is left."""
        pull = np.minimum(rest, far)
        np.maximum(pull, -far, out=pull)
        pull *= self.weight
        middle = self.effect + np.bincount(self.codes, pull) / self.share
        doubt = _LOSS / self.share
        self.between = self._variance(middle, doubt)
        moved = middle * self.between / (self.between + doubt) - self.effect
        self.effect += moved
        return rest - self.at(moved)

    def _variance(
        self, middle: NDArray[np.float64], doubt: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return how much effects vary beyond what the doubt about each explains."""
        weight = self.size * doubt / (doubt + self.between) + _LEAST
        excess = weight * (middle**2 - doubt)
        whole = max(float(excess.sum() / weight.sum()), 0.0)
        own = np.bincount(self.owner, excess) + _SHARED * whole * weight.mean()
        among = np.bincount(self.owner, weight) + _SHARED * weight.mean()
        return np.asarray(np.maximum(own / among, 0.0)[self.owner], np.float64)

    def without_own(
        self, near: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return each value's effect by the others of its group, and the variance of its error.

        Args:
            near: What no effect explains, clipped.
        """
        own = (near + self.at(self.effect)) * self.weight
        others = np.bincount(self.codes, own)[self.codes] - own
        share = self.weight if self.figure is None else self.weight * self.figure
        known = np.maximum(self.share[self.codes] - share, 0.0)
        between = self.between[self.codes]
        under = between * known + _LOSS
        effect, doubt = others * between / under, _LOSS * between / under
        if self.figure is None or self.square is None:
            return effect, doubt
        return effect * self.figure, doubt * self.square


def standing(
    values: NDArray[np.float64],
    base: NDArray[np.int64],
    groupings: Sequence[Effects],
    *,
    scale_by: NDArray[np.int64],
    floor: float,
    grain: NDArray[np.float64] | None = None,
    unrest: Sequence[NDArray[np.int64]] = (),
    alike: bool = False,
    settled: bool = False,
) -> Standing:
    """Hold each value against what the groups it belongs to let expect.

    Args:
        values: Finite values.
        base: Group numbers whose medians are taken for what they are, for example products.
        groupings: Whose effects are estimated, the likelier first: of two that may explain the
            same, the first one begins with all of it.
        scale_by: Group numbers that have a spread of their own.
        floor: No spread is smaller.
        grain: How far each value may be off by the digits it was written with, as a standard
            deviation.
        unrest: Group numbers in some of which everything strays further than otherwise, for
            example a site's weeks: a value counts less where the others are far out, too.
        alike: Whether groups differ in their spread mostly by chance (`drawn_spread`), and the
            ordinary lies out on neither side.
        settled: Whether groups lie far apart by what several may explain, such as partners
            of other months in a market that moves: they are fitted for longer.
    """
    if not len(values):
        return Standing(values, values)
    usual_of = drawn_spread if alike else spread
    parts = _parts(base, groupings)
    rest = values - _medians(values, parts[0].codes)
    coarse = np.zeros(len(values)) if grain is None else grain**2
    scale = usual_of(rest, scale_by, floor)
    for clip, times in _ROUNDS_SETTLED if settled else _ROUNDS:
        whole = scale**2 + coarse
        far, weight = clip * np.sqrt(whole), 1 / whole
        for part in parts:
            part.weigh(weight)
        for _ in range(times):
            for part in parts:
                rest = part.refit(rest, far)
        scale = usual_of(rest / np.sqrt(1 + coarse / scale**2), scale_by, floor)
    near = np.clip(rest, -far, far)
    error = coarse.copy()
    residual = rest.copy()
    for part in parts:
        effect, doubt = part.without_own(near)
        residual += part.at(part.effect) - effect
        error += doubt
    wider = np.sqrt(1 + error / scale**2)
    usual = usual_of(residual / wider, scale_by, floor) * wider
    restless = [_unrest(residual / usual, codes) for codes in unrest]
    return Standing(residual, usual * np.max([np.ones(len(values)), *restless], axis=0))


def _parts(base: NDArray[np.int64], groupings: Sequence[Effects]) -> list[_Grouping]:
    """Make the groupings, the base first; what several of them name is numbered once."""
    known: dict[int, NDArray[np.int64]] = {}
    every = np.zeros_like(base)
    for one in ((base, every), *groupings):
        for codes in one[:2]:
            if id(codes) not in known:
                known[id(codes)] = _numbered(codes)
    return [
        _Grouping(known[id(codes)], known[id(owner)], *figure)
        for codes, owner, *figure in ((base, every), *groupings)
    ]


def _unrest(z: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how many times further than usual the others of each one's group stray."""
    square = np.minimum(z**2, _FAR**2)
    others = np.bincount(codes, square)[codes] - square + _CALM
    return np.asarray(np.sqrt(others / (np.bincount(codes)[codes] - 1 + _CALM)), np.float64)


def _medians(values: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    middle = pd.Series(values).groupby(codes).median()
    return np.asarray(middle, np.float64)[codes]


def steps(figures: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the logarithm of figures above 0, less the middle one of each one's group."""
    logs = np.log(figures)
    return np.asarray(logs - _medians(logs, _numbered(codes)), np.float64)


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
