"""Clocks: by how much clocks that are off make the trips of a lane look shorter than they were.

Where a clock is behind at one end, trips seem shorter by the same hours, and scatter as far as
ever: in proportion much further than trips do. A fast lane is fast in proportion. Only what
makes trips longer is corrected: it speaks for everybody.

Next: detectors/routes/travel_time.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LEAST_OFF", "SHORT_HOURS", "TRIPS", "WIDER", "lost_hours"]

SHORT_HOURS: Final = 24.0
"""How long longer trips take differs by more than clocks do."""
TRIPS: Final = 8
"""Fewer trips say nothing of how far they scatter."""
LEAST_OFF: Final = 1.0
"""Hours; less is no matter of a clock that was set wrong."""
WIDER: Final = 1.5
"""Times as far, in proportion, as on the middle lane: the lane's own scatter is no wider."""
_MOST_OFF: Final = 14.0
"""No two time zones that goods pass differ by more in practice."""
_QUARTERS: Final = (0.25, 0.5, 0.75)


def lost_hours(
    lane: NDArray[np.int64],
    mode: NDArray[np.int64],
    hours: NDArray[np.float64],
    usual: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return by how many hours clocks make each trip look too short; 0 or more.

    Args:
        lane: Number of the lane.
        mode: Number of the mode of transport, one to a lane.
        hours: How long each trip took, by the clocks of both sites, loading included.
        usual: How long such trips take, loading included.
    """
    trips = pd.DataFrame({"hours": hours, "usual": usual, "mode": mode})
    by_lane = trips.groupby(lane)
    low, middle, high = (by_lane["hours"].quantile(one) for one in _QUARTERS)
    told, many = by_lane["usual"].median(), by_lane.size() >= TRIPS
    off = told - middle
    wide = pd.Series(np.log(high / low), many.index)
    modes = by_lane["mode"].first()
    typical = modes.map(wide[many].groupby(modes[many]).median())
    sure = many & (off > LEAST_OFF) & (off <= _MOST_OFF) & (told <= SHORT_HOURS)
    sure &= wide > WIDER * typical
    return np.asarray(off.where(sure, 0.0).reindex(lane), np.float64)
