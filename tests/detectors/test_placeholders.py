"""What stands where nobody had anything to write joins nothing, and accuses nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from asking import reasons
from frame_factories import ROOT, World, chain

from detectors.features import Features
from detectors.registry import BUILT_IN
from detectors.run import run

if TYPE_CHECKING:
    from graph.frames import Frames

DETECTORS = [
    one
    for one in BUILT_IN
    if one.name in {"custody_gap", "phantom_shipment", "temporal_order", "mass_balance"}
]


def record(column: str, value: str) -> Frames:
    """A decent chain with bills of lading, of which every fourth event has a placeholder."""
    frames = chain(World(), lots=40).frames()
    events = frames.events
    events = events.assign(bill_of_lading="BL" + events["shipment_id"])
    hit = events[column].notna() & (events.index % 4 == 1)
    return replace(frames, events=events.assign(**{column: events[column].mask(hit, value)}))


def accused(frames: Frames) -> set[tuple[str, str]]:
    """Who is flagged, but for what is likely benign."""
    found = run(frames, DETECTORS, tree_size=frames.position, root=ROOT)
    assert found.errors == ()
    return {(one.type, one.subject_id) for one in found.flags if not one.likely_benign}


@pytest.mark.parametrize("value", ["UNKNOWN", "n/a", "Pending", "TBD", "-", "None"])
@pytest.mark.parametrize("column", ["shipment_id", "bill_of_lading"])
def test_placeholders_are_no_names(column: str, value: str) -> None:
    """Shipments under way together are not one because nobody had a number for them."""
    assert accused(record(column, value)) == set()


def test_a_lot_that_nobody_named_is_none() -> None:
    """Goods of an unknown lot are not judged as one lot, and the run says so."""
    world = chain(World())
    for n in range(6):
        world.send(100.0 * n, "MILL", "SHOP", "UNKNOWN", f"X{n}", product="SHIRT", quantity=9.0)
    assert accused(world.frames()) == set()
    assert len(reasons("custody_gap", world)["a shipment without a lot"]) == 5


def test_a_time_that_nobody_entered_is_unknown() -> None:
    """The first instant of 1970 is what a computer writes where there is nothing."""
    world = chain(World())
    frames = world.frames()
    start = frames.events["event_time"].iloc[0].replace(year=1970, month=1, day=1, hour=0)
    times = frames.events["event_time"]
    hit = frames.events.index % 5 == 2
    spoilt = replace(frames, events=frames.events.assign(event_time=times.mask(hit, start)))
    assert (~Features(spoilt).rows["timed"]).sum() == hit.sum()
    assert {kind for kind, _ in accused(spoilt)} <= {"mass_balance"}


def test_names_that_only_look_like_placeholders_are_names() -> None:
    """A lot called NAVY or UNK-7 is a lot."""
    world = World()
    for lot in ("NAVY", "UNK-7", "0", "TBD1"):
        world.make(0, "A", lot)
    assert Features(world.frames()).rows["has_lot"].all()
