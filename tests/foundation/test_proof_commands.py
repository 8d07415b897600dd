"""Proofs on the command line: of one entry and of many, of growth, and checked without the log."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from provenance.notes.checkpoint import Checkpoint, parse, sign
from provenance.notes.keys import load
from workspace.workspace import Layout

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]


@pytest.fixture
def policy(small: Path, tmp_path: Path) -> Path:
    """Only what a stranger has: the trust policy, away from the workspace."""
    return shutil.copy(small / "log.policy", tmp_path / "trusted.policy")


@pytest.fixture
def kept(small: Path, tmp_path: Path) -> Path:
    """An early checkpoint that somebody kept."""
    connection = apsw.Connection(str(small / "log.db"))
    ask = "SELECT note FROM checkpoint WHERE size > 1 ORDER BY size LIMIT 1"
    note = connection.execute(ask).fetchone()[0]
    connection.close()
    path = tmp_path / "kept"
    path.write_text(note)
    return path


def checked(provenance: Command, file: Path, policy: Path, *more: object) -> tuple[int, Any]:
    """Verify a file of proofs as a stranger does."""
    code, out, err = provenance(
        "verify", "--bundle", file, "--policy", policy, "--data", "nowhere", "--json", *more
    )
    assert err == ""
    return code, json.loads(out)


def test_many_proofs_are_one_file_that_verifies(
    provenance: Command, small: Path, policy: Path, tmp_path: Path
) -> None:
    """Several events give one file, smaller than theirs; each entry is judged on its own."""
    out = tmp_path / "many.json"
    code, said, _ = provenance("proof", "E-1", "E-2", "#0", "#0", "-o", out, "--data", small)
    assert code == 0
    assert "3 entries, 0 fields opened" in said
    code, judged = checked(provenance, out, policy)
    assert (code, judged["ok"]) == (0, True)
    assert len(judged["entries"]) == 3
    for entry in judged["entries"]:
        good = {one["name"] for one in entry["verdicts"] if one["status"] == "ok"}
        assert good == {"signed", "included", "body"}
    code, said, _ = provenance("verify", "--bundle", out, "--policy", policy)
    assert (code, said.count("\n")) == (0, 3)
    assert said.splitlines()[0] == "OK      entry 0        signed, included, body"
    document = json.loads(out.read_bytes())
    document["entries"][1]["body"] = document["entries"][2]["body"]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    out.write_text(f"{text}\n")
    code, said, _ = provenance("verify", "--bundle", out, "--policy", policy)
    assert code == 1
    assert [line.split()[:2] for line in said.splitlines()] == [
        ["OK", "entry"],
        ["FAILED", "entry"],
        ["FAILED", "body"],
        ["OK", "entry"],
    ]


@pytest.mark.parametrize(
    ("words", "entries"),
    [
        (("--item", "C-1"), [6, 7, 8, 9]),
        (("--item", "Y-1"), [9]),
        (("--item", "Y-1", "--depth", "3"), [6, 7, 8, 9]),
        (("--facility", "F-MILL"), [8, 9]),
        (("#0", "--facility", "F-FARM"), [0, 6, 7]),
    ],
)
def test_entries_are_chosen_by_what_they_are_about(
    words: tuple[str, ...], entries: list[int], provenance: Command, small: Path, policy: Path
) -> None:
    """All events of an item, of its history, or at a place, beside those named one by one."""
    out = policy.with_name("proofs.json")
    code, said, _ = provenance("proof", *words, "-o", out, "--data", small, "--json")
    assert code == 0
    assert json.loads(said)["indices"] == entries
    code, judged = checked(provenance, out, policy)
    assert code == 0
    assert [one["index"] for one in judged.get("entries", [judged])] == entries


def test_a_tlog_proof_is_written_and_read(
    provenance: Command, small: Path, policy: Path, tmp_path: Path
) -> None:
    """C2SP's form says as much as it can: signed and included."""
    out = tmp_path / "one.tlog-proof"
    assert provenance("proof", "E-1", "--format", "tlog-proof", "-o", out, "--data", small)[0] == 0
    assert out.read_text().startswith("c2sp.org/tlog-proof@v1\nextra ")
    code, judged = checked(provenance, out, policy)
    good = [one["name"] for one in judged["verdicts"] if one["status"] == "ok"]
    assert (code, good) == (0, ["signed", "included"])
    out.write_text(out.read_text().replace("index ", "index 1"))
    assert checked(provenance, out, policy)[0] == 1
    words = ("proof", "E-1", "E-2", "--format", "tlog-proof", "--data", small)
    code, said, err = provenance(*words)
    assert (code, said) == (2, "")
    assert "a .tlog-proof holds one entry" in err


def test_a_proof_leads_on_from_a_kept_checkpoint(
    provenance: Command, small: Path, policy: Path, kept: Path, tmp_path: Path
) -> None:
    """`proof --older` ties it in, `verify --older` looks for just that one."""
    out, bare = tmp_path / "one.json", tmp_path / "bare.json"
    assert provenance("proof", "E-1", "--older", kept, "-o", out, "--data", small)[0] == 0
    assert provenance("proof", "E-1", "-o", bare, "--data", small)[0] == 0
    code, judged = checked(provenance, out, policy, "--older", kept)
    assert (code, judged["verdicts"][-1]["name"]) == (0, "continues")
    code, judged = checked(provenance, bare, policy, "--older", kept)
    assert code == 1
    assert "`--older`" in judged["verdicts"][-1]["text"]
    newest = small / "checkpoint"
    assert checked(provenance, bare, policy, "--older", newest)[0] == 0


def test_consistency_between_sizes_and_checkpoints(
    provenance: Command, small: Path, kept: Path
) -> None:
    """OLD and NEW are sizes or files; NEW is the latest if it is not given."""
    size = parse(kept.read_bytes())[0].size
    for words in ((size,), (size, 17), (kept, 17), (kept, small / "checkpoint"), (kept,)):
        code, said, err = provenance("log", "consistency", *words, "--data", small)
        assert (code, err) == (0, "")
        assert f"the first {size} entries begin the 17" in said
        root = kept.read_text().split("\n")[2]
        assert f"root hash at {size}: {root}" in said
    code, said, _ = provenance("log", "consistency", kept, "--data", small, "--json")
    found = json.loads(said)
    assert (found["v"], found["old"]["size"]) == ("provenance/consistency/1", size)


def test_consistency_that_cannot_be_proven(
    provenance: Command, small: Path, kept: Path, tmp_path: Path
) -> None:
    """Each refusal is one line with its reason; another history is exit code 1, and loud."""
    key = load(Layout(small).log_key)
    false = tmp_path / "false"
    false.write_text(sign(Checkpoint(key.name, 5, bytes(32)), [key]))
    other = tmp_path / "other"
    other.write_text(kept.read_text().replace(key.name, "other.example/log"))
    cases: list[tuple[tuple[object, ...], int, str]] = [
        ((0,), 2, "from size 0"),
        ((9, 3), 2, "from size 9 to size 3"),
        ((3, 99), 2, "the log has 17 entries, not 99"),
        ((tmp_path / "missing",), 2, "No such file"),
        ((small / "log.policy",), 1, "a signed note is"),
        ((other,), 2, "of the log other.example/log"),
        ((false,), 1, "THIS CHECKPOINT IS OF ANOTHER HISTORY"),
        (("-3",), 2, ""),
    ]
    for words, wanted, reason in cases:
        code, out, err = provenance("log", "consistency", *words, "--data", small)
        assert (code, out) == (wanted, "")
        assert reason in err
        assert "Traceback" not in err
    code, _, err = provenance("proof", "E-1", "--older", false, "--data", small)
    assert code == 1
    assert "ANOTHER HISTORY" in err


def test_an_export_is_told_in_numbers(provenance: Command, small: Path, tmp_path: Path) -> None:
    """`log export` says what it wrote, and writes nothing the second time."""
    out = tmp_path / "out"
    code, said, _ = provenance("log", "export", out, "--data", small)
    assert (code, said) == (0, f"Exported to {out}: 17 entries, 19 new files\n")
    code, said, _ = provenance("log", "export", out, "--data", small, "--json")
    told = {"size": 17, "before": 17, "written": 0, "removed": 0}
    assert json.loads(said) == {"directory": str(out), **told}
    assert (out / "checkpoint").read_bytes() == (small / "checkpoint").read_bytes()


def test_a_file_that_is_no_proof(provenance: Command, policy: Path, tmp_path: Path) -> None:
    """One line and exit code 1, whatever form it pretends to have."""
    file = tmp_path / "file"
    for text, reason in (
        ("", "the bundle cannot be read"),
        ("c2sp.org/tlog-proof@v1\n", "an empty line in it"),
        ('{"v": "provenance/proofs/1"}', "the batch of proofs cannot be read"),
        ('{"v":"provenance/proof/1"}', "the bundle cannot be read"),
    ):
        file.write_text(text)
        code, out, err = provenance("verify", "--bundle", file, "--policy", policy)
        assert (code, out) == (1, "")
        assert err.startswith("provenance: ")
        assert err.count("\n") == 1
        assert reason in err


def test_a_bundle_that_only_some_readers_of_json_take(
    provenance: Command, small: Path, policy: Path, tmp_path: Path
) -> None:
    """What the verifier has judged is reported, also where another parser would refuse the file."""
    file = tmp_path / "one.json"
    assert provenance("proof", "E-1", "-o", file, "--data", small)[0] == 0
    text = file.read_text().replace('"origin": "', '"origin": "\\ud800')
    file.write_text(text)
    code, said, err = provenance("verify", "--bundle", file, "--policy", policy)
    assert (code, err) == (1, "")
    assert "FAILED  signed" in said
    assert "OK      included" in said


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ((), 2, "say which entries"),
        (("E-1", "--depth", "2"), 2, "--depth says how many steps back"),
        (("--item", "Y-1", "--depth", "-1"), 2, "--depth says how many steps back"),
        (("--item", "nothing"), 1, "no item is called 'nothing'"),
        (("--facility", "F-NONE"), 1, "no event at facility 'F-NONE'"),
        (("E-1", "E-404"), 1, "no event E-404"),
        (("#17",), 1, "the log has no entry 17"),
    ],
)
def test_what_cannot_be_chosen(
    words: tuple[str, ...], code: int, reason: str, provenance: Command, small: Path
) -> None:
    """Nothing named, a depth of nothing, names that are not on record: one line each."""
    ended, out, err = provenance("proof", *words, "--data", small)
    assert (ended, out) == (code, "")
    assert reason in err
    assert err.count("\n") == 1
