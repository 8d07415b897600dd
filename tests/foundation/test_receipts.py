"""Receipts: the answer to an ingest, given again out of the log, and proved to those who ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

HEAD = "event_id,event_time,event_type,facility_id\n"
GOOD = "R-1,2024-05-01T00:00:00Z,inspect,F\nR-2,2024-05-02T00:00:00Z,inspect,F\n"
BAD = "R-3,2024-05-03T00:00:00Z,dance,F\n"


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    """A file of which one row cannot be taken."""
    path = tmp_path / "may.csv"
    path.write_text(HEAD + GOOD + BAD)
    return path


def test_the_answer_can_be_given_again(provenance: Command, small: Path, delivery: Path) -> None:
    """By the file or by its batch entry, with the numbers and reasons of the first answer."""
    kept = delivery.with_name("receipt.json")
    code, out, _ = provenance("ingest", "--data", small, delivery, "--receipt", kept, "--json")
    assert code == 3
    first = json.loads(out)
    assert json.loads(kept.read_text()) == first
    (part,) = first["files"]
    assert (first["status"], part["status"]) == ("PARTIAL", "PARTIAL")
    for name in (str(delivery), f"#{part['batch']}"):
        again = json.loads(provenance("receipt", "--data", small, name, "--json")[1])
        same = ("status", "rows", "accepted", "duplicate", "quarantined", "appended", "warnings")
        assert {name: again[name] for name in same} == {name: part[name] for name in same}
        assert dict(again["reasons"]) == part["reasons"]
        assert (again["batch"], again["ranges"]) == (part["batch"], part["ranges"])
        assert (again["payload"], again["file"]) == (part["payload"], "may.csv")
    assert "PARTIAL" in provenance("receipt", "--data", small, delivery)[1]


@pytest.mark.parametrize(
    ("rows", "status"), [(GOOD, "SUCCESS"), (GOOD + BAD, "PARTIAL"), (BAD, "FAILED")]
)
def test_the_status_says_how_much_was_taken(
    provenance: Command, small: Path, tmp_path: Path, rows: str, status: str
) -> None:
    """All, some or none of the rows; a duplicate is in the log, so it counts as taken."""
    path = tmp_path / "file.csv"
    path.write_text(HEAD + rows)
    for _ in range(2):
        told = json.loads(provenance("ingest", "--data", small, path, "--json")[1])
        assert told["status"] == status


def test_the_proof_shows_which_file_it_was(
    provenance: Command, small: Path, delivery: Path, tmp_path: Path
) -> None:
    """Verified offline: these bytes were taken; of one byte more it says that they were not."""
    provenance("ingest", "--data", small, delivery)
    proof = tmp_path / "proof.json"
    assert provenance("receipt", "--data", small, delivery, "--proof", proof)[0] == 0
    check = ("verify", "--policy", small / "log.policy", "--bundle", proof, "--payload")
    code, out, _ = provenance(*check, delivery)
    assert code == 0
    assert "byte by byte" in out
    other = tmp_path / "other.csv"
    other.write_text(delivery.read_text() + "\n")
    code, out, _ = provenance(*check, other)
    assert (code, "is not the file" in out) == (1, True)
    forged = json.loads(proof.read_text())
    forged["disclosed"] = [one for one in forged["disclosed"] if one["path"] != "/source"]
    proof.write_text(json.dumps(forged))
    code, out, _ = provenance(*check, delivery)
    assert (code, "does not open /source" in out) == (1, True)
    bundle = tmp_path / "event.json"
    provenance("proof", "--data", small, "R-1", "-o", bundle)
    check = ("verify", "--policy", small / "log.policy", "--bundle", bundle, "--payload")
    assert provenance(*check, delivery)[0] == 1


def test_the_public_learns_nothing_of_the_file(
    provenance: Command, small: Path, delivery: Path, tmp_path: Path
) -> None:
    """Name, digest, counts and reasons are private; a proof for all shows the entry alone."""
    told = json.loads(provenance("ingest", "--data", small, delivery, "--json")[1])
    batch = f"#{told['files'][0]['batch']}"
    bundle = tmp_path / "public.json"
    provenance("proof", "--data", small, batch, "-o", bundle)
    assert "may" not in bundle.read_text()
    assert json.loads(bundle.read_text())["disclosed"] == []


def test_what_has_no_receipt(provenance: Command, small: Path, delivery: Path) -> None:
    """A file that was never taken, an entry that is no batch: one line that says so."""
    code, _, err = provenance("receipt", "--data", small, delivery)
    assert (code, "no batch of a file" in err) == (1, True)
    assert "is no batch entry" in provenance("receipt", "--data", small, "#0")[2]
    assert provenance("receipt", "--data", small, "absent.csv")[0] != 0


def test_a_batch_of_an_older_version_is_told_as_far_as_it_goes(
    provenance: Command, small: Path
) -> None:
    """Batches from before answers were kept have their ranges and their file, and no counts."""
    log = json.loads(provenance("verify", "--data", small, "--json")[1])
    found = []
    for index in range(log["size"]):
        code, out, _ = provenance("receipt", "--data", small, f"#{index}", "--json")
        if code == 0:
            found.append(json.loads(out))
    assert found
    assert all(one["ranges"] and one["checkpoint"] for one in found)
    assert any(one["status"] is None and "rows" not in one for one in found)


def test_the_answer_stays_when_the_file_is_forgotten(
    provenance: Command, small: Path, delivery: Path
) -> None:
    """An erased event takes the digest of its file along, which others could guess it with."""
    told = json.loads(provenance("ingest", "--data", small, delivery, "--json")[1])
    batch = f"#{told['files'][0]['batch']}"
    code, _, err = provenance("erase", "--data", small, "R-1", "--whole", "--yes")
    assert code == 0, err
    again = json.loads(provenance("receipt", "--data", small, batch, "--json")[1])
    assert (again["payload"], again["file"], again["quarantine"]) == (None, None, None)
    assert (again["status"], again["rows"]) == ("PARTIAL", 3)
    assert "erased" in provenance("receipt", "--data", small, batch)[1]
