"""Likeness: whether two firms are such as trade with each other.

The lanes of usual trade show which kinds of firms send to which, and how often across
a border. How much more probable a lane would be between firms drawn by lot, or with
anybody who uses such goods, is its strangeness; how few lanes of repeated trade are as
strange is its p-value, of which nothing is assumed but that honest lanes are alike
(conformal: Vovk, Gammerman and Shafer, 2005). No lane counts in what is expected of itself.

Next: detectors/routes/lane_novelty.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["USUAL", "akin", "as_strange", "newness", "strangeness"]

USUAL: Final = 4
"""Loads from which on a lane is one of usual trade."""
_TIE: Final = 1e-9


def akin(lanes: pd.DataFrame) -> NDArray[np.int64]:
    """Count the other lanes of usual trade between firms of the same two kinds.

    Args:
        lanes: One row per lane: `loads`, `kind_from` and `kind_to` (numbers).
    """
    usual = lanes["loads"].to_numpy() >= USUAL
    return _others(_both(lanes), usual)


def strangeness(lanes: pd.DataFrame) -> NDArray[np.float64]:
    """Return the log of how much more probable each lane would be if it were no usual trade.

    Then the addressee is one drawn by lot or, as often, one of those who use such goods: across a
    border that nobody's goods of that sort cross, the usual kind of firm is no excuse.

    Args:
        lanes: One row per lane: `loads`, `kind_from`, `kind_to` and `border` (numbers).
    """
    usual = lanes["loads"].to_numpy() >= USUAL
    own, n = usual.astype(np.int64), int(usual.sum())
    sender, receiver = (lanes[name].to_numpy() for name in ("kind_from", "kind_to"))
    both = _both(lanes)
    border = lanes["border"].to_numpy()
    met = _others(both, usual)
    kinds = len(np.unique(receiver[usual]))
    by_lot = (_others(receiver, usual) + 1) / (n - own + kinds + 1)
    lift = by_lot * (_others(sender, usual) + 1) / (met + by_lot)
    told = np.log((1 + lift) / 2)
    sorts = len(np.unique(border))
    by_lot = (_others(border, usual) + 1) / (n - own + sorts)
    across = both * (int(border.max(initial=0)) + 1) + border
    return told + np.log(by_lot) - np.log((_others(across, usual) + by_lot) / (met + 1))


def newness(lanes: pd.DataFrame) -> NDArray[np.float64]:
    """Return minus the log of how often firms such as the addressee have no other supplier.

    It is 0 for an addressee who has one.

    Args:
        lanes: One row per lane: `loads`, `target` and `kind_to` (numbers).
    """
    usual = lanes["loads"].to_numpy() >= USUAL
    own, n = usual.astype(np.int64), int(usual.sum())
    alone = _others(lanes["target"].to_numpy(), usual) == 0
    kind = lanes["kind_to"].to_numpy()
    whole = (int((alone & usual).sum()) - (alone & usual) + 0.5) / (n - own + 1)
    share = (_others(kind, usual & alone) + whole) / (_others(kind, usual) + 1)
    return np.where(alone, -np.log(share), 0.0)


def as_strange(strange: NDArray[np.float64], repeated: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of lanes of repeated trade that are at least as strange, with the own one.

    Args:
        strange: Higher is stranger.
        repeated: Which lanes saw several loads: what is honest is taken from them.
    """
    held = np.sort(strange[repeated])
    above = len(held) - np.searchsorted(held, strange - _TIE)
    return np.asarray((above + ~repeated) / (len(held) + ~repeated), np.float64)


def _both(lanes: pd.DataFrame) -> NDArray[np.int64]:
    sender, receiver = (lanes[name].to_numpy() for name in ("kind_from", "kind_to"))
    return np.asarray(sender * (int(receiver.max(initial=0)) + 1) + receiver, np.int64)


def _others(group: NDArray[np.int64], counted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count, for each lane, the other counted ones of its group."""
    found = np.bincount(group[counted], minlength=int(group.max(initial=-1)) + 1)
    return np.asarray(found[group] - counted, np.int64)
