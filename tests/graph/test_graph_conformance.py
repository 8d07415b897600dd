"""What every graph store must do; one list of stores, the same rules for each."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from graph_factories import ListLog, event, flag, item, record

from graph.connect import open_store
from graph.keys import NodeKind, entry_key
from graph.lineage import Gap, GapReason
from graph.model import AGGREGATED, Changes, EdgeKind, RecordKind, Role
from graph.project import project
from graph.sync import catch_up, rebuild
from provenance.entries import Tier
from provenance.errors import NotFound, StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graph.store import GraphStore

STORES = ("memory", "sqlite")
COTTON, YARN, SHIRT = "item:acme/COTTON/10/C1", "item:bolt/YARN/10/Y1", "item:bolt/SHIRT/10/T1"
SERIAL = f"{SHIRT}/21/s1"


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    """An empty store of each kind."""
    place = tmp_path / "graph.db" if request.param == "sqlite" else ""
    opened = open_store(f"{request.param}:{place}")
    yield opened
    opened.close()


def chain() -> ListLog:
    """Cotton to yarn to shirts between two parties, with master data, flags and one gap."""
    return ListLog(
        [
            record("facility", facility_id="F1", name="Farm", latitude={"_d": "1.5"}),
            event(1, "produce", item("COTTON", "C1", 100), facility_id="F1", locode="INBOM"),
            event(2, "ship", item("COTTON", "C1", 100), shipment_id="S1", carrier="X"),
            event(3, "receive", item("COTTON", "C1", 90), shipment_id="S1", party="bolt"),
            event(
                *(4, "transform", item("YARN", "Y1", 80, party="bolt")),
                party="bolt",
                inputs=[item("COTTON", "C1", 90), {"lot_id": "X9"}],
            ),
            event(
                *(5, "transform", item("SHIRT", "T1", 50, party="bolt", serial_ids=["s1"])),
                party="bolt",
                inputs=[item("YARN", "Y1", 70, party="bolt")],
                certificate_id="CERT",
            ),
            flag("E-4", subject_party="bolt"),
            flag("E-4", subject_party="bolt", severity="low"),
            flag("E-4", subject_party="bolt", detector="other"),
            record("product", product_id="COTTON", gtin="09506000134352", reference_value_usd=3),
        ]
    )


@pytest.fixture
def full(store: GraphStore) -> GraphStore:
    """A store that holds the chain."""
    catch_up(chain(), store)
    return store


def test_an_empty_store_answers(store: GraphStore) -> None:
    """Before the first entry everything is empty and nothing is known."""
    assert store.position() == 0
    assert store.skipped() == {}
    assert store.nodes(NodeKind.EVENT, Tier.PRIVATE) == []
    assert store.records(RecordKind.FACILITY, Tier.PRIVATE) == []
    assert list(store.contents("event/1", Tier.PRIVATE)) == []
    assert store.find("lot", "1", Tier.PRIVATE) == []
    assert store.flags_for("event:acme/E-1", Tier.PRIVATE) == []
    assert store.fetch(["event:acme/E-1", entry_key(0)], Tier.PRIVATE) == {}
    assert store.edges(["x"], Tier.PRIVATE, EdgeKind.BECAME, "upstream") == []


@pytest.mark.parametrize(
    "key", ["item:acme/P", "item:acme/P/10/1", "container:K", "event:a/b", "entry:99", "é", "x"]
)
def test_the_unknown_is_not_found(full: GraphStore, key: str) -> None:
    """A node that is not there is NotFound, whoever asks, and a list of nodes leaves it out."""
    for tier in Tier:
        with pytest.raises(NotFound):
            full.node(key, tier)
        with pytest.raises(NotFound):
            full.neighbours(key, tier)
        assert full.fetch([key, COTTON], tier).keys() == {COTTON}
    if key.startswith(("item:", "container:")):
        for ask in (full.upstream, full.downstream, full.journey):
            with pytest.raises(NotFound):
                ask(key, Tier.PRIVATE)


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


def test_applying_again_changes_nothing(store: GraphStore) -> None:
    """Changes that were applied are not applied again; the position answered is the present one."""
    log = chain()
    first, rest = project(log.entries(0, 4), 0, 4), project(log.entries(4, 10), 4, 10)
    assert store.apply(first) == 4
    before = snapshot_of(store)
    assert store.apply(first) == 4
    assert snapshot_of(store) == before
    assert store.apply(rest) == 10
    assert store.apply(first) == store.apply(rest) == 10
    overlapping = project(log.entries(2, 10), 2, 10)
    before = snapshot_of(store)
    assert store.apply(overlapping) == 10
    assert snapshot_of(store) == before


def test_a_gap_is_refused(store: GraphStore) -> None:
    """Changes that begin beyond the position are an error that names the position."""
    log = chain()
    with pytest.raises(StorageError, match="0 entries"):
        store.apply(project(log.entries(1, 3), 1, 3))
    assert store.position() == 0
    assert snapshot_of(store) == snapshot_of(open_store("memory:"))


@pytest.mark.parametrize("fault", ["edge", "name", "link", "missing", "order"])
def test_a_batch_is_applied_whole_or_not_at_all(store: GraphStore, fault: str) -> None:
    """A batch that cannot be applied to its end leaves nothing behind, and can be repaired."""
    log = chain()
    store.apply(project(log.entries(0, 2), 0, 2))
    before = snapshot_of(store)
    broken = project(log.entries(2, 10), 2, 10)
    if fault == "edge":
        del broken.nodes[broken.edges[-1].dst]
    elif fault == "name":
        broken.name("lot", "L", "item:not/mentioned", Tier.PUBLIC)
    elif fault == "link":
        broken.link("party:not", EdgeKind.SUPPLIES, "party:mentioned", Tier.PUBLIC)
    elif fault == "missing":
        broken.entries.pop()
    else:
        broken.entries.reverse()
    with pytest.raises(StorageError):
        store.apply(broken)
    assert store.position() == 2
    assert snapshot_of(store) == before
    catch_up(log, store)
    assert store.position() == 10


def test_rebuilding_gives_the_same_graph(full: GraphStore) -> None:
    """Forgetting everything and projecting the log again changes no answer."""
    before = snapshot_of(full)
    assert rebuild(chain(), full) == 10
    assert snapshot_of(full) == before


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


MATRIX = [
    # (edge kind, source, target, lowest tier that sees it)
    (EdgeKind.BECAME, COTTON, YARN, Tier.PUBLIC),
    (EdgeKind.INVOLVES, "event:acme/E-1", COTTON, Tier.PUBLIC),
    (EdgeKind.AT, "event:acme/E-1", "facility:F1", Tier.PUBLIC),
    (EdgeKind.AT, "event:acme/E-1", "location:INBOM", Tier.PUBLIC),
    (EdgeKind.BY, "event:acme/E-1", "party:acme", Tier.PUBLIC),
    (EdgeKind.BY, "facility:F1", "party:acme", Tier.PUBLIC),
    (EdgeKind.CERTIFIES, "certificate:CERT", SHIRT, Tier.PUBLIC),
    (EdgeKind.SUPPLIES, "party:acme", "party:bolt", Tier.PUBLIC),
    (EdgeKind.INCLUDES, "item:acme/COTTON", COTTON, Tier.PUBLIC),
    (EdgeKind.FLAGS, "flag:7", "event:bolt/E-4", Tier.PUBLIC),
    (EdgeKind.NEXT, "event:acme/E-1", "event:acme/E-2", Tier.PUBLIC),
    (EdgeKind.NEXT, "entry:0", "event:acme/E-1", Tier.PUBLIC),
    (EdgeKind.INVOLVES, "event:acme/E-2", "shipment:S1", Tier.PARTNER),
    (EdgeKind.INVOLVES, "event:bolt/E-5", SERIAL, Tier.PARTNER),
    (EdgeKind.INCLUDES, SHIRT, SERIAL, Tier.PARTNER),
]


@pytest.mark.parametrize(("kind", "src", "dst", "lowest"), MATRIX)
def test_who_sees_which_edge(
    full: GraphStore, kind: EdgeKind, src: str, dst: str, lowest: Tier
) -> None:
    """Each kind of edge is seen from both its ends by the tiers that may, and by no other."""
    for tier in Tier:
        for end in (src, dst):
            try:
                edges = full.neighbours(end, tier, {kind})
            except NotFound:
                edges = []
            assert any((e.src, e.dst) == (src, dst) for e in edges) == (tier >= lowest)
            assert {e.kind for e in edges} <= {kind}
        if kind is not EdgeKind.NEXT:
            for way, end in (("upstream", dst), ("downstream", src)):
                found = full.edges([end, end], tier, kind, way)  # type: ignore[arg-type]
                count = sum((e.src, e.dst) == (src, dst) for e in found)
                assert count == (tier >= lowest)


def test_attributes_are_cut_to_the_viewer(full: GraphStore) -> None:
    """Partner and private fields appear for those tiers only, in nodes, steps and records."""
    carrier = [full.node("event:acme/E-2", t).attrs.get("carrier") for t in Tier]
    assert carrier == [None, "X", "X"]
    assert ["latitude" in full.node("facility:F1", t).attrs for t in Tier] == [False, True, True]
    value = ["reference_value_usd" in full.node("item:acme/COTTON", t).attrs for t in Tier]
    assert value == [False, False, True]
    assert ["score" in full.flags_for("event:bolt/E-4", t)[0].attrs for t in Tier] == [
        False,
        False,
        True,
    ]
    for tier in Tier:
        (facility,) = full.records(RecordKind.FACILITY, tier)
        assert ("latitude" in facility.attrs) == (tier >= Tier.PARTNER)
        steps = full.journey(COTTON, tier).steps
        assert ["carrier" in s.event.attrs for s in steps].count(True) == (tier >= Tier.PARTNER)
        contents = list(full.contents("event/1", tier))
        assert any("carrier" in c.attrs for c in contents) == (tier >= Tier.PARTNER)


def test_answers_cannot_be_used_to_change_the_graph(full: GraphStore) -> None:
    """What a caller does to an answer's content does not reach the store."""
    node = full.node("event:acme/E-1", Tier.PUBLIC)
    node.attrs["items"][0]["lot_id"] = "changed"
    assert full.node("event:acme/E-1", Tier.PUBLIC).attrs["items"][0]["lot_id"] == "C1"


def test_the_chain_lies_in_the_graph(full: GraphStore) -> None:
    """Following `next` from the first entry visits every entry once, in log order."""
    key, visited = full.node(entry_key(0), Tier.PUBLIC).key, [0]
    log = chain()
    while True:
        onward = [e for e in full.neighbours(key, Tier.PUBLIC, {EdgeKind.NEXT}) if e.src == key]
        if not onward:
            break
        key = onward[0].dst
        node = full.node(key, Tier.PUBLIC)
        assert node.index == visited[-1] + 1
        assert node.leaf_hash == log.held[node.index].leaf_hash
        visited.append(node.index)
    assert visited == list(range(10))
    assert full.neighbours("facility:F1", Tier.PUBLIC, {EdgeKind.NEXT}) == []


def test_an_entry_names_the_node_that_it_is(full: GraphStore) -> None:
    """`entry:{index}` gives the event or flag of that index, and other entries as themselves."""
    assert full.node("entry:1", Tier.PUBLIC).key == "event:acme/E-1"
    assert full.node("entry:6", Tier.PUBLIC).key == "flag:6"
    assert full.node("entry:0", Tier.PUBLIC).key == "entry:0"
    assert full.fetch(["entry:1", "entry:01"], Tier.PUBLIC).keys() == {"entry:1"}


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


def test_the_latest_version_of_a_record_counts(store: GraphStore) -> None:
    """A later entry of the same row key replaces the record and the node's attributes."""
    months = [
        record("labour", facility_id=f, month=m, total_hours=h)
        for f, m, h in (("F1", "2024-01", 1), ("F1", "2024-02", 2), ("F10", "2024-01", 3))
    ]
    log = ListLog(
        [
            record("facility", facility_id="F1", name="old"),
            *months,
            record("facility", facility_id="F1", name="new"),
            record("labour", facility_id="F1", month="2024-01", total_hours=9),
        ]
    )
    catch_up(log, store, batch=2)
    assert store.node("facility:F1", Tier.PUBLIC).attrs["name"] == "new"
    assert store.node("facility:F1", Tier.PUBLIC).leaf_hash == log.held[4].leaf_hash
    assert [r.index for r in store.records(RecordKind.FACILITY, Tier.PUBLIC)] == [4]
    labour = store.records(RecordKind.LABOUR, Tier.PRIVATE)
    assert [r.attrs["total_hours"] for r in labour] == [9, 2, 3]
    assert [
        r.attrs["total_hours"] for r in store.records(RecordKind.LABOUR, Tier.PRIVATE, ["F1"])
    ] == [9, 2]
    one = store.records(RecordKind.LABOUR, Tier.PRIVATE, ["F1", "2024-02"])
    assert [r.index for r in one] == [2]
    assert store.records(RecordKind.LABOUR, Tier.PRIVATE, ["F"]) == []


def test_items_are_found_by_their_names(full: GraphStore) -> None:
    """Lots, serials, products and GTINs lead to the items that bear them, tier by tier."""
    assert full.find("lot", "C1", Tier.PUBLIC) == [COTTON]
    assert full.find("product", "YARN", Tier.PUBLIC) == ["item:bolt/YARN"]
    assert full.find("gtin", "09506000134352", Tier.PUBLIC) == ["item:acme/COTTON"]
    assert [full.find("serial", "s1", t) for t in Tier] == [[], [SERIAL], [SERIAL]]
    assert full.find("lot", "\ud800", Tier.PUBLIC) == []
    assert full.find("planet", "Mars", Tier.PUBLIC) == []


def test_a_name_that_two_companies_use_gives_both(store: GraphStore) -> None:
    """One lot id used by two makers names two items, in order of key, up to a limit."""
    lots = [event(n, "produce", item("P", "1", party=p), party=p) for n, p in enumerate("ba")]
    catch_up(ListLog(lots), store)
    assert store.find("lot", "1", Tier.PUBLIC) == ["item:a/P/10/1", "item:b/P/10/1"]
    assert store.find("lot", "1", Tier.PUBLIC, limit=1) == ["item:a/P/10/1"]


def test_nodes_are_listed_page_by_page(store: GraphStore) -> None:
    """Pages in order of key put together give every node of the kind once."""
    log = ListLog([event(n, "produce", item("P", str(n))) for n in range(25)])
    catch_up(log, store)
    listed: list[str] = []
    while page := store.nodes(NodeKind.EVENT, Tier.PUBLIC, listed[-1] if listed else "", 10):
        listed += [node.key for node in page]
    assert listed == sorted(f"event:acme/E-{n}" for n in range(25))
    assert len(store.nodes(NodeKind.ITEM, Tier.PUBLIC)) == 26


def test_neighbours_are_limited_in_log_order(store: GraphStore) -> None:
    """A node with very many edges gives the first of each kind, in log order, loops once."""
    log = ListLog([event(n, "inspect", item("P", "1")) for n in range(9, 0, -1)])
    log.append(event(10, "transform", item("P", "1"), inputs=[item("P", "1")]))
    catch_up(log, store)
    edges = store.neighbours("item:acme/P/10/1", Tier.PUBLIC, {EdgeKind.INVOLVES}, limit=4)
    assert [e.index for e in edges] == [0, 1, 2, 3]
    loops = store.neighbours("item:acme/P/10/1", Tier.PUBLIC, {EdgeKind.BECAME})
    assert [(e.src, e.dst) for e in loops] == [("item:acme/P/10/1", "item:acme/P/10/1")]
    every = store.neighbours("item:acme/P/10/1", Tier.PUBLIC)
    assert every[0].index == AGGREGATED
    assert all(one.index <= other.index for one, other in pairwise(every))


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


def test_contents_come_in_log_order_and_stay_the_same(full: GraphStore) -> None:
    """Contents of a version are yielded once each, bounded by the indexes asked for."""
    indexes = [record.index for record in full.contents("event/1", Tier.PRIVATE)]
    assert indexes == [1, 2, 3, 4, 5]
    assert [r.index for r in full.contents("event/1", Tier.PRIVATE, 2, 4)] == [2, 3]
    assert [r.index for r in full.contents("facility/1", Tier.PRIVATE)] == [0]


def test_skipped_entries_are_counted_over_batches(store: GraphStore) -> None:
    """Entries that brought nothing are counted by reason, whatever the batches."""
    log = ListLog([event(n, "produce", item("P", "1")) for n in range(5)])
    for index in (0, 2, 4):
        log.forget(index)
    catch_up(log, store, batch=2)
    assert store.skipped() == {"erased": 3}
    assert store.node("entry:2", Tier.PUBLIC).attrs == {}


def test_a_snapshot_holds_still(full: GraphStore) -> None:
    """Inside a snapshot answers agree although another thread wants to write meanwhile."""
    log = chain()
    log.append(event(6, "inspect", item("COTTON", "C1")))
    writer = threading.Thread(target=catch_up, args=(log, full))
    with full.snapshot():
        writer.start()
        first = full.position()
        with full.snapshot():
            steps = full.journey(COTTON, Tier.PUBLIC)
        assert (steps.position, full.position()) == (first, first)
    writer.join()
    assert full.position() == 11


def test_threads_may_share_a_store(full: GraphStore) -> None:
    """Many threads asking at once get the answers that one would get."""
    expected = full.upstream(SHIRT, Tier.PRIVATE)
    answers: list[Any] = []

    def ask() -> None:
        answers.extend(full.upstream(SHIRT, Tier.PRIVATE) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 80


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


def snapshot_of(store: GraphStore) -> Any:
    """Everything a store holds, as far as it can be asked."""
    kinds = [kind for kind in NodeKind if kind is not NodeKind.ENTRY]
    nodes = [n for kind in kinds for n in store.nodes(kind, Tier.PRIVATE, limit=10_000)]
    entries = [entry_key(index) for index in range(store.position())]
    return (
        store.position(),
        nodes,
        store.fetch(entries, Tier.PRIVATE),
        [
            store.neighbours(node.key, tier)
            for tier in Tier
            for node in nodes
            if _known(store, node.key, tier)
        ],
        [store.records(kind, Tier.PRIVATE) for kind in RecordKind],
        store.skipped(),
    )


def _known(store: GraphStore, key: str, tier: Tier) -> bool:
    return key in store.fetch([key], tier)


def test_changes_know_their_place() -> None:
    """Changes over no entries are empty and can be applied anywhere that is not a gap."""
    store = open_store("memory:")
    assert store.apply(Changes(0, 0)) == 0
