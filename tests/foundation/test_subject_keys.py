"""Keys of data subjects as people meet them: an erased person is gone from old copies too."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier
from workspace.layout import Layout
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Command = Callable[..., "tuple[int, str, str]"]

SHEET = "facility_id,month,worker_id,week,hours,gross_pay\n"
ROWS = "F-1,2025-03,W-ANNA,1,41,300\nF-1,2025-03,W-BEN,1,48,310\n"


@pytest.fixture
def data(provenance: Command, tmp_path: Path) -> Path:
    """A workspace with subject keys, and the timesheet of two workers."""
    data, sheet = tmp_path / "data", tmp_path / "timesheets.csv"
    made = provenance("init", "--data", data, "--origin", "x.example/log", "--subject-keys")
    assert made[0] == 0
    sheet.write_text(SHEET + ROWS)
    assert provenance("ingest", sheet, "--data", data)[0] == 0
    return data


def workers(data: Path) -> set[str]:
    """Who can be read there."""
    found = set()
    with Workspace(data) as workspace:
        for entry in workspace.reader.entries(1):
            content = open_entry(entry, Tier.PRIVATE)
            found |= {one["worker_id"] for one in content.get("workers", ())}
    return found


def test_an_erased_person_is_gone_from_a_backup(
    data: Path, provenance: Command, tmp_path: Path
) -> None:
    """A backup from before, with the present keys: the erased worker is closed, the other not."""
    backup = tmp_path / "backup"
    assert provenance("log", "backup", backup, "--data", data, "--with-keys")[0] == 0
    assert not Layout(backup).subject_keys.exists()
    shutil.copy(Layout(data).subject_keys, Layout(backup).subject_keys)
    assert workers(backup) == {"W-ANNA", "W-BEN"}

    code, out, err = provenance("erase", "--subject", "W-ANNA", "--yes", "--data", data)

    assert code == 0, out + err
    assert workers(data) == {"W-BEN"}
    assert provenance("verify", "--data", data)[0] == 0
    shutil.copy(Layout(data).subject_keys, Layout(backup).subject_keys)
    assert workers(backup) == {"W-BEN"}
    everything = b"".join(path.read_bytes() for path in backup.rglob("*") if path.is_file())
    assert b"W-ANNA" not in everything


def test_a_backup_without_keys_verifies_as_far_as_it_can(
    data: Path, provenance: Command, tmp_path: Path
) -> None:
    """What is under keys that are elsewhere is counted; everything else is checked, and is fine."""
    backup = tmp_path / "backup"
    provenance("log", "backup", backup, "--data", data)
    provenance("log", "backup", tmp_path / "keyed", "--data", data, "--with-keys")

    code, out, _ = provenance("verify", "--data", tmp_path / "keyed")

    assert code == 0
    assert "2 fields are under keys of data subjects that are not here" in out
    assert workers(tmp_path / "keyed") == set()


def test_lost_keys_are_told_and_break_nothing_else(
    data: Path, provenance: Command, tmp_path: Path
) -> None:
    """`verify` fails and says why; other records go in; nothing about persons does."""
    keys = Layout(data).subject_keys
    keys.rename(tmp_path / "elsewhere.db")
    sheet, events = tmp_path / "timesheets.csv", tmp_path / "events.csv"
    sheet.write_text(SHEET + "F-1,2025-04,W-CARL,1,40,300\n")
    events.write_text(
        "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity\n"
        "N-1,2025-11-01T08:00:00Z,produce,F-1,COTTON,C-2,500\n"
    )

    code, out, _ = provenance("verify", "--data", data)
    assert (code, out.count("FAILED")) == (1, 1)
    assert f"subject keys: {keys} is missing; put it back from your copy" in out
    assert provenance("ingest", events, "--data", data)[0] == 0
    code, _, err = provenance("ingest", sheet, "--data", data)
    assert code != 0
    assert "the subject keys are missing; put the file back" in err
    assert provenance("subjects", "on", "--data", data)[0] == 1
    (tmp_path / "elsewhere.db").rename(keys)
    assert provenance("ingest", sheet, "--data", data)[0] == 0
    assert provenance("verify", "--data", data)[0] == 0
    assert workers(data) == {"W-ANNA", "W-BEN", "W-CARL"}


def test_keys_can_be_begun_later(provenance: Command, small: Path, tmp_path: Path) -> None:
    """`subjects on` holds for entries from then on, says so once, and keeps the settings file."""
    sheet = tmp_path / "timesheets.csv"
    sheet.write_text(SHEET + ROWS)
    before = (small / "workspace.toml").read_text()

    first = json.loads(provenance("subjects", "on", "--data", small, "--json")[1])
    second = json.loads(provenance("subjects", "on", "--data", small, "--json")[1])
    assert provenance("ingest", sheet, "--data", small)[0] == 0

    assert (first["changed"], second["changed"]) == (True, False)
    assert Layout(small).subject_keys.stat().st_mode & 0o777 == 0o600
    after = (small / "workspace.toml").read_text()
    assert "subject_keys = true" in after
    assert set(before.splitlines()) - set(after.splitlines()) <= {"subject_keys = false"}
    assert {"W-ANNA", "W-BEN"} <= workers(small)
    assert b"W-ANNA" not in b"".join(path.read_bytes() for path in small.glob("log.db*"))
    assert provenance("verify", "--data", small)[0] == 0


def test_a_disclosure_of_an_encrypted_field_verifies(
    data: Path, provenance: Command, tmp_path: Path
) -> None:
    """How a field is stored is nobody's business: its bundle is like any other."""
    bundle = tmp_path / "bundle.json"
    ask = ("disclose", "#1", "--fields", "workers/0", "--to", "inspector", "-o", bundle)

    assert provenance("--data", data, *ask)[0] == 0

    code, out, _ = provenance("verify", "--bundle", bundle, "--policy", data / "log.policy")
    assert (code, "OK      field        '/workers/0'" in out) == (0, True)


def test_an_old_copy_that_was_put_back_is_settled(
    data: Path, provenance: Command, tmp_path: Path
) -> None:
    """What was erased after the copy cannot be found by name any more; it is erased as closed."""
    old = tmp_path / "old"
    shutil.copytree(data, old)
    provenance("erase", "--subject", "W-ANNA", "--yes", "--data", data)
    shutil.copy(Layout(data).subject_keys, Layout(old).subject_keys)
    assert "missing, and no erasure in the log names it" in provenance("verify", "--data", old)[1]

    asked = provenance("subjects", "settle", "--data", old)
    code, out, _ = provenance("subjects", "settle", "--yes", "--data", old)

    assert (asked[0], "say --yes" in asked[2]) == (2, True)
    assert (code, "Erased, and logged in entry" in out) == (0, True)
    assert provenance("verify", "--data", old)[0] == 0
    assert workers(old) == {"W-BEN"}
    again = provenance("subjects", "settle", "--data", old)
    assert (again[0], again[1]) == (0, "Nothing is stored under a key that is gone\n")
    assert provenance("ingest", tmp_path / "timesheets.csv", "--data", old)[0] == 0
    assert workers(old) == {"W-BEN"}
    assert provenance("verify", "--data", old)[0] == 0
