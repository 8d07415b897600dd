"""Cells that a spreadsheet or a typist has changed: each has one stated outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_log import MemoryLog, counts, feed

from provenance.errors import InputError
from provenance.ingest import codes, values
from provenance.ingest.alike import Names
from provenance.ingest.mapping import parse_mapping
from provenance.ingest.times import split
from provenance.ingest.values import Unacceptable, scaled, signed, with_decimal

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "event_id,event_time,event_type,product_id,gtin,quantity\n"
COMMA = with_decimal(values.number, ",")


def checked(digits: str) -> str:
    """Add the check digit of GS1."""
    total = sum(int(d) * (3 if at % 2 == 0 else 1) for at, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


@given(st.from_regex(r"0[0-9]{10}", fullmatch=True))
def test_leading_zeros_come_back_by_the_check_digit(digits: str) -> None:
    """A UPC whose zeros a spreadsheet took off is the UPC, if not too many are gone."""
    whole = checked(digits)
    short = whole.lstrip("0")
    if len(short) in {7, 9, 10, 11}:
        assert codes.gtin(short) in {whole.zfill(14), short.zfill(14)}
        wrong = short[:-1] + str((int(short[-1]) + 1) % 10)
        with pytest.raises(Unacceptable, match="check digit"):
            codes.gtin(wrong)


def test_restored_zeros_are_reported(tmp_path: Path) -> None:
    """The event has the whole GTIN, the foreign column what stood there, the receipt a warning."""
    log = MemoryLog()
    short = checked("01234567890").lstrip("0")
    receipt = feed(log, tmp_path, f"{HEAD}1,2024-01-01,ship,yarn,{short},5\n")
    assert receipt.total.warnings == {"gtin: got its leading zeros back": 1}
    (content,) = log.contents()
    assert content["gtin"] == short.zfill(14)
    assert ["gtin", short] in content["ext"]


@pytest.mark.parametrize("text", ["4.01235E+12", "4,01235E+12", "1E+15"])
def test_rounded_ids_are_refused(tmp_path: Path, text: str) -> None:
    """What a spreadsheet has rounded is no id any more, in whatever column, but a number."""
    rows = f'"{text}",2024-01-01,ship,yarn,,5\n2,2024-01-01,ship,yarn,"{text}",5\n'
    rows += f'3,2024-01-01,ship,yarn,,"{text}"\n'
    receipt = feed(MemoryLog(), tmp_path, HEAD + rows)
    assert counts(receipt)[1] == 1
    assert receipt.total.reasons == {
        f"{column}: was rounded by a spreadsheet; export the column as text": 1
        for column in ("event_id", "gtin")
    }


def test_ids_that_differ_in_case_or_form_only(tmp_path: Path) -> None:
    """Both are kept apart, and every row with one of them counts in a warning."""
    log = MemoryLog()
    head = "event_id,event_time,event_type,product_id,facility_id,to_facility_id\n"
    rows = (
        "1,2024-01-01,ship,yarn,MILL,Shop\n2,2024-01-01,ship,Yarn,mill,Shop\n"
        "3,2024-01-01,ship,cloth,Ko\u0308ln,K\u00f6ln\n"
    )
    receipt = feed(log, tmp_path, head + rows)
    odd = "differs from another only in case or Unicode form; kept apart"
    assert receipt.total.warnings == {
        f"product_id: {odd}": 2,
        f"facility_id: {odd}": 3,
        f"to_facility_id: {odd}": 1,
    }
    assert [content["facility_id"] for content in log.contents()] == ["MILL", "mill", "Ko\u0308ln"]


def test_names_are_compared_within_what_they_name() -> None:
    """A product called like a site is no slip."""
    names = Names()
    names.add("facility", "ABC")
    names.add("product", "abc")
    assert names.alike == {}


@given(
    st.decimals(0, 10**9, allow_nan=False, places=3),
    st.sampled_from([("", ","), (".", ","), (" ", ","), ("'", ","), ("", "."), (",", ".")]),
)
def test_numbers_of_a_known_decimal_sign(number: object, form: tuple[str, str]) -> None:
    """With a sign that is known, no grouping leaves anything open."""
    group, sign = form
    plain = f"{number:,.3f}"
    text = plain.replace(",", "\0").replace(".", sign).replace("\0", group)
    assert with_decimal(signed, sign)(text) == signed(plain.replace(",", ""))


@pytest.mark.parametrize("text", ["1.5", "1,234.5", "12.34.567", "1.2345", "x", "1,2,3"])
def test_numbers_that_contradict_the_decimal_sign(text: str) -> None:
    """Where commas are decimal, 1.5 is no number: neither one and a half nor fifteen."""
    with pytest.raises(Unacceptable, match="decimal sign"):
        COMMA(text)


def test_a_factor_is_exact(tmp_path: Path) -> None:
    """Tonnes become kilograms without rounding, and what stood there is kept."""
    mapping = parse_mapping(
        'name = "m"\ndecimal = ","\n[fields]\nevent_id = "No"\nevent_time = "T"\n'
        'event_type = { value = "ship" }\nproduct_id = "P"\nweight_unit = { value = "kg" }\n'
        'gross_weight = { column = "Weight", factor = "1000" }\n'
        'serial_ids = { column = "S", split = "|" }\n',
        "m",
    )
    log = MemoryLog()
    feed(log, tmp_path, "No;T;P;Weight;S\n1;2024-01-01;p;1,2345;a|b\n", mapping=mapping)
    (content,) = log.contents()
    assert content["gross_weight"] == {"_d": "1234.5"}
    assert content["items"][0]["serial_ids"] == ["a", "b"]
    assert content["ext"] == [["Weight", "1,2345"], ["S", "a|b"]]
    with pytest.raises(Unacceptable):
        scaled(values.number, "1000")("x")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('quantity = { column = "Q", factor = "0" }', "a factor is a number above zero"),
        ('carrier = { column = "Q", factor = "2" }', "a factor is a number above zero"),
        ('quantity = { value = "1", factor = "2" }', "belong to a column"),
        ('quantity = { column = "Q", split = "," }', "is no list"),
        ('quantity = { column = "Q", value = "1" }', "needs a column, a value or a template"),
    ],
)
def test_wrong_fields_of_a_mapping(line: str, message: str) -> None:
    """Each mistake is one line that names the field."""
    text = 'name = "m"\n[fields]\nevent_id = "A"\nevent_time = "B"\nevent_type = "C"\n'
    with pytest.raises(InputError, match=message):
        parse_mapping(text + line, "m")


MONTHS = {"2. März 2024": 3, "2 août 2024": 8, "02-ene-24": 1, "2 dez. 2024": 12, "2 mei 2024": 5}


@pytest.mark.parametrize("text", MONTHS)
def test_months_in_other_languages(text: str) -> None:
    """No month's name means another month in another of the languages."""
    assert split(text).first == MONTHS[text]
