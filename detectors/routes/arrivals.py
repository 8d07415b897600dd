"""When the goods of a shipment came to its shipper, as far as the record tells.

Next: detectors/routes/closures.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["arrivals", "gone", "too_early", "unseen"]


def arrivals(shared: Features, table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when each shipment's lot last came to its shipper before it left, and the entry.

    0 and -1 where nothing shows that it came.
    """
    flows = shared.flows
    came = flows.loc[flows["sign"] > 0, ["lot", "holder", "at", "index"]]
    came = came.rename(columns={"at": "since", "index": "entry"}).sort_values(["since", "entry"])
    found = _latest(shared, table, came)
    since = found["since"].fillna(0).to_numpy(np.int64)
    return since, found["entry"].fillna(-1).to_numpy(np.int64)


def unseen(shared: Features, table: pd.DataFrame, arrived: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark shipments before which more of the lot was sent to the shipper than was scanned in."""
    sent = shared.unreceived[["lot", "holder", "at"]].rename(columns={"at": "since"})
    latest = _latest(shared, table, sent.sort_values("since"))["since"]
    return np.asarray(latest.fillna(0).to_numpy(np.int64) > arrived, bool)


def _latest(shared: Features, table: pd.DataFrame, moved: pd.DataFrame) -> pd.DataFrame:
    """Return, by shipment, the last row about its lot and shipper before it left.

    Args:
        shared: The run's features.
        table: Shipments.
        moved: `lot`, `holder` and `since`, in the order of `since`.
    """
    lots = shared.rows["lot"].to_numpy()[table["position"]]
    left = table[["at"]].assign(lot=lots, holder=table["shipper"].to_numpy(), row=table.index)
    left = left[left["holder"].notna()].sort_values(["at", "row"])
    moved = moved.assign(holder=moved["holder"].astype(left["holder"].dtype))
    found = pd.merge_asof(left, moved, left_on="at", right_on="since", by=["lot", "holder"])
    return found.set_index("row").reindex(table.index)


def gone(shared: Features, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark shipments most of which had left before: more went out than ever came in."""
    flows = shared.flows
    order = np.lexsort((-flows["sign"].to_numpy(), flows["at"].to_numpy()))
    moved = flows[["stock", "sign", "amount", "position"]].iloc[order]
    held = (moved["sign"] * moved["amount"]).groupby(moved["stock"]).cumsum(skipna=False)
    after = np.full(len(shared.rows), np.nan)
    own = moved["position"].to_numpy() >= 0
    after[moved["position"].to_numpy()[own]] = held.to_numpy()[own]
    return np.asarray(after[table["position"]] < -_MOST * table["amount"].to_numpy(), bool)


_MOST: Final = 0.5


def too_early(shared: Features, arrival: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark stays whose arrival was recorded far sooner than such a trip ends: it began later."""
    legs, rows = shared.legs, shared.rows
    ship = rows[["site", "transport_mode"]].iloc[legs["ship"]]
    trips = pd.DataFrame(
        {
            "entry": rows["index"].to_numpy()[legs["receive"]],
            "from": ship["site"].to_numpy(),
            "to": rows["site"].to_numpy()[legs["receive"]],
            "mode": ship["transport_mode"].to_numpy(),
            "hours": legs["hours"].to_numpy(),
            "pace": legs["hours"].to_numpy() / np.maximum(legs["distance_km"].to_numpy(), _NEAR_KM),
        }
    )
    own = trips.groupby(codes(trips, ["from", "to", "mode"]))
    usual = own["hours"].transform("median").where(own["hours"].transform("size") >= _TRIPS)
    pace = trips["pace"] / trips["pace"].groupby(codes(trips, ["mode"])).transform("median")
    early = (trips["hours"] / usual).fillna(pace) < _EARLY
    return np.asarray(np.isin(arrival, trips["entry"][early]) & (arrival >= 0), bool)


_NEAR_KM: Final = 25.0
_TRIPS: Final = 4
_EARLY: Final = 0.4
"""Of the usual time: nothing else makes a trip so short as a wrong hour does."""
