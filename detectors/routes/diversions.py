"""Diversions: when the usual way is shut, and others go round as well.

A closure, a strike or a war at sea sends many another way for some weeks; that is nobody's deed.

Next: detectors/names.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import codes
from detectors.custody import DAY_US
from detectors.routes.company import in_company
from detectors.routes.residuals import neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NEAR_DAYS", "SHUT_LOTS", "STOPGAP_DAYS", "STOPGAP_LANES", "diverted", "otherwise"]

NEAR_DAYS: Final = 30
STOPGAP_DAYS: Final = 120
STOPGAP_LANES: Final = 3
SHUT_LOTS: Final = 3
"""So many lots of two lanes, and none of those lanes that went otherwise in between, show that the
usual way was shut to all of them."""
_HALF: Final = 0.5
_NEVER: Final = np.iinfo(np.int64).min + 1
_FRACTION: Final = 3


def otherwise(
    lane: NDArray[np.int64], by_way: NDArray[np.int64], left: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when goods of the lane last went another way before each, and next after it.

    Args:
        lane: Number of the lane of each.
        by_way: Number of its way.
        left: When it left.
    """
    order = np.lexsort((by_way, left, lane))
    own, way, at = lane[order], by_way[order], left[order]
    begins = np.append(True, way[1:] != way[:-1])[: len(way)]
    run, first = np.cumsum(begins) - 1, np.flatnonzero(begins)
    last = np.append(first[1:], len(way)) - 1
    follows = own[first[1:]] == own[last[:-1]]
    since = np.append(_NEVER, np.where(follows, at[last[:-1]], _NEVER))[: len(first)]
    until = np.append(np.where(follows, at[first[1:]], -_NEVER), -_NEVER)[: len(first)]
    back = np.argsort(order)
    return since[run][back], until[run][back]


def diverted(window: pd.DataFrame, off: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell where others left the usual way, too.

    Most of those next in time did: on the lane, at its ends, or by the same place in between. Or
    the place stood in for another for some weeks, or the way of others so marked was the same.

    Args:
        window: Passages, with `out`, `at`, `lane`, `a`, `b`, `x`, `left`, `others` and what
            `otherwise` says.
        off: Which of them are far off the usual way.
    """
    once = ~window["out"].duplicated().to_numpy()
    marked = np.zeros(len(window), bool)
    rows = np.flatnonzero(once)
    for key in ("lane", "a", "b", "x"):
        near, size = neighbours(
            off[rows].astype(np.float64),
            window["at"].to_numpy()[rows],
            window[key].to_numpy()[rows],
            within_us=NEAR_DAYS * DAY_US,
            reach=3,
        )
        marked[rows] |= (near >= _HALF) & (size > 1)
    marked[rows] |= _stopgap(window.iloc[rows])
    marked[rows] |= _followed(window.iloc[rows], marked[rows])
    by_out = pd.Series(marked[rows], index=window["out"].to_numpy()[rows])
    return np.asarray(by_out.reindex(window["out"]), bool)


def _stopgap(passages: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark passages by a place that several lanes went by for some weeks, and nobody otherwise.

    Two lanes are enough where nothing of theirs went another way while it lasted: who goes round
    by choice goes alone, and what is shut is shut to everybody.
    """
    by_place = passages.groupby("x")
    span = by_place["at"].transform("max") - by_place["at"].transform("min")
    record = int(passages["at"].max() - passages["at"].min()) if len(passages) else 0
    short = (span <= STOPGAP_DAYS * DAY_US) & (span * _FRACTION <= record)
    lanes = by_place["lane"].transform("nunique")
    began, ended = by_place["left"].transform("min"), by_place["left"].transform("max")
    alone = (passages["other_since"] >= began) | (passages["other_until"] <= ended)
    mixed = alone.groupby(passages["x"]).transform("any")
    # A lane on which nobody ever went another way has none that could be shut.
    shut = (
        ~mixed
        & (by_place["others"].transform("min") > 0)
        & (lanes > 1)
        & (by_place["x"].transform("size") >= SHUT_LOTS)
    )
    return np.asarray(short & ((lanes >= STOPGAP_LANES) | shut), bool)


def _followed(passages: pd.DataFrame, marked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark passages on the way that diverted ones took in those months: the first and last too."""
    way = codes(passages, ["lane", "x"])
    reach = STOPGAP_DAYS // 2 * DAY_US
    return in_company(marked, passages["at"].to_numpy(), way, reach_us=reach, least=1, share=0.0)
