"""Answers: what each detector says in a run, and what of it stands from the run before.

    the detector's tables have no new rows     its answer stands, it is not asked
    it judges goods apart (see `apart`)        it is asked about goods that moved, while the
                                               yardsticks are what they were
    it judges by family                        families on the same inputs stand
    otherwise                                  it is asked about everything

Next: detectors/onward/going.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.allowances import rare_of
from detectors.judging import judge
from detectors.onward.apart import BY_GOODS, part_of
from detectors.onward.entries import Known, Names, known_of, packed, unpacked
from detectors.onward.growing import Growing
from detectors.onward.kept import KeptApart, KeptFamily, key_of, passing, without
from detectors.partition import Apart

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from detectors.allowances import Allowance, Rare
    from detectors.base import Abstention, Detector
    from detectors.judging import Judgement
    from detectors.onward.apart import Part
    from detectors.onward.kept import KeptAnswer, KeptRun, Yardstick
    from detectors.onward.watched import Watched
    from graph.frames import Frames

__all__ = ["Answer", "Asking", "Before", "apart_of"]


def _no_fit(name: str, digest: str) -> bytes | None:
    """Read no fit: none is kept."""
    del name, digest
    return None


class Before(NamedTuple):
    """The run to go on from.

    Attributes:
        kept: What was kept of it.
        changed: The tables of the frames that have other rows since.
        fit: Reads what was fitted, by name and digest; None where it cannot be read.
    """

    kept: KeptRun
    changed: frozenset[str]
    fit: Callable[[str, str], bytes | None] = _no_fit


@dataclass
class Answer:
    """What is known of one detector in this run.

    Attributes:
        detector: Whose.
        key: `kept.key_of` it.
        before: What it said in the run before, where that counts.
        stands: Families of the run before that were left out, or all of it about other goods.
        found: What it judged; None where everything stands.
        tables: What all of it rests on.
        told: What the explanations of what stands rest on.
        abstentions: What it does not judge.
        in_part: It was asked about some goods alone, on features of their own.
        apart: Of a rule that judges goods apart; None where it cannot be asked in part next time.
        fits: What it fitted, or had in the run before, as it is written down; by name.
    """

    detector: Detector
    key: str
    before: KeptAnswer | None = None
    stands: dict[str, KeptFamily] = field(default_factory=dict)
    found: Judgement | None = None
    tables: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    abstentions: tuple[Abstention, ...] = ()
    in_part: bool = False
    apart: KeptApart | None = None
    fits: Mapping[str, bytes] = field(default_factory=dict)

    def rare(self) -> dict[str, Rare]:
        """Return what every family brings to the others, standing or judged."""
        kept = {label: one.rare for label, one in self.stands.items() if one.rare is not None}
        return kept | ({} if self.found is None else rare_of(self.found.decisions))

    def unexplained(self, allowed: Mapping[str, Allowance]) -> set[str]:
        """Return the families that stand, of which somebody may be flagged now who was not."""
        return {label for label, one in passing(self.stands, allowed) if not one.flagged}


class Asking:
    """Asks detectors about what is new to them."""

    def __init__(
        self,
        shared: Watched,
        frames: Frames,
        level: float,
        before: Before | None,
        flagged: frozenset[str] = frozenset(),
    ) -> None:
        """Prepare to ask.

        Args:
            shared: Features of all that the run reads.
            frames: What they are made of.
            level: False-discovery level.
            before: The run to go on from.
            flagged: Subjects of flags that stand open.
        """
        self._shared = shared
        self._frames = frames
        self._level = level
        self._before = before
        self._flagged = flagged
        self._parts: dict[Apart, Part | None] = {}
        self._named: Names | None = None
        if before is not None:
            kept = [one.apart for one in before.kept.answers.values() if one.apart is not None]
            made = {name: one for own in kept for name, one in own.yardsticks.items() if one.made}
            shared.goes_on(made, before.kept.position, before.changed)
        shared.grows = Growing(shared, self._part, self.changed)

    @property
    def changed(self) -> frozenset[str]:
        """The tables that have other rows than in the run before."""
        return frozenset() if self._before is None else self._before.changed

    def shared(self, answer: Answer) -> Watched:
        """Return the features that an answer was made of."""
        apart = apart_of(answer.detector)
        part = self._part(apart) if answer.in_part and apart is not None else None
        return self._shared if part is None else part

    def prepare(self, detectors: Sequence[Detector]) -> None:
        """Cut out the goods that moved, before a copy of the process would do it, too."""
        before = {} if self._before is None else self._before.kept.answers
        for detector in detectors:
            apart = apart_of(detector)
            if apart is not None and detector.name in before:
                self._part(apart)

    def answer(self, detector: Detector, fell: Collection[tuple[str | None, str]]) -> Answer:
        """Ask one detector, about as little as can be.

        Args:
            detector: Whom.
            fell: Subjects of its flags that were superseded since.
        """
        answer = Answer(detector, key_of(detector))
        answer.before = kept = self._kept(detector, answer.key, fell)
        if kept is None:
            self.ask(answer, {})
        elif not kept.tables & self.changed:
            answer.stands, answer.tables = dict(kept.families), kept.tables
            answer.told, answer.abstentions = kept.told, kept.abstentions
            answer.apart = kept.apart
        elif not self._ask_in_part(answer, kept):
            same = {} if kept.told & self.changed else kept.families
            answer.told = kept.told if same else frozenset()
            self.ask(answer, {label: one for label, one in same.items() if one.inputs})
        return answer

    def _kept(
        self, detector: Detector, key: str, fell: Collection[tuple[str | None, str]]
    ) -> KeptAnswer | None:
        kept = None if self._before is None else self._before.kept.answers.get(detector.name)
        return without(kept, fell) if kept is not None and kept.key == key else None

    def ask(self, answer: Answer, settled: Mapping[str, KeptFamily]) -> None:
        """Ask a detector about everything but some families.

        Args:
            answer: Whose; it is filled.
            settled: Families that it may leave out where it finds the same inputs.
        """
        detector, inputs = answer.detector, {label: one.inputs for label, one in settled.items()}
        self._shared.yardsticks.clear()
        fits = self._fits(answer)
        with self._shared.knowing(detector.name, inputs, fits), self._shared.reading() as read:
            answer.found = judge(detector, self._shared, self._level)
        answer.in_part, answer.fits = False, {**answer.fits, **self._shared.fits}
        sample = answer.found.sample
        left_out: Collection[str] = () if sample.families is None else sample.families.settled
        answer.stands = {label: settled[label] for label in left_out}
        answer.tables = frozenset(read) | answer.told
        answer.abstentions = sample.abstentions
        self._sort(answer)

    def _fits(self, answer: Answer) -> Mapping[str, Callable[[], bytes | None]]:
        """Return what reads each fit that there is of a detector, by name."""
        found: dict[str, Callable[[], bytes | None]] = {}
        if self._before is not None and answer.before is not None:
            for name, digest in answer.before.fits.items():
                found[name] = partial(self._before.fit, name, digest)
        return found | {name: partial(answer.fits.get, name) for name in answer.fits}

    def _ask_in_part(self, answer: Answer, kept: KeptAnswer) -> bool:
        """Ask a detector about the goods that moved; False where it has to be asked about all."""
        apart, before = apart_of(answer.detector), kept.apart
        if apart is None or before is None or (kept.tables & self.changed) - BY_GOODS:
            return False
        part = self._part(apart)
        if part is None:
            return False
        part.yardsticks.clear()
        part.is_timed = False
        with part.reading() as read:
            found = judge(answer.detector, part, self._level, least=0)
        if part.is_timed and apart.horizon_days is None:
            return False
        if _digests(part.yardsticks) != _digests(before.yardsticks):
            return False
        own = part.only_own(found)
        known = known_of(own, part.own_rows, in_part=True)
        others = _known(before).without(part.own)
        if known is None or not (len(known.judged) or len(others.judged)):
            return False
        answer.found, answer.in_part = own, True
        answer.stands = {"": _others(kept, part, len(others.judged))}
        answer.told, answer.tables = kept.told, frozenset(read) | kept.tables
        whole = known.joined(others)
        answer.apart = _kept(whole, part.yardsticks)
        answer.abstentions = self._names().abstentions(answer.detector.name, whole)
        return True

    def _names(self) -> Names:
        if self._named is None:
            with self._shared.reading():
                self._named = Names(self._shared.rows, self._flagged)
        return self._named

    def _sort(self, answer: Answer) -> None:
        """Sort what was found of everything by entry, if the detector judges goods apart."""
        answer.apart = None
        if answer.found is not None and apart_of(answer.detector) is not None:
            yardsticks = dict(self._shared.yardsticks)
            with self._shared.reading():
                known = known_of(answer.found, self._shared.rows, in_part=False)
            answer.apart = None if known is None else _kept(known, yardsticks)

    def _part(self, apart: Apart) -> Part | None:
        if apart not in self._parts:
            since = 0 if self._before is None else self._before.kept.position
            with self._shared.reading():
                self._parts[apart] = part_of(self._shared, self._frames, since, apart)
        return self._parts[apart]


def _known(kept: KeptApart) -> Known:
    left_out = {reason: unpacked(data) for reason, data in kept.left_out.items()}
    return Known(unpacked(kept.judged), left_out)


def _digests(yardsticks: Mapping[str, Yardstick]) -> dict[str, str]:
    return {name: one.digest for name, one in yardsticks.items()}


def _kept(known: Known, yardsticks: Mapping[str, Yardstick]) -> KeptApart:
    left_out = {reason: packed(entries) for reason, entries in known.left_out.items()}
    return KeptApart(packed(known.judged), left_out, dict(yardsticks))


def _others(kept: KeptAnswer, part: Part, subjects: int) -> KeptFamily:
    """Return what was said of all goods but those of a part."""
    candidates = [one for family in kept.families.values() for one in family.candidates]
    away = ~np.isin(np.array([one.entry for one in candidates], np.int64), part.own)
    others = [one for one, is_other in zip(candidates, away.tolist(), strict=True) if is_other]
    return KeptFamily(inputs="", rare=None, subjects=subjects, candidates=tuple(others))


def apart_of(detector: Detector) -> Apart | None:
    """Return how a detector judges goods apart, if it says that it does."""
    found = getattr(detector, "apart", None)
    return found if isinstance(found, Apart) else None
