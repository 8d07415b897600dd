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

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RobustT", "across_families", "adjust", "adjust_families", "fit", "p_values"]

Side = Literal["both", "upper"]

_LOW, _HIGH = 0.60, 0.90
_MIN_DOF: Final = 2.0
_MAX_DOF: Final = 100.0
_STRETCH: Final = 0.75
"""Standard error of the quantile ratio is about this over sqrt(n); it counts against us."""


class RobustT(NamedTuple):
    """A Student-t null: (residual - centre) / scale follows t with `dof` degrees of freedom."""

    centre: float
    scale: float
    dof: float


@cache
def _table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ratio of the two quantiles of |t| and the degrees of freedom it belongs to."""
    from scipy import stats  # noqa: PLC0415 - 0.5 s, only for statistical detectors

    dof = np.geomspace(_MIN_DOF, _MAX_DOF, 400)[::-1]
    return stats.t.ppf((1 + _HIGH) / 2, dof) / stats.t.ppf((1 + _LOW) / 2, dof), dof


def fit(residuals: NDArray[np.float64], side: Side = "both") -> RobustT | None:
    """Fit the null to residuals of which most are ordinary.

    Args:
        residuals: Finite values.
        side: "upper" uses the upper half alone, mirrored: for scores that are skewed.

    Returns:
        The null, or None where the residuals do not spread (all equal, or most of them).
    """
    if not len(residuals):
        return None
    from scipy import stats  # noqa: PLC0415 - as above

    centre = float(np.median(residuals))
    away = residuals - centre
    away = away[away > 0] if side == "upper" else np.abs(away)
    if not len(away):
        return None
    low, high = np.quantile(away, [_LOW, _HIGH])
    if low <= 0:
        return None
    ratios, dofs = _table()
    stretched = high / low * (1 + _STRETCH / np.sqrt(len(away)))
    dof = float(np.interp(stretched, ratios, dofs))
    return RobustT(centre, float(low / stats.t.ppf((1 + _LOW) / 2, dof)), dof)


def p_values(
    null: RobustT, residuals: NDArray[np.float64], side: Side = "both"
) -> NDArray[np.float64]:
    """Return the probability, under the null, of a residual at least as far out."""
    from scipy import stats  # noqa: PLC0415 - as above

    standard = (residuals - null.centre) / null.scale
    if side == "upper":
        return np.asarray(stats.t.sf(standard, null.dof))
    return np.asarray(2 * stats.t.sf(np.abs(standard), null.dof))


def adjust(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust p-values for the size of their family (Benjamini and Hochberg, 1995).

    Flagging q <= level keeps the expected share of false flags among all flags at `level`.
    """
    if not len(p):
        return p
    order = np.argsort(p, kind="stable")[::-1]
    rank = np.arange(len(p), 0, -1)
    q = np.empty(len(p))
    q[order] = np.minimum.accumulate(np.minimum(p[order] * len(p) / rank, 1.0))
    return q


def adjust_families(p: NDArray[np.float64], family: NDArray[np.object_]) -> NDArray[np.float64]:
    """Adjust within each family alone."""
    q = np.ones(len(p))
    for label in np.unique(family.astype(str)):
        members = family == label
        q[members] = adjust(p[members])
    return q


def across_families(smallest: NDArray[np.float64], level: float) -> float:
    """Return the level at which each of several families may flag (Benjamini and Bogomolov, 2014).

    Families whose smallest q does not survive Benjamini-Hochberg among the families flag
    nothing; the survivors flag at the level times their share. The result is 0 where no
    family survives.

    Args:
        smallest: The smallest q-value of each family of one period.
        level: False-discovery level of the run.
    """
    if not len(smallest):
        return 0.0
    return level * float((adjust(smallest) <= level).mean())
