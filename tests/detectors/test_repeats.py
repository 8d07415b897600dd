"""Events that stand twice in the record, under two ids, accuse nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asking import flagged, reasons
from following import Follower, assert_same, cut
from frame_factories import ROOT, World, chain

from detectors.goods.repeats import REPEATED
from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Mapping

RULES = ("custody_gap", "mass_balance", "phantom_shipment")
EXPLAINED = f"explained by {REPEATED}"
WRONG = {
    "receive": "custody_gap",
    "ship": "phantom_shipment",
    "transform": "mass_balance",
}
"""Who would speak of an event of a kind that was there twice."""


def whole() -> World:
    """A decent chain, and a maker who ships all of what it made."""
    world = chain(World())
    world.make(2000, "FARM", "ALL", 100.0, "COTTON")
    world.send(2010, "FARM", "MILL", "ALL", "SALL", product="COTTON", quantity=100.0)
    return world


def twice(kind: str, **changes: object) -> World:
    """A decent chain in which each event of a kind stands twice, or another one much like it."""
    world = whole()
    told = [one for version, one in world.entries if version == "event/1"]
    for one in [one for one in told if one["event_type"] == kind]:
        world.entries.append(("event/1", one | {"event_id": f"{one['event_id']}-2"} | changes))
    return world


def accused(world: World) -> Mapping[str, int]:
    """How many flags each rule raises, where any."""
    found = {name: len(flagged(name, world)) for name in RULES}
    return {name: number for name, number in found.items() if number}


@pytest.mark.parametrize("kind", WRONG)
def test_what_stands_twice_accuses_nobody(kind: str) -> None:
    """A repeat to the second is a question of how the record was kept, and is counted as such."""
    world = twice(kind)
    assert accused(world) == {}
    assert EXPLAINED in reasons(WRONG[kind], world)


@pytest.mark.parametrize("kind", WRONG)
def test_the_same_at_another_time_is_another_deed(kind: str) -> None:
    """What happened again later happened twice."""
    late = twice(kind, event_time="2024-06-01T00:00:00Z")
    assert WRONG[kind] in accused(late)


def test_more_than_the_repeat_is_still_too_much() -> None:
    """A repeat explains what it brings, and nothing beyond it."""
    world = World()
    for name in ("MAKER", "SHOP"):
        world.site(name)
    world.product("P")
    world.make(0, "MAKER", "L", 100.0)
    wrong = world.ship(10, "MAKER", "SHOP", "L", quantity=100.0)
    for name in ("one", "two"):
        world.receive(40, "SHOP", "L", quantity=100.0, event_id=name)
    assert not accused(world)
    world.receive(41, "SHOP", "L", quantity=100.0, event_id="more")
    assert wrong in flagged("custody_gap", world)


@pytest.mark.parametrize("kind", WRONG)
def test_a_run_that_goes_on_knows_of_repeats(kind: str) -> None:
    """The repeat comes after the run; whoever it is about is asked again."""
    world = twice(kind)
    detectors = [one for one in BUILT_IN if one.name in RULES]
    follower = Follower(detectors)
    for size in (len(whole().entries), len(world.entries) - 1, len(world.entries)):
        frames = cut(world, size)
        done, flags = follower.go_on(frames)
        assert_same(done, flags, run(frames, detectors, tree_size=size, root=ROOT))
