"""Coercion indicators: several of the ILO's signs of forced labour beyond what is ever innocent.

Retained papers, recruitment debts of more than a month's pay, deductions of a
quarter of wages, hours beyond the limit and pay below the minimum carry stated
weights. One of them never flags here; two of which one is papers or debt do.
What is unusual without being this grave is another question (coercion_signs).

Next: detectors/registry.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

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
from detectors.labour.telling import listed
from detectors.rules import beyond_limit, not_judged, plain
from detectors.workplace import WEEKS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from detectors.base import Case, Decisions
    from detectors.features import Features

__all__ = ["CoercionIndicators"]

PAPERS_SHARE: Final = 0.2
"""Share of the workers whose passports are held: beyond keeping some safe on request."""
MONTHS_OF_PAY: Final = 1.0
"""Recruitment fee in months of the minimum wage: beyond it a debt binds."""
FEE_USD: Final = 250.0
"""Where no minimum wage is known in dollars."""
DEDUCTED_SHARE: Final = 0.25
POINTS: Final = 1.6
MOST: Final = 2.0
"""No indicator counts for more than this many times its weight."""
WEIGHTS: Final = {"papers": 1.0, "debt": 1.0, "deductions": 0.7, "hours": 0.4, "pay": 0.4}
_GRAVE: Final = ("papers", "debt")
_WORDS: Final = {
    "papers": "passports held for {} % of the workers",
    "debt": "recruitment fees of {} times a month's pay",
    "deductions": "{} % of wages deducted",
    "hours": "{} % of the legal working week",
    "pay": "{} % of the minimum wage",
}
_PER_CENT: Final = ("papers", "deductions", "hours", "pay")


class CoercionIndicators:
    """Do several indicators of forced labour come together?"""

    name: Final = "coercion_indicators"
    type: Final = "coercion_indicators"
    version: Final = "5"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.FACILITY_MONTH
    min_samples: Final = 1
    reads: Final = (
        "labour/1 /avg_weekly_hours",
        "labour/1 /gross_wages",
        "labour/1 /headcount",
        "labour/1 /passports_held_share",
        "labour/1 /recruitment_fee_usd",
        "labour/1 /total_hours",
        "labour/1 /wage_deduction_share",
        "legal_limit/1 /max_weekly_hours",
        "legal_limit/1 /min_hourly_wage",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "papers_share": PAPERS_SHARE,
        "debt_months_of_pay": MONTHS_OF_PAY,
        "debt_usd": FEE_USD,
        "deducted_share": DEDUCTED_SHARE,
        "points": POINTS,
        "most_per_indicator": MOST,
        **{f"weight_{name}": weight for name, weight in WEIGHTS.items()},
    }
    libraries: Final = ("numpy", "pandas")

    def features(self, shared: Features) -> Sample:
        """Hold each indicator against its margin; 1 is the margin."""
        months = shared.facility_months
        table = months.assign(**_indicators(months))
        told = table[["papers", "debt", "deductions"]].notna().any(axis=1)
        reasons = {
            "neither papers nor fees nor deductions are reported": months["subject_id"][~told]
        }
        return Sample(table[told].reset_index(drop=True), not_judged(self.name, reasons))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Add up the weighted indicators beyond their margins, 1 at the limit."""
        table = sample.table
        points, broken = np.zeros(len(table)), np.zeros(len(table))
        grave = np.zeros(len(table), bool)
        for name, weight in WEIGHTS.items():
            ratio = np.nan_to_num(table[name].to_numpy(np.float64))
            beyond = ratio > 1
            points += np.where(beyond, weight * np.minimum(ratio, MOST), 0)
            broken += beyond
            grave |= beyond & (name in _GRAVE)
        together = (broken > 1) & grave
        return np.asarray(np.where(together, points / POINTS, np.minimum(points / POINTS, 0.9)))

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what comes together."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Name the indicators and their margins."""
        row = case.row
        found = [name for name in WEIGHTS if row[name] > 1]
        size = row["headcount"]
        entries = (int(row["limit_index"]), int(row["site_index"]))
        return Account(
            evidence=tuple(index for index in entries if index >= 0),
            observed=Measure("weight of the indicators together", case.score * POINTS, "points"),
            expected=Expected(0.0, POINTS, "points"),
            peer_group=None if np.isnan(size) else PeerGroup("workers of the site", int(size)),
            sentence=(
                f"At {row['facility_id']} in {row['month']} came together: "
                f"{listed([_WORDS[name].format(_figure(name, row)) for name in found])}."
            ),
            counterfactual=(
                f"The flag would disappear if the indicators weighed at most {plain(POINTS)} "
                f"points together, for example without {_without(found)}."
            ),
            benign=(
                Benign("one indicator alone", "ruled out"),
                Benign("papers kept safe at the workers' own request", "not checked"),
                Benign("fees that were paid back to the workers", "not checked"),
                Benign("deductions that workers agreed to, such as housing", "not checked"),
            ),
            caveat=(
                "It does not say that anyone is forced to work: it says that what inspectors look "
                "for came together here."
            ),
        )


def _indicators(months: pd.DataFrame) -> dict[str, pd.Series]:
    same = months["currency"] == months["limit_currency"]
    week = months["max_weekly_hours"].fillna(48.0)
    month_usd = months["min_hourly_wage"] * week * WEEKS_PER_MONTH * months["usd_per_unit"]
    fee = (MONTHS_OF_PAY * month_usd).fillna(FEE_USD)
    hourly = months["gross_wages"] / months["total_hours"].where(months["total_hours"] > 0)
    pay = months["min_hourly_wage"] / hourly.where((hourly > 0) & same)
    return {
        "papers": months["passports_held_share"] / PAPERS_SHARE,
        "debt": months["recruitment_fee_usd"] / fee,
        "deductions": months["wage_deduction_share"] / DEDUCTED_SHARE,
        "hours": months["avg_weekly_hours"] / months["max_weekly_hours"],
        "pay": pay,
    }


def _figure(name: str, row: Mapping[str, float]) -> str:
    margin = {"papers": PAPERS_SHARE, "deductions": DEDUCTED_SHARE}.get(name, 1.0)
    value = 1 / row[name] if name == "pay" else row[name] * margin
    return plain(100 * value if name in _PER_CENT else value, 2)


def _without(found: list[str]) -> str:
    words = {"papers": "the passports", "debt": "the fees", "deductions": "the deductions"}
    return next((words[name] for name in found if name in words), "one of them")
