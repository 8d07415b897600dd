"""Lots that nothing shows being made, where the record itself has gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asking import flagged as custody
from asking import reasons
from frame_factories import BREMEN, HAMBURG, ROOT, World

from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Collection

    from detectors.run import RunResult

PHANTOM = [one for one in BUILT_IN if one.name == "phantom_shipment"]
DAY = 24.0


def sites() -> World:
    """A maker, and who buys."""
    world = World()
    world.product("P")
    for site, place in (("A", HAMBURG), ("B", BREMEN)):
        world.site(site, place)
    return world


def daily(
    world: World, days: Collection[int], unmade: Collection[int] = (), unsent: Collection[int] = ()
) -> None:
    """Every day a lot is made, leaves five hours later and arrives; some of it unrecorded."""
    for day in days:
        lot, shipment = f"L{day}", f"S{day}"
        if day not in unmade:
            world.make(DAY * day, "A", lot)
        if day not in unsent:
            world.ship(DAY * day + 5, "A", "B", lot, shipment, event_id=f"ship {day}")
        world.receive(DAY * day + 9, "B", lot, shipment, event_id=f"receive {day}")


def judged(world: World) -> RunResult:
    """One run of the detector."""
    frames = world.frames()
    result = run(frames, PHANTOM, tree_size=frames.position, root=ROOT)
    assert not result.errors
    return result


def flagged(result: RunResult) -> set[str]:
    """The events that carry a flag."""
    return {one.subject_id for one in result.flags}


def test_a_lot_from_a_time_of_which_nothing_is_recorded_is_no_phantom() -> None:
    """Right after two months without any event it may have been made in them; later not."""
    world = sites()
    daily(world, [*range(30), *range(90, 120)], unmade=[90, 110])
    result = judged(world)
    assert flagged(result) == {"ship 110", "receive 110"}
    (left_out,) = result.abstentions
    assert (left_out.reason, left_out.count) == (
        "a lot from a time of which nothing is recorded", 1,
    )  # fmt: skip


def stocked(first: int) -> World:
    """Lots lie ten days; the record begins on a day, and a lot from nowhere leaves twice."""
    world = sites()
    for day in range(60):
        for kind in ("make", "ship", "receive"):
            at = DAY * (day if kind == "make" else day + 10)
            if at < DAY * first:
                continue
            if kind == "make":
                world.make(at, "A", f"L{day}")
            elif kind == "ship":
                world.ship(at, "A", "B", f"L{day}", f"S{day}", event_id=f"ship {day}")
            else:
                world.receive(at + 9, "B", f"L{day}", f"S{day}", event_id=f"receive {day}")
    for day in (first + 5, first + 30):
        world.ship(DAY * day + 1, "A", "B", f"X{day}", f"T{day}", event_id=f"nowhere {day}")
    return world


def test_what_lay_in_store_when_the_record_began_is_no_phantom() -> None:
    """A record that begins in mid-trade shows lots leave that came before; later ones it must."""
    result = judged(stocked(first=20))
    assert flagged(result) == {"nowhere 50"}
    (left_out,) = result.abstentions
    assert (left_out.reason, left_out.count) == (
        "a lot that may have been there before the record began", 11,
    )  # fmt: skip


def test_a_record_that_begins_with_the_trade_is_complete() -> None:
    """Where the first lots have a history, one without is from nowhere from the first day on."""
    assert flagged(judged(stocked(first=0))) == {"nowhere 5", "nowhere 30"}


def test_the_last_event_before_a_pause_is_not_after_it() -> None:
    """What leaves last of all, and unmade, left while everything was recorded."""
    world = sites()
    daily(world, [*range(30), *range(90, 120)])
    world.ship(24 * 30, "A", "B", "X", "last", event_id="last")
    assert flagged(judged(world)) == {"last"}


def test_a_site_that_often_pauses_has_no_pause_to_speak_of() -> None:
    """Who works every other month could have recorded what was made then."""
    world = sites()
    daily(world, [*range(30), *range(90, 120), *range(180, 210)], unmade=[90])
    assert flagged(judged(world)) == {"ship 90", "receive 90"}


@pytest.mark.parametrize("unsent", [(), (7, 17, 27)])
def test_where_events_get_lost_a_missing_making_is_one_of_them(unsent: tuple[int, ...]) -> None:
    """Three of forty makings are missing: lost, if as many shipments of what arrived are, too."""
    world = sites()
    daily(world, range(40), unmade=[5, 15, 25], unsent=unsent)
    result = judged(world)
    assert flagged(result) == (
        set()
        if unsent
        else {f"{kind} {day}" for kind in ("ship", "receive") for day in (5, 15, 25)}
    )
    assert sum(one.count for one in result.abstentions) == (3 if unsent else 0)


def test_where_lots_are_left_out_a_missing_making_may_be_one_without() -> None:
    """A shipment whose lot nobody wrote down shows no more of it than one that is missing."""
    world = sites()
    daily(world, range(40), unmade=[5, 15, 25], unsent=[7, 17, 27])
    for day in (7, 17, 27):
        world.ship(DAY * day + 5, "A", "B", None, f"S{day}")
    assert not flagged(judged(world))


def test_what_was_sent_back_to_its_maker_may_be_there_again() -> None:
    """A lot goes out to be dyed and returns; nobody scanned the return, and the maker sells it."""
    for returned in (True, False):
        world = sites()
        daily(world, range(10))
        world.make(300, "A", "X")
        world.send(310, "A", "B", "X", "out", 1)
        if returned:
            world.ship(350, "B", "A", "X", "back")
        world.ship(400, "A", "B", "X", "sold", event_id="sold")
        assert flagged(judged(world)) == (set() if returned else {"sold"})


@pytest.mark.parametrize("other", [100.0, 90.0])
def test_one_number_in_every_quantity_balances_nothing(other: float) -> None:
    """Each lot comes once and goes to two shops: with one number throughout that is no surplus."""
    world = sites()
    world.site("C", BREMEN)
    for n in range(20):
        world.make(24 * n, "A", f"L{n}", other if n == 5 else 100.0)
        world.send(24 * n + 5, "A", "B", f"L{n}", f"S{n}", 1)
        world.send(24 * n + 9, "A", "C", f"L{n}", f"T{n}", 1)
    assert bool(flagged(judged(world))) is (other != 100.0)


@pytest.mark.parametrize(("sent_at", "phantom"), [(500.0, False), (None, True), (600.0, True)])
def test_what_was_shipped_to_a_site_may_have_come_unscanned(
    sent_at: float | None, *, phantom: bool
) -> None:
    """Farms record no making: a lot they shipped to the buyer came there, unless sent later."""
    world = sites()
    world.site("F", HAMBURG)
    for n in range(10):
        world.send(24 * n, "F", "A", f"L{n}", f"in {n}", 5)
        world.send(24 * n + 9, "A", "B", f"L{n}", f"out {n}", 5)
    if sent_at is not None:
        world.ship(sent_at, "F", "A", "X", "unscanned")
    world.ship(550, "A", "B", "X", "on", event_id="on")
    assert flagged(judged(world)) == ({"on"} if phantom else set())


def alike(makings: int) -> World:
    """Two makers call their lots alike; of the second, some makings are in the record."""
    world = World()
    world.product("P")
    for site in ("A", "B", "SHOP"):
        world.site(site)
    for day in range(10):
        for maker, hour in (("A", 0), ("B", 6)):
            if (maker == "A" and makings) or day < makings:
                world.make(DAY * day + hour, maker, f"L{day}" if maker == "A" else f"B{day}")
            lot = f"L{day}" if maker == "A" or day >= makings else f"B{day}"
            world.send(DAY * day + hour + 2, maker, "SHOP", lot, f"{maker}{day}")
    return world


def test_lots_of_the_same_name_are_no_gap_where_no_making_is_recorded() -> None:
    """A lot that both ship did not jump from one to the other, where neither has a history."""
    world = alike(makings=0)
    assert not custody("custody_gap", world)
    assert len(reasons("custody_gap", world)["a shipper whose lots have no history"])


def test_a_maker_whose_lots_have_a_history_is_asked_for_what_it_never_got() -> None:
    """Whoever makes its lots, and ships somebody else's, has a gap of custody."""
    assert len(custody("custody_gap", alike(makings=9))) == 1
