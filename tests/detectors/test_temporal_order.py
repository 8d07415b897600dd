"""Effects before their causes: which of the two records is the odd one out."""

from __future__ import annotations

import pytest
from asking import flagged, reasons
from frame_factories import World

from detectors.legs import LEAST_WRONG


def sold_early(*, shipped_at: float) -> tuple[World, list[str]]:
    """A lot made at hour 500, of which three sales came long before."""
    world = World()
    world.site("MAKER")
    world.site("SHOP")
    world.make(500, "MAKER", "L1")
    sales = [
        world.event(
            "sell", hour, "SHOP", items=[{"party": world.party, "product_id": "P", "lot_id": "L1"}]
        )
        for hour in (100, 140, 300)
    ]
    world.send(shipped_at, "MAKER", "SHOP", "L1", "S1")
    return world, sales


def test_each_sale_before_a_making_that_is_borne_out_is_flagged() -> None:
    """The maker sent the lot off only after it was made: the sales are wrong, one by one."""
    world, sales = sold_early(shipped_at=520)
    assert sorted(flagged("temporal_order", world)) == sorted(sales)


def test_a_making_that_everything_precedes_is_flagged_once() -> None:
    """The maker's own shipment came before the making too: it is the making that is late."""
    world, sales = sold_early(shipped_at=60)
    (found,) = flagged("temporal_order", world)
    assert found not in sales


@pytest.mark.parametrize("hours", [8, 700])
@pytest.mark.parametrize("many", [LEAST_WRONG - 1, LEAST_WRONG])
def test_a_site_with_a_wrong_clock_is_said_once(many: int, hours: float) -> None:
    """Where most legs of a site are reversed, by hours or a month, its clock is what is wrong."""
    world = World()
    world.site("HUB")
    world.site("SHOP")
    world.site("OTHER")
    early = set()
    for n in range(many):
        world.ship(100 * n, "HUB", "SHOP", "L", f"S{n}")
        early.add(world.receive(100 * n - hours, "SHOP", "L", f"S{n}"))
    for n in range(2 * many):
        world.send(100 * n, "HUB", "OTHER", "L", f"T{n}")
    few = many < LEAST_WRONG
    assert set(flagged("temporal_order", world)) == (early if few else set())
    assert any("clock" in one for one in reasons("temporal_order", world)) is not few
