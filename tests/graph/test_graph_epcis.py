"""EPCIS events in the graph: serials are followed one by one, and errors are taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from graph_factories import ListLog

from graph.frames import load_frames
from graph.keys import container_key, item_key
from graph.model import EdgeKind, Role
from graph.sync import catch_up
from provenance.entries import Draft, EntryType, Tier
from provenance.epcis.content import event_content
from provenance.epcis.jsonpull import parse
from provenance.epcis.rules import check_event
from provenance.epcis.writing import json_text

if TYPE_CHECKING:
    from graph.store import GraphStore

INPUT, OUTPUT = "04012345111118", "04012345222227"
SGTIN = "urn:epc:id:sgtin:4012345.0{}.{}"


def epcis(number: int, **members: Any) -> Draft:
    """An entry of one EPCIS event; `corrects` and `declared` name an earlier entry."""
    corrects, declared = members.pop("corrects", None), members.pop("declared", None)
    event = parse(
        json_text(
            {
                "eventTime": f"2024-01-{number:02}T00:00:00Z",
                "eventTimeZoneOffset": "+00:00",
                "readPoint": {"id": "urn:epc:id:sgln:4012345.00001.0"},
                **members,
            }
        )
    )
    check_event(event)
    event_id = members.get("eventID", f"urn:x:{number}")
    content = event_content(event, party="acme", event_id=event_id, context=[])
    if declared is not None:
        content["declared"] = {"index": declared}
    if corrects is None:
        return Draft(EntryType.EVENT, "epcis/1", content)
    return Draft(EntryType.CORRECTION, "epcis/1", content | {"corrects": {"index": corrects}})


def made(number: int, used: str, made_: str, **more: Any) -> Draft:
    """A serial that was made of another."""
    return epcis(
        number,
        type="TransformationEvent",
        inputEPCList=[SGTIN.format("11111", used)],
        outputEPCList=[SGTIN.format("22222", made_)],
        **more,
    )


def upstream(store: GraphStore, serial: str) -> set[str]:
    """What an output serial came from, without itself."""
    key = item_key("acme", OUTPUT, None, serial)
    return set(store.upstream(key, Tier.PRIVATE).hops) - {key}


def test_serials_keep_apart(store: GraphStore) -> None:
    """Two serials of one product that were made of two others are not mixed."""
    catch_up(ListLog([made(1, "a", "x"), made(2, "b", "y")]), store)
    assert upstream(store, "x") == {item_key("acme", INPUT, None, "a")}
    assert upstream(store, "y") == {item_key("acme", INPUT, None, "b")}


def test_containers_within_containers(store: GraphStore) -> None:
    """An SSCC packed into another is inside it."""
    pack = epcis(
        1,
        type="AggregationEvent",
        action="ADD",
        parentID="urn:epc:id:sscc:4012345.3111111111",
        childEPCs=["urn:epc:id:sscc:4012345.0000000333"],
    )
    catch_up(ListLog([pack]), store)
    parent = container_key("340123451111111111")
    (edge,) = store.edges([parent], Tier.PRIVATE, EdgeKind.CONTAINED, "downstream")
    assert (edge.dst, edge.role) == (container_key("040123450000003338"), Role.PACKED)
    assert store.edges([parent], Tier.PUBLIC, EdgeKind.CONTAINED, "downstream") == []


ERROR = {"errorDeclaration": {"declarationTime": "2024-02-01T00:00:00Z"}}


@pytest.mark.parametrize("batch", [1, 2, 10])
def test_an_error_declaration_takes_back_what_was_said(store: GraphStore, batch: int) -> None:
    """Lineage follows the corrective event; both events can still be asked for."""
    wrong = made(1, "a", "x", eventID="urn:x:1")
    right = made(3, "b", "x", eventID="urn:x:3")
    declared = made(1, "a", "x", eventID="urn:x:1", corrects=0, **ERROR)
    log = ListLog([wrong])
    catch_up(log, store, batch=batch)
    assert upstream(store, "x") == {item_key("acme", INPUT, None, "a")}
    log.append(declared, right)
    catch_up(log, store, batch=batch)
    assert upstream(store, "x") == {item_key("acme", INPUT, None, "b")}
    contents = list(store.contents("epcis/1", Tier.PRIVATE))
    assert [one.index for one in contents] == [0, 1, 2]
    frames = load_frames(store)
    assert list(frames.events["index"]) == [2]
    assert list(frames.inputs["index"]) == [2]


def test_rebuilding_gives_the_same(store: GraphStore) -> None:
    """In one go or entry by entry, what was taken back is gone."""
    declared = made(1, "a", "x", corrects=0, **ERROR)
    log = ListLog([made(1, "a", "x"), declared, made(3, "b", "x")])
    catch_up(log, store, batch=1)
    before = upstream(store, "x")
    store.reset()
    catch_up(log, store)
    assert upstream(store, "x") == before == {item_key("acme", INPUT, None, "b")}


def test_which_of_the_two_comes_first_makes_no_difference(store: GraphStore) -> None:
    """An event that says that it was declared wrong counts as if the declaration had followed."""
    after = [
        made(1, "a", "x"),
        made(1, "a", "x", corrects=0, **ERROR),
        made(3, "b", "x"),
    ]
    before = [
        made(1, "a", "x", **ERROR),
        made(1, "a", "x", declared=0),
        made(3, "b", "x"),
    ]
    answers = []
    for entries in (after, before):
        store.reset()
        catch_up(ListLog(entries), store, batch=1)
        frames = load_frames(store)
        held = (list(frames.events["index"]), list(frames.inputs["index"]))
        answers.append((upstream(store, "x"), held))
    assert answers[0] == answers[1]
    assert answers[0][0] == {item_key("acme", INPUT, None, "b")}


def test_an_error_declaration_alone_makes_nothing(store: GraphStore) -> None:
    """Of goods it says no more than that something was wrong, also without the event."""
    catch_up(ListLog([made(1, "a", "x", **ERROR)]), store)
    assert upstream(store, "x") == set()
    # It cannot take back what comes later, or what is no entry.
    log = ListLog([made(1, "a", "x", corrects=7, **ERROR), made(2, "a", "x")])
    store.reset()
    catch_up(log, store)
    assert upstream(store, "x") == {item_key("acme", INPUT, None, "a")}
