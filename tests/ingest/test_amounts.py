"""Cells that hold a number and its unit: both are found, and nothing else is taken for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_log import NOW_US, MemoryLog, counts, feed

from provenance.errors import InputError
from provenance.ingest.amounts import parted, unit_in, with_unit
from provenance.ingest.inspecting.inspection import suggest_mapping
from provenance.ingest.inspecting.trial import Conditions
from provenance.ingest.mapping import parse_mapping
from provenance.ingest.values import Unacceptable, number, signed

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    'name = "m"\n[fields]\nevent_id = "No"\nevent_time = "T"\nevent_type = { value = "ship" }\n'
    'product_id = "P"\n'
)
NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,5})(\.[0-9]{1,3})?|[1-9][0-9]{0,2}(,[0-9]{3}){2}", fullmatch=True
)


@given(
    NUMBERS,
    st.sampled_from(["KGS", "CTN(S)", "m3", "°C", "EUR", "$", "Metric Tons", "kg.", "件"]),
    st.sampled_from(["", " ", "\u00a0", "  "]),
)
def test_number_and_unit_are_found(text: str, unit: str, between: str) -> None:
    """Whatever stands between them; the number alone means what it means elsewhere."""
    amount = f"{text}{between}{unit}"
    assert parted(amount) == (text, unit)
    assert unit_in(f" {amount} ") == unit
    assert with_unit(signed, [unit.upper()])(amount) == signed(text)


@given(NUMBERS, st.sampled_from(["USD", "US$", "€", "INR"]))
def test_a_currency_may_stand_before(text: str, currency: str) -> None:
    """As it does in most exports."""
    assert parted(f"{currency} {text}") == (text, currency)
    assert parted(f"{currency}{text}") == (text, currency)


@given(st.text(max_size=90))
def test_any_cell_is_parted_or_not(text: str) -> None:
    """Never an error of another kind; what is parted is all that stands there."""
    found = parted(text)
    if found is not None:
        number_, unit = found
        rest = text.replace(number_, "", 1).replace(unit, "", 1)
        assert not rest.strip(" \u00a0\u202f")


@pytest.mark.parametrize(
    "text",
    ["2 x 40HC", "10 PLT / 200 CTN", "12-15 kg", "5 EA (10 PK)", "USD 5 EUR", "3 CTN 5", "kg", ""],
)
def test_two_numbers_are_not_one(text: str) -> None:
    """A cell that says more than one number with one unit is set aside."""
    with pytest.raises(Unacceptable, match="one number with its unit"):
        with_unit(number, ["kg"])(text)


def test_a_row_in_another_unit_is_set_aside(tmp_path: Path) -> None:
    """Numbers of listed units are taken, what stood there is kept, and others are not guessed."""
    mapping = parse_mapping(
        f'{HEAD}gross_weight = {{ column = "W", part = "number", units = ["KGS", "LBS"] }}\n'
        'weight_unit = { column = "W", part = "unit" }\n'
        'declared_value_usd = { column = "V", part = "number", units = ["USD"] }\n'
        '[values.weight_unit]\n"KGS" = "kg"\n"LBS" = "lb"\n',
        "m",
    )
    text = (
        "No;T;P;W;V\n1;2024-01-01;p;18,833.5 KGS;USD 5\n2;2024-01-01;p;7 LBS;5 EUR\n"
        "3;2024-01-01;p;7 LBS;9\n4;2024-01-01;p;7 MT;USD 9\n5;2024-01-01;p;;\n"
    )
    log = MemoryLog()
    receipt = feed(log, tmp_path, text, mapping=mapping)
    assert counts(receipt) == (5, 3, 0, 2, 3)
    assert receipt.total.reasons == {"V: is not in USD": 1, "W: is not in KGS or LBS": 1}
    first, third, last = log.contents()
    assert (first["gross_weight"], first["weight_unit"]) == ({"_d": "18833.5"}, "kg")
    assert (third["gross_weight"], third["weight_unit"]) == (7, "lb")
    assert third["declared_value_usd"] == 9
    assert first["ext"] == [["W", "18,833.5 KGS"], ["V", "USD 5"]]
    assert "gross_weight" not in last


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('quantity = { column = "Q", part = "number" }', "say which units"),
        ('quantity = { column = "Q", units = ["kg"] }', 'units belong to part = "number"'),
        ('carrier = { column = "Q", part = "number", units = ["kg"] }', "is no number"),
        ('quantity = { value = "1", part = "unit" }', "one of a column"),
        ('quantity = { column = "Q", part = "half" }', "half"),
    ],
)
def test_parts_that_cannot_be_are_refused(line: str, said: str) -> None:
    """Above all a number whose unit nobody looks at."""
    with pytest.raises(InputError, match=said):
        parse_mapping(HEAD + line, "m")


@pytest.mark.parametrize(
    ("header", "cells", "fields"),
    [
        (
            "Gross Weight",
            ["18,833.5 KGS", "7 KGS"],
            {"gross_weight": {"_d": "18833.5"}, "weight_unit": "kg"},
        ),
        ("Gross Weight", ["1.25 MT", "2 MT"], {"gross_weight": 1250, "weight_unit": "kg"}),
        ("Quantity", ["25 CTNS", "7 PCS"], {"items": 25}),
        ("Declared Value", ["US$ 1,200.50", "US$ 7"], {"declared_value_usd": {"_d": "1200.50"}}),
        ("Declared Value", ["EUR 1,200.50", "EUR 7"], {}),
        ("Temperature", ["4.5 °C", "5 °C"], {"temperature_c": {"_d": "4.5"}}),
        ("Temperature", ["41 °F", "40 °F"], {}),
    ],
)
def test_a_mapping_is_suggested_that_takes_all_rows(
    tmp_path: Path, header: str, cells: list[str], fields: dict[str, object]
) -> None:
    """Units in cells are recognised, and a suggestion reads each row with the right number."""
    rows = [f'R{n},{n % 28 + 1:02}-Mar-2026,yarn,"{cells[n % 2]}"\n' for n in range(40)]
    path = tmp_path / "e.csv"
    path.write_text(f"Shipment No,Ship Date,Item Code,{header}\n{''.join(rows)}")
    found = suggest_mapping(str(path), Conditions("p", NOW_US))
    assert found.mapping is not None
    log = MemoryLog()
    receipt = feed(log, tmp_path, path.read_text(), mapping=found.mapping)
    assert receipt.total.accepted == 40
    content = log.contents()[0]
    told = {name for name in content if name in {"gross_weight", "declared_value_usd"}}
    assert told == {name for name in fields if name in {"gross_weight", "declared_value_usd"}}
    for name, value in fields.items():
        held = content["items"][0]["quantity"] if name == "items" else content[name]
        assert held == value
