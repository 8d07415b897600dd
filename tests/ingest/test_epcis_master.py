"""Master data in the header of EPCIS documents: kept as it is, and read where it maps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from epcis_world import event
from ingest_log import MemoryLog, counts, feed

from provenance.epcis.lossless import give_back

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.ingest.receipt import Receipt

VTYPE = "urn:epcglobal:epcis:vtype:"
PLACE = "urn:epc:id:sgln:4012345.00225.0"
GLN = "4012345002256"
ITEM = "urn:epc:idpat:sgtin:4012345.012345.*"
GTIN = "04012345123456"


def attributes(**named: Any) -> list[dict[str, Any]]:
    """Attributes of an element."""
    return [{"id": f"cbvmda:{name}", "attribute": value} for name, value in named.items()]


def place(name: str = "Mill", **more: Any) -> dict[str, Any]:
    """An element that is a place."""
    said = {"name": name, "countryCode": "DE", "latitude": "+50.93", "city": "Köln", **more}
    return {"id": PLACE, "attributes": attributes(**said), "children": [f"{PLACE}1"]}


def take(log: MemoryLog, folder: Path, *elements: Any, kind: str = "Location") -> Receipt:
    """Ingest a document with a header."""
    vocabulary = {"type": VTYPE + kind, "vocabularyElementList": list(elements)}
    whole = {
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "epcisHeader": {"epcisMasterData": {"vocabularyList": [vocabulary]}},
        "epcisBody": {"eventList": [event()]},
    }
    return feed(log, folder, json.dumps(whole), name="doc.jsonld")


def test_a_place_becomes_a_facility_and_is_kept_whole(tmp_path: Path) -> None:
    """What maps is read, all of it is kept; again it is known; changed it is a new version."""
    log = MemoryLog()
    receipt = take(log, tmp_path, place())
    assert counts(receipt) == (1, 1, 0, 0, 3)
    (facility,) = log.contents("facility/1")
    assert {name: facility[name] for name in ("facility_id", "name", "country", "latitude")} == {
        "facility_id": GLN,
        "name": "Mill",
        "country": "DE",
        "latitude": {"_d": "50.93"},
    }
    assert ["cbvmda:city", "Köln"] in facility["ext"]
    (kept,) = log.contents("vocabulary/1")
    assert give_back(kept["element"]) == place()
    assert take(log, tmp_path, place()).total.appended == 0
    assert take(log, tmp_path, place("Mill 2")).total.appended == 2
    assert [one["name"] for one in log.contents("facility/1")] == ["Mill", "Mill 2"]


def test_a_product_class_becomes_a_product(tmp_path: Path) -> None:
    """By its GTIN, as events of the document call it."""
    log = MemoryLog()
    said = attributes(descriptionShort="Yarn", netWeight={"value": 1.5})
    take(log, tmp_path, {"id": ITEM, "attributes": said}, kind="EPCClass")
    (product,) = log.contents("product/1")
    assert (product["product_id"], product["gtin"], product["name"]) == (GTIN, GTIN, "Yarn")
    assert ["cbvmda:netWeight", '{"value":1.5}'] in product["ext"]


def test_what_a_table_said_is_not_replaced(tmp_path: Path) -> None:
    """A partner's header says less of a place or product than its owner's own table."""
    log = MemoryLog()
    feed(log, tmp_path, f"facility_id,name,country\n{GLN},Ours,DE\n", name="facilities.csv")
    feed(log, tmp_path, f"product_id,name,gtin\nYARN,Ours,{GTIN}\n", name="products.csv")
    take(log, tmp_path, place("Theirs"))
    take(log, tmp_path, {"id": ITEM, "attributes": attributes(name="Theirs")}, kind="EPCClass")
    found = [*log.contents("facility/1"), *log.contents("product/1")]
    assert [one["name"] for one in found] == ["Ours", "Ours"]
    assert len(log.contents("vocabulary/1")) == 2


@pytest.mark.parametrize(
    ("element", "kind"),
    [
        ({"id": "urn:epc:id:sgln:4012345.00225", "attributes": []}, "Location"),
        ({"attributes": []}, "Location"),
        ({"id": 7}, "Location"),
        ("text", "Location"),
        ({"id": "urn:x:1", "attributes": [7, {"id": "cbvmda:latitude"}]}, "ReadPoint"),
        ({"id": "urn:x:1", "attributes": attributes(latitude="north")}, "ReadPoint"),
        ({"id": "urn:x:1", "attributes": {"a": 1}}, "Unheard"),
        ({"id": "urn:x:1" * 200, "attributes": []}, "Location"),
        ({"id": "urn:x:1", "attributes": attributes(name="x" * 200_000)}, "Location"),
    ],
)
def test_odd_elements_stop_no_event(tmp_path: Path, element: Any, kind: str) -> None:
    """What cannot be read is kept, what cannot be kept is said; nobody's words are quoted."""
    log = MemoryLog()
    receipt = take(log, tmp_path, element, kind=kind)
    total = receipt.total
    assert (total.rows, total.accepted) == (1, 1)
    kept = len(log.contents("vocabulary/1"))
    assert kept or total.warnings
    assert not any("urn:x" in text or "4012345" in text for text in total.warnings)


def test_other_parts_of_a_header_are_named(tmp_path: Path) -> None:
    """Extensions of the header are not taken, and the receipt says so."""
    whole = {
        "type": "EPCISDocument",
        "epcisHeader": {"ex:sbdh": {"a": 1}},
        "epcisBody": {"eventList": [event()]},
    }
    receipt = feed(MemoryLog(), tmp_path, json.dumps(whole), name="doc.jsonld")
    assert any("ex:sbdh" in notice for notice in receipt.notices)


@pytest.mark.parametrize("listed", [7, "text", {"a": 1}, None, [7], [{"type": 3}], [[]]])
def test_a_header_of_another_form_stops_no_event(tmp_path: Path, listed: Any) -> None:
    """Whatever stands where vocabularies should be, the events are taken."""
    for inner in (listed, [{"type": "t", "vocabularyElementList": listed}]):
        whole = {
            "type": "EPCISDocument",
            "epcisHeader": {"epcisMasterData": {"vocabularyList": inner}},
            "epcisBody": {"eventList": [event()]},
        }
        receipt = feed(MemoryLog(), tmp_path, json.dumps(whole), name="doc.jsonld")
        assert counts(receipt)[:2] == (1, 1)
