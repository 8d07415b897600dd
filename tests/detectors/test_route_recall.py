"""What must be found among things that look like it: laws of recall for routes."""

from __future__ import annotations

import random

import numpy as np
import pytest
from asking import flagged
from frame_factories import HAMBURG, PARTY, World
from planted_routes import Trade

from detectors.nulls import adjust
from detectors.routes.silence import MOST_SHAPE, among_all, how_seldom, silence


def test_open_doors_hide_no_breach() -> None:
    """Five in a hundred readings are of open doors, three of broken coolers: only these flag."""
    world, dice = World(), random.Random(3)
    world.site("STORE", HAMBURG)
    world.product("P")
    breaches = set()
    for n in range(300):
        degrees = dice.gauss(4, 0.8) + (dice.uniform(2, 3) if n % 20 == 1 else 0)
        warm = n % 33 == 7
        item = {"party": PARTY, "product_id": "P", "lot_id": f"L{n}", "quantity": 1.0}
        degrees = 9.5 + dice.random() if warm else min(degrees, 7.2)
        reading = world.event("receive", 9.0 * n, "STORE", items=[item], temperature_c=degrees)
        if warm:
            breaches.add(reading)
    assert set(flagged("cold_chain_breach", world)) == breaches


def by_way_of_madrid(days: tuple[float, ...]) -> tuple[Trade, set[str]]:
    """A trade, and the shipments of lots that go a long way round on those days."""
    trade, legs = Trade(), set()
    for n, day in enumerate(days):
        trade.tell("produce", 24 * day, "NORTH", f"X{n}")
        for step, (start, end) in enumerate((("NORTH", "FAR"), ("FAR", "HUB"))):
            ends = {"from_facility_id": start, "to_facility_id": end, "shipment_id": f"X{n}{step}"}
            legs.add(trade.tell("ship", 24 * (day + 2 + 4 * step), start, f"X{n}", **ends))
    return trade, legs


def test_a_detour_made_twice_is_no_usual_way() -> None:
    """Two lots, months apart, by the same yard: all four legs flag."""
    trade, legs = by_way_of_madrid((20.0, 150.0))
    assert set(flagged("route_detour", trade.world)) == legs


def test_the_last_lot_of_a_diversion_is_part_of_it() -> None:
    """Three lots are diverted within weeks, a fourth takes their way a month later."""
    trade, _ = by_way_of_madrid((20.0, 28.0, 36.0, 80.0))
    assert flagged("route_detour", trade.world) == {}


def test_a_busy_lane_that_falls_silent_stands_out_among_many() -> None:
    """Lanes on which silence is nothing strange are no trials of it."""
    expected = np.array([8.0] * 3 + [3.0] * 60)
    chance = silence(np.zeros(len(expected)), expected, MOST_SHAPE)
    found = among_all(chance, chance, 1.0)
    quiet = np.where(np.arange(len(expected)) < 3, found, 1.0)
    assert (adjust(quiet) <= 0.05).sum() == 3
    plain = np.where(np.arange(len(expected)) < 3, chance, 1.0)
    assert not (adjust(plain) <= 0.05).any()


@pytest.mark.parametrize("unlike", [1.0, 4.0])
def test_lanes_that_are_seldom_used_by_chance_rarely_flag(unlike: float) -> None:
    """Rates as the model has them: hardly any world has a flag."""
    dice, flags = np.random.default_rng(5), 0
    for _ in range(200):
        expected = dice.uniform(2, 40, 80)
        repeats = dice.poisson(expected * dice.gamma(unlike, 1 / unlike, 80))
        worth = silence(np.zeros(80), expected, unlike)
        p = among_all(worth, worth, how_seldom(repeats + 1, expected, unlike))
        flags += bool((adjust(np.where(repeats == 0, p, 1.0)) <= 0.05).any())
    assert flags <= 200 * 0.07
