"""What is kept of a judgement: by family, its inputs and whom it flagged.

Next: detectors/onward/standing.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from detectors.allowances import rare_of
from detectors.judging import may_be_flagged
from detectors.onward.kept import Candidate, KeptFamily
from detectors.ranking import GENERAL, ranks
from detectors.run import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detectors.judging import Judgement
    from detectors.onward.kept import Basis

__all__ = ["families_of"]


def families_of(
    found: Judgement,
    raised: Mapping[tuple[str | None, str, str], Basis | None],
    *,
    apart: bool = False,
) -> dict[str, KeptFamily]:
    """Return what is kept of each family that was judged.

    Args:
        found: The judgement.
        raised: By party, subject and family, what became flags of it, or stands, and on what.
        apart: Whether it is one of goods apart: then it is noted which entry a case is about.
    """
    inputs = {} if found.sample.families is None else found.sample.families.inputs
    settled = frozenset() if found.sample.families is None else found.sample.families.settled
    subjects = counted(found)
    rare = rare_of(found.decisions)
    candidates = _candidates(found, raised, apart=apart)
    labels = (subjects.keys() | inputs.keys()) - settled
    return {
        label: KeptFamily(
            inputs=inputs.get(label, ""),
            rare=rare.get(label),
            subjects=subjects.get(label, 0),
            candidates=tuple(candidates.get(label, ())),
        )
        for label in sorted(labels)
    }


def together(
    others: Mapping[str, KeptFamily], own: Mapping[str, KeptFamily]
) -> dict[str, KeptFamily]:
    """Put what stands of other goods, and what was said of those asked about, together."""
    every = [*others.values(), *own.values()]
    subjects = sum(one.subjects for one in every)
    candidates = tuple(one for family in every for one in family.candidates)
    return {"": KeptFamily(inputs="", rare=None, subjects=subjects, candidates=candidates)}


def _candidates(
    found: Judgement,
    raised: Mapping[tuple[str | None, str, str], Basis | None],
    *,
    apart: bool,
) -> dict[str, list[Candidate]]:
    """Return by family whom it flagged or would in other company, each subject once."""
    may = may_be_flagged(found.decisions)
    decisions, table = replace(found.decisions, flagged=may), found.sample.table
    general = found.detector.type == GENERAL
    rank = ranks(found.detector.evidence_class, found.scores, decisions, general=general)
    rows = np.flatnonzero(may)
    rows = rows[np.argsort(-rank[rows], kind="stable")]
    parties, subjects = (table[name].take(rows) for name in ("subject_party", "subject_id"))
    families = [""] * len(rows) if decisions.family is None else decisions.family[rows].tolist()
    entries = table["index"].to_numpy(np.int64)[rows].tolist() if apart else [-1] * len(rows)
    known = decisions.family is not None and decisions.p is not None
    ps = decisions.p[rows].tolist() if known and decisions.p is not None else [None] * len(rows)
    by_family: dict[str, dict[tuple[str | None, str], Candidate]] = {}
    for family, named, subject, height, p, entry in zip(
        families, parties, subjects.astype(str), rank[rows].tolist(), ps, entries, strict=True
    ):
        party = named if isinstance(named, str) else None
        key = (party, subject, str(family))
        one = Candidate(party, subject, height, p, key in raised, raised.get(key), entry)
        by_family.setdefault(str(family), {}).setdefault((party, subject), one)
    return {label: list(one.values()) for label, one in by_family.items()}
