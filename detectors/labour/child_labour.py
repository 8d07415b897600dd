"""Child labour: a worker younger than the law allows.

The youngest worker's age is held against the minimum age in force on the
month's first day. Somebody of exactly that age is legal. Where ages look as if
they had been written down to fit is another question (child_labour_signs).

Next: detectors/labour/child_labour_signs.py
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
from detectors.misreported import COPIED
from detectors.rules import beyond_limit, not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions
    from detectors.features import Features

__all__ = ["ChildLabour"]

YOUNGEST: Final = 4.0
"""Below this, and above `OLDEST`, a figure is no age of a youngest worker."""
OLDEST: Final = 80.0
PER_YEAR: Final = 0.25
"""What each missing year adds to the score: 1 is the limit."""


class ChildLabour:
    """Was every worker at least of the legal minimum age?"""

    name: Final = "child_labour"
    type: Final = "child_labour"
    version: Final = "2"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.FACILITY_MONTH
    min_samples: Final = 1
    reads: Final = (
        "facility/1 /country",
        "labour/1 /min_worker_age",
        "legal_limit/1 /min_age",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "youngest_plausible": YOUNGEST,
        "oldest_plausible": OLDEST,
        "score_per_year": PER_YEAR,
    }
    libraries: Final = ("numpy", "pandas")

    def features(self, shared: Features) -> Sample:
        """Take each facility-month with an age and a limit."""
        table = shared.facility_months
        limited, age = table["min_age"].notna(), table["min_worker_age"]
        told, absurd = age.notna(), (age < YOUNGEST) | (age > OLDEST)
        subject, copied = table["subject_id"], table["copied"]
        reasons = {
            "no minimum age for the country and month": subject[~limited],
            "no age of the youngest worker": subject[limited & ~told & ~copied],
            COPIED: subject[limited & copied],
            "an age no worker has": subject[limited & told & absurd],
        }
        kept = table[limited & told & ~absurd].reset_index(drop=True)
        return Sample(kept, not_judged(self.name, reasons))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure the years that are missing, 1 at none."""
        table = sample.table
        missing = np.ceil(table["min_age"]) - np.floor(table["min_worker_age"])
        return np.asarray(np.maximum(1 + PER_YEAR * missing, 0.0), np.float64)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag whoever is younger than allowed."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say how old, and how old it must be."""
        row = case.row
        age, limit, size = row["min_worker_age"], row["min_age"], row["headcount"]
        entries = (int(row["limit_index"]), int(row["site_index"]))
        return Account(
            evidence=tuple(index for index in entries if index >= 0),
            observed=Measure("age of the youngest worker", age, "years"),
            expected=Expected(limit, None, "years"),
            peer_group=None if np.isnan(size) else PeerGroup("workers of the site", int(size)),
            sentence=(
                f"The youngest worker at {row['facility_id']} in {row['month']} was {plain(age)}; "
                f"the minimum age in {row['country']} was {plain(limit)}."
            ),
            counterfactual=(
                f"The flag would disappear if the youngest worker was {plain(limit)} or older."
            ),
            benign=(
                Benign("a worker of exactly the minimum age", "ruled out"),
                Benign("a figure that is no age", "ruled out"),
                Benign(
                    "light work, training or an apprenticeship that the law allows", "not checked"
                ),
                Benign("a slip in one birth date", "not checked"),
            ),
            caveat=(
                "It does not say how many there were or what they did; exemptions for light work "
                "are not in the record."
            ),
        )
