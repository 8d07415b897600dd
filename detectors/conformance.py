"""Conformance: what every detector must keep, ours and those of other packages alike.

A detector is put before three records: one without any wrong, one with a wrong
planted that it claims to catch, and spoilt ones (`spoilt`). `check` says in one
line each what it does not keep. Nothing here knows a test framework: a package
that brings a detector calls `check` from whatever tests it has.

Next: detectors/evaluation/metrics.py
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from detectors.base import EvidenceClass
from detectors.record import content, strictest
from detectors.run import run
from detectors.spoiling import SPOILERS
from graph.frames import Frames, load_frames
from graph.model import Record
from provenance import canonical
from provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd

    from detectors.base import Detector, Flag
    from detectors.run import RunResult

__all__ = ["JARGON", "Planted", "Trial", "check", "frames_of", "leaf", "most_flags"]

ROOT: Final = hashlib.sha256(b"a root").digest()
JARGON: Final = frozenset(
    ("null", "dof", "p-value", "BH", "IForest", "residual", "z-score", "nan", "NaN", "None")
)
FLOOD: Final = 0.05
"""Share of its cases that a spoilt record may make a statistical detector flag."""
_TABLES: Final = tuple(name for name in Frames.__dataclass_fields__ if name != "position")


class Planted(NamedTuple):
    """A record with one wrong in it, and the subject that must be flagged first."""

    frames: Frames
    subject: str


class Trial:
    """What a detector is put before, and what it says about the planted record."""

    def __init__(self, detector: Detector, clean: Frames, planted: Planted) -> None:
        """Nothing is asked yet."""
        self.detector = detector
        self.clean = clean
        self.planted = planted

    @cached_property
    def result(self) -> RunResult:
        """What it says about the planted record; asked once."""
        return ask(self.detector, self.planted.frames)

    @property
    def flag(self) -> Flag:
        """Its first flag there.

        Raises:
            ProvenanceError: It raises none.
        """
        if not self.result.flags:
            raise ProvenanceError(f"it does not flag {self.planted.subject}")
        return self.result.flags[0]


def check(detector: Detector, clean: Frames, planted: Planted) -> tuple[str, ...]:
    """Return what a detector does not keep, one line each; nothing if it conforms.

    Args:
        detector: Whom to examine, for example one that `registry.load` found.
        clean: A record with enough for it to judge, and nothing wrong.
        planted: A record with one wrong that it claims to catch.
    """
    trial, broken = Trial(detector, clean, planted), []
    for law in _LAWS:
        try:
            fault = law(trial)
        except Exception as error:  # noqa: BLE001 - other people's code may raise anything
            fault = f"it raises {type(error).__name__}: {error}"
        if fault:
            name = law.__name__.strip("_").replace("_", " ")
            broken.append(f"{name}: {' '.join(fault.split())}")
    return tuple(broken)


def ask(detector: Detector, frames: Frames) -> RunResult:
    """Run one detector; a fault of its own is an error.

    Raises:
        ProvenanceError: It raised.
    """
    result = run(frames, [detector], tree_size=frames.position, root=ROOT)
    if result.errors:
        raise ProvenanceError(result.errors[0].message)
    return result


def _introduces_itself(trial: Trial) -> str:
    one = trial.detector
    for part in ("name", "type", "version", "reads", "libraries"):
        if not getattr(one, part):
            return f"its {part} is empty"
    if not one.name.isidentifier():
        return f"its name {one.name!r} is no identifier"
    if not type(one).__doc__:
        return "its class has no docstring"
    strictest(one.reads)
    return "" if one.min_samples >= 1 else "its min_samples is below 1"


def _abstains_on_an_empty_record(trial: Trial) -> str:
    result = ask(trial.detector, frames_of(()))
    if result.flags or any(result.judged.values()):
        return "it judges where there is nothing"
    return "" if result.abstentions else "it does not say that it judged nothing"


def _leaves_its_input_alone(trial: Trial) -> str:
    frames = trial.planted.frames
    before = _each(frames, copy.deepcopy)
    ask(trial.detector, frames)
    changed = [n for n in _TABLES if not getattr(frames, n).equals(getattr(before, n))]
    return f"it changes {', '.join(changed)}" if changed else ""


def _repeats_itself_whatever_the_order_of_rows(trial: Trial) -> str:
    first = _said(trial.result)
    if _said(ask(trial.detector, trial.planted.frames)) != first:
        return "the same record gives another answer"
    shuffled = _each(trial.planted.frames, lambda t: t.sample(frac=1, random_state=4))
    again = _said(ask(trial.detector, _each(shuffled, lambda t: t.reset_index(drop=True))))
    return "" if again == first else "rows in another order give another answer"


def _is_silent_on_a_clean_record(trial: Trial) -> str:
    result = ask(trial.detector, trial.clean)
    judged, least = sum(result.judged.values()), trial.detector.min_samples
    if judged < least:
        return f"the clean record has {judged} cases; it needs {least}"
    most = 0 if trial.detector.evidence_class is EvidenceClass.RULE else 1
    named = ", ".join(flag.subject_id for flag in result.flags[:3])
    return f"it flags {named}" if len(result.flags) > most else ""


def _catches_what_it_claims(trial: Trial) -> str:
    first, subject = trial.flag.subject_id, trial.planted.subject
    return "" if first == subject else f"{first} comes before {subject}"


def _scores_are_finite_and_higher_is_stranger(trial: Trial) -> str:
    scores = trial.result.scores
    if len(scores) != sum(trial.result.judged.values()) or not np.isfinite(scores["score"]).all():
        return "not every subject has one finite score"
    highest = scores["subject_id"].iloc[int(scores["score"].to_numpy().argmax())]
    return "" if highest == trial.planted.subject else f"{highest} scores highest"


def _flag_names_its_evidence(trial: Trial) -> str:
    hashes: dict[int, bytes] = {}
    for name in _TABLES:
        table = getattr(trial.planted.frames, name)
        if "leaf_hash" in table:
            hashes.update(zip(table["index"], table["leaf_hash"], strict=True))
    evidence = trial.flag.evidence
    if not evidence:
        return "it names no entry"
    wrong = [one.index for one in evidence if hashes.get(one.index) != one.leaf_hash]
    return f"entries {wrong} are not in the record" if wrong else ""


def _flag_explains_itself(trial: Trial) -> str:
    account = trial.flag.account
    text = f"{account.sentence} {account.counterfactual} {account.caveat}"
    faults = {
        "the sentence does not end": account.sentence.endswith("."),
        'the way out does not begin "The flag would disappear if"': (
            account.counterfactual.startswith("The flag would disappear if")
        ),
        "no innocent cause is named": bool(account.benign),
        'the caveat does not begin "It does not say"': account.caveat.startswith("It does not say"),
        "it uses words of the trade": not JARGON & set(text.split()),
        "it accuses": "fraud" not in text.lower(),
    }
    return "; ".join(fault for fault, kept in faults.items() if not kept)


def _flag_is_content_of_a_log(trial: Trial) -> str:
    whole = content(trial.flag)
    canonical.encode(whole)
    used = set(whole["libraries"])
    return "" if used == set(trial.detector.libraries) else "its libraries are not those it names"


def _withstands_bad_input(trial: Trial) -> str:
    """Ask about spoilt records: no crash, no flood, and silence is explained."""
    faults = []
    for name, spoil in SPOILERS.items():
        try:
            result = ask(trial.detector, spoil(trial.clean))
        except ProvenanceError as error:
            faults.append(f"{name}: it raises {error}")
            continue
        if len(result.flags) > most_flags(result):
            faults.append(f"{name}: it raises {len(result.flags)} flags")
        if not any(result.judged.values()) and not result.abstentions:
            faults.append(f"{name}: it does not say that it judged nothing")
    return "; ".join(faults)


def most_flags(result: RunResult) -> float:
    """Return how many flags a record without a planted wrong may make, however spoilt it is.

    A rule may find as many as it likes: what is spoilt may really break it.
    """
    if any(flag.evidence_class is EvidenceClass.RULE for flag in result.flags):
        return np.inf
    return 2 + FLOOD * sum(result.judged.values())


_LAWS: Final[tuple[Callable[[Trial], str], ...]] = (
    _introduces_itself,
    _abstains_on_an_empty_record,
    _leaves_its_input_alone,
    _repeats_itself_whatever_the_order_of_rows,
    _is_silent_on_a_clean_record,
    _catches_what_it_claims,
    _scores_are_finite_and_higher_is_stranger,
    _flag_names_its_evidence,
    _flag_explains_itself,
    _flag_is_content_of_a_log,
    _withstands_bad_input,
)


def _said(result: RunResult) -> list[object]:
    """Return everything a run concludes, in a form that compares."""
    scores = result.scores.fillna(-1).itertuples(index=False, name=None)
    return [
        [content(flag) for flag in result.flags],
        sorted(result.abstentions),
        sorted(map(tuple, scores)),
    ]


def _each(frames: Frames, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Frames:
    tables: dict[str, Any] = {name: change(getattr(frames, name)) for name in _TABLES}
    return replace(frames, **tables)


def leaf(index: int) -> bytes:
    """Return a leaf hash for an entry that is in no log."""
    return hashlib.sha256(index.to_bytes(8, "big")).digest()


class _Contents:
    """As much of a graph store as `load_frames` asks for."""

    def __init__(self, entries: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        self._entries = entries

    def address(self) -> str | None:
        return None

    def position(self) -> int:
        return len(self._entries)

    def contents(
        self, version: str, _tier: Any, start: int = 0, stop: int | None = None
    ) -> Iterator[Record]:
        for index, (own, held) in enumerate(self._entries[:stop]):
            if own == version and index >= start:
                yield Record(index, leaf(index), dict(held))


def frames_of(entries: Sequence[tuple[str, Mapping[str, Any]]], start: int = 0) -> Frames:
    """Return the frames of log contents that are in no log.

    Args:
        entries: Version and content of each, for example `("facility/1", {...})`; see the
            data model for their fields. Numbers that are not whole are `canonical.number`s.
        start: Leave out the entries before this one.
    """
    return load_frames(_Contents(entries), start)  # type: ignore[arg-type]
