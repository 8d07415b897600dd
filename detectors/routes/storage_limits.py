"""Storage limits: a reading beyond the temperatures that the master data declare.

Whoever makes the goods says what they must never be exceeded by; that is a rule of
somebody's, dated in the log, with a margin by which it is broken. What is merely
unusual is the question of `cold_chain_breach`.

Next: detectors/routes/origin_laundering.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.base import (
    Account,
    Benign,
    EvidenceClass,
    Expected,
    Measure,
    Sample,
    SubjectKind,
)
from detectors.columns import at, codes
from detectors.products import find
from detectors.routes.readings import FAHRENHEIT, LEAST_SLIPS, celsius, readings, several
from detectors.rules import beyond_limit, not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions, Finding
    from detectors.features import Features

__all__ = ["StorageLimits"]

TOLERANCE: Final = 0.5
"""Degrees that a thermometer may be off by: accuracy class 0.5 of EN 12830."""


class StorageLimits:
    """Was the reading within what is declared for such goods?"""

    name: Final = "storage_limits"
    type: Final = "cold_chain_breach"
    version: Final = "1"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /items",
        "event/1 /temperature_c",
        "product/1 /max_temperature_c",
        "product/1 /min_temperature_c",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "tolerance_c": TOLERANCE,
        "least_slips": LEAST_SLIPS,
    }
    libraries: Final = ("numpy", "pandas")

    def features(self, shared: Features) -> Sample:
        """Hold every reading against what is declared for the goods it was taken of."""
        known = shared.products
        table = _limited(readings(shared), known)
        said, odd = table["low"].notna() | table["high"].notna(), table["low"] > table["high"]
        judged = table[said & ~odd].reset_index(drop=True)
        judged["declared"] = known["index"].to_numpy(np.int64)[judged["declared"]]
        read = judged["degrees"].to_numpy(np.float64)
        beyond, converted = (
            np.fmax(judged["low"] - degrees, degrees - judged["high"]).to_numpy(np.float64)
            for degrees in (read, celsius(read))
        )
        slip = several((beyond > TOLERANCE) & (converted <= 0), codes(judged, ["site"]))
        benign = np.where(slip, FAHRENHEIT, "")
        judged = judged.assign(beyond=beyond, converted=converted, benign=benign)
        # Of goods that were together, those that suffered most speak for the event.
        judged = judged.sort_values("beyond", ascending=False, kind="stable")
        judged = judged.drop_duplicates("index").sort_values("index").reset_index(drop=True)
        reasons = {
            "the product's master data declare no limits of temperature": table[~said],
            "the limits declared for the product contradict each other": table[odd],
        }
        # Numbers are told apart in a tenth of the time that texts take.
        named, names = pd.factorize(table["subject_id"])
        asked = np.isin(named, pd.Index(names).get_indexer(pd.Index(judged["subject_id"])))
        left_out = {why: one.loc[~asked[one.index], "subject_id"] for why, one in reasons.items()}
        return Sample(judged, not_judged(self.name, left_out))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure how far beyond a limit the reading is, in what a thermometer may be off by."""
        return np.asarray(np.maximum(sample.table["beyond"].to_numpy(np.float64), 0) / TOLERANCE)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what is beyond a limit by more than that."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say what was read, and what is declared."""
        row = case.row
        low, high = (None if np.isnan(row[name]) else float(row[name]) for name in ("low", "high"))
        warm = high is not None and row["degrees"] > high
        limit = f"warmer than {plain(row['high'])}" if warm else f"colder than {plain(row['low'])}"
        where = f" at {row['site']}" if isinstance(row["site"], str) else ""
        nearest = row["high"] + TOLERANCE if warm else row["low"] - TOLERANCE
        fahrenheit: Finding = "possible" if row["converted"] <= 0 else "ruled out"
        if row["benign"]:
            fahrenheit = "likely"
        return Account(
            evidence=(int(row["declared"]),),
            observed=Measure("temperature", row["degrees"], "°C"),
            expected=Expected(low, high, "°C"),
            sentence=(
                f"{row['product_id']} was at {plain(row['degrees'])} °C{where}; its master data "
                f"say that it must never be {limit} °C, and a thermometer may be off by "
                f"{plain(TOLERANCE)}."
            ),
            counterfactual=f"The flag would disappear if the reading were {plain(nearest)} °C.",
            benign=(
                Benign(FAHRENHEIT, fahrenheit),
                Benign("a thermometer that failed, or a door that stood open", "not checked"),
            ),
            caveat=(
                "It does not say for how long the goods were so warm or cold, nor that they are "
                "spoilt."
            ),
        )


def _limited(table: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Add what the master data declare: `low`, `high` and the row of the catalogue that says so."""
    row = find(table, known)
    low, high = (at(known[f"{end}_temperature_c"], row) for end in ("min", "max"))
    return table.reset_index(drop=True).assign(low=low, high=high, declared=row)
