"""One run, going on from the run before where that changes no answer.

    the detector's tables have no new rows     its answer stands, it is not asked
    it judges by family                        families on the same inputs stand
    otherwise                                  it is asked about everything

What a family may flag at is decided across all detectors, so it is decided anew
from what stands and what was judged. A subject that may now be flagged and was
not explained before is judged again with its family.

Next: detectors/replay.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from detectors.abreast import each
from detectors.base import EvidenceClass
from detectors.dropped import about, fallen, open_flags
from detectors.features import SEED
from detectors.judging import Judgement, Reading, conclude, judge, levels_of, smallest, strangest
from detectors.onward.keeping import families_of
from detectors.onward.kept import (
    KeptAnswer,
    KeptFamily,
    KeptRun,
    key_of,
    passing,
    without,
)
from detectors.onward.watched import Watched
from detectors.run import (
    LEVEL,
    DetectorError,
    RunResult,
    error_of,
    no_scores,
    scores_of,
    seriousness,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from detectors.base import Abstention, Detector, Flag
    from graph.frames import Frames

__all__ = ["Before", "Onward", "Standing", "go_on"]


class Before(NamedTuple):
    """The run to go on from.

    Attributes:
        kept: What was kept of it.
        changed: The tables of the frames that have other rows since.
    """

    kept: KeptRun
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """A flag of an earlier run that this one would raise again, word for word."""

    detector: str
    type: str
    evidence_class: EvidenceClass
    party: str | None
    subject: str
    rank: float


@dataclass(frozen=True, slots=True)
class Onward:
    """What a run concluded.

    Attributes:
        result: Flags, scores and counts; flags and scores of what was judged anew, alone.
        standing: The other flags: they are in the log as they are.
        kept: What the next run goes on from.
        asked: The detectors that were asked, about everything or some families.
    """

    result: RunResult
    standing: tuple[Standing, ...]
    kept: KeptRun
    asked: tuple[str, ...]


def go_on(
    frames: Frames,
    detectors: Sequence[Detector],
    *,
    tree_size: int,
    root: bytes,
    level: float = LEVEL,
    seed: int = SEED,
    before: Before | None = None,
    progress: Callable[[str], None] | None = None,
) -> Onward:
    """Ask the detectors whose answers may be others; with no run before, all about everything.

    Args:
        frames: What the graph holds now.
        detectors: Whose flags are wanted.
        tree_size: How many log entries the frames reflect.
        root: The log's root hash at that size.
        level: False-discovery level of statistical flags.
        seed: Seed of whatever draws random numbers.
        before: The run to go on from; one of another level or seed is none.
        progress: Called with each detector's name before it is asked, or left out.
    """
    if before is not None and (before.kept.level, before.kept.seed) != (level, seed):
        before = None
    run = _Run(Watched(frames, seed=seed), level, before, frames)
    run.ask(detectors, progress)
    levels = run.settle_levels()
    return run.conclude(Reading(tree_size, root, level, levels))


@dataclass
class _Answer:
    """What is known of one detector in this run: what stands, and what was judged."""

    detector: Detector
    key: str
    stands: dict[str, KeptFamily] = field(default_factory=dict)
    tables: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    abstentions: tuple[Abstention, ...] = ()
    found: Judgement | None = None

    def least(self) -> dict[str, float]:
        """Return the smallest q of every family, standing or judged."""
        kept = {label: one.least for label, one in self.stands.items() if one.least is not None}
        return kept | ({} if self.found is None else smallest(self.found))

    def unexplained(self, levels: Mapping[str, float]) -> set[str]:
        """Return the families that stand, of which somebody may be flagged now who was not."""
        return {label for label, one in passing(self.stands, levels) if not one.flagged}


class _Run:
    def __init__(
        self, shared: Watched, level: float, before: Before | None, frames: Frames
    ) -> None:
        self._shared = shared
        self._level = level
        self._before = before
        self._goes_on = before is not None  # then there is little to do
        self._answers: list[_Answer] = []
        self._errors: list[DetectorError] = []
        self._flagged, self._fell = frozenset(open_flags(frames)["subject_id"]), fallen(frames)

    def _kept(self, detector: Detector, key: str) -> KeptAnswer | None:
        kept = None if self._before is None else self._before.kept.answers.get(detector.name)
        fell = self._fell.get(detector.name, set())
        return without(kept, fell) if kept is not None and kept.key == key else None

    def ask(self, detectors: Sequence[Detector], told: Callable[[str], None] | None) -> None:
        """Ask detectors about what is new to them; what one raises is reported, and it is left."""

        def begun(number: int) -> None:
            if told is not None:
                told(detectors[number].name)

        tasks = [partial(self._asked, detector) for detector in detectors]
        answers = each(tasks, self._shared, begun=begun, held=detectors, here=self._goes_on)
        for detector, answer in zip(detectors, answers, strict=True):
            if isinstance(answer, Exception):
                self._errors.append(error_of(detector, answer))
            else:
                self._answers.append(answer)

    def _asked(self, detector: Detector) -> _Answer:
        answer = _Answer(detector, key_of(detector))
        kept = self._kept(detector, answer.key)
        if kept is None or self._before is None:
            self._ask(answer, {})
        elif not kept.tables & self._before.changed:
            answer.stands, answer.tables = dict(kept.families), kept.tables
            answer.told, answer.abstentions = kept.told, kept.abstentions
        else:
            same = {} if kept.told & self._before.changed else kept.families
            answer.told = kept.told if same else frozenset()
            self._ask(answer, {label: one for label, one in same.items() if one.inputs})
        return answer

    def _ask(self, answer: _Answer, settled: Mapping[str, KeptFamily]) -> None:
        detector, inputs = answer.detector, {label: one.inputs for label, one in settled.items()}
        with self._shared.knowing(detector.name, inputs), self._shared.reading() as read:
            answer.found = judge(detector, self._shared, self._level)
        sample = answer.found.sample
        left_out: Collection[str] = () if sample.families is None else sample.families.settled
        answer.stands = {label: settled[label] for label in left_out}
        answer.tables = frozenset(read) | answer.told
        answer.abstentions = sample.abstentions

    def settle_levels(self) -> dict[str, float]:
        """Decide what each family may flag at, and ask again about whom nobody explained yet."""
        while True:
            levels = levels_of([answer.least() for answer in self._answers], self._level)
            open_ = [one for one in self._answers if one.unexplained(levels)]
            if not open_:
                return dict(levels)
            for answer in open_:
                again = answer.unexplained(levels)
                known = {label: one for label, one in answer.stands.items() if label not in again}
                try:
                    self._ask(answer, {label: one for label, one in known.items() if one.inputs})
                except Exception as error:  # noqa: BLE001 - one detector's fault must not cost the run
                    self._errors.append(error_of(answer.detector, error))
                    self._answers.remove(answer)

    def conclude(self, reading: Reading) -> Onward:
        """Put what was judged and what stands together."""
        flags: list[Flag] = []
        tables: list[pd.DataFrame] = []
        standing: list[Standing] = []
        kept: dict[str, KeptAnswer] = {}
        judged: dict[str, int] = {}
        tasks = [partial(self._told, answer, reading) for answer in self._answers]
        conclusions = each(tasks, self._shared, here=self._goes_on)
        for answer, one in zip(self._answers, conclusions, strict=True):
            if isinstance(one, Exception):
                self._errors.append(error_of(answer.detector, one))
                continue
            fresh, scores, told = one
            mine, others = _without_outranked(fresh, _standing(answer, reading.levels))
            flags, standing = flags + mine, standing + others
            tables += scores
            flagged = self._flagged.union(flag.subject_id for flag in fresh)
            kept[answer.detector.name] = _to_keep(answer, told, fresh, flagged)
            families = kept[answer.detector.name].families
            judged[answer.detector.name] = sum(one.subjects for one in families.values())
        result = RunResult(
            flags=tuple(sorted(flags, key=seriousness)),
            abstentions=tuple(one for kept_ in kept.values() for one in kept_.abstentions),
            errors=tuple(self._errors),
            judged=judged,
            expected_false=self._level * _statistical(flags, standing),
            scores=pd.concat([no_scores(), *tables], ignore_index=True),
        )
        run = KeptRun(reading.tree_size, reading.root, self._level, self._shared.seed, kept)
        asked = tuple(one.detector.name for one in self._answers if one.found is not None)
        return Onward(result, tuple(standing), run, asked)

    def _told(
        self, answer: _Answer, reading: Reading
    ) -> tuple[list[Flag], list[pd.DataFrame], frozenset[str]]:
        if answer.found is None:
            return [], [], frozenset()
        chosen = strangest(answer.found, reading.levels)
        with self._shared.reading() as read:
            flags = conclude(answer.found, self._shared, reading, chosen)
        return flags, [scores_of(answer.found, chosen)], frozenset(read)


def _standing(answer: _Answer, levels: Mapping[str, float]) -> list[Standing]:
    detector = answer.detector
    return [
        Standing(
            detector.name,
            detector.type,
            detector.evidence_class,
            one.party,
            one.subject,
            one.rank,
        )
        for _, one in passing(answer.stands, levels)
    ]


def _without_outranked(
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


def _statistical(flags: list[Flag], standing: list[Standing]) -> int:
    classes = [*(one.evidence_class for one in flags), *(one.evidence_class for one in standing)]
    return sum(one is EvidenceClass.STATISTICAL for one in classes)


def _to_keep(
    answer: _Answer, told: frozenset[str], flags: list[Flag], flagged: frozenset[str]
) -> KeptAnswer:
    told |= answer.told
    families = dict(answer.stands)
    if answer.found is not None:
        families |= families_of(answer.found, flags)
    return KeptAnswer(
        key=answer.key,
        tables=answer.tables | told,
        told=told,
        abstentions=about(answer.abstentions, flagged),
        families=families,
    )
