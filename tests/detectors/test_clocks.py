"""Clocks that are off: which lanes tell of one, and what it does to how long trips seem."""

from __future__ import annotations

import numpy as np
import pytest
from asking import flagged
from frame_factories import BREMEN, HAMBURG, World

from detectors.features import Features
from detectors.routes.clocks import LEAST_OFF, SHORT_HOURS, TRIPS, lost_hours
from detectors.routes.travel_time import CRUISE, NO_WAIT, TravelTime

LANES, USUAL, KM = 6, 9.0, 95.0
LAST = LANES - 1
_UNUSUAL = -2.5


def trips(each: int = 40, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Lanes on which trips take as long as usual, give or take an eighth; lane and hours."""
    lane = np.repeat(np.arange(LANES), each)
    noise = np.random.default_rng(seed).normal(0, 0.12, len(lane))
    return lane, USUAL * np.exp(noise)


def lost(lane: np.ndarray, hours: np.ndarray, usual: float = USUAL) -> np.ndarray:
    """What clocks take off the trips, all by one mode."""
    return lost_hours(lane, np.zeros(len(lane), np.int64), hours, np.full(len(lane), usual))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("behind", [5.0, 6.0])
def test_a_clock_that_is_behind_is_found(seed: int, behind: float) -> None:
    """The trips of its lane lack so many hours, to within one; those of the others none."""
    lane, hours = trips(seed=seed)
    hours = np.where(lane == LAST, np.maximum(hours - behind, 0.5), hours)
    found = lost(lane, hours)
    assert (found[lane != LAST] == 0).all()
    assert found[lane == LAST] == pytest.approx(behind, abs=LEAST_OFF)


@pytest.mark.parametrize("seed", range(5))
def test_a_fast_lane_and_a_clock_that_is_ahead_lose_nothing(seed: int) -> None:
    """Half the time in proportion is a fast lane; trips that seem longer accuse nobody."""
    lane, hours = trips(seed=seed)
    fast = np.where(lane == LAST, hours / 2, np.where(lane == 0, hours + 5, hours))
    assert (lost(lane, fast) == 0).all()


def test_one_odd_trip_does_not_make_its_own_excuse() -> None:
    """However short one trip is, its lane loses nothing; nor does a lane of few or long trips."""
    lane, hours = trips()
    odd = hours.copy()
    odd[-1] = 0.5
    assert (lost(lane, odd) == 0).all()
    behind = np.where(lane == LAST, np.maximum(hours - 5, 0.5), hours)
    few = np.flatnonzero((lane != LAST) | (np.cumsum(lane == LAST) < TRIPS))
    assert (lost(lane[few], behind[few]) == 0).all()
    longer = SHORT_HOURS + 1 - USUAL
    assert (lost(lane, behind + longer, USUAL + longer) == 0).all()


def test_trips_to_a_site_with_a_slow_clock_are_not_too_fast() -> None:
    """A shop's clock is five hours behind: its shortest trips are as ordinary as the others'."""
    world, dice = World(), np.random.default_rng(4)
    for name in ("A", "B", "C", "D"):
        world.site(name, HAMBURG)
    for name in ("S", "T"):
        world.site(name, BREMEN)
    world.product("P")
    for n in range(120):
        start, end = "ABCD"[n % 4], "T" if n % 4 else "S"
        world.make(n * 24, start, f"L{n}")
        world.ship(n * 24 + 1, start, end, f"L{n}", f"S{n}", transport_mode="road")
        took = 5.2 if n == 60 else 7.0 * float(np.exp(dice.normal(0, 0.1)))
        behind = 5.0 if end == "S" else 0.0
        world.receive(n * 24 + 1 + max(took - behind, 0.1), end, f"L{n}", f"S{n}")
    world.ship(3000, "B", "T", "L1", "X", transport_mode="road")
    late = world.receive(3000.6, "T", "L1", "X")
    assert set(flagged("travel_time", world)) == {late}
    table = TravelTime().features(Features(world.frames())).table
    assert table["z"][table["to_site"] == "S"].min() > _UNUSUAL


def test_a_trip_that_was_spared_the_waits_of_others_is_not_too_fast() -> None:
    """Receipts are booked at night: a lorry of the evening is no faster than lorries drive.

    One that drove faster than they do is.
    """
    world = World()
    world.site("A", HAMBURG)
    world.site("S", BREMEN)
    world.product("P")
    spared, driven = 50, KM / CRUISE["road"]
    took = {spared: driven + 0.1, spared + 1: driven / 2}
    receipts = []
    for n in range(120):
        start = n * 24 + 7 + n % 5
        world.make(n * 24, "A", f"L{n}")
        world.ship(start, "A", "S", f"L{n}", f"S{n}", transport_mode="road")
        end = start + took.get(n, n * 24 + 23.9 - start)
        receipts.append(world.receive(end, "S", f"L{n}", f"S{n}"))
    table = TravelTime().features(Features(world.frames())).table
    table = table.set_index("subject_id").loc[receipts[spared : spared + 2]]
    assert (table["z"] < _UNUSUAL).all()
    assert (table["benign"] == NO_WAIT).tolist() == [True, False]
    assert set(flagged("travel_time", world)) == {receipts[spared + 1]}
