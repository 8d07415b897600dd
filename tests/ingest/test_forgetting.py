"""Rules of forgetting what was set aside: the rows that fit go, all others stay as they were."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_log import MemoryLog, feed

from provenance.forget.marks import needle_digest, needles_of
from provenance.ingest.forgetting import Sought, count_rows, forget_rows

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.forget.wanted import Looked

SECRET = bytes(range(32))


def sought(*looked: Looked) -> Sought:
    """What rows are looked through for."""
    return Sought(needles_of(looked, SECRET), needle_digest(SECRET))


def table(path: Path, *rows: list[str], encoding: str = "utf-8", separator: str = ",") -> Path:
    """Write a file as a spreadsheet would."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def rows_in(path: Path, encoding: str = "utf-8", separator: str = ",") -> list[list[str]]:
    """Read it back."""
    text = io.StringIO(path.read_bytes().decode(encoding), newline="")
    return list(csv.reader(text, delimiter=separator))


HEAD = ["event_id", "driver", "serial_ids", "quarantine_reason", "quarantine_text"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_file_is_read_and_written_as_it_is(tmp_path: Path, encoding: str, separator: str) -> None:
    """Whatever encoding and separator a spreadsheet has saved it in, only the row is gone."""
    stays = ["E-1", "José", "a;b", 'says "no", twice', ""]
    path = table(
        tmp_path / "q.csv",
        HEAD,
        stays,
        ["E-2", "Ana Belén", "", "", ""],
        encoding=encoding,
        separator=separator,
    )
    assert count_rows(tmp_path, sought((("driver", "Ana Belén"),))) == {"q.csv": 1}

    assert forget_rows(tmp_path, sought((("driver", "Ana Belén"),))) is None

    assert rows_in(path, encoding, separator) == [HEAD, stays]
    assert count_rows(tmp_path, sought((("driver", "Ana Belén"),))) == {}


ROW = ["E-1", "Ana", "s1;s2", "is bad (found 'W-9')", "raw,W-8,text"]


@pytest.mark.parametrize(
    ("looked", "goes"),
    [
        ((("", "Ana"),), True),
        ((("driver", "Ana"),), True),
        ((("event_id", "Ana"),), False),
        ((("Driver", "Ana"),), True),
        ((("no_such_column", "Ana"),), True),
        ((("", "s2"),), True),
        ((("", "W-9"),), True),
        ((("", "W-8"),), True),
        ((("driver", "W-8"),), True),
        ((("", "W"),), False),
        ((("", "An"),), False),
        ((("event_id", "E-1"), ("driver", "Ana")), True),
        ((("event_id", "E-1"), ("driver", "Bo")), False),
    ],
)
def test_which_rows_fit(tmp_path: Path, looked: Looked, goes: bool) -> None:
    """Whole cells, parts of lists, the reason and the original text; a named column if there is."""
    path = table(tmp_path / "q.csv", HEAD, ROW, ["E-2", "", "", "", ""])

    assert forget_rows(tmp_path, sought(looked)) is None

    assert len(rows_in(path)) == (2 if goes else 3)


def test_a_file_without_rows_is_removed(tmp_path: Path) -> None:
    """When the last row goes the file goes; a file of others is not touched."""
    table(tmp_path / "gone.csv", HEAD, ROW)
    other = table(tmp_path / "other.csv", HEAD, ["E-2", "Bo", "", "", ""])
    before = other.stat().st_ino

    forget_rows(tmp_path, sought((("driver", "Ana"),)))

    assert [path.name for path in tmp_path.iterdir()] == ["other.csv"]
    assert other.stat().st_ino == before


@given(
    rows=st.lists(st.lists(st.text(max_size=6), min_size=5, max_size=5), max_size=6),
    who=st.text("ab ", min_size=1, max_size=3).map(str.strip).filter(bool),
)
def test_what_stays_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], who: str
) -> None:
    """Of any rows, those that hold the text go, and the others read as before."""
    directory = tmp_path_factory.mktemp("any")
    rows = [[cell.replace("\r", " ").replace("\0", " ") for cell in row] for row in rows]
    path = table(directory / "q.csv", HEAD, *rows)
    before = rows_in(path)[1:]

    assert forget_rows(directory, sought((("", who),))) is None

    after = rows_in(path)[1:] if path.exists() else []
    assert [row for row in before if row in after] == after
    assert not any(cell.strip() == who for row in after for cell in row)
    assert all(any(who in cell for cell in row) for row in before if row not in after)


DOCUMENT = """{"type": "EPCISDocument", "schemaVersion": "2.0",
"@context": ["x"],
"epcisBody": {"quarantine": [
{"place": "event 1", "reason": "is bad", "event": {"eventID": "urn:uuid:1", "weight": 1.50, "a": ["Ana"]}},
{"place": "event 2", "reason": "is bad (found 'Ana')", "event": {"eventID": "urn:uuid:2"}},
{"place": "event 3", "reason": "is bad", "event": {"eventID": "urn:uuid:3", "weight": 2.50e1}}
]}}
"""  # noqa: E501 - as such files are


def test_events_of_a_document(tmp_path: Path) -> None:
    """Events that fit go; the others keep their characters; a torn document goes as a whole."""
    path = tmp_path / "d.jsonld"
    path.write_text(DOCUMENT)
    assert count_rows(tmp_path, sought((("driver", "Ana"),))) == {"d.jsonld": 2}

    assert forget_rows(tmp_path, sought((("driver", "Ana"),))) is None

    text = path.read_text()
    assert '{"eventID": "urn:uuid:3", "weight": 2.50e1}' in text
    assert "urn:uuid:1" not in text
    assert "urn:uuid:2" not in text
    path.write_text(DOCUMENT.replace('"quarantine"', '"torn"'))
    assert forget_rows(tmp_path, sought((("", "urn:uuid:3"),))) is None
    assert not path.exists()


def test_rows_as_an_ingest_sets_them_aside(tmp_path: Path) -> None:
    """Also rows that could not be split lose what they say, with the file's other rows kept."""
    head = "event_id,event_time,event_type,product_id,quantity,driver\n"
    text = head + "1,x,produce,p,5,Ana\n2,x,produce,p,5,=Bo\n3,2024-01-01,produce,p,5,Ana,more\n"
    receipt = feed(MemoryLog(), tmp_path, text)
    kept = receipt.parts[0].quarantine
    assert kept is not None
    folder = tmp_path / "quarantine"

    assert sum(count_rows(folder, sought((("driver", "Ana"),))).values()) == 2
    assert forget_rows(folder, sought((("driver", "Ana"),))) is None
    assert b"Ana" not in b"".join(path.read_bytes() for path in folder.glob("**/*.*"))
    assert b"Bo" in b"".join(path.read_bytes() for path in folder.glob("*.csv"))
    assert forget_rows(folder, sought((("driver", "=Bo"),))) is None
    assert list(folder.glob("*.*")) == []
