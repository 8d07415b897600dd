"""What is wrong with files, through the command: the outcomes that docs/ingest.md states."""

from __future__ import annotations

import gzip
import io
import json
import sys
from typing import TYPE_CHECKING

from provenance.ingest.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Command = Callable[..., "tuple[int, str, str]"]

HEAD = "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity,gtin\n"
ROW = "{id},{time},ship,{site},yarn,L1,{quantity},{gtin}\n"
PLAIN = {"id": "Z1", "time": "2024-03-01", "site": "F", "quantity": "5", "gtin": ""}


def row(**changes: str) -> str:
    """One row, with other cells than usual."""
    return ROW.format(**PLAIN | changes)


WHOLE = {
    "bytes of another encoding": ((HEAD + row(site="Caf\u00e9")).encode("cp1252"), "windows-1252"),
    "a mark that lies": (b"\xef\xbb\xbf" + row(site="\u00e9").encode("cp1252"), "not utf-8"),
    "utf-16 without a mark": ((HEAD + row(site="\u4e00")).encode("utf-16-le"), "utf-16-le"),
    "a NUL character": ((HEAD + row(site="F\0")).encode(), "line 2: a NUL character"),
    "no newline": (HEAD.encode() + b"x" * 1_100_000, "a row of more than 1048576 characters"),
    "an open quote": ((HEAD + '"' + "x," * 90_000).encode(), "is a closing quote missing?"),
    "packed and cut off": (gzip.compress(HEAD.encode())[:-9], "ends too early"),
    "a page called a workbook": (b"<html><table>", "a web page"),
}
ROWS = {
    "a mark in the middle": (HEAD + row() + "\ufeff" + row(id="Z2"), "cannot be seen"),
    "two files in one": (HEAD + row() + "\ufeff" + HEAD + row(id="Z3"), "repeats the header"),
    "a date with two readings": (HEAD + row(time="05/06/2023"), "the day or the month first"),
    "both orders in one file": (
        HEAD + row(time="30/06/2023") + row(id="Z2", time="06/30/2023") + row(time="05/06/2023"),
        "the file proves both (lines 2 and 3)",
    ),
    "a separator or a sign": (HEAD + row(quantity='"1,234"'), "could be a thousands separator"),
    "not a number": (HEAD + row(quantity="NaN"), "is not a number"),
    "a rounded GTIN": (HEAD + row(gtin="4.01235E+12"), "was rounded by a spreadsheet"),
    "a rounded id": (HEAD + row(id="4.01235E+12"), "was rounded by a spreadsheet"),
    "an id with other content": (HEAD + row() + row(quantity="6"), "other content"),
    "a time in the future": (HEAD + row(time="2091-01-01"), "lies in the future"),
    "a time before 1900": (HEAD + row(time="1492-10-12"), "not between 1900 and 2200"),
    "no such day": (HEAD + row(time="2024-02-30"), "a date that does not exist"),
    "an id nobody can see": (HEAD + row(site="F\u200b"), "cannot be seen"),
}
TAKEN = {
    "a decimal comma": (HEAD + row(quantity='"1.234,56"') + row(id="Z2", quantity='"3,5E+02"'), ""),
    "zeros that were lost": (HEAD + row(gtin="12345678905"), "got its leading zeros back"),
    "before its product exists": (HEAD + row(time="2001-01-01"), ""),
    "ids that differ in form": (HEAD + row(site="ME-GIN") + row(id="Z2", site="me-gin"), "case or"),
}


def test_files_that_cannot_be_read(provenance: Command, small: Path, tmp_path: Path) -> None:
    """One line with the place, exit code 1, and nothing logged or set aside."""
    path = tmp_path / "bad.csv"
    for name, (data, said) in WHOLE.items():
        path.write_bytes(data)
        code, out, err = provenance("ingest", "--data", small, path)
        assert (code, out) == (1, ""), name
        assert said in err, name
        assert len(err.strip().splitlines()) == 1, name
        assert not [one for one in (small / "quarantine").rglob("*") if one.is_file()], name


def test_rows_that_are_wrong(provenance: Command, small: Path, tmp_path: Path) -> None:
    """Every row is counted once; those set aside are kept with the reason, none is changed."""
    for number, (name, (text, said)) in enumerate((ROWS | TAKEN).items()):
        path = tmp_path / "odd.csv"
        path.write_text(text.replace("Z", f"Y{number}-"), encoding="utf-8")
        code, out, _ = provenance("ingest", "--data", small, path, "--json")
        told = json.loads(out)
        assert told["accepted"] + told["duplicate"] + told["quarantined"] == told["rows"], name
        found = told["reasons"] if name in ROWS else told["warning_texts"]
        assert any(said in reason for reason in found) or not said, name
        assert bool(told["quarantined"]) == (name in ROWS), name
        assert code == (0 if name in TAKEN else 3 if told["accepted"] else 1), name


def test_an_endless_line_does_not_fill_the_disk(
    provenance: Command, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard input is kept aside only as long as it may be a table; JSON may be one long line."""

    class Endless(io.RawIOBase):
        """Bytes without end."""

        given = 0

        def read(self, size: int = -1) -> bytes:
            """Give more."""
            self.given += size
            assert self.given < 64 << 20, "it was read on and on"
            return b"x" * size

    monkeypatch.setattr(sys, "stdin", type("Input", (), {"buffer": Endless()}))
    code, _, err = provenance("ingest", "--data", small, "-")
    assert (code, "more than 8 MiB without a newline" in err) == (1, True)
    long = b'[{"a": "' + b'"},\t{"a": "'.join([b"x" * 1000] * 9_500) + b'"}]'
    monkeypatch.setattr(sys, "stdin", type("Input", (), {"buffer": io.BytesIO(long)}))
    source = open_source("-")
    assert source.size == len(long)
    source.close()
