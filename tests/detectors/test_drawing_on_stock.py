"""Batches that draw on the same stock: asked about those that moved, with what all would say."""

from __future__ import annotations

import random
from typing import Any

import pytest
from following import Follower, assert_same
from frame_factories import ROOT, World

from detectors import reconciled, shortages
from detectors.features import Features
from detectors.goods import drift
from detectors.onward.answers import Asking
from detectors.onward.growing import Growing
from detectors.registry import BUILT_IN
from detectors.run import run

BALANCES = [one for one in BUILT_IN if one.name in {"mass_balance", "repeated_excess"}]
YEARS = 11_000.0
"""Hours of more quarters than tell what is usual."""


def mills() -> World:
    """Two mills that need 2 kg of cotton for a shirt, and one whose rate is not known."""
    world = World()
    for site in ("FARM", "M1", "M2"):
        world.site(site)
    world.product("COTTON")
    world.product("WOOL")
    for shirt in ("SHIRT", "VEST"):
        rate = {"input_product_id": "COTTON", "input_units_per_output_unit": 2.0}
        world.product(shirt, "kg", **rate)
    return world


def spins(world: World, dice: random.Random, name: str, hour: float) -> None:
    """Cotton comes, is passed on or spun; lots are few, so that batches share them."""
    lot, mill = f"C{dice.randrange(12)}", dice.choice(["M1", "M1", "M2"])
    match dice.randrange(5):
        case 0:
            world.make(hour, "FARM", lot, 200.0, "COTTON")
            given = {"quantity": 200.0, "product": "COTTON"}
            world.send(hour + 1, "FARM", mill, lot, f"S{name}", 20, **given)
        case 1:
            world.ship(hour, mill, "FARM", lot, f"S{name}", product="COTTON", quantity=20.0)
        case _:
            used: list[Any] = [("COTTON", lot), ("COTTON", f"C{dice.randrange(12)}")]
            used = dice.choice([used[:1], used[:1], used, [("COTTON", lot, 190.0)], []])
            if dice.random() < 0.1:
                used = [("WOOL", lot)]
            made = dice.choice(["SHIRT", "SHIRT", "SHIRT", "VEST"])
            world.turn(hour, mill, used, f"T{name}", dice.uniform(60, 110), made)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few batches tell what is usual."""
    monkeypatch.setattr(reconciled, "MANY", 5)
    monkeypatch.setattr(reconciled, "SEVERAL", 4)
    monkeypatch.setattr(shortages, "MANY", 5)
    monkeypatch.setattr(drift, "MANY", 4)


@pytest.fixture
def in_part(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked about, or made, in part."""
    names: list[str] = []
    ask, grow = Asking._ask_in_part, Growing._regrown

    def asked(asking: Asking, answer: Any, kept: Any) -> bool:
        done = ask(asking, answer, kept)
        names.extend([answer.detector.name] * done)
        return done

    def grown(growing: Growing, *given: Any) -> Any:
        made = grow(growing, *given)
        names.extend(["observed"] * (made is not None))
        return made

    monkeypatch.setattr(Asking, "_ask_in_part", asked)
    monkeypatch.setattr(Growing, "_regrown", grown)
    return names


@pytest.mark.usefixtures("few")
def test_batches_asked_apart_say_what_a_whole_run_says(in_part: list[str]) -> None:
    """Whatever comes, is shared, passed on or spun from nobody knows what: the same flags."""
    dice, world, follower = random.Random(18), mills(), Follower(BALANCES)
    for number in range(24):
        world.make(number, dice.choice(["M1", "M2"]), f"C{number % 12}", 900.0, "COTTON")
    world.make(1, "M1", "X", 200.0, "COTTON")
    world.turn(2, "M1", [("COTTON", "X")], "TX", 300.0, "SHIRT")
    for number in range(60):
        spins(world, dice, f"0x{number}", dice.uniform(0, YEARS))
    said = 0
    for step in range(1, 4):
        frames = world.frames()
        done, flags = follower.go_on(frames)
        assert_same(done, flags, run(frames, BALANCES, tree_size=frames.position, root=ROOT))
        said += len(flags)
        for number in range(3):
            # What is late moves what is usual; the rest does not.
            hour = dice.uniform(0, YEARS) if step == 3 else YEARS + 10 * step + number
            spins(world, dice, f"{step}x{number}", hour)
    assert said > 0
    assert {"mass_balance", "observed"} == set(in_part)


@pytest.mark.usefixtures("few")
def test_what_quarters_that_are_over_do_not_know_all_batches_tell() -> None:
    """Of a product, or a site's batches, that are new, those of today tell what is usual."""
    world = mills()
    for number in range(12):
        world.make(800.0 * number, "M1", f"C{number}", 200.0, "COTTON")
        world.turn(800.0 * number + 1, "M1", [("COTTON", f"C{number}")], f"T{number}", 100, "SHIRT")
    late = 9_500.0
    for number in range(6):
        world.make(late, "M2", f"D{number}", 200.0, "COTTON")
        world.turn(late + 1, "M2", [("COTTON", f"D{number}")], f"V{number}", 250, "VEST")
        world.make(late, "M2", f"E{number}", 200.0, "COTTON")
        world.turn(late + 1, "M2", [("COTTON", f"E{number}")], f"U{number}", 80, "SHIRT")
    table = reconciled.reconciled(Features(world.frames())).table
    found = table.drop_duplicates(["site", "product_id"]).set_index(["site", "product_id"])
    assert found["usual"].to_dict() == {
        ("M1", "SHIRT"): 200.0, ("M2", "SHIRT"): 160.0, ("M2", "VEST"): 500.0,
    }  # fmt: skip
    assert found.index[found["wrong_rate"]].tolist() == [("M2", "VEST")]
