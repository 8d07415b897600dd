"""One order over all detectors: rule violations above statistical ones, and why.

| rank | who |
|---|---|
| 3 to 4 | a rule is broken; more the further beyond its limit |
| 2 to 3 | a learned model says so; more the higher its probability |
| 1.5 to 2 | far from usual; more the smaller p |
| 1 to 1.5 | a rule is broken, but an innocent cause is more likely than not |
| 0 to 1 | judged and not flagged; more the closer to a flag |

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

__all__ = ["rank_of", "ranks", "severity"]

_RULE, _LEARNED, _STATISTICAL, _BENIGN = 3.0, 2.0, 1.5, 1.0
_HALF_WAY: Final = 10.0
"""A p-value of 1e-10 is half-way up the statistical band."""
_CRITICAL, _HIGH = 2.0, 1.2
_HIGHEST: Final = 1e300


def ranks(
    evidence_class: EvidenceClass, scores: NDArray[np.float64], decisions: Decisions
) -> NDArray[np.float64]:
    """Place scores of one detector on the common scale.

    Args:
        evidence_class: Of the detector.
        scores: Its scores, finite.
        decisions: What followed from them.
    """
    if evidence_class is EvidenceClass.RULE:
        margin = np.clip(scores / decisions.threshold, 0.0, _HIGHEST)
        beyond = 1 - 1 / np.maximum(margin, 1.0)
        flagged = np.where(decisions.likely_benign, _BENIGN + beyond / 2, _RULE + beyond)
        return np.where(decisions.flagged, flagged, np.minimum(margin, 1.0) / 2)
    p = np.ones(len(scores)) if decisions.p is None else decisions.p
    strength = -np.log10(np.maximum(p, 1 / _HIGHEST))
    strength = strength / (strength + _HALF_WAY)
    if evidence_class is EvidenceClass.LEARNED:
        return np.where(decisions.flagged, _LEARNED + np.clip(scores, 0, 1), strength)
    return np.where(decisions.flagged, _STATISTICAL + strength / 2, strength)


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
    return float(ranks(evidence_class, seen("score", 1.0), decisions)[0])


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
