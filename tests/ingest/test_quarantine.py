"""Quarantine: rejected rows are kept, can be corrected and come back in."""

from __future__ import annotations

import csv
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_log import MemoryLog, counts, feed, feed_paths

from provenance.errors import StorageError
from provenance.ingest.quarantine import unguarded
from provenance.spreadsheet import guarded

HEAD = "event_id,event_time,event_type,product_id,quantity,note\n"


def rows_of(path: str | None) -> list[dict[str, str]]:
    """A quarantine file's rows."""
    assert path is not None
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_corrected_and_ingested_again(tmp_path: Path) -> None:
    """A corrected quarantine file is ingested like any file; its own columns are no data."""
    log = MemoryLog()
    text = HEAD + "1,2024-01-01,produce,p,5,a\n2,2024-01-02,produce,p,-5,b\n"
    receipt = feed(log, tmp_path, text)
    path = Path(receipt.parts[0].quarantine or "")
    path.write_text(path.read_text().replace("'-5", "5", 1))
    again = feed_paths(log, tmp_path, [path])
    assert counts(again) == (1, 1, 0, 0, 1)
    second = log.contents()[1]
    assert second["items"][0]["quantity"] == 5
    assert second["ext"] == [["note", "b"]]
    whole = feed(MemoryLog(), tmp_path, text.replace("-5", "5"), name="right.csv")
    assert counts(whole) == (2, 2, 0, 0, 2)
    assert counts(feed(log, tmp_path, text.replace("-5", "5"))) == (2, 0, 2, 0, 0)


def test_a_date_keeps_the_order_that_its_file_decided(tmp_path: Path) -> None:
    """An ambiguous date is read the same way alone in the quarantine file as in its own file."""
    log = MemoryLog()
    text = HEAD + "1,30/06/2023,produce,p,5,\n2,05/06/2023,produce,p,x,\n"
    receipt = feed(log, tmp_path, text)
    path = Path(receipt.parts[0].quarantine or "")
    (row,) = rows_of(str(path))
    assert row["quarantine_date_order"] == "day-first"
    path.write_text(path.read_text().replace(",x,", ",6,", 1))
    feed_paths(log, tmp_path, [path])
    assert log.contents()[1]["event_time"] == "2023-06-05T00:00:00Z"


def test_the_same_file_twice_is_one_quarantine_file(tmp_path: Path) -> None:
    """Neither a second ingest nor another place of the same file doubles the quarantine."""
    text = HEAD + "1,x,produce,p,5,\n"
    first = feed(MemoryLog(), tmp_path, text)
    second = feed(MemoryLog(), tmp_path, text)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "events.csv").write_text(text)
    third = feed_paths(MemoryLog(), tmp_path, [folder / "events.csv"])
    paths = {receipt.parts[0].quarantine for receipt in (first, second, third)}
    assert len(paths) == 1
    assert len(list((tmp_path / "quarantine").glob("*.csv"))) == 1


def test_an_edited_quarantine_file_is_never_overwritten(tmp_path: Path) -> None:
    """What a person has begun to correct stays; rows that are no longer in it are beside it."""
    text = HEAD + "1,x,produce,p,5,\n2,y,produce,p,5,\n"
    first = Path(feed(MemoryLog(), tmp_path, text).parts[0].quarantine or "")
    edited = first.read_text().replace("1,x", "1,2024-01-01")
    first.write_text(edited)
    second = Path(feed(MemoryLog(), tmp_path, text).parts[0].quarantine or "")
    assert (first.read_text(), second) == (edited, first)
    head, one, _two = edited.splitlines(keepends=True)
    first.write_text(head + one)
    third = Path(feed(MemoryLog(), tmp_path, text).parts[0].quarantine or "")
    assert (first.read_text(), third.name) == (head + one, f"{first.stem}-2.csv")
    assert [row.split(",")[0] for row in third.read_text().splitlines()[1:]] == ["2"]


def test_no_rejected_rows_no_file(tmp_path: Path) -> None:
    """A clean file leaves no quarantine, not even the directory."""
    receipt = feed(MemoryLog(), tmp_path, HEAD + "1,2024-01-01,produce,p,5,\n")
    assert receipt.parts[0].quarantine is None
    assert not (tmp_path / "quarantine").exists()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """Rejected rows may hold private fields: mode 0600 in a directory of mode 0700."""
    before = os.umask(0)
    try:
        receipt = feed(MemoryLog(), tmp_path, HEAD + "1,x,produce,p,5,\n")
    finally:
        os.umask(before)
    path = Path(receipt.parts[0].quarantine or "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_kill_leaves_no_half_file(tmp_path: Path) -> None:
    """The file appears whole, at the end; an ingest that dies leaves nothing in its place."""
    text = HEAD + "0,x,produce,p,5,\n"
    text += "".join(f"{n},2024-01-01,produce,p,5,\n" for n in range(1, 1500))
    with pytest.raises(KeyboardInterrupt):
        feed(MemoryLog(fail_after=0), tmp_path, text)
    assert list((tmp_path / "quarantine").iterdir()) == []


def test_a_quarantine_that_cannot_be_written(tmp_path: Path) -> None:
    """A file in the place of the directory is one clear error."""
    (tmp_path / "quarantine").write_text("in the way")
    with pytest.raises(StorageError, match="the quarantine cannot be written"):
        feed(MemoryLog(), tmp_path, HEAD + "1,x,produce,p,5,\n")


@given(st.lists(st.text(max_size=8) | st.sampled_from(["=1+1", "'=1", "''@x", "-5", "'", "+"])))
def test_guarding_against_formulas_is_undone_on_reading(cells: list[str]) -> None:
    """No guarded cell begins like a formula, and reading gives back every cell as it was."""
    safe = [guarded(cell) for cell in cells]
    assert not any(
        cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d")) for cell in safe
    )
    assert unguarded(safe) == cells


def test_formulas_survive_the_round_trip(tmp_path: Path) -> None:
    """A cell that a spreadsheet would run is harmless in the file and the same when read again."""
    log = MemoryLog()
    text = HEAD + "1,x,produce,p,5,=cmd()\n2,x,produce,p,5,'+1\n"
    path = Path(feed(log, tmp_path, text).parts[0].quarantine or "")
    assert "'=cmd()" in path.read_text()
    path.write_text(path.read_text().replace(",x,", ",2024-01-01,"))
    feed_paths(log, tmp_path, [path])
    assert [content["ext"] for content in log.contents()] == [
        [["note", "=cmd()"]],
        [["note", "'+1"]],
    ]


def test_strange_names_make_safe_file_names(tmp_path: Path) -> None:
    """The quarantine file is named after the source, without what a shell would trip over."""
    receipt = feed(MemoryLog(), tmp_path, HEAD + "1,x,produce,p,5,\n", name="a b;$(c)é.csv")
    assert Path(receipt.parts[0].quarantine or "").name.startswith("a_b_c-")
