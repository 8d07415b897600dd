"""Flags that resemble what people confirmed: a model of their reviews, calibrated.

It judges events that other detectors have flagged and nobody has decided on. It
stays off until people have decided on 200 flags of events, and says so.

Next: detectors/run.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from detectors.base import (
    Abstention,
    Account,
    Benign,
    Decisions,
    EvidenceClass,
    Expected,
    Measure,
    PeerGroup,
    Sample,
    SubjectKind,
)
from detectors.learned.model import learn
from detectors.learned.outcomes import decided, flag_cases, flagged_events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case
    from detectors.features import Features
    from detectors.learned.model import Report

__all__ = ["ENOUGH", "LIKELY", "ConfirmedBefore"]

ENOUGH: Final = 200
"""Decided flags without which nothing is learnt."""
LIKELY: Final = 0.5
"""A flag is raised where people would confirm more likely than not."""


class ConfirmedBefore:
    """Judges flagged events by what people decided on others."""

    name: Final = "confirmed_before"
    type: Final = "confirmed_before"
    version: Final = "1"
    evidence_class: Final = EvidenceClass.LEARNED
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "review/1 /state",
        "flag/1 /score",
        "flag/1 /threshold",
        "event/1 /items",
        "event/1 /carrier",
        "event/1 /transport_mode",
        "event/1 /from_facility_id",
        "event/1 /to_facility_id",
        "event/1 /declared_value_usd",
        "event/1 /gross_weight",
    )
    parameters: Final[Mapping[str, float | int | str]] = {"enough": ENOUGH, "likely": LIKELY}
    libraries: Final = ("numpy", "pandas", "scikit-learn")

    def features(self, shared: Features) -> Sample:
        """Learn from decided flags, and collect the events of those that are open."""
        count = decided(shared)
        if count < ENOUGH:
            return _off(f"people have decided on {count} of the {ENOUGH} flags that learning needs")
        flags = flagged_events(shared)
        known = flags["confirmed"].notna().to_numpy(bool)
        if known.all():
            return _off("people have decided on all flags there are")
        cases = flag_cases(shared, flags)
        outcomes = flags["confirmed"][known].to_numpy(bool)
        model = learn(cases.rows(np.flatnonzero(known)), outcomes, shared.seed)
        if model is None:
            return _off("people have confirmed, or dismissed, all flags of some period")
        waiting = flags[~known].reset_index(drop=True)
        table = pd.DataFrame(
            {
                "subject_id": waiting["event_id"],
                "subject_party": waiting["party"],
                "index": waiting["index"],
                "flag_index": waiting["flag_index"],
                "flag_type": waiting["type"],
                "probability": model.probabilities(cases.rows(np.flatnonzero(~known))),
            }
        )
        return Sample(table, context={"report": model.report})

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Return the probability that people would confirm the flag."""
        return sample.table["probability"].to_numpy(np.float64)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what is more likely than not."""
        benign = np.zeros(len(sample.table), bool)
        return Decisions(scores >= LIKELY, np.full(len(scores), LIKELY), benign)

    def explain(self, case: Case) -> Account:
        """Say how likely, how well such probabilities did, and what is compared."""
        row, report = case.row, case.sample.context["report"]
        return Account(
            evidence=(int(row["flag_index"]),),
            observed=Measure("share of such flags that people confirm", 100 * case.score, "%"),
            expected=Expected(None, 100 * LIKELY, "%"),
            sentence=(
                f"The {row['flag_type']} flag on this event resembles flags that people "
                f"confirmed: {case.score:.0%} of such flags are expected to be."
            ),
            counterfactual=(
                "The flag would disappear if reviewers dismissed flags of this kind, or if "
                f"fewer than {ENOUGH} decisions were on record."
            ),
            benign=(Benign("reviewers who mostly confirm what they are shown", "not checked"),),
            caveat=_caveat(report),
            peer_group=PeerGroup("flags that people decided on", report.learnt + report.assessed),
        )


def _caveat(report: Report) -> str:
    return (
        "It does not say anything new about the record: it repeats what reviewers decided, their "
        "errors included. On the "
        f"last {report.assessed} decisions, which it had not seen, probabilities were off by "
        f"{report.error:.2f} on average (Brier score {report.brier:.3f}; {report.share:.0%} "
        "were confirmed)."
    )


def _off(reason: str) -> Sample:
    columns: dict[str, Any] = {
        "subject_id": pd.Series(dtype="str"),
        "subject_party": pd.Series(dtype="str"),
        "index": pd.Series(dtype=np.int64),
        "flag_index": pd.Series(dtype=np.int64),
        "flag_type": pd.Series(dtype="str"),
        "probability": pd.Series(dtype=np.float64),
    }
    return Sample(pd.DataFrame(columns), (Abstention(ConfirmedBefore.name, reason),))
