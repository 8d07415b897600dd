"""Peer residuals: how far a value is from what its like usually show.

The usual is the median of the finest peer group, drawn towards the median of
the group around it where the finest is small, and so on outwards, but never
beyond the widest: a drum of syrup is no heavy sack of coffee. What is unknown, or
the first of its kind, counts as usual: absence of a value is no anomaly of the value.

Next: detectors/unusual_features.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["SHRINKAGE", "log_ratio", "residuals", "scaled"]

SHRINKAGE: Final = 10.0
"""A peer group of this size has as much say as the group around it."""
_NORMAL: Final = {0.60: 0.8416, 0.90: 1.6449}
_LEAST: Final = 0.02
"""Figures are rounded: 2 % of difference is no departure, however even they otherwise are."""


def log_ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log(above / below), NaN where either is not above zero."""
    good = (above > 0) & (below > 0)
    return np.log(np.where(good, above, np.nan) / np.where(good, below, np.nan))


def residuals(values: pd.Series, groups: Sequence[pd.Series]) -> pd.Series:
    """Return each value less what is usual among its peers.

    Args:
        values: NaN where unknown.
        groups: Number of each value's peer group (`columns.codes`), the widest grouping first:
            nothing is held against what lies outside it.
    """
    usual = values.groupby(groups[0], sort=False).transform("median")
    for key in groups[1:]:
        grouped = values.groupby(key, sort=False)
        size = grouped.transform("count")
        own = grouped.transform("median").fillna(usual)
        usual = (size * own + SHRINKAGE * usual) / (size + SHRINKAGE)
    return values - usual


def scaled(column: pd.Series) -> pd.Series:
    """Divide log ratios by their usual size, read off the central quantiles; unknown becomes 0.

    The larger of two figures counts: a column that seldom departs from zero is measured by
    its outer quantile whether a few more of its values are zero or not. One that never does
    is all zero.
    """
    size = column.abs()
    scale = max(float(size.quantile(share)) / usual for share, usual in _NORMAL.items())
    if not scale > 0:
        return pd.Series(0.0, index=column.index)
    return (column / max(scale, _LEAST)).fillna(0.0)
