"""One run, going on from the run before where that changes no answer.

Each detector is asked about as little as can be (see `answers`); of those that were
asked, flags stand whose case and explanation are the same. What a family may flag
at is decided across all detectors, so it is decided anew from what stands and what
was judged. A subject that may now be flagged and was not explained before is judged
again with its family.

Next: detectors/replay.py
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from detectors.abreast import each
from detectors.allowances import allowances
from detectors.dropped import about, fallen, open_flags
from detectors.executors import planned
from detectors.features import SEED
from detectors.judging import Reading, conclude, settled, strangest
from detectors.onward.answers import Answer, Asking, Before, apart_of
from detectors.onward.cases import stood
from detectors.onward.keeping import families_of, together
from detectors.onward.kept import KeptAnswer, KeptRun, passing
from detectors.onward.standing import Standing, standing_of, statistical, without_outranked
from detectors.onward.watched import Watched
from detectors.run import (
    LEVEL,
    DetectorError,
    RunResult,
    error_of,
    no_scores,
    seriousness,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from detectors.allowances import Allowance
    from detectors.base import Detector, Flag
    from detectors.onward.kept import Basis
    from graph.frames import Frames

__all__ = ["Before", "Onward", "Standing", "go_on"]

_MUCH: Final = 500_000
"""With fewer rows than this, loading libraries twice takes about what a second process saves."""


@dataclass(frozen=True, slots=True)
class Onward:
    """What a run concluded.

    Attributes:
        result: Flags and counts; flags of what was judged anew alone, and no scores.
        standing: The other flags: they are in the log as they are.
        kept: What the next run goes on from.
        fits: And what was fitted, by name.
        asked: The detectors that were asked, about everything or some families.
    """

    result: RunResult
    standing: tuple[Standing, ...]
    kept: KeptRun
    fits: Mapping[str, bytes]
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


class _Told(NamedTuple):
    """What follows from one detector's answer.

    Attributes:
        flags: Those that are raised anew.
        standing: Those of earlier runs.
        tables: What the explanations rest on, those of standing flags included.
        raised: What became flags of what was judged, by party, subject and family, and on what.
    """

    flags: list[Flag]
    standing: list[Standing]
    tables: frozenset[str]
    raised: Mapping[tuple[str | None, str, str], Basis | None]


class _Run:
    def __init__(
        self, shared: Watched, level: float, before: Before | None, frames: Frames
    ) -> None:
        self._shared = shared
        self._level = level
        self._flagged, self._fell = frozenset(open_flags(frames)["subject_id"]), fallen(frames)
        self._asking = Asking(shared, frames, level, before, self._flagged)
        self._here = before is not None and len(frames.events) < _MUCH
        self._answers: list[Answer] = []
        self._errors: list[DetectorError] = []

    def ask(self, detectors: Sequence[Detector], told: Callable[[str], None] | None) -> None:
        """Ask detectors about what is new to them; what one raises is reported, and it is left."""

        def begun(number: int) -> None:
            if told is not None:
                told(detectors[number].name)

        if not self._here:
            self._asking.prepare(detectors)
        tasks = [
            partial(self._asking.answer, one, self._fell.get(one.name, set())) for one in detectors
        ]
        plan = planned(detectors)
        answers = each(tasks, self._shared, begun=begun, plan=plan, held=detectors, here=self._here)
        for detector, answer in zip(detectors, answers, strict=True):
            if isinstance(answer, Exception):
                self._errors.append(error_of(detector, answer))
            else:
                self._answers.append(answer)

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
                    self._asking.ask(
                        answer, {label: one for label, one in known.items() if one.inputs}
                    )
                except Exception as error:  # noqa: BLE001 - one detector's fault must not cost the run
                    self._errors.append(error_of(answer.detector, error))
                    self._answers.remove(answer)

    def conclude(self, reading: Reading) -> Onward:
        """Put what was judged and what stands together."""
        flags: list[Flag] = []
        standing: list[Standing] = []
        kept: dict[str, KeptAnswer] = {}
        judged: dict[str, int] = {}
        tasks = [partial(self._told, answer, reading) for answer in self._answers]
        conclusions = each(tasks, self._shared, here=self._here)
        for answer, told in zip(self._answers, conclusions, strict=True):
            if isinstance(told, Exception):
                self._errors.append(error_of(answer.detector, told))
                continue
            mine, others = without_outranked(told.flags, told.standing)
            flags, standing = flags + mine, standing + others
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
            scores=no_scores(),
        )
        run = KeptRun(reading.tree_size, reading.root, self._level, self._shared.seed, kept)
        asked = tuple(one.detector.name for one in self._answers if one.found is not None)
        fits = {name: fit for one in self._answers for name, fit in one.fits.items()}
        return Onward(result, tuple(standing), run, fits, asked)

    def _told(self, answer: Answer, reading: Reading) -> _Told:
        allowed = reading.allowed[answer.detector.name]
        standing = [
            standing_of(answer.detector, one.party, one.subject, one.rank)
            for _, one in passing(answer.stands, allowed)
        ]
        if answer.found is None:
            return _Told([], standing, frozenset(), {})
        found = settled(answer.found, allowed)
        chosen = strangest(found, flagged=True)
        shared = self._asking.shared(answer)
        # Rows and lots have other numbers in a part than in the whole.
        before = None if answer.in_part else answer.before
        old = stood(found, chosen, before, self._asking.changed, shared)
        shared.told.clear()
        with shared.reading() as read:
            anew = chosen.assign(flagged=chosen["flagged"] & ~old.mask)
            flags = conclude(found, shared, reading, anew)
        raised: dict[tuple[str | None, str, str], Basis | None] = {}
        for flag, basis in zip(flags, shared.told, strict=True):
            case = old.digests.get((flag.subject_party, flag.subject_id))
            key = (flag.subject_party, flag.subject_id, flag.family or "")
            stable = case and not answer.in_part
            raised[key] = msgspec.structs.replace(basis, case=case) if stable else None
        for (party, subject), (basis, rank) in old.stands.items():
            raised[party, subject, ""] = basis
            standing.append(standing_of(answer.detector, party, subject, rank))
        tables = frozenset(read)
        if answer.before is not None and old.stands:
            tables |= answer.before.told
        return _Told(flags, standing, tables, raised)


def _to_keep(answer: Answer, told: _Told, flagged: frozenset[str]) -> KeptAnswer:
    explained = told.tables | answer.told
    families = dict(answer.stands)
    if answer.found is not None:
        apart = apart_of(answer.detector) is not None
        fresh = families_of(answer.found, told.raised, apart=apart)
        families |= together(families, fresh) if answer.in_part else fresh
    return KeptAnswer(
        key=answer.key,
        tables=answer.tables | explained,
        told=explained,
        abstentions=about(answer.abstentions, flagged),
        families=families,
        apart=answer.apart,
        fits=_fits_of(answer),
    )


def _fits_of(answer: Answer) -> dict[str, str]:
    """Name what a detector fitted; where it was not asked, what it had fitted."""
    if answer.found is None and answer.before is not None:
        return answer.before.fits
    return {name: hashlib.sha256(fit).hexdigest() for name, fit in answer.fits.items()}
