"""Nulls: how strange is strange, when most of what we see is ordinary.

A peer residual is centred by its median; scale and Student-t degrees of
freedom come from the central quantiles of its magnitude (60 % and 90 %), which
a few per cent of anomalies hardly move. Conformal p-values calibrated on
unlabelled history flag nothing, and a normal null scaled by the median
deviation flags far too much; this flags what it promises.

Next: detectors/impossible_travel.py
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from detectors.chances import deviate, t_beyond, t_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "MOST_DOF",
    "OUTER",
    "RobustT",
    "adjust",
    "adjust_families",
    "fit",
    "members_of",
    "p_values",
    "thresholds",
]

Side = Literal["both", "upper"]

_LOW: Final = 0.60
_MIN_DOF: Final = 2.0
MOST_DOF: Final = 100.0
"""More degrees of freedom than this are as good as normal."""
OUTER: Final = 0.90
"""The outer quantile, as long as at most one in ten is wrong."""
_STRETCH: Final = 0.75
"""About the standard error of the quantiles' ratio times sqrt(n): it counts against us."""
_STRETCH_OF_SUMS: Final = {0.80: 0.75, 0.90: 0.5, 0.97: 1.5}
_USUAL_DOF: Final = 8.0
_USUAL_ROWS: Final = 150.0
"""Degrees of freedom usual for sums; with fewer rows than this they count for more than half."""
_FAR: Final = 0.002
"""A magnitude this improbable counts as outside when a null is cleaned."""
_MOST_OUTSIDE: Final = 0.12
_PASSES: Final = 2


class RobustT(NamedTuple):
    """A Student-t null: (residual - centre) / scale follows t with `dof` degrees of freedom."""

    centre: float
    scale: float
    dof: float


@cache
def _table(high: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ratio of the two quantiles of |t| and the degrees of freedom it belongs to."""
    dof = np.geomspace(_MIN_DOF, MOST_DOF, 400)[::-1]
    return t_quantile((1 + high) / 2, dof) / t_quantile((1 + _LOW) / 2, dof), dof


def fit(
    residuals: NDArray[np.float64],
    side: Side = "both",
    *,
    outer: float = OUTER,
    cleaned: bool = False,
) -> RobustT | None:
    """Fit the null to residuals of which most are ordinary.

    Args:
        residuals: Finite values.
        side: "upper" uses the upper half alone, mirrored: for scores that are skewed.
        outer: The outer quantile. Further out it tells more about the tail, which is what flags
            hang on; where more are wrong than that, the null becomes wider and flags fewer.
        cleaned: For sums of standardised departures, whose tails are light by construction. The
            lightest tail that a quantile shows counts, because what is not ordinary can only make
            quantiles larger; few rows are helped by the usual tail of such sums; and the share
            that a first fit finds far outside is left out of account in a second. These sums
            have outer quantiles of their own.

    Returns:
        The null, or None where the residuals do not spread (all equal, or most of them).
    """
    if not len(residuals):
        return None
    centre = float(np.median(residuals))
    away = residuals - centre
    away = away[away > 0] if side == "upper" else np.abs(away)
    if not len(away):
        return None
    highs = _STRETCH_OF_SUMS if cleaned else {outer: _STRETCH}
    null = _fit(away, centre, 0.0, highs, cleaned=cleaned)
    for _ in range(_PASSES if cleaned else 0):
        if null is not None:
            null = _fit(away, centre, _outside(away, null), highs, cleaned=True) or null
    return null


def _fit(
    away: NDArray[np.float64],
    centre: float,
    outside: float,
    highs: Mapping[float, float],
    *,
    cleaned: bool,
) -> RobustT | None:
    """Fit magnitudes of which a share lies outside, beyond all others."""
    low, *high = np.quantile(away, np.array([_LOW, *highs]) * (1 - outside))
    if low <= 0:
        return None
    size = len(away)
    dof = max(
        float(np.interp(value / low * (1 + stretch / np.sqrt(size)), *_table(share)))
        for value, (share, stretch) in zip(high, highs.items(), strict=True)
    )
    if cleaned:
        weight = max(_USUAL_ROWS / (size + _USUAL_ROWS), 0.5)
        dof = float(dof ** (1 - weight) * max(_USUAL_DOF, dof) ** weight)
    return RobustT(centre, float(low / t_quantile((1 + _LOW) / 2, dof)), dof)


def _outside(away: NDArray[np.float64], null: RobustT) -> float:
    """Return the share of magnitudes far outside a null, beyond what chance puts there."""
    far = float(np.mean(2 * t_beyond(away / null.scale, null.dof) < _FAR))
    chance = _FAR + 2 * np.sqrt(_FAR / len(away))
    return float(np.clip(far - chance, 0, _MOST_OUTSIDE))


def p_values(
    null: RobustT, residuals: NDArray[np.float64], side: Side = "both"
) -> NDArray[np.float64]:
    """Return the probability, under the null, of a residual at least as far out."""
    standard = (residuals - null.centre) / null.scale
    if side == "upper":
        return np.asarray(t_beyond(standard, null.dof))
    return np.asarray(2 * t_beyond(np.abs(standard), null.dof))


def adjust(p: NDArray[np.float64], size: float | None = None) -> NDArray[np.float64]:
    """Adjust p-values for the size of their family (Benjamini and Hochberg, 1995).

    Flagging q <= level keeps the expected share of false flags among all flags at `level`.

    Args:
        p: Of the family's cases, or of the rarest of them.
        size: How many cases the family has; as many as p-values unless it is said.
    """
    if not len(p):
        return p
    size = len(p) if size is None else size
    order = np.argsort(p, kind="stable")[::-1]
    rank = np.arange(len(p), 0, -1)
    q = np.empty(len(p))
    q[order] = np.minimum.accumulate(np.minimum(p[order] * size / rank, 1.0))
    return q


def adjust_families(p: NDArray[np.float64], family: NDArray[np.object_]) -> NDArray[np.float64]:
    """Adjust within each family alone."""
    q = np.ones(len(p))
    for members in members_of(family).values():
        q[members] = adjust(p[members])
    return q


def thresholds(
    q: NDArray[np.float64], family: NDArray[np.object_], level: float
) -> NDArray[np.float64]:
    """Return the normal deviate that each case had to reach to be flagged within its family.

    Args:
        q: Adjusted p-values.
        family: Label of each case's family.
        level: False-discovery level of the run.
    """
    threshold = np.empty(len(q))
    for members in members_of(family).values():
        passed = max(int((q[members] <= level).sum()), 1)
        threshold[members] = deviate(level * passed / len(members))
    return threshold


def members_of(family: NDArray[np.object_]) -> dict[str, NDArray[np.int64]]:
    """Return the positions of each family's cases, by its label."""
    number, labels = pd.factorize(family, use_na_sentinel=False)
    if not len(labels):
        return {}
    ends = np.cumsum(np.bincount(number, minlength=len(labels)))
    members = np.split(np.argsort(number, kind="stable"), ends[:-1])
    return dict(zip(map(str, labels), members, strict=True))
