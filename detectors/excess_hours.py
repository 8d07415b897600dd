"""Excess hours: a month in which a site worked longer than the law allows.

Three sources say how long a site works: what it reports, what its totals imply
and what its timesheets show. The largest speaks, because the smallest is the
easiest to write down. A single worker's week is evidence, never a flag.

Next: detectors/wage_below_minimum.py
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
    PeerGroup,
    Sample,
    SubjectKind,
)
from detectors.booked import roster, weeks_booked
from detectors.rules import beyond_limit, not_judged, plain
from detectors.workplace import WEEKS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions, Finding
    from detectors.features import Features

__all__ = ["ExcessHours"]

TOLERANCE: Final = 0.005
"""Share that rounding explains."""
TOTALS_TOLERANCE: Final = 0.015
"""Share that a headcount of one day explains, where totals are of a whole month; at least."""
TOTALS_ERRORS: Final = 3.0
"""Usual distances from the reported week that totals must be over the limit."""
MONTHS_OF_ALL: Final = 10.0
"""Months that give a site's own distance as much say as everybody's."""
_NORMAL: Final = 0.6745
HOURS_A_WEEK: Final = 168.0
MIN_WORKERS: Final = 5
"""Timesheets of fewer workers say nothing about a site."""
CONFIDENCE: Final = 3.0
"""Standard errors taken off a timesheet mean: the same few workers are sampled every month."""
_SOURCES: Final = {
    "reported": "the reported weekly hours",
    "totals": "total hours over headcount and weeks",
    "sheets": "the timesheets",
}


class ExcessHours:
    """Did the site's average week stay within the legal limit in force?"""

    name: Final = "excess_hours"
    type: Final = "excess_hours"
    version: Final = "7"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.FACILITY_MONTH
    min_samples: Final = 1
    reads: Final = (
        "facility/1 /country",
        "labour/1 /avg_weekly_hours",
        "labour/1 /headcount",
        "labour/1 /total_hours",
        "legal_limit/1 /max_weekly_hours",
        "timesheet/1 /workers",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "tolerance_share": TOLERANCE,
        "totals_tolerance_share": TOTALS_TOLERANCE,
        "totals_errors": TOTALS_ERRORS,
        "weeks_per_month": WEEKS_PER_MONTH,
        "timesheets_min_workers": MIN_WORKERS,
        "timesheets_standard_errors": CONFIDENCE,
    }
    libraries: Final = ("numpy", "pandas")

    def features(self, shared: Features) -> Sample:
        """Take the largest of the three sources for each facility-month with a limit."""
        months = shared.facility_months
        table = months.assign(weeks=weeks_booked(months))
        table = table.assign(**_sources(table))
        table["totals"] = _forgiven(table)
        table["hours"] = table[list(_SOURCES)].max(axis=1)
        table["benign"] = np.where(_others_left(table), "a headcount that fell", "")
        limited = table["max_weekly_hours"].notna()
        told = table["hours"].notna()
        subject = table["subject_id"]
        reasons = {
            "no legal limit on hours for the country and month": subject[~limited],
            "no usable report of hours": subject[limited & ~told],
        }
        return Sample(table[limited & told].reset_index(drop=True), not_judged(self.name, reasons))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure hours over limit, 1 at the tolerance."""
        table = sample.table
        ratio = table["hours"] / (table["max_weekly_hours"] * (1 + TOLERANCE))
        return ratio.to_numpy(np.float64)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what is over the limit."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say how long, by which source, and what was allowed."""
        row = case.row
        limit, hours = row["max_weekly_hours"], row["hours"]
        source = max(_SOURCES, key=lambda name: (not pd.isna(row[name]), row[name]))
        return Account(
            evidence=_evidence(case),
            observed=Measure("average working week", hours, "hours"),
            expected=Expected(0.0, limit, "hours"),
            peer_group=_workers(row, source),
            sentence=(
                f"By {_SOURCES[source]}, people at {row['facility_id']} worked {plain(hours)} "
                f"hours a week on average in {row['month']}; the limit in {row['country']} was "
                f"{plain(limit)}."
            ),
            counterfactual=(
                f"The flag would disappear if every source showed at most "
                f"{plain(limit * (1 + TOLERANCE), 4)} hours a week."
            ),
            benign=_benign(row, limit),
            caveat=(
                "It does not say that anyone was forced, nor that every worker worked this long; "
                "an exemption the record does not hold may apply."
            ),
        )


def _sources(months: pd.DataFrame) -> dict[str, pd.Series]:
    """Return weekly hours by source; what no week can have is no source."""
    totals = months["total_hours"] / months["headcount"].where(months["headcount"] > 0)
    enough = months["sheet_workers"] >= MIN_WORKERS
    error = months["sheet_error"].fillna(0.0)
    found = {
        "reported": months["avg_weekly_hours"],
        "totals": totals / months["weeks"],
        "sheets": ((months["sheet_hours"] - CONFIDENCE * error) * roster(months)).where(enough),
    }
    return {
        name: hours.where((hours > 0) & (hours <= HOURS_A_WEEK)) for name, hours in found.items()
    }


def _forgiven(table: pd.DataFrame) -> pd.Series:
    """Take totals just over the limit for the limit: a headcount is of one day.

    How much that explains shows in how far totals stray from the weeks the site reports.
    """
    totals, limit = table["totals"], table["max_weekly_hours"]
    allowed = limit * (1 + TOLERANCE)
    explained = (TOTALS_ERRORS * _straying(table)).clip(lower=TOTALS_TOLERANCE)
    return totals.where(~(totals > allowed) | (totals > limit * (1 + explained)), allowed)


def _straying(table: pd.DataFrame) -> pd.Series:
    """Return the usual distance of a site's totals from its reports, drawn towards everybody's."""
    off = table["totals"] / table["reported"]
    off = off.where(off > 0).map(np.log)
    off = (off - off.groupby(table["facility_id"]).transform("median")).abs()
    own = off.groupby(table["facility_id"])
    months, everybody = own.transform("count"), float(np.nan_to_num(off.median()))
    found = own.transform("median").fillna(0.0)
    return (months * found + MONTHS_OF_ALL * everybody) / (months + MONTHS_OF_ALL) / _NORMAL


def _others_left(table: pd.DataFrame) -> pd.Series:
    """Return where only totals are over, and the hands of the month before explain them."""
    limit = table["max_weekly_hours"] * (1 + TOLERANCE)
    others = table[["reported", "sheets"]]
    within = others.notna().any(axis=1) & ~others.gt(limit, axis=0).any(axis=1)
    ordered = table.sort_values(["facility_id", "first_day"])
    before = ordered.groupby("facility_id")["headcount"].shift().reindex(table.index)
    both = (before + table["headcount"]) / 2
    return (
        within
        & (before > table["headcount"])
        & (table["total_hours"] / both / table["weeks"] <= limit)
    )


def _workers(row: Mapping[str, float], source: str) -> PeerGroup | None:
    if source == "sheets":
        return PeerGroup("workers with timesheets", int(row["sheet_workers"]))
    if np.isnan(row["headcount"]):
        return None
    return PeerGroup("workers of the site", int(row["headcount"]))


def _evidence(case: Case) -> tuple[int, ...]:
    row = case.row
    sheets = case.shared.sheet_entries(row["facility_id"], row["month"])
    entries = (int(row["limit_index"]), int(row["site_index"]), *sheets)
    return tuple(index for index in entries if index >= 0)


def _benign(row: Mapping[str, float], limit: float) -> tuple[Benign, ...]:
    over = [row[name] > limit * (1 + TOLERANCE) for name in _SOURCES if not np.isnan(row[name])]
    alone: Finding = "possible" if sum(over) == 1 and len(over) > 1 else "ruled out"
    if len(over) == 1:
        alone = "not checked"
    return (
        Benign("a slip in one source: the others are within the limit", alone),
        Benign("rounding of totals or headcount", "ruled out"),
        Benign(
            "a headcount that fell within the month", "likely" if row["benign"] else "ruled out"
        ),
        Benign("a lawful exemption or averaging period", "not checked"),
    )
