"""What every graph store must do, part two: how it answers questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from graph_factories import COTTON, SERIAL, SHIRT, YARN, ListLog, event, flag, item

from graph.keys import NodeKind
from graph.lineage import Gap, GapReason
from graph.model import EdgeKind, RecordKind, Role
from graph.sync import catch_up
from provenance.entries import Draft, Tier
from provenance.errors import NotFound, UsageError

if TYPE_CHECKING:
    from graph.store import GraphStore


def test_what_cannot_be_asked_is_refused(full: GraphStore) -> None:
    """Lineage of something that is no item, limits out of range and lists of entries are errors."""
    for key in ("facility:F1", "nonsense", ""):
        with pytest.raises(UsageError):
            full.upstream(key, Tier.PRIVATE)
    with pytest.raises(UsageError):
        full.upstream(COTTON, Tier.PRIVATE, depth=-1)
    with pytest.raises(UsageError):
        full.downstream(COTTON, Tier.PRIVATE, limit=0)
    with pytest.raises(UsageError):
        full.nodes(NodeKind.ENTRY, Tier.PRIVATE)


def test_lineage_names_its_position_and_its_gaps(full: GraphStore) -> None:
    """An answer holds distances, quantities, what is missing, and the position it is true for."""
    answer = full.upstream(SHIRT, Tier.PUBLIC)
    assert answer.hops == {SHIRT: 0, YARN: 1, COTTON: 2}
    assert answer.gaps == (Gap(YARN, GapReason.UNKNOWN_LOT, "X9", 4),)
    assert [
        (e.src, e.dst, e.index, e.attrs["consumed"], e.attrs["produced"]) for e in answer.edges
    ] == [
        (COTTON, YARN, 4, 90, 80),
        (YARN, SHIRT, 5, 70, 50),
    ]
    assert (answer.position, answer.truncated, answer.cycles()) == (10, False, ())
    assert list(full.downstream(COTTON, Tier.PUBLIC).hops) == [COTTON, YARN, SHIRT]


def test_a_serial_is_traced_through_its_lot(full: GraphStore) -> None:
    """A serial shares its lot's lineage at the same distance, for those who may know of it."""
    answer = full.upstream(SERIAL, Tier.PARTNER)
    assert answer.hops == {SHIRT: 0, SERIAL: 0, YARN: 1, COTTON: 2}
    assert [e.kind for e in answer.edges] == [EdgeKind.INCLUDES, EdgeKind.BECAME, EdgeKind.BECAME]
    assert answer.gaps == full.upstream(SHIRT, Tier.PARTNER).gaps
    with pytest.raises(NotFound):
        full.upstream(SERIAL, Tier.PUBLIC)


def test_limits_say_when_they_cut(full: GraphStore) -> None:
    """Depth and number of items are limits, the nearest are kept, and the answer says so."""
    near = full.upstream(SHIRT, Tier.PUBLIC, depth=1)
    assert (list(near.hops), near.truncated) == ([SHIRT, YARN], True)
    few = full.upstream(SHIRT, Tier.PUBLIC, limit=2)
    assert (list(few.hops), few.truncated) == ([SHIRT, YARN], True)
    assert not full.upstream(SHIRT, Tier.PUBLIC, depth=2, limit=3).truncated
    assert full.upstream(SERIAL, Tier.PARTNER, limit=1).hops == {SERIAL: 0}
    short = full.journey(SHIRT, Tier.PUBLIC, limit=3)
    assert ([s.event.key for s in short.steps], short.truncated) == (
        ["event:acme/E-1", "event:acme/E-2", "event:bolt/E-3"],
        True,
    )


def test_lineage_becomes_a_networkx_graph(full: GraphStore) -> None:
    """The items and edges of an answer can be handed to graph algorithms."""
    graph = full.upstream(SHIRT, Tier.PUBLIC).to_networkx()
    assert sorted(graph.nodes(data="hops")) == sorted({SHIRT: 0, YARN: 1, COTTON: 2}.items())
    assert sorted(graph.edges(data="consumed")) == [(COTTON, YARN, 90), (YARN, SHIRT, 70)]


def test_hand_overs_with_one_end_are_gaps(store: GraphStore) -> None:
    """A shipment of an item that was never received, or never sent, shows in its journey."""
    one, two = item("P", "1"), item("P", "2")
    log = ListLog(
        [
            event(1, "produce", one, two),
            event(2, "ship", one, two, shipment_id="S1"),
            event(3, "receive", one, shipment_id="S1"),
            event(4, "receive", one, shipment_id="S2"),
        ]
    )
    catch_up(log, store)
    sent = Gap("item:acme/P/10/2", GapReason.NOT_RECEIVED, "S1", 1)
    came = Gap("item:acme/P/10/1", GapReason.NOT_SHIPPED, "S2", 3)
    assert store.journey(sent.item, Tier.PARTNER).gaps == (sent,)
    assert store.journey(came.item, Tier.PARTNER).gaps == (came,)
    # Who may not see shipments cannot tell, and is told nothing.
    assert store.journey(sent.item, Tier.PUBLIC).gaps == ()


def test_a_container_stands_for_what_it_held(store: GraphStore) -> None:
    """Events of a container belong to the journeys of what was inside, only while it was."""
    log = ListLog(
        [
            event(1, "pack", item("P", "1", 5), item("P", "2", 5), container_id="K"),
            event(2, "ship", shipment_id="S", container_id="K"),
            event(3, "unpack", item("P", "1", 2), container_id="K"),
            event(4, "inspect", container_id="K"),
            event(5, "unpack", item("P", "1", 3), container_id="K"),
            event(6, "inspect", container_id="K"),
            event(7, "unpack", container_id="K"),
            event(8, "inspect", container_id="K"),
        ]
    )
    catch_up(log, store)

    def seen(lot: str) -> list[str]:
        steps = store.journey(f"item:acme/P/10/{lot}", Tier.PARTNER).steps
        return [step.event.attrs["event_id"] for step in steps]

    assert seen("1") == ["E-1", "E-2", "E-3", "E-4", "E-5"]
    assert seen("2") == ["E-1", "E-2", "E-4", "E-6"]
    hour = 3_600_000_000
    start = store.node("event:acme/E-1", Tier.PUBLIC)
    one = next(e for e in store.neighbours(start.key, Tier.PARTNER) if e.time_us is not None)
    assert one.time_us is not None
    inside = {
        n: sorted(
            k[-1] for k in store.upstream("container:K", Tier.PARTNER, at=at).hops if k[0] == "i"
        )
        for n, at in ((n, one.time_us + (n - 1) * hour) for n in (0, 1, 3, 5, 7))
    }
    assert inside == {0: [], 1: ["1", "2"], 3: ["1", "2"], 5: ["2"], 7: []}
    assert store.upstream("container:K", Tier.PARTNER).hops.keys() >= {"item:acme/P/10/1"}
    with pytest.raises(NotFound):
        store.upstream("container:K", Tier.PUBLIC)


def test_newer_flags_supersede_older_ones_of_the_same_kind(full: GraphStore) -> None:
    """Of each detector, type and subject the newest flag counts; the others can be asked for."""
    subject = "event:bolt/E-4"
    assert [f.key for f in full.flags_for(subject, Tier.PUBLIC)] == ["flag:8", "flag:7"]
    every = full.flags_for(subject, Tier.PUBLIC, superseded=True)
    assert [f.key for f in every] == ["flag:8", "flag:7", "flag:6"]
    many = full.flags_for_many([subject, "event:acme/E-1", "x"], Tier.PUBLIC)
    assert {key: [f.key for f in flags] for key, flags in many.items()} == {
        subject: ["flag:8", "flag:7"],
        "event:acme/E-1": [],
        "x": [],
    }
    current = [r.index for r in full.records(RecordKind.FLAG, Tier.PUBLIC)]
    assert sorted(current) == [7, 8]


def test_a_flag_above_the_viewers_tier_does_not_exist_for_it(store: GraphStore) -> None:
    """A flag that may not be known of is in no list of that viewer."""
    hidden = flag("E-1", subject_party="acme")
    hidden.tiers["/subject_id"] = Tier.PARTNER  # type: ignore[index]
    catch_up(ListLog([event(1, "produce", item("P", "1")), hidden]), store)
    for tier in Tier:
        visible = tier >= Tier.PARTNER
        assert bool(store.flags_for("event:acme/E-1", tier)) == visible
        assert bool(store.records(RecordKind.FLAG, tier)) == visible
        assert bool(store.nodes(NodeKind.FLAG, tier)) == visible
        assert len(store.neighbours("event:acme/E-1", tier, {EdgeKind.FLAGS})) == visible


def test_the_event_that_made_an_item(store: GraphStore) -> None:
    """Producing goes before putting out of a transformation, then the earlier, then by key."""
    log = ListLog(
        [
            event(9, "transform", item("P", "1"), inputs=[{"lot_id": "x"}]),
            event(8, "produce", item("P", "1"), item("P", "2")),
            event(7, "produce", item("P", "1")),
            event(6, "ship", item("P", "3")),
            event(5, "transform", item("P", "4")),
        ]
    )
    catch_up(log, store)
    keys = [f"item:acme/P/10/{n}" for n in range(1, 6)]
    made = store.made_by(keys, Tier.PUBLIC)
    assert {key[-1]: (edge.src, edge.role) for key, edge in made.items()} == {
        "1": ("event:acme/E-7", Role.PRODUCED),
        "2": ("event:acme/E-8", Role.PRODUCED),
        "4": ("event:acme/E-5", Role.OUTPUT),
    }
    first = made["item:acme/P/10/1"].time_us
    assert first is not None
    assert store.made_by(keys[:1], Tier.PUBLIC, at=first - 1) == {}


def test_edges_of_many_nodes_can_be_narrowed(full: GraphStore) -> None:
    """Edges may be asked for by role and number; the first in log order remain."""
    involved = full.edges([COTTON, YARN], Tier.PUBLIC, EdgeKind.INVOLVES, "upstream")
    assert [e.index for e in involved] == [1, 2, 3, 4, 4, 5]
    inputs = full.edges(
        [COTTON, YARN], Tier.PUBLIC, EdgeKind.INVOLVES, "upstream", roles=[Role.INPUT]
    )
    assert [(e.index, e.dst) for e in inputs] == [(4, COTTON), (5, YARN)]
    some = full.edges([COTTON, YARN], Tier.PUBLIC, EdgeKind.INVOLVES, "upstream", limit=2)
    assert some == involved[:2]
    assert full.edges([], Tier.PUBLIC, EdgeKind.INVOLVES, "upstream") == []


def test_a_deep_and_a_wide_lineage_are_bounded(store: GraphStore) -> None:
    """A chain of 3,000 transformations and one of 3,000 inputs are answered whole, or cut."""
    deep = [
        event(n, "transform", item("P", str(n + 1)), inputs=[item("P", str(n))])
        for n in range(3_000)
    ]
    wide = event("w", "transform", item("W", "1"), inputs=[item("P", str(n)) for n in range(3_000)])
    catch_up(ListLog([*deep, wide]), store)
    whole = store.upstream("item:acme/P/10/3000", Tier.PUBLIC, depth=5_000)
    assert (len(whole.hops), whole.hops["item:acme/P/10/0"], whole.truncated) == (
        3_001,
        3_000,
        False,
    )
    cut = store.upstream("item:acme/W/10/1", Tier.PUBLIC, limit=500)
    assert (len(cut.hops), cut.truncated) == (500, True)
    inputs = [key for key, far in cut.hops.items() if far == 2]
    assert inputs == sorted(f"item:acme/P/10/{n}" for n in range(3_000))[:498]


def test_a_hidden_link_is_a_gap_for_those_who_may_not_see_it(store: GraphStore) -> None:
    """Who may not see the inputs learns that they are missing, and walks no further either way."""
    made = event(2, "transform", item("Q", "1"), inputs=[item("P", "1")])
    hidden = Draft(made.type, made.version, made.content, tiers={"/inputs/*": Tier.PARTNER})
    catch_up(ListLog([event(1, "produce", item("P", "1")), hidden]), store)
    source, product = "item:acme/P/10/1", "item:acme/Q/10/1"
    seen = store.upstream(product, Tier.PUBLIC)
    assert (seen.hops, seen.edges) == ({product: 0}, ())
    assert seen.gaps == (Gap(product, GapReason.NO_INPUTS, index=1),)
    assert store.downstream(source, Tier.PUBLIC).hops == {source: 0}
    assert store.upstream(product, Tier.PARTNER).hops == {product: 0, source: 1}
    assert store.downstream(source, Tier.PARTNER).hops == {source: 0, product: 1}
    assert [s.event.key for s in store.journey(product, Tier.PUBLIC).steps] == ["event:acme/E-2"]
