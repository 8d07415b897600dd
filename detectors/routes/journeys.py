"""Journeys: how each lot went from site to site, shipment by shipment.

The shipment before another is the last one of the same lot that was bound for
its shipper. A lot may be divided, so that its shipments form a tree.

Next: detectors/routes/lane_novelty.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from detectors.columns import at, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["passes", "reached", "shipments_of_lots", "site_places", "tops"]

_DEPTH: Final = 24
"""No lot is shipped on more often than this."""
_WEEK_US: Final = 7 * 86_400_000_000


def shipments_of_lots(shared: Features) -> pd.DataFrame:
    """List every shipment of a lot, with the shipment before it.

    Returns:
        In the order of time: `position` (in `rows`), `lot`, `at`, `shipper`, `to_site`,
        `site_from` and `site_to` (numbers of the sites), `bill` (of lading), `before` (row of
        this table, -1 for the first).
    """
    found: pd.DataFrame = shared.once(_shipments_of_lots)
    return found


def _shipments_of_lots(shared: Features) -> pd.DataFrame:
    rows = shared.rows
    source, target = rows["shipper_number"].to_numpy(), rows["to_site_number"].to_numpy()
    moved = (source >= 0) & (target >= 0) & (source != target)
    ships = moved & (rows["kind"] == "ship") & rows["timed"] & rows["has_lot"]
    table: pd.DataFrame = rows.loc[ships, ["lot", "at", "index", "shipper", "to_site"]]
    table = table.assign(position=table.index, bill=_bills(shared, table["index"]))
    # Positions are in the order of the log.
    table = table.iloc[np.argsort(table["at"].to_numpy(), kind="stable")].reset_index(drop=True)
    ends = np.append(source[table["position"]], target[table["position"]])
    number = pd.factorize(ends)[0].astype(np.int64)
    table["site_from"], table["site_to"] = number[: len(table)], number[len(table) :]
    table["before"] = _before(table)
    return table


def _bills(shared: Features, index: pd.Series) -> Any:
    """Return the bill of lading of the entries at `index`."""
    bills = texts(shared.frames.events, "bill_of_lading")
    held = shared.frames.events["index"].to_numpy()
    first = np.flatnonzero(~pd.Series(held).duplicated().to_numpy())
    order = first[np.argsort(held[first])]
    return at(bills, order[np.searchsorted(held[order], index)])


def _before(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return the shipment that brought each one's goods: under the same bill, else the last."""
    place = table["lot"].to_numpy() << 32
    own = table[["at"]].assign(
        place=place + table["site_from"], bill=pd.factorize(table["bill"])[0].astype(np.int64)
    )
    bound = own.assign(place=place + table["site_to"], before=table.index)
    billed = (own["bill"] >= 0).to_numpy()
    same, last = (
        pd.merge_asof(
            own[chosen], bound.loc[chosen, ["at", *by, "before"]], on="at", by=by,
            allow_exact_matches=False,
        )["before"].set_axis(own.index[chosen]).reindex(table.index)
        for chosen, by in ((billed, ["place", "bill"]), (np.ones(len(own), bool), ["place"]))
    )  # fmt: skip
    return same.fillna(last).fillna(-1).to_numpy(np.int64)


def tops(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return, for each shipment, the first one that carried the same goods under the same bill.

    Args:
        table: `shipments_of_lots`.
    """
    before, bill = table["before"].to_numpy(), table["bill"].to_numpy(object)
    known = np.flatnonzero(before >= 0)
    onward = np.bincount(before[known], minlength=len(table))
    up = np.full(len(table), -1)
    one_bill = (bill[known] == bill[before[known]]) | pd.isna(bill[known])
    up[known] = np.where(one_bill & (onward[before[known]] == 1), before[known], -1)
    top = np.arange(len(table))
    for _ in range(_DEPTH):
        higher = up[top]
        if not (higher >= 0).any():
            break
        top = np.where(higher >= 0, higher, top)
    return top


def reached(table: pd.DataFrame) -> pd.DataFrame:
    """List where each shipper's goods came through others' hands: `a`, `b`, `loads`.

    Args:
        table: `shipments_of_lots`.
    """
    before, source = table["before"].to_numpy(), table["site_from"].to_numpy()
    target, day = table["site_to"].to_numpy(), table["at"].to_numpy() // _WEEK_US
    up, parts = before.copy(), []
    for _ in range(_DEPTH):
        some = np.flatnonzero(up >= 0)
        if not len(some):
            break
        ends = {"a": source[up[some]], "b": target[some], "week": day[some]}
        parts.append(pd.DataFrame(ends).drop_duplicates())
        up[some] = before[up[some]]
    if not parts:
        return pd.DataFrame({"a": [], "b": [], "loads": []}, dtype=np.int64)
    every = pd.concat(parts, ignore_index=True).drop_duplicates()
    return every.groupby(["a", "b"]).size().rename("loads").reset_index()


def passes(table: pd.DataFrame) -> pd.DataFrame:
    """List every passage of a lot through a site: shipped there, and shipped on.

    Args:
        table: `shipments_of_lots`, or a part of it with rows numbered anew.

    Returns:
        `into` and `out` (rows of the whole `shipments_of_lots`), `a`, `x`, `b` (numbers of the
        sites) and `at` (when it left `x`). Goods sent back to where they came through are no
        passage.
    """
    out = np.flatnonzero(table["before"].to_numpy() >= 0)
    into = table["before"].to_numpy()[out]
    found = pd.DataFrame(
        {
            "into": into,
            "out": out,
            "a": table["site_from"].to_numpy()[into],
            "x": table["site_from"].to_numpy()[out],
            "b": table["site_to"].to_numpy()[out],
            "at": table["at"].to_numpy()[out],
        }
    )
    back, up = (found["a"] == found["b"]).to_numpy(copy=True), into.copy()
    for _ in range(_DEPTH):
        up = np.where(up >= 0, table["before"].to_numpy()[up], -1)
        if not (up >= 0).any():
            break
        back |= (up >= 0) & (table["site_from"].to_numpy()[up] == found["b"].to_numpy())
    return found[~back].reset_index(drop=True)


def site_places(
    shared: Features, table: pd.DataFrame
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return latitude and longitude by number of site: as registered, else as most recorded.

    Args:
        shared: Features of the run.
        table: `shipments_of_lots`.
    """
    rows, number = shared.rows, shared.rows["site_number"].to_numpy()
    lat, lon, own_lat, own_lon = shared.places
    by_site = pd.DataFrame(
        {
            "lat": np.where(np.isnan(own_lat), lat, own_lat),
            "lon": np.where(np.isnan(own_lon), lon, own_lon),
        }
    )[number >= 0]
    middle = by_site.groupby(number[number >= 0])[["lat", "lon"]].median()
    place = table["position"].to_numpy()
    ends = np.append(
        rows["shipper_number"].to_numpy()[place], rows["to_site_number"].to_numpy()[place]
    )
    order = np.unique(np.append(table["site_from"], table["site_to"]), return_index=True)[1]
    known = middle.reindex(ends[order])
    return known["lat"].to_numpy(), known["lon"].to_numpy()
