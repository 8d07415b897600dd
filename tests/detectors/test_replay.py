"""Replay: the same from the log alone, different when it should be, impossible when it must be."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from memory_log import MemoryLog
from planted import PLANTED

from detectors.excess_hours import ExcessHours
from detectors.record import content, draft
from detectors.registry import BUILT_IN
from detectors.replay import Replayer, Verdict, replay
from detectors.run import run
from graph.frames import load_frames
from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance.disclosure.privacy import b64, open_entry
from provenance.entries import Tier

if TYPE_CHECKING:
    from frame_factories import World

    from provenance.entries import Content

RULES = sorted(PLANTED.keys() - {"unusual_overall_legs", "unusual_overall_months"})
NAMES = [*RULES, "unusual_overall_months"]


@cache
def _told(name: str) -> tuple[World, MemoryLog, tuple[Content, ...]]:
    planted = PLANTED[name]()
    log = MemoryLog(planted.world.drafts())
    store = MemoryStore()
    catch_up(log, store)
    detector = next(one for one in BUILT_IN if one.name == name)
    result = run(load_frames(store), [detector], tree_size=log.size, root=log.root)
    assert result.errors == ()
    for flag in result.flags:
        log.append(draft(flag, party="acme"))
    flags = tuple(open_entry(entry, Tier.PRIVATE) for entry in log.held[-len(result.flags) :])
    assert flags == tuple({"party": "acme", **content(flag)} for flag in result.flags)
    return planted.world, log, flags


def told(name: str) -> tuple[MemoryLog, Any]:
    """A copy of the log in which a planted wrong was flagged, and the flag as the log holds it."""
    _, log, flags = _told(name)
    return log.copy(), copy.deepcopy(flags[0])


@pytest.mark.parametrize("name", NAMES)
def test_flag_replays_the_same(name: str) -> None:
    """Every flag of a run comes out the same from the log's entries alone."""
    _, log, flags = _told(name)
    replayer = Replayer(log, BUILT_IN)
    assert {replayer.replay(flag).verdict for flag in flags} == {Verdict.SAME}


def test_later_entries_do_not_matter() -> None:
    """A correction after the flag leaves the flag as it was at its own tree size."""
    world, log, flags = _told("excess_hours")
    later = log.copy()
    world = copy.deepcopy(world)
    world.month("SHOP", "2024-05")
    later.append(world.drafts()[-1])
    assert replay(flags[0], later, BUILT_IN).verdict is Verdict.SAME


@pytest.mark.parametrize("field", ["score", "threshold", "observed", "explanation", "severity"])
def test_changed_value_is_different(field: str) -> None:
    """Whatever a flag claims beyond what the log gives is named."""
    log, flag = told("excess_hours")
    flag[field] = {"_d": "9.25"} if field in ("score", "threshold") else "something else"
    found = replay(flag, log, BUILT_IN)
    assert found.verdict is Verdict.DIFFERENT
    assert found.reasons == (f"{field} differs",)


def test_flag_on_an_innocent_subject_is_different() -> None:
    """A flag that no detector raises is not confirmed."""
    log, flag = told("excess_hours")
    flag["subject_id"] = "SHOP|2024-06"
    found = replay(flag, log, BUILT_IN)
    assert found.verdict is Verdict.DIFFERENT
    assert found.reasons[0] == "the subject is not flagged"


def test_padded_evidence_is_different() -> None:
    """Evidence that the conclusion does not rest on, or with another hash, is not confirmed."""
    log, flag = told("custody_gap")
    padded = copy.deepcopy(flag)
    padded["evidence"].append([0, b64(log.held[0].leaf_hash)])
    flag["evidence"][0][1] = b64(bytes(32))
    for forged in (flag, padded):
        assert replay(forged, log, BUILT_IN).reasons == ("evidence differs",)


def test_other_code_is_said_when_the_answer_differs() -> None:
    """The digest of the code and the libraries explain a difference; alone they are none."""
    log, flag = told("excess_hours")
    flag["code_digest"], flag["libraries"]["numpy"] = "sha256:00", "1.0"
    assert replay(flag, log, BUILT_IN).verdict is Verdict.SAME
    flag["score"] = 7
    reasons = replay(flag, log, BUILT_IN).reasons
    assert reasons[0] == "score differs"
    assert "the detector's code is not the code it was raised with" in reasons
    assert any(reason.startswith("numpy is ") for reason in reasons)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("impossible_travel", "/transport_mode"),
        ("custody_gap", "/shipment_id"),
        ("excess_hours", "/total_hours"),
        ("wage_below_minimum", "/gross_wages"),
    ],
)
def test_erased_input_makes_a_replay_impossible(name: str, path: str) -> None:
    """The entry whose field is gone is named; nobody pretends to know."""
    log, flag = told(name)
    held = [index for index, _ in flag["evidence"] if _has(log, index, path)]
    log.close_field(held[0], path)
    found = replay(flag, log, BUILT_IN)
    assert found.verdict is Verdict.IMPOSSIBLE
    assert str(held[0]) in found.reasons[0]


def _has(log: MemoryLog, index: int, path: str) -> bool:
    return any(one.path == path for one in log.held[index].openings)


@pytest.mark.parametrize("name", RULES)
def test_erased_body_makes_a_replay_impossible(name: str) -> None:
    """An entry of the evidence, the first or the last, erased as a whole, is missed."""
    log, flag = told(name)
    evidence = [index for index, _ in flag["evidence"]]
    for index in sorted({evidence[0], evidence[-1]}):
        damaged = log.copy()
        damaged.erase(index)
        found = replay(flag, damaged, BUILT_IN)
        assert found.verdict is Verdict.IMPOSSIBLE
        assert found.reasons == (f"inputs erased or undisclosed: entries {index}",)


def test_erasing_what_nobody_read_changes_nothing() -> None:
    """A field outside the detector's reading, and an entry outside the evidence, are not missed."""
    log, flag = told("wage_below_minimum")
    index = next(i for i, _ in flag["evidence"] if _has(log, i, "/output_units"))
    log.close_field(index, "/output_units")
    log.erase(next(e.index for e in log.held if e.type == 1))
    assert replay(flag, log, BUILT_IN).verdict is Verdict.SAME


def test_erased_reference_row_makes_a_statistical_replay_impossible() -> None:
    """The null rests on the whole reference: without one of its rows it cannot be repeated."""
    log, flag = told("unusual_overall_months")
    evidence = {index for index, _ in flag["evidence"]}
    other = next(e.index for e in log.held if e.type == 3 and e.index not in evidence)
    log.erase(other)
    found = replay(flag, log, BUILT_IN)
    assert found.verdict is Verdict.IMPOSSIBLE
    assert str(other) in found.reasons[0]


def test_other_log_is_another_log() -> None:
    """A flag is replayed on the log whose root it names, or not at all."""
    log, flag = told("excess_hours")
    flag["root"] = b64(bytes(32))
    assert replay(flag, log, BUILT_IN).verdict is Verdict.IMPOSSIBLE
    log, flag = told("excess_hours")
    flag["tree_size"] = 10_000
    assert "this log has" in replay(flag, log, BUILT_IN).reasons[0]


def test_flag_whose_own_values_are_hidden_cannot_be_compared() -> None:
    """A viewer below the private tier cannot confirm a private flag."""
    _, log, _ = _told("excess_hours")
    seen = open_entry(log.held[-1], Tier.PARTNER)
    assert "score" not in seen
    assert "not disclosed" in replay(seen, log, BUILT_IN).reasons[0]


def test_flag_of_a_program_that_shared_the_level_otherwise_cannot_be_compared() -> None:
    """What its family was allowed must be on record; it is no difference that it is not."""
    log, flag = told("weight_misdeclared")
    assert replay(flag, log, BUILT_IN).verdict is Verdict.SAME
    flag["parameters"]["family_level"] = flag["parameters"].pop("largest_p")
    found = replay(flag, log, BUILT_IN)
    assert found.verdict is Verdict.IMPOSSIBLE
    assert "shared the level among detectors otherwise" in found.reasons[0]


def test_missing_or_newer_detectors_are_named() -> None:
    """Without the detector, or with another version of it, nothing can be said."""

    class Newer(ExcessHours):
        """The next version."""

        version = "next"  # type: ignore[misc]

    log, flag = told("excess_hours")
    assert replay(flag, log, []).reasons == ("there is no detector excess_hours here",)
    assert "this is version next" in replay(flag, log, [Newer()]).reasons[0]
