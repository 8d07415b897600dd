"""The SQLite store's file: what may be wrong with it, and how it is asked."""

from __future__ import annotations

import multiprocessing
import os
import stat
from typing import TYPE_CHECKING

import apsw
import pytest
from graph_factories import ListLog, event, item

from graph.connect import open_store
from graph.keys import entry_key
from graph.project import project
from graph.stores import sqlite_file, sqlite_text
from graph.stores.sqlite import SqliteStore
from graph.sync import catch_up
from provenance.entries import Tier
from provenance.errors import (
    ProvenanceError,
    StorageError,
    WorkspaceDamaged,
    WorkspaceLocked,
    WorkspaceMissing,
    WorkspaceReadOnly,
)

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event
    from pathlib import Path

KEY = "item:acme/P/10/1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A graph of one event, closed."""
    store = SqliteStore(tmp_path / "graph.db")
    catch_up(ListLog([event(1, "produce", item("P", "1"))]), store)
    store.close()
    return tmp_path / "graph.db"


def test_a_graph_to_be_read_is_not_born_by_accident(tmp_path: Path) -> None:
    """Opening a graph to read it makes none; the message says what does."""
    with pytest.raises(WorkspaceMissing, match="graph rebuild"):
        open_store(f"sqlite:{tmp_path / 'graph.db'}", readonly=True)
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_is_its_owners_alone(file: Path) -> None:
    """The file holds private fields, so nobody else may read it."""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_reading_writes_nothing(file: Path) -> None:
    """A store opened to read answers, refuses to write, and says why."""
    store = open_store(f"sqlite:{file}", readonly=True)
    assert store.upstream(KEY, Tier.PUBLIC).hops == {KEY: 0}
    log = ListLog([event(1, "produce", item("P", "1")), event(2, "inspect", item("P", "1"))])
    with pytest.raises(WorkspaceReadOnly):
        catch_up(log, store)
    with pytest.raises(WorkspaceReadOnly):
        store.reset()
    assert store.position() == 1
    store.close()


def test_a_place_without_write_permission(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read-only media can be read, leaving no file behind; writing there is an error."""
    before = sorted(file.parent.iterdir())
    monkeypatch.setattr(os, "access", lambda *_: False)
    store = open_store(f"sqlite:{file}", readonly=True)
    assert store.upstream(KEY, Tier.PUBLIC).hops == {KEY: 0}
    assert sorted(file.parent.iterdir()) == before
    store.close()
    with pytest.raises(WorkspaceReadOnly, match=r"graph\.db"):
        SqliteStore(file)


def _hold(path: str, held: Event, done: Event) -> None:
    connection = apsw.Connection(path)
    connection.execute("BEGIN IMMEDIATE")
    held.set()
    done.wait(60)
    connection.execute("ROLLBACK")
    connection.close()


def test_another_process_that_writes_for_long(file: Path) -> None:
    """While another process holds the write lock, reading goes on and writing says who is busy."""
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(str(file), held, done))
    other.start()
    assert held.wait(60)
    store = SqliteStore(file, wait_ms=50)
    assert store.position() == 1
    with pytest.raises(WorkspaceLocked, match="another process"):
        store.reset()
    done.set()
    other.join(60)
    store.reset()
    assert store.position() == 0
    store.close()


@pytest.mark.parametrize("damage", ["header", "page", "text", "foreign", "directory", "table"])
def test_a_damaged_file_is_a_clear_error(file: Path, damage: str) -> None:
    """Whatever lies in the graph's place, the answer is one line with the place in it."""
    data = bytearray(file.read_bytes())
    if damage == "header":
        data[:16] = b"not a database !"
    elif damage == "page":
        for page in range(1, len(data) // 4096):
            data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    elif damage == "text":
        data = bytearray(b"facility_id,name\nF1,Farm\n" * 100)
    file.unlink()
    if damage == "foreign":
        apsw.Connection(str(file)).execute("CREATE TABLE t (x)")
    elif damage == "directory":
        file.mkdir()
    elif damage == "table":
        file.write_bytes(data)
        connection = apsw.Connection(str(file))
        connection.execute("DROP TABLE edge")
        connection.close()
    else:
        file.write_bytes(data)
    with pytest.raises(ProvenanceError, match=r"graph\.db") as caught:
        SqliteStore(file).upstream(KEY, Tier.PUBLIC)
    assert "\n" not in str(caught.value)
    wanted = StorageError if damage == "directory" else WorkspaceDamaged
    assert isinstance(caught.value, wanted | WorkspaceReadOnly)


def test_a_full_disk_leaves_the_graph_as_it_was(file: Path) -> None:
    """When the database cannot grow, the batch is refused whole and can be applied later."""
    store = SqliteStore(file)
    log = ListLog(
        [event(n, "produce", item("P", str(n), serial_ids=["x" * 50])) for n in range(1, 99)]
    )
    pages = store._connection.pragma("page_count")
    store._connection.pragma("max_page_count", pages)
    with pytest.raises(StorageError, match="disk is full"):
        store.apply(project(log.entries(1, 98), 1, 98))
    assert store.position() == 1
    store._connection.pragma("max_page_count", 1 << 30)
    assert store.apply(project(log.entries(1, 98), 1, 98)) == 98
    store.close()


def test_a_crash_inside_a_batch_leaves_nothing_of_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever statement of a batch fails, the file is as before the batch."""
    log = ListLog([event(n, "produce", item("P", str(n))) for n in range(1, 5)])
    for failing in range(9):
        store = SqliteStore(file)
        seen = []

        def trace(_cursor: object, _sql: str, _bindings: object, seen: list[int] = seen) -> bool:
            seen.append(1)
            return len(seen) != failing + 1  # noqa: B023 - asked within this turn of the loop

        store._connection.exec_trace = trace  # type: ignore[assignment]
        with pytest.raises(StorageError):
            store.apply(project(log.entries(1, 4), 1, 4))
        store._connection.exec_trace = None
        assert store.position() == 1
        assert store.fetch([entry_key(1), "item:acme/P/10/2"], Tier.PRIVATE) == {}
        store.close()


def test_a_file_of_other_rules_is_begun_anew(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When tables or projection rules change, a writer starts over and a reader says how to."""
    monkeypatch.setattr(sqlite_file, "_RULES", sqlite_file._RULES ^ 1)
    with pytest.raises(StorageError, match="graph rebuild"):
        SqliteStore(file, readonly=True)
    store = SqliteStore(file)
    assert store.position() == 0
    catch_up(ListLog([event(1, "produce", item("P", "1"))]), store)
    assert store.upstream(KEY, Tier.PUBLIC).hops == {KEY: 0}
    store.close()


def test_writing_from_inside_a_snapshot_is_refused(file: Path) -> None:
    """A thread that is in the middle of reading cannot write; nothing is lost by trying."""
    store = SqliteStore(file)
    with store.snapshot(), pytest.raises(StorageError, match="snapshot"):
        store.reset()
    assert store.position() == 1
    store.close()


def test_no_question_scans_a_table(file: Path) -> None:
    """Every statement finds its rows through an index: answers do not grow with the log."""
    store = SqliteStore(file)
    for name in sqlite_text.__all__:
        statement = getattr(sqlite_text, name)
        count = max(int(n) for n in "123456" if f"?{n}" in statement)
        plan = store._connection.execute(f"EXPLAIN QUERY PLAN {statement}", ("[]",) * count)
        steps = [row[3] for row in plan]
        scans = [
            s for s in steps if s.startswith("SCAN") and not s.startswith(("SCAN j", "SCAN r"))
        ]
        assert [s for s in scans if "VIRTUAL TABLE" not in s] == [], (name, steps)
        # Of one node the edges come in order: a limit ends the search, however many there are.
        assert not name.endswith("_ONE") or "USE TEMP B-TREE FOR ORDER BY" not in steps
    store.close()


def test_statistics_are_never_kept(file: Path) -> None:
    """There are none in the file: with them the planner would turn lookups into scans."""
    connection = apsw.Connection(str(file))
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")]
    assert not any(name.startswith("sqlite_stat") for name in tables)
    connection.close()


def test_only_a_fixed_sqlite_is_used(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SQLite with the WAL-reset race is refused before the file is touched."""
    monkeypatch.setattr(apsw, "SQLITE_VERSION_NUMBER", 3_051_002)
    with pytest.raises(StorageError, match=r"apsw 3\.54"):
        SqliteStore(file)
