"""`provenance inspect` and `mapping`: a file that nobody knows becomes one that is taken."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from provenance.ingest.mapping import parse_mapping

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., "tuple[int, str, str]"]
    Case = tuple[str, Callable[[Path], object], int, int]

TABLES = Path(__file__).parent.parent / "fixtures" / "tables"

GERMAN = """Lieferübersicht Werk Süd;;;;;;;
Stand: 01.11.2024;;;;;;;
;;;;;;;
Lieferschein-Nr.;Pos.;Artikelnummer;Charge;Menge;ME;Versanddatum;Gewicht (kg);Versandart
80001;10;ART-7;CH1;1.200;Stk;14.03.2024;1.551,23;LKW
80001;20;ART-9;CH2;80;Stk;14.03.2024;12,5;LKW
80002;10;ART-7;CH1;2.400;Stk;02.04.2024;3.102,46;Bahn
Summe;;;;3.680;;;;
"""


def dump(path: Path) -> None:
    """A dump of nested values, a shipment a line."""
    with path.open("w") as file:
        for number in range(6):
            lines = [{"sku": f"A{at}", "batch": f"B{number}{at}", "quantity": at} for at in (1, 2)]
            at = f"2024-03-{number + 1:02}T10:00:00+01:00"
            file.write(json.dumps({"id": f"S-{number}", "shippedAt": at, "lines": lines}) + "\n")


def export(path: Path) -> None:
    """A workbook with titles, merged cells, day numbers and a hidden sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Despatch report 2024"])
    sheet.merge_cells("A1:F1")
    sheet.append([])
    sheet.append(["Shipment No", "Line", "SKU", "Qty", "Ship Date", "Ship-to"])
    for number in range(4):
        for line in (1, 2):
            first = f"SH{number}" if line == 1 else None
            sheet.append([first, line, f"SKU-{number}", 5 * line, 45_292 + 7 * number, "Shop 1"])
        sheet.merge_cells(
            start_row=4 + 2 * number, end_row=5 + 2 * number, start_column=1, end_column=1
        )
    book.create_sheet("old").sheet_state = "hidden"
    book.save(path)


@pytest.mark.parametrize(
    "case",
    [
        ("german.csv", lambda path: path.write_text(GERMAN, encoding="cp1252"), 4, 3),
        ("dump.jsonl", dump, 12, 12),
        ("export.xlsx", export, 8, 8),
    ],
)
def test_a_suggestion_is_taken_as_it_stands(
    provenance: Command, small: Path, tmp_path: Path, case: Case
) -> None:
    """What is suggested for an ugly file brings in its rows, and what it foretold is what comes."""
    name, make, rows, taken = case
    file, mapping = tmp_path / name, tmp_path / "m.toml"
    make(file)
    encoding = ("--encoding", "windows-1252") if name == "german.csv" else ()
    code, out, err = provenance("mapping", "suggest", file, *encoding)
    assert (code, f"{taken} of {rows} rows would be taken" in err) == (0, True)
    mapping.write_text(out)
    code, out, _ = provenance("ingest", file, "--mapping", mapping, "--data", small, "--json")
    told = json.loads(out)
    assert (told["rows"], told["accepted"], told["quarantined"]) == (rows, taken, rows - taken)
    code, out, _ = provenance("mapping", "check", mapping, file)
    assert (code, f"{taken:,} taken" in out) == (3 if taken < rows else 0, True)


def test_a_german_list_says_what_it_means(provenance: Command, tmp_path: Path) -> None:
    """Decimal commas, units, ways of transport and the columns that make an id are found."""
    file = tmp_path / "german.csv"
    file.write_text(GERMAN, encoding="utf-8-sig")
    _, out, _ = provenance("mapping", "suggest", file)
    mapping = parse_mapping(out, "german")
    assert mapping.decimal == ","
    assert mapping.values["transport_mode"] == {"LKW": "road", "Bahn": "rail"}
    assert mapping.values["quantity_unit"] == {"Stk": "unit"}
    assert mapping.fields["quantity"] == "Menge"
    (event,) = mapping.event
    assert event.fields["event_time"] == "Versanddatum"
    assert "{Lieferschein-Nr.}/{Pos.}" in str(event.fields["event_id"])
    told = json.loads(provenance("inspect", file, "--json")[1])
    assert told["header_line"] == 4
    assert told["first"][0]["items"][0]["quantity"] == 1200
    assert told["problems"] == {
        "documents no event with a date": {"rows": 1, "lines": [8], "example": ""}
    }


@pytest.mark.parametrize("name", ["despatch_advice", "import_manifest"])
def test_shipped_profiles_are_recognised(provenance: Command, name: str) -> None:
    """A file with a profile's columns is read with it; without profiles its columns are found."""
    file = TABLES / f"{name}.csv"
    told = json.loads(provenance("inspect", file, "--json")[1])
    assert told["read_as"] == name.replace("_", "-")
    assert told["taken"] == (4 if name == "despatch_advice" else 3)
    bare = json.loads(provenance("inspect", file, "--no-profiles", "--json")[1])
    assert bare["read_as"] == "suggestion"
    assert bare["taken"] == 4
    found = {column["column"]: column["is"] for column in bare["columns"]}
    wanted = {
        "despatch_advice": {"Ship Date": "ship_date", "SSCC": "container_id", "GTIN": "gtin"},
        "import_manifest": {"Arrival Date": "delivery_date", "Shipper Name": "shipper"},
    }[name]
    assert {column: found[column] for column in wanted} == wanted


def test_inspect_writes_nothing_and_needs_no_workspace(
    provenance: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks at files anywhere, native ones too, and leaves nothing behind."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    file = place / "events.csv"
    file.write_text(
        "event_id,event_time,event_type,product_id,facility_id\n"
        "1,30/06/2023,ship,yarn,Mill\n2,05/06/2023,ship,yarn,mill\n2,05/06/2023,ship,yarn,mill\n"
        "1,30/06/2023,receive,yarn,Mill\n3,31/02/2023,ship,yarn,Mill\n"
    )
    code, out, err = provenance("inspect", file)
    assert (code, err) == (0, "")
    assert "read as events: a native file" in out
    assert "dates n/n/yyyy: day first (2 prove the day first" in out
    assert "of 5 rows 2 would be taken (2 ship), 1 repeat others, 2 would be set aside" in out
    assert "conflict: an earlier row has this id with other content" in out
    assert "3 odd: facility_id: differs from another only in case or Unicode form" in out
    assert [path.name for path in place.iterdir()] == ["events.csv"]


def test_a_file_without_dates_says_what_is_lacking(provenance: Command, tmp_path: Path) -> None:
    """No mapping is made up where no column can be the time: the answer says so."""
    (tmp_path / "t.csv").write_text("Colour,Size\nred,1\nblue,2\n")
    code, out, _ = provenance("inspect", tmp_path / "t.csv")
    assert code == 0
    assert "look: no column of dates was found; event_time must be filled" in out
    assert "cannot be taken yet" in out
    code, out, err = provenance("mapping", "suggest", tmp_path / "t.csv")
    assert "# LOOK: no column of dates was found" in out
    assert "event_time" in err


def test_mappings_are_listed_and_shown(provenance: Command) -> None:
    """Each shipped mapping with what it is for, and its text, which is a mapping."""
    listed = json.loads(provenance("mapping", "list", "--json")[1])
    assert [one["name"] for one in listed] == ["despatch-advice", "import-manifest", "scms"]
    assert all(one["about"] for one in listed)
    for one in listed:
        assert parse_mapping(provenance("mapping", "show", one["name"])[1], "x").name == one["name"]
    code, _, err = provenance("mapping", "show", "none")
    assert (code, "is not shipped; there are despatch-advice" in err) == (1, True)


def test_refusals_are_one_line(provenance: Command, tmp_path: Path) -> None:
    """What cannot be looked at ends like what cannot be ingested."""
    (tmp_path / "x.jsonld").write_text('{"type": "EPCISDocument", "epcisBody": {"eventList": []}}')
    (tmp_path / "x.csv").write_bytes("Ort;Größe\nKöln;1\n".encode("cp1252"))
    (tmp_path / "y.csv").write_bytes(("Город;Дата\n" + "Москва;1\n" * 9).encode("cp1251"))
    for words, message in (
        (("inspect", tmp_path / "none.csv"), "no such file"),
        (("inspect", tmp_path / "x.jsonld"), "is an EPCIS document, which needs no mapping"),
        (("inspect", tmp_path / "x.csv"), "say --encoding windows-1252 if it is"),
        (("mapping", "suggest", tmp_path / "y.csv"), "it looks like .*: convert it to UTF-8"),
    ):
        code, out, err = provenance(*words)
        assert (code, out, err.count("\n")) == (1, "", 1)
        assert re.search(message, err), err


def test_the_price_is_found_by_arithmetic(provenance: Command, tmp_path: Path) -> None:
    """Of two prices, the one that makes the value with the quantity is named as the price."""
    rows = [
        f"D{n},2024-03-{n:02},M,{n * 3},{n}.5,{n * 2}.25,{n * 3 * (n * 2 + 0.25):.2f}"
        for n in range(2, 28)
    ]
    head = "Delivery No,Ship Date,SKU,Quantity,Unit Price,Pack Price,Line Value (USD)"
    (tmp_path / "t.csv").write_text("\n".join([head, *rows]))
    _, out, _ = provenance("mapping", "suggest", tmp_path / "t.csv")
    assert parse_mapping(out, "t").price == "Pack Price"
