"""Timely: what had arrived of a transform's lots when it was made.

A lot may come in several deliveries. What came later fed no batch before it; how
much later receipts are scanned than goods are there, the lots that came at once
tell.

Next: detectors/pools.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.custody import DAY_US
from detectors.legs import HOUR_US

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["LATE_BOOKED_DAYS", "lateness", "timely"]

LATE_BOOKED_DAYS: Final = 7
"""Arrivals are booked after the material was used, by up to this much."""
_CLOCK_HOURS: Final = 2
_SELDOM: Final = 0.005
"""What fewer receipts are later than is no custom of the record."""


def timely(
    uses: pd.DataFrame, arrivals: pd.DataFrame, supply: pd.Series, count: int, late: float
) -> NDArray[np.float64]:
    """Return how much of its lots had arrived when each transform was made.

    Args:
        uses: A row per transform and lot: `transform`, `stock`, `at`.
        arrivals: A row per delivery of a lot to a site: `stock`, `amount`, `at`.
        supply: What there was of each stock in all, by `stock`; NaN unknown.
        count: How many transforms there are.
        late: `lateness`.
    """
    whole = _delivered(uses, arrivals)
    whole["supply"] = supply.reindex(whole["stock"]).to_numpy()
    # Of what was partly passed on nobody knows which delivery it was of.
    split = (whole["deliveries"] > 1) & (whole["supply"] == whole["came"])
    parts = whole.loc[split, ["transform", "stock", "at"]].merge(
        arrivals, on="stock", suffixes=("", "_came")
    )
    parts = parts[parts["at_came"] <= parts["at"] + late]
    own = np.bincount(whole["transform"], whole["supply"].mask(split, 0.0), count)
    own += np.bincount(parts["transform"], parts["amount"], count)
    return own.astype(np.float64)


def _delivered(uses: pd.DataFrame, arrivals: pd.DataFrame) -> pd.DataFrame:
    """Add to each use how much came of the lot, in how many deliveries, and when the first did."""
    table = arrivals.groupby("stock").agg(
        came=("amount", "sum"), deliveries=("at", "size"), first=("at", "min")
    )
    return uses[["transform", "stock", "at"]].join(table, on="stock")


def lateness(uses: pd.DataFrame, arrivals: pd.DataFrame) -> float:
    """Return by how much receipts are scanned late in a record, microseconds.

    Args:
        uses: As for `timely`.
        arrivals: As for `timely`.
    """
    whole = _delivered(uses, arrivals)
    single = whole[whole["deliveries"] == 1]
    after = (single["first"] - single["at"]).clip(0, LATE_BOOKED_DAYS * DAY_US)
    if len(after) * _SELDOM < 1:
        return float(LATE_BOOKED_DAYS * DAY_US)
    return max(float(after.quantile(1 - _SELDOM)), float(_CLOCK_HOURS * HOUR_US))
