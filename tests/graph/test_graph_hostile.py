"""Bad input to the graph's questions: a right answer or a clear error, within bounds."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from graph_factories import ListLog, event, item, record
from test_graph_histories import declared, logged

from graph.changes import Changes, Mention
from graph.connect import open_store
from graph.model import EdgeFact, EdgeKind, EntryFact, Role
from graph.questions.balance import balance
from graph.questions.coverage import coverage
from graph.questions.custody import Doubt, custody
from graph.questions.exposure import Verdict, exposure
from graph.questions.lists import ListEntry
from graph.questions.paths import path
from graph.questions.recall import recall
from graph.stores.sqlite import SqliteStore
from graph.sync import catch_up
from provenance.entries import Draft, Tier
from provenance.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graph.store import GraphStore

EVER = Tier.PRIVATE
LISTED = [ListEntry("list", "region", "XX")]
KG = {"quantity_unit": "kg"}


def loaded(url: str, *drafts: Draft) -> GraphStore:
    """A store that holds what the drafts say."""
    store = open_store(url)
    store.reset()
    catch_up(ListLog(drafts), store)
    return store


def ask_everything(store: GraphStore, key: str) -> None:
    """Ask every question there is of an item; each ends."""
    recall(store, key, EVER)
    custody(store, key, EVER)
    balance(store, key, EVER)
    exposure(store, key, EVER, LISTED)
    coverage(store, key, EVER)
    path(store, key, key, EVER)
    store.journey(key, EVER)


def test_goods_that_go_round(url: str) -> None:
    """A circle of transformations ends, documents no origin, and makes no "no"."""
    ring = [
        event(n, "transform", item("P", str(n), 5, **KG), inputs=[item("P", str((n + 1) % 3), 5)])
        for n in range(3)
    ]
    store = loaded(url, *ring, event(9, "transform", item("Q", "1", 1), inputs=[item("Q", "1", 1)]))
    for key in ("item:acme/P/10/0", "item:acme/Q/10/1"):
        ask_everything(store, key)
        assert coverage(store, key, EVER).share == 0
        assert exposure(store, key, EVER, LISTED).verdict is Verdict.UNKNOWN
    assert {one.item for one in recall(store, "item:acme/P/10/0", EVER).affected} == {
        f"item:acme/P/10/{n}" for n in range(3)
    }
    store.close()


def test_containers_inside_themselves(url: str) -> None:
    """A container in itself, and two in each other: what is inside stays inside, and it ends."""
    store = loaded(
        url,
        event(1, "pack", item("P", "1", 5, **KG), container_id="A", container_ids=["A", "B"]),
        event(2, "pack", container_id="B", container_ids=["A"]),
        event(3, "ship", container_id="B", shipment_id="S", facility_id="F1", to_facility_id="F2"),
    )
    moves = custody(store, "item:acme/P/10/1", EVER).stays
    assert [(stay.place, stay.shipment, stay.quantity) for stay in moves] == [
        ("facility:F1", "", 5),
        ("facility:F2", "shipment:S", 5),
    ]
    for container in ("container:A", "container:B"):
        assert "item:acme/P/10/1" in store.downstream(container, EVER).hops
        ask_everything_of_container(store, container)
    store.close()


def ask_everything_of_container(store: GraphStore, key: str) -> None:
    """Ask what can be asked of a container."""
    recall(store, key, EVER)
    coverage(store, key, EVER)
    exposure(store, key, EVER, LISTED)
    store.journey(key, EVER)


def test_units_that_do_not_fit(url: str) -> None:
    """Amounts in several units are never added: what is left is unknown, and each has its line."""
    store = loaded(
        url,
        event(1, "produce", item("P", "1", 100, **KG), facility_id="F"),
        event(2, "ship", item("P", "1", 3, quantity_unit="pallet"), facility_id="F"),
        event(3, "transform", item("Q", "1", 10), facility_id="F", inputs=[item("P", "1", 20)]),
    )
    (stay,) = custody(store, "item:acme/P/10/1", EVER).held()[:1]
    assert (stay.quantity, stay.rest) == (100, None)
    lines = {
        line.unit: line for line in balance(store, "item:acme/P/10/1", EVER).lines if line.place
    }
    assert {unit: line.stock for unit, line in lines.items()} == {"kg": 100, "pallet": -3, "": -20}
    store.close()


def test_one_lot_id_of_two_companies(url: str) -> None:
    """A lot belongs to its maker: recalling the one leaves the other alone."""
    other = {"party": "bolt"}
    store = loaded(
        url,
        event(1, "produce", item("P", "1", 5), facility_id="F1"),
        event(2, "produce", item("P", "1", 7, **other), facility_id="F2"),
        event(3, "transform", item("Q", "1", 5), inputs=[item("P", "1", 7, **other)]),
    )
    assert len(recall(store, "item:acme/P/10/1", EVER).affected) == 1
    assert len(recall(store, "item:bolt/P/10/1", EVER).affected) == 2
    assert store.find("lot", "1", EVER) == [
        *("item:acme/P/10/1", "item:acme/Q/10/1", "item:bolt/P/10/1")
    ]
    store.close()


@pytest.mark.parametrize("url", ["memory", "sqlite"], indirect=True)
def test_what_does_not_exist_and_times_before_everything(url: str) -> None:
    """Unknown things are not found, other kinds refused; before everything nothing is known."""
    store = loaded(url, event(1, "produce", item("P", "1", 5), facility_id="F"))
    for ask in (recall, custody, balance, coverage):
        with pytest.raises(NotFound):
            ask(store, "item:acme/P/10/404", EVER)
        with pytest.raises(UsageError):
            ask(store, "flag:1", EVER)
    with pytest.raises(NotFound):
        path(store, "item:acme/P/10/1", "facility:404", EVER)
    key, before = "item:acme/P/10/1", -(10**15)
    assert custody(store, key, EVER, at=before).stays == ()
    assert balance(store, key, EVER, at=before).lines == ()
    assert recall(store, key, EVER, at=before).held == ()
    assert coverage(store, key, EVER, at=before).share == 0
    assert exposure(store, key, EVER, LISTED, at=before).verdict is Verdict.UNKNOWN
    assert path(store, key, "facility:F", EVER, at=before).nodes == ()
    assert exposure(store, key, EVER, []).verdict is Verdict.NO
    store.close()


def test_what_a_viewer_may_not_see_is_nobodys_to_recall(url: str) -> None:
    """A tier that does not see the lot gets no answer about it, from any question."""
    draft = event(1, "produce", item("P", "1", 5), facility_id="F")
    hidden = Draft(draft.type, draft.version, draft.content, tiers={"/items/*": Tier.PRIVATE})
    store = loaded(url, hidden)
    for ask in (recall, custody, balance, coverage):
        with pytest.raises(NotFound):
            ask(store, "item:acme/P/10/1", Tier.PUBLIC)
    assert balance(store, "facility:F", Tier.PUBLIC).lines == ()
    assert recall(store, "facility:F", Tier.PUBLIC).affected == ()
    store.close()


def test_doubts_are_named(url: str) -> None:
    """Short, overdrawn, without departure, without arrival: each says so, none is made up."""
    store = loaded(
        url,
        event(1, "receive", item("P", "1", 5, **KG), facility_id="F", shipment_id="S1"),
        event(2, "ship", item("P", "1", 8, **KG), facility_id="F", shipment_id="S2"),
        event(3, "receive", item("P", "1", 6, **KG), facility_id="G", shipment_id="S2"),
        event(4, "ship", item("P", "1", 2, **KG), facility_id="H", shipment_id="S3"),
    )
    doubts = {
        (s.place, s.shipment): s.doubts for s in custody(store, "item:acme/P/10/1", EVER).stays
    }
    assert doubts == {
        ("facility:F", ""): (Doubt.NOT_SHIPPED, Doubt.OVERDRAWN),
        ("", "shipment:S2"): (Doubt.SHORT,),
        ("facility:G", ""): (),
        ("facility:H", ""): (Doubt.NO_ARRIVAL,),
        ("", "shipment:S3"): (Doubt.NOT_RECEIVED,),
    }
    store.close()


@pytest.mark.parametrize("declared_first", [False, True])
def test_a_shipment_declared_wrong_takes_nothing_along(url: str, *, declared_first: bool) -> None:
    """Neither what it names nor what is inside what it names, whichever came first."""
    ends = {"from_facility_id": "F1", "to_facility_id": "F2", "shipment_id": "S1"}
    goods = item("P", "1", 5)
    for told in ({"container_ids": ["K"]}, {"container_id": "K"}, {"items": [goods]}):
        wrong = event(2, "ship", **told, **ends)  # type: ignore[arg-type]
        pair = [declared(wrong), wrong] if declared_first else [wrong, declared(wrong)]
        store = open_store(url)
        store.reset()
        made = event(0, "produce", goods, facility_id="F1")
        packed = event(1, "pack", goods, container_id="K", facility_id="F1")
        catch_up(logged([made, packed, *pair]), store)
        for tier in Tier:
            (held,) = custody(store, "item:acme/P/10/1", tier).held()
            assert (held.place, held.rest, held.doubts) == ("facility:F1", Decimal(5), ())
        store.close()


def test_one_instance_is_in_one_place(url: str) -> None:
    """A serial seen elsewhere has left where it was; a lot may be in both places."""
    one = item("P", None, serial_ids=["x"])
    store = loaded(
        url,
        event(1, "produce", one, item("L", "1", 5), facility_id="F"),
        event(2, "inspect", one, item("L", "1", 2), facility_id="G"),
    )
    held = custody(store, "item:acme/P/21/x", EVER).held()
    assert [(stay.place, stay.rest, stay.doubts) for stay in held] == [
        ("facility:G", Decimal(1), (Doubt.NO_ARRIVAL,))
    ]
    assert len(custody(store, "item:acme/L/10/1", EVER).held()) == 2
    store.close()


class Plain:
    """Facts without a log, for sizes at which sealing would take the time."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.changes = Changes(0, 1)
        self.changes.entries.append(EntryFact(0, bytes(32), "event/1", None, []))

    def edge(self, src: str, kind: EdgeKind, dst: str, role: object = None) -> None:
        """State an edge."""
        for key in (src, dst):
            self.changes.nodes[key] = Mention(Tier.PUBLIC, None)
        edges = self.changes.edges
        edges.append(EdgeFact(src, kind, dst, 0, len(edges), role, Tier.PUBLIC, None, []))  # type: ignore[arg-type]


@pytest.fixture
def large(tmp_path: Path) -> Iterator[SqliteStore]:
    """A store for many facts."""
    store = SqliteStore(tmp_path / "graph.db")
    yield store
    store.close()


def test_a_lineage_of_depth_5000(large: SqliteStore) -> None:
    """It is followed to its end if asked, and is cut, saying so, if not."""
    facts = Plain()
    for at in range(5_000):
        facts.edge(f"item:a/P/10/{at}", EdgeKind.BECAME, f"item:a/P/10/{at + 1}")
    large.apply(facts.changes)
    key = "item:a/P/10/5000"
    short, whole = large.upstream(key, EVER), large.upstream(key, EVER, depth=6_000)
    assert (len(short.hops), short.truncated) == (101, True)
    assert (len(whole.hops), whole.truncated, whole.cycles()) == (5_001, False, ())
    assert len(coverage(large, key, EVER, depth=6_000).levels) == 5_001
    assert len(recall(large, "item:a/P/10/0", EVER, depth=6_000).affected) == 5_001
    assert path(large, key, "item:a/P/10/0", EVER, depth=50).truncated


def test_a_hundred_thousand_on_one_pallet(large: SqliteStore) -> None:
    """The answer is cut at its limit and says so."""
    facts = Plain()
    for at in range(100_000):
        facts.edge("container:P", EdgeKind.CONTAINED, f"item:a/P/10/{at}", Role.PACKED)
    large.apply(facts.changes)
    answer = large.downstream("container:P", EVER)
    assert len(answer.hops) == 10_000
    assert answer.truncated
    back = recall(large, "container:P", EVER, limit=100)
    assert (len(back.affected), back.truncated) == (99, True)
    way = path(large, "item:a/P/10/1", "item:a/P/10/99999", EVER)
    assert (way.nodes, way.truncated) == ((), True)


def test_sites_on_record_decide_a_no(url: str) -> None:
    """Described, and not listed: no. Without its country: unknown, and the place is named."""
    sites = [record("facility", facility_id="F1", name="One", country="DE", region="DE-BY")]
    store = loaded(
        url,
        *sites,
        event(1, "produce", item("P", "1"), facility_id="F1"),
        event(2, "produce", item("P", "2"), facility_id="F2"),
    )
    known = exposure(store, "item:acme/P/10/1", EVER, LISTED)
    dark = exposure(store, "item:acme/P/10/2", EVER, LISTED)
    assert (known.verdict, dark.verdict) == (Verdict.NO, Verdict.UNKNOWN)
    assert [(one.reason, one.what) for one in dark.missing] == [("unknown_place", "facility:F2")]
    for value in ("DE", "DE-BY", "de-by"):
        listed = [ListEntry("list", "region", value)]
        assert exposure(store, "item:acme/P/10/1", EVER, listed).verdict is Verdict.YES
    assert (
        exposure(store, "item:acme/P/10/1", EVER, [ListEntry("l", "region", "DE-BE")]).verdict
        == "no"
    )
    store.close()
