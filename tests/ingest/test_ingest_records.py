"""Master data, reference data, labour and timesheets: versions, corrections, groups."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from ingest_log import MemoryLog, counts, feed, feed_paths

from provenance.disclosure.privacy import b64
from provenance.entries import Draft, EntryType, Identity
from provenance.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.entries import Outcome

NATIVE = {
    "locations.csv": "locode,name,latitude\nDEHAM,Hamburg,53.5\n",
    "legal_limits.csv": "country,currency,effective_from,min_age\nNA,NAD,2020-01-01,15\n",
    "watchlist.csv": "list_name,kind,value,goods,note\nUFLPA,region,CN-XJ,,x\n"
    "DOL,goods_country,cotton|UZ,,y\n",
    "products.csv": "product_id,hs_code,unit,stage,serialised,gtin\nshirt,0610,unit,3,yes,\n",
    "facilities.csv": "facility_id,name,tier,country,product_ids\nF1,Mill,2,IN,yarn; cloth\n",
    "labour.csv": "facility_id,month,headcount,currency,migrant_share\nF1,2024-01,120,INR,0.25\n",
    "timesheets.csv": "facility_id,month,worker_id,week,hours,gross_pay\nF1,2024-01,W1,1,60,100\n",
    "events.csv": "event_id,event_time,event_type,facility_id\nE1,2024-01-01,inspect,F1\n",
}


def test_all_eight_kinds_in_dependency_order(tmp_path: Path) -> None:
    """A directory's files are recognised by their headers and taken in dependency order."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, text in NATIVE.items():
        (folder / f"{name[3]}_{name}").write_text(text)
    log = MemoryLog()
    receipt = feed_paths(log, tmp_path, [folder])
    assert counts(receipt) == (9, 9, 0, 0, 9)
    order = "locations legal_limits watchlist products facilities events labour timesheets"
    assert [part.kind for part in receipt.parts] == order.split()
    facility = log.contents("facility/1")[0]
    assert facility == {
        "party": "acme",
        "facility_id": "F1",
        "name": "Mill",
        "tier": 2,
        "country": "IN",
        "product_ids": ["yarn", "cloth"],
    }
    assert log.contents("product/1")[0]["serialised"] is True
    assert log.contents("product/1")[0]["hs_code"] == "0610"
    assert log.contents("legal_limit/1")[0]["country"] == "NA"
    assert log.contents("labour/1")[0]["migrant_share"] == {"_d": "0.25"}
    assert ("watchlist", "DOL", "goods_country", "cotton|UZ", "") in log.rows
    again = feed_paths(log, tmp_path, [folder])
    assert counts(again) == (9, 0, 9, 0, 0)


def test_other_files_of_a_directory_are_passed_over(tmp_path: Path) -> None:
    """Files of no known kind are named in a notice; an empty table too; unless nothing is left."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "README.md").write_text("# hello")
    (folder / "labels.csv").write_text("subject_id,type,note\nE1,x,y\n")
    (folder / "watchlist.csv").write_text("list_name,kind,value\n")
    (folder / ".hidden.csv").write_text(NATIVE["events.csv"])
    with pytest.raises(InputError, match="no rows to ingest"):
        feed_paths(MemoryLog(), tmp_path, [folder])
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="holds no table with a known header"):
        feed_paths(MemoryLog(), tmp_path, [empty])
    (folder / "events.csv").write_text(NATIVE["events.csv"])
    receipt = feed_paths(MemoryLog(), tmp_path, [folder])
    assert counts(receipt) == (1, 1, 0, 0, 1)
    assert [notice.split("/")[-1].split(":")[0] for notice in receipt.notices] == [
        ".hidden.csv",
        "README.md",
        "labels.csv",
        "watchlist.csv",
    ]


def test_a_broken_table_of_a_directory_is_an_error(tmp_path: Path) -> None:
    """A table that should be read and cannot be is not passed over in silence."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "events.csv").write_text(NATIVE["events.csv"])
    (folder / "products.csv").write_bytes(NATIVE["products.csv"].encode() + b"\xff")
    log = MemoryLog()
    with pytest.raises(InputError, match=r"products\.csv: line 3"):
        feed_paths(log, tmp_path, [folder])
    assert log.size == 1


@pytest.mark.parametrize(
    ("kind", "column", "text", "reason"),
    [
        ("facilities", "tier", "1.5", "whole number"),
        ("facilities", "country", "India", "ISO 3166-1"),
        ("products", "serialised", "maybe", "neither true nor false"),
        ("products", "gtin", "9506000134351", "wrong check digit"),
        ("labour", "month", "Jan-24", "YYYY-MM"),
        ("labour", "month", "2024-13", "does not exist|exists"),
        ("labour", "currency", "RUPEE", "ISO 4217"),
        ("labour", "migrant_share", "1.01", "between 0 and 1"),
        ("labour", "migrant_share", "25%", "percentage"),
        ("timesheets", "week", "9", "no week of a month"),
        ("timesheets", "hours", "169", "between 0 and 168"),
        ("timesheets", "gross_pay", "-1", "negative"),
        ("legal_limits", "effective_from", "31/31/2020", "does not exist"),
        ("watchlist", "kind", "place", "is not one of region"),
        ("locations", "latitude", "91", "between -90 and 90"),
    ],
)
def test_cells_of_other_kinds(
    tmp_path: Path, kind: str, column: str, text: str, reason: str
) -> None:
    """Each kind's cells are checked like those of events."""
    head, first, *_ = NATIVE[f"{kind}.csv"].splitlines()
    cells = first.split(",")
    cells[head.split(",").index(column)] = text
    receipt = feed(MemoryLog(), tmp_path, f"{head}\n{','.join(cells)}\n")
    assert counts(receipt) == (1, 0, 0, 1, 0)
    (counted,) = receipt.total.reasons
    assert counted.startswith(f"{column}: ")
    assert any(part in counted for part in reason.split("|"))


@pytest.mark.parametrize(
    "month", ["2024-01", "2024/01", "202401", "01/2024", "1/2024", "2024-01-01"]
)
def test_ways_to_write_a_month(tmp_path: Path, month: str) -> None:
    """A month is YYYY-MM, in whatever clear form it is written."""
    log = MemoryLog()
    feed(log, tmp_path, f"facility_id,month,headcount\nF1,{month},3\n")
    assert log.contents("labour/1")[0]["month"] == "2024-01"


def test_changed_master_data_is_a_new_version(tmp_path: Path) -> None:
    """The same product again with other content is a version; back to the first is another."""
    log = MemoryLog()
    text = NATIVE["products.csv"]
    feed(log, tmp_path, text)
    assert counts(feed(log, tmp_path, text.replace(",3,", ",4,"))) == (1, 1, 0, 0, 1)
    assert counts(feed(log, tmp_path, text)) == (1, 1, 0, 0, 1)
    assert [content["stage"] for content in log.contents("product/1")] == [3, 4, 3]


def test_two_versions_in_one_delivery_contradict_each_other(tmp_path: Path) -> None:
    """A key that comes twice with other content in one ingest is set aside, also from files."""
    log = MemoryLog()
    text = NATIVE["products.csv"]
    row = text.splitlines()[1]
    other = tmp_path / "other.csv"
    other.write_text(text.replace(",3,", ",5,"))
    first = tmp_path / "first.csv"
    first.write_text(f"{text}{row}\n{row.replace(',3,', ',4,')}\n")
    for _ in range(2):
        receipt = feed_paths(log, tmp_path, [first, other])
        assert receipt.total.quarantined == 2
        assert [content["stage"] for content in log.contents("product/1")] == [3]
    assert "product_id: conflict: an earlier row has this key with other content" in (
        receipt.total.reasons
    )


def test_a_changed_labour_month_is_a_correction(tmp_path: Path) -> None:
    """Both stay; the correction names the entry that it corrects."""
    log = MemoryLog()
    text = NATIVE["labour.csv"]
    feed(log, tmp_path, text)
    changed = text.replace("120", "150")
    receipt = feed(log, tmp_path, changed)
    assert counts(receipt) == (1, 1, 0, 0, 1)
    assert receipt.total.corrected == 1
    draft = log.drafts[3]
    assert draft is not None
    assert (draft.type, draft.version) == (EntryType.CORRECTION, "labour/1")
    assert draft.content["headcount"] == 150
    assert draft.content["corrects"] == {
        "origin": log.origin,
        "index": 1,
        "leaf_hash": b64(log.entry(1).leaf_hash),
    }
    assert counts(feed(log, tmp_path, changed)) == (1, 0, 1, 0, 0)


def sheet(rows: list[tuple[str, str, str, int, str]]) -> str:
    """A timesheet file."""
    lines = [f"{f},{m},{w},{k},{h},5" for f, m, w, k, h in rows]
    return "facility_id,month,worker_id,week,hours,gross_pay\n" + "\n".join(lines) + "\n"


def sheets(log: MemoryLog) -> list[dict[str, Any]]:
    """The timesheet contents."""
    return log.contents("timesheet/1")


def test_timesheets_are_grouped_whatever_the_order(tmp_path: Path) -> None:
    """One entry per facility and month, all weeks of a worker together, workers in random order."""
    rows = [
        (site, month, f"W{worker:03}", week, "40")
        for site in ("F1", "F2")
        for month in ("2024-01", "2024-02")
        for worker in range(20)
        for week in (1, 2)
    ]
    expected: dict[tuple[str, str, str], list[int]] = {}
    for site, month, worker, week, _ in rows:
        expected.setdefault((site, month, worker), []).append(week)
    random.Random(7).shuffle(rows)
    log = MemoryLog()
    receipt = feed(log, tmp_path, sheet(rows))
    assert counts(receipt) == (160, 160, 0, 0, 4)
    found = {
        (content["facility_id"], content["month"], worker["worker_id"]): [
            week["week"] for week in worker["weeks"]
        ]
        for content in sheets(log)
        for worker in content["workers"]
    }
    assert found == expected
    order = [worker["worker_id"] for worker in sheets(log)[0]["workers"]]
    assert order != sorted(order)
    random.Random(8).shuffle(rows)
    assert counts(feed(log, tmp_path, sheet(rows))) == (160, 0, 160, 0, 0)


def test_at_most_500_workers_in_an_entry(tmp_path: Path) -> None:
    """A large site's month is spread over several entries; no worker is split."""
    rows = [("F1", "2024-01", f"W{n}", week, "1") for n in range(1201) for week in (1, 2)]
    log = MemoryLog()
    feed(log, tmp_path, sheet(rows))
    sizes = [len(content["workers"]) for content in sheets(log)]
    assert sizes == [500, 500, 201]
    assert all(len(w["weeks"]) == 2 for content in sheets(log) for w in content["workers"])


def test_later_weeks_and_changed_rows(tmp_path: Path) -> None:
    """Known rows drop, later weeks are a further entry, changed ones a correction per entry."""
    log = MemoryLog()
    first = [("F1", "2024-01", w, 1, "40") for w in ("A", "B")]
    feed(log, tmp_path, sheet(first))
    second = [("F1", "2024-01", "A", 1, "41"), ("F1", "2024-01", "B", 1, "40")]
    second += [("F1", "2024-01", w, 2, "42") for w in ("A", "B")]
    receipt = feed(log, tmp_path, sheet(second))
    assert counts(receipt) == (4, 3, 1, 0, 2)
    assert receipt.total.corrected == 1
    _, later, corrected = sheets(log)
    assert {w["worker_id"] for w in later["workers"]} == {"A", "B"}
    assert corrected["workers"] == [
        {"worker_id": "A", "weeks": [{"week": 1, "hours": 41, "gross_pay": 5}]}
    ]
    assert corrected["corrects"]["index"] == 1
    assert counts(feed(log, tmp_path, sheet(second))) == (4, 0, 4, 0, 0)


def test_repeated_and_contradicting_timesheet_rows(tmp_path: Path) -> None:
    """A repeated row is a duplicate, a contradicting one is set aside with the earlier line."""
    rows = [("F1", "2024-01", "A", 1, h) for h in ("40", "40", "41")]
    receipt = feed(MemoryLog(), tmp_path, sheet(rows))
    assert counts(receipt) == (3, 1, 1, 1, 1)
    text = (tmp_path / "quarantine").glob("*.csv").__next__().read_text()
    assert "line 2" in text


def test_foreign_columns_of_a_timesheet_stay_with_the_worker(tmp_path: Path) -> None:
    """What else a row says about a worker is inside the worker's one field."""
    log = MemoryLog()
    text = "facility_id,month,worker_id,week,hours,dorm\nF1,2024-01,A,1,40,7b\n"
    feed(log, tmp_path, text)
    assert sheets(log)[0]["workers"] == [
        {"worker_id": "A", "weeks": [{"week": 1, "hours": 40, "ext": [["dorm", "7b"]]}]}
    ]


class _Contested(MemoryLog):
    """Another writer appends one of the rows between look-up and append."""

    def append(self, drafts: Any) -> list[Outcome]:
        if self.appends == 0:
            self.appends += 1
            key = ("timesheet", "F1", "2024-01", "A", "1")
            content = {"party": "acme", "hours": 40, "gross_pay": 5}
            self._one(Draft(EntryType.LABOUR, "timesheet/1", {}, (Identity(key, content),)))
        return super().append(drafts)


def test_another_writer_in_between(tmp_path: Path) -> None:
    """A group that became partly known meanwhile is drafted again without the known rows."""
    log = _Contested()
    rows = [("F1", "2024-01", w, 1, "40") for w in ("A", "B")]
    assert counts(feed(log, tmp_path, sheet(rows))) == (2, 1, 1, 0, 1)
    assert [w["worker_id"] for c in sheets(log) if c for w in c["workers"]] == ["B"]
