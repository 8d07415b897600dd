"""EPCIS documents into the log: every event is counted once, and nothing of it is lost."""

from __future__ import annotations

import gzip
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from epcis_world import PREFIX, document, event, transformation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_log import MemoryLog, clock, counts, feed, feed_paths
from schema_oracle import events_of, examples_in

from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import EntryType, Tier
from provenance.epcis.content import as_written
from provenance.epcis.vocabulary import CONTEXT
from provenance.errors import InputError
from provenance.ingest.run import ingest

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.ingest.receipt import Receipt

URN = "urn:uuid:{:08d}-0000-4000-8000-000000000000"


def take(log: MemoryLog, place: Path, text: str) -> Receipt:
    """Ingest one document with other randomness for every id."""
    path = place / "events.jsonld"
    path.write_text(text, encoding="utf-8")
    return ingest(
        [str(path)],
        log,
        party="acme",
        quarantine=place / "quarantine",
        clock=clock,
        entropy=os.urandom,
    )


def test_every_example_of_gs1_is_taken(test_data: Path, tmp_path: Path) -> None:
    """Each of the 47 documents goes in whole, and again not at all."""
    for path in examples_in(test_data):
        log = MemoryLog()
        receipt = feed_paths(log, tmp_path, [path])
        number = len(events_of(json.loads(path.read_text())))
        assert counts(receipt)[:2] == (number, number), path.name
        assert feed_paths(log, tmp_path, [path]).total.duplicate == number


@pytest.mark.parametrize(
    "text",
    [
        document(event()),
        document(
            event(),
            type="EPCISQueryDocument",
            epcisBody={"queryResults": {"queryName": "q", "resultsBody": {"eventList": [event()]}}},
        ),
        json.dumps([event()]),
        json.dumps(event()),
        "\ufeff" + document(event()),
    ],
)
def test_a_document_comes_in_many_forms(tmp_path: Path, text: str) -> None:
    """Documents, query documents, lists and single events are read alike."""
    log = MemoryLog()
    assert counts(take(log, tmp_path, text)) == (1, 1, 0, 0, 1)
    (content,) = log.contents("epcis/1")
    assert content["event_type"] == "ship"


def test_compressed_files_and_folders(tmp_path: Path) -> None:
    """A compressed document is read by its first bytes; in a folder JSON of others is passed by."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonld.gz").write_bytes(gzip.compress(document(event()).encode()))
    (folder / "package.json").write_text('{"name": "x"}')
    log = MemoryLog()
    receipt = feed_paths(log, tmp_path, [folder])
    assert counts(receipt) == (1, 1, 0, 0, 1)
    assert [notice.split(": ")[1] for notice in receipt.notices] == [
        "no EPCIS document, passed over"
    ]


def test_common_fields_stand_where_tables_have_them(tmp_path: Path) -> None:
    """Both spellings of a URI give one item; a site is its GLN; documents get their names."""
    log = MemoryLog()
    take(
        log,
        tmp_path,
        document(
            event(
                epcList=[
                    "urn:epc:id:sgtin:0614141.107346.2017",
                    "https://shop.example/01/10614141073464/21/2018?x=1",
                    "urn:epc:id:sscc:4012345.3111111111",
                ],
                sourceList=[{"type": "location", "source": "urn:epc:id:sgln:4012345.00225.0"}],
                sensorElementList=[
                    {"sensorReport": [{"type": "Temperature", "value": 26.10, "uom": "CEL"}]}
                ],
            )
        ),
    )
    (content,) = log.contents("epcis/1")
    assert content["items"] == [
        {
            "party": "acme",
            "product_id": "10614141073464",
            "gtin": "10614141073464",
            "serial_ids": ["2017", "2018"],
            "quantity": 2,
            "quantity_unit": "unit",
        },
        {
            "party": "acme",
            "product_id": "04012345123456",
            "gtin": "04012345123456",
            "lot_id": "998877",
            "quantity": 2,
            "quantity_unit": "kg",
        },
    ]
    assert content["container_id"] == "340123451111111111"
    assert content["facility_id"] == "0614141073467"
    assert content["from_facility_id"] == "4012345002256"
    assert content["purchase_order"] == "http://acme.example/po/7"
    assert content["temperature_c"] == {"_d": "26.1"}
    assert content["event_time"] == "2024-04-05T02:33:31.116Z"
    assert (content["biz_step"], content["disposition"]) == ("shipping", "in_transit")


def test_products_and_lots_keep_their_makers(tmp_path: Path) -> None:
    """A GTIN in master data leads to the product, a known lot to its maker."""
    log = MemoryLog()
    feed(log, tmp_path, "product_id,gtin,name\nYARN,4012345123456,Yarn\n", name="products.csv")
    log.lots.setdefault("998877", set()).add(("mill", "YARN"))
    take(log, tmp_path, document(event(), transformation(eventID=URN.format(1))))
    shipped, made = log.contents("epcis/1")
    assert shipped["items"][1]["product_id"] == "YARN"
    assert shipped["items"][1]["party"] == "mill"
    assert made["inputs"][0]["lot_id"] == "4444"
    assert ("acme", "04012345222227") in log.lots["X1"]


def test_the_same_event_by_another_way(tmp_path: Path) -> None:
    """By its id, without it, or under another one: the same event is taken once."""
    log = MemoryLog()
    assert counts(take(log, tmp_path, document(event(eventID=None))))[1:3] == (1, 0)
    again = take(log, tmp_path, document(event(eventID=None), event(), event()))
    assert counts(again)[1:4] == (0, 3, 0)
    assert again.total.warnings == {"the log holds this event under another id, or without one": 2}
    spelled = event(epcList=["https://id.gs1.org/01/10614141073464/21/2017"], eventID=None)
    assert counts(take(log, tmp_path, document(spelled)))[1:3] == (0, 1)


def test_one_id_for_two_events_is_a_conflict(tmp_path: Path) -> None:
    """The second is kept apart, whether it comes in the same document or later."""
    log = MemoryLog()
    receipt = take(log, tmp_path, document(event(), event(bizStep="receiving")))
    assert counts(receipt) == (2, 1, 0, 1, 1)
    assert list(receipt.total.reasons) == [
        "eventID: conflict: the log holds this id with other content"
    ]
    assert counts(take(log, tmp_path, document(event(bizStep="packing"))))[3] == 1


def test_a_hash_as_id_is_not_shown(tmp_path: Path) -> None:
    """An id that could be guessed from the fields is private; the event has a random one."""
    log = MemoryLog()
    name = "ni:///sha-256;" + "0" * 64 + "?ver=CBV2.0"
    receipt = take(log, tmp_path, document(event(eventID=name)))
    (content,) = log.contents("epcis/1")
    assert content["event_id"].startswith("urn:uuid:")
    assert content["epcis"]["eventID"] == name
    assert DEFAULT_POLICY.plan("epcis/1", {}).tier_of("/epcis/eventID") is Tier.PRIVATE
    assert ("event", "acme", name) in log.rows
    assert as_written(content)[0]["eventID"] == name
    assert list(receipt.total.warnings) == ["eventID is a hash, and not the event hash of CBV 2.0"]


def test_an_error_declaration_corrects_its_event(tmp_path: Path) -> None:
    """It is an entry of its own that names the entry of the event; both stay."""
    log = MemoryLog()
    error = {
        "declarationTime": "2024-05-01T00:00:00Z",
        "reason": "incorrect_data",
        "correctiveEventIDs": [URN.format(2)],
    }
    declared = event(errorDeclaration=error)
    receipt = take(
        log, tmp_path, document(event(), declared, event(eventID=URN.format(2), bizStep="packing"))
    )
    assert counts(receipt) == (3, 3, 0, 0, 3)
    assert log.drafts[2] is not None
    assert log.drafts[2].type is EntryType.CORRECTION
    assert log.drafts[2].content["corrects"]["index"] == 1
    assert counts(take(log, tmp_path, document(declared)))[2] == 1


@pytest.mark.parametrize("named", [True, False])
def test_a_declaration_may_come_before_its_event(tmp_path: Path, *, named: bool) -> None:
    """Whichever comes first, the two find each other, by the event's id or by its hash."""
    log = MemoryLog()
    own = {} if named else {"eventID": None}
    first, later = ({"declarationTime": f"2024-05-0{day}T00:00:00Z"} for day in (1, 2))
    made = event(action="ADD", bizStep="commissioning", **own)
    declarations = [event(**{**made, **own}, errorDeclaration=one) for one in (first, later)]
    assert counts(take(log, tmp_path, document(*declarations))) == (2, 2, 0, 0, 2)
    assert counts(take(log, tmp_path, document(*declarations)))[2] == 2
    size = log.size
    assert counts(take(log, tmp_path, document(made))) == (1, 1, 0, 0, 1)
    draft = log.drafts[size]
    assert draft is not None
    assert (draft.type, draft.content["declared"]["index"]) == (EntryType.EVENT, 1)
    assert draft.lots == ()
    for again in (document(made), document(*declarations)):
        assert counts(take(log, tmp_path, again))[1] == 0
    other = event(eventID=URN.format(9), bizStep="packing")
    take(log, tmp_path, document(other))
    assert "declared" not in log.contents("epcis/1")[-1]


def test_slips_in_an_event_are_noted(tmp_path: Path) -> None:
    """Beside the warning in the receipt the event itself bears a note, and goes out without it."""
    log = MemoryLog()
    twice = document(event()).replace('"action":', '"action": "ADD", "action":', 1)
    hashed = event(eventID=f"ni:///sha-256;{'0' * 64}?ver=CBV2.0", bizStep="packing")
    far, near = (
        event(eventID=URN.format(at), readPoint={"id": f"geo:50,{at}"}) for at in (10, -90)
    )
    take(log, tmp_path, twice)
    receipt = take(log, tmp_path, document(hashed, far, near))
    found = [content.get("quality") for content in log.contents("epcis/1")]
    codes = ["member-twice", "event-id-not-hash", "time-zone-differs"]
    assert found == [[code] for code in codes] + [None]
    assert {code: one.entries for code, one in receipt.total.quality.items()} == {
        "event-id-not-hash": 1,
        "time-zone-differs": 1,
    }
    for content in log.contents("epcis/1"):
        assert "quality" not in as_written(content)[0]


def test_extensions_of_unknown_namespaces_are_private(tmp_path: Path) -> None:
    """Alone, or inside a member that is shown to partners."""
    log = MemoryLog()
    made = event(
        action="ADD",
        ilmd={"ex:secret": 1},
        readPoint={"id": "urn:epc:id:sgln:0614141.07346.1234", "ex:a": 1},
        sensorElementList=[{"sensorReport": [{"type": "Length"}]}],
        **{"ex:b": {"größe": 1}},
    )
    take(log, tmp_path, document(made))
    draft = log.drafts[1]
    assert draft is not None
    plan = DEFAULT_POLICY.plan("epcis/1", draft.tiers)
    assert plan.tier_of("/epcis/ilmd") is Tier.PRIVATE
    assert plan.tier_of("/epcis/readPoint") is Tier.PRIVATE
    assert plan.tier_of("/epcis/sensorElementList") is Tier.PARTNER
    assert plan.tier_of("/epcis/ex:b") is Tier.PRIVATE
    assert plan.tier_of("/items/0/serial_ids/0") is Tier.PARTNER
    assert (
        as_written(draft.content)[0]
        == json.loads(document(made), parse_int=str)["epcisBody"]["eventList"][0]
    )


def test_bad_events_go_to_quarantine_and_come_back(tmp_path: Path) -> None:
    """They lie there with place, reason and text; corrected, the file goes in like any other."""
    log = MemoryLog()
    bad = event(eventID=URN.format(3), bizStep="travelling")
    receipt = take(log, tmp_path, document(event(), bad))
    assert counts(receipt) == (2, 1, 0, 1, 1)
    (part,) = receipt.parts
    assert part.reasons == {"bizStep: is neither a word of CBV 2.0 nor a URI": 1}
    assert part.quarantine is not None
    with open(part.quarantine, encoding="utf-8") as file:  # noqa: PTH123 - the receipt gives text
        text = file.read()
    kept = json.loads(text)
    assert kept["@context"] == [CONTEXT, PREFIX]
    (entry,) = kept["epcisBody"]["quarantine"]
    assert entry["place"] == "/epcisBody/eventList/1/bizStep"
    assert "travelling" in entry["reason"]
    assert entry["event"] == bad
    assert counts(take(log, tmp_path, text))[3] == 1
    corrected = text.replace('"travelling"', '"departing"')
    assert counts(take(log, tmp_path, corrected)) == (1, 1, 0, 0, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it ends too early|a name is expected"),
        ('{"a": 1}', "neither an EPCIS document"),
        ('{"type": "EPCISDocument"}', "neither an EPCIS document"),
        (document(event(), type="Other"), "its type is neither"),
        (document(event(), schemaVersion="1.2"), "only EPCIS 2.0 is read"),
        (document(), "holds no event"),
        ("[]", "holds no event"),
        (document(event())[:-30], "is not JSON"),
        (document(event()) + "x", "is not JSON"),
        (document(event()).replace('"eventList"', '"eventList": [], "eventList"'), "stands twice"),
        ('{"epcisBody": {"eventList": ' + "[" * 100_000, "nested too deeply"),
        ('{"epcisBody": {"eventList": ["' + "x" * 17_000_000, "more than 16777216|too early"),
    ],
)
def test_what_is_no_document_is_one_error(tmp_path: Path, text: str, reason: str) -> None:
    """The message is one line with the file; nothing was logged."""
    log = MemoryLog()
    with pytest.raises(InputError, match=reason) as caught:
        take(log, tmp_path, text)
    assert "events.jsonld" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert log.size == 1


def test_text_that_is_no_utf8(tmp_path: Path) -> None:
    """JSON is UTF-8 and nothing else."""
    path = tmp_path / "events.json"
    path.write_bytes(document(event()).replace("shipping", "ship\u00e9").encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        feed_paths(MemoryLog(), tmp_path, [path])


@pytest.mark.parametrize(
    ("made", "field"),
    [
        ('{"type": "ObjectEvent", "ex:a": {"x": 1, "x": 2}}', "ex:a"),
        ('{"ex:n": NaN}', "ex:n"),
        ('{"ex:n": 1e9999}', "ex:n"),
        (json.dumps(event(**{"ex:t": "x" * 10_000_000})), "ex:t"),
        (json.dumps(event(**{"ex:t": "\ud800"})), "ex:t"),
        (json.dumps(event(eventTime="2199-01-01T00:00:00Z")), "eventTime"),
        (json.dumps(event(eventTime="1899-12-31T00:00:00Z")), "eventTime"),
        ("[]", "event"),
        ("null", "event"),
        ("7", "event"),
    ],
)
def test_each_bad_event_has_a_stated_outcome(tmp_path: Path, made: str, field: str) -> None:
    """It is quarantined under its field, and the event beside it is taken."""
    log = MemoryLog()
    text = document(event(), "HERE").replace('"HERE"', made)
    receipt = take(log, tmp_path, text)
    assert counts(receipt) == (2, 1, 0, 1, 1)
    assert next(iter(receipt.total.reasons)).startswith(f"{field}: ")


def test_a_member_that_stands_twice(tmp_path: Path) -> None:
    """The last one counts, as JSON readers do it; the event says so and keeps the others."""
    log = MemoryLog()
    text = document(event()).replace('"action":', '"disposition": "damaged", "action":')
    receipt = take(log, tmp_path, text)
    assert counts(receipt)[1] == 1
    (content,) = log.contents("epcis/1")
    earlier = {"in_transit": "damaged", "damaged": "in_transit"}[content["disposition"]]
    assert content["epcis"]["repeated"] == [["disposition", earlier]]
    assert receipt.total.warnings.total() == 1


def test_memory_stays_flat(tmp_path: Path) -> None:
    """A large document is never held whole: 20,000 events in a few megabytes."""
    import tracemalloc  # noqa: PLC0415 - used here only

    path = tmp_path / "big.jsonld"
    begin, end = document("HERE").split('"HERE"')
    with path.open("w") as file:
        file.write(begin)
        for number in range(20_000):
            one = event(eventID=URN.format(number), readPoint={"id": f"urn:x:{number}"})
            file.write(("," if number else "") + json.dumps(one))
        file.write(end)
    from provenance.epcis.document import Header  # noqa: PLC0415 - as above
    from provenance.ingest.documents import Document  # noqa: PLC0415 - as above
    from provenance.ingest.receipt import Part  # noqa: PLC0415 - as above
    from provenance.ingest.sources import open_source  # noqa: PLC0415 - as above

    whole = Document(open_source(str(path)), Part("big", "epcis"), named=True)
    tracemalloc.start()
    assert sum(1 for _ in whole.events(Header())) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000 < path.stat().st_size


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(VALUES | st.just(event()) | VALUES.map(lambda v: event(**{"ex:a": v})), max_size=4),
    st.sampled_from(["", "x", "]", "{", "\x00"]),
)
def test_every_document_ends_in_a_sum_or_an_error(
    tmp_path: Path, events: list[Any], damage: str
) -> None:
    """Whatever stands in a document: all its events are accounted for, or it is one error."""
    log = MemoryLog()
    try:
        receipt = take(log, tmp_path, document(*events) + damage)
    except InputError:
        assert log.size == 1
        return
    total = receipt.total
    assert total.accepted + total.duplicate + total.quarantined == total.rows == len(events)
