"""EPCIS documents out of the log: valid by GS1's schema, and the same events again."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from epcis_world import PREFIX, document, event, parsed, transformation
from schema_oracle import events_of, examples_in, schema_in

from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Tier
from provenance.epcis.content import event_content, hash_of, own_context
from provenance.epcis.document import Header, read_events
from provenance.epcis.eventhash import event_hash
from provenance.epcis.export import epcis_event
from provenance.epcis.jsonpull import JsonText, parse
from provenance.epcis.native import Names
from provenance.epcis.vocabulary import prefixes
from provenance.epcis.writing import document_text
from provenance.ingest.run import ingest
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provenance.log import Log


NAMES = Names("https://id.example.org", lambda _party, _product: None)
NATIVE = (
    "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity,quantity_unit,serial_ids,"
    "input_lots,shipment_id,from_facility_id,to_facility_id,container_id,carrier,latitude,longitude,"
    "colour,declared_value_usd,bill_of_lading,certificate_id\n"
)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of its own."""
    create_workspace(
        tmp_path / "data", origin="example.org/log", party="acme", domain="https://id.example.org"
    )
    with Workspace(tmp_path / "data") as opened:
        yield opened


def bring(workspace: Workspace, path: Path, party: str = "acme") -> range:
    """Ingest one file; returns the indexes of what it brought."""
    before = workspace.log.size
    ingest(
        [str(path)],
        workspace.log,
        party=party,
        quarantine=workspace.layout.quarantine,
        clock=workspace.clock,
        entropy=os.urandom,
    )
    return range(before, workspace.log.size)


def exported(log: Log, indexes: range, tier: Tier) -> tuple[str, list[str]]:
    """The document of some entries, and why entries were left out."""
    left: list[str] = []

    def events() -> Iterator[tuple[dict[str, Any], list[Any]]]:
        for entry in log.entries(indexes.start, indexes.stop):
            if entry.type not in {EntryType.EVENT, EntryType.CORRECTION}:
                continue
            assert entry.body is not None
            version = json.loads(entry.body)["_v"]
            found = epcis_event(version, open_entry(entry, tier), tier, NAMES)
            if isinstance(found, str):
                left.append(found)
            else:
                yield found

    return "".join(document_text(events(), "2026-11-23T00:00:00Z")), left


def hashes(text: str) -> list[str]:
    """The event hashes of a document."""
    header = Header()
    source = iter([text, ""])
    found = list(read_events(JsonText(lambda _: next(source, ""), "text"), header))
    return [
        event_hash(
            one.value, prefixes([*header.context, *own_context(one.value.get("@context", []))])
        )
        for one in found
    ]


def test_every_example_comes_out_as_it_went_in(test_data: Path, workspace: Workspace) -> None:
    """Valid documents with the same events and hashes; lower tiers give valid documents too."""
    schema = schema_in(test_data)
    for number, path in enumerate(examples_in(test_data)):
        indexes = bring(workspace, path, party=f"p{number}")
        text, left = exported(workspace.log, indexes, Tier.PRIVATE)
        assert (schema.faults(json.loads(text)), left) == ([], []), path.name
        assert hashes(text) == hashes(path.read_text()), path.name
        again = [dict(one) for one in events_of(parse(text))]
        assert again == [dict(one) for one in events_of(parse(path.read_text()))], path.name
        for tier in (Tier.PARTNER, Tier.PUBLIC):
            assert schema.faults(json.loads(exported(workspace.log, indexes, tier)[0])) == []


def test_native_events_become_valid_events(
    test_data: Path, workspace: Workspace, tmp_path: Path
) -> None:
    """Every word of the native tables gives a valid event; nothing that may be seen is lost."""
    rows = [
        "1,2025-01-01T00:00:00Z,produce,F,COTTON,C-1,500,kg,,,,,,,,12.5,-3.25,red,10.50,,CERT 1",
        "2,2025-01-02T00:00:00+02:00,ship,F,COTTON,C-1,500,kg,,,S 1,F,G,,Fast,,,,,B1,",
        "3,2025-01-03T00:00:00Z,receive,G,COTTON,C-1,500,bale,,,S 1,F,G,,Fast,,,,,B1,",
        "4,2025-01-04T00:00:00Z,transform,G,YARN,Y-1,40,kg,,C-1;X-9,,,,,,,,,,,",
        "5,2025-01-05T00:00:00Z,transform,G,YARN,Y-2,40,,,,,,,,,,,,,,",
        "6,2025-01-06T00:00:00Z,pack,G,YARN,Y-1,3,unit,a;b,,,,,340123451111111111,,,,,,,",
        "7,2025-01-07T00:00:00Z,unpack,G,,,,,,,,,,340123451111111111,,,,,,,",
        "8,2025-01-08T00:00:00Z,inspect,4012345000115,04012345111118,L,,,,,,,,,,,,,,,",
        "9,2025-01-09T00:00:00Z,order,G,YARN,,5,,,,,,,,,,,,,,",
        "10,2025-01-10T00:00:00Z,destroy,G,YARN,Y-1,1,unit,c,,,,,,,,,,,,",
        "11,2025-01-10T00:00:00Z,store,G,,,,,,,,,,BOX 7,,,,,,,",
    ]
    path = tmp_path / "events.csv"
    path.write_text(NATIVE + "\n".join(rows) + "\n")
    indexes = bring(workspace, path)
    text, left = exported(workspace.log, indexes, Tier.PRIVATE)
    made = json.loads(text)
    assert schema_in(test_data).faults(made) == []
    assert left == []
    events = events_of(made)
    assert len(events) == len(rows)
    for value in ("red", "10.50", "Fast", "BOX%207", "bale", "CERT%201", "C-1", "X-9"):
        assert value in text
    assert events[0]["readPoint"] == {"id": "geo:12.5,-3.25"}
    assert events[1]["eventTimeZoneOffset"] == "+02:00"
    assert events[5]["parentID"] == "https://id.gs1.org/00/340123451111111111"
    assert events[5]["childQuantityList"][0]["quantity"] == 1
    assert len(events[5]["childEPCs"]) == 2
    assert events[7]["bizLocation"]["id"] == "https://id.gs1.org/414/4012345000115"
    assert events[7]["quantityList"][0]["epcClass"] == "https://id.gs1.org/01/04012345111118/10/L"
    public, _ = exported(workspace.log, indexes, Tier.PUBLIC)
    assert schema_in(test_data).faults(json.loads(public)) == []
    for value in ("10.50", "red", "Fast", "S%201", "-3.25", "/21/"):
        assert value not in public


def test_a_tier_shows_no_more_than_it_may(workspace: Workspace, tmp_path: Path) -> None:
    """Serials, sources, documents and unknown extensions are where the policy puts them."""
    made = event(
        eventID="ni:///sha-256;" + "0" * 64 + "?ver=CBV2.0",
        sourceList=[{"type": "location", "source": "urn:epc:id:sgln:4012345.00225.0"}],
        **{"ex:secret": {"ex:deep": 12.50}},
    )
    path = tmp_path / "one.jsonld"
    path.write_text(document(made))
    indexes = bring(workspace, path)
    texts = {tier: exported(workspace.log, indexes, tier)[0] for tier in Tier}
    for value in ("ex:secret", "ns.example.com", "ni:///"):
        assert [value in texts[tier] for tier in Tier] == [False, False, True]
    for value in ("2017", "00225", "acme.example/po/7"):
        assert [value in texts[tier] for tier in Tier] == [False, True, True]
    assert all("998877" in text for text in texts.values())
    assert '"ex:deep":12.5' in texts[Tier.PRIVATE]


def test_events_of_several_contexts(tmp_path: Path, workspace: Workspace) -> None:
    """One prefix with two meanings keeps both: the second event bears its own context."""
    other = {"ex": "https://other.example/"}
    paths = [tmp_path / "a.jsonld", tmp_path / "b.jsonld"]
    paths[0].write_text(document(event(**{"ex:a": "1"})))
    paths[1].write_text(
        document(transformation(eventID="urn:x:2", **{"ex:a": "1"}), **{"@context": [other]})
    )
    indexes = [bring(workspace, path) for path in paths]
    text, _ = exported(workspace.log, range(indexes[0].start, indexes[1].stop), Tier.PRIVATE)
    assert hashes(text) == [hashes(path.read_text())[0] for path in paths]
    assert "@context" not in events_of(json.loads(text))[0]
    assert other in events_of(json.loads(text))[1]["@context"]


def test_the_hash_of_what_is_in_the_log() -> None:
    """Computed from content, it is the hash of the event that came."""
    made = event(**{"ex:a": 1})
    content = event_content(parsed(made), party="p", event_id="x", context=[PREFIX])
    assert hash_of(content) == event_hash(parsed(made), prefixes([PREFIX]))


def test_a_document_without_events_is_valid(test_data: Path) -> None:
    """An empty selection is a document too."""
    assert (
        schema_in(test_data).faults(json.loads("".join(document_text([], "2026-01-01T00:00:00Z"))))
        == []
    )
