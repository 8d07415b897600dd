"""What is usual, told by the quarters that are over."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from following import Follower, assert_same
from frame_factories import ROOT, START, World, chain
from hypothesis import given, settings
from hypothesis import strategies as st
from test_apart import happens, three_sites

from detectors.custody_gap import unseen_is_ordinary
from detectors.features import Features
from detectors.goods.clones import passing_on
from detectors.goods.exactness import holding_limits
from detectors.goods.histories import makings_get_lost, with_history
from detectors.goods.pauses import pauses
from detectors.onward.watched import Watched
from detectors.past import LEAST_QUARTERS, before, settle
from detectors.reconciled import customary
from detectors.registry import BUILT_IN
from detectors.routes.origin_laundering import changes_often
from detectors.routes.phantom_shipment import has_unique_bills
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

USUAL: list[Callable[[Features], Any]] = [
    changes_often, customary, has_unique_bills, holding_limits, makings_get_lost, passing_on,
    pauses, unseen_is_ordinary, with_history,
]  # fmt: skip
QUARTER = 2_200.0
"""Hours of a quarter, at least."""
YEARS: list[int] = [0, 20_000]


def alone(world: World, end: int) -> World:
    """What happened before a moment, in a world of its own."""
    early = World(world.party)
    for version, content in world.entries:
        if version == "event/1":
            at = datetime.fromisoformat(content["event_time"]).timestamp()
            if at * 1e6 >= end:
                continue
        early.entries.append((version, content))
    return early


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(5, 30))
def test_what_is_usual_rests_on_the_quarters_that_are_over_alone(seed: int, size: int) -> None:
    """It is what the record would say that ended with them; kept and read again, it is the same."""
    dice, world = random.Random(seed), three_sites()
    for number in range(size):
        happens(world, dice, f"E{number}", 20_000.0)
    shared, watched = Features(world.frames()), Watched(world.frames(), seed=1)
    settled = Features(world.frames())
    settle(settled)
    end = before(shared)
    told = Features((world if end is None else alone(world, end)).frames())
    for make in USUAL:
        # The cut record has a last quarter, too: nothing of it is left out.
        expected = getattr(make, "__wrapped__")(told)  # noqa: B009 - mypy knows no wrapper
        assert shared.yardstick(make) == expected
        assert watched.yardstick(make) == expected
        assert settled.yardstick(make) == expected


@pytest.mark.parametrize("quarters", [LEAST_QUARTERS - 1, LEAST_QUARTERS])
def test_a_record_of_less_than_a_year_is_its_own_yardstick(quarters: int) -> None:
    """The quarter that is not over is left out once so many others are."""
    world = three_sites()
    world.ship(1, "A", "B", "L1", "S1")
    world.ship(1 + quarters * QUARTER, "A", "B", "L2", "S2")
    found = before(Features(world.frames()))
    if quarters < LEAST_QUARTERS:
        assert found is None
    else:
        assert found == datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1e6
    assert datetime(2024, 1, 1, tzinfo=UTC) == START


@pytest.mark.parametrize(("hour", "made"), [(9_000.0, 0), (50.0, 1)])
def test_what_is_usual_is_made_anew_only_if_something_happened_then(
    hour: float, made: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens this quarter asks for nothing; what comes in late does. Flags are the same."""
    asked: list[str] = []
    own = Watched._of_the_past
    detectors = [one for one in BUILT_IN if one.name == "phantom_shipment"]
    world = chain(World(), lots=3)
    for number in range(4):
        world.make(8_800 + number, "FARM", f"N{number}", product="COTTON")
        world.ship(8_900 + number, "FARM", "MILL", f"N{number}", f"N{number}", product="COTTON")
    follower = Follower(detectors)
    follower.go_on(world.frames())

    def noted(self: Watched, name: str, make: Any) -> Any:
        known = own(self, name, make)
        if self._earlier.get(name) is not known:
            asked.append(name)
        return known

    monkeypatch.setattr(Watched, "_of_the_past", noted)
    world.ship(hour, "FARM", "MILL", "N9", "N9", product="COTTON")
    frames = world.frames()
    done, flags = follower.go_on(frames)
    again = len(asked)
    assert_same(done, flags, run(frames, detectors, tree_size=frames.position, root=ROOT))
    assert bool(again) == bool(made)
