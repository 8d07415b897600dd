"""One run: features once, every detector in isolation, flags in a stable order.

A detector that raises is reported and the others go on. What was not judged is
reported too: silence must not look like innocence. Nothing is written here;
the caller turns flags into drafts (`record.draft`) and appends them.

Next: detectors/export.py
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.abreast import each
from detectors.allowances import allowances, rare_of
from detectors.base import EvidenceClass
from detectors.executors import InProcess
from detectors.features import SEED, Features
from detectors.judging import Reading, conclude, settled, strangest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from detectors.base import Abstention, Detector, Flag
    from detectors.executors import Executor
    from detectors.judging import Judgement
    from graph.frames import Frames

__all__ = [
    "LEVEL",
    "DetectorError",
    "RunResult",
    "counted",
    "error_of",
    "no_scores",
    "run",
    "scores_of",
    "seriousness",
]

LEVEL: Final = 0.05
"""False-discovery level of statistical flags, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class DetectorError:
    """A detector that raised; its question stays open in this run."""

    detector: str
    message: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run concluded.

    Attributes:
        flags: Most serious first; equal ones by type and subject.
        abstentions: What was not judged, and why.
        errors: Detectors that raised.
        judged: How many subjects each detector judged.
        expected_false: How many of the statistical flags are expected to be chance.
        scores: Every judged subject and type once, flagged or not: `subject_id`, `type`,
            `score` (the common rank), `flagged`, `p_value`, `q_value`, `detector`.
    """

    flags: tuple[Flag, ...]
    abstentions: tuple[Abstention, ...]
    errors: tuple[DetectorError, ...]
    judged: dict[str, int]
    expected_false: float
    scores: pd.DataFrame


def run(
    frames: Frames,
    detectors: Sequence[Detector],
    *,
    tree_size: int,
    root: bytes,
    level: float = LEVEL,
    seed: int = SEED,
    progress: Callable[[str], None] | None = None,
    executor: Executor | None = None,
) -> RunResult:
    """Ask every detector.

    Args:
        frames: What the graph holds, at the private tier.
        detectors: Whom to ask, for example `registry.load()[0]`.
        tree_size: How many log entries the frames reflect.
        root: The log's root hash at that size.
        level: False-discovery level of statistical flags.
        seed: Seed of whatever draws random numbers.
        progress: Called with each detector's name before it is asked.
        executor: Where to ask them; in this process unless it says otherwise.
    """
    shared = Features(frames, seed=seed)
    judgements: list[Judgement] = []
    errors: list[DetectorError] = []
    answers = (executor or InProcess()).ask(shared, detectors, level, progress)
    for detector, answer in zip(detectors, answers, strict=True):
        if isinstance(answer, Exception):
            errors.append(error_of(detector, answer))
        else:
            judgements.append(answer)
    rare = {one.detector.name: (one.detector, rare_of(one.decisions)) for one in judgements}
    reading = Reading(tree_size, root, level, allowances(rare, level))
    judgements = [settled(one, reading.allowed[one.detector.name]) for one in judgements]
    flags: list[Flag] = []
    tables: list[pd.DataFrame] = []
    told = [partial(_told, found, shared, reading) for found in judgements]
    for found, one in zip(judgements, each(told, shared), strict=True):
        if isinstance(one, Exception):
            errors.append(error_of(found.detector, one))
        else:
            flags += one[0]
            tables.append(one[1])
    statistical = sum(flag.evidence_class is EvidenceClass.STATISTICAL for flag in flags)
    return RunResult(
        flags=tuple(sorted(flags, key=seriousness)),
        abstentions=tuple(one for found in judgements for one in found.sample.abstentions),
        errors=tuple(errors),
        judged={found.detector.name: sum(counted(found).values()) for found in judgements},
        expected_false=level * statistical,
        scores=pd.concat([no_scores(), *tables], ignore_index=True),
    )


def _told(found: Judgement, shared: Features, reading: Reading) -> tuple[list[Flag], pd.DataFrame]:
    """Return one detector's flags, and its part of `RunResult.scores`."""
    chosen = strangest(found)
    return conclude(found, shared, reading, chosen), scores_of(found, chosen)


def error_of(detector: Detector, error: Exception) -> DetectorError:
    """Say on one line what a detector raised."""
    return DetectorError(detector.name, " ".join(f"{type(error).__name__}: {error}".split()))


def counted(found: Judgement) -> dict[str, int]:
    """Count the subjects judged in each family; of those that know none, under ""."""
    family = found.decisions.family
    if family is None:
        once = len(pd.unique(found.subjects))
        return {"": once} if once else {}
    number, labels = pd.factorize(family)
    known = number >= 0
    both = pd.unique(found.subjects[known] * np.int64(len(labels)) + number[known])
    sizes = np.bincount(both % max(len(labels), 1), minlength=len(labels))
    return {str(label): int(size) for label, size in zip(labels, sizes, strict=True)}


def seriousness(flag: Flag) -> tuple[float, str, str, str]:
    """Return what flags are sorted by: the most serious first, then type and subject."""
    return -flag.rank, flag.type, flag.subject_id, flag.subject_party or ""


def no_scores() -> pd.DataFrame:
    """Return `RunResult.scores` of a run that judged nothing."""
    return pd.DataFrame(
        {
            "subject_id": pd.Series(dtype="str"),
            "type": pd.Series(dtype="str"),
            "score": pd.Series(dtype=np.float64),
            "flagged": pd.Series(dtype=bool),
            "p_value": pd.Series(dtype=np.float64),
            "q_value": pd.Series(dtype=np.float64),
            "detector": pd.Series(dtype="str"),
        }
    )


def scores_of(found: Judgement, chosen: pd.DataFrame) -> pd.DataFrame:
    """Return one detector's part of `RunResult.scores`; `chosen` is its `strangest`."""
    row = chosen["row"].to_numpy()
    unknown = np.full(len(found.scores), np.nan)
    p, q = found.decisions.p, found.decisions.q
    return pd.DataFrame(
        {
            "subject_id": chosen["subject_id"].array,
            "type": found.detector.type,
            "score": chosen["rank"].to_numpy(),
            "flagged": chosen["flagged"].to_numpy(bool),
            "p_value": (unknown if p is None else p)[row],
            "q_value": (unknown if q is None else q)[row],
            "detector": found.detector.name,
        }
    )
