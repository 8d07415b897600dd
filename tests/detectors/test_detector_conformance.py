"""What every detector must keep, ours and those of other packages alike."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from frame_factories import ROOT, World
from planted import clean_frames, concluded

from detectors import export
from detectors.base import EvidenceClass
from detectors.ranking import rank_of
from detectors.record import content, draft, strictest
from detectors.registry import BUILT_IN
from detectors.run import run
from graph.frames import Frames
from provenance import canonical
from provenance.entries import Tier

if TYPE_CHECKING:
    from detectors.base import Detector
    from detectors.run import RunResult

TABLES = [name for name in Frames.__dataclass_fields__ if name != "position"]
JARGON = ("null", "dof", "p-value", "BH", "IForest", "residual", "z-score", "nan", "NaN", "None")

every = pytest.mark.parametrize("detector", BUILT_IN, ids=lambda detector: detector.name)


def ask(frames: Frames, *detectors: Detector) -> RunResult:
    """Run detectors; a fault is a failure."""
    result = run(frames, detectors, tree_size=frames.position, root=ROOT)
    assert result.errors == ()
    return result


@cache
def empty() -> RunResult:
    """What all detectors say about an empty record."""
    return ask(World().frames(), *BUILT_IN)


def clean(name: str) -> tuple[Frames, Frames, RunResult]:
    """The clean world of a detector before and after it was asked, and what was said there."""
    before = clean_frames(name)
    together = [one for one in BUILT_IN if clean_frames(one.name) is before]
    return before, *_asked_together(*together)


@cache
def _asked_together(*detectors: Detector) -> tuple[Frames, RunResult]:
    """Ask those that share a clean world at once: what they share is made once."""
    frames = changed(clean_frames(detectors[0].name), copy.deepcopy)
    return frames, ask(frames, *detectors)


def changed(frames: Frames, change: object) -> Frames:
    """Put every table through a function."""
    tables = {name: change(getattr(frames, name)) for name in TABLES}  # type: ignore[operator]
    return Frames(position=frames.position, **tables)


def said(result: RunResult) -> list[object]:
    """Everything a run concludes, in a form that compares."""
    return [content(flag) for flag in result.flags] + [sorted(result.abstentions)]


@every
def test_detector_introduces_itself(detector: Detector) -> None:
    """It has a name, a docstring, a minimum, and names what it reads and depends on."""
    assert detector.name
    assert detector.name.isidentifier()
    assert type(detector).__doc__
    assert detector.min_samples >= 1
    assert detector.reads
    assert detector.libraries
    assert all(version.count("/") == 1 for version, _, path in map(_read, detector.reads) if path)
    assert strictest(detector.reads) in Tier


def _read(field: str) -> tuple[str, str, str]:
    return field.partition(" ")


def test_detector_names_are_unique() -> None:
    """No two detectors share a name: flags of one must not supersede flags of another."""
    names = [detector.name for detector in BUILT_IN]
    assert len(set(names)) == len(names)


@every
def test_detector_abstains_on_an_empty_record(detector: Detector) -> None:
    """Below its minimum it raises no flag, judges nobody and says why."""
    result = empty()
    assert result.flags == ()
    assert result.judged[detector.name] == 0
    assert detector.name in {one.detector for one in result.abstentions}


@every
def test_detector_leaves_its_input_alone(detector: Detector) -> None:
    """The frames are the same after a run, values and types."""
    before, frames, _ = clean(detector.name)
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(frames, name), getattr(before, name))


@every
def test_detector_repeats_itself_whatever_the_order_of_rows(detector: Detector) -> None:
    """The same frames, shuffled, give the same flags, values and abstentions, bit by bit."""
    _, frames, result = concluded(detector.name)
    shuffled = changed(frames, lambda t: t.sample(frac=1, random_state=4).reset_index(drop=True))
    again = ask(shuffled, detector)
    assert said(again) == said(result)
    assert _scores(again) == _scores(result)


def _scores(result: RunResult) -> list[tuple[object, ...]]:
    return sorted(result.scores.fillna(-1).itertuples(index=False, name=None))


@every
def test_detector_is_silent_on_a_clean_world(detector: Detector) -> None:
    """Nothing planted: no rule flag; of the statistical ones no more than a chance one."""
    _, _, result = clean(detector.name)
    assert result.judged[detector.name] >= detector.min_samples
    most = 0 if detector.evidence_class is EvidenceClass.RULE else 1
    assert sum(flag.detector == detector.name for flag in result.flags) <= most


@every
def test_detector_catches_what_it_claims(detector: Detector) -> None:
    """The planted case is its first flag, and a rule flags nothing else."""
    world, _, result = concluded(detector.name)
    assert result.flags[0].subject_id == world.subject
    if detector.evidence_class is EvidenceClass.RULE:
        assert len(result.flags) == 1


@every
def test_scores_are_finite_and_higher_is_stranger(detector: Detector) -> None:
    """Every judged subject has a finite score, and the planted one the highest."""
    world, _, result = concluded(detector.name)
    scores = result.scores
    assert np.isfinite(scores["score"]).all()
    assert len(scores) == result.judged[detector.name]
    assert scores.loc[scores["score"].idxmax(), "subject_id"] == world.subject


@every
def test_flag_names_its_evidence(detector: Detector) -> None:
    """Evidence names entries of the log by index and leaf hash, the subject's own among them."""
    world, frames, result = concluded(detector.name)
    hashes: dict[int, bytes] = {}
    for name in TABLES:
        table = getattr(frames, name)
        if "leaf_hash" in table:
            hashes.update(zip(table["index"], table["leaf_hash"], strict=True))
    flag = result.flags[0]
    assert flag.evidence
    assert all(hashes[one.index] == one.leaf_hash for one in flag.evidence)
    assert any(_subject_of(world.world, one.index) == world.subject for one in flag.evidence)


def _subject_of(world: World, index: int) -> str:
    version, entry = world.entries[index]
    if version == "labour/1":
        return f"{entry['facility_id']}|{entry['month']}"
    return str(entry.get("event_id", ""))


@every
def test_flag_explains_itself(detector: Detector) -> None:
    """One sentence, a way out, what was checked and what is not said, in plain words."""
    account = concluded(detector.name)[2].flags[0].account
    assert account.sentence.endswith(".")
    assert account.counterfactual.startswith("The flag would disappear if")
    assert account.benign
    assert account.caveat.startswith("It does not say")
    words = f"{account.sentence} {account.counterfactual} {account.caveat}"
    assert not [word for word in JARGON if word in words.split()]
    assert "fraud" not in words.lower()


@every
def test_flag_is_log_content(detector: Detector) -> None:
    """A flag encodes canonically, with its record, and repeats its identity on the next run."""
    flag = concluded(detector.name)[2].flags[0]
    whole = content(flag)
    canonical.encode(whole)
    assert whole["code_digest"].startswith("sha256:")
    assert whole["libraries"].keys() == set(detector.libraries)
    assert {"observed", "expected", "score", "threshold", "seed", "parameters"} <= whole.keys()
    later = replace(flag, tree_size=flag.tree_size + 5, root=bytes(32), q=0.01, family_size=7)
    assert draft(later, party="acme").identities == draft(flag, party="acme").identities


@every
def test_flags_of_the_log_rank_like_those_of_the_run(detector: Detector) -> None:
    """What is stored is enough to rank flags as the run did."""
    result = concluded(detector.name)[2]
    stored = [content(flag) for flag in result.flags]
    assert [rank_of(one) for one in stored] == pytest.approx([f.rank for f in result.flags])
    ours, theirs = export.of_log(stored), export.of_flags(result.flags)
    assert [row.subject_id for row in ours] == [row.subject_id for row in theirs]


@every
def test_flag_values_take_the_strictest_tier_of_what_was_read(detector: Detector) -> None:
    """The claim stays with the policy; every value is at the strictest tier of the inputs."""
    from provenance.disclosure.tiers import DEFAULT_POLICY  # noqa: PLC0415 - used here only

    made = draft(concluded(detector.name)[2].flags[0], party="acme")
    plan = DEFAULT_POLICY.plan("flag/1", made.tiers)
    tier = strictest(detector.reads)
    for name in ("score", "observed", "explanation", "parameters", "counterfactual"):
        assert plan.tier_of(f"/{name}") is tier
    for name in ("type", "subject_id", "severity", "evidence"):
        assert plan.tier_of(f"/{name}") is Tier.PUBLIC
