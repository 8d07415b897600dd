"""Rules of restoring: everything is recomputed first, and only what is newest goes on."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import apsw
import pytest

from provenance.entries import Draft, EntryType, Identity
from provenance.notes.checkpoint import parse, sign
from workspace.upgrade import upgrade
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from tests.foundation.conftest import Ran

    Command = Callable[..., Ran]


@pytest.fixture
def data(small: Path, provenance: Command) -> Path:
    """A workspace, and a backup of it with its keys beside it, called backup."""
    upgrade(small)
    made = provenance("--data", small, "log", "backup", small.with_name("backup"), "--with-keys")
    assert made.code == 0
    return small


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A file with one event more."""
    path = tmp_path / "rows.csv"
    path.write_text(
        "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity\n"
        "N-1,2025-11-01T08:00:00Z,produce,F-FARM,COTTON,C-2,500\n"
    )
    return path


def more(data: Path) -> None:
    """Append an event, after the backup was taken."""
    content = {"party": "mill", "event_id": "M-1"}
    draft = Draft(EntryType.EVENT, "event/1", content, (Identity(("event", "mill", "M-1")),))
    with Workspace(data) as workspace:
        workspace.log.append([draft])


def left(place: Path) -> list[str]:
    """What is at the place of a restored workspace, or hidden beside it."""
    return [one.name for one in place.parent.iterdir() if one.name.strip(".").startswith("again")]


def test_a_restored_workspace_is_read_and_not_written(
    data: Path, rows: Path, provenance: Command
) -> None:
    """Without proof that it is the newest, it answers, verifies, and refuses every entry."""
    backup, again = data.with_name("backup"), data.with_name("again")

    made = provenance("log", "restore", backup, "--data", again)

    assert (made.code, made.out.splitlines()[1].strip()) == (
        0,
        "is only read: entries newer than the backup may have been published",
    )
    assert "what was erased after the backup was taken is back" in made.err
    assert provenance("--data", again, "verify").code == 0
    assert provenance("--data", again, "trace", "Y-1").code == 0
    refused = provenance("--data", again, "ingest", rows)
    assert refused.code == 2
    assert "only read" in refused.err
    assert provenance("--data", again, "verify").code == 0


def test_the_newest_state_goes_on(data: Path, rows: Path, provenance: Command) -> None:
    """With the newest checkpoint that anybody has seen, cosigned or not, it is written again."""
    backup, again = data.with_name("backup"), data.with_name("again")

    made = provenance(
        "log", "restore", backup, "--data", again, "--checkpoint", data / "checkpoint"
    )

    assert (made.code, made.err) == (0, "")
    assert provenance("--data", again, "ingest", rows).code == 0
    assert provenance("--data", again, "verify").code == 0
    with Workspace(again) as workspace:
        assert workspace.reader.find(("event", "mill", "E-3")) is not None
        assert workspace.settings.role == "log"


@pytest.mark.parametrize(
    ("which", "code", "says"),
    [
        ("newer", 2, "the world has seen 18 entries, this copy holds 17"),
        ("older", 2, "it does not prove that there are no newer ones"),
        ("fork", 1, "of another history"),
        ("stranger", 1, "the signature of 'fixture.example/log' is wrong"),
        ("torn", 1, "--checkpoint: "),
        ("missing", 2, "No such file"),
    ],
)
def test_any_other_checkpoint_restores_nothing(
    data: Path, provenance: Command, maker: ModuleType, *, which: str, code: int, says: str
) -> None:
    """Newer, older, another history's, another key's, damaged: each refused for its own reason."""
    note = (data / "checkpoint").read_text()
    said = parse(note)[0]
    if which == "newer":
        more(data)
        note = (data / "checkpoint").read_text()
    elif which == "older":
        with Workspace(data) as workspace:
            note = sign(
                said._replace(size=5, root=workspace.reader.root_at(5)), [maker.signing_key()]
            )
    elif which == "fork":
        note = sign(said._replace(root=bytes(32)), [maker.signing_key()])
    elif which == "stranger":
        lines = note.split("\n")
        note = note.replace(lines[2], "A" * 43 + "=")
    elif which == "torn":
        note = note[:50]
    if which != "missing":
        (data / "kept").write_text(note)

    again = data.with_name("again")
    backup = data.with_name("backup")
    refused = provenance("log", "restore", backup, "--data", again, "--checkpoint", data / "kept")

    assert refused.code == code
    assert says in refused.err
    assert len(refused.err.splitlines()) == 1
    assert left(again) == []


def test_keys_may_lie_elsewhere(data: Path, provenance: Command) -> None:
    """A backup without keys asks for them; with them it is like any other."""
    plain, again = data.with_name("plain"), data.with_name("again")
    provenance("--data", data, "log", "backup", plain)

    refused = provenance("log", "restore", plain, "--data", again)
    assert (refused.code, left(again)) == (2, [])
    assert "keys" in refused.err

    assert provenance("log", "restore", plain, "--data", again, "--keys", data / "keys").code == 0
    assert provenance("--data", again, "verify").code == 0


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE body SET body = CAST('{}' AS BLOB) WHERE idx = 5",
        "DELETE FROM event_id WHERE idx = 3",
        "DROP TRIGGER leaf_kept",
    ],
)
def test_a_damaged_backup_is_not_restored(data: Path, provenance: Command, damage: str) -> None:
    """Whatever does not add up in the backup, nothing is made of it."""
    database = apsw.Connection(str(data.with_name("backup") / "log.db"))
    database.execute(damage)
    database.close()

    again = data.with_name("again")
    refused = provenance("log", "restore", data.with_name("backup"), "--data", again)

    assert refused.code == 1
    assert "does not add up" in refused.err
    assert left(again) == []


def test_nothing_is_restored_over_something(data: Path, provenance: Command) -> None:
    """A place that holds anything is left alone; what is no backup is told."""
    backup = data.with_name("backup")
    assert provenance("log", "restore", backup, "--data", data).code == 2
    assert (
        "there is a workspace already" in provenance("log", "restore", backup, "--data", data).err
    )
    assert (
        "no workspace here"
        in provenance("log", "restore", data / "keys", "--data", data.with_name("again")).err
    )
    shutil.rmtree(backup)
    assert provenance("log", "restore", backup, "--data", data.with_name("again")).code == 2
    assert left(data.with_name("again")) == []
