"""Hand-overs: did as much arrive as left, and did it arrive at all?

Less may be one of several lorries that nobody scanned. How many of those there
should be follows from how often receipts are missing and how often deliveries
come in parts; where that is about as many as there are, each is likely one.

Next: detectors/custody_gap.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.custody import DAY_US, stock
from detectors.goods.exactness import TOLERANCE, gains, losses, resolution
from detectors.units import mix_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = [
    "AT_LIMIT",
    "CLOSED_DAYS",
    "LIKELY",
    "LOST_DAYS",
    "UNSCANNED",
    "hand_overs",
    "lost",
    "slips",
]

CLOSED_DAYS: Final = 30
"""A delivery that is this old, by the record's last event, has its last partial receipt."""
LOST_DAYS: Final = 60
"""A shipment that is this old and never scanned in is not under way any more."""
AT_LIMIT: Final = -0.5
"""A receipt in fifty is missing; so many quantities differ by half of what their limit is."""
UNSCANNED: Final = "a receipt that nobody scanned"
LORRY: Final = "one of several lorries, whose receipt nobody scanned"
LIKELY: Final = 0.5
"""What every second of its kind comes from is the likely cause."""


def hand_overs(shared: Features) -> pd.DataFrame:
    """Judge each received shipment: did as much arrive as left?

    Less is no gap where the addressee passed on more than was scanned in: the rest came, too.
    """
    sent = shared.consignments
    sent = sent[(sent["receipts"] > 0) & sent["shipped"].notna() & sent["received"].notna()]
    position = sent["ship"].to_numpy(np.int64)
    change = (sent["received"] / sent["shipped"]).to_numpy(np.float64) - 1
    product = pd.factorize(shared.rows["product_id"])[0].astype(np.int64)[position]
    limit = np.where(change > 0, gains(product, change), losses(product, change))
    # Both ends round.
    limit += shared.once(resolution)[position] / sent["shipped"].to_numpy(np.float64)
    closed = (sent["last"] < shared.last_time - CLOSED_DAYS * DAY_US).to_numpy()
    beyond = np.abs(change) - limit
    beyond = np.where(beyond > 0, beyond, beyond / limit)
    table = pd.DataFrame(
        {
            "problem": np.where(change > 0, "more arrived", "less arrived"),
            "position": position,
            "share": np.where((change > 0) | closed, beyond, -1.0),
            "amount": sent["shipped"].to_numpy(np.float64),
            "other": sent["received"].to_numpy(np.float64),
        }
    )
    table["benign"] = slips(table["share"] > 0, table["other"] / table["amount"])
    less = (table["share"] > 0) & (table["problem"] == "less arrived")
    came = less & _passed_on(shared, position)
    parts = (less & ~came).to_numpy() & _parts(shared, 1 + change)
    if 0 < parts.sum() * LIKELY <= unscanned_parts(shared):
        table.loc[parts & (table["benign"] == ""), "benign"] = LORRY
    table.loc[came, "benign"] = UNSCANNED
    table.loc[came, "share"] = AT_LIMIT
    return table


def unscanned_parts(shared: Features) -> float:
    """Return how many parts of deliveries should have come without anybody scanning them.

    As many of those that come in parts as there are whole deliveries that nobody scanned.
    """
    sent = shared.consignments
    old = sent[sent["last"] < shared.last_time - LOST_DAYS * DAY_US]
    missing = float((old["receipts"] == 0).mean()) if len(old) else 0.0
    parts = sent.loc[sent["receipts"] > sent["ships"], "receipts"].sum()
    return missing / max(1 - missing, LIKELY) * float(parts)


def _parts(shared: Features, share: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark shares of a delivery that lie within what one or more of its parts otherwise are."""
    rows, legs = shared.rows, shared.legs
    amount = rows["amount"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        part = amount[legs["receive"].to_numpy()] / amount[legs["ship"].to_numpy()]
    several = legs["ship"].duplicated(keep=False).to_numpy() & np.isfinite(part)
    if not several.any():
        return np.zeros(len(share), bool)
    least = float(part[several].min())
    return np.asarray((share >= least) & (share <= 1 - least), bool)


def _passed_on(shared: Features, position: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell whether the addressee of each ship row passed on more of the lot than it got."""
    flows, rows = shared.flows, shared.rows
    keys = flows["stock"]
    got = flows["amount"].where(flows["sign"] > 0, 0.0).groupby(keys).sum()
    gave = flows["amount"].where(flows["sign"] < 0, 0.0).groupby(keys).sum()
    more = got.index[gave > got * (1 + TOLERANCE)]
    lot, to_site = rows["lot"].to_numpy(), rows["to_site_number"].to_numpy()
    return np.asarray(pd.Index(stock(lot, to_site)[position]).isin(more), bool)


def lost(shared: Features) -> pd.DataFrame:
    """Judge each shipment nobody scanned in: could it still be under way?

    Only towards sites that scan arrivals at all, and only where nothing of the lot left the
    addressee again: that onward shipment is judged instead.
    """
    open_, flows, rows = shared.unreceived, shared.flows, shared.rows
    scanning = rows.loc[rows["kind"] == "receive", "site"].unique()
    onward = open_["stock"].isin(flows.loc[flows["kind"] == "ship", "stock"])
    old = open_["at"] < shared.last_time - LOST_DAYS * DAY_US
    lost = open_[old & open_["holder"].isin(scanning) & ~onward]
    return pd.DataFrame(
        {
            "problem": "never arrived",
            "position": lost["position"].to_numpy(np.int64),
            "share": AT_LIMIT,
            "amount": lost["amount"].to_numpy(np.float64),
            "other": 0.0,
            "benign": UNSCANNED,
        }
    )


def slips(where: pd.Series, ratio: pd.Series) -> NDArray[np.object_]:
    """Name the clerical slip that explains a ratio, where asked; empty text otherwise."""
    found = np.full(len(where), "", dtype=object)
    for row in np.flatnonzero(where):
        found[row] = mix_up(float(ratio.iloc[row])) or ""
    return found
