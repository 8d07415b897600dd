"""Wage below the minimum: a month in which an hour's pay was less than the law's.

Pay per hour follows from the site's totals and is held against the minimum in
force on the month's first day, in its own currency. Without a minimum, or with
one in another currency, nothing is concluded and the run says so; likewise with
one that every site stays far below, which is then the slip, not all of them.

Next: detectors/unusual_overall.py
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
from detectors.misreported import COPIED
from detectors.rules import beyond_limit, not_judged, plain
from detectors.workplace import WEEKS_PER_MONTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case, Decisions
    from detectors.features import Features

__all__ = ["WageBelowMinimum"]

TOLERANCE: Final = 0.005
"""Share that rounding of the totals explains."""
MAX_SCORE: Final = 50.0
HOURS_A_WEEK: Final = 168.0
FAR: Final = 5.0
"""Times what anybody pays: a minimum of a day, week or month, or of another money."""
NOBODY: Final = 100.0
"""Times: nobody pays a hundredth of the minimum; one of the two figures is wrong."""
FAR_SITES: Final = 3
"""Sites that all stay as far below: one may pay its people next to nothing, not everybody."""


class WageBelowMinimum:
    """Did an average hour pay at least the minimum wage in force?"""

    name: Final = "wage_below_minimum"
    type: Final = "wage_below_minimum"
    version: Final = "6"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.FACILITY_MONTH
    min_samples: Final = 1
    reads: Final = (
        "facility/1 /country",
        "labour/1 /avg_weekly_hours",
        "labour/1 /currency",
        "labour/1 /gross_wages",
        "labour/1 /headcount",
        "labour/1 /total_hours",
        "legal_limit/1 /currency",
        "legal_limit/1 /min_hourly_wage",
        "legal_limit/1 /usd_per_unit",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "tolerance_share": TOLERANCE,
        "far_times": FAR,
        "far_sites": FAR_SITES,
        "nobody_times": NOBODY,
    }
    libraries: Final = ("numpy", "pandas")

    def features(self, shared: Features) -> Sample:
        """Work out pay per hour wherever a minimum in the same currency exists."""
        months = shared.facility_months
        hours, wages = months["total_hours"], months["gross_wages"]
        hourly = wages / hours.where(hours > 0)
        table = months.assign(hourly=hourly.where(hourly > 0))
        limited = table["min_hourly_wage"].notna()
        paid = table["hourly"].notna()
        same = table["currency"] == table["limit_currency"]
        weekly = hours / table["headcount"].where(table["headcount"] > 0) / WEEKS_PER_MONTH
        absurd = weekly > HOURS_A_WEEK
        kept = limited & paid & same & ~absurd
        left_out = self._left_out(table, limited, paid, same, absurd)
        judged = table[kept].reset_index(drop=True)
        far = _far(judged)
        reason = "a minimum wage that nobody's pay comes near, perhaps not one of an hour"
        left_out += not_judged(self.name, {reason: judged["subject_id"][far]})
        return Sample(judged[~far].reset_index(drop=True), left_out)

    def _left_out(
        self,
        table: pd.DataFrame,
        limited: pd.Series,
        paid: pd.Series,
        same: pd.Series,
        absurd: pd.Series,
    ) -> tuple[Abstention, ...]:
        subject, stated = table["subject_id"], table["currency"].notna()
        copied = table["copied"]
        return not_judged(
            self.name,
            {
                "no minimum wage for the country and month": subject[~limited],
                "wages or hours missing or zero": subject[limited & ~paid & ~copied],
                COPIED: subject[limited & copied],
                "wages without a currency": subject[limited & paid & ~stated],
                "wages and minimum in different currencies": subject[
                    limited & paid & stated & ~same
                ],
                "more hours than a week has": subject[limited & paid & same & absurd],
            },
        )

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure minimum over pay, 1 at the tolerance."""
        table = sample.table
        ratio = table["min_hourly_wage"] * (1 - TOLERANCE) / table["hourly"]
        return np.asarray(np.minimum(ratio, MAX_SCORE), np.float64)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what is below the minimum."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say what an hour paid and what it should have."""
        row = case.row
        unit = f"{row['currency']} an hour"
        minimum, hourly = row["min_hourly_wage"], row["hourly"]
        enough = minimum * (1 - TOLERANCE)
        missing = enough * row["total_hours"] - row["gross_wages"]
        fewer = row["total_hours"] - row["gross_wages"] / enough
        entries = (int(row["limit_index"]), int(row["site_index"]))
        size = row["headcount"]
        return Account(
            evidence=tuple(index for index in entries if index >= 0),
            observed=Measure("average hourly pay", hourly, unit),
            expected=Expected(minimum, None, unit),
            peer_group=None if np.isnan(size) else PeerGroup("workers of the site", int(size)),
            sentence=(
                f"{row['facility_id']} paid {plain(hourly)} {unit} on average in {row['month']}; "
                f"the minimum in {row['country']} was {plain(minimum)}."
            ),
            counterfactual=(
                f"The flag would disappear if gross wages were at least {plain(missing)} "
                f"{row['currency']} higher, or {plain(fewer)} of the hours had not been worked."
            ),
            benign=_benign(),
            caveat=(
                "It does not say who was underpaid or why; benefits in kind and exemptions for "
                "apprentices or zones are not in the record."
            ),
        )


def _far(months: pd.DataFrame) -> pd.Series:
    """Mark pay that nobody pays, and the months in which all sites stay far below a minimum."""
    ratio = months["min_hourly_wage"] / months["hourly"]
    everybody = pd.Series(0, index=months.index)
    far = ratio > NOBODY
    for under in (months["limit_index"], everybody):
        sites = months["facility_id"].groupby(under).transform("nunique")
        far |= (ratio.groupby(under).transform("min") > FAR) & (sites >= FAR_SITES)
    return far


def _benign() -> tuple[Benign, ...]:
    return (
        Benign("wages reported in thousands", "ruled out"),
        Benign("rounding of the totals", "ruled out"),
        Benign("a minimum that rose within the month", "ruled out"),
        Benign("benefits in kind, apprentices, zones with a lower minimum", "not checked"),
    )
