"""Worlds with one wrong planted in each, and clean ones; by the detector that must see it."""

from __future__ import annotations

import random
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from frame_factories import BREMEN, HAMBURG, ROOT, SHANGHAI, World, chain
from learned_worlds import reviewed
from planted_labour import LABOUR, SUBJECT, workplaces
from planted_routes import ROUTES, clean_trade

from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from detectors.run import RunResult
    from graph.frames import Frames


class Planted(NamedTuple):
    """A world and the subject that must be flagged in it."""

    world: World
    subject: str


def travel() -> Planted:
    """8,900 km by sea in a day."""
    world = chain(World())
    world.site("YARD", SHANGHAI)
    world.make(100, "YARD", "X1")
    world.ship(110, "YARD", "FARM", "X1", "SX", transport_mode="sea")
    wrong = world.receive(134, "FARM", "X1", "SX")
    return Planted(world, wrong)


def custody() -> Planted:
    """A trader ships a lot that never came to it."""
    world = chain(World())
    world.site("TRADER", BREMEN)
    wrong, _ = world.send(120, "TRADER", "SHOP", "C0", "SX", product="COTTON", quantity=50.0)
    return Planted(world, wrong)


def balance() -> Planted:
    """150 shirts from cotton for a hundred."""
    world = chain(World())
    world.make(2000, "FARM", "CX", 200.0, "COTTON")
    world.send(2005, "FARM", "MILL", "CX", "RX", 1.0, quantity=200.0, product="COTTON")
    wrong = world.turn(2060, "MILL", [("COTTON", "CX")], "TX", 150.0, "SHIRT")
    return Planted(world, wrong)


def spinners(over: float = 0.0, since: int = 20, others: float = 0.0) -> tuple[World, list[str]]:
    """Two mills that waste 0 to 2 %, one of which makes `over` more from its batch `since` on."""
    world, dice, batches = World(), random.Random(11), []
    for name in ("FARM", "ONE", "TWO"):
        world.site(name)
    world.product("COTTON")
    world.product("YARN", input_product_id="COTTON", input_units_per_output_unit=2.0)
    for n in range(50):
        for mill, more in (("ONE", over if n >= since else 0.0), ("TWO", others)):
            lot, hour = f"{mill}{n}", 48.0 * n
            world.make(hour, "FARM", lot, 400.0, "COTTON")
            world.send(
                hour + 1, "FARM", mill, lot, f"S{lot}", 0.5, quantity=400.0, product="COTTON"
            )
            made = round(200 * (1 - 0.02 * dice.random() + more), 2)
            used: list[tuple[str, str] | tuple[str, str, float]] = [("COTTON", lot, 400.0)]
            done = world.turn(hour + 20, mill, used, f"Y{lot}", made, "YARN")
            if mill == "ONE":
                batches.append(done)
    return world, batches


def stretched() -> Planted:
    """Three in a hundred too much in every batch: the tenth of them is one too many."""
    world, batches = spinners(over=0.03, since=SINCE)
    return Planted(world, batches[SINCE + STRETCHED])


SINCE, STRETCHED = 32, 9


def listed() -> Planted:
    """Cotton that left a listed region."""
    world = chain(World())
    world.listed("region", "XX-01")
    world.site("FIELD", SHANGHAI, country="XX", region="XX-01")
    world.make(100, "FIELD", "X1", 200.0, "COTTON")
    wrong, _ = world.send(110, "FIELD", "MILL", "X1", "SX", 40, product="COTTON", quantity=200.0)
    return Planted(world, wrong)


def hours() -> Planted:
    """A month of 60-hour weeks where 48 are allowed."""
    world = chain(World())
    return Planted(world, world.month("SHOP", "2024-05", avg_weekly_hours=60.0))


def wages() -> Planted:
    """A month at 8 an hour where 12 are due."""
    world = chain(World())
    return Planted(world, world.month("SHOP", "2024-05", gross_wages=100 * 40 * 52 / 12 * 8.0))


def legs_world(legs: int = 900, seed: int = 5) -> World:
    """Many ordinary legs between four sites in half a year, each value with its own spread."""
    world, dice = World(), random.Random(seed)
    places = {"A": HAMBURG, "B": BREMEN, "C": (52.5, 13.4), "D": (48.1, 11.6)}
    for name, at in places.items():
        world.site(name, at)
    world.product("P", unit_weight_kg=1.0)
    for n in range(legs):
        a, b = dice.sample(sorted(places), 2)
        odd = n == legs - 40
        hour = 4.5 * n
        quantity = 100 * dice.lognormvariate(0, 0.3) * (9 if odd else 1)
        weight = quantity * dice.lognormvariate(0, 0.05) * (1.8 if odd else 1)
        value = quantity * 12 * dice.lognormvariate(0, 0.1) / (4 if odd else 1)
        days = 2 * dice.lognormvariate(0, 0.2) * (6 if odd else 1)
        more = {
            "gross_weight": round(weight, 3),
            "weight_unit": "kg",
            "transport_mode": "road",
        }
        more |= {"declared_value_usd": round(value, 2), "quantity": round(quantity, 2)}
        world.make(hour - dice.uniform(20, 60) * (12 if odd else 1), a, f"L{n}", quantity)
        ship, _ = world.send(hour, a, b, f"L{n}", f"S{n}", days, **more)
        if odd:
            world.odd = ship  # type: ignore[attr-defined]
    return world


def unusual_leg() -> Planted:
    """One leg that is far from usual in five ways at once."""
    world = legs_world()
    return Planted(world, world.odd)  # type: ignore[attr-defined]


def months_world(sites: int = 50, seed: int = 5) -> World:
    """Half a year of ordinary months at many sites."""
    world, dice = World(), random.Random(seed)
    world.limit()
    for s in range(sites):
        name, heads = world.site(f"F{s}"), round(dice.uniform(50, 400))
        for n in range(6):
            hours = 40 + dice.gauss(0, 1)
            total = heads * hours * 52 / 12
            world.month(
                name,
                f"2024-{n + 1:02d}",
                headcount=round(heads * dice.lognormvariate(0, 0.03)),
                avg_weekly_hours=round(hours, 2),
                total_hours=round(total * dice.lognormvariate(0, 0.03), 1),
                gross_wages=round(total * 15 * dice.lognormvariate(0, 0.03), 2),
                output_units=round(total * 0.7 * dice.lognormvariate(0, 0.08)),
            )
    return world


def unusual_month() -> Planted:
    """One month that is far from usual in four ways at once."""
    world = months_world()
    wrong = world.month(
        "F3",
        "2024-07",
        headcount=20.0,
        avg_weekly_hours=25.0,
        total_hours=60_000.0,
        gross_wages=400_000.0,
        output_units=400_000.0,
    )
    return Planted(world, wrong)


def confirmed() -> Planted:
    """An open flag on a carrier whose flags people confirmed."""
    return Planted(*reviewed())


def _of_trade(name: str) -> Callable[[], Planted]:
    return lambda: Planted(*ROUTES[name]())


def _at_work(name: str) -> Callable[[], Planted]:
    return lambda: Planted(LABOUR[name](), SUBJECT)


PLANTED: dict[str, Callable[[], Planted]] = {
    "impossible_travel": travel,
    "custody_gap": custody,
    "mass_balance": balance,
    "repeated_excess": stretched,
    "listed_source": listed,
    "excess_hours": hours,
    "wage_below_minimum": wages,
    "confirmed_before": confirmed,
    "unusual_overall_legs": unusual_leg,
    "unusual_overall_months": unusual_month,
    **{name: _of_trade(name) for name in ROUTES},
    **{name: _at_work(name) for name in LABOUR},
}


@cache
def concluded(name: str) -> tuple[Planted, Frames, RunResult]:
    """The planted world of a detector and what that detector concludes; nobody changes it."""
    planted = PLANTED[name]()
    frames = planted.world.frames()
    detector = next(one for one in BUILT_IN if one.name == name)
    result = run(frames, [detector], tree_size=frames.position, root=ROOT)
    assert result.errors == ()
    return planted, frames, result


def clean_for(name: str) -> World:
    """A world with nothing planted that the detector has enough cases in; nobody changes it."""
    return _clean(_CLEAN.get(name, _plain))


def clean_frames(name: str) -> Frames:
    """The same as frames. Detectors that judge one kind of record are given the same ones."""
    return _clean_frames(_CLEAN.get(name, _plain))


def _plain() -> World:
    world = chain(World())
    world.listed("region", "XX-01")
    return world


_CLEAN: dict[str, Callable[[], World]] = {
    "confirmed_before": lambda: reviewed(suspect=False)[0],
    "repeated_excess": lambda: spinners()[0],
    "unusual_overall_legs": lambda: legs_world(300),
    "unusual_overall_months": lambda: months_world(20),
    **dict.fromkeys(ROUTES, clean_trade),
    **dict.fromkeys(LABOUR, workplaces),
}


@cache
def _clean(made: Callable[[], World]) -> World:
    return made()


@cache
def _clean_frames(made: Callable[[], World]) -> Frames:
    return _clean(made).frames()
