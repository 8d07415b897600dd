"""Cases: which flags of a detector that was asked again it would raise again, word for word.

A rule is asked about everything whenever the record grows, and says of nearly
every case what it said before. A flag stands where its case is the same to the
last digit and its explanation rested on nothing that has changed; it is then
neither explained nor written again.

Next: detectors/onward/keeping.py
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from detectors.judging import Judgement
    from detectors.onward.kept import Basis, Candidate, KeptAnswer
    from detectors.onward.watched import Watched

__all__ = ["Stood", "Subject", "case_digests", "stood"]

Subject = tuple[str | None, str]
"""Party (None where ids are global) and id."""


class Stood(NamedTuple):
    """The flagged cases of one detector.

    Attributes:
        digests: Name of each flagged case of the judgement, by subject; empty where none is known.
        stands: Those whose flags stand, with what they rest on and their rank.
        mask: Where they are in the table of flagged cases.
    """

    digests: dict[Subject, str]
    stands: dict[Subject, tuple[Basis, float]]
    mask: NDArray[np.bool_]


def stood(
    found: Judgement,
    chosen: pd.DataFrame,
    kept: KeptAnswer | None,
    changed: Collection[str],
    shared: Watched,
) -> Stood:
    """Find the flags that stand of a detector that knows no families.

    Args:
        found: What it says now.
        chosen: `judging.strangest` of it.
        kept: What it said in the run before; None where it was not asked, or was another one.
        changed: Tables of the frames that have other rows since.
        shared: The features of this run.
    """
    mask = np.zeros(len(chosen), bool)
    if found.decisions.family is not None:
        return Stood({}, {}, mask)
    flagged = np.flatnonzero(chosen["flagged"].to_numpy(bool))
    own = chosen.iloc[flagged]
    subjects = [_subject(*named) for named in zip(own["party"], own["subject_id"], strict=True)]
    names = case_digests(found, own["row"].to_numpy(np.int64))
    before = _flagged_before(kept)
    stands: dict[Subject, tuple[Basis, float]] = {}
    ranks = chosen["rank"].to_numpy(np.float64)
    for place, subject, name in zip(flagged.tolist(), subjects, names, strict=True):
        basis = before.get(subject)
        if basis is not None and name and basis.case == name and shared.is_told(basis, changed):
            stands[subject] = basis, float(ranks[place])
            mask[place] = True
    return Stood(dict(zip(subjects, names, strict=True)), stands, mask)


def _subject(party: object, subject: object) -> Subject:
    return party if isinstance(party, str) else None, str(subject)


def _flagged_before(kept: KeptAnswer | None) -> dict[Subject, Basis]:
    every: list[Candidate] = []
    if kept is not None:
        every = [one for family in kept.families.values() for one in family.candidates]
    return {(x.party, x.subject): x.basis for x in every if x.flagged and x.basis is not None}


def case_digests(found: Judgement, rows: NDArray[np.int64]) -> list[str]:
    """Name cases by all that a flag takes from them.

    Args:
        found: The judgement.
        rows: Rows of its sample's table.

    Returns:
        Digests; an empty text where a case holds what cannot be written down.
    """
    decisions, sample = found.decisions, found.sample
    table = sample.table.iloc[rows]
    columns = [found.scores, decisions.threshold, decisions.likely_benign, decisions.p, decisions.q]
    values = [one[rows].tolist() for one in columns if one is not None]
    values += [table[name].tolist() for name in table]
    named = [sample.list_version, [str(name) for name in table.columns]]
    return [_digest((named, case)) for case in zip(*values, strict=True)]


def _digest(case: object) -> str:
    try:
        whole = _ENCODER.encode(case)
    except (TypeError, ValueError, OverflowError):
        return ""
    return hashlib.sha256(whole).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Write what tables hold besides texts and numbers."""
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(type(value).__name__)


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
