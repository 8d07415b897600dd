"""What is kept of a judgement: by family, its inputs and whom it flagged.

Next: detectors/onward/standing.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from detectors.judging import smallest
from detectors.onward.kept import Candidate, KeptFamily
from detectors.ranking import GENERAL, ranks
from detectors.run import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detectors.judging import Judgement
    from detectors.onward.kept import Basis

__all__ = ["families_of"]


def families_of(
    found: Judgement, raised: Mapping[tuple[str | None, str, str], Basis | None]
) -> dict[str, KeptFamily]:
    """Return what is kept of each family that was judged.

    Args:
        found: The judgement.
        raised: By party, subject and family, what became flags of it, or stands, and on what.
    """
    inputs = {} if found.sample.families is None else found.sample.families.inputs
    settled = frozenset() if found.sample.families is None else found.sample.families.settled
    subjects, least = counted(found), smallest(found)
    candidates = _candidates(found, raised)
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


def _candidates(
    found: Judgement, raised: Mapping[tuple[str | None, str, str], Basis | None]
) -> dict[str, list[Candidate]]:
    """Return by family whom it flagged, each subject once, before levels across detectors."""
    decisions, table = found.decisions, found.sample.table
    general = found.detector.type == GENERAL
    rank = ranks(found.detector.evidence_class, found.scores, decisions, general=general)
    rows = np.flatnonzero(decisions.flagged)
    rows = rows[np.argsort(-rank[rows], kind="stable")]
    parties, subjects = (table[name].take(rows) for name in ("subject_party", "subject_id"))
    if decisions.family is None:
        labels, levels = [""] * len(rows), [None] * len(rows)
    else:
        labels = [str(label) for label in decisions.family[rows]]
        levels = [None] * len(rows) if decisions.q is None else decisions.q[rows].tolist()
    by_family: dict[str, dict[tuple[str | None, str], Candidate]] = {}
    for label, named, subject, height, q in zip(
        labels, parties, subjects.astype(str), rank[rows].tolist(), levels, strict=True
    ):
        party = named if isinstance(named, str) else None
        key = (party, subject, label)
        one = Candidate(party, subject, height, q, key in raised, raised.get(key))
        by_family.setdefault(label, {}).setdefault((party, subject), one)
    return {label: list(one.values()) for label, one in by_family.items()}
