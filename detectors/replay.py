"""Replay: recompute a flag from the log alone, and say whether it comes out the same.

The log's entries up to the flag's tree size are projected anew, in memory, and
the flag's own detector judges them with the flag's own settings. What was
erased or never disclosed is named: a flag that rests on it cannot be replayed,
and nobody should pretend otherwise.

Next: docs/detection.md
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.allowances import Allowance
from detectors.features import Features
from detectors.judging import Judgement, Reading, conclude, judge, settled, strangest
from detectors.record import code_digest, content, libraries
from detectors.slips import READS, SLIPS
from graph.frames import load_frames
from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance import canonical
from provenance.disclosure.privacy import b64
from provenance.proving.merkle import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from detectors.base import Detector
    from graph.frames import Frames
    from graph.sync import EntrySource
    from provenance.entries import Content, Entry

__all__ = ["Replay", "Replayer", "Verdict", "replay"]

_EXAMPLES: Final = 5
_MAY_DIFFER: Final = frozenset(("party", "follows", "code_digest", "libraries"))


class Verdict(StrEnum):
    """What a replay found."""

    SAME = "same"
    DIFFERENT = "different"
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Replay:
    """A verdict, and what a person needs to know about it, one clause each."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


@dataclass
class _Prefix:
    """The first entries of a log, read once; remembers hashes and what no longer opens."""

    source: EntrySource
    size: int
    hashes: dict[int, bytes] = field(default_factory=dict)
    closed: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """Yield the entries [start, stop), noting each."""
        for entry in self.source.entries(start, stop):
            self.hashes[entry.index] = entry.leaf_hash
            closed = _closed(entry)
            if closed:
                self.closed[entry.index] = closed
            yield entry


def _closed(entry: Entry) -> tuple[str, ...]:
    """Return "version path" of each field that is committed to but not disclosed; "" for all."""
    if entry.body is None:
        return ("",)
    body = canonical.loads(entry.body)
    opened = {opening.path for opening in entry.openings}
    return tuple(f"{body['_v']} {path}" for path in body.get("_c", {}) if path not in opened)


@dataclass
class _State:
    """The log as it was at one tree size."""

    prefix: _Prefix
    root: bytes
    frames: Frames
    features: dict[int, Features] = field(default_factory=dict)
    judgements: dict[tuple[str, int, float], Judgement] = field(default_factory=dict)

    def judgement(self, detector: Detector, seed: int, level: float) -> tuple[Judgement, Features]:
        """Let a detector judge the whole state, once per seed and level."""
        shared = self.features.setdefault(seed, Features(self.frames, seed=seed))
        key = (detector.name, seed, level)
        if key not in self.judgements:
            self.judgements[key] = judge(detector, shared, level)
        return self.judgements[key], shared


class Replayer:
    """Replays flags of one log; keeps the last tree size, so that a run's flags share the work."""

    def __init__(self, source: EntrySource, detectors: Sequence[Detector]) -> None:
        """Take the log and the detectors that may be asked."""
        self._source = source
        self._detectors = {detector.name: detector for detector in detectors}
        self._last: tuple[int, _State] | None = None

    def replay(self, flag: Content) -> Replay:
        """Recompute one flag.

        Args:
            flag: Its content, version `flag/1`, at the private tier; empty where it was erased.
        """
        if not flag:
            return Replay(Verdict.IMPOSSIBLE, ("the flag itself was erased",))
        detector = self._detectors.get(flag["detector"])
        refused = self._refusal(flag, detector)
        if refused or detector is None:
            return Replay(Verdict.IMPOSSIBLE, tuple(refused))
        state = self._state(flag["tree_size"])
        unknown = _unusable(flag, state, detector)
        if unknown:
            return Replay(Verdict.IMPOSSIBLE, tuple(unknown))
        again = _again(flag, state, detector)
        differences = _differences(flag, again)
        if not differences:
            return Replay(Verdict.SAME)
        hidden = _hidden(state, detector, sorted(state.prefix.closed))
        if hidden:
            return Replay(Verdict.IMPOSSIBLE, hidden)
        return Replay(Verdict.DIFFERENT, (*differences, *_circumstances(flag, detector)))

    def _refusal(self, flag: Content, detector: Detector | None) -> list[str]:
        if detector is None:
            return [f"there is no detector {flag['detector']} here"]
        if detector.version != flag["detector_version"]:
            raised = f"it was raised by version {flag['detector_version']} of {detector.name}"
            return [f"{raised}; this is version {detector.version}"]
        if "score" not in flag or "parameters" not in flag:
            return ["the flag's own values are not disclosed"]
        if flag.get("family") is not None and "largest_p" not in flag["parameters"]:
            return ["it was raised by a program that shared the level among detectors otherwise"]
        if flag["tree_size"] > self._source.size:
            return [
                f"it was raised at {flag['tree_size']} entries; this log has {self._source.size}"
            ]
        return []

    def _state(self, size: int) -> _State:
        if self._last is None or self._last[0] != size:
            prefix, store = _Prefix(self._source, size), MemoryStore()
            catch_up(prefix, store)
            root, _ = tree_of([prefix.hashes[index] for index in range(size)])
            self._last = size, _State(prefix, root, load_frames(store))
        return self._last[1]


def replay(flag: Content, source: EntrySource, detectors: Sequence[Detector]) -> Replay:
    """Recompute one flag from a log; see `Replayer` for many of them."""
    return Replayer(source, detectors).replay(flag)


def _unusable(flag: Content, state: _State, detector: Detector) -> list[str]:
    """Name the reasons for which the flag's inputs cannot be read as they were."""
    if b64(state.root) != flag["root"]:
        return ["the log's root at that size is another one: this is not the log it was raised on"]
    indices = [index for index, _ in flag["evidence"]]
    return list(_hidden(state, detector, indices))


def _hidden(state: _State, detector: Detector, indices: Sequence[int]) -> tuple[str, ...]:
    """Name the entries of which something the detector reads no longer opens."""
    closed = state.prefix.closed
    reads = (*detector.reads, *(READS if detector.name in SLIPS else ()))
    hit = [i for i in indices if any(_is_read(one, reads) for one in closed.get(i, ()))]
    if not hit:
        return ()
    named = ", ".join(str(index) for index in hit[:_EXAMPLES])
    more = f" and {len(hit) - _EXAMPLES} more" if len(hit) > _EXAMPLES else ""
    return (f"inputs erased or undisclosed: entries {named}{more}",)


def _is_read(field_name: str, reads: Sequence[str]) -> bool:
    return not field_name or any(
        field_name == read or field_name.startswith(f"{read}/") for read in reads
    )


def _again(flag: Content, state: _State, detector: Detector) -> Content | None:
    """Judge anew; None where the subject is not flagged."""
    parameters = flag["parameters"]
    level = float(canonical.decimal(parameters.get("false_discovery_level")) or 0)
    found, shared = state.judgement(detector, flag["seed"], level)
    allowed = _as_recorded(flag)
    reading = Reading(flag["tree_size"], state.root, level, {detector.name: allowed})
    found = settled(found, allowed)
    chosen = strangest(found)
    party = flag.get("subject_party")
    same = chosen["party"].isna() if party is None else chosen["party"] == party
    chosen = chosen[same & (chosen["subject_id"] == flag["subject_id"])]
    flags = conclude(found, shared, reading, chosen)
    return content(flags[0]) if flags else None


def _as_recorded(flag: Content) -> dict[str, Allowance]:
    """Return what the flag's family was allowed: what other detectors found then is not asked."""
    cut, q = (
        float(canonical.decimal(value) or 0)
        for value in (flag["parameters"].get("largest_p"), flag.get("q"))
    )
    return {flag.get("family", ""): Allowance(cut, np.array([cut]), np.array([q]))}


def _differences(flag: Content, again: Content | None) -> list[str]:
    if again is None:
        return ["the subject is not flagged"]
    names = sorted((flag.keys() | again.keys()) - _MAY_DIFFER)
    return [f"{name} differs" for name in names if flag.get(name) != again.get(name)]


def _circumstances(flag: Content, detector: Detector) -> list[str]:
    """Say what else is different here, in case it explains the difference."""
    found = []
    if flag.get("code_digest") != code_digest(type(detector).__module__):
        found.append("the detector's code is not the code it was raised with")
    found += [
        f"{name} is {here}, it was {flag.get('libraries', {}).get(name)}"
        for name, here in libraries(detector.libraries).items()
        if flag.get("libraries", {}).get(name) != here
    ]
    return found
