"""Workbooks, JSON Lines, Parquet: the same rows as from separated values, or a stated outcome."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_log import MemoryLog, counts, feed, feed_paths

from provenance.errors import InputError
from provenance.ingest.formats.opening import open_any
from provenance.ingest.formats.texts import float_text
from provenance.ingest.limits import Limits
from provenance.ingest.mapping import parse_mapping
from provenance.ingest.sources import open_source
from provenance.ingest.table import TableSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provenance.ingest.sources import Source
    from provenance.ingest.table import Row, Table

KNOWN = frozenset({"event_id", "event_time", "event_type", "product_id", "quantity"})
HEADER = ["event_id", "event_time", "event_type", "product_id", "quantity"]
ROW = ["E1", "2024-03-01T10:00:00Z", "ship", "yarn", "5"]


OPENED: list[Source] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Every source that a test opened is closed after it."""
    yield
    while OPENED:
        OPENED.pop().close()


def table(path: Path, limits: Limits | None = None, **settings: Any) -> Table:
    """Open a file of whatever format."""
    source = open_source(str(path), limits or Limits())
    OPENED.append(source)
    return open_any(source, KNOWN, TableSettings(**settings))


def rows(path: Path, **settings: Any) -> list[Row]:
    """All its rows."""
    return list(table(path, **settings).rows())


def workbook(path: Path, *lines: list[Any], name: str = "Data") -> openpyxl.Workbook:
    """Write a workbook of one sheet."""
    book = openpyxl.Workbook()
    book.active.title = name
    for line in lines:
        book.active.append(line)
    book.save(path)
    return book


def rewritten(path: Path, member: str, change: Callable[[str], str]) -> None:
    """Change one member of a ZIP."""
    before = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, change(data.decode()).encode() if name == member else data)


SHEET = "xl/worksheets/sheet1.xml"


def as_csv(path: Path, lines: list[list[str]]) -> None:
    """Write separated values."""
    path.write_text("\n".join(",".join(line) for line in lines))


def as_xlsx(path: Path, lines: list[list[str]]) -> None:
    """Write a workbook of texts."""
    workbook(path, *lines)


def as_jsonl(path: Path, lines: list[list[str]]) -> None:
    """Write an object a line."""
    path.write_text(
        "".join(json.dumps(dict(zip(lines[0], r, strict=True))) + "\n" for r in lines[1:])
    )


def as_list(path: Path, lines: list[list[str]]) -> None:
    """Write a list of objects."""
    path.write_text(json.dumps([dict(zip(lines[0], r, strict=True)) for r in lines[1:]], indent=1))


def as_parquet(path: Path, lines: list[list[str]]) -> None:
    """Write columns of texts."""
    columns = list(zip(*lines[1:], strict=True))
    pq.write_table(pa.table(dict(zip(lines[0], columns, strict=True))), path)


@pytest.mark.parametrize("write", [as_csv, as_xlsx, as_jsonl, as_list, as_parquet])
def test_one_table_in_all_formats_is_one_receipt(
    tmp_path: Path, write: Callable[[Path, list[list[str]]], None]
) -> None:
    """The format is told by the content, not by the name, and leaves no trace in the entries."""
    lines = [HEADER, ROW, ["E2", *ROW[1:4], "soon"], ["E3", *ROW[1:]]]
    write(tmp_path / "file", lines)
    log = MemoryLog()
    receipt = feed_paths(log, tmp_path, [tmp_path / "file"])
    assert counts(receipt) == (3, 2, 0, 1, 2)
    assert [content["event_id"] for content in log.contents()] == ["E1", "E3"]
    kept = next((tmp_path / "quarantine").glob("*.csv"))
    assert "E2" in kept.read_text()
    kept.write_text(kept.read_text().replace("soon", "7"))
    assert counts(feed_paths(log, tmp_path, [kept])) == (1, 1, 0, 0, 1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.from_regex(r"[a-zäß 0-9]{1,8}", fullmatch=True), min_size=5, max_size=5),
        min_size=1,
        max_size=4,
    )
)
def test_texts_come_back_from_every_format(tmp_path: Path, cells: list[list[str]]) -> None:
    """What was written as text is read as the same text."""
    for write in (as_csv, as_xlsx, as_jsonl, as_list, as_parquet):
        write(tmp_path / "file", [HEADER, *cells])
        assert [row.cells for row in rows(tmp_path / "file")] == cells, write.__name__


def test_typed_cells_of_a_workbook(tmp_path: Path) -> None:
    """Numbers without rounding noise, dates as ISO, truth values; long numbers are not ids."""
    path = tmp_path / "t.xlsx"
    at = datetime(2024, 3, 1, 10, 30)  # noqa: DTZ001 - workbooks know no offsets
    workbook(path, ["a", "b", "c", "d", "e"], [7, 0.1 + 0.2, at, True, 12345678901234567890])
    (row,) = rows(path)
    assert row.cells == ["7", "0.3", "2024-03-01 10:30:00", "true", "1.23456789012346E+19"]


@given(st.integers(-(10**14), 10**14))
def test_whole_numbers_keep_all_digits(number: int) -> None:
    """Up to fifteen digits nothing is lost."""
    assert float_text(float(number)) == str(number)


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=4, allow_nan=False))
def test_decimal_numbers_are_written_out(number: Decimal) -> None:
    """A float that stands for a short decimal is written as that decimal."""
    assert Decimal(float_text(float(number))) == number
    assert Decimal(float_text(float(number), ",").replace(",", ".")) == number


def test_titles_above_the_header_are_told(tmp_path: Path) -> None:
    """The header is the first full row of names; what is above it is told in a notice."""
    path = tmp_path / "t.xlsx"
    workbook(
        path, ["Despatch 2024"], ["printed", "2024-11-01"], [], ["Doc", "When", "Qty"], [1, 2, 3]
    )
    found = table(path)
    assert (found.header, found.header_line) == (("Doc", "When", "Qty"), 4)
    assert found.notes == (
        "the header is on line 4; above it, and not read: Despatch 2024; printed 2024-11-01",
    )
    lines = b"Report;;\n01.05.2024;;\n\nDoc;When;Qty\n1;2;3\n"
    (tmp_path / "t.csv").write_bytes(lines)
    assert table(tmp_path / "t.csv").header_line == 4
    assert [row.line for row in rows(tmp_path / "t.csv")] == [5]
    assert table(tmp_path / "t.csv", header=2).header == ("01.05.2024", "column 2", "column 3")


def test_a_column_name_that_stands_twice(tmp_path: Path) -> None:
    """The second one gets a number; of a native name it would be guessing, so that is an error."""
    (tmp_path / "t.csv").write_text("Doc,Qty,Qty\n1,2,3\n")
    found = table(tmp_path / "t.csv")
    assert found.header == ("Doc", "Qty", "Qty (2)")
    assert "second 'Qty'" in found.notes[0]
    (tmp_path / "t.csv").write_text("Doc,quantity,Quantity\n1,2,3\n")
    with pytest.raises(InputError, match="stands twice"):
        table(tmp_path / "t.csv")


def test_files_put_one_behind_the_other(tmp_path: Path) -> None:
    """The second header, with its byte order mark, is set aside with a reason."""
    part = "\ufeff" + ",".join(HEADER) + "\n" + ",".join(ROW) + "\n"
    receipt = feed(MemoryLog(), tmp_path, part + part)
    assert receipt.total.reasons == {"repeats the header; were files put together?": 1}
    assert counts(receipt) == (3, 1, 1, 1, 1)


def test_formulas_count_by_their_stored_value(tmp_path: Path) -> None:
    """A stored result is the value; without one the row is set aside, never taken as empty."""
    path = tmp_path / "t.xlsx"
    workbook(path, HEADER, [*ROW[:4], "=2+3"], ["E2", *ROW[1:4], 6])
    first, second = rows(path)
    assert "column E is a formula without a stored result" in first.problem
    assert second.cells[4] == "6"
    rewritten(
        path, SHEET, lambda text: re.sub(r"(<f>2\+3</f>)<v\s*/?>(</v>)?", r"\1<v>5</v>", text)
    )
    assert [row.cells[4] for row in rows(path)] == ["5", "6"]


def test_errors_in_cells_are_no_empty_cells(tmp_path: Path) -> None:
    """#N/A stays #N/A: no id, no number, no missing value."""
    path = tmp_path / "t.xlsx"
    workbook(path, HEADER, ["#N/A", *ROW[1:]], ["E2", *ROW[1:4], "#DIV/0!"])
    assert [row.cells[0] for row in rows(path)] == ["#N/A", "E2"]
    receipt = feed_paths(MemoryLog(), tmp_path, [path])
    assert receipt.total.reasons == {
        "event_id: is an error of a spreadsheet": 1,
        "quantity: is not a number; leave the cell empty where it is missing": 1,
    }


def test_merged_areas(tmp_path: Path) -> None:
    """Rows below a merged cell are set aside, or get its text where a mapping says so."""
    path = tmp_path / "t.xlsx"
    book = workbook(
        path, HEADER, ["E1", "2024-03-01", "ship", "yarn", 5], ["E2", None, "ship", "yarn", 6]
    )
    book.active.merge_cells("B2:B3")
    book.save(path)
    assert [row.problem[:37] for row in rows(path)] == ["", "column B is merged with rows above; u"]
    assert [row.cells[1] for row in rows(path, merged="fill")] == ["2024-03-01", "2024-03-01"]


def test_day_numbers_only_where_a_mapping_says_so(tmp_path: Path) -> None:
    """45352 is 1 March 2024 for who counts from 1900, and four years later from 1904."""
    lines = ",".join(HEADER) + "\nE1,45352,ship,yarn,5\nE2,45352.4375,ship,yarn,5\n"
    receipt = feed(MemoryLog(), tmp_path, lines)
    assert receipt.total.reasons == {
        "event_time: is a spreadsheet's day number; set times.serial in a mapping": 2
    }
    for serial, year in (("1900", "2024-03-01"), ("1904", "2028-03-02")):
        log = MemoryLog()
        mapping = parse_mapping(f'name = "m"\n[times]\nserial = "{serial}"\n', "m")
        found = feed(log, tmp_path, lines, mapping=mapping)
        if serial == "1904":
            assert found.total.reasons == {"event_time: lies in the future": 2}
            continue
        assert [content["event_time"] for content in log.contents()] == [
            f"{year}T00:00:00Z",
            f"{year}T10:30:00Z",
        ]


def test_nested_json(tmp_path: Path) -> None:
    """Objects are flattened, lists joined; a list of objects is text, or rows where one says so."""
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"id": 1.10, "to": {"name": "x"}, "tags": ["a", "b"], '
        '"lines": [{"sku": "p"}, {"sku": "q"}]}\n'
        '\n{"id": 2, "ok": true, "none": null}\n'
    )
    found = table(path)
    assert found.header == ("id", "to.name", "tags", "lines", "ok", "none")
    assert [row.cells for row in found.rows()] == [
        ["1.10", "x", "a;b", '[{"sku":"p"},{"sku":"q"}]', "", ""],
        ["2", "", "", "", "true", ""],
    ]
    assert 'rows = "lines"' in found.notes[0]
    found = table(path, rows="lines")
    at = found.header.index("lines.sku")
    assert [row.cells[at] for row in found.rows()] == ["p", "q", ""]
    assert len({row.line for row in rows(path, rows="lines")}) == 3


def test_json_lines_may_be_blank_but_not_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first object, between objects and behind them; each keeps its line."""
    monkeypatch.setattr("provenance.ingest.table.MAX_BLANK", 10)
    path, blank = tmp_path / "t.jsonl", " \r\n" * 9
    path.write_text(f'{blank}{{"a": 1}}\n{blank}{{"a": 2}}\n{blank}', newline="")
    assert [(row.line, row.cells) for row in rows(path)] == [(10, ["1"]), (20, ["2"])]
    for text in (blank * 2, f'{{"a": 1}}\n{blank * 2}'):
        path.write_text(text, newline="")
        with pytest.raises(InputError, match=r"more than 10 blank lines from line [12] on"):
            rows(path)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"id": 1, "id": 2}', "names 'id' twice"),
        ('{"id": }', "is not JSON"),
        ("[1]", "is no JSON object"),
        ('{"id": "\\ud800"}', "half a surrogate pair"),
        ('{"id\\udfff": "1"}', "half a surrogate pair"),
        ('{"id": [{"x": "\\ud800"}]}', "half a surrogate pair"),
        ('{"a":' * 30 + "1" + "}" * 30, "nested more than"),
    ],
)
def test_lines_that_are_no_rows(tmp_path: Path, line: str, problem: str) -> None:
    """A spoilt line is set aside with its text, and the others are rows."""
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": "a"}\n' + line + '\n{"id": "b"}\n')
    first, spoilt, last = rows(path)
    assert (first.cells, last.cells) == (["a"], ["b"])
    assert problem in spoilt.problem
    assert (spoilt.line, spoilt.raw) == (2, line)


def test_typed_columns_of_parquet(tmp_path: Path) -> None:
    """Times to the microsecond with their zone, exact decimals, structures and lists flattened."""
    path = tmp_path / "t.parquet"
    at = datetime(2024, 3, 1, 9, 30, tzinfo=UTC)
    columns = {
        "t": pa.array([at], pa.timestamp("ns", tz="Europe/Berlin")),
        "d": [date(2024, 3, 1)],
        "n": [Decimal("1.50")],
        "s": [{"x": 1, "y": {"z": None}}],
        "l": [["a", "b"]],
        "b": [False],
    }
    pq.write_table(pa.table(columns), path)
    found = table(path)
    assert found.header == ("t", "d", "n", "s.x", "s.y.z", "l", "b")
    assert [r.cells for r in found.rows()] == [
        ["2024-03-01T09:30:00Z", "2024-03-01", "1.50", "1", "", "a;b", "false"]
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04junk", "is a damaged workbook or another ZIP"),
        (b"PAR1junkPAR1", "is a damaged Parquet file"),
        (b"\xd0\xcf\x11\xe0" + b"0" * 600, "old spreadsheet"),
        (b"%PDF-1.7", "is a PDF"),
        (b"<!DOCTYPE html><table>", "is a web page"),
        (b'{"a": 1', "is not JSON"),
        (b'{"a": [1, 2]\n}', "no member is a list of objects"),
        (b"[]", "is empty"),
        (b"[{}, 1]", "no JSON object with names"),
        (b'{"a": 1}\n{"b": "' + b"x" * 1_100_000 + b'"}', "line 2: a row of more than"),
        (b'{"a": "\xff"}', "is not UTF-8"),
    ],
)
def test_what_is_none_of_these(tmp_path: Path, data: bytes, message: str) -> None:
    """One line, with the file and what to do."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        rows(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_packed_files_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to far more than it packs is refused on the way, and the limit can be raised."""
    monkeypatch.setattr("provenance.ingest.limits._FREE", 1 << 16)
    lines = b"event_id,name\n" + b"1,a\n" * 50_000
    for pack in (zstandard.ZstdCompressor().compress, gzip.compress):
        (tmp_path / "bomb").write_bytes(pack(lines))
        with pytest.raises(InputError, match=r"decompression bomb.*limits\.ratio"):
            list(table(tmp_path / "bomb", Limits(ratio=20)).rows())
        assert len(list(table(tmp_path / "bomb", Limits(ratio=100_000)).rows())) == 50_000


def sheet_of(cells: str) -> Callable[[str], str]:
    """Put other cells into a sheet."""
    return lambda text: re.sub(
        r"<sheetData>.*</sheetData>", f"<sheetData>{cells}</sheetData>", text
    )


FIRST = '<row r="1"><c r="A1"><v>1</v></c></row>'


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (FIRST + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', "17,179,869,184 cells"),
        (FIRST + "<row r='9'><c r = 'ZZ999999' ><v>1</v></c></row>", "column 702"),
    ],
)
def test_a_sheet_that_reaches_far_out(tmp_path: Path, cells: str, message: str) -> None:
    """Two cells far apart would be a rectangle of billions; they are counted before it is made."""
    path = tmp_path / "t.xlsx"
    workbook(path, HEADER, ROW)
    rewritten(path, SHEET, sheet_of(cells))
    with pytest.raises(InputError, match=message):
        rows(path)


def test_one_long_text_in_many_cells(tmp_path: Path) -> None:
    """A text that a sheet shares is counted in every cell that has it."""
    path = tmp_path / "t.xlsx"
    workbook(path, HEADER, ROW)
    cells = "".join(f'<row r="{at}"><c r="A{at}" t="s"><v>0</v></c></row>' for at in range(1, 2001))
    rewritten(path, SHEET, sheet_of(cells))
    with zipfile.ZipFile(path, "a") as book:
        book.writestr("xl/sharedStrings.xml", f"<sst><si><t>{'x' * 30_000}</t></si></sst>")
    with pytest.raises(InputError, match="MiB of text"):
        table(path, Limits(cells=100_000))


def test_a_lying_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a member says that it is does not count, only what comes out of it."""
    monkeypatch.setattr("provenance.ingest.limits._FREE", 1 << 20)
    path = tmp_path / "t.xlsx"
    workbook(path, HEADER, ROW)
    rewritten(path, SHEET, lambda text: text + " " * 20_000_000)
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 24 : at + 28] = (100).to_bytes(4, "little")
        at = data.find(b"PK\x01\x02", at + 4)
    path.write_bytes(data)
    with pytest.raises(InputError, match="decompression bomb"):
        rows(path)


@pytest.mark.parametrize("make", [as_xlsx, as_parquet, as_jsonl])
def test_any_spoilt_bytes_are_rows_or_one_error(
    tmp_path: Path, make: Callable[[Path, list[list[str]]], None]
) -> None:
    """No bytes make a reader fail in another way than with one line."""
    path = tmp_path / "file"
    make(path, [HEADER, ROW, ROW])
    good = path.read_bytes()

    @settings(max_examples=60)
    @given(st.integers(0, len(good) - 1), st.binary(max_size=6), st.booleans())
    def spoil(at: int, put: bytes, cut: bool) -> None:
        path.write_bytes(good[:at] + put + (b"" if cut else good[at + len(put) :]))
        log = MemoryLog()
        try:
            feed_paths(log, tmp_path, [path])
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - both ends are allowed
            assert log.contents() == []

    spoil()


def test_patterns_name_files(tmp_path: Path) -> None:
    """A pattern that the shell has left alone is looked up; one that fits nothing is an error."""
    for number in (1, 2):
        as_csv(tmp_path / f"part-{number}.csv", [HEADER, [f"E{number}", *ROW[1:]]])
    assert counts(feed_paths(MemoryLog(), tmp_path, [tmp_path / "part-*.csv"]))[:2] == (2, 2)
    with pytest.raises(InputError, match="no file matches"):
        feed_paths(MemoryLog(), tmp_path, [tmp_path / "none-*.csv"])


def test_a_quarantine_file_has_a_form_of_its_own(tmp_path: Path) -> None:
    """It is UTF-8 with its header first, whatever the mapping says about the file it came from."""
    mapping = parse_mapping(
        'name = "m"\nencoding = "windows-1252"\nheader = 2\n[fields]\nevent_id = "Nr"\n'
        'event_time = "Größe"\nevent_type = { value = "ship" }\n',
        "m",
    )
    log = MemoryLog()
    feed(log, tmp_path, "Übersicht;\nNr;Größe\nä1;soon\n".encode("cp1252"), mapping=mapping)
    kept = next((tmp_path / "quarantine").glob("*.csv"))
    kept.write_text(kept.read_text().replace("soon", "2024-01-01", 1))
    assert counts(feed_paths(log, tmp_path, [kept], mapping=mapping)) == (1, 1, 0, 0, 1)
    assert log.contents()[0]["event_id"] == "ä1"
