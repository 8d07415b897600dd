"""Reading: every way of writing one table gives the same rows; what is no table is one error."""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys
import threading
import tracemalloc
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.errors import InputError
from provenance.ingest.reading import Row, Table, open_table
from provenance.ingest.sources import open_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KNOWN = frozenset({"event_id", "name", "weight"})
CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


def table(path: Path, encoding: str | None = None) -> Table:
    """Open a table with a few known columns."""
    return open_table(open_source(str(path)), encoding, KNOWN)


def cells(path: Path, encoding: str | None = None) -> list[list[str]]:
    """The cells of all rows."""
    return [row.cells for row in table(path, encoding).rows()]


def written(rows: list[list[str]], separator: str, newline: str) -> str:
    """Write a table with the standard library, quotes where needed."""
    out = io.StringIO(newline="")
    newlines = any("\n" in cell or "\r" in cell for row in rows for cell in row)
    quoting = csv.QUOTE_ALL if newlines else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=separator, lineterminator=newline, quoting=quoting).writerows(rows)
    return out.getvalue()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3).filter(any), min_size=1, max_size=5),
    st.tuples(st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n", "\r"])),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from([bytes, gzip.compress, zstandard.ZstdCompressor().compress]),
)
def test_all_ways_of_writing_a_table_are_one(
    tmp_path: Path,
    rows: list[list[str]],
    form: tuple[str, str],
    encoding: str,
    pack: Callable[[bytes], bytes],
) -> None:
    """Separator, newline, encoding and compression leave no trace in the cells.

    Newlines inside quotes are part of the cell, whatever they are.
    """
    path = tmp_path / "table"
    text = written([["event_id", "name", "weight"], *rows], *form)
    path.write_bytes(pack(text.encode(encoding)))
    found = list(table(path).rows())
    assert [row.cells for row in found] == rows
    assert not any(row.problem for row in found)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    """A row's line is where it starts, also after quoted newlines and blank lines."""
    for newline in ("\n", "\r\n", "\r"):
        path = tmp_path / "t.csv"
        text = 'event_id,name\na,"one\ntwo"\n\nb,x\n'.replace("\n", newline)
        path.write_bytes(text.encode())
        assert [row.line for row in table(path).rows()] == [2, 5]


def test_blank_lines_before_the_header(tmp_path: Path) -> None:
    """Blank lines, also with separators, are no header and no rows."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"\n,,\nevent_id,name\n,\na,b\n\n,\n")
    assert list(table(path).rows()) == [Row(5, ["a", "b"])]


def test_windows_1252_only_when_asked(tmp_path: Path) -> None:
    """Undecodable bytes are an error that names byte, line and remedy; asked for, they are text."""
    path = tmp_path / "t.csv"
    path.write_bytes("event_id,name\r\n1,ok\r\n2,Köln\r\n".encode("cp1252"))
    with pytest.raises(InputError, match=r"line 3, byte 24: .*--encoding windows-1252"):
        cells(path)
    assert cells(path, "windows-1252")[1] == ["2", "Köln"]


@pytest.mark.parametrize("far", [0, 65_530, 65_536, 200_000])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_bad_byte_is_named_wherever_it_is(tmp_path: Path, far: int, bom: bytes) -> None:
    """The offset counts from the first byte of the file, across the blocks it is read in."""
    path = tmp_path / "t.csv"
    lines = "é" * 20 + "\r\n"
    start = bom + b"event_id\r\n" + lines.encode() * (far // 42)
    path.write_bytes(start + b"a\xff\r\n")
    with pytest.raises(InputError, match=f"line {far // 42 + 2}, byte {len(start) + 1}:"):
        cells(path)


def test_a_file_cut_within_a_character(tmp_path: Path) -> None:
    """Half a character at the end is found like any other bad byte."""
    path = tmp_path / "t.csv"
    path.write_bytes("event_id\nKö".encode()[:-1])
    with pytest.raises(InputError, match="line 2, byte 10"):
        cells(path)


def test_ragged_rows_keep_their_text(tmp_path: Path) -> None:
    """A row with more or fewer cells comes back whole, and the next row is read."""
    path = tmp_path / "t.csv"
    path.write_bytes(b'event_id,name\n1\n2,a,b\n3,"x"y\n4,ok\n')
    short, long, broken, fine = table(path).rows()
    assert (short.problem, short.raw) == ("has 1 cells, the header has 2", "1\n")
    assert (long.line, long.raw) == (3, "2,a,b\n")
    assert "not well-formed" in broken.problem
    assert broken.raw == '3,"x"y\n'
    assert fine == Row(5, ["4", "ok"])


def test_a_quote_left_open_at_the_end(tmp_path: Path) -> None:
    """A short file whose last quote is open gives that row back as malformed."""
    path = tmp_path / "t.csv"
    path.write_bytes(b'event_id,name\n1,ok\n2,"open\n3,x\n')
    first, second = table(path).rows()
    assert first.cells == ["1", "ok"]
    assert second.raw == '2,"open\n3,x\n'


def test_the_separator_that_knows_most_columns_wins(tmp_path: Path) -> None:
    """Commas inside the names of a semicolon file do not make it a comma file."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"event_id;name;a, b, c, d, e\n1;2;3\n")
    found = table(path)
    assert found.separator == ";"
    assert found.header == ("event_id", "name", "a, b, c, d, e")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\n,,\n", "is empty"),
        (b"event_id,name,Event_ID\n1,2,3\n", "line 1: column 'Event_ID' stands twice"),
        (b"event_id\n" + b"\xff" + b"\n", "line 2, byte 9"),
        (b"event_id\na\0b\n", "line 2: a NUL character"),
        ("event_id\nab\n".encode("utf-16-le"), "NUL character"),
        (b'event_id,"na\nme\n', "quote in the header"),
        (b'"na"me,event_id\n1,2\n', "header's quotes"),
        (b"event_id\n" + b"x" * 2_000_000, "line 2: a row of more than"),
        (b'event_id\n"' + b"x\n" * 100_000, "closing quote"),
        (b"event_id," + b"x" * 2_000_000, "line 1: a row of more than"),
        (gzip.compress(b"event_id\n1\n" * 9999, mtime=0)[:-20], "ends too early"),
        (gzip.compress(b"event_id\n1\n", mtime=0)[:-6] + b"\0\0\0\0\0\0", "is damaged"),
        (zstandard.ZstdCompressor().compress(b"event_id\n1\n" * 9999)[:-4], "ends too early"),
        (zstandard.ZstdCompressor().compress(b"event_id\n1\n") + b"tail", "is damaged"),
    ],
)
def test_what_is_no_table(tmp_path: Path, data: bytes, message: str) -> None:
    """Each unreadable file is one line that begins with its name."""
    path = tmp_path / "bad.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        cells(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"event_id,name\n", b"\xff\xfe", b"\x1f\x8b"])
)
def test_any_bytes_are_rows_or_one_error(tmp_path: Path, data: bytes, start: bytes) -> None:
    """No bytes make the reader fail in another way than with one line."""
    path = tmp_path / "any.csv"
    path.write_bytes(start + data)
    try:
        found = list(table(path).rows())
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both ends are allowed
    else:
        assert all(row.problem or row.cells for row in found)


def test_places_that_are_no_file(tmp_path: Path) -> None:
    """A missing file, a directory and a device are named with what to do."""
    with pytest.raises(InputError, match="no such file"):
        open_source(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="is a directory"):
        open_source(str(tmp_path))
    with pytest.raises(InputError, match="is not a file"):
        open_source("/dev/null")


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without the right to read it says whose mode to check."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"event_id\n1\n")
    source = open_source(str(path))

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(InputError, match="may not be read; check owner and mode"):
        open_table(source, None, KNOWN)


def test_encodings_that_are_not_offered(tmp_path: Path) -> None:
    """An encoding nobody offers is refused with those that are."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"event_id\n1\n")
    for name in ("ebcdic", "latin-2", "rot13"):
        with pytest.raises(InputError, match="use utf-8, utf-16 or windows-1252"):
            table(path, name)


def test_a_huge_line_costs_little_memory(tmp_path: Path) -> None:
    """100 MB without a newline end in one error, with a few megabytes of memory."""
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"event_id,name\n")
        file.truncate(100_000_000)
        file.seek(14)
        for _ in range(100):
            file.write(b"y" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(InputError, match="a row of more than 1048576 characters"):
        cells(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_bomb_costs_little_memory(tmp_path: Path) -> None:
    """A small file that unpacks to a gigabyte of one line is refused without unpacking it."""
    path = tmp_path / "bomb.csv.zst"
    packer = zstandard.ZstdCompressor(level=19).compressobj()
    block = b"0" * 10_000_000
    parts = [packer.compress(b"event_id\n")] + [packer.compress(block) for _ in range(20)]
    path.write_bytes(b"".join([*parts, packer.flush()]))
    tracemalloc.start()
    with pytest.raises(InputError, match="a row of more than"):
        cells(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60_000_000


@pytest.mark.parametrize("blank", ["\n", ",\r\n", "\r", ",,,\n"])
def test_blank_lines_are_passed_over_but_not_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blank: str
) -> None:
    """Above the header, between rows and behind them; a file of nothing else is refused soon."""
    monkeypatch.setattr("provenance.ingest.table.MAX_BLANK", 10)
    path = tmp_path / "t.csv"
    held = blank * 9
    path.write_text(f"{held}event_id,name{blank[-1]}1,a\n{held}2,b\n{held}", newline="")
    assert cells(path) == [["1", "a"], ["2", "b"]]
    for text in (held * 2, f"event_id,name\n1,a\n{held * 2}2,b\n"):
        path.write_text(text, newline="")
        with pytest.raises(InputError, match=r"more than 10 blank lines from line [13] on"):
            cells(path)


class _Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_standard_input_can_be_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input is kept aside, because two passes are made over every file."""
    monkeypatch.setattr(sys, "stdin", _Stdin(gzip.compress(b"event_id,name\n1,a\n", mtime=0)))
    source = open_source("-")
    found = open_table(source, None, KNOWN)
    assert (
        [row.cells for row in found.rows()] == [row.cells for row in found.rows()] == [["1", "a"]]
    )
    assert len(source.digest()) == 32
    source.assert_unchanged()
    source.close()


def test_a_pipe_is_kept_aside_like_standard_input(tmp_path: Path) -> None:
    """A named pipe can be read once only; its copy can be read again."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"event_id\n1\n",))
    writer.start()
    source = open_source(str(path))
    writer.join()
    found = open_table(source, None, KNOWN)
    assert list(found.rows()) == list(found.rows()) == [Row(2, ["1"])]
    source.close()


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    """What the first pass decided must not be applied to another file."""
    path = tmp_path / "t.csv"
    path.write_bytes(b"event_id\n1\n")
    source = open_source(str(path))
    source.assert_unchanged()
    path.write_bytes(b"event_id\n1\n2\n")
    with pytest.raises(InputError, match="changed while"):
        source.assert_unchanged()


def test_progress_goes_from_start_to_end(tmp_path: Path) -> None:
    """Progress is in bytes of the file as it lies on the disk and never goes back."""
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"event_id\n" + b"1\n" * 5000, mtime=0))
    seen: list[tuple[int, int]] = []
    assert len(list(table(path).rows(seen.append))) == 5000
    assert len(seen) == 5
    assert seen == sorted(seen)
    assert seen[-1][0] <= seen[-1][1] == path.stat().st_size
