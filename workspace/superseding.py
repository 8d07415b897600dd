"""What a run says in the log: its flags, and which earlier ones it superseded, and why.

What people decided is asked for once more at the last moment: a decision made
while the run was going on keeps its flag. A flag that was raised at another
false-discovery level is another run's business.

Next: workspace/patrol.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from detectors.base import Abstention, Detector, Flag
    from detectors.dropped import Subject
    from detectors.onward.going import Onward
    from detectors.run import RunResult
    from graph.frames import Frames
    from graph.store import GraphStore
    from provenance.entries import Draft, Outcome
    from workspace.workspace import Workspace

__all__ = ["Run", "append_flags", "fall", "of_onward", "of_result"]

_AT_ONCE: Final = 1_000
"""Entries appended in one go: others write in between."""


class Run(NamedTuple):
    """A run, as far as is asked here.

    Attributes:
        frames: What it read.
        level: Its false-discovery level.
        detectors: Who was asked.
        answered: Who answered, and what each says that it did not judge.
        raised: Whom it flags, flags of earlier runs that stand among them.
    """

    frames: Frames
    level: float
    detectors: Sequence[Detector]
    answered: Mapping[str, Iterable[Abstention]]
    raised: set[Subject]


def of_onward(frames: Frames, level: float, detectors: Sequence[Detector], done: Onward) -> Run:
    """Describe a run that may have gone on from an earlier one."""
    answered = {name: one.abstentions for name, one in done.kept.answers.items()}
    standing = {(one.detector, one.type, one.party, one.subject) for one in done.standing}
    raised = standing | {_subject(flag) for flag in done.result.flags}
    return Run(frames, level, detectors, answered, raised)


def of_result(frames: Frames, level: float, detectors: Sequence[Detector], done: RunResult) -> Run:
    """Describe a run that judged everything at once."""
    failed = {one.detector for one in done.errors}
    answered = {
        name: [one for one in done.abstentions if one.detector == name]
        for name in done.judged.keys() - failed
    }
    return Run(frames, level, detectors, answered, {_subject(flag) for flag in done.flags})


def _subject(flag: Flag) -> Subject:
    return flag.detector, flag.type, flag.subject_party, flag.subject_id


def append_flags(workspace: Workspace, flags: Sequence[Flag]) -> list[Outcome]:
    """Append flags; one that had been superseded follows what it was.

    Crash in between: the next run finds some of its flags in the log, and appends the others.
    """
    from detectors.casework.superseded import fallen  # noqa: PLC0415 - heavy
    from detectors.record import draft, identity  # noqa: PLC0415 - heavy
    from provenance.entries import Outcome  # noqa: PLC0415 - with the rest

    policy, party = workspace.log.policy, workspace.settings.party
    named = [identity(flag) for flag in flags]
    # Most are in the log as they are: those are not written down whole only to be told so.
    held = workspace.reader.known(named)
    fresh = [n for n, one in enumerate(held) if one is None or not one.same]
    before = fallen(workspace.graph, workspace.reader.find) if fresh else {}
    drafts = [
        draft(flags[n], party=party, policy=policy, follows=before.get(named[n].key)) for n in fresh
    ]
    written = dict(zip(fresh, _append(workspace, drafts), strict=True))
    return [
        written[n] if one is None or not one.same else Outcome("duplicate", one.index)
        for n, one in enumerate(held)
    ]


def fall(workspace: Workspace, run: Run, *, rehearsal: bool = False) -> list[Outcome]:
    """Supersede the open flags that a run asked about and does not raise; returns what became.

    Args:
        workspace: Whose log, its graph up to date.
        run: Which run; its own flags are in the log.
        rehearsal: Write nothing; outcomes are of flags that would be superseded.

    Crash in between: the next run says of the others that they fell.
    """
    from detectors.casework import superseded  # noqa: PLC0415 - heavy
    from detectors.casework.causes import Causes, same_level  # noqa: PLC0415 - heavy
    from detectors.dropped import dropped  # noqa: PLC0415 - heavy
    from provenance.entries import Outcome  # noqa: PLC0415 - with the rest

    graph, frames = workspace.graph, run.frames
    gone = {one.flag: one.gone for one in dropped(frames, run.answered, run.raised)}
    if not gone:
        return []
    flags = [
        flag
        for flag in superseded.whole(graph, gone.keys() - _decided(graph))
        if gone[flag.index] or same_level(flag.attrs, run.level)
    ]
    if rehearsal or not flags:
        return [Outcome("appended", flag.index) for flag in flags]
    causes = Causes(graph, frames, min(flag.attrs["tree_size"] for flag in flags))
    asked = {detector.name: detector for detector in run.detectors}
    root = workspace.reader.root_at(frames.position)
    this = superseded.Run(workspace.settings.party, frames.position, root)
    drafts = [
        superseded.draft(
            flag,
            causes.why(flag, asked[flag.attrs["detector"]], gone=gone[flag.index]),
            this,
            workspace.log.policy,
        )
        for flag in flags
    ]
    return _append(workspace, drafts)


def _decided(graph: GraphStore) -> set[int]:
    """Return the flags that people have decided on by now, and those that a newer one replaced."""
    from detectors.casework.reviews import DECIDED, latest  # noqa: PLC0415 - heavy
    from graph.model import RecordKind  # noqa: PLC0415 - with the rest
    from provenance.entries import Tier  # noqa: PLC0415 - with the rest

    reviews = latest(graph.records(RecordKind.REVIEW, Tier.PRIVATE))
    return {index for index, review in reviews.items() if review.state in DECIDED}


def _append(workspace: Workspace, drafts: Sequence[Draft]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for start in range(0, len(drafts), _AT_ONCE):
        outcomes += workspace.log.append(drafts[start : start + _AT_ONCE])
    return outcomes
