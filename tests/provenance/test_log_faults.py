"""Rules of faults from outside: full disks, read-only places, locks, damaged and foreign files."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import pytest
from log_factories import Rig, check_log, event, seeded

from provenance import log as log_module
from provenance.errors import (
    ProvenanceError,
    StorageError,
    WorkspaceDamaged,
    WorkspaceLocked,
    WorkspaceMissing,
    WorkspaceReadOnly,
    WorkspaceTooNew,
)
from provenance.notes import keys
from provenance.store.schema import FORMAT
from provenance.store.storage import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log of some entries."""
    (tmp_path / "log").mkdir()
    return Rig(tmp_path / "log").filled(10)


def attempts(rig: Rig) -> list[ProvenanceError]:
    """Open to write, to read and to audit; returns the errors, one line each."""
    errors = []
    for attempt in (rig.open, rig.reader, rig.audit):
        with pytest.raises(ProvenanceError) as caught:
            attempt()
        assert "\n" not in str(caught.value)
        assert str(rig.files.database) in str(caught.value)
        errors.append(caught.value)
    return errors


def test_a_full_disk_stops_the_call_and_nothing_else(rig: Rig) -> None:
    """When SQLite finds no room the call fails whole; with room again the log goes on."""
    log = rig.open()
    (pages,) = log._connection.execute("PRAGMA page_count").fetchall()[0]
    log._connection.pragma("max_page_count", pages + 1)
    before = log.checkpoint()

    with pytest.raises(StorageError, match="disk is full; nothing was half-written"):
        log.append([event(number, note="x" * 2000) for number in range(10, 60)])
    assert (log.size, log.checkpoint()) == (11, before)
    assert not log._connection.in_transaction

    log._connection.pragma("max_page_count", pages + 1000)
    log.append([event(number) for number in range(10, 20)])
    log.close()
    check_log(rig, acknowledged=20, drafts=20)


def test_a_full_disk_while_making_a_log_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without room for a log there is none, and no half of one."""
    real = log_module.create

    def short(path: Path) -> apsw.Connection:
        connection = real(path)
        (pages,) = connection.execute("PRAGMA page_count").fetchall()[0]
        connection.pragma("max_page_count", pages)
        return connection

    monkeypatch.setattr(log_module, "create", short)
    rig = Rig(tmp_path, key=keys.generate("long.example/" + "x" * 20_000, seeded(1)))
    with pytest.raises(StorageError, match="full"):
        rig.create()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("version", "error"),
    [(FORMAT + 1, WorkspaceTooNew), (2**31 - 1, WorkspaceTooNew), (0, WorkspaceDamaged)],
)
def test_a_log_of_another_format_is_refused(
    rig: Rig, version: int, error: type[ProvenanceError]
) -> None:
    """A newer format is told to be newer, one that never was is damage; nothing is changed."""
    with rig.attacked() as database:
        database.pragma("user_version", version)
    before = rig.files.database.read_bytes()

    assert {type(each) for each in attempts(rig)} == {error}

    assert rig.files.database.read_bytes() == before


def test_where_there_is_no_log(tmp_path: Path) -> None:
    """A missing file, and a missing directory, say how to make one."""
    for place in (tmp_path, tmp_path / "nowhere"):
        errors = attempts(Rig(place))
        assert {type(each) for each in errors} == {WorkspaceMissing}
        assert all("provenance init" in str(each) for each in errors)
    assert list(tmp_path.iterdir()) == []


def test_a_driver_that_cannot_do_it_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A SQLite with the known fault, or without what the writer needs, is told before any use."""
    for name, value in (("SQLITE_VERSION_NUMBER", 3_051_002), ("compile_options", ())):
        with monkeypatch.context() as patched:
            patched.setattr(apsw, name, value)
            for attempt in (rig.open, rig.reader, Rig(tmp_path).create):
                with pytest.raises(StorageError, match="install"):
                    attempt()
    assert rig.audit().problems == []


def other_database() -> bytes:
    """Somebody else's SQLite file."""
    with tempfile.TemporaryDirectory() as place:
        connection = apsw.Connection(f"{place}/other.db")
        connection.execute("CREATE TABLE leaf (x)")
        connection.close()
        return Path(f"{place}/other.db").read_bytes()


@pytest.mark.parametrize("what", ["garbage", "empty", "text", "other", "header"])
def test_a_file_that_is_no_log_is_refused(rig: Rig, what: str) -> None:
    """Noise, nothing, text, another program's database: damage, in one line."""
    rig.files.database.write_bytes(
        {
            "garbage": random.Random(1).randbytes(20_000),
            "empty": b"",
            "text": b"event_id,event_time\n" * 100,
            "other": other_database(),
            "header": rig.files.database.read_bytes()[:100],
        }[what]
    )

    assert {type(each) for each in attempts(rig)} == {WorkspaceDamaged}


def test_a_lost_last_page_is_found(rig: Rig) -> None:
    """Where the end that is gone belongs to a table that nobody reads just now, an audit tells."""
    data = rig.files.database.read_bytes()
    rig.files.database.write_bytes(data[:-16384])

    with pytest.raises(WorkspaceDamaged):
        sound(rig)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_truncated_log_is_damage(rig: Rig, share: float) -> None:
    """A file that lost its end is refused or, where it opens, never read as whole."""
    data = rig.files.database.read_bytes()
    rig.files.database.write_bytes(data[: int(len(data) * share)])

    for attempt in (use, sound):
        with pytest.raises(WorkspaceDamaged) as caught:
            attempt(rig)
        assert "\n" not in str(caught.value)


def use(rig: Rig) -> None:
    """Read all of a log and append to it."""
    log = rig.open()
    list(log.entries(0))
    log.append([event(number, note="x" * 9000) for number in range(100)])


def sound(rig: Rig) -> None:
    """Audit a log; problems are damage."""
    problems = rig.audit().problems
    if problems:
        raise WorkspaceDamaged(problems[0])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE body SET body = NULL WHERE idx = 0",
        "UPDATE body SET body = CAST('[]' AS BLOB) WHERE idx = 0",
        "UPDATE body SET body = CAST('{\"origin\":7}' AS BLOB) WHERE idx = 0",
        "UPDATE body SET body = CAST('{' AS BLOB) WHERE idx = 0",
        "UPDATE leaf SET leaf = (SELECT leaf FROM leaf WHERE idx = 1) WHERE idx = 0",
        "UPDATE leaf SET leaf = zeroblob(88) WHERE idx = 0",
        "DELETE FROM leaf WHERE idx = 0",
        "DELETE FROM head",
        "UPDATE head SET size = -5",
        "DROP TABLE head",
        "DROP TABLE opening",
    ],
)
def test_a_log_without_its_policy_cannot_be_opened(rig: Rig, statement: str) -> None:
    """Without entry 0 or the head nobody knows whose log it is: damage, in one line."""
    with rig.attacked() as database:
        for (name,) in database.execute("SELECT name FROM temp.sqlite_schema").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)

    for attempt in (rig.open, rig.reader):
        with pytest.raises(WorkspaceDamaged) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert rig.audit().problems


HOLDER = """
import sys
from pathlib import Path
from provenance.files import locked
with locked(Path(sys.argv[1]), 1):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(rig: Rig) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the writers' lock until it is told to stop, or killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(rig.files.lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(HERE.parent.parent)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with process:
        yield process
        process.kill()


def test_a_held_lock_is_waited_for_and_then_told(
    rig: Rig, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writers wait and give up with a remedy; readers do not care; a killed holder frees it."""
    monkeypatch.setattr(log_module, "_LOCK_WAIT_SECONDS", 0.05)
    with pytest.raises(WorkspaceLocked, match="another process is writing; wait for it or stop"):
        rig.open()
    assert rig.audit().problems == []

    holder.kill()
    holder.wait()

    check_log(rig, acknowledged=10, drafts=12)


def test_a_writer_that_is_open_waits_too(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An append that cannot get the lock appends nothing, and can be repeated."""
    log = rig.open()
    held = log._writing()
    monkeypatch.setattr(log_module, "_LOCK_WAIT_SECONDS", 0.05)
    with held, pytest.raises(WorkspaceLocked):
        log.append([event(10)])

    assert log.size == 11
    assert [each.kind for each in log.append([event(10)])] == ["appended"]
    log.close()


UNPRIVILEGED = """
import os, sys
from pathlib import Path
from log_factories import Rig, event
from provenance.errors import ProvenanceError
rig = Rig(Path(sys.argv[1]))
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
def read():
    reader = rig.reader()
    print("read", reader.size, len(list(reader.entries(0))), reader.prove(3)["index"])
    print("audit", rig.audit().problems)
for work in (read, rig.open):
    try:
        work()
    except ProvenanceError as error:
        print(type(error).__name__, error)
"""


@pytest.fixture
def readonly() -> Iterator[Rig]:
    """A log in a place that everybody may read; `told` reads it without the right to write."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        rig = Rig(Path(place)).filled(10)
        yield rig
        Path(place).chmod(0o755)


def told(rig: Rig) -> list[str]:
    """What a process says that may read the log's files and write nothing, not even beside them."""
    for path in rig.directory.iterdir():
        path.chmod(0o444)
    rig.directory.chmod(0o555)
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, str(rig.directory)],
        env={"PYTHONPATH": f"{HERE.parent.parent}:{HERE}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_log_in_a_read_only_place_can_be_read(readonly: Rig) -> None:
    """Reading, proving and auditing need no right to write; writing is refused with a reason."""
    *read, refused = told(readonly)

    assert read == ["read 11 11 3", "audit []"]
    assert refused.startswith("WorkspaceReadOnly")
    assert "check owner and mode" in refused


def test_a_reader_without_rights_sees_a_writer_s_newest_entries(readonly: Rig) -> None:
    """Beside a living writer the write-ahead log is read too, not passed over."""
    log = readonly.open()
    log.append([event(10)])

    assert told(readonly)[:2] == ["read 12 12 3", "audit []"]
    log.close()


def test_a_log_that_was_not_closed_is_not_read_without_its_end(readonly: Rig) -> None:
    """Where the write-ahead log cannot be read, reading is refused: it holds the newest entries."""
    log = readonly.open()
    log.append([event(10)])
    copy = readonly.copied(readonly.directory / "copy")
    log.close()
    (copy.directory / "log.db-shm").unlink()

    first, second = told(copy)

    assert first.startswith("WorkspaceReadOnly")
    assert "copy the directory and read the copy" in first
    assert second.startswith("WorkspaceReadOnly")


def test_system_errors_are_told_in_our_words(tmp_path: Path) -> None:
    """Whatever the system or the driver says becomes one of our errors, with the place."""
    path = tmp_path / "log.db"
    cases: list[tuple[BaseException, type[ProvenanceError], str]] = [
        (OSError(28, "No space left on device"), StorageError, "the disk is full"),
        (OSError(30, "Read-only file system"), WorkspaceReadOnly, "check owner and mode"),
        (PermissionError(13, "Permission denied"), WorkspaceReadOnly, "check owner and mode"),
        (OSError(5, "Input/output error"), StorageError, "Input/output error"),
        (apsw.FullError("full"), StorageError, "the disk is full"),
        (apsw.BusyError("busy"), WorkspaceLocked, "another process"),
        (apsw.ReadOnlyError("ro"), WorkspaceReadOnly, "may not be written"),
        (apsw.CorruptError("malformed"), WorkspaceDamaged, "restore it from a backup"),
        (apsw.IOError("disk I/O error"), StorageError, "disk I/O error"),
        (apsw.SQLError("no such table"), WorkspaceDamaged, "not those of a log"),
        (apsw.ConstraintError("a leaf is never changed"), StorageError, "refused"),
    ]
    for raised, ours, text in cases:
        with pytest.raises(ours, match=text) as caught, translated(path):
            raise raised
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaf SET leaf = zeroblob(88)",
        "DELETE FROM leaf",
        "INSERT OR REPLACE INTO leaf VALUES (0, zeroblob(88))",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
        "INSERT OR REPLACE INTO checkpoint VALUES (1, '')",
        "DELETE FROM tile",
        "UPDATE tile SET hashes = zeroblob(32)",
        "UPDATE tile SET hashes = substr(hashes, 1, 32)",
        "UPDATE tile SET number = 7",
        "INSERT INTO head SELECT 2, size, root, chain, 0, row_sums FROM head",
    ],
)
def test_what_a_mistake_could_do_is_refused(rig: Rig, statement: str) -> None:
    """Leaves, checkpoints and tiles cannot be changed or removed through a writer's connection."""
    log = rig.open()

    with pytest.raises(apsw.ConstraintError):
        log._connection.execute(statement)
    log.close()
    assert rig.audit().problems == []
