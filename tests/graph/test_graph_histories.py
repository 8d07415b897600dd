"""Random supply histories: every store answers as a twin that replays the events."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from graph_factories import ListLog, event, item
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_graph import NaiveGraph

from graph.connect import open_store
from graph.sync import catch_up
from provenance.disclosure.privacy import open_entry
from provenance.entries import Draft, EntryType, Tier
from provenance.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from graph.model import Node
    from graph.store import GraphStore

PARTIES = st.sampled_from(["acme", "bolt"])
LOTS = st.builds(
    lambda party, product, lot: (
        {"party": party, "product_id": product} | ({"lot_id": lot} if lot else {})
    ),
    PARTIES,
    st.sampled_from("PQ"),
    st.sampled_from(["1", "2", "3", None]),
)
OTHERS = ("ship", "receive", "inspect")
QUANTITIES = st.one_of(st.none(), st.integers(1, 9))


@st.composite
def named(draw: Any) -> dict[str, Any]:
    """An item of an event: class or lot, quantity and serials where they come."""
    found = dict(draw(LOTS))
    quantity = draw(QUANTITIES)
    if quantity is not None:
        found["quantity"] = quantity
    serials = draw(st.lists(st.sampled_from("xy"), unique=True, max_size=2))
    return found | ({"serial_ids": serials} if serials else {})


@st.composite
def used(draw: Any) -> dict[str, Any]:
    """An input: a lot of a known maker, or only its lot id."""
    found = {name: value for name, value in draw(LOTS).items() if name != "lot_id"}
    known = found if draw(st.integers(0, 4)) else {}
    return known | {"lot_id": draw(st.sampled_from("123"))}


@st.composite
def histories(draw: Any) -> list[Draft]:
    """Events, of which some are declared wrong."""
    return draw(doubted(draw(plain_histories())))


@st.composite
def doubted(draw: Any, drafts: list[Draft]) -> list[Draft]:
    """The same events, and for a few of them a declaration that they are wrong."""
    places = st.lists(st.integers(0, len(drafts) - 1), unique=True, max_size=2)
    wrong = [] if draw(st.integers(0, 2)) else draw(places)
    return [*drafts, *(declared(drafts[place]) for place in wrong)]


def declared(draft: Draft) -> Draft:
    """A declaration that an event is wrong, which repeats it."""
    error = {"errorDeclaration": {"declarationTime": "2024-02-01T00:00:00Z"}}
    return Draft(EntryType.CORRECTION, "epcis/1", deepcopy(draft.content) | {"epcis": error})


def logged(
    drafts: list[Draft], tiers: Callable[[Draft], dict[str, Tier]] = lambda _: {}
) -> ListLog:
    """A log of them, in which events and declarations name each other as ingest lets them."""
    log, places, errors = ListLog(), {}, {}
    for draft in drafts:
        name, content = draft.content.get("event_id"), dict(draft.content)
        if name is None:
            pass
        elif "epcis" in content:
            errors[name] = log.size
            content |= {"corrects": {"index": places[name]}} if name in places else {}
        else:
            places[name] = log.size
            content |= {"declared": {"index": errors[name]}} if name in errors else {}
        log.append(Draft(draft.type, draft.version, content, tiers=tiers(draft)))
    return log


@st.composite
def plain_histories(draw: Any) -> list[Draft]:
    """Events at few times, among few lots, so that everything meets; ids are unique."""
    drafts = []
    for number in range(draw(st.integers(1, 9))):
        word = draw(
            st.sampled_from(
                [*("produce", "transform", "transform", "transform", "pack", "unpack"), *OTHERS]
            )
        )
        items = draw(st.lists(named(), max_size=2))
        more: dict[str, Any] = {"party": draw(PARTIES)}
        if word in ("produce", "transform"):
            inputs = draw(st.lists(used(), max_size=2))
            more |= {"inputs": inputs} if inputs else {}
        if word in ("pack", "unpack") or draw(st.booleans()):
            more["container_id"] = draw(st.sampled_from(["K1", "K2"]))
        if draw(st.integers(0, 2)) == 0:
            more["container_ids"] = draw(
                st.lists(st.sampled_from(["K1", "K2", "K3"]), unique=True, min_size=1, max_size=2)
            )
        if word in ("ship", "receive"):
            more["shipment_id"] = draw(st.sampled_from(["S1", "S2"]))
        hour = draw(st.integers(0, 4))
        made = event(hour, word, *items, **more)
        if "container_ids" in more:  # only an EPCIS document can tell of several
            made = replace(made, version="epcis/1")
        made.content["event_id"] = f"E{number}"
        drafts.append(made)
    return drafts


def loaded(url: str, log: ListLog, batch: int = 1000) -> GraphStore:
    """A store that has caught up."""
    store = open_store(url)
    store.reset()
    catch_up(log, store, batch=batch)
    return store


def twin_of(log: ListLog, tier: Tier) -> NaiveGraph:
    """The twin of a viewer; what is wrong is wrong for everybody."""
    kinds = (EntryType.EVENT, EntryType.CORRECTION)
    held = [entry for entry in log.held if entry.type in kinds]
    whole = {entry.index: open_entry(entry, Tier.PRIVATE) for entry in held}
    wrong = {content["corrects"]["index"] for content in whole.values() if "corrects" in content}
    wrong |= {index for index, content in whole.items() if "declared" in content}
    said = {index for index, content in whole.items() if "epcis" in content}
    return NaiveGraph([(entry.index, open_entry(entry, tier)) for entry in held], wrong, said)


def _micros(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1_000_000)


TIMES = st.one_of(
    st.none(), st.integers(0, 4).map(lambda h: datetime.fromisoformat(f"2024-01-01T{h:02}:30:00Z"))
)


@settings(max_examples=50)
@given(
    drafts=histories(),
    direction=st.sampled_from(["upstream", "downstream"]),
    tier=st.sampled_from(list(Tier)),
    depth=st.one_of(st.just(100), st.integers(0, 3)),
    limit=st.one_of(st.just(100), st.integers(1, 4)),
    at=TIMES,
)
def test_lineage_is_what_replaying_the_events_gives(
    *,
    url: str,
    drafts: list[Draft],
    direction: str,
    tier: Tier,
    depth: int,
    limit: int,
    at: datetime | None,
) -> None:
    """Hops, gaps and truncation of every item equal the naive twin's, at any tier, time, limit."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, tier)
    ask: Callable[..., Any] = getattr(store, direction)
    for key in sorted(twin.items() | twin.containers()):
        answer = ask(key, tier, depth=depth, limit=limit, at=_micros(at))
        hops, truncated = twin.hops(key, direction, depth, limit, at)
        assert list(answer.hops.items()) == list(hops.items())
        assert answer.truncated == truncated
        gaps = {(g.item, str(g.reason), g.missing, g.index) for g in answer.gaps}
        assert gaps == twin.gaps(key, direction, hops, at)
        assert answer.position == len(drafts)
    store.close()


@settings(max_examples=40)
@given(histories(), st.sampled_from(list(Tier)))
def test_a_journey_is_what_replaying_the_events_gives(
    url: str, drafts: list[Draft], tier: Tier
) -> None:
    """Steps, their order, their hops and whom they concern equal the naive twin's."""
    log = logged(drafts)
    store, twin = loaded(url, log), twin_of(log, tier)
    for key in sorted(twin.items()):
        answer = store.journey(key, tier)
        steps = [(step.event.key, step.hops, step.items) for step in answer.steps]
        assert steps == twin.journey(key)
        assert not answer.truncated
    store.close()


def everything(store: GraphStore, log: ListLog, tier: Tier) -> Any:
    """Every answer a viewer can get, without log positions."""
    twin = twin_of(log, tier)
    answers: dict[str, Any] = {}
    for key in sorted(twin.items()):
        up, down = store.upstream(key, tier), store.downstream(key, tier)
        journey = store.journey(key, tier)
        answers[key] = (
            up.hops,
            down.hops,
            sorted((g.item, g.reason, g.missing) for g in (*up.gaps, *down.gaps, *journey.gaps)),
            sorted((e.src, e.dst, str(e.attrs)) for e in (*up.edges, *down.edges)),
            up.cycles(),
            [(s.event.key, _said(s.event), s.hops, s.items, s.containers) for s in journey.steps],
            sorted(
                (e.src, e.kind, e.dst, str(e.role), str(e.attrs)) for e in _around(store, key, tier)
            ),
        )
    return answers


def _said(event: Node) -> dict[str, Any]:
    """What an event says, apart from what it is told about a declaration that repeats it."""
    about = ("epcis", "corrects", "declared")
    return {name: value for name, value in event.attrs.items() if name not in about}


def _around(store: GraphStore, key: str, tier: Tier) -> Any:
    return store.neighbours(key, tier)


@settings(max_examples=15)
@given(histories(), st.randoms(use_true_random=False), st.sampled_from(list(Tier)))
def test_the_order_of_ingest_never_changes_an_answer(
    url: str, drafts: list[Draft], rng: Any, tier: Tier
) -> None:
    """The same events in another order give the same answers, log positions aside."""
    shuffled = list(drafts)
    rng.shuffle(shuffled)
    one, other = logged(drafts), logged(shuffled)
    store = loaded(url, one)
    first = everything(store, one, tier)
    store.close()
    store = loaded(url, other)
    assert everything(store, other, tier) == first
    store.close()


@settings(max_examples=15)
@given(histories(), st.integers(1, 5))
def test_rebuilding_equals_catching_up_in_any_batches(
    url: str, drafts: list[Draft], batch: int
) -> None:
    """Neither the size of batches nor a rebuild changes any answer; both stores agree."""
    log = logged(drafts)
    store = loaded(url, log, batch)
    stepwise = everything(store, log, Tier.PRIVATE)
    store.close()
    store = loaded(url, log)
    assert everything(store, log, Tier.PRIVATE) == stepwise
    memory = loaded("memory:", log)
    assert everything(memory, log, Tier.PRIVATE) == stepwise
    store.close()


OWN_TIERS = st.dictionaries(
    st.sampled_from(
        ["/items/*", "/items/*/lot_id", "/inputs/*", "/inputs/*/lot_id", "/event_time"]
    ),
    st.sampled_from([Tier.PARTNER, Tier.PRIVATE]),
    max_size=2,
)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@settings(max_examples=12)
@given(st.lists(st.tuples(histories(), OWN_TIERS), min_size=1, max_size=2), st.integers(1, 9))
def test_stores_agree_whatever_each_entry_hides(
    url: str, parts: list[tuple[list[Draft], dict[str, Tier]]], batch: int
) -> None:
    """With entries that hide different fields, other stores answer every viewer as memory does."""
    for part, (drafts, _) in enumerate(parts):
        for draft in drafts:
            draft.content["event_id"] += f"-{part}"
    drafts = [draft for some, _ in parts for draft in some]
    log = logged(drafts, lambda draft: parts[int(draft.content["event_id"][-1])][1])
    store, memory = loaded(url, log, batch), loaded("memory:", log)
    known = sorted(twin_of(log, Tier.PRIVATE).items())
    for tier in Tier:
        for key in known:
            assert answers(store, key, tier) == answers(memory, key, tier)
    store.close()


def answers(store: GraphStore, key: str, tier: Tier) -> Any:
    """What a store says about an item; that there is none is an answer too."""
    try:
        return (
            store.node(key, tier),
            store.upstream(key, tier),
            store.downstream(key, tier),
            store.journey(key, tier),
            store.neighbours(key, tier),
        )
    except NotFound:
        return None


@settings(max_examples=30)
@given(histories())
def test_what_a_viewer_may_not_see_is_not_found(url: str, drafts: list[Draft]) -> None:
    """An item that a tier cannot see is as unknown to it as one that is not there."""
    log = logged(drafts)
    store = loaded(url, log)
    for key in sorted(twin_of(log, Tier.PRIVATE).items() - twin_of(log, Tier.PUBLIC).items()):
        for ask in (store.upstream, store.downstream, store.journey, store.node, store.neighbours):
            with pytest.raises(NotFound):
                ask(key, Tier.PUBLIC)
        assert store.fetch([key], Tier.PUBLIC) == {}
    store.close()


def test_circles_end_and_are_named(url: str) -> None:
    """Items made from each other are reported once, and lineage through them ends."""
    ring = [
        event(
            n, "transform", item("P", str(n)), inputs=[{"party": "acme", "product_id": "P"} | lot]
        )
        for n, lot in enumerate([{"lot_id": "2"}, {"lot_id": "0"}, {"lot_id": "1"}])
    ]
    own = event(9, "transform", item("Q", "7"), inputs=[item("Q", "7"), item("P", "1")])
    store = loaded(url, ListLog([*ring, own]))
    answer = store.upstream("item:acme/Q/10/7", Tier.PUBLIC)
    assert answer.cycles() == (
        ("item:acme/P/10/0", "item:acme/P/10/1", "item:acme/P/10/2"),
        ("item:acme/Q/10/7",),
    )
    assert len(answer.hops) == 4
    store.close()
