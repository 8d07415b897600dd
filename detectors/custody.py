"""Custody: what each site held of each lot, and when it gave more than it had.

Goods come to a site by being made, received or unpacked there and leave it by being
shipped, used, sold or destroyed. Per lot and site the running balance may not
fall below zero; where it does, the shortfall is booked once and credited, so
that one missing receipt does not accuse every later shipment. Quantities are
reconciled, not only presence: consignments of one lot may share a hub.

Next: detectors/workplace.py
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from detectors.columns import codes, positive
from detectors.legs import HOUR_US

__all__ = ["DAY_US", "flows", "shortfalls", "unreceived"]

DAY_US: Final = 24 * HOUR_US
_IN: Final = ("produce", "transform", "receive")
_OUT: Final = ("ship", "sell", "destroy")


def flows(rows: pd.DataFrame, inputs: pd.DataFrame) -> pd.DataFrame:
    """List every movement of a lot into or out of a site's hands.

    Args:
        rows: The shared event rows.
        inputs: The shared transform inputs (`lot`, `at`, `site`, `day`, `index`, quantity).

    Returns:
        `lot`, `holder`, `sign` (+1, -1), `amount` (NaN unknown), `at`, `day`, `kind`, `index`,
        `position` (in `rows`; -1 for an input).
    """
    lots = rows.loc[rows["timed"] & rows["has_lot"]]
    moving = lots.loc[lots["kind"].isin([*_IN, *_OUT]) | _brought_in_containers(lots)]
    own = pd.DataFrame(
        {
            "lot": moving["lot"],
            "holder": moving["site"].where(moving["kind"] != "ship", moving["shipper"]),
            "sign": np.where(moving["kind"].isin(_OUT), -1.0, 1.0),
            "amount": moving["amount"],
            "at": moving["at"],
            "day": moving["day"],
            "kind": moving["kind"],
            "index": moving["index"],
            "position": moving.index,
        }
    )
    used = inputs.loc[inputs["timed"] & inputs["has_lot"]]
    consumed = pd.DataFrame(
        {
            "lot": used["lot"],
            "holder": used["site"],
            "sign": -1.0,
            # An undeclared share is not guessed here: mass_balance judges consumption.
            "amount": np.nan_to_num(positive(used, "quantity")),
            "at": used["at"],
            "day": used["day"],
            "kind": "use",
            "index": used["index"],
            "position": -1,
        }
    )
    table = pd.concat([own, consumed], ignore_index=True)
    return table[table["holder"].notna()].reset_index(drop=True)


def _brought_in_containers(lots: pd.DataFrame) -> pd.Series:
    """Mark unpackings at sites that got the lot in no other way: its container was scanned in."""
    place = lots[["lot", "site"]]
    known = place[lots["kind"].isin(_IN)].drop_duplicates().assign(known=True)
    seen = place.merge(known, on=["lot", "site"], how="left")["known"].notna().to_numpy()
    return (lots["kind"] == "unpack") & ~seen


def unreceived(rows: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """List as arrivals what was shipped to a site and never scanned in there.

    Args:
        rows: The shared event rows.
        sent: `legs.consignments`.
    """
    open_ = sent[(sent["receipts"] == 0)]
    ships = rows.iloc[open_["ship"]]
    table = pd.DataFrame(
        {
            "lot": ships["lot"].to_numpy(),
            "holder": ships["to_site"].to_numpy(),
            "sign": 1.0,
            "amount": open_["shipped"].to_numpy(),
            "at": ships["at"].to_numpy(),
            "day": ships["day"].to_numpy(),
            "kind": "unreceived",
            "index": ships["index"].to_numpy(),
            "position": ships.index,
        }
    )
    return table[table["holder"].notna() & ships["has_lot"].to_numpy()].reset_index(drop=True)


def shortfalls(
    table: pd.DataFrame, *, tolerance: float, clock_us: int, early_us: int = 0
) -> pd.DataFrame:
    """Reconcile each lot at each holder.

    Args:
        table: Flows, as `flows` lists them.
        tolerance: Share of all that arrived of the lot which weighing may explain.
        clock_us: How far two clocks may differ, microseconds.
        early_us: How much earlier than recorded an arrival may have been.

    Returns:
        One row per ship flow, in the order of `position`: `position`, `short` (amount beyond
        the tolerance), `held` (before it left), `arrivals` (how many before it), `known`
        (whether every quantity of the lot at the holder is).
    """
    late = table["day"].to_numpy() * DAY_US
    inward = table["sign"].to_numpy() > 0
    at = table["at"].to_numpy()
    effective = np.where(inward, at - clock_us - early_us, at + late)
    group = codes(table, ["lot", "holder"])
    order = np.lexsort((table["position"], table["index"], ~inward, effective, group))
    ordered = table.iloc[order]
    amount = ordered["amount"].to_numpy()
    inward, group = inward[order], group[order]
    known = ~_any_by_group(group, np.isnan(amount))[group]
    signed = np.where(inward, 1.0, -1.0) * np.nan_to_num(amount)
    size = int(group.max(initial=-1)) + 1
    credit = tolerance * np.bincount(group[inward], np.nan_to_num(amount[inward]), size)
    balance = _cumulative(group, signed) + credit[group]
    lowest = np.minimum(_running_minimum(group, balance), 0.0)
    before = np.where(_starts(group), 0.0, np.roll(lowest, 1))
    result = pd.DataFrame(
        {
            "position": ordered["position"].to_numpy(),
            "short": before - lowest,
            "held": np.maximum(balance - signed - credit[group] - before, 0.0),
            "arrivals": _cumulative(group, inward.astype(np.float64)).astype(np.int64),
            "known": known,
        }
    )
    ships = (ordered["kind"] == "ship").to_numpy()
    return result[ships].sort_values("position").reset_index(drop=True)


def _starts(group: np.ndarray) -> np.ndarray:
    """Mark the first row of every run of equal groups."""
    first = np.ones(len(group), dtype=bool)
    first[1:] = group[1:] != group[:-1]
    return first


def _any_by_group(group: np.ndarray, marks: np.ndarray) -> np.ndarray:
    return np.bincount(group, marks, int(group.max(initial=-1)) + 1) > 0


def _cumulative(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    return pd.Series(values).groupby(group, sort=False).cumsum().to_numpy()


def _running_minimum(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    return pd.Series(values).groupby(group, sort=False).cummin().to_numpy()
