"""`provenance quarantine`: what was set aside is found, mended, brought again, or given up."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., "tuple[int, str, str]"]

HEAD = "event_id,event_time,event_type,facility_id,note\n"
ROWS = [
    "Q-1,2024-05-01T00:00:00Z,inspect,F,good",
    "Q-2,2024-05-02T00:00:00Z,dance,F,=1+1",
    "Q-3,2024-05-03T00:00:00Z,sing,F,bad too",
    "Q-4,yesterday,inspect,F,and this",
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file of which three rows cannot be taken."""
    path = tmp_path / "may.csv"
    path.write_text(HEAD + "\n".join(ROWS) + "\n")
    return path


def listed(provenance: Command, data: Path, *words: str) -> list[dict[str, Any]]:
    """What `quarantine list` says."""
    code, out, err = provenance("quarantine", "list", "--data", data, "--json", *words)
    assert code == 0, err
    found: list[dict[str, Any]] = json.loads(out)
    return found


def mended(path: Path, **words: str) -> None:
    """Replace texts in a file, as a person would."""
    text = path.read_text()
    for old, new in words.items():
        text = text.replace(old, new)
    path.write_text(text)


def test_set_aside_rows_are_listed_with_their_batch(
    provenance: Command, small: Path, source: Path
) -> None:
    """Name, source, batch, count and reasons; each row with line, column, reason and text."""
    told = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    (one,) = listed(provenance, small)
    assert (one["source"], one["rows"], one["kind"]) == ("may.csv", 3, "events")
    assert one["batch"] == told["files"][0]["batch"]
    assert one["reasons"] == told["reasons"]
    shown = json.loads(provenance("quarantine", "show", "--data", small, one["name"], "--json")[1])
    assert [(row["place"], row["column"]) for row in shown] == [
        ("3", "event_type"),
        ("4", "event_type"),
        ("5", "event_time"),
    ]
    assert shown[0]["cells"]["note"] == "=1+1"
    assert "found 'dance'" in shown[0]["reason"]
    text = provenance("quarantine", "show", "--data", small, one["name"], "--limit", "1")
    assert "line 3" in text[1]
    assert "line 4" not in text[1]
    assert "there are more" in text[2]


def test_corrected_rows_leave_and_the_log_says_so(
    provenance: Command, small: Path, source: Path, tmp_path: Path
) -> None:
    """What is taken has left; what is refused again waits on under its first line."""
    provenance("ingest", "--data", small, source)
    (one,) = listed(provenance, small)
    copy = tmp_path / "copy.csv"
    assert provenance("quarantine", "export", "--data", small, one["name"], "-o", copy)[0] == 0
    assert "'=1+1" in copy.read_text()
    assert copy.stat().st_mode & 0o777 == 0o600
    mended(copy, dance="inspect", sing="still bad")
    rows = copy.read_text().splitlines(keepends=True)
    copy.write_text("".join(rows[:3]))  # the third row is not brought again
    ran = provenance("quarantine", "ingest", "--data", small, one["name"], copy, "--json")
    assert ran[0] == 3, ran[2]
    told = json.loads(ran[1])
    assert (told["accepted"], told["quarantined"], told["left"]) == (1, 1, 2)
    first, second = sorted(listed(provenance, small), key=lambda each: each["of"] is None)
    assert (second["name"], second["rows"], first["of"]) == (one["name"], 1, one["name"])
    assert first["rows"] == 1
    shown = json.loads(
        provenance("quarantine", "show", "--data", small, first["name"], "--json")[1]
    )
    assert [row["place"] for row in shown] == ["4"]
    batch = told["files"][0]["batch"]
    again = json.loads(provenance("receipt", "--data", small, f"#{batch}", "--json")[1])
    assert again["settles"] == {"of": one["name"], "rows": ["3", "4"], "batch": one["batch"]}
    found = json.loads(provenance("lookup", "--data", small, "Q-2", "--json")[1])
    assert found["event"]["event_type"] == "inspect"


def test_a_file_corrected_in_its_place_is_settled(
    provenance: Command, small: Path, source: Path
) -> None:
    """When all is taken nothing waits; the closed list says in which batch the rows came."""
    told = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    path = Path(told["files"][0]["quarantine"])
    mended(path, dance="inspect", sing="store", yesterday="2024-05-04")
    code, out, _ = provenance("quarantine", "ingest", "--data", small, path.stem)
    assert code == 0
    assert "3 rows have left" in out
    assert listed(provenance, small) == []
    (closed,) = listed(provenance, small, "--all")
    assert [(one["how"], one["rows"]) for one in closed["closed"]] == [("settled", 3)]
    assert closed["closed"][0]["batch"] is not None
    assert "has no rows left" in provenance("quarantine", "show", "--data", small, path.name)[2]


def test_settled_rows_do_not_come_back_with_their_file(
    provenance: Command, small: Path, source: Path
) -> None:
    """The first file again counts its rows as before, and only what still waits is waiting."""
    told = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    path = Path(told["files"][0]["quarantine"])
    provenance("quarantine", "drop", "--data", small, path.name, "--row", "3", "--yes")
    before = path.read_bytes()
    again = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    assert (again["duplicate"], again["quarantined"]) == (1, 3)
    assert again["files"][0]["quarantine"] == str(path)
    assert path.read_bytes() == before
    assert [one["rows"] for one in listed(provenance, small)] == [2]
    provenance("quarantine", "drop", "--data", small, path.name, "--yes")
    again = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    assert again["files"][0]["quarantine"] is None
    assert listed(provenance, small) == []


def test_rows_that_are_refused_for_another_reason_wait_anew(
    provenance: Command, small: Path, source: Path, tmp_path: Path
) -> None:
    """Nothing is lost: the same file, read with a mapping, may be refused in other rows."""
    provenance("ingest", "--data", small, source)
    mapping = tmp_path / "odd.toml"
    mapping.write_text(
        'name = "odd"\n[fields]\nevent_id = "event_id"\nevent_time = "note"\n[[event]]\n'
        'name = "x"\n[event.fields]\nevent_type = { value = "inspect" }\n'
    )
    ran = provenance("ingest", "--data", small, source, "--mapping", mapping)
    assert "odd.toml" not in ran[2]
    assert sum(one["rows"] for one in listed(provenance, small)) == 3 + 4
    assert len(listed(provenance, small)) == 2


def test_events_of_a_document_go_the_same_way(
    provenance: Command, small: Path, tmp_path: Path
) -> None:
    """An event is known by its pointer in the first document, however often it comes again."""
    good = {
        "type": "ObjectEvent",
        "eventID": "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",
        "eventTime": "2024-04-05T02:33:31.116Z",
        "eventTimeZoneOffset": "-06:00",
        "action": "OBSERVE",
        "epcList": ["urn:epc:id:sgtin:0614141.107346.2017"],
    }
    events = [good, {**good, "action": "DANCE"}, {**good, "eventTime": "soon"}]
    source = tmp_path / "doc.jsonld"
    source.write_text(
        json.dumps(
            {"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": events}}
        )
    )
    provenance("ingest", "--data", small, source)
    (one,) = listed(provenance, small)
    assert (one["rows"], one["kind"]) == (2, "epcis")
    assert one["reasons"] == {
        "action: is not one of OBSERVE, ADD, DELETE": 1,
        "eventTime: is not a time with its offset, such as 2024-03-23T22:17:32+01:00": 1,
    }
    path = small / "quarantine" / one["name"]
    mended(path, DANCE="OBSERVE")
    assert provenance("quarantine", "ingest", "--data", small, one["name"])[0] == 3
    (left,) = listed(provenance, small)
    shown = json.loads(provenance("quarantine", "show", "--data", small, left["name"], "--json")[1])
    assert [row["place"] for row in shown] == ["/epcisBody/eventList/2"]
    provenance("quarantine", "drop", "--data", small, left["name"], "--yes")
    assert listed(provenance, small) == []


def test_old_rows_are_dropped_with_a_word(provenance: Command, small: Path, source: Path) -> None:
    """With `keep_days` an ingest drops what is older and names it; without, nothing goes."""
    told = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    path = Path(told["files"][0]["quarantine"])
    beside = path.parent / "about" / f"{path.name}.json"
    about = json.loads(beside.read_text())
    about["set_aside_us"] -= 31 * 86_400 * 1_000_000
    beside.write_text(json.dumps(about))
    assert "Nothing" in provenance("quarantine", "purge", "--data", small)[1]
    settings = small / "workspace.toml"
    settings.write_text(settings.read_text().replace("keep_days = 0", "keep_days = 30"))
    assert listed(provenance, small)[0]["until"] is not None
    other = source.with_name("june.csv")
    other.write_text(HEAD + "Q-9,2024-06-01T00:00:00Z,inspect,F,\n")
    err = provenance("ingest", "--data", small, other)[2]
    assert f"{path.name}: 3 rows set aside on" in err
    assert "dropped after 30 days" in err
    assert not path.exists()
    (closed,) = listed(provenance, small, "--all")
    assert [(one["how"], one["rows"]) for one in closed["closed"]] == [("expired", 3)]


def test_files_from_before_there_were_records_are_read(
    provenance: Command, small: Path, source: Path
) -> None:
    """Without the record beside it a file is listed by its own time, and can be brought again."""
    told = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    path = Path(told["files"][0]["quarantine"])
    (path.parent / "about" / f"{path.name}.json").unlink()
    os.utime(path, (time.time() - 86_400,) * 2)
    (one,) = listed(provenance, small)
    assert (one["rows"], one["batch"], one["source"]) == (3, None, None)
    mended(path, dance="inspect")
    assert provenance("quarantine", "ingest", "--data", small, path.name)[0] == 3
    assert [one["rows"] for one in listed(provenance, small)] == [2]


def test_a_spreadsheet_may_have_saved_it(provenance: Command, small: Path, source: Path) -> None:
    """Semicolons and another encoding are read, and what stays is written back like that."""
    told = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    path = Path(told["files"][0]["quarantine"])
    rows = list(csv.reader(path.read_text().splitlines()))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(rows)
    path.write_bytes(text.getvalue().encode("utf-16"))
    assert listed(provenance, small)[0]["rows"] == 3
    provenance("quarantine", "drop", "--data", small, path.name, "--row", "4", "--yes")
    assert path.read_bytes()[:2] in {b"\xff\xfe", b"\xfe\xff"}
    saved = csv.reader(path.read_bytes().decode("utf-16").splitlines(), delimiter=";")
    assert list(saved) == [rows[0], rows[1], rows[3]]
    assert listed(provenance, small)[0]["rows"] == 2


def test_what_cannot_be_done_is_one_line(
    provenance: Command, small: Path, source: Path, tmp_path: Path
) -> None:
    """Unknown names, copies without lines, refused questions: nothing is lost by any of them."""
    assert "names them" in provenance("quarantine", "show", "--data", small, "absent")[2]
    told = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    path = Path(told["files"][0]["quarantine"])
    before = path.read_bytes()
    copy = tmp_path / "copy.csv"
    copy.write_text(HEAD + ROWS[1].replace("dance", "inspect") + "\n")
    code, _, err = provenance("quarantine", "ingest", "--data", small, path.name, copy)
    assert (code, "quarantine_line" in err) == (2, True)
    wrong = tmp_path / "copy.jsonld"
    wrong.write_text("{}")
    assert provenance("quarantine", "ingest", "--data", small, path.name, wrong)[0] == 2
    assert path.read_bytes() == before


def test_the_file_itself_can_be_ingested_like_any_other(
    provenance: Command, small: Path, source: Path
) -> None:
    """`provenance ingest` of a quarantine file settles it too: its rows do not wait twice."""
    told = json.loads(provenance("ingest", "--data", small, source, "--json")[1])
    path = Path(told["files"][0]["quarantine"])
    mended(path, dance="inspect")
    assert provenance("ingest", "--data", small, path)[0] == 3
    assert [one["rows"] for one in listed(provenance, small)] == [2]
    assert not path.exists()


def test_a_file_that_was_edited_beyond_recognition_blocks_nothing(
    provenance: Command, small: Path, source: Path
) -> None:
    """It is listed with what is wrong; others are listed, ingested and dropped beside it."""
    provenance("ingest", "--data", small, source)
    broken = small / "quarantine" / "doc-0123456789ab.jsonld"
    broken.write_text('{"epcisBody": {"quarantine": [{"place": ')
    found = {one["name"]: one for one in listed(provenance, small)}
    assert "mend it" in next(iter(found[broken.name]["reasons"]))
    assert len(found) == 2
    assert "mend it" in provenance("quarantine", "show", "--data", small, broken.name)[2]
    assert provenance("ingest", "--data", small, source)[0] == 3
    assert provenance("quarantine", "drop", "--data", small, broken.name, "--yes")[0] == 0
    assert not broken.exists()
