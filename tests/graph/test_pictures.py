"""Pictures of recalls and networks: they say what the answer says; the docs show real ones."""

from __future__ import annotations

import importlib.util
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from graph_factories import ListLog, event, flag, item, record

from graph.drawing import network
from graph.drawing.cards import cards
from graph.drawing.formats import html
from graph.drawing.recalled import lineage_of, recalled
from graph.drawing.svg import svg
from graph.questions.lanes import lanes
from graph.questions.recall import recall
from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance.entries import Tier

if TYPE_CHECKING:
    from graph.store import GraphStore
    from provenance.entries import Draft

SVG = "{http://www.w3.org/2000/svg}"
COTTON = "item:acme/COTTON/10/C1"
DOCS = Path(__file__).parent.parent.parent / "docs"


def moved(number: int, word: str, lot: str, ends: tuple[str, str], quantity: int) -> Draft:
    """A departure or an arrival."""
    start, end = ends
    told = {"from_facility_id": start, "to_facility_id": end, "shipment_id": f"S{lot}{start}{end}"}
    kind = {"quantity_unit": "kg"}
    return event(number, word, item("COTTON", lot, quantity, **kind), **told)


def network_log(sites: int = 3) -> ListLog:
    """Sites in a row, a lot that goes along them, one departure flagged, a way back."""
    names = [f"F{number}" for number in range(sites)]
    log = ListLog(
        [
            record("facility", facility_id=name, name=f"Site {name}", country="DE", tier=at)
            for at, name in enumerate(names)
        ]
    )
    log.append(event(0, "produce", item("COTTON", "C1", 100, quantity_unit="kg"), facility_id="F0"))
    for at, ends in enumerate(pairwise(names)):
        log.append(moved(10 * at + 1, "ship", "C1", ends, 50))
        log.append(moved(10 * at + 2, "receive", "C1", ends, 50))
    log.append(flag("E-1", subject_party="acme", severity="critical"))
    log.append(moved(500, "receive", "C9", (names[-1], "F0"), 7))
    return log


def loaded(log: ListLog) -> GraphStore:
    """The log as a graph."""
    store = MemoryStore()
    catch_up(log, store)
    return store


def test_lanes_count_each_shipment_once_and_know_their_flags() -> None:
    """Departure and arrival of one shipment are one; an arrival alone counts too."""
    answer = lanes(loaded(network_log()), Tier.PRIVATE)
    found = {(lane.src, lane.dst): lane for lane in answer.lanes}
    assert [one.key for one in answer.sites] == ["facility:F0", "facility:F1", "facility:F2"]
    first = found["facility:F0", "facility:F1"]
    assert (first.shipments, dict(first.quantities)) == (1, {"kg": 50})
    assert (first.flags, first.severity) == (1, "critical")
    assert found["facility:F2", "facility:F0"].shipments == 1
    assert found["facility:F1", "facility:F2"].flags == 0
    assert answer.position == network_log().size


def test_lanes_at_a_time_and_within_a_limit() -> None:
    """Later movements do not count; a limit says that it cut."""
    store = loaded(network_log())
    assert lanes(store, Tier.PRIVATE, at=0).lanes == ()
    assert lanes(store, Tier.PRIVATE, limit=1).truncated
    assert not lanes(store, Tier.PRIVATE).truncated
    assert lanes(store, Tier.PUBLIC).lanes == ()  # where goods came from is for partners


@pytest.mark.parametrize(("sites", "detail"), [(3, 60), (12, 4), (300, 60)])
def test_a_network_is_drawn_by_tier(sites: int, detail: int) -> None:
    """Every site is in one box, in the column of its tier; few boxes where there are many."""
    answer = lanes(loaded(network_log(sites)), Tier.PRIVATE)
    picture = network.network(answer, "Lanes", detail=detail)
    assert sorted(key for box in picture.boxes for key in box.keys) == [s.key for s in answer.sites]
    root = ET.fromstring(svg(picture))
    lefts = [float(group[1].get("x", 0)) for group in root.iter(f"{SVG}g") if _is_box(group)]
    places = {(box.column, left) for box, left in zip(picture.boxes, lefts, strict=True)}
    assert [left for _, left in sorted(places)] == sorted({left for _, left in places})
    assert "critical" in {arrow.severity for arrow in picture.arrows}
    assert svg(picture) == svg(network.network(answer, "Lanes", detail=detail))


def _is_box(group: Any) -> bool:
    return str(group.get("class", "")).endswith("place")


def test_lanes_for_other_programs() -> None:
    """DOT and GraphML name each site and lane once, whatever their names hold."""
    log = ListLog([record("facility", facility_id="F0", name='"]; evil', tier=0)])
    log.append(moved(1, "ship", "C1", ("F0", "F1"), 5))
    answer = lanes(loaded(log), Tier.PRIVATE)
    assert network.dot(answer).count(" -> ") == 1
    assert '\\"]; evil' in network.dot(answer)
    assert ET.fromstring(network.graphml(answer)).tag.endswith("graphml")


def test_a_recall_shows_who_holds_what() -> None:
    """Each holder is a box at the end of an arrow that says how much it holds."""
    store = loaded(network_log())
    answer = recall(store, COTTON, Tier.PRIVATE)
    lineage = lineage_of(store, answer, 100)
    picture = recalled(answer, lineage, cards(store, lineage), {}, "Recall")
    places = {box.lines[0]: box for box in picture.boxes if box.place}
    assert set(places) == {"F0", "F2"}
    assert "holds 50 kg" in places["F0"].lines
    assert [arrow.label for arrow in picture.arrows] == ["50 kg", "50 kg"]
    page = html(picture)
    assert "<script" not in page
    ET.fromstring(svg(picture))


@pytest.mark.parametrize("subject", ["facility:F1", "facility:F0"])
def test_a_recall_of_a_place_is_drawn(subject: str) -> None:
    """A recall need not begin with an item."""
    store = loaded(network_log())
    answer = recall(store, subject, Tier.PRIVATE)
    lineage = lineage_of(store, answer, 100)
    picture = recalled(answer, lineage, cards(store, lineage), {}, "Recall")
    drawn = {key for box in picture.boxes for key in box.keys}
    assert drawn == {one.item for one in answer.affected}


def test_the_pictures_of_the_docs_are_the_programs() -> None:
    """Each comes out of the program, from the samples, byte for byte."""
    spec = importlib.util.spec_from_file_location("make_pictures", DOCS / "make_pictures.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    for name, data in maker.drawn().items():
        assert maker.PLACE.joinpath(name).read_bytes() == data, f"{name}: see docs/make_pictures.py"
    shown = set(re.findall(r"pictures/([a-z]+\.svg)", (DOCS / "graph.md").read_text()))
    assert shown == set(maker.PICTURES)
