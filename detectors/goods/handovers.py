"""Hand-overs: did as much arrive as left, and did it arrive at all?

Less may be one of several lorries that nobody scanned. How many of those there
should be follows from how often receipts are missing and how often deliveries
come in parts; where chance brings as many as there are, each is likely one.

Next: detectors/custody_gap.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.columns import at
from detectors.custody import DAY_US, stock
from detectors.goods.exactness import TOLERANCE, by_product, resolution
from detectors.goods.histories import unshipped
from detectors.goods.ordinary import (
    counted_ships,
    grows,
    is_surprising,
    miscounts,
    received,
    shrinks,
)
from detectors.past import past
from detectors.units import mix_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = [
    "AT_LIMIT",
    "CLOSED_DAYS",
    "LIKELY",
    "LOST_DAYS",
    "MISCOUNTED",
    "UNSCANNED",
    "UNSEEN",
    "hand_overs",
    "lost",
    "slips",
    "unseen_by_chance",
]

CLOSED_DAYS: Final = 30
"""A delivery that is this old, by the record's last event, has its last partial receipt."""
LOST_DAYS: Final = 60
"""A shipment that is this old and never scanned in is not under way any more."""
AT_LIMIT: Final = -0.5
"""A receipt in fifty is missing; so many quantities differ by half of what their limit is."""
UNSCANNED: Final = "a receipt that nobody scanned"
MISCOUNTED: Final = "a slip of counting"
UNSEEN: Final = "hand-overs that neither side recorded, no more than chance makes of lost scans"
LORRY: Final = "one of several lorries, whose receipt nobody scanned"
LIKELY: Final = 0.5
"""What every second of its kind comes from is the likely cause."""


def hand_overs(shared: Features) -> pd.DataFrame:
    """Judge each received shipment: did as much arrive as left?

    Less is no gap where the addressee passed on more than was scanned in: the rest came, too.
    """
    table, came, parts = shared.once(compared)
    benign, share = table["benign"].to_numpy(object, copy=True), table["share"].to_numpy(copy=True)
    if shared.yardstick(lorries_are_likely):
        benign[parts & (benign == "")] = LORRY
    benign[came], share[came] = UNSCANNED, AT_LIMIT
    return table.assign(benign=benign, share=share)


def compared(shared: Features) -> HandOvers:
    """Hold what arrived of each received shipment against what left."""
    sent = received(shared)
    position = sent["ship"].to_numpy(np.int64)
    change = (sent["received"] / sent["shipped"]).to_numpy(np.float64) - 1
    limit = _limits(shared, position, change)
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
    slip = (table["share"] > 0) & _miscounted(shared, table)
    table["benign"] = table["benign"].mask(slip, MISCOUNTED)
    table["share"] = table["share"].mask(slip, AT_LIMIT)
    parts = (less & ~came & ~slip).to_numpy() & _parts(shared, 1 + change)
    return HandOvers(table, (came & ~slip).to_numpy(bool), parts)


def _miscounted(shared: Features, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark counts that differ by as few pieces as counts in this record often do."""
    few = shared.yardstick(miscounts)
    off = (table["other"] - table["amount"]).abs().to_numpy() <= few
    return off & counted_ships(shared, table["position"].to_numpy(np.int64))


class HandOvers(NamedTuple):
    """Received shipments, and what speaks for some that less arrived of.

    Attributes:
        table: What `hand_overs` returns, before it is said what is likely.
        came: Where the rest came, too.
        parts: Where it may have been one of several lorries.
    """

    table: pd.DataFrame
    came: NDArray[np.bool_]
    parts: NDArray[np.bool_]


@past
def lorries_are_likely(shared: Features) -> bool:
    """Tell whether no more parts of deliveries are missing than unscanned receipts make likely."""
    missing = int(shared.once(compared).parts.sum())
    return not is_surprising(max(missing, 1), unscanned_parts(shared))


@past
def arrival_limits(shared: Features) -> dict[str, dict[str, float]]:
    """Return by how much a product may grow (`gain`) or shrink (`loss`) on its way."""
    sent = received(shared)
    product, names = pd.factorize(shared.rows["product_id"])
    product = product[sent["ship"].to_numpy(np.int64)]
    change = (sent["received"] / sent["shipped"]).to_numpy(np.float64) - 1
    ways = {"gain": grows, "loss": shrinks}
    return {
        name: by_product(way, product, np.asarray(names, object), change)
        for name, way in ways.items()
    }


def _limits(
    shared: Features, position: NDArray[np.int64], change: NDArray[np.float64]
) -> NDArray[np.float64]:
    usual = shared.yardstick(arrival_limits)
    names = at(shared.rows["product_id"], position).astype("str").to_numpy(object)
    number, products = pd.factorize(names)
    ends = [
        np.array([usual[way].get(str(name), usual[way][""]) for name in products])[number]
        for way in ("gain", "loss")
    ]
    return np.asarray(np.where(change > 0, *ends), np.float64)


def _received(shared: Features) -> pd.DataFrame:
    sent = shared.consignments
    return sent[(sent["receipts"] > 0) & sent["shipped"].notna() & sent["received"].notna()]


def unscanned_parts(shared: Features) -> float:
    """Return how many parts of deliveries should have come without anybody scanning them.

    As many of those that come in parts as there are whole deliveries that nobody scanned.
    """
    sent, missing = shared.consignments, _unscanned(shared)
    parts = sent.loc[sent["receipts"] > sent["ships"], "receipts"].sum()
    return missing / max(1 - missing, LIKELY) * float(parts)


def _unscanned(shared: Features) -> float:
    """Return the share of deliveries that nobody scanned in."""
    sent = shared.consignments
    old = sent[sent["last"] < shared.last_time - LOST_DAYS * DAY_US]
    return float((old["receipts"] == 0).mean()) if len(old) else 0.0


def unseen_by_chance(shared: Features) -> float:
    """Return how many hand-overs should lack both ends, if scans get lost one by one."""
    odds = 1.0
    for missing in (_unscanned(shared), unshipped(shared)):
        odds *= missing / max(1 - missing, LIKELY)
    return odds * float((shared.consignments["receipts"] > 0).sum())


def _parts(shared: Features, share: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark shares of a delivery that lie within what one or more of its parts otherwise are."""
    least = shared.yardstick(least_part)
    if least is None:
        return np.zeros(len(share), bool)
    return np.asarray((share >= least) & (share <= 1 - least), bool)


@past
def least_part(shared: Features) -> float | None:
    """Return the smallest share of a delivery that came as one of its parts."""
    rows, legs = shared.rows, shared.legs
    amount = rows["amount"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        part = amount[legs["receive"].to_numpy()] / amount[legs["ship"].to_numpy()]
    several = legs["ship"].duplicated(keep=False).to_numpy() & np.isfinite(part)
    return float(part[several].min()) if several.any() else None


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
    open_, flows = shared.unreceived, shared.flows
    scanning = shared.yardstick(scanning_sites)
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


def scanning_sites(shared: Features) -> list[str]:
    """List the sites that scan arrivals."""
    rows = shared.rows
    return sorted(rows.loc[rows["kind"] == "receive", "site"].dropna().unique().tolist())


def slips(where: pd.Series, ratio: pd.Series) -> NDArray[np.object_]:
    """Name the clerical slip that explains a ratio, where asked; empty text otherwise."""
    found = np.full(len(where), "", dtype=object)
    for row in np.flatnonzero(where):
        found[row] = mix_up(float(ratio.iloc[row])) or ""
    return found
