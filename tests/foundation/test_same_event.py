"""One event by two ways: a row, and the EPCIS event that it makes, are recognised as one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from provenance.epcis.eventhash import event_hash
from provenance.epcis.jsonpull import parse
from provenance.epcis.vocabulary import prefixes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

ROWS = """\
event_id,event_time,event_type,facility_id,product_id,lot_id,quantity,quantity_unit,shipment_id,colour
S-1,2024-05-01T00:00:00Z,ship,F,P,L1,10.50,kg,SH-1,red
S-2,2024-05-02T00:00:00Z,receive,F,P,L1,10.5,kg,SH-1,
urn:x:3,2024-05-03T00:00:00Z,store,F,P,L1,3,kg,,
"""


@pytest.fixture
def rows(provenance: Command, small: Path, tmp_path: Path) -> Path:
    """Three rows, in a log."""
    path = tmp_path / "rows.csv"
    path.write_text(ROWS)
    code, _, err = provenance("ingest", "--data", small, path)
    assert code == 0, err
    return path


def exported(provenance: Command, data: Path, path: Path, tier: str) -> dict[str, Any]:
    """What the three rows are as EPCIS events."""
    chosen = [word for name in ("S-1", "S-2", "urn:x:3") for word in ("--event", name)]
    ran = provenance("export", "epcis", "--data", data, "-o", path, "--tier", tier, *chosen)
    assert ran[0] == 0, ran[2]
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("tier", ["public", "partner", "private"])
def test_what_was_written_here_is_known_when_it_comes_back(
    provenance: Command, small: Path, tmp_path: Path, rows: Path, tier: str
) -> None:
    """For whichever tier it was written: nothing is appended, and the receipt says why."""
    assert rows.exists()
    path = tmp_path / "back.jsonld"
    exported(provenance, small, path, tier)
    told = json.loads(provenance("ingest", "--data", small, path, "--json")[1])
    assert (told["rows"], told["duplicate"], told["appended"]) == (3, 3, 0)
    assert told["warning_texts"] == {"the log holds this event as a row of a table": 3}


def test_what_was_changed_on_the_way_is_another_event(
    provenance: Command, small: Path, tmp_path: Path, rows: Path
) -> None:
    """A changed event under the same id is no duplicate: it is kept apart, or stands beside."""
    assert rows.exists()
    path = tmp_path / "back.jsonld"
    document = exported(provenance, small, path, "partner")
    for event in document["epcisBody"]["eventList"]:
        event["bizStep"] = "packing"
    path.write_text(json.dumps(document))
    told = json.loads(provenance("ingest", "--data", small, path, "--json")[1])
    assert (told["duplicate"], told["accepted"], told["quarantined"]) == (0, 2, 1)
    (reason,) = told["reasons"]
    assert "conflict" in reason


def test_a_declaration_about_a_written_event_names_its_row(
    provenance: Command, small: Path, tmp_path: Path, rows: Path
) -> None:
    """A partner who declares our event wrong names it as we wrote it: the row is corrected."""
    assert rows.exists()
    path = tmp_path / "back.jsonld"
    document = exported(provenance, small, path, "partner")
    events = document["epcisBody"]["eventList"][:1]
    events[0]["errorDeclaration"] = {"declarationTime": "2024-06-01T00:00:00Z"}
    document["epcisBody"]["eventList"] = events
    path.write_text(json.dumps(document))
    told = json.loads(provenance("ingest", "--data", small, path, "--json")[1])
    assert told["corrected"] == 1


def test_a_row_is_found_by_its_event_hash(
    provenance: Command, small: Path, tmp_path: Path, rows: Path
) -> None:
    """Whoever may read the log finds the row of a hash that a partner names."""
    assert rows.exists()
    document = exported(provenance, small, tmp_path / "out.jsonld", "partner")
    context = [part for part in document["@context"] if isinstance(part, dict)]
    for event, wanted in zip(document["epcisBody"]["eventList"], ("S-1", "S-2"), strict=False):
        name = event_hash(parse(json.dumps(event)), prefixes(context))
        code, out, err = provenance("lookup", "--data", small, name, "--json")
        assert code == 0, err
        assert json.loads(out)["event"]["event_id"] == wanted
    code, _, err = provenance("lookup", "--data", small, name[:-20] + "0" * 9 + name[-11:])
    assert (code, "nothing in the log" in err) == (1, True)


@pytest.mark.parametrize("rows_first", [True, False])
def test_an_id_with_other_content_is_kept_apart(
    provenance: Command, small: Path, tmp_path: Path, *, rows_first: bool
) -> None:
    """Row or EPCIS event: whichever came first stays, the other waits in quarantine."""
    table, document = tmp_path / "rows.csv", tmp_path / "doc.jsonld"
    table.write_text(ROWS)
    event = {
        "type": "ObjectEvent",
        "eventID": "urn:x:3",
        "eventTime": "2024-05-03T00:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "bizStep": "packing",
        "epcList": ["urn:epc:id:sgtin:4012345.011111.1"],
    }
    document.write_text(json.dumps({"type": "EPCISDocument", "epcisBody": {"eventList": [event]}}))
    first, second = (table, document) if rows_first else (document, table)
    assert provenance("ingest", "--data", small, first)[0] == 0
    before = json.loads(provenance("lookup", "--data", small, "urn:x:3", "--json")[1])
    told = json.loads(provenance("ingest", "--data", small, second, "--json")[1])
    assert told["quarantined"] == 1
    assert "conflict: the log holds this id" in next(iter(told["reasons"]))
    assert json.loads(provenance("lookup", "--data", small, "urn:x:3", "--json")[1]) == before
