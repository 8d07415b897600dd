"""What makes a way round a detour: goods that pass a place, not goods that were sold there."""

from __future__ import annotations

import pytest
from asking import flagged, reasons
from frame_factories import PARTY, World
from planted_routes import SITES, Trade


def by_madrid(*, bill: str | None, onward: float, delivered: int) -> tuple[Trade, set[str]]:
    """Goods from NORTH go to HUB by FAR, all of them or a part.

    Args:
        bill: The bill of lading of both legs; without one each leg has its own.
        onward: How much of a lot of 100 goes on from FAR.
        delivered: How many lots of NORTH are delivered to FAR, and stay.
    """
    trade = Trade(lots=40)
    for n in range(delivered):
        trade.tell("produce", 300.0 * n, "NORTH", f"D{n}")
        _ship(trade, 300.0 * n + 48, ("NORTH", "FAR"), f"D{n}", shipment_id=f"D{n}")
    trade.tell("produce", 2000, "NORTH", "X")
    legs = {_ship(trade, 2048, ("NORTH", "FAR"), "X", bill_of_lading=bill or "X0")}
    item = {"party": PARTY, "product_id": "P", "lot_id": "X", "quantity": onward}
    ends = {"from_facility_id": "FAR", "to_facility_id": "HUB", "bill_of_lading": bill or "X1"}
    legs.add(trade.world.event("ship", 2150, "FAR", items=[item], **ends))
    return trade, legs


def _ship(trade: Trade, hour: float, ends: tuple[str, str], lot: str, **more: object) -> str:
    start, end = ends
    return trade.tell("ship", hour, start, lot, from_facility_id=start, to_facility_id=end, **more)


@pytest.mark.parametrize(
    ("bill", "onward", "delivered", "detour"),
    [
        (None, 100.0, 0, True),
        (None, 30.0, 0, False),
        (None, 100.0, 6, False),
        ("ONE", 30.0, 0, True),
        ("ONE", 100.0, 6, True),
    ],
    ids=["whole", "divided", "regular buyer", "one bill, divided", "one bill, regular buyer"],
)
def test_goods_that_were_sold_on_the_way_made_no_detour(
    bill: str | None, onward: float, delivered: int, *, detour: bool
) -> None:
    """Where papers end and goods are divided, or often come, they had arrived; under one bill not.

    Both legs flag, or neither does.
    """
    trade, legs = by_madrid(bill=bill, onward=onward, delivered=delivered)
    assert set(flagged("route_detour", trade.world)) == (legs if detour else set())


def test_where_a_lane_has_few_ways_the_traffic_of_its_ends_tells_what_is_usual() -> None:
    """A lot goes by the hub to CITY, to which all else comes by the hub, on a lane seen once."""
    trade = Trade(lots=40)
    trade.tell("produce", 2000, "FAR", "X")
    for n, ends in enumerate((("FAR", "CITY"), ("FAR", "HUB"), ("HUB", "CITY"))):
        lot = "Y" if n == 0 else "X"
        _ship(trade, 2048.0 + 90 * n, ends, lot, bill_of_lading=lot)
    assert flagged("route_detour", trade.world) == {}


def test_places_that_nobody_knows_are_said_and_do_no_harm() -> None:
    """Without coordinates anywhere there are passages and no way to measure one."""
    world = World()
    for n in range(30):
        lot = f"L{n}"
        world.make(50 * n, "A", lot)
        world.send(50 * n + 5, "A", "B", lot, f"S{n}")
        world.send(50 * n + 60, "B", "C", lot, f"T{n}")
    assert flagged("route_detour", world) == {}
    assert "a passage through a place without coordinates" in reasons("route_detour", world)


def shut(*, usual: float | None) -> tuple[World, set[str]]:
    """Goods of two works go to the hub; for some weeks all three lots that leave go by FAR.

    Args:
        usual: Day on which a lot of those weeks left the usual way.
    """
    world, legs = World(), set()
    for name, at in SITES.items():
        world.site(name, at)
    for lane, work in enumerate(("NORTH", "WEST")):
        for n, day in enumerate((*range(4 * lane, 400, 8), *range(520 + 4 * lane, 900, 8))):
            world.make(24 * day, work, f"{work}{n}")
            for step, ends in enumerate(((work, "HUB"), ("HUB", "CITY"))):
                world.send(24 * day + 48 + 90 * step, *ends, f"{work}{n}", f"{work}{n}-{step}")
    for work, day in (("NORTH", 420), ("WEST", 460), ("NORTH", 500)):
        world.make(24 * day, work, f"R{day}")
        for step, ends in enumerate(((work, "FAR"), ("FAR", "HUB"))):
            sent = world.send(24 * day + 48 + 90 * step, *ends, f"R{day}", f"R{day}-{step}")
            legs.add(sent[0])
    if usual is not None:
        world.make(24 * usual, "WEST", "USUAL")
        world.send(24 * usual + 48, "WEST", "HUB", "USUAL", "SUSUAL")
    return world, legs


@pytest.mark.parametrize("usual", [None, 480.0], ids=["all go round", "one goes the usual way"])
def test_a_way_that_is_shut_is_shut_to_everybody(usual: float | None) -> None:
    """Of all who left in those weeks nobody went the usual way: no detour; one did: all three."""
    world, legs = shut(usual=usual)
    assert set(flagged("route_detour", world)) == (set() if usual is None else legs)
