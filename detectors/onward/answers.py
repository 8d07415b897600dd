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
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from detectors.allowances import rare_of
from detectors.judging import judge
from detectors.onward.apart import goods, part_of
from detectors.onward.blocks import Blocks, merged
from detectors.onward.kept import key_of, passing, without
from detectors.partition import Apart

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from detectors.allowances import Allowance, Rare
    from detectors.base import Abstention, Detector
    from detectors.judging import Judgement
    from detectors.onward.apart import Asked
    from detectors.onward.kept import KeptAnswer, KeptFamily, KeptRun
    from detectors.onward.watched import Watched
    from graph.frames import Frames

__all__ = ["Answer", "Asking", "Before"]

_BY_GOODS: Final = frozenset(("events", "inputs"))
"""Tables of which only the rows of the goods asked about are handed out."""


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
        stands: Families, or blocks of goods, of the run before that were left out.
        found: What it judged; None where everything stands.
        tables: What all of it rests on.
        told: What the explanations of what stands rest on.
        abstentions: What it does not judge.
        in_part: It was asked about some goods alone, on features of their own.
        blocks: Of a detector that judges goods apart: the block of each case.
        left_out: And what it did not judge, by block.
        yardsticks: And what it measured with; None where it cannot be asked in part next time.
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
    blocks: NDArray[np.object_] | None = None
    left_out: Mapping[str, tuple[Abstention, ...]] = field(default_factory=dict)
    yardsticks: Mapping[str, str] | None = None
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
        self, shared: Watched, frames: Frames, level: float, before: Before | None
    ) -> None:
        """Prepare to ask.

        Args:
            shared: Features of all that the run reads.
            frames: What they are made of.
            level: False-discovery level.
            before: The run to go on from.
        """
        self._shared = shared
        self._frames = frames
        self._level = level
        self._before = before
        self._parts: dict[int, Asked] = {}

    @property
    def changed(self) -> frozenset[str]:
        """The tables that have other rows than in the run before."""
        return frozenset() if self._before is None else self._before.changed

    def shared(self, answer: Answer) -> Watched:
        """Return the features that an answer was made of."""
        return self._part(answer.detector).part if answer.in_part else self._shared

    def prepare(self, detectors: Sequence[Detector]) -> None:
        """Cut out the goods that moved, before a copy of the process would do it, too."""
        before = {} if self._before is None else self._before.kept.answers
        for detector in detectors:
            if detector.name in before and before[detector.name].yardsticks is not None:
                self._part(detector)

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
            answer.yardsticks = kept.yardsticks
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
        apart = _apart(answer.detector)
        if apart is None or kept.yardsticks is None or (kept.tables & self.changed) - _BY_GOODS:
            return False
        part, blocks = self._part(answer.detector)
        part.yardsticks.clear()
        part.is_timed = False
        with part.reading() as read:
            found = judge(answer.detector, part, self._level, least=0)
        others = {label: one for label, one in kept.families.items() if int(label) not in blocks}
        answer.found, answer.in_part = part.only_own(found), True
        self._sort(answer)
        if answer.yardsticks != kept.yardsticks or (part.is_timed and apart.horizon_days is None):
            return False
        if not len(answer.found.scores) and not any(one.subjects for one in others.values()):
            return False
        answer.stands, answer.told = others, kept.told
        answer.tables = frozenset(read) | kept.tables
        left_out = [one.abstentions for one in others.values()]
        answer.abstentions = merged(chain(*left_out, *answer.left_out.values()))
        return True

    def _sort(self, answer: Answer) -> None:
        """Sort what was found by blocks of goods, if the detector judges those apart."""
        answer.blocks, answer.left_out, answer.yardsticks = None, {}, None
        if answer.found is None or _apart(answer.detector) is None:
            return
        shared = self.shared(answer)
        with shared.reading(), self._shared.reading():
            entries, rows = self._shared.rows["index"].to_numpy(), shared.rows
            if answer.in_part:
                rows = rows[np.isin(rows["index"], self._part(answer.detector).part.own)]
            block = self._shared.once(goods).block
            blocks = Blocks(entries, block, rows, in_part=answer.in_part)
        left_out = blocks.left_out(answer.found.sample.abstentions)
        if left_out is not None:
            answer.blocks = blocks.of(answer.found.sample.table["index"].to_numpy(np.int64))
            answer.left_out = left_out
            answer.yardsticks = dict(shared.yardsticks)

    def _part(self, detector: Detector) -> Asked:
        apart = _apart(detector)
        days = -1 if apart is None or apart.horizon_days is None else apart.horizon_days
        if days not in self._parts:
            since = 0 if self._before is None else self._before.kept.position
            with self._shared.reading():
                found = self._shared.once(goods)
                self._parts[days] = part_of(self._shared, self._frames, found, since, days)
        return self._parts[days]


def _apart(detector: Detector) -> Apart | None:
    found = getattr(detector, "apart", None)
    return found if isinstance(found, Apart) else None
