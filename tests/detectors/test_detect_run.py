"""A run: isolation, order, honesty about what was not judged, and bad input of every kind."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from frame_factories import ROOT, World, chain
from planted import PLANTED, concluded

from detectors import export, registry
from detectors.base import EvidenceClass
from detectors.custody_gap import CustodyGap
from detectors.excess_hours import ExcessHours
from detectors.record import content, identity, row_key
from detectors.run import RunResult, run
from graph.frames import Frames

if TYPE_CHECKING:
    import pandas as pd

RULES = [d for d in registry.BUILT_IN if d.evidence_class is EvidenceClass.RULE]
TABLES = [name for name in Frames.__dataclass_fields__ if name != "position"]


def go(world: World, detectors: Any = RULES) -> RunResult:
    """Run detectors over a world."""
    return run(world.frames(), detectors, tree_size=len(world.entries), root=ROOT)


class Broken(ExcessHours):
    """A detector that raises where it is told to."""

    def __init__(self, where: str) -> None:
        """Raise in the method `where`."""
        self.where = where
        self.name = f"broken_{where}"  # type: ignore[misc]

    def __getattribute__(self, name: str) -> Any:
        """Break one method."""
        if name in ("features", "score", "decide", "explain") and self.where == name:
            raise RuntimeError("two\nlines")
        return super().__getattribute__(name)


@pytest.mark.parametrize("where", ["features", "score", "decide", "explain"])
def test_detector_that_raises_is_reported_and_the_others_go_on(where: str) -> None:
    """One line names it; everybody else's flags are those of a run without it."""
    world = concluded("excess_hours")[0].world
    others = [CustodyGap(), ExcessHours()]
    result = go(world, [Broken(where), *others])
    assert [(e.detector, e.message) for e in result.errors] == [
        (f"broken_{where}", "RuntimeError: two lines")
    ]
    assert [content(flag) for flag in result.flags] == [content(f) for f in go(world, others).flags]


class Infinite(ExcessHours):
    """A detector whose scores are no numbers."""

    name = "infinite"  # type: ignore[misc]

    def score(self, sample: Any) -> Any:
        """Return infinities."""
        return np.full(len(sample.table), np.inf)


def test_scores_must_be_finite() -> None:
    """A score that is no number is the detector's fault, not a flag."""
    result = go(chain(World()), [Infinite()])
    assert result.flags == ()
    assert "not finite" in result.errors[0].message


def test_flags_come_most_serious_first_and_in_a_stable_order() -> None:
    """By rank, then type and subject; the order of detectors does not matter."""
    world = World()
    for name in ("custody_gap", "excess_hours", "wage_below_minimum"):
        world.entries += PLANTED[name]().world.entries
    one, other = go(world), go(world, RULES[::-1])
    assert [f.subject_id for f in one.flags] == [f.subject_id for f in other.flags]
    assert [f.rank for f in one.flags] == sorted((f.rank for f in one.flags), reverse=True)
    assert len(one.flags) > 1


def test_run_says_how_many_flags_may_be_chance() -> None:
    """Expected false flags count the statistical ones only, at the level of the run."""
    assert concluded("custody_gap")[2].expected_false == 0
    result = concluded("unusual_overall_months")[2]
    statistical = [f for f in result.flags if f.evidence_class is EvidenceClass.STATISTICAL]
    assert statistical
    assert result.expected_false == pytest.approx(0.05 * len(statistical))


def _spoil(frames: Frames, table: str, change: Any) -> Frames:
    tables = {name: getattr(frames, name) for name in TABLES}
    tables[table] = change(tables[table].copy())
    return Frames(position=frames.position, **tables)


@pytest.mark.parametrize(
    ("tables", "value"),
    [
        (["events"], 0.0),
        (["facilities", "products", "labour"], 0.0),
        (TABLES, -1e300),
    ],
)
def test_absurd_numbers_crash_nothing_and_flood_nothing(tables: list[str], value: float) -> None:
    """One absurd number in every number column of some tables, or of all."""
    frames = chain(World()).frames()
    for table in tables:

        def change(frame: pd.DataFrame) -> pd.DataFrame:
            frame[list(frame.select_dtypes("float"))] = value
            return frame

        frames = _spoil(frames, table, change)
    result = run(frames, RULES, tree_size=frames.position, root=ROOT)
    assert result.errors == ()
    assert result.flags == ()


@pytest.mark.parametrize(
    "table", ["events", "inputs", "facilities", "products", "labour", "legal_limits"]
)
def test_empty_tables_crash_nothing(table: str) -> None:
    """Each table may be missing altogether; those that are not named here are missing always."""
    frames = chain(World()).frames()
    assert len(getattr(frames, table))
    frames = _spoil(frames, table, lambda frame: frame.iloc[:0])
    result = run(frames, RULES, tree_size=frames.position, root=ROOT)
    assert result.errors == ()
    assert result.flags == ()


def test_export_has_one_row_per_subject_and_type() -> None:
    """Rows carry the documented columns; unflagged subjects are added below every flag."""
    result = concluded("custody_gap")[2]
    rows = export.of_flags(result.flags)
    whole = export.with_unflagged(rows, result.scores)
    out = io.StringIO()
    assert export.write(whole, out) == len(whole)
    table = list(csv.DictReader(io.StringIO(out.getvalue())))
    header = "subject_id,type,score,flagged,p_value,q_value,detector,explanation"
    assert out.getvalue().splitlines()[0] == header == ",".join(export.COLUMNS)
    keys = [(row["subject_id"], row["type"]) for row in table]
    assert len(set(keys)) == len(keys) > len(rows) == 1
    assert table[0]["flagged"] == "1"
    assert max(float(row["score"]) for row in table[1:]) <= 1 < float(table[0]["score"])
    assert len(whole) == len(result.scores.drop_duplicates(["subject_id", "type"]))


class Extra(ExcessHours):
    """Another package's detector."""

    name = "extra_hours"  # type: ignore[misc]


class Incomplete:
    """Something that cannot be asked."""

    features = None


NOT_ONE = 5


def _point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, f"{__name__}:{value}", registry.GROUP)


def test_other_packages_detectors_are_found() -> None:
    """Entry points are loaded after ours and take part in runs."""
    detectors, problems = registry.load([_point("extra", "Extra")])
    assert problems == ()
    assert [d.name for d in detectors[: len(registry.BUILT_IN)]] == [
        d.name for d in registry.BUILT_IN
    ]
    assert detectors[-1].name == "extra_hours"
    assert "extra_hours" in go(concluded("excess_hours")[0].world, detectors[-1:]).judged


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("missing", "missing"),
        ("Incomplete", "it lacks name"),
        ("NOT_ONE", "not callable"),
        ("ExcessHours", "there is a detector 'excess_hours' already"),
    ],
)
def test_entry_point_that_gives_no_detector_is_reported(value: str, reason: str) -> None:
    """What cannot be loaded, is incomplete or takes a known name is left out and named."""
    detectors, problems = registry.load([_point("odd", value)])
    assert detectors == registry.BUILT_IN
    assert len(problems) == 1
    assert problems[0].startswith("detector odd (")
    assert reason in problems[0]


def test_progress_names_each_detector() -> None:
    """A caller can show who is being asked."""
    seen: list[str] = []
    frames = World().frames()
    run(frames, RULES, tree_size=0, root=ROOT, progress=seen.append)
    assert seen == [detector.name for detector in RULES]


def test_level_of_the_run_is_recorded_with_the_flag() -> None:
    """Statistical flags say at which false-discovery level they were raised."""
    frames = concluded("unusual_overall_months")[1]
    months = [d for d in registry.BUILT_IN if d.name == "unusual_overall_months"]
    result = run(frames, months, tree_size=1, root=ROOT, level=0.1)
    assert result.flags[0].parameters["false_discovery_level"] == 0.1
    assert result.flags[0].q is not None
    assert result.flags[0].q <= 0.1
    assert isinstance(CustodyGap.parameters["tolerance_share"], float)


@pytest.mark.parametrize("party", [None, "acme"])
def test_a_flag_is_known_by_the_same_words_before_and_after_it_is_written(
    party: str | None,
) -> None:
    """Whoever looks for a flag in the log finds it under the key, and by the content, it has."""
    flag = replace(concluded("custody_gap")[2].flags[0], subject_party=party)
    whole = content(flag)
    key, rests_on = identity(flag)
    assert key == row_key(whole)
    assert rests_on == {name: whole[name] for name in rests_on or {}}
    assert set(rests_on or ()) > {"evidence", "observed", "expected"}
