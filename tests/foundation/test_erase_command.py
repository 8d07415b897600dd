"""Rules of `provenance erase`, as a person runs it: asked first, thorough, honest at the end."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Tier
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Ran

    Command = Callable[..., Ran]

ROOT = Path(__file__).parent.parent.parent
EVENTS = """\
event_id,event_time,event_type,facility_id,product_id,lot_id,carrier,serial_ids,driver,badge
E-1,2024-01-01T10:00:00Z,produce,F1,P1,LOT-A,,,,
E-2,2024-01-02T10:00:00Z,ship,F1,P1,LOT-A,Kestrel Lines,SER-11;SER-12,Ana Belén,B-2222
E-3,2024-01-03T10:00:00Z,ship,F1,P1,LOT-A,Osprey Freight,,Bo Diddley,B-3333
E-4,2024-01-04T10:00:00Z,produce,F1,P2,LOT-MARKED,Kestrel Lines,,,
E-2,2024-01-02T10:00:00Z,ship,F1,P1,LOT-A,Heron,,Ana Belén,B-2222
E-5,2024-13-01T10:00:00Z,ship,F1,P1,LOT-A,Kestrel Lines,,Ana Belén,
E-6,2024-13-01T10:00:00Z,ship,F1,P1,LOT-A,Merlin,,Cy Twombly,
E-7,2024-01-07T10:00:00Z,ship,F1,P1,LOT-A,Merlin,,Ana Belén,,too,many,cells
"""
TIMESHEETS = """\
facility_id,month,worker_id,week,hours,gross_pay
F1,2024-01,W-889,1,44,101
F1,2024-01,W-889,2,45,102
F1,2024-01,W-890,1,46,103
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with events, timesheets, rows set aside, and a graph, made by the commands."""
    place = tmp_path_factory.mktemp("filled")
    (place / "in").mkdir()
    (place / "in" / "events.csv").write_text(EVENTS)
    (place / "in" / "timesheets.csv").write_text(TIMESHEETS)
    shell(place / "ws", "init", "--origin", "erase.example/log")
    shell(place / "ws", "ingest", str(place / "in"), code=3)
    return place


@pytest.fixture
def ws(filled: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(filled, tmp_path / "copy")
    return tmp_path / "copy" / "ws"


def shell(data: Path, *words: str, code: int = 0) -> str:
    """Run one command in a process of its own; returns what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "--data", str(data), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def run(provenance: Command, data: Path, *words: str, code: int = 0) -> str:
    """Run one command in this process; returns what it printed."""
    done = provenance("--data", data, *words)
    assert done.code == code, done
    return str(done.out + done.err)


def files_with(data: Path, *marks: str | bytes) -> dict[str | bytes, list[str]]:
    """Which files below the workspace hold which marks, in their raw bytes."""
    held = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    found: dict[str | bytes, list[str]] = {}
    for mark in marks:
        sought = mark if isinstance(mark, bytes) else mark.encode()
        names = [str(path.relative_to(data)) for path, content in held.items() if sought in content]
        if names:
            found[mark] = names
    return found


def salts(data: Path, event: str, *paths: str) -> list[bytes]:
    """The salts of openings of an event."""
    with Workspace(data) as workspace:
        index = workspace.reader.find(("event", "self", event))
        assert index is not None
        entry = workspace.reader.entry(index)
    return [o.salt for o in entry.openings if not paths or o.path in paths]


def check(data: Path, provenance: Command) -> None:
    """Everything adds up, and every entry proves itself."""
    report = json.loads(run(provenance, data, "verify", "--json"))
    assert report["ok"], report["problems"]
    assert report["pending"] == {}
    with Workspace(data) as workspace:
        for index in range(workspace.reader.size):
            assert workspace.reader.prove(index)["path"] is not None


def test_fields_leave_every_file(ws: Path, provenance: Command) -> None:
    """Plain text and salts are in the files before, and in none after; the rest stays."""
    gone = ["Ana Belén", "B-2222", "SER-11", "SER-12"]
    own = salts(ws, "E-2", "/ext/0", "/ext/1", "/items/0/serial_ids/0", "/items/0/serial_ids/1")
    assert len(own) == 4
    before = files_with(ws, *gone, *own)
    assert {name.split("-")[0] for name in before["SER-11"]} == {"log.db", "graph.db"}
    assert "quarantine" in str(before["Ana Belén"])
    assert len(before) == 8

    told = shell(
        ws, "erase", "E-2", "--fields", "ext/driver,ext/badge,items/*/serial_ids/*", "--yes"
    )
    assert "It is gone from every file" in told
    assert files_with(ws, "B-2222", "SER-11", "SER-12", *own) == {}
    assert set(files_with(ws, "Ana Belén")) == {"Ana Belén"}  # of other rows set aside
    assert files_with(ws, "Kestrel Lines", "Bo Diddley").keys() == {"Kestrel Lines", "Bo Diddley"}
    check(ws, provenance)
    shell(ws, "erase", "--subject", "Ana Belén", "--yes")
    assert files_with(ws, *gone, *own) == {}
    assert "Cy Twombly" in files_with(ws, "Cy Twombly")
    check(ws, provenance)


def test_a_whole_event_leaves_every_file(ws: Path, provenance: Command) -> None:
    """An event that made a lot takes the lot with it; what it was is said nowhere any more."""
    own = salts(ws, "E-4")
    assert files_with(ws, "LOT-MARKED", *own).keys() == {"LOT-MARKED", *own}

    told = shell(ws, "erase", "E-4", "--whole", "--yes")

    assert "Public so far" in told
    assert files_with(ws, "LOT-MARKED", *own) == {}
    assert "erased      True" in provenance("--data", ws, "lookup", "E-4").out
    assert provenance("--data", ws, "lookup", "LOT-MARKED").code == 1
    assert provenance("--data", ws, "trace", "LOT-MARKED").code == 1
    check(ws, provenance)
    told = json.loads(shell(ws, "ingest", str(ws.parent / "in"), "--json", code=3))
    assert told["appended"] == 0
    assert files_with(ws, "LOT-MARKED") == {}


def test_a_worker_leaves_every_file_and_does_not_come_back(ws: Path, provenance: Command) -> None:
    """One worker's weeks go, the others' stay, and the same file again brings nobody back."""
    assert files_with(ws, "W-889")

    run(provenance, ws, "erase", "--subject", "W-889", "--yes")

    assert files_with(ws, "W-889") == {}
    assert files_with(ws, "W-890")
    told = json.loads(
        run(provenance, ws, "ingest", str(ws.parent / "in" / "timesheets.csv"), "--json")
    )
    assert [told[name] for name in ("duplicate", "appended")] == [3, 0]
    assert files_with(ws, "W-889") == {}
    check(ws, provenance)


def test_the_same_file_again_brings_nothing_back(ws: Path, provenance: Command) -> None:
    """An event of which something was erased is a duplicate when its file comes again."""
    run(provenance, ws, "erase", "E-3", "--fields", "ext/driver", "--yes")
    assert files_with(ws, "Bo Diddley") == {}

    told = json.loads(
        run(provenance, ws, "ingest", str(ws.parent / "in" / "events.csv"), "--json", code=3)
    )

    assert (told["appended"], told["accepted"]) == (0, 0)
    assert files_with(ws, "Bo Diddley") == {}
    check(ws, provenance)


def test_a_plan_is_shown_and_nothing_done_without_a_yes(ws: Path, provenance: Command) -> None:
    """Where nobody can be asked, `--yes` is demanded; a dry run only shows."""
    for words, code in ((["--dry-run"], 0), ([], 2)):
        done = provenance("--data", ws, "erase", "E-2", "--fields", "ext/driver", *words)
        assert done.code == code
        assert "/ext/0" in done.out
        assert "the file it came with" in done.out
    assert "say --yes" in done.err
    assert files_with(ws, "Ana Belén", *salts(ws, "E-2", "/ext/0"))
    assert "0 erasures" in provenance("--data", ws, "erase", "--status").out


def test_the_plan_and_the_end_as_json(ws: Path, provenance: Command) -> None:
    """One document with what goes, where it was logged, and what is pending."""
    words = ("erase", "--subject", "Ana Belén", "--json", "--yes")
    done = json.loads(provenance("--data", ws, *words).out)

    assert [one["why"] for one in done["plan"]["entries"]] == ["asked", "batch"]
    assert sum(done["plan"]["set_aside"].values()) == 3
    assert len(done["erasures"]) == 1
    assert done["pending"] == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name one of"),
        (["E-1", "--subject", "x"], "name one of"),
        (["E-1"], "--whole"),
        (["E-1", "--whole", "--fields", "carrier"], "--whole"),
        (["--subject", ""], "--subject"),
        (["E-1", "--field", "x", "--whole"], "--field"),
        (["E-2", "--fields", "event_type"], "only --whole"),
        (["E-2", "--fields", "nonsense"], "has no field"),
        (["--record", "ship|1", "--whole"], "begins with one of"),
        (["#0", "--whole"], "who signs"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    ws: Path, provenance: Command, words: list[str], said: str
) -> None:
    """One line says what is wrong, exit code 2, and nothing is erased."""
    done = provenance("--data", ws, "erase", "--yes", *words)

    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("words", [["E-99", "--whole"], ["--subject", "nobody"]])
def test_what_is_not_there_is_not_found(ws: Path, provenance: Command, words: list[str]) -> None:
    """A name that nothing has ends with exit code 1."""
    assert provenance("--data", ws, "erase", "--yes", *words).code == 1


def test_a_reader_makes_it_pending_and_the_next_writer_resumes(
    ws: Path, provenance: Command
) -> None:
    """Exit code 3 and a reason; `verify` and `--status` say so; whoever writes next finishes."""
    reader = apsw.Connection(str(ws / "log.db"))
    reader.execute("BEGIN; SELECT count(*) FROM leaf").fetchall()
    told = run(provenance, ws, "erase", "E-3", "--fields", "ext/driver", "--yes", code=3)
    assert "PENDING  log.db: somebody reads an older state" in told
    assert "PENDING" in run(provenance, ws, "erase", "--status", code=3)
    verified = run(provenance, ws, "verify")
    assert "OK" in verified
    assert "PENDING  an erasure in log.db" in verified
    assert files_with(ws, "Bo Diddley")
    reader.close()

    assert "PENDING" not in run(provenance, ws, "ingest", str(ws.parent / "in" / "timesheets.csv"))

    assert files_with(ws, "Bo Diddley") == {}
    assert "all carried out" in run(provenance, ws, "erase", "--resume")
    check(ws, provenance)


def test_a_running_ingest_makes_its_rows_pending(ws: Path, provenance: Command) -> None:
    """Rows that another process is setting aside are not torn from it; they go when it has died."""
    growing = ws / "quarantine" / ".events.new"
    growing.write_text("event_id,driver\r\nE-9,Bo Diddley\r\n")
    with growing.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        told = run(provenance, ws, "erase", "--subject", "Bo Diddley", "--yes", code=3)
        assert "PENDING  quarantine: .events.new cannot be rewritten" in told
        assert set(files_with(ws, "Bo Diddley")["Bo Diddley"]) == {"quarantine/.events.new"}
    run(provenance, ws, "erase", "--resume")
    assert files_with(ws, "Bo Diddley") == {}


def test_killed_while_the_files_follow_the_next_writer_completes_it(
    filled: Path, tmp_path: Path
) -> None:
    """SIGKILL before or after each step: once somebody has written again, no file holds it."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "erase_crash.py"), tmp_path, filled / "ws"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 20


def test_a_lost_graph_hinders_nothing(ws: Path, provenance: Command) -> None:
    """Without a graph there is nothing to forget in it; a damaged one is pending, with a reason."""
    for path in ws.glob("graph.db*"):
        path.unlink()
    run(provenance, ws, "erase", "E-3", "--fields", "ext/driver", "--yes")
    assert not (ws / "graph.db").exists()
    (ws / "graph.db").write_bytes(b"no database at all, but long enough to be taken for one" * 99)
    assert "PENDING  graph" in run(
        provenance, ws, "erase", "E-2", "--fields", "ext/driver", "--yes", code=3
    )
    (ws / "graph.db").unlink()
    run(provenance, ws, "erase", "--resume")
    check(ws, provenance)


def test_flags_of_what_was_erased_are_still_listed(small: Path, provenance: Command) -> None:
    """A flag that cites it keeps its public part; its values are gone, and replay says so."""
    with Workspace(small) as workspace:
        flags = list(_flags(workspace))
        cited = flags[0][1]["evidence"][0][0]
    done = provenance("--data", small, "erase", f"#{cited}", "--whole", "--yes")
    assert done.code == 0, done.err
    assert "a flag that cites it" in done.out

    assert provenance("--data", small, "flags", "list", "--explain").code == 0
    assert provenance("--data", small, "flags", "export", "-").code == 0
    assert provenance("--data", small, "flags", "export", "-", "--scores").code == 0
    replayed = provenance("--data", small, "replay", "--all", "--json")
    assert "same" not in [one["verdict"] for one in json.loads(replayed.out)]
    with Workspace(small) as workspace:
        after = dict(_flags(workspace))
    assert "explanation" not in after[flags[0][0]]


def _flags(workspace: Workspace) -> Iterator[tuple[int, dict[str, Any]]]:
    for entry in workspace.reader.entries(0):
        if entry.type == EntryType.FLAG:
            yield entry.index, open_entry(entry, Tier.PRIVATE)
