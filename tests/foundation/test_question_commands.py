"""Questions as commands: what they print, what they write, and what they refuse."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Command

HEAD = "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity,quantity_unit"
MORE = "shipment_id,from_facility_id,to_facility_id,input_lots,input_quantities,certificate_id"
ROWS = f"""{HEAD},{MORE}
E-1,2024-01-01T08:00:00Z,produce,FARM,COTTON,C-1,100,kg,,,,,,ORG-1
E-2,2024-01-02T08:00:00Z,ship,FARM,COTTON,C-1,100,kg,S-1,FARM,MILL,,,
E-3,2024-01-04T08:00:00Z,receive,MILL,COTTON,C-1,98,kg,S-1,FARM,MILL,,,
E-4,2024-01-05T08:00:00Z,transform,MILL,YARN,=Y-1,80,kg,,,,C-1,90,
E-5,2024-01-06T08:00:00Z,ship,MILL,YARN,=Y-1,30,kg,S-2,MILL,SHOP,,,
"""
SITES = """facility_id,name,country,region
FARM,The Farm,IN,IN-GJ
MILL,=The Mill,DE,DE-BY
"""
LIST = "list_name,kind,value,goods\nRegions,region,IN-GJ,*\n"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for all tests here: questions write nothing."""
    return tmp_path_factory.mktemp("questions")


@pytest.fixture
def place(provenance: Command, shared: Path) -> Path:
    """A workspace with cotton, yarn and a list."""
    data = shared / "data"
    if not data.exists():
        assert provenance("init", "--data", data, "--origin", "log.example/questions")[0] == 0
        for name, text in (("events", ROWS), ("facilities", SITES), ("watchlist", LIST)):
            (shared / f"{name}.csv").write_text(text)
            code, _, err = provenance("ingest", shared / f"{name}.csv", "--data", data)
            assert code == 0, err
    return data


def test_a_recall_lists_holders_and_receivers(provenance: Command, place: Path) -> None:
    """The people to be told: who holds some, whom some is under way to, who was sent some."""
    code, out, _ = provenance("recall", "C-1", "--data", place)
    assert code == 0
    assert "2 items are affected by self/COTTON lot C-1" in out
    held = out.split("Held now")[1].split("Was sent to")[0]
    assert "MILL" in held
    assert "8 kg" in held
    assert "under way to SHOP" in held
    assert "30 kg" in held
    assert "not received" in held
    code, out, _ = provenance("recall", "C-1", "--data", place, "--json")
    answer = json.loads(out)
    assert [one["item"] for one in answer["affected"]] == [
        "item:self/COTTON/10/C-1",
        "item:self/YARN/10/%3DY-1",
    ]
    assert answer["position"] > 5
    assert {one["place"] for one in answer["customers"]} == {"facility:MILL", "facility:SHOP"}


@pytest.mark.parametrize("subject", ["FARM", "ORG-1", "facility:FARM", "certificate:ORG-1"])
def test_a_recall_of_a_place_or_a_certificate(
    provenance: Command, place: Path, subject: str
) -> None:
    """What came from a site, or bears a certificate, is found by its id or its key."""
    code, out, _ = provenance("recall", subject, "--data", place)
    assert code == 0
    assert out.startswith("2 items are affected")


def test_a_recall_is_exported_for_spreadsheets(
    provenance: Command, place: Path, tmp_path: Path
) -> None:
    """A line for each holding; what a spreadsheet would take for a formula is a text."""
    file = tmp_path / "list.csv"
    code, out, _ = provenance("recall", "C-1", "--data", place, "--export", file)
    assert code == 0
    assert out == f"Wrote {file}: 2 items, 3 holdings\n"
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [(row["lot_id"], row["state"], row["quantity"]) for row in rows] == [
        ("C-1", "held", "8"),
        ("'=Y-1", "held", "50"),
        ("'=Y-1", "under way", "30"),
    ]
    assert rows[0]["place_name"] == "'=The Mill"
    other = tmp_path / "list.json"
    assert provenance("recall", "C-1", "--data", place, "--export", other)[0] == 0
    assert [line["lot_id"] for line in json.loads(other.read_text())["lines"]][1] == "=Y-1"
    code, _, err = provenance("recall", "C-1", "--data", place, "--export", tmp_path / "list.xls")
    assert code == 2
    assert ".csv or .json" in err


def test_custody_names_every_hand_and_what_is_lacking(provenance: Command, place: Path) -> None:
    """Stays in order of time: the shipment that came short, the rest that is still there."""
    code, out, _ = provenance("custody", "C-1", "--data", place)
    assert code == 0
    assert [line[36:].split()[0] for line in out.splitlines()[1:4]] == ["FARM", "under", "MILL"]
    assert "short" in out.splitlines()[2]
    assert "8 kg" in out.splitlines()[3]
    assert provenance("custody", "C-1", "--data", place, "--at", "2024-01-03")[1].count("now") == 1


def test_a_balance_by_site_and_by_item(provenance: Command, place: Path) -> None:
    """What came, what went, what is left; the same for a material wherever it is."""
    code, out, _ = provenance("balance", "MILL", "--data", place, "--json")
    lines = {line["material"]: line for line in json.loads(out)["lines"]}
    assert code == 0
    assert (lines["item:self/COTTON"]["received"], lines["item:self/COTTON"]["stock"]) == (
        "98",
        "8",
    )
    assert (lines["item:self/YARN"]["made"], lines["item:self/YARN"]["stock"]) == ("80", "50")
    code, out, _ = provenance("balance", "COTTON", "--data", place)
    assert code == 0
    assert out.splitlines()[1].split()[:2] == ["FARM", "self/COTTON"]


def test_exposure_to_the_lists_in_the_log_and_to_a_file(
    provenance: Command, place: Path, tmp_path: Path
) -> None:
    """Yes with the site that is listed; unknown where a site on the way is not described."""
    code, out, _ = provenance("exposure", "=Y-1", "--data", place)
    assert code == 0
    assert out.startswith("YES: self/YARN lot =Y-1")
    assert "region IN-GJ" in out
    file = tmp_path / "mine.csv"
    file.write_text("kind,value\nentity,Nobody Ltd\n")
    ask = ("exposure", "=Y-1", "--data", place, "--watchlist")
    assert provenance(*ask, file)[1].startswith("NO:")
    file.write_text("kind,value\nentity,the FARM\n")
    assert provenance(*ask, file)[1].startswith("YES:")
    file.write_text("kind,value\ncolour,red\n")
    code, _, err = provenance(*ask, file)
    assert code != 0
    assert "row 2: needs a kind of region, entity" in err
    code, _, err = provenance(*ask, "Nothing")
    assert code == 2
    assert "no list 'Nothing' is in the log" in err


def test_coverage_path_journey_and_track(provenance: Command, place: Path) -> None:
    """Each prints its answer and the log position that it is true for."""
    for words, told in (
        (("coverage", "=Y-1"), "100.0% of self/YARN lot =Y-1 is documented"),
        (("path", "=Y-1", "FARM"), "<- moved"),
        (("path", "=Y-1", "C-1", "--goods"), "<- became"),
        (("journey", "=Y-1"), "transform  MILL"),
        (("track", "C-1"), "self/YARN lot =Y-1  90 used"),
    ):
        code, out, err = provenance(*words, "--data", place)
        assert code == 0, err
        assert told in out, words
        assert "true for log position" in out


def test_a_question_about_the_past(provenance: Command, place: Path) -> None:
    """With --at only what had happened by then counts; a time before everything knows nothing."""
    code, out, _ = provenance("track", "C-1", "--data", place, "--at", "2024-01-04")
    assert code == 0
    assert "YARN" not in out
    code, out, _ = provenance("custody", "C-1", "--data", place, "--at", "1970-01-01")
    assert code == 0
    assert "no event says where" in out
    for wrong in ("yesterday", "2024-13-01", "2024-01-01T08:00:00"):
        code, _, err = provenance("custody", "C-1", "--data", place, "--at", wrong)
        assert code == 2
        assert wrong in err


def test_what_does_not_exist_or_is_something_else(provenance: Command, place: Path) -> None:
    """One line, with what to do instead; never an empty answer."""
    for words in (("recall", "X-9"), ("custody", "X-9"), ("path", "C-1", "X-9"), ("balance", "X")):
        code, out, err = provenance(*words, "--data", place)
        assert (code, out) == (1, "")
        assert "provenance lookup" in err
    code, _, err = provenance("custody", "facility:FARM", "--data", place)
    assert code == 2
    assert "asked for is item" in err
