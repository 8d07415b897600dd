"""Misdeclared weight: a shipment far lighter or heavier than its quantity makes it.

Weight per unit is held against the product's usual, its amount, month and
shipper, in both directions: freight is saved by declaring less, and payment by
weight is raised by declaring more. Pounds written as kilograms are recognised by
their factor and are a note on data quality, not a flag.

Next: detectors/routes/value_misdeclared.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Account, Benign, Expected, Measure, PeerGroup
from detectors.routes.additive import Standing, crossed, standing
from detectors.routes.packing import (
    ABOUT,
    BESIDE,
    DOUBT,
    PARTS,
    SAME_AMOUNT,
    beyond,
    packing,
    roughly,
    size,
    sizes,
    wider,
)
from detectors.routes.shipments import KG_PER_LB, declared, smallness
from detectors.routes.statistical import LATER_TOO, Statistical
from detectors.rules import not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case, Finding
    from detectors.features import Features
    from detectors.routes.additive import Effects

__all__ = ["WeightMisdeclared"]

FLOOR: Final = 0.01
"""Scales, pallets and moisture alone make 1 % of difference."""
SLIP_SPREADS: Final = 3.5
SLIP_WIDTH: Final = 0.2
SLIP_GRAINS: Final = 2.0
SLIP: Final = "pounds and kilograms mixed up"


class WeightMisdeclared(Statistical):
    """Does the shipment weigh what its quantity usually does?"""

    name: Final = "weight_misdeclared"
    type: Final = "weight_misdeclared"
    version: Final = "8"
    closing = LATER_TOO
    reads: Final = (
        "event/1 /gross_weight",
        "event/1 /items",
        "event/1 /shipment_id",
        "event/1 /weight_unit",
        "event/1 /from_facility_id",
        "product/1 /unit_weight_kg",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "least_spread": FLOOR,
        "slip_width": SLIP_WIDTH,
        "about_one_size_doublings": ABOUT,
        "parts_of_a_doubling": PARTS,
        "same_amount_least": SAME_AMOUNT,
        "beside": BESIDE,
        "beside_doubt_spreads": DOUBT,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every shipment with a weight and a quantity."""
        table, several = declared(shared)
        known = (table["kg"] > 0) & (table["amount"] > 0)
        whole = known & table["shares_weight"]
        reasons = {
            "a shipment of several items under one weight": several,
            "the only weight of several lines of a shipment": table["subject_id"][whole],
            "no weight or no quantity": table["subject_id"][~known],
        }
        table = table[known & ~whole].reset_index(drop=True)
        ratio = np.log(table["kg"].to_numpy() / table["amount"].to_numpy())
        return table.assign(ratio=ratio), not_judged(self.name, reasons)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Hold weight per unit against product, amount, month and shipper."""
        ratio = window["ratio"].to_numpy()
        smooth, partners = sizes(window), _partners(window)
        early = np.zeros(len(window))
        # The few loads of one size may all be slips: those of other sizes tell.
        for known in (*roughly(window), smooth):
            early = np.where(early == 0, _slips(*_held(ratio, known, window), window), early)
        residual, usual = _held(ratio - early, [*packing(window), *partners], window)
        # What looked ordinary among all of its product may be a slip among its like.
        late = np.where(early == 0, _slips(residual, usual, window), 0.0)
        slip = early + late
        smoothly = _held(ratio - slip, [*smooth, *partners], window).residual
        residual = beyond(residual - late, smoothly, usual, window)
        return pd.DataFrame(
            {
                "z": residual / usual,
                "residual": residual,
                "spread": usual,
                "peers": window.groupby("product")["product"].transform("size"),
                "benign": np.where(slip != 0, SLIP, ""),
            }
        )

    def explain(self, case: Case) -> Account:
        """Say what it weighs, and what that much usually does."""
        return _account(case.row, case.threshold)


def _held(
    ratio: NDArray[np.float64], groupings: Sequence[Effects], window: pd.DataFrame
) -> Standing:
    product, grain = window["product"].to_numpy(), window["kg_grain"].to_numpy()
    small = smallness(window)
    residual, usual = standing(
        ratio,
        product,
        groupings,
        scale_by=product,
        floor=FLOOR,
        grain=grain,
        unrest=[small],
        alike=True,
    )
    return Standing(residual, usual * wider(residual / usual, small))


def _partners(window: pd.DataFrame) -> list[Effects]:
    """Return what else a weight depends on: who packs, for whom, moisture and the season."""
    product, shipper = window["product"].to_numpy(), window["product_shipper"].to_numpy()
    month = window["month"].to_numpy()
    by = (
        shipper,
        crossed(shipper, size(window["amount"].to_numpy())),
        window["product_lane"].to_numpy(),
        crossed(product, month),
        crossed(product, month % 12),
        crossed(shipper, month),
    )
    return [(codes, product) for codes in by]


def _slips(
    rest: NDArray[np.float64], usual: NDArray[np.float64], window: pd.DataFrame
) -> NDArray[np.float64]:
    """Return what mix-ups of pounds and kilograms added, where the unit written allows them.

    A number of pounds written as kilograms is 2.2 times too high and says "kg"; kilograms
    written as pounds are as much too low and say "lb".
    """
    grain = window["kg_grain"].to_numpy()
    width = np.minimum(SLIP_SPREADS * usual, SLIP_WIDTH + SLIP_GRAINS * grain)
    factor = np.log(1 / KG_PER_LB) * np.where(window["pounds"], -1.0, 1.0)
    return np.where(np.abs(rest - factor) <= width, factor, 0.0)


def _account(row: Mapping[str, Any], threshold: float) -> Account:
    per_unit = row["kg"] / row["amount"]
    usual = per_unit / np.exp(row["residual"])
    away = np.exp(threshold * row["spread"])
    low, high = usual * row["amount"] / away, usual * row["amount"] * away
    direction = "lighter" if row["residual"] < 0 else "heavier"
    share = abs(np.expm1(row["residual"]))
    season: Finding = "ruled out"
    return Account(
        evidence=(),
        observed=Measure("declared gross weight", row["kg"], "kg"),
        expected=Expected(low, high, "kg"),
        peer_group=PeerGroup(f"shipments of {row['product_id']}", int(row["peers"])),
        sentence=(
            f"{plain(row['amount'])} of {row['product_id']} from {row['shipper']} is declared to "
            f"weigh {plain(row['kg'])} kg, {plain(100 * share)} % {direction} than that much "
            f"usually weighs ({plain(usual * row['amount'])} kg)."
        ),
        counterfactual=(
            f"The flag would disappear if the weight were between {plain(low)} and "
            f"{plain(high)} kg."
        ),
        benign=(
            Benign(SLIP, "ruled out"),
            Benign("packing or moisture usual for this shipper or month", season),
            Benign("a wrong quantity on the same row", "not checked"),
            Benign("another packing for this one order", "not checked"),
        ),
        caveat=(
            "It does not say that the weight is wrong rather than the quantity, nor that anybody "
            "meant to declare it so."
        ),
    )
