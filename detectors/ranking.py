"""One order over all detectors: rule violations above statistical ones, and why.

| rank | who |
|---|---|
| 3 to 4 | a rule is broken; more the further beyond its limit |
| 2 to 3 | a learned model says so; more the higher its probability |
| 1.5 to 2 | far from usual in what a specific question asks; more the smaller p |
| 1.25 to 1.5 | far from usual taken together, in no way that was asked for |
| 1 to 1.25 | a rule is broken, but an innocent cause is more likely than not |
| 0 to 1 | judged and not flagged; more the closer to a flag |

Within the last band an unbroken rule says little: honest people work close to
limits. What is nearly strange ranks above it.

The rank is the `score` of an export. It compares seriousness, not probability.

Next: detectors/record.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.base import Decisions, EvidenceClass
from provenance import canonical

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Severity
    from provenance.entries import Content

__all__ = ["GENERAL", "rank_of", "ranks", "severity"]

_RULE, _LEARNED, _STATISTICAL, _GENERAL, _BENIGN = 3.0, 2.0, 1.5, 1.25, 1.0
GENERAL: Final = "unusual_overall"
"""The type of the general models: clearly weaker than a specific question."""
_UNBROKEN: Final = 0.15
_CLOSE: Final = 8
"""Power of the margin by which rules that are not broken are ordered."""
_HALF_WAY: Final = 10.0
"""A p-value of 1e-10 is half-way up the statistical band."""
_CRITICAL, _HIGH = 2.0, 1.2
_HIGHEST: Final = 1e300


def ranks(
    evidence_class: EvidenceClass,
    scores: NDArray[np.float64],
    decisions: Decisions,
    *,
    general: bool = False,
) -> NDArray[np.float64]:
    """Place scores of one detector on the common scale.

    Args:
        evidence_class: Of the detector.
        general: Whether its type is `GENERAL`.
        scores: Its scores, finite.
        decisions: What followed from them.
    """
    if evidence_class is EvidenceClass.RULE:
        margin = np.clip(scores / decisions.threshold, 0.0, _HIGHEST)
        beyond = 1 - 1 / np.maximum(margin, 1.0)
        flagged = np.where(decisions.likely_benign, _BENIGN + beyond / 4, _RULE + beyond)
        return np.where(decisions.flagged, flagged, _UNBROKEN * np.minimum(margin, 1.0) ** _CLOSE)
    p = np.ones(len(scores)) if decisions.p is None else decisions.p
    strength = -np.log10(np.maximum(p, 1 / _HIGHEST))
    strength = strength / (strength + _HALF_WAY)
    if evidence_class is EvidenceClass.LEARNED:
        return np.where(decisions.flagged, _LEARNED + np.clip(scores, 0, 1), strength)
    if general:
        return np.where(decisions.flagged, _GENERAL + strength / 4, strength / 2)
    likely = np.where(decisions.likely_benign, _BENIGN + strength / 4, _STATISTICAL + strength / 2)
    return np.where(decisions.flagged, likely, strength)


def rank_of(content: Content) -> float:
    """Place a flag as the log holds it; what the reader may not see counts as at its limit."""

    def seen(name: str, default: float) -> NDArray[np.float64]:
        value = canonical.decimal(content.get(name))
        return np.array([default if value is None else float(value)])

    decisions = Decisions(
        flagged=np.array([True]),
        threshold=seen("threshold", 1.0),
        likely_benign=np.array([bool(content.get("likely_benign", False))]),
        p=seen("p", 1.0),
    )
    evidence_class = EvidenceClass(content["evidence_class"])
    general = content.get("type") == GENERAL
    return float(ranks(evidence_class, seen("score", 1.0), decisions, general=general)[0])


def severity(
    evidence_class: EvidenceClass, score: float, threshold: float, *, likely_benign: bool
) -> Severity:
    """Grade a flag for people who sort by it.

    A broken rule is critical from twice its limit on, high from a fifth beyond it; what only
    looks unusual is low, and what is probably innocent is information.
    """
    if likely_benign:
        return "info"
    if evidence_class is EvidenceClass.STATISTICAL:
        return "low"
    margin = score / threshold if threshold > 0 else _CRITICAL
    if margin >= _CRITICAL:
        return "critical"
    return "high" if margin >= _HIGH else "medium"
