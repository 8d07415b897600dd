"""Files for ingest, whatever their format: rows that add up, or one error and nothing logged."""

from __future__ import annotations

import gzip
import io
import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent.parent / "ingest"))

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from ingest_log import MemoryLog, feed_paths

from provenance.errors import InputError
from provenance.ingest.inspecting.inspection import inspect_file
from provenance.ingest.inspecting.trial import Conditions

HEADER = ["event_id", "event_time", "event_type", "product_id", "lot_id", "quantity"]
ROWS = [
    ["E1", "2024-03-01T10:00:00Z", "produce", "yarn", "L1", "5"],
    ["E2", "01/02/2024", "ship", "yarn", "L1", "1.234,5"],
    ["E2", "30/02/2024", "ship", "", "", "-"],
]
FOREIGN = ["Delivery No", "Ship Date", "Material", "Batch", "Qty", "Gross Weight (kg)"]
ODD = [
    ["D1", "2024-03-01", "M-1", "B1", "5", "10,5"],
    ["D2", "14.03.2024", "M-2", "B2", "7", "=1"],
]
NOW = Conditions("self", 1_795_000_000_000_000)


def tables() -> list[bytes]:
    """Separated values with our columns, plain and packed."""
    ours = "\n".join(",".join(line) for line in [HEADER, *ROWS])
    return [ours.encode(), gzip.compress(ours.encode(), mtime=0)]


def foreign_tables() -> list[bytes]:
    """Separated values with the columns of others, below a title."""
    theirs = "Report 2024;;\r\n" + "\r\n".join(";".join(line) for line in [FOREIGN, *ODD])
    return [theirs.encode("utf-8-sig")]


def workbooks() -> list[bytes]:
    """One with a formula, a merged area and a second sheet."""
    book = openpyxl.Workbook()
    for line in [HEADER, *ROWS]:
        book.active.append(line)
    book.active["F3"] = "=1+1"
    book.active.merge_cells("D3:D4")
    book.create_sheet("other").append(["x"])
    out = io.BytesIO()
    book.save(out)
    return [out.getvalue()]


def json_lines() -> list[bytes]:
    """Objects a line, and a list of them."""
    objects: list[dict[str, Any]] = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    objects[1] |= {"to": {"name": "x"}, "tags": ["a"], "lines": [{"a": 1}, {"a": None}]}
    lines = "".join(json.dumps(each) + "\n" for each in objects)
    return [lines.encode(), json.dumps(objects).encode()]


def parquets() -> list[bytes]:
    """Texts and structures."""
    columns: dict[str, Any] = dict(zip(HEADER, zip(*ROWS, strict=True), strict=True))
    columns["s"] = [{"x": 1}, None, {"x": 3}]
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return [out.getvalue()]


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-tables-"))


def ingested(data: bytes) -> Any:
    """Bring bytes in; what is refused has left nothing, and what is taken adds up."""
    path = _folder() / "file"
    path.write_bytes(data)
    log = MemoryLog()
    try:
        receipt = feed_paths(log, _folder(), [path])
    except InputError:
        assert log.contents() == [], "something of a refused file was logged"
        raise
    total = receipt.total
    assert total.appended == len(log.contents()), "entries that no receipt counts"
    return total.rows


def inspected(data: bytes) -> Any:
    """Look at bytes: what an inspection counts adds up too."""
    path = _folder() / "looked-at"
    path.write_bytes(data)
    found = inspect_file(str(path), NOW)
    trial = found.trial
    assert trial.taken + trial.repeated + trial.set_aside == trial.rows or not trial.rows
    return trial.rows
