"""The event rows that all detectors read: one order, one meaning of "missing", sites as numbers.

Texts stay as they were recorded. What many detectors compare or group by has a
number beside it: a comparison of numbers takes a tenth of the time.

Next: detectors/features.py
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from detectors.columns import at as taken
from detectors.columns import hashed, numbers, texts
from detectors.placeholders import named, times
from detectors.products import find
from detectors.units import amounts

__all__ = ["ITEM", "event_rows", "input_rows"]

ITEM: Final = ["item_party", "product_id", "lot_id"]
"""What names a lot."""
_KEPT: Final = (
    "event_id",
    "party",
    "locode",
    "item_party",
    "product_id",
    "lot_id",
    "shipment_id",
    "from_facility_id",
    "to_facility_id",
    "transport_mode",
    "carrier",
    "declared_origin_country",
)


_NAMES: Final = ("lot_id", "shipment_id")
"""What joins events, so that a placeholder must not be taken for it."""


def event_rows(events: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Put the events into the order of the log, with one meaning of "missing".

    Args:
        events: The frame.
        products: A `products.catalogue`.

    Returns:
        What `features.Features.rows` says, but for `lot`.
    """
    at = times(events["event_time"]) if len(events) else np.empty(0, np.int64)
    columns: dict[str, Any] = {name: texts(events, name).array for name in _KEPT}
    columns |= {name: named(events, name).array for name in _NAMES}
    columns |= {
        "transport_mode": _word(events, "transport_mode"),
        "index": events["index"].to_numpy(np.int64),
        "kind": _word(events, "event_type"),
        "at": at,
        "timed": at != np.iinfo(np.int64).min,
        "day": (texts(events, "time_precision") == "day").to_numpy(),
    }
    columns |= _sites(columns, texts(events, "facility_id"))
    for name in ("latitude", "longitude", "gross_weight", "declared_value_usd"):
        columns[name] = numbers(events, name)
    columns["weight_unit"] = texts(events, "weight_unit").array
    columns["quantity"] = numbers(events, "quantity")
    columns["quantity_unit"] = texts(events, "quantity_unit").array
    table = pd.DataFrame(columns, copy=False)
    table["product"] = find(table, products)
    table["amount"] = amounts(table, products)
    table["has_lot"] = table["lot_id"].notna()
    table["shipment_number"] = pd.factorize(table["shipment_id"])[0].astype(np.int64)
    return _in_order(table)


def _word(events: pd.DataFrame, name: str) -> Any:
    """Return a column of words of a list, however they are spaced and capitalised."""
    return texts(events, name).str.strip().str.lower().array


def _sites(columns: dict[str, Any], facility: pd.Series) -> dict[str, Any]:
    """Return where each row happened, who shipped and who was to get it: numbers, and names."""
    named = [facility, *(pd.Series(columns[f"{end}_facility_id"]) for end in ("from", "to"))]
    every, names = pd.factorize(pd.concat(named, ignore_index=True), sort=True)
    own, source, target = every.astype(np.int64).reshape(3, -1)
    ship, receive = (np.asarray(columns["kind"] == kind, bool) for kind in ("ship", "receive"))
    site = np.where((own < 0) & ship, source, own)
    site = np.where((site < 0) & receive, target, site)
    found = {
        "site": site,
        "shipper": np.where(ship, np.where(source < 0, site, source), -1),
        "to_site": np.where(receive, site, target),
    }
    texts_ = pd.Series(names, dtype="str")
    by_name = {name: taken(texts_, number) for name, number in found.items()}
    found["from"] = source
    return by_name | {f"{name}_number": number for name, number in found.items()}


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Put rows into the order of the log; those of one entry by quantity and item."""
    index = table["index"].to_numpy()
    order = np.argsort(index, kind="stable")
    several = np.flatnonzero(table["index"].duplicated(keep=False).to_numpy()[order])
    part = table.iloc[order[several]]
    ties = (part["quantity"], hashed(part["lot_id"]), hashed(part["product_id"]))
    order[several] = order[several][np.lexsort((*ties, part["index"]))]
    if not (order == np.arange(len(order))).all():
        table = table.iloc[order]
    return table.reset_index(drop=True)


def input_rows(inputs: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Put the inputs of transforms into the order of the log, with what is known of their event.

    Args:
        inputs: The frame.
        rows: `event_rows`.

    Returns:
        What `features.Features.inputs` says, but for `lot`.
    """
    table = pd.DataFrame({name: texts(inputs, name).array for name in ITEM})
    table["lot_id"] = named(inputs, "lot_id").array
    table["index"] = inputs["index"].to_numpy(np.int64)
    table["quantity"] = numbers(inputs, "quantity")
    table["has_lot"] = table["lot_id"].notna()
    held = rows["index"].to_numpy()
    place = np.searchsorted(held, table["index"])
    known = place < len(held)
    known[known] = held[place[known]] == table["index"].to_numpy()[known]
    place = np.where(known, place, -1)
    for name in ("timed", "day"):
        table[name] = np.where(known, np.append(rows[name].to_numpy(bool), False)[place], False)
    table["at"] = np.append(rows["at"].to_numpy(), np.iinfo(np.int64).min)[place]
    table["site_number"] = np.append(rows["site_number"].to_numpy(), -1)[place]
    for name in ("site", "event_id", "party"):
        table[name] = taken(rows[name], place)
    return _in_order(table)
