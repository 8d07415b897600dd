"""Recall, precision and honesty of one run against labels.

Two universes are judged apart: events, and facility-months. A subject's score
is the highest that any detector gives it; who was not judged comes last.

Next: detectors/evaluation/baselines.py
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from detectors.export import Row

__all__ = ["Quality", "Truth", "average_precision", "judge_run", "pooled"]

_UNSEEN: Final = -1.0


@dataclass(frozen=True, slots=True)
class Truth:
    """One universe: all its subjects, and what was planted in which of them.

    Attributes:
        subjects: Every subject that could be flagged.
        planted: Types by subject; a subject without any is innocent.
    """

    subjects: frozenset[str]
    planted: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, subjects: Iterable[str], labels: Iterable[tuple[str, str]]) -> Truth:
        """Keep the labels, (subject, type), of this universe's subjects."""
        known = frozenset(subjects)
        found: dict[str, set[str]] = defaultdict(set)
        for subject, kind in labels:
            if subject in known:
                found[subject].add(kind)
        return cls(known, {subject: frozenset(types) for subject, types in found.items()})


@dataclass(frozen=True, slots=True)
class Quality:
    """What a run was worth in one universe.

    Attributes:
        subjects: How many there are.
        planted: How many labelled subjects each type has.
        found: How many of those are flagged with that type.
        average_precision: Of the ranking of all subjects by their highest score.
        innocent: How many flagged subjects carry no label at all.
        statistical: How many statistical flags there are.
        chance: How many of those are on subjects without any label.
    """

    subjects: int
    planted: Mapping[str, int]
    found: Mapping[str, int]
    average_precision: float
    innocent: int
    statistical: int
    chance: int

    @property
    def recalls(self) -> dict[str, float]:
        """Share found by type, 0 to 1."""
        return {kind: self.found.get(kind, 0) / count for kind, count in self.planted.items()}

    @property
    def macro_recall(self) -> float:
        """Mean over the types; NaN where nothing was planted."""
        recalls = list(self.recalls.values())
        return float(np.mean(recalls)) if recalls else float("nan")

    @property
    def innocent_per_10_000(self) -> float:
        """Flagged subjects without a label per 10,000 subjects."""
        return 10_000 * self.innocent / self.subjects if self.subjects else 0.0


def judge_run(rows: Sequence[Row], truth: Truth, statistical: Collection[str]) -> Quality:
    """Hold the rows of an export with scores against the truth.

    Args:
        rows: Of all detectors; those about other universes are passed over.
        truth: One universe.
        statistical: Names of the detectors whose flags carry a false-discovery promise.
    """
    own = [row for row in rows if row.subject_id in truth.subjects]
    best: dict[str, float] = {}
    for row in own:
        best[row.subject_id] = max(row.score, best.get(row.subject_id, _UNSEEN))
    flagged = {(row.subject_id, row.type) for row in own if row.flagged}
    planted = Counter(kind for types in truth.planted.values() for kind in types)
    promised = [row for row in own if row.flagged and row.detector in statistical]
    return Quality(
        subjects=len(truth.subjects),
        planted=dict(sorted(planted.items())),
        found=Counter(kind for subject, kind in flagged if kind in truth.planted.get(subject, ())),
        average_precision=average_precision(
            np.array([best.get(subject, _UNSEEN) for subject in sorted(truth.subjects)]),
            np.array([subject in truth.planted for subject in sorted(truth.subjects)]),
        ),
        innocent=len({subject for subject, _ in flagged} - truth.planted.keys()),
        statistical=len(promised),
        chance=sum(row.subject_id not in truth.planted for row in promised),
    )


def average_precision(scores: np.ndarray, planted: np.ndarray) -> float:
    """Return the mean precision at the planted subjects; ties share theirs.

    Args:
        scores: One per subject, higher is stranger.
        planted: Whether the subject is labelled.

    Returns:
        0 to 1; the share of planted subjects where the ranking is blind, NaN without any.
    """
    if not planted.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(planted[order])
    last = np.append(np.diff(scores[order]) != 0, True)
    precision = hits[last] / (np.flatnonzero(last) + 1)
    return float(np.sum(np.diff(np.append(0, hits[last])) * precision) / hits[-1])


def pooled(runs: Iterable[Quality]) -> tuple[int, int, float]:
    """Return statistical flags, those of them on innocents, and their share over many runs."""
    held = list(runs)
    flags, chance = sum(run.statistical for run in held), sum(run.chance for run in held)
    return flags, chance, chance / flags if flags else 0.0
