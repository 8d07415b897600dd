"""What must be found among things that look like it: laws of recall for routes."""

from __future__ import annotations

import random

from asking import flagged
from frame_factories import HAMBURG, PARTY, World
from planted_routes import Trade


def test_open_doors_hide_no_breach() -> None:
    """Two in a hundred readings are of open doors, one of broken coolers: only these flag."""
    world, dice = World(), random.Random(3)
    world.site("STORE", HAMBURG)
    world.product("P")
    breaches = set()
    for n in range(600):
        degrees = dice.gauss(4, 0.8) + (dice.uniform(2, 3) if n % 50 == 1 else 0)
        warm = n % 100 == 7
        item = {"party": PARTY, "product_id": "P", "lot_id": f"L{n}", "quantity": 1.0}
        degrees = 9.5 + 2 * dice.random() if warm else min(degrees, 7.2)
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
