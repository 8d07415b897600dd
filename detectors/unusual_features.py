"""What the general outlier models look at: legs and facility-months as peer residuals.

Each column is a log ratio, so that "twice as long" and "half as long" are
equally far from usual, and each is taken against the narrowest peers there are.
What a rule judges to the kilogram, such as what arrives of what left, is no column:
a receipt that nobody scanned would be the strangest leg of all.

Next: detectors/unusual_models.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import at, codes
from detectors.custody import stock
from detectors.peers import log_ratio, residuals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["LEG_WORDS", "leg_residuals", "leg_values"]

LEG_WORDS: Final = {
    "travel": "the trip took {} as long as usual between such places",
    "weight": "the goods weighed {} as much a unit as usual",
    "value": "they were valued at {} as much a unit as usual",
    "quantity": "the quantity was {} the usual one on this lane",
    "dwell": "the goods had been at the shipper {} as long as usual",
    "rarity": "the shipper uses this destination {} as rarely as its others",
}
_BANDS_KM: Final = (0, 50, 200, 500, 1_500, 5_000, 25_000)
_LB_KG: Final = 0.45359237
_SLIP_WIDTH: Final = 0.1
"""As a log ratio: that near 2.2 a weight is one in the other unit, which is a note and no sign."""


def leg_values(shared: Features) -> pd.DataFrame:
    """Collect the raw values of every leg, by its ship event.

    A ship or receive without its counterpart is half a leg and speaks for itself.

    Returns:
        One row per leg in the order of time: subject columns, `at`, the number of each peer
        group (by product, shipper, lane, and mode with band of distance), and the
        columns of `LEG_WORDS` as logs.
    """
    rows, ends = shared.rows, _ends(shared)
    ship, receive = ends["ship"].to_numpy(np.int64), ends["receive"].to_numpy(np.int64)
    named = (ship >= 0) & rows["event_id"].notna().to_numpy()[ship]
    own = np.where(named | (receive < 0), ship, receive)
    amount = rows["amount"].to_numpy(np.float64)
    pounds = rows["weight_unit"].str.lower().isin(["lb", "lbs"]).to_numpy()
    weight = rows["gross_weight"].to_numpy(np.float64) * np.where(pounds, _LB_KG, 1.0)
    value = rows["declared_value_usd"].to_numpy(np.float64)
    shipper, to_site = _between(rows, own, receive)
    index, ones = rows["index"].to_numpy(), np.ones(len(own))
    table = pd.DataFrame(
        {
            "subject_id": at(rows["event_id"], own),
            "subject_party": at(rows["party"], own),
            "index": index[own],
            "other_index": index[np.where(receive < 0, own, receive)],
            "at": rows["at"].to_numpy()[own],
            "shipper": shipper,
            "to_site": to_site,
            "mode": at(rows["transport_mode"], own),
            "product_id": at(rows["product_id"], own),
            "band": np.searchsorted(_BANDS_KM, ends["distance_km"].fillna(-1)),
            "travel": log_ratio((ends["hours"] + ends["slack_hours"] / 2).to_numpy(), ones),
            "weight": log_ratio(weight[own], amount[own]),
            "value": log_ratio(value[own], amount[own]),
            "quantity": log_ratio(amount[own], ones),
            "dwell": _dwell(shared, ship),
        }
    )
    return _with_groups(table, _LEG_GROUPS).drop(columns=["shipper", "to_site", "mode", "band"])


def _ends(shared: Features) -> pd.DataFrame:
    """Return the legs, and ships and receives of none: those lack the other end, -1."""
    legs, rows = shared.legs, shared.rows
    ship, receive = rows["kind"] == "ship", rows["kind"] == "receive"
    single = ((ship | receive) & rows["timed"]).to_numpy(copy=True)
    single[legs["ship"]] = single[legs["receive"]] = False
    position = np.flatnonzero(single)
    is_ship = ship.to_numpy()[position]
    halves = {"ship": np.where(is_ship, position, -1), "receive": np.where(is_ship, -1, position)}
    return pd.concat([legs, pd.DataFrame(halves)], ignore_index=True)


def _between(
    rows: pd.DataFrame, own: NDArray[np.int64], receive: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of the sites that each leg goes from and to; -1 where unknown."""
    shipper, source = rows["shipper_number"].to_numpy(), rows["from_number"].to_numpy()
    target, site = rows["to_site_number"].to_numpy()[own], rows["site_number"].to_numpy()
    arrived = np.where(receive < 0, -1, site[receive])
    return (
        np.where(shipper[own] < 0, source[own], shipper[own]),
        np.where(arrived < 0, target, arrived),
    )


def _dwell(shared: Features, ship: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the log of hours between a lot's first arrival at the shipper and its leaving."""
    flows, rows = shared.flows, shared.rows
    arrived = flows[flows["sign"] > 0].groupby("stock")["at"].min()
    lot, shipper = rows["lot"].to_numpy()[ship], rows["shipper_number"].to_numpy()[ship]
    since = arrived.reindex(stock(lot, shipper)).to_numpy(np.float64)
    hours = (rows["at"].to_numpy()[ship] - since) / 3.6e9
    return np.asarray(np.log1p(np.where((hours >= 0) & (ship >= 0), hours, np.nan)), np.float64)


_LEG_GROUPS: Final = {
    "product_id": ("product_id",),
    "product_shipper": ("product_id", "shipper"),
    "product_lane": ("product_id", "shipper", "to_site"),
    "shipper": ("shipper",),
    "lane": ("shipper", "to_site"),
    "distance": ("mode", "band"),
    "distance_lane": ("mode", "band", "shipper", "to_site"),
}
_LEG_PEERS: Final = {
    "travel": ("distance", "distance_lane"),
    "weight": ("product_id", "product_shipper"),
    "value": ("product_id", "product_shipper"),
    "quantity": ("product_id", "product_lane"),
    "dwell": ("shipper", "product_shipper"),
}


def leg_residuals(table: pd.DataFrame) -> pd.DataFrame:
    """Hold each value of a window of legs against its peers in that window."""
    found = {
        name: residuals(table[name], [table[f"group_{group}"] for group in groups])
        for name, groups in _LEG_PEERS.items()
    }
    found["weight"] = _without_slips(found["weight"])
    found["rarity"] = _rarity(table["group_shipper"], table["group_lane"])
    return pd.DataFrame(found)


def _without_slips(weight: pd.Series) -> pd.Series:
    """Leave out weights that are the factor of pounds and kilograms from usual."""
    return weight.where((weight.abs() + np.log(_LB_KG)).abs() > _SLIP_WIDTH)


def _rarity(shipper: pd.Series, lane: pd.Series) -> pd.Series:
    """Return how much rarer a destination is than its shipper's median one, as a log ratio.

    It is unknown where the shipper has one destination alone.
    """
    times = lane.groupby(lane).transform("size").astype(np.float64)
    several = lane.groupby(shipper).transform("nunique") > 1
    rarity = pd.Series(np.log(times.groupby(shipper).transform("median") / times))
    return rarity.where(several)


def _with_groups(table: pd.DataFrame, groups: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Put rows into the order of time, and number their peer groups once for all windows."""
    order = [name for name in ("at", "index", "other_index") if name in table]
    table = table.sort_values(order, kind="stable").reset_index(drop=True)
    return table.assign(**{f"group_{name}": codes(table, key) for name, key in groups.items()})
