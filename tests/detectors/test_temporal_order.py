"""Effects before their causes: which of the two records is the odd one out."""

from __future__ import annotations

from asking import flagged
from frame_factories import World


def sold_early(*, shipped_at: float) -> tuple[World, list[str]]:
    """A lot made at hour 500, of which three sales came long before."""
    world = World()
    world.site("MAKER")
    world.site("SHOP")
    world.make(500, "MAKER", "L1")
    sales = [
        world.event("sell", hour, "SHOP", items=world._item("P", "L1", 1.0, None))
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
