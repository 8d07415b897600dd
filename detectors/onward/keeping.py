"""What is kept of a judgement: by family, its inputs and whom it flagged.

Next: detectors/onward/going.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detectors.judging import smallest
from detectors.onward.kept import Candidate, KeptFamily
from detectors.ranking import GENERAL, ranks
from detectors.run import counted

if TYPE_CHECKING:
    from detectors.base import Flag
    from detectors.judging import Judgement

__all__ = ["families_of"]


def families_of(found: Judgement, flags: list[Flag]) -> dict[str, KeptFamily]:
    """Return what is kept of each family that was judged.

    Args:
        found: The judgement.
        flags: What became flags of it.
    """
    inputs = {} if found.sample.families is None else found.sample.families.inputs
    settled = frozenset() if found.sample.families is None else found.sample.families.settled
    subjects, least = counted(found), smallest(found)
    candidates = _candidates(found, flags)
    labels = (subjects.keys() | inputs.keys()) - settled
    return {
        label: KeptFamily(
            inputs=inputs.get(label, ""),
            least=least.get(label),
            subjects=subjects.get(label, 0),
            candidates=tuple(candidates.get(label, ())),
        )
        for label in sorted(labels)
    }


def _candidates(found: Judgement, flags: list[Flag]) -> dict[str, list[Candidate]]:
    """Return by family whom it flagged, each subject once, before levels across detectors."""
    decisions, table = found.decisions, found.sample.table
    general = found.detector.type == GENERAL
    rank = ranks(found.detector.evidence_class, found.scores, decisions, general=general)
    raised = {(flag.subject_party, flag.subject_id, flag.family or "") for flag in flags}
    rows = np.flatnonzero(decisions.flagged)
    by_family: dict[str, dict[tuple[str | None, str], Candidate]] = {}
    for row in rows[np.argsort(-rank[rows], kind="stable")]:
        label = "" if decisions.family is None else str(decisions.family[row])
        party, subject = table["subject_party"].iloc[row], str(table["subject_id"].iloc[row])
        party = party if isinstance(party, str) else None
        q = None if decisions.family is None or decisions.q is None else float(decisions.q[row])
        one = Candidate(party, subject, float(rank[row]), q, (party, subject, label) in raised)
        by_family.setdefault(label, {}).setdefault((party, subject), one)
    return {label: list(found.values()) for label, found in by_family.items()}
