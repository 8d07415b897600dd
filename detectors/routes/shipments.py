"""Shipments with what is declared of them, and the peers each has.

Next: detectors/routes/residuals.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import codes
from detectors.routes.additive import crossed, steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["KG_PER_LB", "declared", "shipments", "smallness"]

KG_PER_LB = 0.45359237
_POUNDS = ("lb", "lbs", "pound", "pounds")


def shipments(shared: Features) -> tuple[pd.DataFrame, pd.Series]:
    """List the ship events of one product each, which alone can be held against others.

    Returns:
        A table with `subject_id`, `subject_party`, `index`, `at`, `position` (in `rows`),
        `amount`, `kg` (declared gross weight), `pounds` (whether in pounds), `usd`, `unit_kg`
        (of the product's master data), `shipper`, `to_site`, `product_id`, `shares_weight`
        (whether its weight is the only one of several lines of its consignment, and may be that
        of all), `kg_grain` and `usd_grain` (how exactly they are written, see `grain`), the site
        numbers `from_number` and `to_number`, and group numbers `product`, `product_shipper`,
        `product_lane`; and the ids of the events left out because they hold several items.
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
            "from_number": ships["shipper_number"].to_numpy(),
            "to_number": ships["to_site_number"].to_numpy(),
            "kg_grain": grain(ships["gross_weight"], ships["shipper_number"], pounds),
            "usd_grain": grain(ships["declared_value_usd"], ships["shipper_number"]),
        }
    )
    keys = ships[["product_id", "shipper_number", "to_site_number"]]
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


def grain(figures: pd.Series, *of: pd.Series | NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how far figures may be off by their last digit, as a share of them.

    Who writes 2 may have weighed 1.6 or 2.4. A figure is as exact as the middle one of the same
    hand and size: 100 may be exact, but hardly where all others are round, too.

    Args:
        figures: Above 0, or NaN where unknown.
        of: Who wrote each, and in what unit.

    Returns:
        The standard deviation of the rounding; 0 where the figure is unknown.
    """
    value = np.nan_to_num(figures.to_numpy(np.float64))
    value = np.where(value > 0, value, 1.0)
    step = np.full(len(value), _FINEST)
    left = np.ones(len(value), bool)
    for power in _POWERS:
        scaled = value / 10.0**power
        whole = left & (np.abs(scaled - np.rint(scaled)) <= _EXACT * np.maximum(scaled, 1.0))
        whole &= scaled >= _HALF
        step[whole] = 10.0**power
        left &= ~whole
    size = np.floor(np.log10(value)).astype(np.int64)
    hand = crossed(*(np.asarray(one).astype(np.int64) for one in of), size)
    order = np.lexsort((step, hand))
    count = np.bincount(hand)
    middle = step[order][np.cumsum(count) - count + (count - 1) // 2]
    known = (figures > 0).to_numpy(bool)
    return np.where(
        known, np.minimum(np.minimum(middle[hand], step), value) / value / np.sqrt(12), 0.0
    )


def smallness(table: pd.DataFrame) -> NDArray[np.int64]:
    """Number shipments by their size against their product's middle one, to a factor of four.

    A sample's box, ice and papers weigh and cost about as much as those of a load, whatever is in
    it: weight and value per unit of small shipments stray further, of all products alike.
    """
    below = steps(table["amount"].to_numpy(), table["product"].to_numpy())
    return crossed(np.rint(below / np.log(4)).astype(np.int64))


_POWERS: Final = range(3, -4, -1)
_FINEST: Final = 1e-3
_EXACT: Final = 1e-6
_HALF: Final = 0.5

_OF_SHIPS = [
    "event_id", "party", "index", "at", "amount", "gross_weight", "weight_unit", "product",
    "declared_value_usd", "shipper", "to_site", "product_id", "shipper_number", "to_site_number",
    "shipment_number",
]  # fmt: skip


_GROUPS = {
    "product": ["product_id"],
    "product_shipper": ["product_id", "shipper_number"],
    "product_lane": ["product_id", "shipper_number", "to_site_number"],
}
