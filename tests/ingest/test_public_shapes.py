"""What the recogniser makes of the shapes in which shipment tables are published and exported."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from ingest_log import NOW_US, MemoryLog, feed
from public_shapes import SEEN, SHAPES, shape
from public_shapes_held import HELD_OUT

from provenance.ingest.inspecting.countries import country_code
from provenance.ingest.inspecting.inspection import suggest_mapping
from provenance.ingest.inspecting.profile import profile_of
from provenance.ingest.inspecting.recognising import recognise_columns
from provenance.ingest.inspecting.roles import ROLES
from provenance.ingest.inspecting.tokens import read_heading
from provenance.ingest.inspecting.trial import Conditions
from provenance.ingest.mapping import parse_mapping

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = Conditions("acme", NOW_US)
RECALL, WRONG = 0.94, 0.015
EVENTS = {
    "retail chain, orders by item": {"order", "ship"},
    "marketplace orders": {"order", "ship", "receive"},
    "manifest of a data service": {"receive"},
    "erp delivery items, technical names": {"ship"},
    "chinese outbound list": {"ship", "receive"},
    "medicines, transaction history": {"ship"},
    "customs manifest, public file": {"receive"},
    "warehouse system, upper case": {"ship", "receive"},
    "german shipping list": {"ship", "receive"},
    "brazilian invoices": {"ship", "receive"},
    "superstore": {"order", "ship"},
    "health programme orders": {"order", "ship", "receive"},
    "farm gate purchases": {"receive"},
    "truck trips": {"order", "ship", "receive"},
}


@pytest.mark.parametrize("names", [SEEN, HELD_OUT], ids=["seen", "held out"])
def test_most_columns_are_right_and_few_wrong(names: dict[str, str]) -> None:
    """Wrong is a field filled from a column that is something else; missed is one left empty."""
    right = wrong = missed = nothing = 0
    for name in names:
        header, wanted, rows = shape(name)
        for guess, allowed in zip(recognise_columns(header, rows), wanted, strict=True):
            role = guess.best.role if guess.best else None
            fills = role is not None and bool(ROLES[role].native)
            right += role is not None and role in allowed
            wrong += fills and role not in allowed
            missed += not fills and role not in allowed and None not in allowed
            nothing += role not in allowed and not fills and None in allowed
    assert right + wrong + missed > 160
    assert right / (right + wrong + missed) >= RECALL
    assert wrong / (right + wrong + missed + nothing) <= WRONG


@pytest.mark.parametrize("name", SHAPES)
def test_a_suggestion_is_a_mapping_that_takes_the_file(tmp_path: Path, name: str) -> None:
    """From a file that nobody knows to events, with no hand in between; nothing goes missing."""
    header, _, rows = shape(name)
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    path = tmp_path / "t.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    found = suggest_mapping(str(path), GIVEN)
    if name == "trade statistics":  # years and months are no dates of anything
        assert "event_time must be filled" in found.text
        return
    log = MemoryLog()
    receipt = feed(log, tmp_path, path.read_bytes(), mapping=parse_mapping(found.text, "m"))
    assert receipt.total.accepted >= len(rows) - 1
    made = {content["event_type"] for content in log.contents("event/1")}
    assert made == EVENTS.get(name, made)


def test_what_stands_in_front_of_every_column_tells_nothing() -> None:
    """The table's name in its columns; but it stays where too little is left."""
    header = ["order_id", "order_status", "order_delivered_carrier_date", "order_total_value"]
    rows = [[f"{n:05}", "open", "2024-03-01", "10.5"] for n in range(9)]
    found = [guess.best.role if guess.best else None for guess in recognise_columns(header, rows)]
    assert found[0] == "purchase_order"
    assert found[2:] == ["ship_date", "value"]


@pytest.mark.parametrize(
    ("header", "concepts"),
    [
        ("预计到货日期", {"planned", "received", "date"}),
        ("供应商名称", {"vendor", "party"}),
        ("客戶編號", {"consignee", "number"}),
        ("WADAT_IST", {"shipped", "date", "actual"}),
        ("Preis (XOF)", {"price", "money"}),
        ("actual_eta", {"actual", "received", "date"}),
        ("Valor R$", {"value", "money"}),
        ("Customer E-Mail", {"consignee", "other"}),
    ],
)
def test_headings_of_other_scripts_and_systems(header: str, concepts: set[str]) -> None:
    """Chinese is taken apart without spaces, technical names are known whole."""
    assert set(read_heading(header).concepts) == concepts


@pytest.mark.parametrize(
    ("text", "code"),
    [("ALEMANHA", "DE"), ("Ägypten", "EG"), ("BELGICA", "BE"), ("越南", "VN"), ("Turchia", "TR")],
)
def test_countries_in_other_languages(text: str, code: str) -> None:
    """In the languages of the trade, with and without accents."""
    assert country_code(text) == code


def test_a_container_number_proves_itself() -> None:
    """By its check digit; a bill of lading that only looks like one does not."""
    assert profile_of(["CSQU3054383", "MSKU0383250"]).has("box") == 1
    assert profile_of(["CSQU3054384"]).has("box") == 0
    assert profile_of(["CSQU3054384"]).has("box like") == 1


@pytest.mark.parametrize("nothing", ["00000000", "0000-00-00", "31.12.9999"])
def test_what_systems_write_for_no_date(tmp_path: Path, nothing: str) -> None:
    """Zeros and the last day there is are no dates: the event is not made, the row is taken."""
    lines = [f"D{n},M-{n},2024-03-{n + 10},{nothing if n % 3 else '2024-03-28'}" for n in range(9)]
    path = tmp_path / "t.csv"
    path.write_text("Delivery No,Material,Ship Date,Received Date\n" + "\n".join(lines))
    found = suggest_mapping(str(path), GIVEN)
    assert dict(found.trial.made) == {"ship": 9, "receive": 3}
    assert found.trial.set_aside == 0
