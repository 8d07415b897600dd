"""Random supply histories: every question is answered as a twin that replays the events does."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import naive_places
import naive_questions as naive
import networkx as nx
from graph_factories import record
from hypothesis import given, settings
from hypothesis import strategies as st
from test_graph_histories import TIMES, _micros, doubted, loaded, logged, plain_histories, twin_of

from graph.keys import NodeKind, kind_of
from graph.questions.balance import balance
from graph.questions.coverage import coverage
from graph.questions.custody import custody
from graph.questions.exposure import Verdict, exposure
from graph.questions.lanes import lanes
from graph.questions.ledger import ledger
from graph.questions.lists import ListEntry
from graph.questions.paths import path
from graph.questions.recall import recall
from provenance.entries import Draft, Tier

if TYPE_CHECKING:
    from datetime import datetime

    from graph.store import GraphStore

SITES = ["F1", "F2", "F3"]
TIERS = st.sampled_from(list(Tier))


@st.composite
def stories(draw: Any) -> list[Draft]:
    """Histories with places, units, amounts used, and certificates."""
    drafts = draw(plain_histories())
    for draft in drafts:
        content = draft.content
        if draw(st.integers(0, 3)):
            content["facility_id"] = draw(st.sampled_from(SITES))
        if content["event_type"] in ("ship", "receive"):
            for end in ("from_facility_id", "to_facility_id"):
                if draw(st.booleans()):
                    content[end] = draw(st.sampled_from(SITES))
        if not draw(st.integers(0, 4)):
            content["certificate_id"] = "CERT"
        _measure(content, draw)
    return draw(doubted(drafts))


def _measure(content: dict[str, Any], draw: Any) -> None:
    for one in content["items"]:
        if one["product_id"] == "P" and "quantity" in one:
            one["quantity_unit"] = "kg"
    for one in content.get("inputs", []):
        if draw(st.booleans()):
            one["quantity"] = draw(st.integers(1, 9))


def known(store: GraphStore, keys: set[str], tier: Tier) -> list[str]:
    """Those of the keys that a viewer may know of, in order."""
    return sorted(store.fetch(keys, tier))


def few(keys: list[str]) -> list[str]:
    """Some of many, spread evenly: each asks for a handful of questions."""
    return keys[:: 1 + len(keys) // 5]


@settings(max_examples=8, deadline=None)
@given(stories(), TIERS, TIMES)
def test_a_ledger_is_what_the_events_say(
    url: str, drafts: list[Draft], tier: Tier, at: datetime | None
) -> None:
    """Movements of any set of items: direct, and through containers within containers."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, tier)
    every = known(store, twin.items(), tier)
    for items in (every, *([key] for key in few(every))):
        told = [
            (
                m.item,
                str(m.act),
                m.quantity,
                m.unit,
                m.place,
                m.other,
                m.shipment,
                m.container,
            )
            for m in ledger(store, items, tier, _micros(at)).moves
        ]
        expected = [
            (
                m.item,
                m.act,
                m.quantity,
                m.unit,
                m.place,
                m.other,
                m.shipment,
                m.container,
            )
            for m in naive.moves(twin, items, at)
        ]
        assert told == expected
    store.close()


@settings(max_examples=8, deadline=None)
@given(stories(), TIERS, TIMES)
def test_custody_is_what_the_movements_leave(
    url: str, drafts: list[Draft], tier: Tier, at: datetime | None
) -> None:
    """Every stay, its times, amounts and doubts, equals the pile that the twin heaps up."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, tier)
    for key in few(known(store, twin.items(), tier)):
        answer = custody(store, key, tier, at=_micros(at))
        own = naive.moves(twin, [key], at)
        if not own and key.count("/") == 5:
            own = naive.moves(twin, sorted(twin.stands_for(key)), at)
        assert Counter(map(_stay, answer.stays)) == Counter(map(_pile, naive_places.stays(own)))
        assert answer.position == log.size
    store.close()


def _stay(stay: Any) -> tuple[Any, ...]:
    times = (stay.since_us, stay.until_us)
    amounts = (stay.ended, stay.quantity, stay.rest, stay.unit)
    shipment = "" if stay.shipment == "shipment:" else stay.shipment
    where = (stay.item, stay.place, stay.party, shipment, bool(stay.shipment))
    return *where, *times, *amounts, tuple(map(str, stay.doubts))


def _pile(pile: naive_places.Pile) -> tuple[Any, ...]:
    first = pile.first
    times = (_micros(first.time), _micros(pile.until))
    amounts = (pile.ended, pile.quantity, pile.rest, first.unit)
    shipment = "" if pile.shipment == naive_places.UNDER_WAY else pile.shipment
    where = (first.item, pile.place, first.party, shipment, bool(pile.shipment))
    return *where, *times, *amounts, tuple(sorted(pile.doubts))


@settings(max_examples=6, deadline=None)
@given(drafts=stories(), tier=TIERS, at=TIMES, depth=st.integers(0, 3), limit=st.integers(1, 5))
def test_a_recall_finds_all_that_came_of_it(
    *,
    url: str,
    drafts: list[Draft],
    tier: Tier,
    at: datetime | None,
    depth: int,
    limit: int,
) -> None:
    """Affected items, amounts made and places supplied equal the twin's, within the limits."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, tier)
    subjects = twin.items() | twin.containers()
    for key in few(known(store, subjects, tier)):
        answer = recall(store, key, tier, depth=depth, limit=limit, at=_micros(at))
        hops, cut = twin.hops(key, "downstream", depth, limit, at)
        items = [item for item in hops if item.startswith("item:")]
        assert [(one.item, one.hops) for one in answer.affected] == [(i, hops[i]) for i in items]
        assert answer.truncated == cut
        own = naive.moves(twin, items, at)
        for one in answer.affected:
            made = [m.quantity for m in own if m.item == one.item and m.act == "made"]
            assert one.quantity == (sum(made) if made and None not in made else None)
        told = {place: told for place, *told in _customers(own)}
        found = {one.place: [one.items, dict(one.quantities)] for one in answer.customers}
        assert found == told
        held = [_pile(pile) for pile in naive_places.stays(own) if not pile.ended]
        assert Counter(map(_stay, answer.held)) == Counter(held)
    store.close()


def _customers(own: list[naive.NaiveMove]) -> Any:
    """Place, items and amounts by unit of whatever was sent there, or arrived unannounced."""
    sent = {(m.other, m.item, m.shipment) for m in own if m.act == "sent" and m.other}
    counted = defaultdict(list)
    for m in own:
        if m.act == "sent" and m.other:
            counted[m.other].append(m)
        if m.act == "received" and m.place and (m.place, m.item, m.shipment) not in sent:
            counted[m.place].append(m)
    for place, those in counted.items():
        sums: dict[str, Decimal] = {}
        for m in those:
            if m.quantity is not None:
                sums[m.unit or ""] = sums.get(m.unit or "", Decimal(0)) + m.quantity
        yield place, len({m.item for m in those}), sums


@settings(max_examples=6, deadline=None)
@given(stories(), TIERS)
def test_a_recall_of_a_place_or_a_certificate_begins_with_what_was_there(
    url: str, drafts: list[Draft], tier: Tier
) -> None:
    """All that was at the place but as input or came from it, or that bears the certificate."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, tier)
    certified = {
        naive.key_of(one)
        for _, event in twin.events
        for one in event["items"]
        if event.get("certificate_id") == "CERT"
    }
    subjects = {"certificate:CERT": certified}
    for site in SITES:
        subjects[f"facility:{site}"] = _were_at(twin, site)
    for key in known(store, set(subjects), tier):
        answer = recall(store, key, tier)
        starts = {one.item for one in answer.affected if not one.hops}
        assert starts == subjects[key]
    store.close()


def _were_at(twin: Any, site: str) -> set[str]:
    found = set()
    for place, (_, event) in enumerate(twin.events):
        named = {naive.key_of(one) for one in event["items"]}
        named |= {naive.key_of(one, s) for one in event["items"] for s in naive.serials_of(one)}
        if event.get("facility_id") == site:
            found |= named | {key for key in twin.carried(place) if key.startswith("item:")}
        lines = {naive.key_of(one) for one in event["items"]}
        if event["event_type"] == "ship":
            start = event.get("from_facility_id", event.get("facility_id"))
            found |= lines if start == site else set()
        if event["event_type"] == "receive":
            end = event.get("to_facility_id", event.get("facility_id"))
            came = event.get("from_facility_id") == site and (end or "shipment_id" in event)
            found |= lines if end == site or came else set()
    return found


@settings(max_examples=6, deadline=None)
@given(stories(), TIERS, TIMES)
def test_a_balance_adds_up(url: str, drafts: list[Draft], tier: Tier, at: datetime | None) -> None:
    """Each site's lines are the sums of the twin's movements, and the stock their difference."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, tier)
    for key in few(known(store, {f"facility:{site}" for site in SITES}, tier)):
        answer = balance(store, key, tier, at=_micros(at))
        sums: dict[tuple[str, str], dict[str, Any]] = defaultdict(lambda: defaultdict(Decimal))
        own = known(store, twin.items(), tier)
        for move in naive.moves(twin, own, at):
            if move.place == key and move.act != "seen":
                line = sums[move.item.split("/10/")[0].split("/21/")[0], move.unit or ""]
                line[move.act] += move.quantity or 0
                line["unmeasured"] += move.quantity is None
        assert {(one.material, one.unit) for one in answer.lines} == set(sums)
        for one in answer.lines:
            line = sums[one.material, one.unit]
            assert (
                one.made,
                one.received,
                one.used,
                one.sent,
                one.unmeasured,
            ) == tuple(line[name] for name in ("made", "received", "used", "sent", "unmeasured"))
            total = one.made + one.received - one.used - one.sent
            assert one.stock == (None if one.unmeasured else total)
    store.close()


@settings(max_examples=8, deadline=None)
@given(stories(), TIERS, TIMES)
def test_coverage_is_the_share_that_leads_to_an_origin(
    url: str, drafts: list[Draft], tier: Tier, at: datetime | None
) -> None:
    """The documented share, and whether it is estimated, equal the twin's."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, tier)
    for key in few(known(store, twin.items() | twin.containers(), tier)):
        answer = coverage(store, key, tier, at=_micros(at))
        hops, _ = twin.hops(key, "upstream", 10_000, 10_000, at)
        share, _ = naive.share(twin, hops, key, at)
        assert answer.share == share
        assert 0 <= answer.share <= 1
        assert sum(level.items for level in answer.levels) >= 1 or kind_of(key) is not NodeKind.ITEM
    store.close()


@settings(max_examples=6, deadline=None)
@given(stories(), TIERS, TIMES)
def test_exposure_says_yes_no_or_unknown_for_a_reason(
    url: str, drafts: list[Draft], tier: Tier, at: datetime | None
) -> None:
    """Yes has a hit upstream, no has nothing missing, and both are what the twin finds."""
    sites = [record("facility", facility_id=s, name=s, country="DE") for s in ("F1", "F2")]
    log = logged([*sites, *drafts])
    store, twin = loaded(url, log), twin_of(log, tier)
    listed = [ListEntry("list", "facility", "F1")]
    for key in few(known(store, twin.items(), tier)):
        answer = exposure(store, key, tier, listed, at=_micros(at))
        hops, _ = twin.hops(key, "upstream", 10_000, 10_000, at)
        last = {}
        for pair in twin.made(at):
            if pair.src in hops and pair.dst in hops:
                last[pair.src] = max(pair.time, last.get(pair.src, pair.time))
        own = [m for m in naive.moves(twin, list(hops), at) if _concerns(m, hops, last)]
        there = {
            m.item
            for m in own
            if m.place == "facility:F1" or (m.act == "received" and m.other == "facility:F1")
        }
        assert {hit.item for hit in answer.hits} == there
        assert (answer.verdict is Verdict.YES) == bool(there)
        assert (answer.verdict is Verdict.NO) == (not there and not answer.missing)
        missing = {(hops[g[0]], *g[:3]) for g in twin.gaps(key, "upstream", hops, at)}
        placed = {m.item for m in own if m.place or (m.act == "received" and m.other)}
        told = key if sum(not far for far in hops.values()) > 1 else ""
        missing |= {
            (far, item, "no_place", "")
            for item, far in hops.items()
            if item.startswith("item:") and item not in placed | {told}
        }
        assert {(m.hops, m.item, str(m.reason), m.what) for m in answer.missing} == missing
    store.close()


def _concerns(move: naive.NaiveMove, hops: dict[str, int], last: dict[Any, datetime]) -> bool:
    return not hops[move.item] or move.item not in last or move.time <= last[move.item]


@settings(max_examples=4, deadline=None)
@given(stories())
def test_a_path_is_a_shortest_one(url: str, drafts: list[Draft]) -> None:
    """As many steps as a search over what events bring together; each step is an edge on record."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, Tier.PRIVATE)
    whole: nx.Graph[str] = nx.Graph(naive_places.ways(twin))
    every = sorted(twin.items() | twin.containers())
    whole.add_nodes_from(every)
    for start in every[:3]:
        for end in every:
            answer = path(store, start, end, Tier.PRIVATE)
            if nx.has_path(whole, start, end):
                assert len(answer.nodes) == nx.shortest_path_length(whole, start, end) + 1
                assert (answer.nodes[0], answer.nodes[-1]) == (start, end)
                ends = [{e.src, e.dst} for e in answer.edges]
                assert ends == [set(step) for step in pairwise(answer.nodes)]
            else:
                assert answer.nodes == ()
                assert not answer.truncated
    store.close()


@settings(max_examples=6, deadline=None)
@given(stories(), TIERS, TIMES)
def test_lanes_are_what_left_for_somewhere(
    url: str, drafts: list[Draft], tier: Tier, at: datetime | None
) -> None:
    """Shipments and sums by unit between each two sites equal the twin's."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, tier)
    found = {}
    for ends, moved in naive_places.lanes(twin, at).items():
        sums: dict[str, int] = defaultdict(int)
        for one in moved:
            if "quantity" in one:
                sums[one.get("quantity_unit", "")] += one["quantity"]
        found[ends] = (len(moved), dict(sums))
    answer = lanes(store, tier, at=_micros(at))
    assert {(w.src, w.dst): (w.shipments, dict(w.quantities)) for w in answer.lanes} == found
    assert {site.key for site in answer.sites} == {end for ends in found for end in ends}
    store.close()


@settings(max_examples=5, deadline=None)
@given(stories(), st.randoms(use_true_random=False), TIERS)
def test_neither_order_nor_batches_nor_stores_change_an_answer(
    url: str, drafts: list[Draft], rng: Any, tier: Tier
) -> None:
    """The same events at once, one by one, in another order and in memory: the same answers."""
    shuffled = list(drafts)
    rng.shuffle(shuffled)
    told = []
    for log, where, batch in (
        (logged(drafts), url, 1_000),
        (logged(drafts), url, 1),
        (logged(shuffled), url, 2),
        (logged(drafts), "memory:", 1_000),
    ):
        store = loaded(where, log, batch)
        told.append(answers(store, few(known(store, twin_of(log, tier).items(), tier)), tier))
        store.close()
    assert told[0] == told[1] == told[2] == told[3]


def answers(store: GraphStore, keys: list[str], tier: Tier) -> Any:
    """What is said of items, log indexes aside."""
    listed = [ListEntry("list", "facility", "F1"), ListEntry("list", "region", "DE")]
    found: dict[str, Any] = {"lanes": lanes(store, tier).lanes}
    for key in keys:
        back, held = recall(store, key, tier), custody(store, key, tier)
        where = exposure(store, key, tier, listed)
        share = coverage(store, key, tier)
        found[key] = (
            back.affected,
            back.customers,
            sorted(str((s.item, s.place, s.shipment, s.rest, s.doubts)) for s in back.held),
            sorted(
                str((s.place, s.since_us, s.until_us, s.quantity, s.doubts)) for s in held.stays
            ),
            (where.verdict, sorted({h.place for h in where.hits}), len(where.missing)),
            (share.share, share.estimated, share.levels),
            balance(store, key, tier).lines,
            [len(path(store, keys[0], key, tier).nodes), path(store, keys[0], key, tier).truncated],
            [(s.event.key, s.hops, s.items) for s in store.journey(key, tier).steps],
            (store.upstream(key, tier).hops, store.downstream(key, tier).hops),
        )
    return found
