"""Rules of the audit: a sound log has no problems, and any change of what is stored has a name."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_factories import Rig, event, facility

from provenance.auditing import audit as audit_module
from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier
from provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import apsw

EVENTS = 290  # one full tile, and a partial one beside and above it

COLUMNS = {
    "leaf": ["idx", "leaf"],
    "body": ["idx", "body"],
    "opening": ["idx", "path", "tier", "salt", "preimage"],
    "event_id": ["key", "digest", "idx", "mac"],
    "maker": ["lot_id", "party", "product_id", "idx", "mac"],
    "tile": ["level", "number", "hashes"],
    "head": ["id", "size", "root", "chain", "ingest_time_us", "row_sums"],
    "checkpoint": ["size", "note"],
}
KEYS = {
    "leaf": ["idx"],
    "body": ["idx"],
    "opening": ["idx", "path"],
    "event_id": ["key"],
    "maker": ["lot_id", "party", "product_id"],
    "tile": ["level", "number"],
    "head": ["id"],
    "checkpoint": ["size"],
}
PLACES = [(table, column) for table, columns in COLUMNS.items() for column in columns]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two files of an attacked log stay apart for ever: look once, not for a second."""
    monkeypatch.setattr(audit_module, "_LOOK_SECONDS", 0)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A log with full and partial tiles on two levels, versions, and several checkpoints."""
    rig = Rig(tmp_path_factory.mktemp("sound")).filled(EVENTS, batch=97)
    log = rig.open()
    log.append([facility("F-1", name="Mill"), facility("F-1", name="Mill II")])
    log.close()
    return rig


@pytest.fixture
def rig(sound: Rig, tmp_path: Path) -> Rig:
    """A copy of it, to be attacked."""
    return sound.copied(tmp_path / "copy")


def altered(value: Any, rng: random.Random) -> Any:
    """A stored value with one byte changed; of a text its bytes."""
    if isinstance(value, int):
        return value ^ (rng.randrange(1, 256) << 8 * rng.choice([0, 0, 1, 7])) & (2**63 - 1)
    data = bytearray(plain(value))
    data[rng.randrange(len(data))] ^= rng.randrange(1, 256)
    return bytes(data)


def plain(value: Any) -> Any:
    """A text as its bytes, anything else as it is."""
    return value.encode() if isinstance(value, str) else value


def change(database: apsw.Connection, table: str, column: str, rng: random.Random) -> list[Any]:
    """Change one byte of one row; returns the row as it was, with the new value at the end."""
    names, keys = COLUMNS[table], KEYS[table]
    rows = database.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()
    taken = {tuple(plain(row[names.index(key)]) for key in keys) for row in rows}
    while True:
        row = dict(zip(names, rng.choice(rows), strict=True))
        new = altered(row[column], rng)
        moved = tuple(new if key == column else plain(row[key]) for key in keys)
        if new != plain(row[column]) and (column not in keys or moved not in taken):
            break
    value = "CAST(? AS TEXT)" if isinstance(row[column], str) else "?"
    where = " AND ".join(f"{key} = ?" for key in keys)
    database.execute(
        f"UPDATE {table} SET {column} = {value} WHERE {where}", [new, *(row[key] for key in keys)]
    )
    assert database.changes() == 1
    return [*row.values(), new]


def names_it(problem: str, table: str, column: str, row: list[Any]) -> bool:
    """Does the problem name the table, and the entry, tile or size that was changed?"""
    new = row[-1]
    if table in {"leaf", "body"}:
        return f"{table} {row[0]}" in problem
    if table == "opening":
        index = new if column == "idx" else row[0]
        return problem.startswith("opening") and f"entry {index}" in problem
    if table in {"event_id", "maker"}:
        index = new if column == "idx" else row[COLUMNS[table].index("idx")]
        return f"{table}: the row" in problem and f"entry {index} " in problem
    if table == "tile":
        return f"tile {row[0]}/{row[1]}" in problem
    size = new if column == "size" else row[0]
    return problem.startswith("head" if table == "head" else f"checkpoint {size}")


def test_a_sound_log_has_no_problems(sound: Rig) -> None:
    """Everything adds up, all openings are there, and the root is the signed one."""
    report = sound.audit()
    reader = sound.reader()

    assert report.problems == []
    assert (report.size, report.openings_missing) == (EVENTS + 3, 0)
    assert reader.checkpoint().split("\n")[1] == str(report.size)
    reader.close()


@pytest.mark.parametrize("size", [0, 1, 2, 254, 255, 256, 257, 511])
def test_no_false_alarm_at_the_borders_of_tiles(tmp_path: Path, size: int) -> None:
    """Logs of any size are sound, also where a tile has just become full."""
    report = Rig(tmp_path).filled(size, batch=256).audit()

    assert report.problems == []
    assert report.size == size + 1


def test_progress_is_told(sound: Rig) -> None:
    """The caller hears how far the audit is, up to the end."""
    heard: list[tuple[int, int]] = []
    audit_module.audit(
        sound.files, sound.key.vkey, bytes(range(32)), lambda *told: heard.append(told)
    )

    assert heard == sorted(heard)
    assert heard[-1] == (EVENTS + 3, EVENTS + 3)


@pytest.mark.parametrize(("table", "column"), PLACES)
def test_a_changed_byte_is_found_and_named(rig: Rig, table: str, column: str) -> None:
    """Change one byte of any column of any table: the report says which row it was."""
    rng = random.Random(f"{table} {column}")
    saved = rig.files.database.read_bytes()
    for _ in range(3):
        with rig.attacked() as database:
            row = change(database, table, column, rng)
        problems = rig.audit().problems

        assert [one for one in problems if names_it(one, table, column, row)], (row, problems)
        assert not [one for one in problems if one.startswith("schema") or "\n" in one]
        rig.files.database.with_name("log.db-wal").unlink(missing_ok=True)
        rig.files.database.write_bytes(saved)


def everything(rig: Rig) -> None:
    """Read and write all that there is."""
    reader = rig.reader()
    size = reader.size
    for entry in reader.entries(0):
        open_entry(entry, Tier.PRIVATE)
    for index in (0, 1, size // 2, size - 1):
        reader.prove(index, lambda _opening: True)
    reader.find(("event", "acme", "E-1"))
    reader.makers("L-1")
    reader.checkpoint()
    reader.close()
    log = rig.open()
    log.append([event(1), event(5000)])
    log.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PLACES), st.integers(0, 2**32))
def test_a_changed_log_never_gives_a_traceback(
    sound: Rig, tmp_path_factory: pytest.TempPathFactory, place: tuple[str, str], seed: int
) -> None:
    """Reading and writing a changed log works or raises one of our errors."""
    rig = sound.copied(tmp_path_factory.mktemp("changed") / "copy")
    with rig.attacked() as database:
        change(database, *place, random.Random(seed))

    with suppress(ProvenanceError):
        everything(rig)
    assert rig.audit().problems


def small(tmp_path: Path) -> Rig:
    """A log of few entries, quickly audited."""
    return Rig(tmp_path / "small").filled(5, batch=2)


@pytest.mark.parametrize("name", ["checkpoint", "high-water"])
def test_every_byte_of_the_published_files_counts(tmp_path: Path, name: str) -> None:
    """Change any byte of the checkpoint file or of high-water: the report names the file."""
    (tmp_path / "small").mkdir()
    rig = small(tmp_path)
    path = rig.directory / name
    whole = path.read_bytes()
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 1 + place % 255
        path.write_bytes(data)
        problems = rig.audit().problems
        assert [one for one in problems if one.startswith(name)], (place, bytes(data))
        assert not [one for one in problems if "\n" in one]


@pytest.mark.parametrize("name", ["checkpoint", "high-water"])
def test_a_missing_published_file_is_named(rig: Rig, name: str) -> None:
    """An absent checkpoint file or high-water is a problem, and so is an empty one."""
    for data in (None, b""):
        (rig.directory / name).unlink() if data is None else (rig.directory / name).write_bytes(b"")
        assert [one for one in rig.audit().problems if one.startswith(name)]


def test_an_older_checkpoint_file_is_named(rig: Rig) -> None:
    """A genuine checkpoint that is not the newest published is not passed off as the newest."""
    with rig.attacked() as database:
        note = database.execute("SELECT note FROM checkpoint WHERE size = 98").fetchall()[0][0]
    rig.files.checkpoint.write_text(note)

    assert [one for one in rig.audit().problems if "not the one for the 293 entries" in one]


REMOVALS: dict[str, tuple[str, str]] = {
    "leaf": ("DELETE FROM leaf WHERE idx = 5", "leaf 5: missing"),
    "last leaf": ("DELETE FROM leaf WHERE idx = 292", "body: a row for entry 292"),
    "body": ("DELETE FROM body WHERE idx = 5", "body 5: missing"),
    "emptied body": ("UPDATE body SET body = NULL WHERE idx = 5", "body 5: missing"),
    "row key": ("DELETE FROM event_id WHERE idx = 5", "row_sums do not fit event_id"),
    "maker": ("DELETE FROM maker WHERE idx = 4", "row_sums do not fit maker"),
    "tile": ("DELETE FROM tile WHERE level = 0 AND number = 0", "tile 0/0: missing"),
    "partial tile": ("DELETE FROM tile WHERE level = 0 AND number = 1", "tile 0/1: missing"),
    "upper tile": ("DELETE FROM tile WHERE level = 1", "tile 1/0: missing"),
    "head": ("DELETE FROM head", "head: 0 rows"),
    "checkpoint": ("DELETE FROM checkpoint WHERE size = 293", "checkpoint 293: the newest"),
    "all leaves": ("DELETE FROM leaf", "head: its size"),
}


@pytest.mark.parametrize("what", REMOVALS)
def test_a_removed_row_is_named(rig: Rig, what: str) -> None:
    """Whatever row is taken away, the report says what is missing."""
    statement, expected = REMOVALS[what]
    with rig.attacked() as database:
        database.execute(statement)
        assert database.changes()

    assert [one for one in rig.audit().problems if expected in one]


def test_a_removed_opening_is_named(rig: Rig) -> None:
    """An opening that nothing in the log says was erased has been taken out by somebody."""
    with rig.attacked() as database:
        database.execute("DELETE FROM opening WHERE idx IN (5, 6) AND path = '/shipment_id'")
        database.execute("DELETE FROM opening WHERE idx = 9")

    report = rig.audit()

    assert report.problems == [
        f"opening {path} of entry {index}: missing, and no erasure in the log names it"
        for index, path in [
            (5, "/shipment_id"),
            (6, "/shipment_id"),
            (9, "/declared_value_usd"),
            (9, "/shipment_id"),
        ]
    ]
    assert (report.openings_missing, report.openings_erased) == (4, 0)


ADDITIONS: dict[str, tuple[str, str]] = {
    "leaf": ("INSERT INTO leaf SELECT 293, leaf FROM leaf WHERE idx = 292", "leaf 293"),
    "far leaf": ("INSERT INTO leaf SELECT 1 << 60, leaf FROM leaf WHERE idx = 0", "leaf 293: miss"),
    "leaf before": (
        "INSERT INTO leaf SELECT -1, leaf FROM leaf WHERE idx = 0",
        "leaf: a row for entry -1",
    ),
    "body": ("INSERT INTO body VALUES (293, '{}')", "body: a row for entry 293"),
    "opening": (
        "INSERT INTO opening SELECT 3, '/x', 0, salt, preimage FROM opening LIMIT 1",
        "opening /x of entry 3: there is no such commitment",
    ),
    "opening beyond": (
        "INSERT INTO opening SELECT 999, path, tier, salt, preimage FROM opening WHERE idx = 3",
        "opening: a row for entry 999",
    ),
    "row key": (
        "INSERT INTO event_id SELECT zeroblob(16), digest, idx, mac FROM event_id WHERE idx = 3",
        "event_id: the row key of entry 3",
    ),
    "maker": (
        "INSERT INTO maker SELECT 'L-X', party, product_id, idx, mac FROM maker WHERE idx = 4",
        "maker: the row of lot L-X of entry 4",
    ),
    "tile": ("INSERT INTO tile VALUES (0, 2, zeroblob(32))", "tile 0/2: belongs to no tree"),
    "tile of a level": ("INSERT INTO tile VALUES (2, 0, zeroblob(32))", "tile 2/0: belongs"),
    "head": ("INSERT INTO head SELECT 2, size, root, chain, 0, row_sums FROM head", "head: 2 rows"),
    "checkpoint": (
        "INSERT INTO checkpoint SELECT 7, note FROM checkpoint WHERE size = 293",
        "checkpoint 7: is for a tree of 293",
    ),
}


@pytest.mark.parametrize("what", ADDITIONS)
def test_an_added_row_is_named(rig: Rig, what: str) -> None:
    """Whatever row is put in, the report says that it does not belong there."""
    statement, expected = ADDITIONS[what]
    with rig.attacked() as database:
        database.execute(statement.replace("'{}'", "CAST('{}' AS BLOB)"))
        assert database.changes()

    assert [one for one in rig.audit().problems if expected in one]


def test_a_row_key_of_earlier_times_is_found(rig: Rig) -> None:
    """A row that was once genuine, seal and all, does not pass when it is put back."""
    with rig.attacked() as database:
        old = database.execute("SELECT * FROM event_id WHERE idx = 292").fetchall()[0]
    log = rig.open()
    log.append([facility("F-1", name="Mill III")])
    log.close()
    assert rig.audit().problems == []

    with rig.attacked() as database:
        database.execute(
            "UPDATE event_id SET digest = ?, idx = ?, mac = ? WHERE key = ?",
            [
                old[1],
                old[2],
                old[3],
                old[0],
            ],
        )

    assert [one for one in rig.audit().problems if "row_sums do not fit event_id" in one]


def test_swapped_entries_are_found(rig: Rig) -> None:
    """Two entries that change places, leaves and bodies and openings, are both named."""
    with rig.attacked() as database:
        for table in ("leaf", "body", "opening"):
            for old, new in ((10, -1), (20, 10), (-1, 20)):
                database.execute(f"UPDATE {table} SET idx = ? WHERE idx = ?", (new, old))

    problems = rig.audit().problems

    for index, says in ((10, 20), (20, 10)):
        assert f"leaf {index}: says it is entry {says}" in problems
        assert [one for one in problems if f"leaf {index} has another hash" in one]


def test_a_changed_schema_is_named(rig: Rig) -> None:
    """Missing triggers, other tables and new ones are named: they prepare the next attack."""
    attacks: list[tuple[str, str]] = [
        ("DROP TRIGGER leaf_kept", "schema: the trigger leaf_kept is missing"),
        ("CREATE TABLE extra (x)", "schema: the table extra is not ours"),
        ("CREATE VIEW seen AS SELECT 1", "schema: the view seen is not ours"),
        ("DROP TABLE body", "schema: the table body is missing"),
    ]
    connection = rig.open()._connection
    for statement, expected in attacks:
        connection.execute(statement)
        assert [one for one in rig.audit().problems if one.startswith(expected)]
    connection.close()


def test_values_of_another_type_are_named(rig: Rig) -> None:
    """Text where bytes belong, smuggled past STRICT, is named as damage of its table."""
    with rig.attacked() as database:
        database.pragma("writable_schema", "ON")
        strict = "CREATE TABLE leaf (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT"
        swap = "UPDATE sqlite_schema SET sql = ? WHERE name = 'leaf'"
        database.execute(swap, (strict.removesuffix(" STRICT"),))
        database.pragma("writable_schema", "RESET")
        database.execute("UPDATE leaf SET leaf = 'text' WHERE idx = 3")
        database.pragma("writable_schema", "ON")
        database.execute(swap, (strict,))
        database.pragma("writable_schema", "RESET")

    assert [one for one in rig.audit().problems if one.startswith("database:") and "leaf" in one]


@pytest.fixture
def writing(rig: Rig) -> Iterator[Callable[[], bool]]:
    """A writer that appends in small steps for as long as the test runs."""
    failures: list[BaseException] = []
    stop = threading.Event()

    def write() -> None:
        try:
            log = rig.open()
            for number in range(1000, 4000, 3):
                if stop.is_set():
                    break
                log.append([event(number + step) for step in range(3)])
            log.close()
        except ProvenanceError as error:
            failures.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    yield thread.is_alive
    stop.set()
    thread.join()
    assert failures == []


def test_an_audit_beside_a_writer_is_no_alarm(
    rig: Rig, writing: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries and published files that change meanwhile are never reported as problems."""
    monkeypatch.setattr(audit_module, "_LOOK_SECONDS", 0.005)
    sizes = set()
    for _ in range(12):
        report = rig.audit()
        assert report.problems == []
        sizes.add(report.size)

    assert writing()
    assert len(sizes) > 1
