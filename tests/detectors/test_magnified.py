"""Quantities of another magnitude accuse nobody; quantities that are a few times too many do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asking import flagged, reasons
from following import Follower, assert_same, cut
from frame_factories import ROOT, World

from detectors.goods.magnified import MAGNIFIED
from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = ("custody_gap", "phantom_shipment")
EXPLAINED = f"explained by {MAGNIFIED}"


def lots(figure: Callable[[str, int], float]) -> World:
    """Forty lots are made, sent on and sent on again, each figure times what is asked for."""
    world = World()
    world.product("P")
    for site in ("A", "B", "C"):
        world.site(site)
    for n in range(40):
        hour, lot = 24.0 * 7 * n, f"L{n}"
        amounts = {kind: (400.0 + n) * figure(kind, n) for kind in ("make", "out", "in", "on")}
        world.make(hour, "A", lot, amounts["make"])
        world.ship(hour + 5, "A", "B", lot, f"S{n}", amounts["out"], event_id=f"out {n}")
        world.receive(hour + 30, "B", lot, f"S{n}", amounts["in"], event_id=f"in {n}")
        world.ship(hour + 60, "B", "C", lot, f"T{n}", amounts["on"], event_id=f"on {n}")
        world.receive(hour + 90, "C", lot, f"T{n}", amounts["on"], event_id=f"end {n}")
    return world


def slip(kind: str, times: float) -> World:
    """Every fifth figure of a kind is so many times too large."""
    return lots(lambda own, n: times if own == kind and n % 5 == 2 else 1.0)


@pytest.mark.parametrize(("kind", "times"), [("make", 1e-3), ("out", 1e3), ("on", 1e3)])
def test_figures_of_another_magnitude_are_no_goods_from_nowhere(kind: str, times: float) -> None:
    """Grams in a column of kilograms: what rests on that figure is counted, and accuses nobody."""
    world = slip(kind, times)
    for name in RULES:
        assert not [one for one in flagged(name, world).values() if not one.likely_benign]
    assert EXPLAINED in {reason for name in RULES for reason in reasons(name, world)}


@pytest.mark.parametrize("times", [2.0, 20.0])
def test_a_few_times_too_many_is_no_slip_of_magnitude(times: float) -> None:
    """Whoever ships twice, or twenty times, what it made has to answer for it."""
    found = flagged("phantom_shipment", slip("out", times))
    assert {f"out {n}" for n in range(2, 40, 5)} <= set(found)


def test_one_figure_covers_no_other_holder_of_the_lot() -> None:
    """A figure of another magnitude at the maker explains nothing at who got the lot."""

    def figure(kind: str, n: int) -> float:
        return {"make": 1e3, "on": 1.5}.get(kind, 1.0) if n == 7 else 1.0

    assert "on 7" in flagged("custody_gap", lots(figure))


def test_small_rests_and_large_loads_of_a_site_are_no_slips() -> None:
    """A site that sends single pieces besides thousands of them: the lot bears both out."""
    world = World()
    world.product("P", "unit")
    for site in ("A", "B"):
        world.site(site)
    for n in range(30):
        lot, large = f"L{n}", n % 10 == 0
        amount = 5000.0 if large else 5.0
        world.make(24.0 * n, "A", lot, amount)
        sent = amount * (1.5 if n == 20 else 1.0)
        world.ship(24.0 * n + 5, "A", "B", lot, f"S{n}", sent, event_id=f"out {n}")
    assert "out 20" in flagged("phantom_shipment", world)


@pytest.mark.parametrize("kind", ["make", "on"])
def test_a_run_that_goes_on_knows_of_slips_of_magnitude(kind: str) -> None:
    """Whatever comes later, the answers are those of a run over all."""
    world = slip(kind, 1e3 if kind == "on" else 1e-3)
    detectors = [one for one in BUILT_IN if one.name in RULES]
    follower, size = Follower(detectors), len(world.entries)
    for part in (size // 2, size - 17, size - 1, size):
        frames = cut(world, part)
        done, flags = follower.go_on(frames)
        assert_same(done, flags, run(frames, detectors, tree_size=part, root=ROOT))
