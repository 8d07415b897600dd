"""Rules of backups: whole or not there, taken while others write, never written to."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest

from provenance.entries import Draft, EntryType, Identity
from workspace import backup as backup_module
from workspace import making
from workspace.upgrade import upgrade
from workspace.workspace import Layout, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.foundation.conftest import Ran

ROOT = Path(__file__).parent.parent.parent
EVENTS = "event_id,event_type,event_time,facility_id,product_id,lot_id\n"


@pytest.fixture
def data(small: Path) -> Path:
    """A workspace of the present format that can be written."""
    upgrade(small)
    return small


def more(data: Path, first: int, count: int) -> int:
    """Append some events; returns how many entries there are then."""
    drafts = [
        Draft(
            EntryType.EVENT,
            "event/1",
            {"party": "mill", "event_id": f"N-{number}", "carrier": f"carrier {number}"},
            (Identity(("event", "mill", f"N-{number}")),),
        )
        for number in range(first, first + count)
    ]
    with Workspace(data) as workspace:
        workspace.log.append(drafts)
        return workspace.log.size


def hidden(place: Path) -> list[str]:
    """What a copy that failed has left behind."""
    return [path.name for path in place.iterdir() if path.name.startswith(".")]


def test_a_backup_verifies_and_says_what_is_in_it(
    data: Path, tmp_path: Path, provenance: Callable[..., Ran]
) -> None:
    """It holds the log, settings, policy and quarantine; keys only where asked for; no graph."""
    (data / "quarantine" / "late.csv").write_text("a,b\n")
    (data / "keys" / "subjects.db").write_bytes(b"keys that are deleted to forget")
    (data / "graph.db").write_bytes(b"")

    plain = provenance("--data", data, "log", "backup", tmp_path / "plain")
    keyed = provenance("--data", data, "log", "backup", tmp_path / "keyed", "--with-keys", "--json")

    assert (plain.code, keyed.code) == (0, 0)
    assert "keep keys/ elsewhere" in plain.out
    assert "fields that are not public can be read" in plain.out
    assert json.loads(keyed.out)["keys"] == ["log.key", "workspace.secret"]
    names = {
        path.relative_to(tmp_path / "plain").as_posix() for path in (tmp_path / "plain").rglob("*")
    }
    assert names == {
        "checkpoint",
        "high-water",
        "log.db",
        "log.policy",
        "quarantine",
        "quarantine/late.csv",
        "workspace.toml",
    }
    assert not (tmp_path / "keyed" / "keys" / "subjects.db").exists()
    assert (tmp_path / "keyed").stat().st_mode & 0o077 == 0
    checked = provenance("--data", tmp_path / "keyed", "verify")
    assert (checked.code, checked.out.split()[0]) == (0, "OK")
    assert (tmp_path / "keyed" / "checkpoint").read_text() == (data / "checkpoint").read_text()


def test_a_backup_is_not_written_to(
    data: Path, tmp_path: Path, provenance: Callable[..., Ran]
) -> None:
    """Used as a workspace it can be read, and refuses to go on."""
    provenance("--data", data, "log", "backup", tmp_path / "copy", "--with-keys")
    (tmp_path / "rows.csv").write_text(f"{EVENTS}Z-1,ship,2026-01-01T00:00:00Z,F,P,L\n")

    refused = provenance("--data", tmp_path / "copy", "ingest", tmp_path / "rows.csv")

    assert refused.code == 2
    assert "provenance log restore" in refused.err
    assert provenance("--data", tmp_path / "copy", "trace", "Y-1").code == 0


def test_a_backup_beside_writers_is_one_state(data: Path, tmp_path: Path) -> None:
    """Taken again and again while others append, each copy adds up and holds all up to its end."""
    done = threading.Event()
    grown = []

    def write() -> None:
        number = 0
        while not done.is_set():
            grown.append(more(data, number, 20))
            number += 20

    writer = threading.Thread(target=write)
    writer.start()
    sizes = []
    try:
        for number in range(4):
            with Workspace(data) as workspace:
                made = backup_module.back_up(
                    workspace, tmp_path / f"copy-{number}", lambda *_: None, with_keys=True
                )
            sizes.append(made.log.size)
    finally:
        done.set()
        writer.join()

    assert sizes == sorted(sizes)
    assert set(sizes) <= {17, *grown}
    for number, size in enumerate(sizes):
        mark = (tmp_path / f"copy-{number}" / "high-water").read_text()
        assert mark.split("\n")[2] == str(size)


def test_nothing_is_overwritten(data: Path, tmp_path: Path, provenance: Callable[..., Ran]) -> None:
    """A place that holds anything is refused and left as it is; an empty directory is taken."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("dear")
    (tmp_path / "empty").mkdir()

    for place in ("full", "file", "small"):
        assert provenance("--data", data, "log", "backup", tmp_path / place).code == 2
    assert provenance("--data", data, "log", "backup", tmp_path / "empty").code == 0

    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter.txt"]
    assert hidden(tmp_path) == []


def test_what_was_deleted_is_not_in_the_copy(data: Path, tmp_path: Path) -> None:
    """Openings deleted before, even carelessly, are nowhere in the bytes of a backup."""
    secret = b"carrier 3"
    more(data, 0, 10)
    database = apsw.Connection(str(data / "log.db"))
    database.pragma("secure_delete", "OFF")
    database.execute("DELETE FROM opening WHERE instr(preimage, ?)", (secret,))
    database.pragma("wal_checkpoint", "TRUNCATE")
    database.close()
    assert secret in (data / "log.db").read_bytes()

    with Workspace(data) as workspace:
        backup_module.back_up(workspace, tmp_path / "copy", lambda *_: None, check=False)

    copied = b"".join(
        path.read_bytes() for path in (tmp_path / "copy").rglob("*") if path.is_file()
    )
    assert secret not in copied
    assert b"carrier 4" in copied


def test_a_damaged_log_makes_no_backup(
    data: Path, tmp_path: Path, provenance: Callable[..., Ran]
) -> None:
    """What does not add up is not called a backup, unless nobody asks."""
    database = apsw.Connection(str(data / "log.db"))
    database.execute("UPDATE body SET body = CAST('{}' AS BLOB) WHERE idx = 5")
    database.close()

    refused = provenance("--data", data, "log", "backup", tmp_path / "copy")

    assert refused.code == 1
    assert "body 5" in refused.err
    assert not (tmp_path / "copy").exists()
    assert hidden(tmp_path) == []
    assert provenance("--data", data, "log", "backup", tmp_path / "c", "--unchecked").code == 0


def test_an_old_copy_makes_no_backup(
    data: Path, tmp_path: Path, provenance: Callable[..., Ran]
) -> None:
    """A database that is behind what was published is refused: a backup would hide that."""
    shutil.copy(data / "log.db", tmp_path / "old.db")
    more(data, 0, 5)
    shutil.copy(tmp_path / "old.db", data / "log.db")

    refused = provenance("--data", data, "log", "backup", tmp_path / "copy")

    assert refused.code == 2
    assert "an old copy was put back" in refused.err
    assert hidden(tmp_path) == []


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv[1:] = sys.argv[2:]
from cli import main
main()
"""


@pytest.mark.parametrize("limit", [20_000, 120_000])
def test_a_full_disk_leaves_nothing_that_looks_like_a_backup(
    data: Path, tmp_path: Path, limit: int
) -> None:
    """When the system takes no more bytes, there is one line, and no half of a copy."""
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            LIMITED,
            str(limit),
            "--data",
            data,
            "log",
            "backup",
            tmp_path / "c",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 2, ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert str(tmp_path) in ran.stderr
    assert not (tmp_path / "c").exists()
    assert hidden(tmp_path) == []
    assert {path: path.read_bytes() for path in before} == before
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_interrupted_it_leaves_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at any step of the copy takes the unfinished copy away."""
    copying = ("copy_log", "copy_file", "copy_quarantine", "edited", "audit")
    steps = [*((backup_module, name) for name in copying), (making, "sync_directory")]
    for module, name in steps:

        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, Workspace(data) as workspace:
            patch.setattr(module, name, interrupt)
            with pytest.raises(KeyboardInterrupt):
                backup_module.back_up(workspace, tmp_path / "copy", lambda *_: None)
        assert not (tmp_path / "copy").exists()
        assert hidden(tmp_path) == []
    assert Layout(data).log.database.exists()
