"""The null of route residuals: a Student t through the 60 % and the 95 % quantile.

Legs come by the thousand and hardly one in a hundred is wrong, so that the
quantile further out than `nulls.fit` takes is still an ordinary one. It tells
more about the tail, which is what flags hang on; where more are wrong than
that, it makes the null wider and the flags fewer, never more.

Next: detectors/routes/statistical.py
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from detectors import nulls

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST_DOF", "fit"]

MOST_DOF: Final = 100.0
_MIDDLE, _OUTER = 0.60, 0.95
_LEAST_DOF: Final = 2.0
_STRETCH: Final = 0.75
"""Standard error of the quantile ratio is about this over sqrt(n); it counts against us."""


@cache
def _ratios() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ratios of the two quantiles of |t|, and the degrees of freedom they belong to."""
    from scipy import stats  # noqa: PLC0415 - 0.5 s, only for statistical detectors

    dof = np.geomspace(_LEAST_DOF, MOST_DOF, 400)[::-1]
    return stats.t.ppf((1 + _OUTER) / 2, dof) / stats.t.ppf((1 + _MIDDLE) / 2, dof), dof


def fit(residuals: NDArray[np.float64], side: nulls.Side) -> nulls.RobustT | None:
    """Fit the null to residuals of which at most a few in a hundred are wrong.

    Args:
        residuals: Finite values.
        side: "upper" uses the upper half alone, mirrored.

    Returns:
        The null, or None where most residuals are equal.
    """
    from scipy import stats  # noqa: PLC0415 - as above

    centre = float(np.median(residuals))
    away = residuals - centre
    away = away[away > 0] if side == "upper" else np.abs(away)
    if not len(away):
        return None
    middle, outer = np.quantile(away, [_MIDDLE, _OUTER])
    if middle <= 0:
        return None
    stretch = 1 + _STRETCH / np.sqrt(len(away))
    dof = float(np.interp(outer / middle * stretch, *_ratios()))
    return nulls.RobustT(centre, float(middle / stats.t.ppf((1 + _MIDDLE) / 2, dof)), dof)
