"""Answers to ingests that added nothing: signed with the log's key, and what that shows."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from provenance.errors import InputError
from provenance.ingest.answers import said_in
from provenance.notes.checkpoint import parse
from workspace.keeping import expire, keeping
from workspace.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

HEAD = "event_id,event_time,event_type,facility_id\n"
GOOD = "A-1,2024-05-01T00:00:00Z,inspect,F\n"
BAD = "A-2,2024-05-03T00:00:00Z,dance,F\n"
_DAY_US = 86_400_000_000


@pytest.fixture
def refused(tmp_path: Path) -> Path:
    """A file of which no row can be taken."""
    path = tmp_path / "bad.csv"
    path.write_text(HEAD + BAD)
    return path


def test_a_refusal_is_signed_and_kept(
    provenance: Command, small: Path, refused: Path, tmp_path: Path
) -> None:
    """Nothing is appended; the answer verifies against the file, later and without the log."""
    size = json.loads(provenance("verify", "--data", small, "--json")[1])["size"]
    kept = tmp_path / "receipt.json"
    answer = provenance("ingest", "--data", small, refused, "--receipt", kept, "--json")
    told = json.loads(answer[1])
    assert (told["status"], told["size"], told["files"][0]["batch"]) == ("FAILED", size, None)
    note = tmp_path / "answer.note"
    again = json.loads(
        provenance("receipt", "--data", small, refused, "--proof", note, "--json")[1]
    )
    assert again["receipt"]["reasons"] == [[text, n] for text, n in told["reasons"].items()]
    assert again["answer"] == told["files"][0]["answer"] == note.read_text()
    policy = ("--policy", small / "log.policy")
    for file in (kept, note):
        code, out, _ = provenance("verify", *policy, "--answer", file, "--payload", refused)
        assert (code, "FAILED, 1 rows, 1 set aside" in out) == (0, True)


def test_what_is_no_answer_to_the_file(
    provenance: Command, small: Path, refused: Path, tmp_path: Path
) -> None:
    """Another file, another word in it, another log's key, or no answer at all: each is said."""
    provenance("ingest", "--data", small, refused)
    note = tmp_path / "answer.note"
    provenance("receipt", "--data", small, refused, "--proof", note)
    check = ("verify", "--policy", small / "log.policy", "--json", "--answer")
    other = tmp_path / "other.csv"
    other.write_text(HEAD + BAD + BAD)
    code, out, _ = provenance(*check, note, "--payload", other)
    assert (code, "is not the file" in out) == (1, True)
    forged = tmp_path / "forged.note"
    forged.write_text(note.read_text().replace('"quarantined":1', '"quarantined":0'))
    assert "is wrong" in provenance(*check, forged)[1]
    forged.write_text(note.read_text().replace('"origin":"', '"origin":"x'))
    assert "no trusted key of" in provenance(*check, forged)[1]
    forged.write_text("{}")
    code, _, err = provenance(*check, forged)
    assert (code, "holds no answer outside the log" in err) == (1, True)


def test_an_answer_is_no_checkpoint(provenance: Command, small: Path, refused: Path) -> None:
    """The log's key signs both, so neither may be read as the other."""
    told = json.loads(provenance("ingest", "--data", small, refused, "--json")[1])
    with pytest.raises(InputError):
        parse(told["files"][0]["answer"])
    with pytest.raises(InputError):
        said_in(told["checkpoint"].encode())


def test_duplicates_are_answered_and_not_kept(
    provenance: Command, small: Path, tmp_path: Path
) -> None:
    """What the log has, its own batch proves; the digest of a file with it is kept nowhere else."""
    path = tmp_path / "good.csv"
    path.write_text(HEAD + GOOD)
    provenance("ingest", "--data", small, path)
    path.write_text(HEAD + GOOD + GOOD)
    told = json.loads(provenance("ingest", "--data", small, path, "--json")[1])
    (said,) = said_in(told["files"][0]["answer"].encode())
    assert said.content["receipt"]["duplicate"] == 2
    code, _, err = provenance("receipt", "--data", small, path)
    assert (code, "no batch of a file" in err) == (1, True)


def test_what_was_set_aside_goes_while_a_server_runs(
    provenance: Command, small: Path, refused: Path
) -> None:
    """Rows and answers older than `keep_days`; the setting is read anew, a bad one is survived."""
    provenance("ingest", "--data", small, refused)
    layout = Layout(small)
    now = said_in(next(layout.quarantine.glob("answers/*.note")).read_bytes())[0].content["time_us"]
    settings = layout.settings.read_text()
    before = (
        settings if "[quarantine]" in settings else f"{settings}\n[quarantine]\nkeep_days = 0\n"
    )
    wanted = before.replace("keep_days = 0", "keep_days = 30")
    assert expire(layout, lambda: now + 90 * _DAY_US) == []
    layout.settings.write_text(wanted)
    assert expire(layout, lambda: now + 29 * _DAY_US) == []
    layout.settings.write_text("keep_days = ")
    with keeping(layout, lambda: now + 31 * _DAY_US, 0.01):
        time.sleep(0.05)
        assert list(layout.quarantine.glob("*.csv"))
        layout.settings.write_text(wanted)
        for _ in range(200):
            if not list(layout.quarantine.glob("answers/*.note")):
                break
            time.sleep(0.02)
    assert [p for p in layout.quarantine.rglob("*") if p.suffix in {".csv", ".note"}] == []
