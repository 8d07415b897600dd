"""Magnified: quantities of another magnitude than anything the site handles, or the lot holds.

Grams are written into a column of kilograms, tonnes into one of kilograms, a decimal
point gets lost. Such a figure is a hundred times what the site usually makes, gets or
sends of the product, and a hundred times what all else says of the same lot; or as
many times less. Whoever wants goods to look like more makes them a tenth more, or
twice as many.

Next: detectors/goods/excused.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import codes, firsts
from detectors.past import past

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["MAGNIFIED", "magnified"]

MAGNIFIED: Final = "a quantity of another magnitude than the site and the lot otherwise show"
_FAR: Final = 100.0
_ENOUGH: Final = 6
"""Quantities that tell what is usual at a site."""
_WHAT: Final = ["product_id", "kind", "site"]


def magnified(shared: Features) -> NDArray[np.bool_]:
    """Mark the rows whose quantity is far from the site's usual, and from all else of its lot.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    rows = shared.rows
    found = np.zeros(len(rows), bool)
    amount = rows["amount"].to_numpy(np.float64)
    far = _is_far(amount, _usual(rows, shared.yardstick(usual_amounts)))
    far &= rows["has_lot"].to_numpy(bool)
    if not far.any():
        return found
    lots = rows["lot"].to_numpy()
    beside = pd.Series(amount[~far]).groupby(lots[~far]).median()
    own = np.flatnonzero(far)
    found[own] = _is_far(amount[own], beside.reindex(lots[own]).to_numpy(np.float64))
    return found


def _is_far(amount: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((amount > _FAR * usual) | (amount * _FAR < usual), bool)


@past
def usual_amounts(shared: Features) -> dict[str, float]:
    """Return the middle of what each site makes, gets, sends or sells of each product at once."""
    rows = shared.rows
    own = rows.loc[rows["amount"] > 0, [*_WHAT, "amount"]].dropna()
    by = own.groupby(_WHAT)["amount"]
    middle = by.median()[by.size() >= _ENOUGH]
    return {name: float(one) for name, one in zip(_texts(middle.index), middle, strict=True)}


def _usual(rows: pd.DataFrame, usual: Mapping[str, float]) -> NDArray[np.float64]:
    """Return what is usual for each row; NaN where nothing tells."""
    number = codes(rows, _WHAT)
    kinds = pd.MultiIndex.from_frame(rows[_WHAT].iloc[firsts(number)])
    own = np.array([usual.get(name, np.nan) for name in _texts(kinds)], np.float64)
    return np.asarray(own[number] if len(own) else np.full(len(rows), np.nan))


def _texts(kinds: pd.Index) -> list[str]:
    return [" ".join(str(part) for part in what) for what in kinds]
