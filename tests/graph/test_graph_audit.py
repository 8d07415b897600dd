"""The audit of the graph: clean where nothing was touched, and every touch found in its place."""

from __future__ import annotations

import random
import re
import shutil
from typing import TYPE_CHECKING, Any

import apsw
import pytest
from graph_factories import ListLog, ListLogUpTo, chain, event, item
from hypothesis import given, settings
from test_graph_histories import histories, loaded

from graph.audit import audit_graph
from graph.connect import open_store
from graph.sync import catch_up
from provenance.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

    from graph.store import GraphStore
    from provenance.entries import Draft

PLACE = re.compile(
    r"(entry -?\d|node \S|edge \S+ \S+ \S|name \w+ of \S|record \w+ \S+ of entry -?\d"
    r"|skipped \(|position: |database: )"
)


def full_log() -> ListLog:
    """The chain, with things packed, an entry of no known version, and an unknown lot."""
    log = chain()
    log.append(
        event(20, "pack", item("COTTON", "C1", 5), container_id="K1"),
        event(21, "unpack", item("COTTON", "C1", 5), container_id="K1"),
        event(22, "produce", item("COTTON", "C2", 7, serial_ids=["a", "b"])),
    )
    log.append(event(23, "produce", item("FLAX", "F1")))
    log.forget(13)
    return log


@settings(max_examples=30)
@given(histories())
def test_what_was_applied_is_clean(url: str, drafts: list[Draft]) -> None:
    """A graph that caught up in any batches differs in nothing, in any store."""
    log = ListLog(drafts)
    store = loaded(url, log, batch=2)
    report = audit_graph(log, store)
    assert (report.problems, report.differing) == ([], 0)
    assert report.compared["entry"] == log.size == report.position
    store.close()


def test_everything_is_compared(full: GraphStore) -> None:
    """Each kind of fact is gone through, and skipped entries are counted."""
    log = chain()
    report = audit_graph(log, full)
    assert report.problems == []
    assert all(report.compared[kind] for kind in ("entry", "node", "edge", "name", "record"))


def test_a_graph_that_is_behind_is_compared_as_far_as_it_is(store: GraphStore) -> None:
    """What is not applied yet is no difference; the report says how far the graph is."""
    log = full_log()
    catch_up(ListLogUpTo(log, 5), store)
    report = audit_graph(log, store)
    assert (report.problems, report.position, report.size) == ([], 5, 14)


def test_another_log_differs(full: GraphStore) -> None:
    """The graph of another log differs from its first entry on; one of a longer log says so."""
    other = audit_graph(ListLog([event(1, "produce", item("X", "1"))]), full)
    assert other.problems[0] == "position: entries up to 10 are held, the log has 1"
    assert any(problem.startswith("entry 0: leaf_hash is ") for problem in other.problems)
    assert any(problem.startswith("entry 9: is not in the log") for problem in other.problems)


class Tampered:
    """A graph file, one row of which is changed at random."""

    def __init__(self, path: Path, dice: random.Random) -> None:
        """Open it."""
        self.connection = apsw.Connection(str(path))
        self.dice = dice

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of a table."""
        cursor = self.connection.execute(f"SELECT * FROM {table}")
        rows = cursor.fetchall()
        names = [name for name, _ in self.columns(table)]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def columns(self, table: str) -> list[tuple[str, bool]]:
        """Return the columns of a table, and whether each is of its key."""
        info = self.connection.execute(f"PRAGMA table_info({table})")
        return [(row[1], bool(row[5])) for row in info]

    def touch(self) -> str:
        """Change, remove or add one row of one table; returns which table."""
        table = self.dice.choice(["entry", "node", "edge", "edge", "name", "record", "skipped"])
        row = self.dice.choice(self.rows(table))
        way = self.dice.choice(["change", "change", "remove", "add"])
        if way == "remove":
            self._delete(table, row)
        elif way == "add":
            self._insert(table, row | self._other_key(table, row))
        else:
            name = self.dice.choice([name for name, _ in self.columns(table)])
            self._delete(table, row)
            self._insert(table, row | {name: self._other(table, name, row[name])})
        return table

    def _other(self, table: str, name: str, value: Any) -> Any:
        if name in {"layers", "attrs"}:
            return (
                b'[{"party":"someone else"}]' if value is None or self.dice.random() < 0.5 else b"["
            )
        if name == "id":
            return value + 500
        if name == "tier":
            return (value + 1) % 3
        if name in {"kind", "role"}:
            return 0 if value is None else value + 1
        if value is None:
            return 1
        if isinstance(value, int):
            return value + self.dice.choice([-1, 1, 1000])
        return value + (b"x" if isinstance(value, bytes) else "x")

    def _other_key(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        keys = [name for name, key in self.columns(table) if key]
        new = {name: self._other(table, name, row[name]) for name in keys}
        return new | ({"key": row["key"] + "y"} if table == "node" else {})

    def _delete(self, table: str, row: dict[str, Any]) -> None:
        same = " AND ".join(f"{name} IS ?" for name in row)
        self.connection.execute(f"DELETE FROM {table} WHERE {same}", list(row.values()))

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        marks = ", ".join("?" * len(row))
        self.connection.execute(
            f"INSERT OR REPLACE INTO {table} VALUES ({marks})",
            list(row.values()),
        )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph file to copy."""
    path = tmp_path_factory.mktemp("audit") / "graph.db"
    store = open_store(f"sqlite:{path}")
    catch_up(full_log(), store)
    store.purge()
    store.close()
    return path


@pytest.mark.parametrize("seed", range(100))
def test_each_planted_difference_is_found_and_located(
    made: Path, tmp_path: Path, seed: int
) -> None:
    """Any one row changed, removed or added: the audit says so, and where."""
    path = tmp_path / "graph.db"
    shutil.copy(made, path)
    before = Tampered(path, random.Random(0))
    dice = random.Random(seed)
    tampered = Tampered(path, dice)
    held = {table: before.rows(table) for table in ("entry", "node", "edge", "name", "record")}
    while True:
        table = tampered.touch()
        now = {name: before.rows(name) for name in held}
        if now != held or table == "skipped":
            break
    before.connection.close()
    tampered.connection.close()
    store = open_store(f"sqlite:{path}")
    problems = audit_graph(full_log(), store).problems
    store.close()
    assert problems
    assert all(PLACE.match(problem) for problem in problems), problems
    # A node's number is what edges name it by: with another one they lead nowhere.
    others = {"node": ("node", "edge", "entry", "name"), "entry": ("entry", "position")}
    assert any(problem.startswith(others.get(table, (table,))) for problem in problems), problems


def test_a_wrong_position_is_one_difference(made: Path, tmp_path: Path) -> None:
    """The position is compared with the entries held, whatever it says."""
    path = tmp_path / "graph.db"
    shutil.copy(made, path)
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE head SET position = 3")
    connection.close()
    store = open_store(f"sqlite:{path}")
    assert audit_graph(full_log(), store).problems == [
        "position: is 3, and entries up to 14 are held"
    ]
    store.close()


def test_an_index_that_says_otherwise_is_found(made: Path, tmp_path: Path) -> None:
    """Answers are read from covering indexes: one whose copy was changed is a difference."""
    path = tmp_path / "graph.db"
    shutil.copy(made, path)
    connection = apsw.Connection(str(path))
    connection.pragma("writable_schema", "ON")
    root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'became_in'").get
    size = connection.pragma("page_size")
    connection.close()
    data = bytearray(path.read_bytes())
    page = slice((root - 1) * size, root * size)
    data[page] = data[page].replace(b'"consumed":90', b'"consumed":91')
    assert bytes(data) != path.read_bytes()
    path.write_bytes(data)
    store = open_store(f"sqlite:{path}")
    problems = audit_graph(full_log(), store).problems
    store.close()
    assert problems
    assert all(problem.startswith("database: ") for problem in problems)


def test_contents_are_not_repeated(made: Path, tmp_path: Path) -> None:
    """A difference in content names the fields, never what they hold."""
    path = tmp_path / "graph.db"
    shutil.copy(made, path)
    connection = apsw.Connection(str(path))
    connection.execute(
        """UPDATE entry SET layers = CAST('[{"carrier":"secret"}]' AS BLOB) WHERE idx = 2"""
    )
    connection.close()
    store = open_store(f"sqlite:{path}")
    (problem,) = audit_graph(full_log(), store).problems
    store.close()
    assert problem.startswith("entry 2: its content differs in carrier, ")
    assert "secret" not in problem


def test_somebody_writing_meanwhile_is_told(store: GraphStore) -> None:
    """A store that cannot hold still is audited again, not believed."""
    log = chain()
    catch_up(ListLogUpTo(log, 4), store)
    moved = iter([4, 10])

    class Moving:
        """The store, whose position moves."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def position(self) -> int:
            """Return another position each time."""
            return next(moved)

    with pytest.raises(StorageError, match="audit it again"):
        audit_graph(log, Moving())
