"""Shipments with what is declared of them, and the peers each has.

Next: detectors/routes/residuals.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from detectors.columns import codes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["KG_PER_LB", "declared", "shipments"]

KG_PER_LB = 0.45359237
_POUNDS = ("lb", "lbs", "pound", "pounds")


def shipments(shared: Features) -> tuple[pd.DataFrame, pd.Series]:
    """List the ship events of one product each, which alone can be held against others.

    Returns:
        A table with `subject_id`, `subject_party`, `index`, `at`, `position` (in `rows`),
        `amount`, `kg` (declared gross weight), `pounds` (whether in pounds), `usd`, `unit_kg`
        (of the product's master data), `shipper`, `to_site`, `product_id`, `shares_weight`
        (whether its weight is the only one of several lines of its consignment, and may be that
        of all), and group numbers `product`, `product_month`, `product_shipper`, `product_lane`;
        and the ids of the events left out because they hold several items.
    """
    return shared.once(_shipments)


def declared(shared: Features) -> tuple[pd.DataFrame, pd.Series]:
    """List the ship events, and the receipts of consignments whose shipping nobody recorded.

    A buyer's own delivery history has no ship events; what it declares of weight and value is on
    the receipts. Where the shipment is on record too, its declaration alone counts.

    Returns:
        As `shipments` does.
    """
    return shared.once(_declared)


def _shipments(shared: Features) -> tuple[pd.DataFrame, pd.Series]:
    rows = shared.rows
    return _table(shared, rows.loc[(rows["kind"] == "ship") & rows["timed"], _OF_SHIPS])


def _declared(shared: Features) -> tuple[pd.DataFrame, pd.Series]:
    rows = shared.rows
    ship = (rows["kind"] == "ship").to_numpy(bool)
    consignment = rows["shipment_number"].to_numpy()
    unshipped = ~np.isin(consignment, consignment[ship]) & ((consignment >= 0) | ~ship.any())
    receipt = (rows["kind"] == "receive").to_numpy(bool) & unshipped
    if not receipt.any():
        return shipments(shared)
    source = {"shipper": "from_facility_id", "shipper_number": "from_number"}
    taken = rows.loc[(ship | receipt) & rows["timed"], [*_OF_SHIPS, *source.values()]]
    own = receipt[taken.index]
    return _table(
        shared,
        taken.assign(**{name: taken[name].mask(own, taken[of]) for name, of in source.items()}),
    )


def _table(shared: Features, ships: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    several = ships["index"].duplicated(keep=False)
    left_out = ships["event_id"][several]
    ships = ships[~several]
    pounds = ships["weight_unit"].str.strip().str.lower().isin(_POUNDS).to_numpy()
    month = ships["at"].to_numpy().astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    unit = np.append(shared.products["unit_weight_kg"].to_numpy(np.float64), np.nan)
    table = pd.DataFrame(
        {
            "subject_id": ships["event_id"].array,
            "subject_party": ships["party"].array,
            "index": ships["index"].to_numpy(),
            "at": ships["at"].to_numpy(),
            "position": ships.index.to_numpy(),
            "amount": ships["amount"].to_numpy(),
            "kg": ships["gross_weight"].to_numpy() * np.where(pounds, KG_PER_LB, 1.0),
            "pounds": pounds,
            "usd": ships["declared_value_usd"].to_numpy(),
            "unit_kg": unit[ships["product"]],
            "shipper": ships["shipper"].array,
            "to_site": ships["to_site"].array,
            "product_id": ships["product_id"].array,
            "month": month,
            "shares_weight": _shares_weight(ships),
        }
    )
    keys = ships[["product_id", "shipper_number", "to_site_number"]].assign(month=month)
    return table.assign(**{name: codes(keys, key) for name, key in _GROUPS.items()}), left_out


def _shares_weight(ships: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell the one line with a weight among several of a consignment."""
    consignment = ships["shipment_number"].to_numpy()
    weighed = ships["gross_weight"].notna().to_numpy(bool)
    size = int(consignment.max(initial=-1)) + 1
    named = consignment >= 0
    lines = np.bincount(consignment[named], minlength=size + 1)
    weights = np.bincount(consignment[named & weighed], minlength=size + 1)
    alone: NDArray[np.bool_] = named & (lines[consignment] > 1) & (weights[consignment] == 1)
    return alone


_OF_SHIPS = [
    "event_id", "party", "index", "at", "amount", "gross_weight", "weight_unit", "product",
    "declared_value_usd", "shipper", "to_site", "product_id", "shipper_number", "to_site_number",
    "shipment_number",
]  # fmt: skip


_GROUPS = {
    "product": ["product_id"],
    "product_month": ["product_id", "month"],
    "product_shipper": ["product_id", "shipper_number"],
    "product_lane": ["product_id", "shipper_number", "to_site_number"],
}
