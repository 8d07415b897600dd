"""Mappings: a file that is not ours becomes native rows, and nothing of it is lost."""

from __future__ import annotations

import csv
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from ingest_log import MemoryLog, counts, feed, feed_paths

from provenance.entries import Tier
from provenance.errors import InputError
from provenance.ingest.mapping import load_mapping, parse_mapping, shipped_mappings

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.ingest.mapping_form import Mapping
    from provenance.ingest.receipt import Receipt

ERP = """
name = "erp"
missing = ["tbd"]
undated = ["open"]

[fields]
event_id = { template = "{Doc}/{Line}" }
event_type = { value = "ship" }
event_time = "Posted"
product_id = "Material"
quantity = "Qty"
transport_mode = "Via"

[values.transport_mode]
"Truck" = "road"
"""
TEXT = "Doc,Line,Posted,Material,Qty,Via,Note\n"


def erp(more: str = "", text: str = ERP) -> Mapping:
    """The example mapping, with something added."""
    return parse_mapping(text + more, "erp.toml")


def test_columns_constants_templates_and_words(tmp_path: Path) -> None:
    """Fields are filled from columns, constants and templates; foreign columns are kept."""
    log = MemoryLog()
    feed(log, tmp_path, TEXT + "D1,10,2024-01-01,yarn,tbd,Truck,hi\n", mapping=erp())
    (content,) = log.contents()
    assert content["event_id"] == "D1/10"
    assert content["event_type"] == "ship"
    assert content["transport_mode"] == "road"
    assert content["items"] == [{"party": "acme", "product_id": "yarn"}]
    assert content["ext"] == [["Note", "hi"], ["Via", "Truck"], ["Qty", "tbd"]]


def test_a_template_with_an_empty_column_is_missing(tmp_path: Path) -> None:
    """Half an id is no id: the row is set aside, and the message names the column."""
    log = MemoryLog()
    receipt = feed(log, tmp_path, TEXT + ",10,2024-01-01,yarn,1,sea,\n", mapping=erp())
    assert receipt.total.reasons == {"Doc: is missing": 1}


def test_errors_name_the_column_of_the_file(tmp_path: Path) -> None:
    """What a person must correct is named as it stands in the file."""
    log = MemoryLog()
    receipt = feed(log, tmp_path, TEXT + "D1,1,soon,yarn,1,sea,\n", mapping=erp())
    assert next(iter(receipt.total.reasons)).startswith("Posted: is not a time")


EVENTS = """
name = "two"
undated = ["not yet"]
[fields]
product_id = "Material"
[[event]]
name = "out"
extra = ["Note"]
[event.fields]
event_id = { template = "{Doc}/out" }
event_type = { value = "ship" }
event_time = "Shipped"
[[event]]
name = "in"
when = { Kind = ["full"] }
[event.fields]
event_id = { template = "{Doc}/in" }
event_type = { value = "receive" }
event_time = "Received"
"""


def test_a_row_makes_the_events_it_documents(tmp_path: Path) -> None:
    """Each rule makes an event where its conditions hold and its time is there."""
    log = MemoryLog()
    text = (
        "Doc,Material,Shipped,Received,Kind,Note\n"
        "1,yarn,2024-01-01,2024-01-03,full,a\n"
        "2,yarn,2024-01-01,not yet,full,b\n"
        "3,yarn,2024-01-01,2024-01-03,part,c\n"
        "4,yarn,,not yet,full,d\n"
        "5,yarn,2024-01-01,2024-99-03,full,e\n"
    )
    receipt = feed(log, tmp_path, text, mapping=parse_mapping(EVENTS, "two.toml"))
    assert counts(receipt) == (5, 3, 0, 2, 4)
    assert [content["event_id"] for content in log.contents()] == [
        "1/out",
        "1/in",
        "2/out",
        "3/out",
    ]
    assert receipt.total.not_made == {'in: Received is "not yet"': 1}
    assert receipt.total.reasons == {
        "documents no event with a date": 1,
        "Received: is a date that does not exist": 1,
    }
    assert log.contents()[0]["ext"] == [["Note", "a"]]
    assert log.contents()[1]["ext"] == [
        ["Shipped", "2024-01-01"],
        ["Kind", "full"],
        ["Note", "a"],
    ]


def test_a_row_whose_second_event_conflicts(tmp_path: Path) -> None:
    """One conflicting event sets the whole row aside; what was new of it is in the log."""
    log = MemoryLog()
    mapping = parse_mapping(EVENTS, "two.toml")
    head = "Doc,Material,Shipped,Received,Kind,Note\n"
    feed(log, tmp_path, head + "1,yarn,,2024-01-03,full,a\n", mapping=mapping)
    later = head + "1,yarn,2024-01-01,2024-01-04,full,a\n"
    receipt = feed(log, tmp_path, later, mapping=mapping)
    assert counts(receipt) == (1, 0, 0, 1, 1)
    assert counts(feed(log, tmp_path, later, mapping=mapping)) == (1, 0, 0, 1, 0)


def test_rows_that_a_rule_leaves_out_make_no_lots(tmp_path: Path) -> None:
    """A lot is known only from rows of which the making event is made."""
    mapping = parse_mapping(
        'name = "m"\n[fields]\nproduct_id = "P"\nevent_time = "T"\nevent_id = "Doc"\n'
        '[[event]]\nname = "make"\nwhen = { Kind = ["full"] }\n'
        '[event.fields]\nevent_type = { value = "produce" }\nlot_id = "L"\n'
        '[[event]]\nname = "use"\nwhen = { Kind = ["use"] }\n'
        '[event.fields]\nevent_type = { value = "transform" }\ninput_lots = "L"\n',
        "m.toml",
    )
    log = MemoryLog()
    head = "Doc,T,P,L,Kind\n"
    rows = "1,2024-01-01,yarn,A,empty\n2,2024-01-01,yarn,B,full\n"
    rows += "3,2024-01-02,shirt,A,use\n4,2024-01-02,shirt,B,use\n"
    assert counts(feed(log, tmp_path, head + rows, mapping=mapping)) == (4, 3, 0, 1, 3)
    assert [content.get("inputs") for content in log.contents()] == [
        None,
        [{"lot_id": "A"}],
        [{"lot_id": "B", "party": "acme", "product_id": "yarn"}],
    ]


def test_other_kinds_can_be_mapped(tmp_path: Path) -> None:
    """A mapping may fill any native format."""
    mapping = parse_mapping(
        'name = "sites"\nkind = "facilities"\nextra = false\n'
        '[fields]\nfacility_id = "Code"\nname = "Site"\ncountry = "Land"\n'
        '[values.country]\n"Namibia" = "NA"\n[tiers]\nname = "partner"\n',
        "sites.toml",
    )
    log = MemoryLog()
    feed(log, tmp_path, "Code,Site,Land,Note\nF1,Mill,Namibia,x\n", mapping=mapping)
    assert log.contents() == [
        {
            "party": "acme",
            "facility_id": "F1",
            "name": "Mill",
            "country": "NA",
            "ext": [["Land", "Namibia"]],
        }
    ]
    assert log.drafts[1] is not None
    assert log.drafts[1].tiers == {"/name": Tier.PARTNER}


def test_times_of_a_mapping(tmp_path: Path) -> None:
    """Date order, first year and zone of a mapping hold, for native files too."""
    settings = (
        'name = "x"\n[times]\ndate_order = "day-first"\nzone = "Europe/Berlin"\nfirst_year=1950'
    )
    log = MemoryLog()
    text = "event_id,event_time,event_type\n1,05/06/2023 10:00,inspect\n2,05/06/51,inspect\n"
    receipt = feed(log, tmp_path, text, mapping=parse_mapping(settings, "x.toml"))
    assert [content["event_time"] for content in log.contents()] == [
        "2023-06-05T08:00:00Z",
        "1951-06-05T00:00:00Z",
    ]
    assert receipt.parts[0].mapping == "x"


def test_an_encoding_of_a_mapping(tmp_path: Path) -> None:
    """A mapping may say that its files are Windows-1252."""
    mapping = parse_mapping('encoding = "windows-1252"\n' + ERP, "erp.toml")
    log = MemoryLog()
    data = (TEXT + "D1,1,2024-01-01,Wäsche,1,sea,\n").encode("cp1252")
    feed(log, tmp_path, data, mapping=mapping)
    assert log.contents()[0]["items"][0]["product_id"] == "Wäsche"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name", "is not TOML"),
        ("kind = 'events'", "missing required field `name`"),
        ("name = 'a'\nfoo = 1", "unknown field `foo`"),
        ("name = 'a'\nkind = 'sales'", "kind 'sales' is none of"),
        ("name = 'a'\n[fields]\nevent_idd = 'x'", "did you mean event_id"),
        ("name = 'a'\n[fields]\nmonth = 'x'", "a column of another kind of file"),
        ("name = 'a'\n[fields]\nevent_id = 'x'", "event_time, event_type must be filled"),
        ("name = 'a'\n[times]\nzone = 'Mars/Base'", "no time zone 'Mars/Base'"),
        ("name = 'a'\n[times]\nzone = 'Europe'", "no time zone 'Europe'"),
        ("name = 'a'\n[times]\ndate_order = 'ymd'", "date_order"),
        ("name = 'a'\n[times]\nfirst_year = 70", "first_year"),
        ("name = 'a'\nundated = ['x']", "undated has no effect without"),
        ("name = 'a'\n[tiers]\ncarrier = 'secret'", "secret"),
        (ERP + "[tiers]\nlot_id = 'private'", "lot_id identifies entries"),
        (ERP + "[values.colour]\na = 'b'", "no field 'colour'"),
        (ERP.replace('{ value = "ship" }', "{}"), "needs a column, a value or a template"),
        (
            "name = 'a'\nkind = 'labour'\n[[event]]\nname = 'e'\nfields = {}",
            "belongs to kind events",
        ),
    ],
)
def test_a_wrong_mapping(text: str, message: str) -> None:
    """Each mistake is one line that names the mapping and the setting."""
    with pytest.raises(InputError, match=message) as caught:
        parse_mapping(text, "mine.toml")
    assert str(caught.value).startswith("mapping mine.toml: ")
    assert "\n" not in str(caught.value)


def test_a_mapping_that_is_not_there(tmp_path: Path) -> None:
    """A missing mapping is answered with those that are shipped."""
    with pytest.raises(
        InputError, match="shipped mappings: despatch-advice, import-manifest, scms"
    ):
        load_mapping(str(tmp_path / "none.toml"))
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match="cannot be read"):
        load_mapping(str(tmp_path / "bad.toml"))
    (tmp_path / "erp.toml").write_text(ERP)
    assert load_mapping(str(tmp_path / "erp.toml")) == erp()


def test_all_shipped_mappings_are_right() -> None:
    """Every mapping that comes with the program passes its own checks under its own name."""
    assert shipped_mappings() == ["despatch-advice", "import-manifest", "scms"]
    assert [load_mapping(name).name for name in shipped_mappings()] == shipped_mappings()


def test_a_mapping_for_another_file(tmp_path: Path) -> None:
    """A mapping whose columns are not there says which, and what comes nearest."""
    with pytest.raises(InputError, match=r"not there: Posted, Qty; nearest to 'Posted' is 'Postd'"):
        feed(MemoryLog(), tmp_path, "Doc,Line,Postd,Material,Via\n1,2,3,4,5\n", mapping=erp())


def test_a_directory_with_native_and_mapped_files(tmp_path: Path) -> None:
    """In a directory a mapping is used where it fits, the native formats elsewhere."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "erp.csv").write_text(TEXT + "D1,10,2024-01-01,yarn,1,Truck,hi\n")
    (folder / "facilities.csv").write_text("facility_id,name,country\nF1,Mill,IN\n")
    receipt = feed_paths(MemoryLog(), tmp_path, [folder], mapping=erp())
    assert [(part.kind, part.mapping) for part in receipt.parts] == [
        ("facilities", None),
        ("events", "erp"),
    ]


@pytest.fixture(scope="module")
def scms_file(test_data: Path) -> Path:
    """The real delivery history."""
    return test_data / "shipments" / "scms_delivery_history.csv"


@pytest.fixture(scope="module")
def scms(scms_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[MemoryLog, Receipt]:
    """A log that holds the file, and the receipt."""
    log = MemoryLog()
    place = tmp_path_factory.mktemp("scms")
    mapping = load_mapping("scms")
    return log, feed_paths(log, place, [scms_file], party="scms", mapping=mapping)


def scms_rows(path: Path) -> list[dict[str, str]]:
    """The same file through the standard library."""
    text = path.read_text(encoding="utf-8-sig").replace("\r", "\n")
    return list(csv.DictReader(text.splitlines()))


def test_scms_every_row_is_accounted_for(
    scms_file: Path, scms: tuple[MemoryLog, Receipt], tmp_path: Path
) -> None:
    """10,324 rows: a delivery each, an order where one is dated, the rest counted by its text."""
    log, receipt = scms
    rows = scms_rows(scms_file)
    sent = Counter(row["PO Sent to Vendor Date"] for row in rows)
    undated = {text: sent[text] for text in ("N/A - From RDC", "Date Not Captured")}
    orders = len(rows) - sum(undated.values())
    assert counts(receipt) == (10324, 10324, 0, 0, 10324 + orders)
    assert receipt.total.not_made == {
        f'order: PO Sent to Vendor Date is "{text}"': count for text, count in undated.items()
    }
    assert Counter(content["event_type"] for content in log.contents()) == {
        "receive": 10324,
        "order": orders,
    }
    mapping = load_mapping("scms")
    again = feed_paths(log, tmp_path, [scms_file], party="scms", mapping=mapping)
    assert counts(again) == (10324, 0, 10324, 0, 0)


def test_scms_says_what_the_file_says(scms_file: Path, scms: tuple[MemoryLog, Receipt]) -> None:
    """Dates, weights and quantities are those of the file; nothing of a row is lost."""
    log, _ = scms
    events = {content["event_id"]: content for content in log.contents()}
    weighed = 0
    for row in scms_rows(scms_file):
        event: dict[str, Any] = events[f"{row['ID']}/delivery"]
        assert event["time_text"] == row["Delivered to Client Date"]
        assert event["time_precision"] == "day"
        day, _, year = event["time_text"].split("-")
        assert event["event_time"].startswith(f"20{year}-")
        assert event["event_time"][8:10] == f"{int(day):02}"
        item = event["items"][0]
        assert (item["product_id"], item["lot_id"]) == (row["Item Description"], row["ID"])
        assert str(item["quantity"]) == row["Line Item Quantity"]
        weighed += "gross_weight" in event
        if "gross_weight" not in event:
            assert ["Weight (Kilograms)", row["Weight (Kilograms)"]] in event["ext"]
        order = events.get(f"{row['ID']}/order")
        if order is not None:
            month, day, year = row["PO Sent to Vendor Date"].split("/")
            assert order["event_time"][:10] == f"20{year}-{int(month):02}-{int(day):02}"
            assert (order["type"], order["action"]) == ("TransactionEvent", "ADD")
    assert weighed == 10324 - 3952


def test_scms_without_its_mapping(scms_file: Path, tmp_path: Path) -> None:
    """The header is recognised as that of a known export, and the mapping is named."""
    with pytest.raises(InputError, match="use --mapping scms"):
        feed_paths(MemoryLog(), tmp_path, [scms_file])
