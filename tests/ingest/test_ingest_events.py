"""Events: every row of a file is accepted, a duplicate, or quarantined with its reason."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_log import MemoryLog, counts, feed, feed_paths

from provenance.entries import Tier
from provenance.errors import InputError, UsageError
from provenance.ingest.columns import EVENTS
from provenance.ingest.events import EVENT_TYPES
from provenance.ingest.mapping import parse_mapping
from provenance.ingest.sink import GROUP

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity\n"


def produce(number: int, **cells: str) -> str:
    """A row that produces lot L<number>."""
    row = {"id": f"E{number}", "time": f"2024-01-{number:02}T08:00:00Z", "type": "produce"}
    row |= {"at": "F1", "product": "cotton", "lot": f"L{number}", "quantity": "10"}
    return ",".join((row | cells).values()) + "\n"


def only(log: MemoryLog) -> dict[str, Any]:
    """The one content in a log."""
    (content,) = log.contents()
    return content


def test_a_full_event(tmp_path: Path) -> None:
    """Every native column has its place in the content, numbers with their decimal text."""
    row = {
        "event_id": "E1",
        "event_time": "2024-03-23 22:17:32+02:00",
        "event_type": "Ship",
        "facility_id": "F1",
        "locode": "DEHAM",
        "latitude": "53.50",
        "longitude": "-9.9",
        "product_id": "shirt",
        "lot_id": "L1",
        "serial_ids": "S1; S2;",
        "quantity": "1,234.50",
        "quantity_unit": "unit",
        "gross_weight": "12",
        "weight_unit": "KG",
        "declared_value_usd": "99.90",
        "shipment_id": "SH1",
        "bill_of_lading": "BL1",
        "from_facility_id": "F1",
        "to_facility_id": "F2",
        "transport_mode": "sea",
        "carrier": "Line",
        "declared_origin_country": "NA",
        "source_system": "erp",
        "gtin": "9506000134352",
        "container_id": "006141411234567890",
        "temperature_c": "-18.5",
        "certificate_id": "C1",
        "batch_expiry_date": "2030-01-31",
        "purchase_order": "PO1",
        "colour": "blue",
        "Größe": "",
    }
    log = MemoryLog()
    out = io.StringIO()
    csv.writer(out).writerows([row.keys(), row.values()])
    assert counts(feed(log, tmp_path, out.getvalue())) == (1, 1, 0, 0, 1)
    assert only(log) == {
        "party": "acme",
        "event_id": "E1",
        "event_type": "ship",
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "biz_step": "shipping",
        "disposition": "in_transit",
        "event_time": "2024-03-23T20:17:32Z",
        "time_text": "2024-03-23 22:17:32+02:00",
        "time_zone_offset": "+02:00",
        "facility_id": "F1",
        "locode": "DEHAM",
        "latitude": {"_d": "53.50"},
        "longitude": {"_d": "-9.9"},
        "items": [
            {
                "party": "acme",
                "product_id": "shirt",
                "lot_id": "L1",
                "quantity": {"_d": "1234.50"},
                "quantity_unit": "unit",
                "serial_ids": ["S1", "S2"],
            }
        ],
        "gross_weight": 12,
        "weight_unit": "kg",
        "declared_value_usd": {"_d": "99.90"},
        "shipment_id": "SH1",
        "bill_of_lading": "BL1",
        "from_facility_id": "F1",
        "to_facility_id": "F2",
        "transport_mode": "sea",
        "carrier": "Line",
        "declared_origin_country": "NA",
        "source_system": "erp",
        "gtin": "09506000134352",
        "container_id": "006141411234567890",
        "temperature_c": {"_d": "-18.5"},
        "certificate_id": "C1",
        "batch_expiry_date": "2030-01-31",
        "purchase_order": "PO1",
        "ext": [["colour", "blue"]],
    }


@pytest.mark.parametrize("word", EVENT_TYPES)
def test_every_event_type_is_valid_cbv(tmp_path: Path, word: str) -> None:
    """Each native word is an EPCIS type with an action and CBV vocabulary."""
    log = MemoryLog()
    feed(log, tmp_path, HEAD + produce(1, type=word))
    content = only(log)
    assert content["event_type"] == word
    assert content["type"] in {
        "ObjectEvent",
        "TransformationEvent",
        "AggregationEvent",
        "TransactionEvent",
    }
    assert ("action" in content) is (content["type"] != "TransformationEvent")
    assert content.get("action", "ADD") in {"ADD", "OBSERVE", "DELETE"}


@pytest.mark.parametrize(
    ("cells", "reason", "column"),
    [
        ({"id": ""}, "is missing", "event_id"),
        ({"id": "a\u200bb"}, "cannot be seen", "event_id"),
        ({"time": ""}, "is missing", "event_time"),
        ({"time": "2024-02-30"}, "does not exist", "event_time"),
        ({"time": "05/06/2023"}, "set date_order in a mapping", "event_time"),
        ({"time": "2031-01-01"}, "future", "event_time"),
        ({"type": "shipp"}, "did you mean ship", "event_type"),
        ({"type": "N/A"}, "is missing", "event_type"),
        ({"quantity": "-5"}, "is negative", "quantity"),
        ({"quantity": "NaN"}, "is not a number", "quantity"),
        ({"quantity": "inf"}, "is not a number", "quantity"),
        ({"quantity": "12 kg"}, "is not a number", "quantity"),
        ({"quantity": '"1,234"'}, "thousands separator or a decimal sign", "quantity"),
        ({"product": ""}, "is missing", "product_id"),
        ({"product": ".."}, "cannot be an id", "product_id"),
    ],
)
def test_a_row_that_cannot_be_taken(
    tmp_path: Path, cells: dict[str, str], reason: str, column: str
) -> None:
    """A bad cell quarantines its row with line, column, reason and what stood there."""
    log = MemoryLog()
    receipt = feed(log, tmp_path, HEAD + produce(1) + produce(2, **cells) + produce(3))
    assert counts(receipt) == (3, 2, 0, 1, 2)
    with open(receipt.parts[0].quarantine, encoding="utf-8", newline="") as file:  # noqa: PTH123
        (row,) = csv.DictReader(file)
    assert row["quarantine_line"] == "3"
    assert row["quarantine_column"] == column
    assert reason in row["quarantine_reason"]
    (counted,) = receipt.total.reasons
    assert counted.startswith(f"{column}: ")


EXTRA_BAD = [
    ("latitude", "90.1", "between -90 and 90"),
    ("longitude", "-181", "between -180 and 180"),
    ("declared_origin_country", "Germany", "ISO 3166-1"),
    ("declared_origin_country", "XX", "ISO 3166-1"),
    ("gtin", "9506000134353", "wrong check digit"),
    ("gtin", "4.01235E+12", "spreadsheet"),
    ("gtin", "123", "8, 12, 13 or 14 digits"),
    ("container_id", "006141411234567891", "wrong check digit"),
    ("transport_mode", "boat", "is not one of sea, road"),
    ("weight_unit", "st", "is not one of kg, lb"),
    ("gross_weight", "1,234", "thousands"),
    ("input_quantities", "1;2", "as many parts as input_lots"),
    ("input_product_ids", "a;b", "as many parts as input_lots"),
    ("input_quantities", "x", "is not a number"),
    ("batch_expiry_date", "soon", "known form"),
    ("serial_ids", ";".join(f"s{n}" for n in range(10_001)), "more than 10000"),
]


@pytest.mark.parametrize(("column", "text", "reason"), EXTRA_BAD)
def test_an_optional_cell_that_cannot_be(
    tmp_path: Path, column: str, text: str, reason: str
) -> None:
    """Codes, ranges, check digits and lists are checked in optional columns too."""
    head = HEAD.strip() + f",input_lots,{column}\n"
    row = produce(1, type="transform").strip() + f',L0,"{text}"\n'
    receipt = feed(MemoryLog(), tmp_path, head + row)
    assert counts(receipt) == (1, 0, 0, 1, 0)
    (counted,) = receipt.total.reasons
    assert counted.startswith(f"{column}: ")
    assert reason in counted
    assert receipt.parts[0].batch is None


@pytest.mark.parametrize("text", ["", " ", "-", "N/A", "NULL", "null"])
def test_missing_is_not_zero(tmp_path: Path, text: str) -> None:
    """Cells that say nothing leave the field out."""
    log = MemoryLog()
    feed(log, tmp_path, HEAD + produce(1, quantity=text, at=text))
    assert "quantity" not in only(log)["items"][0]
    assert "facility_id" not in only(log)


def test_see_elsewhere_is_missing_and_kept(tmp_path: Path) -> None:
    """In a number column "See ..." is missing, and what it says is kept as a foreign column."""
    log = MemoryLog()
    feed(log, tmp_path, HEAD + produce(1, quantity="See DN-304 (ID#:10589)"))
    assert "quantity" not in only(log)["items"][0]
    assert only(log)["ext"] == [["quantity", "See DN-304 (ID#:10589)"]]


def test_the_same_file_twice_appends_nothing(tmp_path: Path) -> None:
    """Ingest is idempotent, also when the same instant is written in another way."""
    log = MemoryLog()
    text = HEAD + produce(1) + produce(2)
    assert counts(feed(log, tmp_path, text)) == (2, 2, 0, 0, 2)
    size = log.size
    assert counts(feed(log, tmp_path, text)) == (2, 0, 2, 0, 0)
    assert counts(feed(log, tmp_path, text.replace("T08:00:00Z", " 08:00"))) == (2, 0, 2, 0, 0)
    assert log.size == size


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    """A file with its columns in another order is the same file, foreign columns included."""
    rows = [
        ["event_id", "event_time", "event_type", "product_id", "lot_id", "b", "a"],
        ["E1", "2024-01-01", "produce", "cotton", "L1", "x", "y"],
    ]
    log = MemoryLog()
    for order in ([0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0], [3, 6, 0, 4, 5, 2, 1]):
        text = "\n".join(",".join(row[at] for at in order) for row in rows)
        feed(log, tmp_path, text)
    assert len(log.contents()) == 1


def test_the_case_of_column_names_does_not_matter(tmp_path: Path) -> None:
    """A header in capitals is the native header; messages name the column as it is written."""
    log = MemoryLog()
    rows = produce(1) + produce(2, quantity="x")
    receipt = feed(log, tmp_path, HEAD.upper() + rows)
    assert only(log)["items"][0]["quantity"] == 10
    assert next(iter(receipt.total.reasons)).startswith("QUANTITY: ")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_way_of_writing_leaves_no_trace(
    tmp_path: Path, encoding: str, newline: str, separator: str
) -> None:
    """Encoding, newline and separator change nothing in what is logged."""
    text = HEAD + produce(1, product="Wäsche") + produce(2)
    plain, other = MemoryLog(), MemoryLog()
    feed(plain, tmp_path, text)
    data = text.replace(",", separator).replace("\n", newline).encode(encoding)
    feed(other, tmp_path, data, encoding="windows-1252" if encoding == "cp1252" else None)
    assert other.contents() == plain.contents()


def test_same_id_with_other_content_is_a_conflict(tmp_path: Path) -> None:
    """A known event id with other content is set aside and names the entry that holds it."""
    log = MemoryLog()
    receipt = feed(log, tmp_path, HEAD + produce(1) + produce(1, quantity="11") + produce(1))
    assert counts(receipt) == (3, 1, 1, 1, 1)
    (reason,) = receipt.total.reasons
    assert reason == "event_id: conflict: the log holds this id with other content"
    again = feed(log, tmp_path, HEAD + produce(1, quantity="12"), name="other.csv")
    assert counts(again) == (1, 0, 0, 1, 0)
    text = (tmp_path / "quarantine").glob("other-*").__next__().read_text()
    assert "entry 1" in text


def test_another_party_may_use_the_same_event_id(tmp_path: Path) -> None:
    """Event ids belong to their party."""
    log = MemoryLog()
    feed(log, tmp_path, HEAD + produce(1), party="a")
    assert counts(feed(log, tmp_path, HEAD + produce(1, quantity="3"), party="b"))[1] == 1


@pytest.mark.parametrize("party", ["", "a\nb", "..", "x" * 600])
def test_a_party_that_cannot_be_one(tmp_path: Path, party: str) -> None:
    """The party is part of every key, so it must be one that can be printed."""
    with pytest.raises(UsageError, match="--party"):
        feed(MemoryLog(), tmp_path, HEAD + produce(1), party=party)


def test_ragged_rows_are_kept_whole(tmp_path: Path) -> None:
    """Rows with too few or too many cells are in the quarantine with their original text."""
    text = HEAD + produce(1) + "E2,2024-01-02\n" + produce(3).strip() + ',x,"y"\n'
    receipt = feed(MemoryLog(), tmp_path, text)
    assert counts(receipt) == (3, 1, 0, 2, 1)
    with open(receipt.parts[0].quarantine, encoding="utf-8", newline="") as file:  # noqa: PTH123
        short, long = csv.DictReader(file)
    assert short["quarantine_text"] == "E2,2024-01-02\n"
    assert long["quarantine_text"] == produce(3).strip() + ',x,"y"\n'
    assert long["event_id"] == "E3"
    assert receipt.total.reasons["has 2 cells, the header has 7"] == 1


def test_oddities_are_warned_of(tmp_path: Path) -> None:
    """A pack without container, or inputs of an event that makes nothing, is taken with a word."""
    head = HEAD.strip() + ",input_lots\n"
    rows = produce(1, type="pack").strip() + ",\n" + produce(2, type="ship").strip() + ",L1\n"
    receipt = feed(MemoryLog(), tmp_path, head + rows)
    assert counts(receipt) == (2, 2, 0, 0, 2)
    assert sorted(receipt.total.warnings) == [
        "input_lots on a ship event",
        "pack without container_id: into what is not known",
    ]


def test_no_file_no_trace(tmp_path: Path) -> None:
    """When one of several files cannot be read, nothing of any file is logged."""
    log = MemoryLog()
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(HEAD + produce(1))
    bad.write_bytes((HEAD + produce(2)).encode() + b"\xff\xfe\n")
    with pytest.raises(InputError, match=r"bad\.csv: line 3, byte"):
        feed_paths(log, tmp_path, [good, bad])
    assert log.size == 1
    assert not (tmp_path / "quarantine").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (HEAD, "has a header and no rows"),
        (HEAD + "\n,,,,,,\n", "has a header and no rows"),
        ("evnt_id,event_tme,eventtype\n1,2,3\n", "evnt_id ~ event_id, event_tme ~ event_time"),
        ("a,b,c\n1,2,3\n", "no native column among its 3"),
        ("order_no,product_id,qty,price\n1,2,3,4\n", "unknown header, nearest is"),
        (HEAD.strip() + ",EVENT_ID\n", "stands twice"),
        ('event_id,event_time,event_type,"we\nird"\n', "has a header and no rows"),
        ('evnt_id,"event\ntime"\n1,2\n', "unknown header"),
    ],
)
def test_a_file_that_is_no_event_file(tmp_path: Path, text: str, message: str) -> None:
    """Each is one line with the file's name; an unknown header gets the nearest columns."""
    with pytest.raises(InputError, match=message) as caught:
        feed(MemoryLog(), tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "events.csv"))
    assert "\n" not in str(caught.value)


COLUMNS = [*EVENTS.columns, "colour", "quarantine_reason"]
WORDS = """|x|N/A|1|-1|1e9|1E99|05/06/2023|2024-01-01|99999999999999999999|NA|;|é|0,5|1.234,5|
See DN-1|"|'|=1+1|\u2028|\ufeff|a;b;a|'-5|@x"""
NASTY = st.sampled_from([*WORDS.split("|"), *EVENT_TYPES])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_every_table_is_accounted_for(tmp_path: Path, data: st.DataObject) -> None:
    """Any table ends in accepted + duplicate + quarantined = rows, or in one clear error.

    Ingesting it again appends nothing, and what was quarantined stays the same file.
    """
    optional = data.draw(st.lists(st.sampled_from(COLUMNS), unique=True, max_size=8))
    header = list(dict.fromkeys([*EVENTS.key, *optional]))
    good = {"event_time": "2024-01-01", "event_type": "produce", "product_id": "p"}
    row = st.tuples(
        *(st.just(good[c]) | NASTY if c in good else NASTY | st.text(max_size=3) for c in header)
    )
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([header, *rows])
    text = out.getvalue().encode("utf-8", "surrogatepass")
    log = MemoryLog()
    try:
        first = feed(log, tmp_path, text)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both ends are allowed
        return
    size = log.size
    second = feed(log, tmp_path, text)
    assert second.total.appended == 0
    assert log.size == size
    assert second.total.quarantined == first.total.quarantined
    assert second.parts[0].quarantine == first.parts[0].quarantine


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes_under_a_good_header(tmp_path: Path, data: bytes) -> None:
    """Whatever follows the header, no other exception comes out."""
    try:
        feed(MemoryLog(), tmp_path, HEAD.encode() + data)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both ends are allowed


def test_tiers_of_a_mapping(tmp_path: Path) -> None:
    """A mapping without fields settles tiers of native fields and of foreign columns."""
    mapping = parse_mapping(
        'name = "mine"\n[tiers]\nquantity = "partner"\nevent_time = "partner"\ncolour = "public"',
        "mine.toml",
    )
    log = MemoryLog()
    head = HEAD.strip() + ",size,colour\n"
    feed(log, tmp_path, head + produce(1).strip() + ",XL,blue\n", mapping=mapping)
    assert log.drafts[1] is not None
    assert log.drafts[1].tiers == {
        "/items/*/quantity": Tier.PARTNER,
        "/event_time": Tier.PARTNER,
        "/time_text": Tier.PARTNER,
        "/ext/1": Tier.PUBLIC,
    }


def test_a_killed_ingest_is_completed_by_the_same_command(tmp_path: Path) -> None:
    """After a kill between two appends the same file completes; nothing is lost or doubled."""
    done, rows = 2 * GROUP, 2 * GROUP + 500
    text = HEAD + "".join(produce(1, id=f"E{n}", lot=f"L{n}") for n in range(rows))
    whole, killed = MemoryLog(), MemoryLog(fail_after=2)
    feed(whole, tmp_path, text)
    with pytest.raises(KeyboardInterrupt):
        feed(killed, tmp_path, text)
    assert len(killed.contents()) == done
    killed.fail_after = None
    assert counts(feed(killed, tmp_path, text)) == (rows, rows - done, done, 0, rows - done)
    assert killed.contents() == whole.contents()
    assert not list((tmp_path).glob("quarantine/.*"))
