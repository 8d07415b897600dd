"""What the general outlier models look at: legs and facility-months as peer residuals.

Each column is a log ratio, so that "twice as long" and "half as long" are
equally far from usual, and each is taken against the narrowest peers there are.

Next: detectors/unusual_models.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import codes
from detectors.peers import log_ratio, residuals
from detectors.workplace import WEEKS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detectors.features import Features

__all__ = ["LEG_WORDS", "MONTH_WORDS", "leg_residuals", "leg_values", "month_residuals", "months"]

LEG_WORDS: Final = {
    "travel": "the trip took {} as long as usual between such places",
    "weight": "the goods weighed {} as much a unit as usual",
    "value": "they were valued at {} as much a unit as usual",
    "quantity": "the quantity was {} the usual one on this lane",
    "dwell": "the goods had been at the shipper {} as long as usual",
    "handover": "{} what had been shipped arrived",
    "rarity": "the shipper uses this destination {} as rarely as its others",
}
MONTH_WORDS: Final = {
    "hours": "the working week was {} its usual length at this site",
    "pay": "an hour paid {} what it usually does at this site",
    "output": "an hour of work made {} its usual output",
    "headcount": "the site had {} its usual number of workers",
    "totals": "total hours were {} what weekly hours and headcount come to",
    "deductions": "deductions took {} the usual share of wages",
    "fees": "recruitment fees were {} the usual",
    "grievances": "there were {} as many grievances as usual",
}
_BANDS_KM: Final = (0, 50, 200, 500, 1_500, 5_000, 25_000)
_LB_KG: Final = 0.45359237


def leg_values(shared: Features) -> pd.DataFrame:
    """Collect the raw values of every leg, by its ship event.

    A ship or receive without its counterpart is half a leg and speaks for itself.

    Returns:
        One row per leg in the order of time: subject columns, `at`, peer keys (`shipper`,
        `to_site`, `mode`, `band`, `product_id`), the number of each peer group, and the
        columns of `LEG_WORDS` as logs.
    """
    ship, receive, legs = _ends(shared)
    own = ship.where(ship["event_id"].notna(), receive)
    amount = own["amount"].to_numpy(np.float64)
    pounds = own["weight_unit"].str.lower().isin(["lb", "lbs"]).to_numpy()
    weight = own["gross_weight"].to_numpy(np.float64) * np.where(pounds, _LB_KG, 1.0)
    ones = np.ones(len(own))
    table = pd.DataFrame(
        {
            "subject_id": own["event_id"],
            "subject_party": own["party"],
            "index": own["index"].astype(np.int64),
            "other_index": receive["index"].fillna(own["index"]).astype(np.int64),
            "at": own["at"].astype(np.int64),
            "shipper": own["shipper"].fillna(own["from_facility_id"]),
            "to_site": own["to_site"].where(receive["site"].isna(), receive["site"]),
            "mode": own["transport_mode"],
            "product_id": own["product_id"],
            "band": np.searchsorted(_BANDS_KM, legs["distance_km"].fillna(-1)).astype(str),
            "travel": log_ratio((legs["hours"] + legs["slack_hours"] / 2).to_numpy(), ones),
            "weight": log_ratio(weight, amount),
            "value": log_ratio(own["declared_value_usd"].to_numpy(np.float64), amount),
            "quantity": log_ratio(amount, ones),
            "dwell": _dwell(shared, ship),
            "handover": log_ratio(
                receive["amount"].to_numpy(np.float64), ship["amount"].to_numpy(np.float64)
            ),
        }
    )
    return _with_groups(table, _LEG_GROUPS)


def _ends(shared: Features) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the ship rows, the receive rows and the measures of all legs, halves included."""
    legs, rows = shared.legs, shared.rows
    moves = rows.index[rows["kind"].isin(["ship", "receive"]) & rows["timed"]]
    single = moves.difference(pd.Index(legs["ship"])).difference(pd.Index(legs["receive"]))
    is_ship = (rows["kind"] == "ship").loc[single]
    halves = pd.DataFrame(
        {"ship": single.where(is_ship, -1), "receive": single.where(~is_ship, -1)},
        index=range(len(single)),
    )
    every = pd.concat([legs, halves], ignore_index=True)
    ship, receive = (
        rows.reindex(every[side].where(every[side] >= 0, np.nan)).reset_index(drop=True)
        for side in ("ship", "receive")
    )
    return ship, receive, every


def _dwell(shared: Features, ship: pd.DataFrame) -> pd.Series:
    """Return the log of hours between a lot's first arrival at the shipper and its leaving."""
    flows = shared.flows
    arrived = flows[flows["sign"] > 0].groupby(["lot", "holder"])["at"].min().rename("since")
    joined = ship[["lot", "shipper", "at"]].join(arrived, on=["lot", "shipper"])
    hours = (joined["at"] - joined["since"]) / 3.6e9
    return pd.Series(np.log1p(hours.where(hours >= 0)), index=ship.index)


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
    "handover": (),
}


def leg_residuals(table: pd.DataFrame) -> pd.DataFrame:
    """Hold each value of a window of legs against its peers in that window."""
    found = {
        name: residuals(table[name], [table[f"group_{group}"] for group in groups])
        for name, groups in _LEG_PEERS.items()
    }
    found["rarity"] = _rarity(table["group_shipper"], table["group_lane"])
    return pd.DataFrame(found)


def _rarity(shipper: pd.Series, lane: pd.Series) -> pd.Series:
    """Return how much rarer a destination is than its shipper's median one, as a log ratio."""
    times = lane.groupby(lane).transform("size").astype(np.float64)
    return pd.Series(np.log(times.groupby(shipper).transform("median") / times))


def _with_groups(table: pd.DataFrame, groups: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Put rows into the order of time, and number their peer groups once for all windows."""
    order = [name for name in ("at", "index", "other_index") if name in table]
    table = table.sort_values(order, kind="stable").reset_index(drop=True)
    return table.assign(**{f"group_{name}": codes(table, key) for name, key in groups.items()})


def months(shared: Features) -> pd.DataFrame:
    """Collect the raw values of every facility-month; columns of `MONTH_WORDS` as logs."""
    source = shared.facility_months
    hours, heads = source["total_hours"].to_numpy(), source["headcount"].to_numpy()
    week = source["avg_weekly_hours"].to_numpy()
    ones = np.ones(len(source))
    table = source[["subject_id", "subject_party", "index", "facility_id", "country"]].assign(
        at=source["first_day"].to_numpy("datetime64[us]").astype(np.int64),
        currency=source["currency"],
        product_id=source["output_product_id"],
        hours=log_ratio(week, ones),
        pay=log_ratio(source["gross_wages"].to_numpy(), hours),
        output=log_ratio(source["output_units"].to_numpy(), hours),
        headcount=log_ratio(heads, ones),
        totals=log_ratio(hours, heads * week * WEEKS_PER_MONTH),
        deductions=np.log1p(source["wage_deduction_share"]),
        fees=np.log1p(source["recruitment_fee_usd"]),
        grievances=np.log1p(source["grievances"]),
    )
    return _with_groups(table, _MONTH_GROUPS)


_MONTH_GROUPS: Final = {
    "country": ("country",),
    "site": ("facility_id",),
    "currency": ("currency",),
    "currency_site": ("currency", "facility_id"),
    "product": ("product_id",),
    "product_site": ("product_id", "facility_id"),
}
_MONTH_PEERS: Final = {
    "pay": ("currency", "currency_site"),
    "output": ("product", "product_site"),
    "totals": (),
}


def month_residuals(table: pd.DataFrame) -> pd.DataFrame:
    """Hold each value of a window of facility-months against the site's own and its peers'."""
    return pd.DataFrame(
        {
            name: residuals(
                table[name],
                [table[f"group_{group}"] for group in _MONTH_PEERS.get(name, ("country", "site"))],
            )
            for name in MONTH_WORDS
        }
    )
