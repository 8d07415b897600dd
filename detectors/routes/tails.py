"""How rare a residual is, when neither its tails nor the share of wrong ones are known.

Most residuals are ordinary, with some spread and tails between lighter than normal
and those of a Student t; up to one in a hundred may be anything. Every such
combination is weighed by how well it explains what was seen, what lies far out
counting only as so many. The p-value lies half-way, in logarithms, between the mean
over all of them, which the most cautious few decide, and what they say on average, so
that few residuals, or ones whose tails are in doubt, give cautious p-values. What strays far
to one side, as prices do upwards and temperatures where doors stand open, is held
against that side; what the other one shows is taken for likely, not for certain.

Next: detectors/routes/statistical.py
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from detectors.chances import t_beyond, t_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Tails", "weigh"]

_DOF: Final = (3.0, 4.0, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0, 60.0)
_POWERS: Final = (1.0, 1.5, 2.0, 2.5, 3.0)
"""Densities that fall as exp(-x^power); 2 is the normal one, more is lighter."""
_LOW: Final = 0.6
_EVERY: Final = range(len(_DOF) + len(_POWERS))
_SCALES: Final = np.geomspace(0.75, 1.33, 24)
"""Scales tried, against the one that puts 60 % where they are."""
_BEYOND: Final = 2.8
"""Residuals beyond so many scales count only as so many."""
_BINS: Final = 28
_OUTER: Final = (3.3, 3.9, 4.7, 5.8, 7.2, 9.0, 12.0, 16.0, 24.0)
_DOUBT: Final = 1e-3
_LOPSIDED: Final = 0.03
"""How probable it is beforehand that the two sides have nothing in common."""
_GRID: Final = np.geomspace(1e-3, 1e4, 900)
_TINY: Final = 1e-300
_FARTHEST: Final = 1e-40
"""No null says more than this; beyond, light ones would outvote all others."""


class Tails(NamedTuple):
    """What is left to know of a null: p-values by distance from the centre.

    Attributes:
        centre: Their median.
        scale: The unit of the distances.
        above: Logarithms of p-values of both sides together, were the lower side as the upper is.
        below: And the other way round.
    """

    centre: float
    scale: float
    above: NDArray[np.float64]
    below: NDArray[np.float64]

    def p_values(
        self, residuals: NDArray[np.float64], side: Literal["both", "upper"]
    ) -> NDArray[np.float64]:
        """Return how probable a residual at least as far out is, on one side or both."""
        away = (residuals - self.centre) / self.scale
        upper, lower = (
            np.exp(np.interp(np.abs(away), _GRID, log_p)) for log_p in (self.above, self.below)
        )
        if side == "both":
            return np.where(away > 0, upper, lower)
        return np.where(away > 0, upper / 2, 1 - lower / 2)


@dataclass(frozen=True, slots=True, eq=False)
class _Wrong:
    """What is thought possible of residuals that are no sample of the ordinary.

    Attributes:
        edges: Residuals are told apart by these distances; beyond the last they count as so many.
        shares: How many may be wrong, and how probable that was beforehand.
        among: How the wrong ones are spread over the distances.
    """

    edges: NDArray[np.float64]
    shares: Mapping[float, float]
    among: NDArray[np.float64]


def weigh(
    residuals: NDArray[np.float64],
    side: Literal["both", "upper"],
    *,
    least: float,
    stands_off: bool = False,
) -> Tails | None:
    """Weigh all nulls against residuals of which most are ordinary.

    Args:
        residuals: Finite values.
        side: "upper" goes by the upper half alone: for residuals that are skewed.
        least: No null is narrower than this scale.
        stands_off: Whether what is wrong may be expected to stand off, anywhere from 4 scales on:
            then a gap before the farthest ones tells of light tails.

    Returns:
        What they say together, or None where the residuals do not spread.
    """
    if not len(residuals):
        return None
    centre = float(np.median(residuals))
    away = residuals - centre
    upper, lower = away[away > 0], -away[away < 0]
    both = upper if side == "upper" else np.concatenate([upper, lower])
    middle = float(np.quantile(both, _LOW)) if len(both) else 0.0
    if middle <= 0:
        return None
    scale = max(middle / _NORMAL_LOW, least)
    wrong = _STANDING_OFF if stands_off else _ANYTHING
    if side == "upper":
        log_p = _mean_p(_weights(_heights(upper / scale, wrong)))
        return Tails(centre, scale, log_p, log_p)
    heights = [_heights(half / scale, wrong) for half in (upper, lower)]
    above, below = (
        _mean_p(_weights(own + np.log(_expected(_weights(other)))))
        for own, other in (heights, heights[::-1])
    )
    return Tails(centre, scale, above, below)


_NORMAL_LOW: Final = 0.8416
_NORMAL_AT: Final = (len(_DOF) + _POWERS.index(2.0)) * len(_SCALES) + int(_SCALES.searchsorted(1))
_EDGES: Final = np.linspace(0, _BEYOND, _BINS + 1)
_ANYTHING: Final = _Wrong(
    _EDGES, {0.0: 1.0, 0.002: 1.0, 0.005: 1.0, 0.01: 1.0}, np.eye(_BINS + 1)[-1]
)
_FROM, _TO = 4.0, _OUTER[-1]


def _evenly(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread wrong ones evenly over the logarithms of distances: no size is the likeliest."""
    below = np.log(np.clip(edges, _FROM, _TO) / _FROM) / np.log(_TO / _FROM)
    return np.append(np.diff(below), 0.0)


_STANDING_OFF: Final = _Wrong(
    np.append(_EDGES, _OUTER),
    {0.0: 0.30, 0.004: 0.25, 0.01: 0.20, 0.02: 0.15, 0.04: 0.10},
    _evenly(np.append(_EDGES, _OUTER)),
)
"""Two in a hundred may be wrong, and all of them on one side: goods thaw more often than freeze."""


def _heights(away: NDArray[np.float64], wrong: _Wrong) -> NDArray[np.float64]:
    """Return how well distances in scales fit each share of wrong ones and null, as logarithms."""
    beyond = np.count_nonzero(away > wrong.edges[-1])
    counts = np.append(np.histogram(away, wrong.edges)[0], beyond).astype(np.float64)
    shares, heights = _shares(wrong), []
    for share, before in wrong.shares.items():
        seen = (1 - share) * shares + share * wrong.among
        heights.append(np.log(np.maximum(seen, _TINY)) @ counts + np.log(before))
    return np.array(heights)


def _weights(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how probable each null is, whatever the share of wrong ones."""
    weight = np.exp(heights - heights.max()).sum(axis=0)
    return np.asarray(weight / weight.sum())


def _expected(other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how probable each null of one side is, before it is looked at, by the other side's."""
    return (1 - _LOPSIDED) * other + _LOPSIDED / len(other)


def _mean_p(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log of the p-value at each distance of the grid, out of those of all nulls."""
    weight = weight.copy()
    # Lighter than normal is never so sure that nothing else is thought possible.
    weight[_NORMAL_AT] += _DOUBT
    weight /= weight.sum()
    cautious = np.log(np.maximum(weight @ _rare(), _TINY))
    return np.asarray((cautious + weight @ _log_rare()) / 2, np.float64)


@cache
def _shares(wrong: _Wrong) -> NDArray[np.float64]:
    """Return, for each null and scale, the share of the ordinary at each distance."""
    inside = [np.diff(1 - _beyond(one, wrong.edges / _SCALES[:, None]), axis=1) for one in _EVERY]
    shares = np.concatenate(inside)
    return np.concatenate([shares, 1 - shares.sum(axis=1, keepdims=True)], axis=1)


@cache
def _rare() -> NDArray[np.float64]:
    """Return, for each null and scale, the share of the ordinary beyond each distance."""
    return np.concatenate([_beyond(one, _GRID / _SCALES[:, None]) for one in _EVERY])


@cache
def _log_rare() -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(_rare(), _FARTHEST)))


def _beyond(number: int, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of one null's magnitudes beyond each distance."""
    from scipy import special  # noqa: PLC0415 - 0.3 s, only for statistical detectors

    unit = _units()[number]
    if number < len(_DOF):
        return np.asarray(2 * t_beyond(at * unit, _DOF[number]))
    power = _POWERS[number - len(_DOF)]
    return np.asarray(special.gammaincc(1 / power, (at * unit) ** power))


@cache
def _units() -> tuple[float, ...]:
    """Return for each null what makes its 60 % quantile that of a normal one of scale 1."""
    from scipy import special  # noqa: PLC0415 - as above

    own = [float(t_quantile((1 + _LOW) / 2, dof)) for dof in _DOF]
    own += [float(special.gammaincinv(1 / power, _LOW) ** (1 / power)) for power in _POWERS]
    return tuple(one / _NORMAL_LOW for one in own)
