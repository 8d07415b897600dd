"""Excused: what slips of the record explain, so that it accuses nobody.

Each slip explains what it alone makes: a repeat what stands twice, a wrong date
what was held too late or left too early, a figure of another magnitude what was held
or left of its lot. What is more than that stays a question.

Next: detectors/custody_gap.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from detectors.custody import stock
from detectors.goods.exchanged import EXCHANGED, exchanged
from detectors.goods.handovers import AT_LIMIT
from detectors.goods.magnified import MAGNIFIED, magnified
from detectors.goods.repeats import REPEATED, by_leaving, by_shipment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["SLIPS", "excused", "excused_ships"]

SLIPS = (REPEATED, EXCHANGED, MAGNIFIED)
_HELD = ("quantity", "holder")


def excused(shared: Features, table: pd.DataFrame) -> pd.DataFrame:
    """Put at the limit what only slips of the record make too little or too much.

    Args:
        shared: Features of the run.
        table: Hand-overs and holdings, as `custody_gap` judges them.
    """
    position = table["position"].to_numpy(np.int64)
    over = table["share"] > 0
    beyond = (table["amount"] - table["other"]).abs().where(over, 0.0)
    twice = by_leaving(shared, position, beyond.where(table["problem"] == "quantity", 0.0))
    for problem, kind in (("more arrived", "receive"), ("less arrived", "ship")):
        other = beyond.where(table["problem"] == problem, 0.0)
        twice |= by_shipment(shared, position, other, kind)
    held = over & table["problem"].isin(_HELD)
    dated, large = (held & marked for marked in _touched(shared, position))
    benign = table["benign"].mask(large, MAGNIFIED).mask(dated, EXCHANGED).mask(twice, REPEATED)
    share = table["share"].mask(twice | dated | large, AT_LIMIT)
    return table.assign(benign=benign, share=share)


def excused_ships(
    shared: Features, ships: pd.DataFrame, lacks: NDArray[np.float64], suspect: NDArray[np.bool_]
) -> dict[str, NDArray[np.bool_]]:
    """Mark, by slip of the record, ships that it explains.

    Args:
        shared: Features of the run.
        ships: `histories.lot_ships`.
        lacks: How much of each its shipper did not have; 0 where that is no question.
        suspect: Which of them are in question.
    """
    position = ships.index.to_numpy(np.int64)
    twice = by_leaving(shared, position, pd.Series(lacks, index=ships.index)).to_numpy()
    dated, large = (suspect & ~twice & marked for marked in _touched(shared, position))
    return {REPEATED: twice, EXCHANGED: dated, MAGNIFIED: large & ~dated}


def _touched(
    shared: Features, position: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark ships of what a wrong date, and a wrong quantity, is about: the lot at its shipper."""
    rows = shared.rows
    lot, own, shipper, to_site = (
        rows[name].to_numpy() for name in ("lot", "site_number", "shipper_number", "to_site_number")
    )
    ship = (rows["kind"] == "ship").to_numpy()
    held = stock(lot[position], shipper[position])
    found = []
    for slip in (exchanged, magnified):
        marked = shared.once(slip)
        places = [
            stock(lot[which], at[which])
            for which, at in (
                (marked & ship, shipper),
                (marked & ship, to_site),
                (marked & ~ship, own),
            )
        ]
        found.append(np.isin(held, np.concatenate(places)))
    return found[0], found[1]
