"""Flags that stand: those of earlier runs that a run neither raises again nor takes back.

Next: detectors/onward/going.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectors.base import EvidenceClass

if TYPE_CHECKING:
    from detectors.base import Detector, Flag

__all__ = ["Standing", "standing_of", "statistical", "without_outranked"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A flag of an earlier run that this one would raise again, word for word."""

    detector: str
    type: str
    evidence_class: EvidenceClass
    party: str | None
    subject: str
    rank: float


def standing_of(detector: Detector, party: str | None, subject: str, rank: float) -> Standing:
    """Return the standing flag of a detector on a subject."""
    kind = detector.evidence_class
    return Standing(detector.name, detector.type, kind, party, subject, rank)


def without_outranked(
    fresh: list[Flag], standing: list[Standing]
) -> tuple[list[Flag], list[Standing]]:
    """Let the higher of two flags on one subject speak for it, as within one judgement."""
    ranked = {(one.party, one.subject): one.rank for one in standing}
    mine = [
        flag
        for flag in fresh
        if flag.rank > ranked.get((flag.subject_party, flag.subject_id), -np.inf)
    ]
    taken = {(flag.subject_party, flag.subject_id) for flag in mine}
    return mine, [one for one in standing if (one.party, one.subject) not in taken]


def statistical(flags: list[Flag], standing: list[Standing]) -> int:
    """Count the flags that may be chance."""
    classes = [*(one.evidence_class for one in flags), *(one.evidence_class for one in standing)]
    return sum(one is EvidenceClass.STATISTICAL for one in classes)
