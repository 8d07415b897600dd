"""Cold-chain breach: a reading outside the temperatures in which such goods are kept.

The record states no limits, so that they are read off it: what most readings
of the product at its sites keep to, with a margin that ordinary readings do
not leave. Too cold is a breach too; frozen chocolate is spoilt as well.

Next: detectors/routes/origin_laundering.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from detectors.base import (
    Account,
    Benign,
    EvidenceClass,
    Expected,
    Measure,
    PeerGroup,
    Sample,
    SubjectKind,
)
from detectors.columns import codes, numbers
from detectors.routes.additive import standing
from detectors.rules import beyond_limit, not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions
    from detectors.features import Features

__all__ = ["ColdChainBreach"]

SPREADS: Final = 4.4
"""One ordinary reading in 90,000 is farther out than so many spreads."""
_OUTER, _OUTER_NORMAL = 0.90, 1.645
"""Further out than this quantile, open doors and broken coolers are too many to tell of tails."""
LEAST_SPREAD: Final = 0.3
"""Degrees; thermometers and doors alone."""
MIN_READINGS: Final = 12
FAHRENHEIT: Final = "degrees Fahrenheit written as Celsius"


class ColdChainBreach:
    """Was the reading within what such goods are kept at?"""

    name: Final = "cold_chain_breach"
    type: Final = "cold_chain_breach"
    version: Final = "3"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = MIN_READINGS
    reads: Final = ("event/1 /facility_id", "event/1 /items", "event/1 /temperature_c")
    parameters: Final[Mapping[str, float | int | str]] = {
        "spreads": SPREADS,
        "least_spread_c": LEAST_SPREAD,
        "least_readings": MIN_READINGS,
    }
    libraries: Final = ("numpy", "pandas")

    def features(self, shared: Features) -> Sample:
        """Take every reading of a product that has enough of them."""
        table = _readings(shared)
        product = codes(table, ["product_id"])
        enough = pd.Series(product).groupby(product).transform("size") >= MIN_READINGS
        few = {"too few readings of the product": table["subject_id"][~enough.to_numpy()]}
        table = table[enough.to_numpy()].reset_index(drop=True)
        return Sample(_judged(table), not_judged(self.name, few))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure the distance from the product's usual against the margin."""
        residual = np.abs(sample.table["residual"].to_numpy(np.float64))
        return np.asarray(residual / sample.table["margin"].to_numpy(np.float64))

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what is beyond the margin."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say what was read, and what is usual."""
        return _account(case.row)


def _readings(shared: Features) -> pd.DataFrame:
    events, rows = shared.frames.events, shared.rows
    degrees = pd.Series(numbers(events, "temperature_c"), index=events["index"].to_numpy())
    degrees = degrees[degrees.notna() & ~degrees.index.duplicated()]
    read = rows[rows["index"].isin(degrees.index) & rows["product_id"].notna()]
    read = read.drop_duplicates("index")
    return pd.DataFrame(
        {
            "subject_id": read["event_id"].to_numpy(),
            "subject_party": read["party"].to_numpy(),
            "index": read["index"].to_numpy(),
            "product_id": read["product_id"].to_numpy(),
            "site": read["site"].to_numpy(),
            "degrees": degrees.reindex(read["index"]).to_numpy(),
        }
    )


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    product, place = codes(table, ["product_id"]), codes(table, ["product_id", "site"])
    degrees = table["degrees"].to_numpy()
    expected = standing(degrees, product, [(place, product)], scale_by=product, floor=LEAST_SPREAD)
    residual, usual = expected
    readings = pd.Series(product).groupby(product).transform("size").to_numpy()
    # Of few readings the usual spread is known less well, by about the root of their number.
    margin = usual * _reach(residual / usual) * (1 + 1 / np.sqrt(readings))
    celsius = (degrees - 32) * 5 / 9
    slip = (residual > margin) & (np.abs(celsius - degrees + residual) <= margin)
    return table.assign(
        residual=residual,
        margin=margin,
        readings=readings,
        benign=np.where(slip, FAHRENHEIT, ""),
    )


def _reach(z: NDArray[np.float64]) -> float:
    """Return how many usual spreads ordinary readings reach; farther where their tails are long."""
    outer = float(np.quantile(np.abs(z), _OUTER)) if len(z) else 0.0
    return SPREADS * max(1.0, outer / _OUTER_NORMAL)


def _account(row: Mapping[str, Any]) -> Account:
    usual = row["degrees"] - row["residual"]
    low, high = usual - row["margin"], usual + row["margin"]
    where = f" at {row['site']}" if isinstance(row["site"], str) else ""
    nearest = high if row["residual"] > 0 else low
    return Account(
        evidence=(),
        observed=Measure("temperature", row["degrees"], "°C"),
        expected=Expected(low, high, "°C"),
        peer_group=PeerGroup(f"readings of {row['product_id']}", int(row["readings"])),
        sentence=(
            f"{row['product_id']} was at {plain(row['degrees'])} °C{where}; such goods are kept "
            f"between {plain(low)} and {plain(high)} °C there."
        ),
        counterfactual=f"The flag would disappear if the reading were {plain(nearest)} °C.",
        benign=(
            Benign(FAHRENHEIT, "likely" if row["benign"] else "ruled out"),
            Benign("a site that keeps such goods at another temperature", "ruled out"),
            Benign("a thermometer that failed, or a door that stood open", "not checked"),
        ),
        caveat=(
            "It does not say for how long the goods were so warm or cold, nor that they are spoilt."
        ),
    )
