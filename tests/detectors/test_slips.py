"""Slips that ingest noted: named beside a flag, and lowering it only where they explain it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from asking import flagged
from frame_factories import BREMEN, START, World
from memory_log import MemoryLog
from planted_routes import ROUTES, WRONG, Trade

from detectors.record import content, strictest
from detectors.registry import BUILT_IN
from detectors.replay import Verdict, replay
from detectors.run import run
from detectors.slips import SLIPS
from graph.frames import load_frames
from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance.entries import Tier
from provenance.ingest.quality.notes import NOTES, meaning

if TYPE_CHECKING:
    from detectors.base import Flag


def note(world: World, event: str, *codes: str) -> World:
    """Ingest noted slips beside an event."""
    for _, held in world.entries:
        if held.get("event_id") == event:
            held["quality"] = list(codes)
    return world


def outcome(flag: Flag, code: str) -> str:
    """What a flag says of a note."""
    named = f"noted when it was read in: {meaning(code)}"
    (found,) = [one.outcome for one in flag.account.benign if one.cause == named]
    return found


def times(stage: str, field: str, factor: float) -> tuple[World, str]:
    """A shipment of which one amount was multiplied."""
    trade = Trade(**{stage: lambda given: {field: given[field] * factor}})
    return trade.world, trade.lots[WRONG][stage]


def test_every_code_that_is_looked_for_is_one_that_ingest_writes() -> None:
    """A code that nobody writes would explain nothing, for ever."""
    codes = {code for question in SLIPS.values() for code in question.amounts or ()}
    assert codes <= NOTES.keys()
    assert SLIPS.keys() <= {detector.name for detector in BUILT_IN}


@pytest.mark.parametrize(
    ("field", "factor", "code", "found"),
    [
        ("declared_value_usd", 10.0, "value-decimal-suspected", "likely"),
        ("declared_value_usd", 0.01, "value-decimal-suspected", "likely"),
        ("declared_value_usd", 0.3, "value-decimal-suspected", "ruled out"),
        ("declared_value_usd", 0.3, "value-price-differs", "not checked"),
        ("gross_weight", 0.45359237, "weight-unit-missing", "likely"),
        ("gross_weight", 0.45359237, "unit-mixup-suspected", "likely"),
        ("gross_weight", 0.6, "unit-mixup-suspected", "ruled out"),
        ("gross_weight", 0.6, "weight-inconsistent", "not checked"),
    ],
)
def test_a_note_lowers_what_undoing_the_slip_explains(
    field: str, factor: float, code: str, found: str
) -> None:
    """A tenfold value or pounds for kilograms; a fraud of another size keeps its place."""
    name = {"gross_weight": "weight_misdeclared"}.get(field, "value_misdeclared")
    world, wrong = times("onward", field, factor)
    before = flagged(name, world)
    after = flagged(name, note(world, wrong, code))
    assert outcome(after[wrong], code) == found
    lowered = found == "likely"
    assert after[wrong].severity == ("info" if lowered else "low")
    assert (after[wrong].rank < before[wrong].rank) is lowered
    assert strictest(after[wrong].reads) is Tier.PRIVATE
    assert _others(after, wrong) == _others(before, wrong)


def _others(flags: dict[str, Flag], wrong: str) -> dict[str, Any]:
    return {name: content(flag)["severity"] for name, flag in flags.items() if name != wrong}


@pytest.mark.parametrize(
    ("name", "found"), [("travel_time", "likely"), ("temporal_order", "ruled out")]
)
def test_a_time_zone_explains_as_many_hours_as_there_are(name: str, found: str) -> None:
    """A trip of a day done in five hours; not a receipt two days before the goods left."""
    world, wrong = ROUTES[name]()
    flag = flagged(name, note(world, wrong, "time-zone-differs"))[wrong]
    assert outcome(flag, "time-zone-differs") == found
    assert (flag.severity == "info") is (found == "likely")


def hour_of(month: int, day: int) -> float:
    """Hours from the start of 2024."""
    return (datetime(2024, month, day, 12, tzinfo=UTC) - START).total_seconds() / 3600


@pytest.mark.parametrize("end", ["ship", "receive", "neither"])
@pytest.mark.parametrize("name", ["temporal_order", "impossible_travel"])
def test_a_day_and_month_exchanged_are_put_back(name: str, end: str) -> None:
    """On either end; as other dates of the file decided, the rank stays and a step is taken off."""
    world = World()
    world.site("A", (41.9, 12.5))
    world.site("B", BREMEN)
    world.make(0, "A", "L")
    out, back = hour_of(6, 4), hour_of(5, 6)
    if name == "impossible_travel":
        back = out + 0.2
    sent = world.ship(out, "A", "B", "L", transport_mode="road")
    came = world.receive(back, "B", "L", transport_mode="road")
    before = flagged(name, world)[came]
    flag = flagged(name, note(world, {"ship": sent, "receive": came}.get(end, ""), _CODE))[came]
    assert flag.rank == before.rank
    if end == "neither":
        assert not any("read in" in one.cause for one in flag.account.benign)
        assert flag.severity == before.severity == "critical"
    else:
        # Of the impossible trip only the shipment may have been months earlier, on 6 April.
        early = name == "impossible_travel" and end == "receive"
        assert outcome(flag, _CODE) == ("ruled out" if early else "possible")
        assert flag.severity == ("critical" if early else "high")


_CODE = "date-order-decided"


def test_a_long_stay_may_be_a_date_read_the_wrong_way() -> None:
    """The goods left on 4 March and were read as having left on 3 April."""
    trade = Trade(lots=60)
    hour = hour_of(3, 3)
    trade.tell("produce", hour, "NORTH", "LX")
    more = {"from_facility_id": "NORTH", "to_facility_id": "HUB", "shipment_id": "X1"}
    wrong = trade.tell("ship", hour_of(4, 3), "NORTH", "LX", **more)
    assert flagged("dwell_anomaly", trade.world)[wrong].severity == "low"
    flag = flagged("dwell_anomaly", note(trade.world, wrong, _CODE))[wrong]
    assert (outcome(flag, _CODE), flag.severity) == ("possible", "info")


def test_a_flag_with_a_note_replays_the_same() -> None:
    """The note is in the log, and read from there."""
    world, wrong = times("onward", "declared_value_usd", 10.0)
    log = MemoryLog(note(world, wrong, "value-decimal-suspected").drafts())
    store = MemoryStore()
    catch_up(log, store)
    detectors = [one for one in BUILT_IN if one.name == "value_misdeclared"]
    found = run(load_frames(store), detectors, tree_size=log.size, root=log.root)
    (flag,) = [one for one in found.flags if one.subject_id == wrong]
    assert flag.likely_benign
    assert replay(content(flag), log, BUILT_IN).verdict is Verdict.SAME
