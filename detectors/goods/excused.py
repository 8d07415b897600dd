"""Excused: what slips of the record explain, so that it accuses nobody.

Each slip explains what it alone makes: a repeat what stands twice, a wrong date
what was held too late or left too early. What is more than that stays a question.

Next: detectors/custody_gap.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from detectors.goods.exchanged import EXCHANGED, lots_with_exchanged
from detectors.goods.handovers import AT_LIMIT
from detectors.goods.repeats import REPEATED, by_leaving, by_shipment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["SLIPS", "excused", "excused_ships"]

SLIPS = (REPEATED, EXCHANGED)
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
    dated = over & table["problem"].isin(_HELD) & shared.once(lots_with_exchanged)[position]
    benign = table["benign"].mask(dated, EXCHANGED).mask(twice, REPEATED)
    return table.assign(benign=benign, share=table["share"].mask(twice | dated, AT_LIMIT))


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
    dated = shared.once(lots_with_exchanged)[position] & suspect & ~twice
    return {REPEATED: twice, EXCHANGED: dated}
