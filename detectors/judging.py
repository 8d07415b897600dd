"""From one detector's sample to its flags: judge, keep the strangest case, explain it.

Next: detectors/run.py
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from detectors import nulls, slips
from detectors.allowances import COMMONEST, NOTHING
from detectors.base import Abstention, Case, Decisions, Evidence, Flag
from detectors.chances import deviate
from detectors.ranking import GENERAL, ranks, severity
from detectors.record import code_digest, libraries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.allowances import Allowance
    from detectors.base import Account, Benign, Detector, Sample
    from detectors.features import Features

__all__ = [
    "Judgement",
    "Reading",
    "conclude",
    "judge",
    "may_be_flagged",
    "settled",
    "strangest",
    "subjects",
]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one detector made of its sample.

    Attributes:
        detector: Who judged.
        sample: What it judged.
        scores: Score per row of the sample's table.
        decisions: What followed, before other detectors are considered.
        subjects: Number of each row's subject.
    """

    detector: Detector
    sample: Sample
    scores: NDArray[np.float64]
    decisions: Decisions
    subjects: NDArray[np.int64]


def judge(
    detector: Detector, shared: Features, level: float, *, least: int | None = None
) -> Judgement:
    """Let one detector collect, score and decide; below its minimum it abstains.

    Args:
        detector: Whom.
        shared: What it is about.
        level: False-discovery level.
        least: Instead of its own minimum, where these are not all cases there are.

    Raises:
        ValueError: A score is not finite.
    """
    sample = detector.features(shared)
    cases = len(sample.table) if sample.families is None else sample.families.cases
    if cases < (detector.min_samples if least is None else least):
        return _abstain(detector, sample, cases)
    if sample.table.empty:
        # Every family is settled: there is nothing to score.
        return _judged_none(detector, sample)
    scores = detector.score(sample)
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} scores are not finite")
    decisions = detector.decide(sample, scores, level)
    found = Judgement(detector, sample, scores, decisions, subjects(sample.table))
    return replace(found, decisions=_explained_by_slips(found, shared))


def _explained_by_slips(found: Judgement, shared: Features) -> Decisions:
    """Take what a noted slip explains for likely benign: it stays a flag, and ranks last."""
    decisions, name = found.decisions, found.detector.name
    concerned = slips.concerned(name, found.sample.table, shared)
    rows = np.flatnonzero(concerned & may_be_flagged(decisions))
    if not len(rows):
        return decisions
    benign = decisions.likely_benign.copy()
    for row, case in zip(rows, _cases(found, shared, rows), strict=True):
        causes = slips.checked(name, case, found.detector.explain(case))
        benign[row] |= slips.is_explained(causes)
    return replace(decisions, likely_benign=benign)


def may_be_flagged(decisions: Decisions) -> NDArray[np.bool_]:
    """Mark the cases that may be flagged, whatever the other detectors find."""
    if decisions.family is None or decisions.p is None:
        return decisions.flagged
    return np.asarray(decisions.p <= COMMONEST)


def _abstain(detector: Detector, sample: Sample, size: int) -> Judgement:
    reasons = sample.abstentions
    if size:
        few = f"too few cases: {size} of at least {detector.min_samples}"
        reasons = (*reasons, Abstention(detector.name, few, size))
    elif not reasons:
        reasons = (Abstention(detector.name, "nothing of what it judges is in the record"),)
    nothing = replace(sample, table=sample.table.iloc[:0], abstentions=reasons, families=None)
    return _judged_none(detector, nothing)


def _judged_none(detector: Detector, sample: Sample) -> Judgement:
    none, nobody = np.empty(0), np.empty(0, np.int64)
    decisions = Decisions(none.astype(bool), none, none.astype(bool))
    return Judgement(detector, sample, none, decisions, nobody)


def settled(found: Judgement, allowed: Mapping[str, Allowance]) -> Judgement:
    """Decide anew what a detector with a null flags, now that all detectors are known.

    Args:
        found: What the detector made of its sample by itself.
        allowed: `allowances` of its families.
    """
    decisions = found.decisions
    if decisions.family is None or decisions.p is None or not len(decisions.p):
        return found
    p, q = decisions.p, np.ones(len(decisions.p))
    flagged = np.zeros(len(p), bool)
    for label, own in nulls.members_of(decisions.family).items():
        own_p, allowance = p[own], allowed.get(label, NOTHING)
        flagged[own] = own_p <= allowance.cut
        q[own] = allowance.q_of(own_p)
    # Who is flagged in good company alone has at least to stay this rare.
    outer = np.minimum(decisions.threshold, deviate(COMMONEST))
    threshold = np.where(found.scores < decisions.threshold, outer, decisions.threshold)
    return replace(found, decisions=replace(decisions, flagged=flagged, threshold=threshold, q=q))


def strangest(found: Judgement, *, flagged: bool = False) -> pd.DataFrame:
    """Return one row per subject, the one that ranks highest: `row`, `rank`, `flagged`.

    Args:
        found: One detector's judgement, `settled`.
        flagged: Of flagged subjects alone; a row that is flagged ranks above all others.
    """
    table, decisions = found.sample.table, found.decisions
    general = found.detector.type == GENERAL
    rank = ranks(found.detector.evidence_class, found.scores, decisions, general=general)
    asked = np.flatnonzero(decisions.flagged) if flagged else np.arange(len(rank))
    order = asked[np.argsort(-rank[asked], kind="stable")]
    row = order[~pd.Series(found.subjects[order]).duplicated().to_numpy()]
    return pd.DataFrame(
        {
            "party": table["subject_party"].array[row],
            "subject_id": table["subject_id"].array[row],
            "row": row,
            "rank": rank[row],
            "flagged": decisions.flagged[row],
        }
    )


def subjects(table: pd.DataFrame) -> NDArray[np.int64]:
    """Number the subject of each row of a sample's table."""
    party, parties = pd.factorize(table["subject_party"], use_na_sentinel=False)
    own, _ = pd.factorize(table["subject_id"], use_na_sentinel=False)
    return np.asarray(own * np.int64(max(len(parties), 1)) + party, np.int64)


class Reading(NamedTuple):
    """What a run read, and how it was told to judge.

    Attributes:
        tree_size: How many log entries the frames reflect.
        root: The log's root hash at that size.
        level: False-discovery level of the run.
        allowed: `allowances` of the run: by detector and family, what it may flag.
    """

    tree_size: int
    root: bytes
    level: float
    allowed: Mapping[str, Mapping[str, Allowance]]


def conclude(
    found: Judgement, shared: Features, reading: Reading, chosen: pd.DataFrame
) -> list[Flag]:
    """Turn a judgement's flagged subjects into flags with their evidence and explanation.

    Args:
        found: One detector's judgement, `settled`.
        shared: The features it was made from.
        reading: What was read.
        chosen: `strangest` of the judgement, or some rows of it.
    """
    chosen = chosen[chosen["flagged"]]
    rows = chosen["row"].to_numpy(np.int64)
    cases = _cases(found, shared, rows)
    explain = partial(_explained, found.detector)
    told = [shared.explained(explain, case) for case in cases]
    named = [
        sorted({int(case.row["index"]), *account.evidence})
        for case, (account, _) in zip(cases, told, strict=True)
    ]
    hashes = shared.leaf_hashes({index for indices in named for index in indices})
    ranks_ = chosen["rank"].tolist()
    sizes = _sizes(found.decisions)
    return [
        _flag(
            found,
            _Concluded(row, rank, case, *said, tuple(Evidence(i, hashes[i]) for i in indices)),
            reading,
            sizes,
        )
        for row, rank, case, said, indices in zip(
            rows.tolist(), ranks_, cases, told, named, strict=True
        )
    ]


def _explained(detector: Detector, case: Case) -> tuple[Account, tuple[Benign, ...]]:
    """Put a case into words, and add what slips were noted on its events."""
    account = detector.explain(case)
    noted = slips.checked(detector.name, case, account)
    return replace(account, benign=(*account.benign, *noted)), noted


def _cases(found: Judgement, shared: Features, rows: NDArray[np.int64]) -> list[Case]:
    """Take the rows of a sample's table out, all of them at once."""
    table = found.sample.table.iloc[rows]
    names = [str(name) for name in table.columns]
    values = zip(*(_scalars(column) for _, column in table.items()), strict=True)
    scores, thresholds = found.scores[rows].tolist(), found.decisions.threshold[rows].tolist()
    return [
        Case(dict(zip(names, row, strict=True)), score, threshold, found.sample, shared)
        for row, score, threshold in zip(values, scores, thresholds, strict=True)
    ]


def _scalars(column: pd.Series) -> list[Any]:
    """Return the values, numbers as numpy has them: those may be divided by zero."""
    return list(column.to_numpy() if column.dtype.kind in "biuf" else column)


def _sizes(decisions: Decisions) -> Mapping[str, int]:
    """Count the members of each family."""
    if decisions.family is None:
        return {}
    number, labels = pd.factorize(decisions.family)
    return dict(zip(map(str, labels), np.bincount(number).tolist(), strict=True))


class _Concluded(NamedTuple):
    """One flagged case with its explanation."""

    row: int
    rank: float
    case: Case
    account: Account
    noted: tuple[Benign, ...]
    evidence: tuple[Evidence, ...]


def _flag(found: Judgement, one: _Concluded, reading: Reading, sizes: Mapping[str, int]) -> Flag:
    detector, sample, decisions = found.detector, found.sample, found.decisions
    row, score, threshold = one.row, one.case.score, one.case.threshold
    benign = bool(decisions.likely_benign[row])
    grade = severity(detector.evidence_class, score, threshold, likely_benign=benign)
    family = None if decisions.family is None else str(decisions.family[row])
    party = one.case.row["subject_party"]
    parameters = dict(detector.parameters)
    if family is not None:
        parameters["false_discovery_level"] = reading.level
        parameters["largest_p"] = reading.allowed[detector.name][family].cut
    return Flag(
        type=detector.type,
        subject_kind=detector.subject_kind,
        subject_id=str(one.case.row["subject_id"]),
        subject_party=party if isinstance(party, str) else None,
        severity=slips.lowered(grade, one.noted),
        evidence_class=detector.evidence_class,
        detector=detector.name,
        detector_version=detector.version,
        evidence=one.evidence,
        tree_size=reading.tree_size,
        root=reading.root,
        score=score,
        threshold=threshold,
        account=one.account,
        rank=one.rank,
        likely_benign=benign,
        p=None if decisions.p is None else float(decisions.p[row]),
        q=None if decisions.q is None else float(decisions.q[row]),
        family=family,
        family_size=None if family is None else sizes[family],
        parameters=parameters,
        code_digest=code_digest(type(detector).__module__),
        seed=one.case.shared.seed,
        libraries=libraries(detector.libraries),
        reads=(*detector.reads, *slips.READS) if one.noted else detector.reads,
        reference_digest=None if family is None else sample.reference_digests.get(family),
        list_version=sample.list_version,
    )
