"""From one detector's sample to its flags: judge, keep the strangest case, explain it.

Next: detectors/run.py
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from detectors import nulls
from detectors.base import Abstention, Case, Decisions, Evidence, Flag
from detectors.ranking import GENERAL, ranks, severity
from detectors.record import code_digest, libraries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from detectors.base import Account, Detector, Sample
    from detectors.features import Features

__all__ = ["Judgement", "Reading", "conclude", "family_levels", "judge", "strangest"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one detector made of its sample.

    Attributes:
        detector: Who judged.
        sample: What it judged.
        scores: Score per row of the sample's table.
        decisions: What followed, before other detectors are considered.
    """

    detector: Detector
    sample: Sample
    scores: NDArray[np.float64]
    decisions: Decisions


def judge(detector: Detector, shared: Features, level: float) -> Judgement:
    """Let one detector collect, score and decide; below its minimum it abstains.

    Raises:
        ValueError: A score is not finite.
    """
    sample = detector.features(shared)
    if len(sample.table) < detector.min_samples:
        return _abstain(detector, sample)
    scores = detector.score(sample)
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} scores are not finite")
    return Judgement(detector, sample, scores, detector.decide(sample, scores, level))


def _abstain(detector: Detector, sample: Sample) -> Judgement:
    size, reasons = len(sample.table), sample.abstentions
    if size:
        few = f"too few cases: {size} of at least {detector.min_samples}"
        reasons = (*reasons, Abstention(detector.name, few, size))
    elif not reasons:
        reasons = (Abstention(detector.name, "nothing of what it judges is in the record"),)
    nothing = replace(sample, table=sample.table.iloc[:0], abstentions=reasons)
    none = np.empty(0)
    return Judgement(detector, nothing, none, Decisions(none.astype(bool), none, none.astype(bool)))


def family_levels(judgements: Sequence[Judgement], level: float) -> dict[str, float]:
    """Return the level each period's families may flag at, once all detectors are known."""
    smallest: dict[str, list[float]] = {}
    for found in judgements:
        family, q = found.decisions.family, found.decisions.q
        if family is not None and q is not None and len(q):
            for label, least in pd.Series(q).groupby(family).min().items():
                smallest.setdefault(str(label), []).append(float(least))
    return {
        label: nulls.across_families(np.array(least), level) for label, least in smallest.items()
    }


def _flagged(found: Judgement, levels: Mapping[str, float]) -> NDArray[np.bool_]:
    decisions = found.decisions
    if decisions.family is None or decisions.q is None:
        return decisions.flagged
    allowed = np.array([levels[str(label)] for label in decisions.family])
    return np.asarray(decisions.flagged & (decisions.q <= allowed))


def strangest(found: Judgement, levels: Mapping[str, float]) -> pd.DataFrame:
    """Return one row per subject, the one that ranks highest: `row`, `rank`, `flagged`.

    Args:
        found: One detector's judgement.
        levels: `family_levels` of the run.
    """
    table, flagged = found.sample.table, _flagged(found, levels)
    decisions = replace(found.decisions, flagged=flagged)
    general = found.detector.type == GENERAL
    rank = ranks(found.detector.evidence_class, found.scores, decisions, general=general)
    order = pd.DataFrame(
        {
            "party": table["subject_party"].to_numpy(),
            "subject_id": table["subject_id"].to_numpy(),
            "row": np.arange(len(table)),
            "rank": rank,
            "flagged": flagged,
        }
    ).sort_values(["rank", "row"], ascending=[False, True])
    return order.drop_duplicates(["party", "subject_id"])


class Reading(NamedTuple):
    """What a run read, and how it was told to judge.

    Attributes:
        tree_size: How many log entries the frames reflect.
        root: The log's root hash at that size.
        level: False-discovery level of the run.
        levels: `family_levels`: what each family may flag at.
    """

    tree_size: int
    root: bytes
    level: float
    levels: Mapping[str, float]


def conclude(
    found: Judgement, shared: Features, reading: Reading, chosen: pd.DataFrame
) -> list[Flag]:
    """Turn a judgement's flagged subjects into flags with their evidence and explanation.

    Args:
        found: One detector's judgement.
        shared: The features it was made from.
        reading: What was read.
        chosen: `strangest` of the judgement, or some rows of it.
    """
    chosen = chosen[chosen["flagged"]]
    rows = [int(row) for row in chosen["row"]]
    accounts = [_account(found, shared, row) for row in rows]
    own = found.sample.table["index"]
    named = [
        sorted({int(own.iloc[row]), *account.evidence})
        for row, account in zip(rows, accounts, strict=True)
    ]
    hashes = shared.leaf_hashes({index for indices in named for index in indices})
    return [
        _flag(
            found,
            row,
            reading,
            rank=float(rank),
            account=account,
            evidence=tuple(Evidence(index, hashes[index]) for index in indices),
            seed=shared.seed,
        )
        for row, rank, account, indices in zip(rows, chosen["rank"], accounts, named, strict=True)
    ]


def _account(found: Judgement, shared: Features, row: int) -> Account:
    case = Case(
        row={str(k): v for k, v in found.sample.table.iloc[row].items()},
        score=float(found.scores[row]),
        threshold=float(found.decisions.threshold[row]),
        sample=found.sample,
        shared=shared,
    )
    return found.detector.explain(case)


def _flag(
    found: Judgement,
    row: int,
    reading: Reading,
    *,
    rank: float,
    account: Account,
    evidence: tuple[Evidence, ...],
    seed: int,
) -> Flag:
    detector, sample, decisions = found.detector, found.sample, found.decisions
    score, threshold = float(found.scores[row]), float(decisions.threshold[row])
    benign = bool(decisions.likely_benign[row])
    family = None if decisions.family is None else str(decisions.family[row])
    party = sample.table["subject_party"].iloc[row]
    parameters = dict(detector.parameters)
    if family is not None:
        parameters["false_discovery_level"] = reading.level
        parameters["family_level"] = reading.levels[family]
    return Flag(
        type=detector.type,
        subject_kind=detector.subject_kind,
        subject_id=str(sample.table["subject_id"].iloc[row]),
        subject_party=party if isinstance(party, str) else None,
        severity=severity(detector.evidence_class, score, threshold, likely_benign=benign),
        evidence_class=detector.evidence_class,
        detector=detector.name,
        detector_version=detector.version,
        evidence=evidence,
        tree_size=reading.tree_size,
        root=reading.root,
        score=score,
        threshold=threshold,
        account=account,
        rank=rank,
        likely_benign=benign,
        p=None if decisions.p is None else float(decisions.p[row]),
        q=None if decisions.q is None else float(decisions.q[row]),
        family=family,
        family_size=None if family is None else int(np.count_nonzero(decisions.family == family)),
        parameters=parameters,
        code_digest=code_digest(type(detector).__module__),
        seed=seed,
        libraries=libraries(detector.libraries),
        reads=detector.reads,
        reference_digest=None if family is None else sample.reference_digests.get(family),
        list_version=sample.list_version,
    )
