"""Which open flags fall: those that were asked about, are not raised, and were judged."""

from __future__ import annotations

from typing import Any

from frame_factories import World
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Abstention
from detectors.dropped import about, dropped, fallen, open_flags
from detectors.onward.kept import Candidate, KeptAnswer, KeptFamily, without

DETECTORS = ("one", "other", "absent")
SUBJECTS = ("E1", "E2", "E3", "E4")
PLACES = st.tuples(st.sampled_from(DETECTORS), st.sampled_from(SUBJECTS))


def flag(world: World, detector: str, subject: str, version: str = "flag/1", **more: Any) -> int:
    """A flag on an event, or what supersedes it."""
    named = {"detector": detector, "type": detector, "subject_kind": "event"}
    return world.add(version, **named, subject_id=subject, subject_party=world.party, **more)


@settings(max_examples=12)
@given(
    st.sets(st.sampled_from(SUBJECTS)),
    st.sets(PLACES),
    st.sets(PLACES),
    st.sets(PLACES),
    st.sets(PLACES),
    st.sets(PLACES),
)
def test_a_flag_falls_if_and_only_if_it_was_judged_or_is_gone(  # noqa: PLR0917 - a law of sets
    there: set[str],
    flagged: set[tuple[str, str]],
    fell: set[tuple[str, str]],
    decided: set[tuple[str, str]],
    unjudged: set[tuple[str, str]],
    raised: set[tuple[str, str]],
) -> None:
    """Open, asked about, not raised; and judged, unless there is nothing to judge any more."""
    world = World()
    for subject in sorted(there):
        world.make(1, "A", f"L{subject}")
        world.entries[-1][1]["event_id"] = subject
    places = {place: flag(world, *place) for place in sorted(flagged)}
    for place in sorted(fell & flagged):
        flag(world, *place, version="superseded/1", cause="record", flag=[places[place], ""])
    for place in sorted(decided & flagged):
        world.add("review/1", flag=[places[place], ""], state="confirmed")
    answered = {
        name: [Abstention(name, "no", 1, subjects=frozenset(s for d, s in unjudged if d == name))]
        for name in ("one", "other")
    }
    found = dropped(world.frames(), answered, {(d, d, world.party, s) for d, s in raised})
    open_ = flagged - fell - decided
    wanted = {
        (places[place], place[0], place[1] not in there)
        for place in open_ - raised
        if place[0] != "absent" and (place not in unjudged or place[1] not in there)
    }
    assert set(found) == wanted
    assert set(open_flags(world.frames())["index"]) == {places[place] for place in open_}
    told = {(name, subject) for name, ids in fallen(world.frames()).items() for _, subject in ids}
    assert told == fell & flagged


def test_who_does_not_say_whom_it_left_out_takes_nothing_back() -> None:
    """Too little data, or a detector of another package: what is on record keeps its flag."""
    world = World()
    subject = world.make(1, "A", "L")
    flag(world, "one", subject)
    gone = flag(world, "one", "E-gone")
    answered = {"one": [Abstention("one", "too few cases", 3)]}
    assert [one.flag for one in dropped(world.frames(), answered, set())] == [gone]


def test_months_are_on_record_while_somebody_reports_them() -> None:
    """A facility-month whose report was erased carries no flag."""
    world = World()
    there = world.month("A", "2024-01")
    for subject in (there, "A|2024-02"):
        named = {"detector": "one", "type": "one", "subject_kind": "facility_month"}
        world.add("flag/1", **named, subject_id=subject)
    found = dropped(world.frames(), {"one": []}, {("one", "one", None, there)})
    assert [one.gone for one in found] == [True]


def test_of_who_was_not_judged_only_the_flagged_are_kept() -> None:
    """A million events without coordinates are not written down for the next run."""
    told = Abstention("one", "no place", 3, ("E1",), frozenset(SUBJECTS))
    (kept,) = about([told], {"E2"})
    assert (kept, kept.subjects) == (told, frozenset({"E2"}))
    unknown = Abstention("one", "too few cases", 3)
    assert about([unknown], {"E2"})[0].subjects is None


def test_a_superseded_flag_is_raised_anew() -> None:
    """What the run before flagged does not stand where the log says that the flag fell."""
    one = Candidate("acme", "E1", 3.0, None, flagged=True)
    other = Candidate("acme", "E2", 3.0, None, flagged=True)
    family = KeptFamily(inputs="", rare=None, subjects=2, candidates=(one, other))
    none: frozenset[str] = frozenset()
    kept = KeptAnswer(key="k", tables=none, told=none, abstentions=(), families={"": family})
    known = without(kept, {("acme", "E1")}).families[""].candidates
    assert [(c.subject, c.flagged) for c in known] == [("E1", False), ("E2", True)]
    assert without(kept, set()) is kept
