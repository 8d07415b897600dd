"""What every graph store must do, part one: what it holds, and who sees what of it."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from graph_factories import (
    COTTON,
    SERIAL,
    SHIRT,
    YARN,
    ListLog,
    ListLogUpTo,
    chain,
    event,
    item,
    record,
)

from graph.changes import Changes
from graph.connect import open_store
from graph.keys import NodeKind, entry_key
from graph.model import AGGREGATED, EdgeKind, RecordKind
from graph.project import project
from graph.sync import catch_up, rebuild
from provenance.entries import Draft, Tier
from provenance.errors import NotFound, StorageError

if TYPE_CHECKING:
    from graph.store import GraphStore


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


@pytest.mark.parametrize("public_first", [False, True])
def test_what_one_entry_shows_no_other_hides(store: GraphStore, public_first: bool) -> None:
    """A lot that any entry shows to everybody is seen by everybody, whichever comes first."""
    open_, lot = event(1, "inspect", item("P", "1")), "item:acme/P/10/1"
    named = event(2, "inspect", item("P", "1"))
    closed = Draft(named.type, named.version, named.content, tiers={"/items/*": Tier.PARTNER})
    log = ListLog([open_, closed] if public_first else [closed, open_])
    catch_up(ListLogUpTo(log, 1), store)
    assert (lot in store.fetch([lot], Tier.PUBLIC)) == public_first
    assert bool(store.find("lot", "1", Tier.PUBLIC)) == public_first
    assert bool(store.edges([lot], Tier.PUBLIC, EdgeKind.INCLUDES, "upstream")) == public_first
    catch_up(log, store)
    assert lot in store.fetch([lot], Tier.PUBLIC)
    assert store.find("lot", "1", Tier.PUBLIC) == [lot]
    assert len(store.edges([lot], Tier.PUBLIC, EdgeKind.INCLUDES, "upstream")) == 1
    assert [e.src for e in store.edges([lot], Tier.PUBLIC, EdgeKind.INVOLVES, "upstream")] == [
        "event:acme/E-1"
    ]


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
