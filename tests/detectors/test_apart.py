"""Goods that no event joins: asked about each for itself, with the answers of a whole run."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from following import Follower, assert_same
from frame_factories import HAMBURG, ROOT, SHANGHAI, World
from hypothesis import given, settings
from hypothesis import strategies as st
from test_standing_flags import Teller

from detectors.onward.answers import Asking
from detectors.onward.apart import goods
from detectors.onward.watched import Watched
from detectors.partition import Apart
from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from detectors.base import Case

APART = [one for one in BUILT_IN if hasattr(one, "apart") and one.name != "mass_balance"]
"""Of goods; what draws on the same stock has a test of its own."""


@pytest.fixture
def in_part(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the detectors that were asked in part."""
    names: list[str] = []
    ask = Asking._ask_in_part

    def noted(asking: Asking, answer: Any, kept: Any) -> bool:
        done = ask(asking, answer, kept)
        names.extend([answer.detector.name] * done)
        return done

    monkeypatch.setattr(Asking, "_ask_in_part", noted)
    return names


def happens(world: World, dice: random.Random, name: str, hours: float = 300.0) -> None:
    """Something moves, is sold or turned into another lot; lots and papers are few."""
    lot, site = f"L{dice.randrange(6)}", dice.choice("ABC")
    hour, shipment = dice.uniform(0, hours), dice.choice([None, f"S{dice.randrange(5)}"])
    bill = dice.choice([None, None, f"B{dice.randrange(3)}"])
    more: dict[str, Any] = {"bill_of_lading": bill, "event_id": name}
    more["declared_origin_country"] = dice.choice([None, "DE", "DE", "CN"])
    match dice.randrange(6):
        case 0 | 1:
            world.ship(hour, site, dice.choice("ABC"), dice.choice([lot, None]), shipment, **more)
        case 2 | 3:
            world.receive(hour, site, dice.choice([lot, None]), shipment, **more)
        case 4:
            pieces = [f"N{dice.randrange(4)}"] if dice.random() < 0.5 else []
            items = [{"party": world.party, "product_id": "P", "quantity": 1.0}]
            items[0] |= {"serial_ids": pieces, "lot_id": lot if dice.random() < 0.7 else None}
            world.event(dice.choice(["sell", "produce"]), hour, site, items=items, event_id=name)
        case _:
            world.turn(hour, site, [("P", lot)], f"L{dice.randrange(6)}", 10.0, "P")


def three_sites() -> World:
    """Two places near each other, and one far away."""
    world = World()
    world.product("P")
    for site, place in (("A", HAMBURG), ("B", HAMBURG), ("C", SHANGHAI)):
        world.site(site, place)
    return world


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), sizes=st.lists(st.integers(1, 8), min_size=2, max_size=3))
def test_goods_asked_apart_say_what_a_whole_run_says(seed: int, sizes: list[int]) -> None:
    """Whatever moves, joins or is judged again: same flags, word for word, same counts, reasons."""
    dice, world = random.Random(seed), three_sites()
    hours, follower = dice.choice([300.0, 20_000.0]), Follower(APART)
    for step, size in enumerate([20, *sizes]):
        for number in range(size):
            happens(world, dice, f"{step}x{number}", hours)
        frames = world.frames()
        done, flags = follower.go_on(frames)
        whole = run(frames, APART, tree_size=frames.position, root=ROOT)
        assert_same(done, flags, whole)


def joined_by_hand(world: World) -> list[set[int]]:
    """The entries that lots, shipments, bills, serials and ids join: a naive twin."""
    groups: list[tuple[set[Any], set[int]]] = []
    for index, (version, content) in enumerate(world.entries):
        if version != "event/1":
            continue
        lots = {("lot", one["lot_id"]) for one in content["items"] if one.get("lot_id")}
        serials = {
            (one["product_id"], x) for one in content["items"] for x in one.get("serial_ids", ())
        }
        papers = ("event_id", "shipment_id", "bill_of_lading")
        keys = lots | serials | {(name, content[name]) for name in papers if content.get(name)}
        near = [one for one in groups if one[0] & keys]
        groups = [one for one in groups if not one[0] & keys]
        members = {index}.union(*(members for _, members in near))
        groups.append((keys.union(*(keys for keys, _ in near)), members))
    return [members for _, members in groups]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 15))
def test_goods_are_what_events_join(seed: int, size: int) -> None:
    """Rows belong together exactly if a chain of lots, shipments, bills, serials and ids joins
    them; what a transformation used is no link to what it made.
    """
    dice, world = random.Random(seed), three_sites()
    for number in range(size):
        happens(world, dice, f"E{number}")
    shared = Watched(world.frames(), seed=1)
    entries = shared.rows["index"].to_numpy()
    groups = joined_by_hand(world)
    for moved in [{int(entry)} for entry in entries] + [set(entries[::4].tolist())]:
        found = goods(shared, np.isin(entries, list(moved)))
        expected = set().union(*(one for one in groups if one & moved))
        assert set(entries[found].tolist()) == expected


def shipped_early(world: World, lot: str, hour: float) -> None:
    """A lot is received an hour before the day on which it was shipped: no clock does that."""
    world.ship(hour + 9, "A", "B", lot, f"S-{lot}")
    world.receive(hour, "B", lot, f"S-{lot}")


def test_only_goods_that_moved_are_asked_about(in_part: list[str]) -> None:
    """What is handed out are the rows of the goods that moved, and of what used them up."""
    seen: list[list[str]] = []

    def look(case: Case) -> object:
        seen.append(sorted(case.shared.rows["lot_id"]))
        return 0

    teller = Teller(look)
    teller.apart = Apart()  # type: ignore[attr-defined]
    world = three_sites()
    for lot in ("L1", "L2", "L3"):
        world.make(1, "A", lot)
        world.event("ship", 5, "A", event_id=f"E-{lot}", items=world._item("P", lot, 1.0, None))
    world.turn(7, "A", [("P", "L2")], "L3", 1.0, "P")
    follower = Follower([teller])
    follower.go_on(world.frames())
    seen.clear()
    world.event("sell", 9, "A", items=world._item("P", "L2", 1.0, None))
    done, flags = follower.go_on(world.frames())
    assert_same(done, flags, run(world.frames(), [teller], tree_size=1, root=ROOT))
    assert in_part == ["teller"]
    assert seen[0] == ["L2", "L2", "L2", "L3"]
    assert {one.subject for one in done.standing} == {"E-L1", "E-L3"}


def test_a_yardstick_that_moved_asks_about_everything(in_part: list[str]) -> None:
    """A site turns out to have a slow clock: older receipts there are slips, too, now."""
    detectors = [one for one in APART if one.name == "temporal_order"]
    world, follower = three_sites(), Follower(detectors)
    for number in range(2):
        shipped_early(world, f"L{number}", 30.0 * number)
    asked: list[int] = []
    for more in range(3):
        frames = world.frames()
        done, flags = follower.go_on(frames)
        assert_same(done, flags, run(frames, detectors, tree_size=frames.position, root=ROOT))
        asked.append(len(in_part))
        world.send(500 + more, "A", "C", f"N{more}", f"N{more}", 30) if not more else None
        shipped_early(world, "L2", 100.0) if more else None
    assert asked == [0, 1, 1]
    assert {flag["likely_benign"] for flag in flags.values()} == {True}


def test_who_asks_how_late_it_is_must_say_for_how_long_that_matters(in_part: list[str]) -> None:
    """Without a horizon it is asked about everything; with one, about younger goods, too."""

    def look(case: Case) -> object:
        return 0

    def listed(shared: Any) -> Any:
        rows = shared.rows[shared.rows["kind"] == "ship"]
        table = rows[["event_id", "party", "index"]].reset_index(drop=True)
        table.columns = ["subject_id", "subject_party", "index"]
        age = (shared.last_time - rows["at"].to_numpy()) / (24 * 3_600_000_000)
        return table.assign(old=np.minimum(age, 10.0))

    found: dict[int | None, int] = {}
    for days in (None, 10):
        in_part.clear()
        teller = Teller(lambda case: case.row["old"], listed=listed)
        teller.apart = Apart(horizon_days=days)  # type: ignore[attr-defined]
        world, follower = three_sites(), Follower([teller])
        for number in range(5):
            world.ship(24.0 * 5 * number, "A", "B", f"L{number}", f"S{number}")
        follower.go_on(world.frames())
        world.ship(24.0 * 22, "A", "B", "L9", "S9")
        done, flags = follower.go_on(world.frames())
        assert_same(done, flags, run(world.frames(), [teller], tree_size=1, root=ROOT))
        found[days] = len(done.standing) if in_part else -1
    assert found == {None: -1, 10: 2}


LATER: dict[str, Callable[[World], object]] = {
    "a shipment": lambda world: world.receive(90, "B", None, "S1", event_id="new"),
    "a site": lambda world: world.site("A", SHANGHAI),
    "nothing that moves": lambda world: world.month("A", "2024-02"),
}


@pytest.mark.parametrize("name", LATER)
def test_what_comes_later_is_told_as_a_whole_run_tells_it(name: str) -> None:
    """Two lots that a paper joins, a site that moves, a month: each asks for what rests on it."""
    world, follower = three_sites(), Follower(APART)
    for number in range(3):
        shipped_early(world, f"L{number}", 40.0 * number)
    world.ship(60, "A", "C", "L0", "S1")
    world.receive(61, "C", "L1", "S1")
    for step in range(2):
        frames = world.frames()
        done, flags = follower.go_on(frames)
        assert_same(done, flags, run(frames, APART, tree_size=frames.position, root=ROOT))
        if not step:
            LATER[name](world)
