"""What is kept of a judgement: by family, its inputs and whom it flagged.

Next: detectors/onward/standing.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from detectors.allowances import rare_of
from detectors.judging import may_be_flagged
from detectors.onward.kept import Candidate, KeptFamily
from detectors.ranking import GENERAL, ranks
from detectors.run import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention
    from detectors.judging import Judgement
    from detectors.onward.kept import Basis

__all__ = ["families_of"]


def families_of(
    found: Judgement,
    raised: Mapping[tuple[str | None, str, str], Basis | None],
    blocks: NDArray[np.object_] | None = None,
    left_out: Mapping[str, tuple[Abstention, ...]] | None = None,
) -> dict[str, KeptFamily]:
    """Return what is kept of each family that was judged, or of each block of goods.

    Args:
        found: The judgement.
        raised: By party, subject and family, what became flags of it, or stands, and on what.
        blocks: The block of each case, where goods are judged apart.
        left_out: And what of each block was not judged.
    """
    inputs = {} if found.sample.families is None else found.sample.families.inputs
    settled = frozenset() if found.sample.families is None else found.sample.families.settled
    left_out = left_out or {}
    subjects = counted(found) if blocks is None else _counted(found, blocks)
    rare = rare_of(found.decisions)
    candidates = _candidates(found, raised, blocks)
    labels = (subjects.keys() | inputs.keys() | left_out.keys()) - settled
    return {
        label: KeptFamily(
            inputs=inputs.get(label, ""),
            rare=rare.get(label),
            subjects=subjects.get(label, 0),
            candidates=tuple(candidates.get(label, ())),
            abstentions=left_out.get(label, ()),
        )
        for label in sorted(labels)
    }


def _counted(found: Judgement, blocks: NDArray[np.object_]) -> dict[str, int]:
    first = np.unique(found.subjects, return_index=True)[1]
    return {
        str(label): int(size) for label, size in pd.Series(blocks[first]).value_counts().items()
    }


def _candidates(
    found: Judgement,
    raised: Mapping[tuple[str | None, str, str], Basis | None],
    blocks: NDArray[np.object_] | None,
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
    labels = families if blocks is None else blocks[rows].tolist()
    known = decisions.family is not None and decisions.p is not None
    ps = decisions.p[rows].tolist() if known and decisions.p is not None else [None] * len(rows)
    by_family: dict[str, dict[tuple[str | None, str], Candidate]] = {}
    for label, family, named, subject, height, p in zip(
        labels, families, parties, subjects.astype(str), rank[rows].tolist(), ps, strict=True
    ):
        party = named if isinstance(named, str) else None
        key = (party, subject, str(family))
        one = Candidate(party, subject, height, p, key in raised, raised.get(key))
        by_family.setdefault(str(label), {}).setdefault((party, subject), one)
    return {label: list(one.values()) for label, one in by_family.items()}
