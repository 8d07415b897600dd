"""Stencils: whatever an event holds, they state what `project_event` states, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from graph_factories import ListLog, event, item
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.changes import Changes
from graph.events import project_event
from graph.facts import Facts, form_of
from graph.model import cut
from graph.opened import layers_of
from graph.project import project
from graph.stencils import Alike, Stencils
from provenance.disclosure.tiers import TierPolicy
from provenance.entries import Draft, Entry, EntryType, Tier
from provenance.errors import EncodingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = ("produce", "transform", "ship", "receive", "pack", "unpack", "inspect", "recall", "?")
TEXTS = st.sampled_from(["F1", "F2", "acme", "bolt", "Ä/ö", "50%", "~0~", "a b", "x\ny", "", "é"])
ODD: st.SearchStrategy[Any] = st.sampled_from([None, 5, True, ["F1"], {"_d": "1.5"}, {}])
NUMBERS: st.SearchStrategy[Any] = st.sampled_from([0, 5, {"_d": "1.50"}, {"_d": "x"}, "7", None])
TIMES: st.SearchStrategy[Any] = st.sampled_from(
    ["2024-03-01T08:00:00Z", "2024-03-01T08:00:00.5+02:00", "2024-03-01", "never", None]
)
NAMED = (
    *("party", "event_id", "facility_id", "locode", "shipment_id", "from_facility_id"),
    *("to_facility_id", "container_id", "certificate_id", "gtin", "carrier"),
)
PATHS = (
    *("/party", "/event_id", "/event_type", "/event_time", "/facility_id", "/items", "/items/*"),
    *("/items/*/party", "/items/*/lot_id", "/items/*/quantity", "/items/*/serial_ids"),
    *("/items/*/serial_ids/*", "/inputs", "/inputs/*/party", "/inputs/*/lot_id", "/gtin"),
    *("/shipment_id", "/from_facility_id", "/to_facility_id", "/certificate_id", "/container_id"),
)


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What is usual, and now and then what is not."""
    return st.one_of(usual, usual, usual, usual, usual, odd)


PARTS = mostly(
    st.fixed_dictionaries(
        {},
        optional={
            "party": mostly(TEXTS, ODD),
            "product_id": mostly(TEXTS, ODD),
            "lot_id": mostly(TEXTS, ODD),
            "gtin": TEXTS,
            "serial_ids": mostly(st.lists(TEXTS, max_size=2), ODD),
            "quantity": NUMBERS,
            "quantity_unit": mostly(TEXTS, ODD),
            "note": TEXTS,
        },
    ),
    ODD,
)
CONTENTS = st.fixed_dictionaries(
    {
        "party": mostly(st.sampled_from(["acme", "bolt", "a/b"]), ODD),
        "event_id": mostly(TEXTS, ODD),
        "event_type": mostly(st.sampled_from(WORDS), ODD),
    },
    optional={
        **{name: mostly(TEXTS, ODD) for name in NAMED[2:]},
        "event_time": TIMES,
        "items": mostly(st.lists(PARTS, max_size=3), ODD),
        "inputs": mostly(st.lists(PARTS, max_size=3), ODD),
        "epcis": mostly(st.sampled_from([{}, {"errorDeclaration": {}}, {"bizStep": "x"}]), ODD),
        "container_ids": mostly(st.lists(TEXTS, max_size=2), ODD),
        "declared": st.just({"index": 0}),
        "corrects": st.just({"index": 0}),
    },
)
POLICIES = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(list(Tier)), max_size=6)


def one_by_one(content: Any, entry: Entry, changes: Changes) -> str | None:
    """The naive twin."""
    facts = Facts(entry.index, form_of(entry.openings))
    try:
        key = project_event(content, facts)
    except (
        *(AttributeError, LookupError, TypeError, ValueError, OverflowError),
        *(EncodingError, UsageError),
    ):
        return None
    facts.hand_over(changes)
    return key


def check(drafts: list[Draft], rules: dict[str, Tier]) -> int:
    """Project with stencils and without; returns for how many of the events a stencil did."""
    policy = TierPolicy({"event/1": {"*": Tier.PUBLIC} | rules})
    stencils, alike, done = Stencils(worth_it=1), Alike(), 0
    ours, theirs = Changes(0, len(drafts)), Changes(0, len(drafts))
    for entry in ListLog(drafts, policy).held:
        content = cut(layers_of(entry), Tier.PRIVATE)
        key = stencils.take(entry.index, content, form_of(entry.openings), alike)
        theirs_key = one_by_one(content, entry, theirs)
        if key is None:
            one_by_one(content, entry, ours)
        else:
            done += 1
            assert key == theirs_key
    alike.hand_over(ours)
    assert [repr(edge) for edge in ours.all_edges()] == [repr(edge) for edge in theirs.edges]
    assert replace(ours, edges=[], runs=[]) == replace(theirs, edges=[])
    return done


@settings(max_examples=100, deadline=None)
@given(st.lists(CONTENTS, min_size=1, max_size=3), POLICIES)
def test_a_stencil_states_what_the_event_states_or_nothing(
    contents: list[Any], rules: dict[str, Tier]
) -> None:
    """Under any policy, for any content, usual or not, edges and their order included."""
    check([Draft(EntryType.EVENT, "event/1", content) for content in contents], rules)


USUAL = [
    lambda n: event(n, "ship", item("P", f"L{n}", n), shipment_id=f"S{n}", facility_id="F1"),
    lambda n: event(n, "receive", item("P", f"L{n}", party="bolt"), to_facility_id=f"F {n}"),
    lambda n: event(n, "produce", item("P", f"L{n}") | {"quantity": {"_d": f"{n}.5"}}),
    lambda n: event(n, "transform", item("P", f"L{n}"), inputs=[item("Q", f"M{n}", party="b")]),
    lambda n: event(n, "transform", item("P", f"L{n}"), inputs=[{"lot_id": f"M{n}"}]),
    lambda n: event(n, "transform", item("P", f"L{n}"), locode="INBOM"),
    lambda n: event(n, "pack", item("P", f"L{n}", serial_ids=["1", f"{n}"]), container_id="K"),
    lambda n: event(n, "unpack", container_id=f"K{n}"),
    lambda n: event(n, "inspect", item("P", gtin="1"), certificate_id=f"C{n}", gtin="9"),
    lambda n: event(n, "ship", item("P"), epcis={"type": n}, from_facility_id="A"),
]


@pytest.mark.parametrize("make", USUAL)
def test_the_usual_events_are_done_with_a_stencil(make: Callable[[int], Draft]) -> None:
    """All of a shape, from the first on where one is worth it."""
    assert check([make(number) for number in range(4)], {"/shipment_id": Tier.PARTNER}) == 4


def test_a_stencil_is_made_when_a_shape_comes_again() -> None:
    """One event of a shape is stated by itself; making a stencil would cost more."""
    stencils, alike = Stencils(), Alike()
    said = []
    for entry in ListLog([USUAL[0](number) for number in range(3)]).held:
        content = cut(layers_of(entry), Tier.PRIVATE)
        said.append(stencils.take(entry.index, content, form_of(entry.openings), alike))
    assert said == [None, "event:acme/E-1", "event:acme/E-2"]


def test_of_many_shapes_few_are_kept() -> None:
    """Shapes without end take no memory without end, and are projected all the same."""
    stencils, alike = Stencils(worth_it=1), Alike()
    for number in range(1_100):
        content = dict(event(number, "ship", item("P")).content) | {f"x{number}": "1"}
        stencils.take(0, content, form_of(()), alike)
    assert len(stencils._stencils) <= 512
    many = [event(1, "ship", item("P", serial_ids=[f"{n}" for n in range(100)]))]
    assert len(project(ListLog(many).held, 0, 1).all_edges()) == 102
