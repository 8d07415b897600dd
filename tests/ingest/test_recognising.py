"""What a column is, from its header and values: measured on invented exports of many systems."""

from __future__ import annotations

import random
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented_files import EXPORTS, export

from provenance.ingest.inspecting.countries import country_code
from provenance.ingest.inspecting.matching import assign
from provenance.ingest.inspecting.profile import profile_of
from provenance.ingest.inspecting.recognising import recognise_columns
from provenance.ingest.inspecting.roles import ROLES
from provenance.ingest.inspecting.tokens import read_heading
from provenance.ingest.inspecting.vocabulary import event_word, mode_word, unit_word
from provenance.ingest.inspecting.words import CONCEPTS, SEVERAL

if TYPE_CHECKING:
    from pathlib import Path

IMPORTANT = (
    *("ship_date", "delivery_date", "order_date", "shipment_id", "quantity", "weight", "value"),
    *("vendor", "consignee", "site", "country_origin", "product_id", "lot_id"),
)
FLOOR, FLOOR_IMPORTANT = 0.95, 0.98


def roles_of(header: list[str], rows: list[list[str]]) -> list[str | None]:
    """The role that each column is given."""
    return [guess.best.role if guess.best else None for guess in recognise_columns(header, rows)]


def test_most_columns_of_many_exports_are_right() -> None:
    """Twenty invented exports in seven languages: nearly all columns, those that matter more so."""
    right = all_of = right_important = important = 0
    for name in EXPORTS:
        header, wanted, rows = export(name)
        for found, role in zip(roles_of(header, rows), wanted, strict=True):
            all_of += 1
            right += found == role
            if role in IMPORTANT:
                important += 1
                right_important += found == role
    assert all_of > 200
    assert right / all_of >= FLOOR
    assert right_important / important >= FLOOR_IMPORTANT


def test_columns_of_the_real_delivery_history(test_data: Path) -> None:
    """Without its profile: dates, country, vendor, site, shipment, quantity, weight and value."""
    text = (test_data / "shipments" / "scms_delivery_history.csv").read_text("utf-8-sig")
    import csv  # noqa: PLC0415 - for this one file

    header, *rows = csv.reader(text.replace("\r", "\n").splitlines())
    found = dict(zip(header, roles_of(header, rows[::7]), strict=True))
    wanted = {
        "ID": "row_id",
        "ASN/DN #": "shipment_id",
        "PO / SO #": "purchase_order",
        "Country": "country",
        "Vendor": "vendor",
        "Manufacturing Site": "site",
        "Shipment Mode": "transport_mode",
        "PO Sent to Vendor Date": "order_date",
        "Scheduled Delivery Date": "planned_delivery",
        "Delivered to Client Date": "delivery_date",
        "Delivery Recorded Date": "recorded_date",
        "Item Description": "product_name",
        "Line Item Quantity": "quantity",
        "Line Item Value": "value",
        "Weight (Kilograms)": "weight",
    }
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("name", ["erp despatch", "german delivery list", "856 flattened"])
def test_neither_order_nor_number_of_rows_matters(name: str) -> None:
    """Columns in another order, and rows in another order, are the same columns."""
    header, _, rows = export(name)
    before = dict(zip(header, roles_of(header, rows), strict=True))
    dice = random.Random(1)
    places = dice.sample(range(len(header)), len(header))
    turned = [[row[at] for at in places] for row in dice.sample(rows, len(rows))]
    again = roles_of([header[at] for at in places], turned)
    assert dict(zip([header[at] for at in places], again, strict=True)) == before


def test_values_count_where_the_header_lies() -> None:
    """A column of names is no date, whatever its header says; check digits speak for themselves."""
    header, _, rows = export("headers that say nothing")
    assert "gtin" in roles_of(header, rows)
    lying = ["Ship Date", "Quantity", "Country of Origin"]
    assert (
        roles_of(lying, [["Aurora", "blue", "Steel"], ["Fjord", "red", "Iron"]] * 9) == [None] * 3
    )


def test_a_plan_is_no_event() -> None:
    """Planned dates are told from those of what happened, in any language."""
    for planned, done in (
        ("Scheduled Delivery", "Delivered"),
        ("ETA", "Arrival Date"),
        ("Date de livraison prévue", "Date de livraison"),
        ("Geplantes Lieferdatum", "Lieferdatum"),
        ("Fecha de entrega estimada", "Fecha de entrega"),
    ):
        rows = [[f"2023-01-{day:02}", f"2023-02-{day:02}"] for day in range(1, 20)]
        assert roles_of([planned, done], rows) == ["planned_delivery", "delivery_date"]


def test_arithmetic_finds_the_value() -> None:
    """Where one column is the product of two others, it is the value and they its factors."""
    rows = [
        [str(q), f"{p:.2f}", f"{q * p:.2f}"]
        for q, p in zip(range(2, 40), range(7, 45), strict=True)
    ]
    assert roles_of(["Amount A", "Amount B", "Amount C"], rows)[2] == "value"


@pytest.mark.parametrize(
    ("header", "concepts"),
    [
        ("Bestell-Nr.", {"order", "number"}),
        ("N° de commande", {"order", "number"}),
        ("shipDate", {"shipped", "date"}),
        ("UoM", {"unit"}),
        ("Ursprungsland", {"origin", "country"}),
        ("B/L #", {"bol", "number"}),
        ("Weight (kg)", {"weight", "kg"}),
        ("SHIPTO_NAME", {"consignee", "party"}),
        ("Quanttiy", {"quantity"}),
        ("zzz", set()),
    ],
)
def test_headers_as_concepts(header: str, concepts: set[str]) -> None:
    """Abbreviations, compounds, camel case, brackets and slips of the pen are read."""
    assert set(read_heading(header).concepts) == concepts


def test_the_words_are_consistent() -> None:
    """A word stands for one concept, and every concept of a role has words."""
    words = [word for text in CONCEPTS.values() for word in text.split()]
    assert len(words) == len(set(words))
    assert not set(SEVERAL) & set(words)
    used = {c for role in ROLES.values() for says, _ in role.says for c in says}
    used |= {c for role in ROLES.values() for c in role.against}
    used |= {c for found in SEVERAL.values() for c in found}
    assert used <= set(CONCEPTS)


@pytest.mark.parametrize(
    ("text", "code"),
    [("Germany", "DE"), ("NA", "NA"), ("DEU", "DE"), ("Côte d'Ivoire", "CI"), ("Congo, DRC", "CD")],
)
def test_countries_by_name_and_code(text: str, code: str) -> None:
    """Names of ISO, its codes, and what people call them."""
    assert country_code(text) == code
    assert country_code("in") == country_code("Atlantis") == ""


def test_words_in_cells() -> None:
    """Ways of transport, events and units in several languages; what fits two is neither."""
    assert [mode_word(t) for t in ("Air Charter", "LKW", "Ocean Freight", "Rail/Road")] == [
        "air",
        "road",
        "sea",
        "",
    ]
    assert [event_word(t) for t in ("Shipped", "Wareneingang", "x")] == ["ship", "receive", ""]
    assert [unit_word(t) for t in ("KGS", "Stk.", "EA", "x")] == ["kg", "unit", "unit", ""]


def _tables(width: int) -> st.SearchStrategy[list[list[float]]]:
    row = st.lists(st.floats(0, 1), min_size=width, max_size=width)
    return st.lists(row, min_size=1, max_size=4)


@settings(max_examples=60)
@given(st.integers(1, 4).flatmap(_tables))
def test_the_assignment_is_the_best_there_is(gains: list[list[float]]) -> None:
    """No other way of giving each row at most one column is worth more."""
    found = assign(gains)
    assert len({at for at in found if at is not None}) == sum(at is not None for at in found)
    worth = sum(gains[row][at] for row, at in enumerate(found) if at is not None)
    rows, columns = len(gains), len(gains[0])
    places = [*range(columns), *[None] * rows]
    best = max(
        sum(gains[row][at] for row, at in enumerate(way) if at is not None)
        for way in permutations(places, rows)
    )
    assert worth == pytest.approx(best)


@given(st.lists(st.text(max_size=12), max_size=20))
def test_any_cells_have_a_profile(cells: list[str]) -> None:
    """No text makes the looking fail; shares are shares."""
    found = profile_of(cells)
    assert all(0 <= share <= 1 for share in found.share.values())
    assert 0 <= found.distinct <= 1
