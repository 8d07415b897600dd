"""Workbooks of several sheets: every one that is a table is read, every other one is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from ingest_log import NOW_US, MemoryLog, counts, feed_paths

from provenance.errors import InputError
from provenance.ingest.inspecting.inspection import inspect_file, suggest_mapping
from provenance.ingest.inspecting.trial import Conditions
from provenance.ingest.mapping import parse_mapping

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ["event_id", "event_time", "event_type", "product_id", "quantity"]
ROW = ["2024-03-01T10:00:00Z", "ship", "yarn", "5"]
SITES = ["facility_id", "name", "country"]
GIVEN = Conditions("acme", NOW_US)


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    """Write a workbook; a sheet whose name begins with "hidden" is."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name.startswith("hidden") else "visible"
        for line in lines:
            sheet.append(line)
    book.save(path)
    return path


def months(path: Path) -> Path:
    """Two months of events, the sites, a note, and an old sheet that is hidden."""
    return workbook(
        path,
        Notes=[["note"], ["x"]],
        Jan=[["Report of January"], HEADER, ["J1", *ROW], ["J2", *ROW]],
        Feb=[HEADER, ["F1", *ROW], ["F2", *ROW[:1], "dance", *ROW[2:]]],
        Sites=[SITES, ["F", "Mill", "IN"]],
        hidden_old=[HEADER, ["H1", *ROW]],
    )


def test_every_sheet_that_is_a_table_is_read(tmp_path: Path) -> None:
    """In the order of their kinds, each with its own counts; the others are named, with rows."""
    path, log = months(tmp_path / "t.xlsx"), MemoryLog()
    receipt = feed_paths(log, tmp_path, [path])
    found = [(part.file, part.kind, part.accepted, part.quarantined) for part in receipt.parts]
    assert found == [
        (f"{path}#Sites", "facilities", 1, 0),
        (f"{path}#Jan", "events", 2, 0),
        (f"{path}#Feb", "events", 1, 1),
    ]
    assert (
        f"{path}: not read: 'Notes' (2 rows), 'hidden_old' (hidden, 2 rows); "
        f"name one to read it: {path}#Notes" in receipt.notices
    )
    assert sorted(c["event_id"] for c in log.contents("event/1")) == ["F1", "J1", "J2"]
    (kept,) = (tmp_path / "quarantine").glob("*.csv")
    assert kept.name.startswith("t-Feb-")
    assert counts(feed_paths(log, tmp_path, [path])) == (5, 0, 4, 1, 0)


def test_one_sheet_by_its_name(tmp_path: Path) -> None:
    """Also a hidden one, in any case; one that is not there is an error that names the others."""
    path = months(tmp_path / "t.xlsx")
    log = MemoryLog()
    assert counts(feed_paths(log, tmp_path, [f"{path}#HIDDEN_OLD"])) == (1, 1, 0, 0, 1)
    assert [c["event_id"] for c in log.contents("event/1")] == ["H1"]
    with pytest.raises(InputError, match="has no sheet 'None'; there are 'Notes', 'Jan'"):
        feed_paths(log, tmp_path, [f"{path}#None"])


def test_a_mapping_reads_all_sheets_that_have_its_columns(tmp_path: Path) -> None:
    """One that is suggested for months on sheets names no sheet, and says which it leaves out."""
    head = ["Delivery No", "Material", "Ship Date", "Qty"]
    path = workbook(
        tmp_path / "t.xlsx",
        Readme=[["about"], ["nothing"]],
        May=[head, ["D1", "M", "2024-05-01", 1], ["D2", "M", "2024-05-02", 2]],
        June=[head, ["D3", "M", "2024-06-01", 3]],
    )
    found = suggest_mapping(str(path), GIVEN)
    assert "read in the same way: 'June' (2 rows); not read: 'Readme' (2 rows)" in found.text
    log = MemoryLog()
    mapping = parse_mapping(found.text, "m")
    assert mapping.sheet == ""
    assert counts(feed_paths(log, tmp_path, [path], mapping=mapping)) == (3, 3, 0, 0, 3)
    assert inspect_file(str(path), GIVEN).trial.rows == 2
