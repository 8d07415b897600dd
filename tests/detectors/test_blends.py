"""Blends: lots of several origins that become one lot of the same goods."""

from __future__ import annotations

import pytest
from asking import flagged, reasons
from frame_factories import World

NAME = "origin_laundering"
CUSTOM = "a blend of several origins, as are so many that one of them is the custom"


def blends(mixed: int, whole: int, declared: str = "GH") -> tuple[World, list[str]]:
    """An exporter who blends: some batches of Ghanaian beans with Ivorian ones, others without."""
    world = World()
    for name in ("FARM", "HOUSE"):
        world.site(name)
    world.product("BEANS")
    found = []
    for n in range(mixed + whole):
        lots = [(f"A{n}", "GH", 60.0), (f"B{n}", "CI" if n < mixed else "GH", 40.0)]
        for lot, country, many in lots:
            item = {"party": world.party, "product_id": "BEANS", "lot_id": lot, "quantity": many}
            told = {"items": [item], "declared_origin_country": country}
            world.event("produce", 10.0 * n, "FARM", **told)
        item = {"party": world.party, "product_id": "BEANS", "lot_id": f"T{n}", "quantity": 100.0}
        used = [
            {"party": world.party, "product_id": "BEANS", "lot_id": lot, "quantity": many}
            for lot, _, many in lots
        ]
        more = {"items": [item], "inputs": used, "declared_origin_country": declared}
        found.append(world.event("transform", 10.0 * n + 5, "HOUSE", **more))
    return world, found[:mixed]


def test_blend_that_hides_an_origin_is_flagged_by_its_part() -> None:
    """Two fifths came from elsewhere and are not declared: as far beyond the limit as that."""
    world, (hides,) = blends(1, 20)
    flag = flagged(NAME, world)[hides]
    assert set(flagged(NAME, world)) == {hides}
    assert flag.score == pytest.approx(1.4)
    assert "40 % of what went in came from CI" in flag.account.sentence


def test_where_blends_bear_one_origin_by_custom_nothing_is_judged() -> None:
    """Most blends are named after their larger part: that is what the column means there."""
    world, _ = blends(8, 6)
    assert flagged(NAME, world) == {}
    assert CUSTOM in reasons(NAME, world)
