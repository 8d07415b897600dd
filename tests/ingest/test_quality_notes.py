"""Notes on the quality of rows: what makes one, where it stands, and that it changes no row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_log import MemoryLog, counts, feed

from provenance.errors import InputError
from provenance.ingest.mapping import parse_mapping
from provenance.ingest.quality.notes import FIELD, NOTES, meaning
from provenance.ingest.quality.rules import Product, is_far, value_note, weight_note

if TYPE_CHECKING:
    from pathlib import Path

HEAD = (
    "event_id,event_time,event_type,facility_id,product_id,quantity,quantity_unit,gross_weight,"
    "weight_unit,declared_value_usd\n"
)
PRODUCTS = "product_id,unit,unit_weight_kg,reference_value_usd\nP,unit,2,5\nK,kg,1,3\n"
FACILITIES = "facility_id,longitude,latitude\nPEK,116.4,39.9\n"


def world(place: Path) -> MemoryLog:
    """A log that knows two products and a place."""
    log = MemoryLog()
    feed(log, place, PRODUCTS, name="products.csv")
    feed(log, place, FACILITIES, name="facilities.csv")
    return log


def noted(log: MemoryLog) -> dict[str, Any]:
    """Event id to codes."""
    return {each["event_id"]: each.get(FIELD) for each in log.contents("event/1")}


ROWS = {
    "clean": ("2024-01-02T03:04:05Z", "K", "100", "kg", "104", "kg", "300", None),
    "weight-in-lb": ("2024-01-02T03:04:05Z", "K", "100", "kg", "229", "kg", "", "mixup"),
    "named-lb": ("2024-01-02T03:04:05Z", "K", "100", "kg", "104", "lb", "", "mixup"),
    "really-lb": ("2024-01-02T03:04:05Z", "K", "100", "kg", "229", "lb", "300", None),
    "too-light": ("2024-01-02T03:04:05Z", "P", "100", "unit", "20", "kg", "", "weight"),
    "too-heavy": ("2024-01-02T03:04:05Z", "P", "100", "unit", "2000", "kg", "", "weight"),
    "well-packed": ("2024-01-02T03:04:05Z", "P", "100", "unit", "390", "kg", "", None),
    "decimal": ("2024-01-02T03:04:05Z", "K", "100", "kg", "", "", "30200", "decimal"),
    "cheap": ("2024-01-02T03:04:05Z", "K", "100", "kg", "", "", "9", None),
    "no-unit": ("2024-01-02T03:04:05Z", "K", "100", "", "", "", "", "unit"),
    "no-weight-unit": ("2024-01-02T03:04:05Z", "K", "100", "kg", "105", "", "", "weight-unit"),
    "unknown-product": ("2024-01-02T03:04:05Z", "X", "100", "box", "1", "kg", "9", None),
    "berlin": ("2024-01-02T03:04:05+01:00", "K", "100", "kg", "", "", "", "zone"),
    "beijing": ("2024-01-02T03:04:05+08:00", "K", "100", "kg", "", "", "", None),
}
CODES = {
    "mixup": "unit-mixup-suspected",
    "weight": "weight-inconsistent",
    "decimal": "value-decimal-suspected",
    "unit": "unit-missing",
    "weight-unit": "weight-unit-missing",
    "zone": "time-zone-differs",
}


@pytest.mark.parametrize("name", ROWS)
def test_a_slip_is_noted_and_what_is_in_order_is_not(tmp_path: Path, name: str) -> None:
    """Each kind of slip has its code; goods that are merely cheap or well packed have none."""
    *cells, wanted = ROWS[name]
    log = world(tmp_path)
    time, product, *amounts = cells
    row = ",".join([name, str(time), "ship", "PEK", str(product), *map(str, amounts)])
    feed(log, tmp_path, f"{HEAD}{row}\n")
    assert noted(log) == {name: [CODES[wanted]] if wanted else None}


def test_a_note_makes_no_other_row(tmp_path: Path) -> None:
    """The same row again is a duplicate, whatever is thought of it by then."""
    row = f"{HEAD}E1,2024-01-02T03:04:05Z,ship,PEK,P,100,unit,20,kg,500\n"
    log = MemoryLog()
    feed(log, tmp_path, row)
    held = log.rows["event", "acme", "E1"]
    assert noted(log) == {"E1": None}
    feed(log, tmp_path, PRODUCTS, name="products.csv")
    assert counts(feed(log, tmp_path, row))[2] == 1
    later = world(tmp_path)
    feed(later, tmp_path, row)
    assert noted(later) == {"E1": ["weight-inconsistent"]}
    assert later.rows["event", "acme", "E1"][0] == held[0]
    assert counts(feed(later, tmp_path, row))[2] == 1


def test_notes_are_private_whatever_the_policy_says(tmp_path: Path) -> None:
    """A log that was founded before there were notes has no rule for them: the draft brings it."""
    log = MemoryLog()
    feed(log, tmp_path, f"{HEAD}E1,2024-01-02T03:04:05Z,ship,PEK,K,100,kg,229,kg,300\n")
    feed(log, tmp_path, f"{HEAD}E2,2024-01-02T03:04:05Z,ship,PEK,K,100,kg,105,kg,300\n")
    first, second = (d for d in log.drafts if d is not None and d.version == "event/1")
    assert {path: tier.name for path, tier in first.tiers.items()} == {"/quality": "PRIVATE"}
    assert not second.tiers
    assert FIELD not in second.content


def test_the_receipt_counts_notes_with_examples(tmp_path: Path) -> None:
    """Every code with the entries that bear it and the first three of them; duplicates are none."""
    log = MemoryLog()
    rows = "".join(f"E{n},2024-01-02T03:04:05Z,ship,PEK,K,100,kg,229,kg,300\n" for n in range(5))
    told = feed(log, tmp_path, HEAD + rows).to_dict()["quality"]
    code = "unit-mixup-suspected"
    assert told == {code: {"entries": 5, "examples": [1, 2, 3], "means": NOTES[code]}}
    assert feed(log, tmp_path, HEAD + rows).to_dict()["quality"] == {}


def test_a_date_that_other_dates_decided_is_noted(tmp_path: Path) -> None:
    """05/06 next to 30/06 is decided, and noted; 06/06 and 30/06 can be read in one way only."""
    head = "event_id,event_time,event_type,facility_id\n"
    days = {"a": "05/06/2023 10:00", "b": "30/06/2023 10:00", "c": "06/06/2023 10:00"}
    log = MemoryLog()
    feed(log, tmp_path, head + "".join(f"{n},{day},inspect,F\n" for n, day in days.items()))
    assert noted(log) == {"a": ["date-order-decided"], "b": None, "c": None}


def test_wages_without_a_currency_are_noted(tmp_path: Path) -> None:
    """A labour month whose wages nobody can compare says so, and is the same month as before."""
    log = MemoryLog()
    text = "facility_id,month,gross_wages,currency\nF,2024-01,100,\nG,2024-01,100,EUR\n"
    feed(log, tmp_path, text, name="labour.csv")
    found = [each.get(FIELD) for each in log.contents("labour/1")]
    assert found == [["currency-missing"], None]
    assert counts(feed(log, tmp_path, text, name="labour.csv"))[2] == 2


PRICED = 'name = "priced"\nprice = "Each"\n[fields]\n' + "".join(
    f'{name} = "{name}"\n' for name in HEAD.strip().split(",") if not name.startswith("weight")
)


@pytest.mark.parametrize(
    ("quantity", "price", "value", "is_noted"),
    [
        ("100", "1.50", "150", False),
        ("100", "1.50", "1500", True),
        ("100", "1.50", "15.00", True),
        ("100000", "0.02", "1871.50", False),  # the price is rounded to a cent
        ("100000", "0.02", "9000", True),
        ("100", "", "1500", False),
        ("100", "N/A", "1500", False),
        ("100", "1.50", "", False),
        ("", "1.50", "150", False),
    ],
)
def test_a_price_in_the_row_is_held_against_its_value(
    tmp_path: Path, quantity: str, price: str, value: str, *, is_noted: bool
) -> None:
    """Only where a mapping names the column, and as exactly as the price is written."""
    header = "event_id,event_time,event_type,facility_id,product_id,quantity,quantity_unit"
    header += ",gross_weight,declared_value_usd,Each\n"
    row = f"E,2024-01-02T03:04:05Z,ship,F,K,{quantity},kg,,{value},{price}\n"
    log = MemoryLog()
    feed(log, tmp_path, header + row, mapping=parse_mapping(PRICED, "test"))
    assert noted(log) == {"E": ["value-price-differs"] if is_noted else None}
    with pytest.raises(InputError, match="Each"):
        feed(
            log,
            tmp_path,
            HEAD + "x,2024-01-02,ship,F,K,1,kg,1,kg,1\n",
            mapping=parse_mapping(PRICED, "test"),
        )


amounts = st.integers(2, 10**9)


@given(amounts, st.floats(1.0, 1.2), st.sampled_from(["kg", "lb"]))
def test_any_weight_with_usual_packaging_is_clean_and_its_mixup_is_not(
    quantity: int, packed: float, unit: str
) -> None:
    """Over all quantities: right weights bear no note, the same number in the other unit does."""
    gross = quantity * packed / (0.45359237 if unit == "lb" else 1)
    row = {"quantity": quantity, "quantity_unit": "kg", "gross_weight": {"_d": f"{gross:.6f}"}}
    other = {"kg": "lb", "lb": "kg"}[unit]
    assert weight_note({**row, "weight_unit": unit}, None, quantity) is None
    assert weight_note({**row, "weight_unit": other}, None, quantity) == "unit-mixup-suspected"


@given(amounts, st.floats(0.85, 1.15), st.sampled_from([-4, -3, -2, -1, 1, 2, 3, 4]))
def test_a_moved_decimal_point_is_seen_at_any_size(
    quantity: int, ratio: float, places: int
) -> None:
    """A value near the product's has no note; the same digits with the point moved have."""
    product = Product("kg", 1.0, 7.0)
    row = {"quantity": quantity, "quantity_unit": "kg"}

    def note(value: float) -> str | None:
        return value_note({**row, "declared_value_usd": {"_d": f"{value:.9f}"}}, product, quantity)

    assert note(quantity * 7 * ratio) is None
    assert note(quantity * 7 * ratio * 10.0**places) == "value-decimal-suspected"


@given(st.floats(-180, 180), st.integers(-14 * 4, 14 * 4))
def test_an_offset_fits_the_sun_or_not(longitude: float, quarters: int) -> None:
    """The distance is taken on the circle: +13 and -11 are one zone, a day apart."""
    hours = quarters / 4
    sign = "-" if quarters < 0 else "+"
    text = f"{sign}{abs(quarters) // 4:02}:{abs(quarters) % 4 * 15:02}"
    turned = math.remainder((hours - longitude / 15) * math.tau / 24, math.tau)
    apart = abs(turned) * 24 / math.tau
    if abs(apart - 3.5) > 1e-6:
        assert is_far(text, longitude) == (apart > 3.5)


def test_codes_explain_themselves() -> None:
    """A code of a later version is shown by its name."""
    assert meaning("unit-missing") == NOTES["unit-missing"]
    assert meaning("some-later-code") == "some later code"


def test_what_the_reader_mended_or_wondered_at_is_noted(tmp_path: Path) -> None:
    """A GTIN that got its zeros back, and an id that differs from another in case alone."""
    head = "event_id,event_time,event_type,facility_id,gtin,lot_id\n"
    day = "2024-01-02T03:04:05Z,inspect"
    log = MemoryLog()
    feed(
        log,
        tmp_path,
        f"{head}a,{day},F,12345678905,\nb,{day},F,00012345678905,\nc,{day},G,,\nd,{day},g,,\n",
    )
    found = noted(log)
    assert (found["a"], found["b"], found["c"]) == (["gtin-repaired"], None, found["d"])
    assert found["c"] == ["id-alike"]
