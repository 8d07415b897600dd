"""Repeats: one event that stands twice in the record, under two ids.

A file that is exported again, or sent by two systems, gives its events new ids.
What it says of the goods is the same, to the second: lot, quantity, place, shipment.
Pallets that one posting books side by side look like that, too, so no repeat is
dropped; but where it alone would make goods too many or too few, that is a question of
how the record was kept, and not of the goods.

Next: detectors/goods/exchanged.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import codes, positive
from detectors.custody import stock
from detectors.goods.exactness import TOLERANCE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["REPEATED", "by_leaving", "by_shipment", "repeated"]

REPEATED: Final = "an event that stands twice, under two ids"
_SAME: Final = [
    "at", "lot", "kind", "site_number", "shipper_number", "to_site_number", "shipment_number",
    "amount",
]  # fmt: skip


def repeated(shared: Features) -> NDArray[np.bool_]:
    """Mark the rows of events that say what an earlier entry said.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    rows = shared.rows
    found = np.zeros(len(rows), bool)
    usable = rows["timed"] & ~rows["day"] & rows["has_lot"] & (rows["amount"] > 0)
    own = np.flatnonzero(usable.to_numpy())
    # Few rows share even the second and the lot.
    own = own[rows[["at", "lot"]].iloc[own].duplicated(keep=False).to_numpy()]
    if len(own):
        alike = codes(rows[_SAME].iloc[own], _SAME)
        entry = rows["index"].iloc[own]
        found[own] = (entry > entry.groupby(alike).transform("min")).to_numpy()
    return found


def by_leaving(shared: Features, position: NDArray[np.int64], short: pd.Series) -> pd.Series:
    """Tell which ships lack no more than what repeats took out of the shipper's hands.

    Args:
        shared: Features of the run.
        position: Ships, as positions in `Features.rows`.
        short: What each lacked; 0 where it lacked nothing.
    """
    rows, inputs, again = shared.rows, shared.inputs, shared.once(repeated)
    if not again.any():
        return pd.Series(False, index=short.index)
    ships = again & (rows["kind"] == "ship").to_numpy()
    used = inputs["index"].isin(rows["index"][again & (rows["kind"] == "transform").to_numpy()])
    place = np.append(
        stock(rows["lot"].to_numpy(), rows["shipper_number"].to_numpy())[ships],
        stock(inputs["lot"].to_numpy(), inputs["site_number"].to_numpy())[used],
    )
    amount = np.append(
        rows["amount"].to_numpy()[ships], np.nan_to_num(positive(inputs, "quantity"))[used]
    )
    own = stock(*(rows[name].to_numpy()[position] for name in ("lot", "shipper_number")))
    return _explained(short, own, amount, place)


def by_shipment(
    shared: Features, position: NDArray[np.int64], off: pd.Series, kind: str
) -> pd.Series:
    """Tell of which consignments no more is off than what repeats of one kind of event make.

    Args:
        shared: Features of the run.
        position: Their ships, as positions in `Features.rows`.
        off: By how much the two ends of each differ; 0 where that is no question.
        kind: `receive` where more arrived, `ship` where less did.
    """
    rows, again = shared.rows, shared.once(repeated)
    events = again & (rows["kind"] == kind).to_numpy()
    place = stock(rows["lot"].to_numpy(), rows["shipment_number"].to_numpy())
    return _explained(off, place[position], rows["amount"].to_numpy()[events], place[events])


def _explained(
    off: pd.Series, own: NDArray[np.int64], amount: NDArray[np.float64], place: NDArray[np.int64]
) -> pd.Series:
    """Hold what is off at each place against what repeats make there."""
    made = pd.Series(amount).groupby(place).sum()
    every = off.groupby(own).transform("sum")
    enough = pd.Series(own, index=off.index).map(made).fillna(0.0) * (1 + TOLERANCE)
    return (off > 0) & (every <= enough)
