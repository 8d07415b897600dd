"""Workbooks of several sheets through the commands: a receipt and a view for each sheet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import openpyxl
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

HEADER = ["event_id", "event_time", "event_type", "product_id", "quantity"]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Two months of events on sheets, and a note."""
    found = openpyxl.Workbook()
    found.active.title = "Notes"
    found.active.append(["about"])
    for at, name in enumerate(("Jan", "Feb"), start=1):
        sheet = found.create_sheet(name)
        sheet.append(HEADER)
        sheet.append([f"S-{at}", f"2024-0{at}-01T10:00:00Z", "ship", "yarn", 5])
    found.save(tmp_path / "t.xlsx")
    return tmp_path / "t.xlsx"


def test_sheets_of_one_file_have_a_batch_each(provenance: Command, small: Path, book: Path) -> None:
    """A receipt is had by the sheet's name; the file alone names them where there are several."""
    told = json.loads(provenance("ingest", "--data", small, book, "--json")[1])
    assert [part["file"] for part in told["files"]] == [f"{book}#Jan", f"{book}#Feb"]
    for part in told["files"]:
        again = json.loads(provenance("receipt", "--data", small, part["file"], "--json")[1])
        assert (again["batch"], again["rows"]) == (part["batch"], part["rows"])
        assert again["sheet"] == part["file"].partition("#")[2]
    code, _, err = provenance("receipt", "--data", small, book)
    assert (code != 0, f"name one: {book}#Jan, {book}#Feb" in err) == (True, True)


def test_inspect_shows_each_sheet(provenance: Command, book: Path) -> None:
    """What an ingest would read, sheet by sheet, and on standard error what it would not."""
    code, out, err = provenance("inspect", book)
    assert code == 0
    assert [line for line in out.splitlines() if ": xlsx; sheet " in line] == [
        f"{book}#{name}: xlsx; sheet {name}; day numbers from 1900" for name in ("Jan", "Feb")
    ]
    assert "not read: 'Notes' (1 row)" in err
