"""Cold-chain breach: a reading far from the temperatures at which such goods are kept.

Most records state no limits (`storage_limits` asks about those that do). What is usual
is read off the record: of the product, of its sites and of the season. So a reading is
a residual with a null, statistical evidence and no broken rule. Too cold counts too;
frozen chocolate is spoilt as well.

Next: detectors/routes/storage_limits.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Account, Benign, Expected, Measure, PeerGroup
from detectors.columns import codes
from detectors.routes.additive import crossed, standing
from detectors.routes.readings import FAHRENHEIT, LEAST_SLIPS, celsius, readings, several
from detectors.routes.statistical import LATER_TOO, Statistical
from detectors.rules import not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case, Finding
    from detectors.features import Features

__all__ = ["ColdChainBreach"]

LEAST_SPREAD: Final = 0.3
"""Degrees; thermometers and doors alone."""
MIN_READINGS: Final = 12
SLIP_SPREADS: Final = 2.5


class ColdChainBreach(Statistical):
    """Was the reading like others of such goods?"""

    name: Final = "cold_chain_breach"
    type: Final = "cold_chain_breach"
    version: Final = "5"
    closing = LATER_TOO
    stands_off = True
    reads: Final = (
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /items",
        "event/1 /temperature_c",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "least_spread_c": LEAST_SPREAD,
        "least_readings": MIN_READINGS,
        "slip_spreads": SLIP_SPREADS,
        "least_slips": LEAST_SLIPS,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every reading of a product that has enough of them."""
        table = readings(shared).drop_duplicates("index").reset_index(drop=True)
        product = codes(table, ["product_id"])
        enough = (pd.Series(product).groupby(product).transform("size") >= MIN_READINGS).to_numpy()
        few = {"too few readings of the product": table["subject_id"][~enough]}
        return table[enough].reset_index(drop=True), not_judged(self.name, few)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Hold each reading against product, site and season."""
        product, degrees = codes(window, ["product_id"]), window["degrees"].to_numpy(np.float64)
        slip = _slips(degrees, product, codes(window, ["site"]))
        read = np.where(slip, celsius(degrees), degrees)
        season = crossed(product, window["month"].to_numpy() % 12)
        groupings = [(one, product) for one in (codes(window, ["product_id", "site"]), season)]
        expected = standing(read, product, groupings, scale_by=product, floor=LEAST_SPREAD)
        return pd.DataFrame(
            {
                "z": expected.residual / expected.spread,
                "residual": expected.residual,
                "spread": expected.spread,
                "peers": pd.Series(product).groupby(product).transform("size"),
                "benign": np.where(slip, FAHRENHEIT, ""),
            }
        )

    def explain(self, case: Case) -> Account:
        """Say what was read, and what is usual."""
        return _account(case.row, case.threshold)


def _slips(
    degrees: NDArray[np.float64], product: NDArray[np.int64], site: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Mark readings in Fahrenheit, at sites that show several of them."""
    by_product = pd.Series(degrees).groupby(product)
    usual = by_product.transform("median").to_numpy()
    away = degrees - usual
    spread = 1.4826 * pd.Series(np.abs(away)).groupby(product).transform("median").to_numpy()
    near = SLIP_SPREADS * np.maximum(spread, LEAST_SPREAD)
    return several((np.abs(celsius(degrees) - usual) <= near) & (np.abs(away) > near), site)


def _account(row: Mapping[str, Any], threshold: float) -> Account:
    usual, margin = row["degrees"] - row["residual"], threshold * row["spread"]
    low, high = usual - margin, usual + margin
    where = f" at {row['site']}" if isinstance(row["site"], str) else ""
    nearest = high if row["residual"] > 0 else low
    converted = abs(float(celsius(row["degrees"])) - usual)
    fahrenheit: Finding = "possible" if converted <= margin else "ruled out"
    return Account(
        evidence=(),
        observed=Measure("temperature", row["degrees"], "°C"),
        expected=Expected(low, high, "°C"),
        peer_group=PeerGroup(f"readings of {row['product_id']}", int(row["peers"])),
        sentence=(
            f"{row['product_id']} was at {plain(row['degrees'])} °C{where}; about "
            f"{plain(usual)} °C are usual for such goods there at that time of the year."
        ),
        counterfactual=f"The flag would disappear if the reading were {plain(nearest)} °C.",
        benign=(
            Benign(FAHRENHEIT, fahrenheit),
            Benign("a site or a season in which such goods are kept otherwise", "ruled out"),
            Benign("a thermometer that failed, or a door that stood open", "not checked"),
        ),
        caveat=(
            "It does not say that a limit was broken, for how long the goods were so warm or "
            "cold, nor that they are spoilt."
        ),
    )
