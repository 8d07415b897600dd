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
from detectors.routes.additive import crossed, standing, steps
from detectors.routes.residuals import drawn_spread, effects
from detectors.routes.shipments import KG_PER_LB, declared
from detectors.routes.statistical import LATER_TOO, Statistical
from detectors.rules import not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

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
FEW: Final = 10
"""So many loads of one size count for half in what looks like a slip at first."""
ABOUT: Final = 3
"""Loads of about one size are within so many factors of two."""
SAME_AMOUNT: Final = 3
"""So many loads of exactly one amount tell how that much is packed."""
SLIP: Final = "pounds and kilograms mixed up"


class WeightMisdeclared(Statistical):
    """Does the shipment weigh what its quantity usually does?"""

    name: Final = "weight_misdeclared"
    type: Final = "weight_misdeclared"
    version: Final = "5"
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
        "same_amount_least": SAME_AMOUNT,
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
        """Hold weight per unit against product, month and shipper."""
        product = window["product"].to_numpy()
        ratio = window["ratio"].to_numpy()
        grain = window["kg_grain"].to_numpy()
        octave, early = _octave(window), np.zeros(len(window))
        # The few loads of one size may all be slips: those of about that size tell.
        for size in (octave, *((octave + shift) // ABOUT for shift in range(ABOUT))):
            near = effects(ratio, [(product, 0), (crossed(product, size), FEW)])
            usual = np.hypot(drawn_spread(near, product, FLOOR), grain)
            early = np.where(early == 0, _slips(near, usual, window), early)
        expected = standing(
            ratio - early,
            product,
            [*_packing(window), *_partners(window)],
            scale_by=product,
            floor=FLOOR,
            grain=grain,
            alike=True,
        )
        residual, usual = expected
        # What looked ordinary among all of its product may be a slip among its like.
        late = np.where(early == 0, _slips(residual, usual, window), 0.0)
        return pd.DataFrame(
            {
                "z": (residual - late) / usual,
                "residual": residual - late,
                "spread": usual,
                "peers": pd.Series(product).groupby(product).transform("size"),
                "benign": np.where((early != 0) | (late != 0), SLIP, ""),
            }
        )

    def explain(self, case: Case) -> Account:
        """Say what it weighs, and what that much usually does."""
        return _account(case.row, case.threshold)


def _packing(window: pd.DataFrame) -> list[Effects]:
    """Return what the weight of packing depends on.

    Few pieces share a carton or a pallet as many do. Its part falls with the amount, at first as
    fast as the amount rises and then hardly any more, and in steps that loads of exactly one
    amount show best.
    """
    product, number = window["product"].to_numpy(), window["amount"].to_numpy()
    rise, every = steps(number, product), np.zeros_like(product)
    exact = crossed(product, pd.factorize(number)[0])
    often = np.where(np.bincount(exact)[exact] >= SAME_AMOUNT, exact + 1, 0)
    return [
        (product, every, rise),
        (product, every, np.logaddexp(0, -rise)),
        (crossed(product, _octave(window)), product),
        (crossed(product, often), product),
    ]


def _partners(window: pd.DataFrame) -> list[Effects]:
    """Return what else a weight depends on: who packs, for whom, moisture and the season."""
    product, shipper = window["product"].to_numpy(), window["product_shipper"].to_numpy()
    month = window["month"].to_numpy()
    by = (
        shipper,
        crossed(shipper, _octave(window)),
        window["product_lane"].to_numpy(),
        crossed(product, month),
        crossed(product, month % 12),
        crossed(shipper, month),
    )
    return [(codes, product) for codes in by]


def _octave(window: pd.DataFrame) -> NDArray[np.int64]:
    """Return the size of an amount, to a factor of two."""
    return np.asarray(np.floor(np.log2(window["amount"].to_numpy())), np.int64)


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
