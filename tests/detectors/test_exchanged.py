"""Dates whose day and month were read the wrong way round accuse nobody; other reversals do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from asking import ask, flagged, reasons
from following import Follower, assert_same, cut
from frame_factories import ROOT, START, World

from detectors.goods.exchanged import EXCHANGED
from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = ("temporal_order", "custody_gap", "phantom_shipment")
DAYS = 360


def lots(read: Callable[[str, int, datetime], datetime]) -> World:
    """A lot is made every third day, sent on at once and again two days later; dates as read."""
    world = World()
    world.product("P")
    for site in ("A", "B", "C"):
        world.site(site)

    def hour(kind: str, day: int, hours: float) -> float:
        when = START + timedelta(days=day, hours=hours)
        return (read(kind, day, when) - START) / timedelta(hours=1)

    for day in range(0, DAYS, 3):
        lot = f"L{day}"
        world.make(hour("make", day, 1), "A", lot)
        for way, start, ends in (("out", 3.0, "AB"), ("on", 75.0, "BC")):
            names = {"event_id": f"{way} {day}"}
            world.ship(hour(way, day, start), *ends, lot, f"{way}{day}", **names)
            names = {"event_id": f"in {way} {day}"}
            world.receive(hour(f"in {way}", day, start + 24), ends[1], lot, f"{way}{day}", **names)
    return world


def exchange(kind: str, share: int = 5) -> World:
    """One in so many events of a kind has day and month the wrong way round."""

    def read(own: str, day: int, when: datetime) -> datetime:
        hit = own == kind and when.day <= 12 and when.day != when.month and day // 3 % share == 0
        return when.replace(day=when.month, month=when.day) if hit else when

    return lots(read)


def late(days: int) -> World:
    """One receipt in five is dated so many days too early, for whatever reason."""

    def read(own: str, day: int, when: datetime) -> datetime:
        return when - timedelta(days=days) if own == "in out" and day // 3 % 5 == 0 else when

    return lots(read)


@pytest.mark.parametrize("kind", ["make", "out", "in out", "on", "in on"])
def test_dates_read_the_other_way_round_accuse_nobody(kind: str) -> None:
    """Who reads 3 May for 5 March has goods arrive before they leave; the run says so."""
    world = exchange(kind, share=2)
    for name in RULES:
        assert not {flag for flag, one in flagged(name, world).items() if not one.likely_benign}
    told = {reason for name in RULES for reason in reasons(name, world)}
    assert told & {EXCHANGED, f"explained by {EXCHANGED}"}


def test_what_no_other_reading_of_a_date_explains_stays_reversed() -> None:
    """A receipt of five days before its shipment is no date read the other way round."""
    found = flagged("temporal_order", late(5))
    assert len(found) == DAYS / 3 / 5
    assert EXCHANGED not in reasons("temporal_order", late(5))


def test_a_single_date_that_would_fit_proves_no_misreading() -> None:
    """Of a few reversals, some fit the other reading by chance: they stay."""
    world = exchange("in out", share=20)
    assert flagged("temporal_order", world)


def test_deeds_beside_misread_dates_are_still_found() -> None:
    """Where dates were misread, what does not fit any reading is a question still."""
    world = exchange("in out", share=2)
    world.make(24 * 300, "A", "EARLY")
    world.ship(24 * 300 - 30, "A", "B", "EARLY", "SX", event_id="early")
    world.receive(24 * 300 - 10, "B", "EARLY", "SX")
    world.ship(24 * 310, "C", "B", "NEVER", "SY", event_id="never")
    assert "early" in flagged("temporal_order", world)
    assert not ask("temporal_order", exchange("in out", share=2)).flags


def test_a_run_that_goes_on_knows_of_misread_dates() -> None:
    """Whatever comes later, the answers are those of a run over all."""
    world = exchange("in out", share=2)
    detectors = [one for one in BUILT_IN if one.name in RULES]
    follower, size = Follower(detectors), len(world.entries)
    for part in (size // 2, size - 40, size - 1, size):
        frames = cut(world, part)
        done, flags = follower.go_on(frames)
        assert_same(done, flags, run(frames, detectors, tree_size=part, root=ROOT))
