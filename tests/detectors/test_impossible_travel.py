"""Impossible travel: what must be flagged, and what merely looks fast."""

from __future__ import annotations

from itertools import pairwise

import pytest
from asking import ask, flagged, reasons
from frame_factories import BREMEN, HAMBURG, SHANGHAI, World
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import Benign
from detectors.legs import LEAST_WRONG

NAME = "impossible_travel"


def two(a: tuple[float, float] = SHANGHAI, b: tuple[float, float] = HAMBURG) -> World:
    """Two sites."""
    world = World()
    world.site("A", a)
    world.site("B", b)
    return world


@pytest.mark.parametrize(
    ("mode", "possible", "impossible"),
    [("sea", 145, 138), ("road", 66, 63), ("rail", 43, 40), ("air", 8, 5), ("multimodal", 8, 5)],
)
def test_limit_is_the_top_speed_of_the_mode(mode: str, possible: int, impossible: int) -> None:
    """8,560 km: what the fastest vehicle can do within tolerance is no flag, less time is one."""
    world = two()
    received = []
    for hours in (possible, impossible):
        lot = f"L{hours}"
        world.ship(0, "A", "B", lot, lot, transport_mode=mode)
        received.append(world.receive(hours, "B", lot, lot))
    assert set(flagged(NAME, world)) == {received[1]}


@given(spent=st.lists(st.floats(0, 400), min_size=20, max_size=20, unique=True))
@settings(max_examples=5)
def test_faster_is_stranger(spent: list[float]) -> None:
    """Less time for the same way never lowers the score."""
    world = two()
    hours = {}
    for n, time in enumerate(spent):
        world.ship(0, "A", "B", "L", f"S{n}", transport_mode="road")
        hours[world.receive(time, "B", "L", f"S{n}")] = time
    for n in range(20):  # most legs of both sites can be: their places and clocks are right
        world.ship(0, "A", "B", "L", f"T{n}", transport_mode="road")
        hours[world.receive(500, "B", "L", f"T{n}")] = 500
    scores = ask(NAME, world).scores
    ordered = sorted(zip(scores["subject_id"].map(hours), scores["score"], strict=True))
    assert all(fast[1] >= slow[1] for fast, slow in pairwise(ordered))


def test_times_known_to_the_day_get_the_whole_day() -> None:
    """A lorry over 480 km "on the same day" is possible; at a known hour it is not."""
    for precision, count in (("day", 0), (None, 1)):
        world = two((52.5, 13.4), (50.1, 8.7))
        world.ship(0, "A", "B", "L", transport_mode="road", time_precision=precision)
        world.receive(1, "B", "L", time_precision=precision)
        assert len(flagged(NAME, world)) == count


def test_received_before_shipped_is_another_question() -> None:
    """The order of events is not judged here, and the run says so."""
    world = two()
    world.ship(50, "A", "B", "L", transport_mode="sea")
    early = world.receive(10, "B", "L")
    assert reasons(NAME, world) == {"received before shipped, a question of order": (early,)}


def test_sites_close_together_are_never_too_fast() -> None:
    """Coordinates are rounded and sites are large: within 25 km nothing is impossible."""
    world = two(HAMBURG, (53.7, 10.1))
    world.ship(0, "A", "B", "L", transport_mode="road")
    world.receive(0, "B", "L")
    assert flagged(NAME, world) == {}


@pytest.mark.parametrize("bad", [(0.0, 0.0), (95.0, 10.0), (10.0, 200.0)])
def test_coordinates_that_no_place_has_are_no_place(bad: tuple[float, float]) -> None:
    """An impossible place is missing, not far away; the registered one stands in."""
    world = two(HAMBURG, BREMEN)
    world.ship(0, "A", "B", "L", transport_mode="road", latitude=bad[0], longitude=bad[1])
    world.receive(3, "B", "L")
    assert flagged(NAME, world) == {}
    assert ask(NAME, world).judged == {NAME: 1}


def test_unknown_places_are_not_judged() -> None:
    """Without coordinates from event, site or location code there is no distance."""
    world = World()
    world.ship(0, "A", "B", "L")
    arrived = world.receive(1, "B", "L")
    assert reasons(NAME, world) == {"a place without coordinates": (arrived,)}


def test_location_codes_stand_in_for_coordinates() -> None:
    """A site without coordinates is where its UN/LOCODE is."""
    world = World()
    world.add("location/1", locode="CNSHA", latitude=SHANGHAI[0], longitude=SHANGHAI[1])
    world.add("facility/1", facility_id="A", locode="CNSHA", name="A", country="CN")
    world.site("B")
    world.ship(0, "A", "B", "L", transport_mode="sea")
    arrived = world.receive(24, "B", "L")
    assert set(flagged(NAME, world)) == {arrived}


def test_wrong_coordinates_are_told_apart() -> None:
    """When the sites' registered places fit, the coordinates are the likely slip: ranked last."""
    world = two(HAMBURG, BREMEN)
    world.ship(0, "A", "B", "L", transport_mode="road", latitude=31.2, longitude=121.5)
    arrived = world.receive(3, "B", "L")
    flag = flagged(NAME, world)[arrived]
    assert flag.likely_benign
    assert flag.severity == "info"
    assert flag.rank < 1.5


@pytest.mark.parametrize(("hours", "outcome"), [(55, "possible"), (5, "ruled out")])
def test_time_zones_are_considered(hours: int, outcome: str) -> None:
    """A zone left out explains up to fourteen hours, not more."""
    world = two()
    world.ship(0, "A", "B", "L", transport_mode="road")
    arrived = world.receive(hours, "B", "L")
    zone = "a time zone left out or applied twice on one side"
    assert Benign(zone, outcome) in flagged(NAME, world)[arrived].account.benign  # type: ignore[arg-type]


def test_partial_deliveries_are_judged_one_by_one() -> None:
    """Each receipt is held against its own ship; only the impossible one is flagged."""
    world = two()
    world.ship(0, "A", "B", "L", quantity=60.0, transport_mode="sea")
    world.receive(600, "B", "L", quantity=30.0)
    wrong = world.receive(20, "B", "L", quantity=30.0)
    assert set(flagged(NAME, world)) == {wrong}


def test_consignments_by_way_of_a_hub_pair_with_their_own_ship() -> None:
    """One shipment id over two legs: each receive belongs to the ship bound for its site."""
    world = two()
    world.site("HUB", BREMEN)
    world.ship(0, "A", "HUB", "L", transport_mode="sea")
    world.receive(700, "HUB", "L")
    world.ship(710, "HUB", "B", "L", transport_mode="road")
    world.receive(714, "B", "L")
    assert flagged(NAME, world) == {}


def test_one_shipment_id_for_everything_costs_no_more() -> None:
    """20,000 receipts under one id are paired by sorting, not each with each."""
    world = two(HAMBURG, BREMEN)
    for n in range(10_000):
        world.ship(n, "A", "B", None, "BULK", transport_mode="road")
        world.receive(n + 5, "B", None, "BULK")
    assert ask(NAME, world).judged == {NAME: 10_000}


def lorries(world: World, hours: list[float], *, end: str = "B") -> list[str]:
    """Lorry loads from A, each on the way for so long."""
    received = []
    for n, time in enumerate(hours):
        world.ship(100 * n, "A", end, "L", f"{end}{n}", transport_mode="road")
        received.append(world.receive(100 * n + time, end, "L", f"{end}{n}"))
    return received


@pytest.mark.parametrize("many", [LEAST_WRONG - 1, LEAST_WRONG])
def test_a_site_in_the_wrong_place_is_said_once(many: int) -> None:
    """Most legs of a site too fast: its registered place is wrong, and no leg is; few are deeds."""
    world = two()
    world.site("C", BREMEN)
    world.site("A", HAMBURG)
    world.site("B", SHANGHAI)
    received = lorries(world, [4.0] * many)
    lorries(world, [4.0] * (2 * many), end="C")
    few = many < LEAST_WRONG
    assert set(flagged(NAME, world)) == (set(received) if few else set())
    assert any("registered place" in one for one in reasons(NAME, world)) is not few


def test_a_leg_just_reversed_is_too_fast() -> None:
    """Received an hour before it was shipped, 8,560 km away: clocks explain the hour, no more."""
    world = two()
    (received,) = lorries(world, [-1.0])
    assert set(flagged(NAME, world)) == {received}
    assert flagged("temporal_order", world) == {}
