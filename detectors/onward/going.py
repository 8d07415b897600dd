"""One run, going on from the run before where that changes no answer.

    the detector's tables have no new rows     its answer stands, it is not asked
    it judges by family                        families on the same inputs stand
    otherwise                                  it is asked about everything, and flags stand
                                               whose case and explanation are the same

What a family may flag at is decided across all detectors, so it is decided anew
from what stands and what was judged. A subject that may now be flagged and was
not explained before is judged again with its family.

Next: detectors/replay.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pandas as pd

from detectors.abreast import each
from detectors.allowances import allowances, rare_of
from detectors.dropped import about, fallen, open_flags
from detectors.features import SEED
from detectors.judging import Judgement, Reading, conclude, judge, settled, strangest
from detectors.onward.cases import stood
from detectors.onward.keeping import families_of
from detectors.onward.kept import (
    KeptAnswer,
    KeptFamily,
    KeptRun,
    key_of,
    passing,
    without,
)
from detectors.onward.standing import Standing, standing_of, statistical, without_outranked
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

    from detectors.allowances import Allowance, Rare
    from detectors.base import Abstention, Detector, Flag
    from detectors.onward.kept import Basis
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
    return run.conclude(Reading(tree_size, root, level, run.settle()))


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
    before: KeptAnswer | None = None

    def rare(self) -> dict[str, Rare]:
        """Return what every family brings to the others, standing or judged."""
        kept = {label: one.rare for label, one in self.stands.items() if one.rare is not None}
        return kept | ({} if self.found is None else rare_of(self.found.decisions))

    def unexplained(self, allowed: Mapping[str, Allowance]) -> set[str]:
        """Return the families that stand, of which somebody may be flagged now who was not."""
        return {label for label, one in passing(self.stands, allowed) if not one.flagged}


class _Told(NamedTuple):
    """What follows from one detector's answer.

    Attributes:
        flags: Those that are raised anew.
        standing: Those of earlier runs.
        scores: Of what was judged.
        tables: What the explanations rest on, those of standing flags included.
        raised: What became flags of what was judged, by party, subject and family, and on what.
    """

    flags: list[Flag]
    standing: list[Standing]
    scores: list[pd.DataFrame]
    tables: frozenset[str]
    raised: Mapping[tuple[str | None, str, str], Basis | None]


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
        answer.before = kept = self._kept(detector, answer.key)
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

    def settle(self) -> dict[str, dict[str, Allowance]]:
        """Decide what each family may flag at, and ask again about whom nobody explained yet."""
        while True:
            rare = {one.detector.name: (one.detector, one.rare()) for one in self._answers}
            allowed = allowances(rare, self._level)
            open_ = [one for one in self._answers if one.unexplained(allowed[one.detector.name])]
            if not open_:
                return allowed
            for answer in open_:
                again = answer.unexplained(allowed[answer.detector.name])
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
        for answer, told in zip(self._answers, conclusions, strict=True):
            if isinstance(told, Exception):
                self._errors.append(error_of(answer.detector, told))
                continue
            mine, others = without_outranked(told.flags, told.standing)
            flags, standing = flags + mine, standing + others
            tables += told.scores
            flagged = self._flagged.union(flag.subject_id for flag in told.flags)
            kept[answer.detector.name] = _to_keep(answer, told, flagged)
            families = kept[answer.detector.name].families
            judged[answer.detector.name] = sum(one.subjects for one in families.values())
        result = RunResult(
            flags=tuple(sorted(flags, key=seriousness)),
            abstentions=tuple(one for kept_ in kept.values() for one in kept_.abstentions),
            errors=tuple(self._errors),
            judged=judged,
            expected_false=self._level * statistical(flags, standing),
            scores=pd.concat([no_scores(), *tables], ignore_index=True),
        )
        run = KeptRun(reading.tree_size, reading.root, self._level, self._shared.seed, kept)
        asked = tuple(one.detector.name for one in self._answers if one.found is not None)
        return Onward(result, tuple(standing), run, asked)

    def _told(self, answer: _Answer, reading: Reading) -> _Told:
        allowed = reading.allowed[answer.detector.name]
        standing = [
            standing_of(answer.detector, one.party, one.subject, one.rank)
            for _, one in passing(answer.stands, allowed)
        ]
        if answer.found is None:
            return _Told([], standing, [], frozenset(), {})
        found = settled(answer.found, allowed)
        chosen = strangest(found)
        changed = frozenset() if self._before is None else self._before.changed
        old = stood(found, chosen, answer.before, changed, self._shared)
        self._shared.told.clear()
        with self._shared.reading() as read:
            anew = chosen.assign(flagged=chosen["flagged"] & ~old.mask)
            flags = conclude(found, self._shared, reading, anew)
        raised: dict[tuple[str | None, str, str], Basis | None] = {}
        for flag, basis in zip(flags, self._shared.told, strict=True):
            case = old.digests.get((flag.subject_party, flag.subject_id))
            key = (flag.subject_party, flag.subject_id, flag.family or "")
            raised[key] = msgspec.structs.replace(basis, case=case) if case else None
        for (party, subject), (basis, rank) in old.stands.items():
            raised[party, subject, ""] = basis
            standing.append(standing_of(answer.detector, party, subject, rank))
        tables = frozenset(read)
        if answer.before is not None and old.stands:
            tables |= answer.before.told
        return _Told(flags, standing, [scores_of(found, chosen)], tables, raised)


def _to_keep(answer: _Answer, told: _Told, flagged: frozenset[str]) -> KeptAnswer:
    explained = told.tables | answer.told
    families = dict(answer.stands)
    if answer.found is not None:
        families |= families_of(answer.found, told.raised)
    return KeptAnswer(
        key=answer.key,
        tables=answer.tables | explained,
        told=explained,
        abstentions=about(answer.abstentions, flagged),
        families=families,
    )
