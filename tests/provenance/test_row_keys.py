"""Rules of row keys: they move from table to table as these fill; else all is the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import naive_log
import pytest
from erase_tools import erase
from hypothesis import given, settings
from hypothesis import strategies as st
from log_factories import SECRET, Rig, event, facility, settling

from provenance.entries import Draft, Identity
from provenance.forget.wanted import record_of
from provenance.store import storage
from provenance.store.identity import _joined
from provenance.store.row_levels import row_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.log import Log

NUMBERS = st.integers(0, 9)
DRAFTS = st.one_of(
    NUMBERS.map(event),
    NUMBERS.map(lambda number: event(number, carrier="other")),
    st.builds(lambda site, name: facility(f"F-{site}", name=f"N-{name}"), NUMBERS, NUMBERS),
)
CALLS = st.lists(st.lists(DRAFTS, max_size=6), max_size=8)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log of 40 events and a facility, whose rows are all settled but for those of the last."""
    rig = Rig(tmp_path / "log")
    rig.directory.mkdir()
    log = rig.create()
    with settling(9):
        log.append([*map(event, range(35)), facility("F-1", name="Mill")])
        log.append([*map(event, range(35, 40))])
    log.close()
    assert held(rig) == (5, 36)
    return rig


@pytest.fixture
def log(rig: Rig) -> Iterator[Log]:
    """That log, to write."""
    opened = rig.open()
    yield opened
    opened.close()


def counts(rig: Rig) -> list[int]:
    """How many rows are in each table, the smallest first."""
    connection = apsw.Connection(str(rig.files.database), flags=apsw.SQLITE_OPEN_READONLY)
    asks = [f"SELECT count(*) FROM {table}" for table in row_tables(connection)]
    found: list[int] = [connection.execute(ask).get for ask in asks]
    connection.close()
    return found


def held(rig: Rig) -> tuple[int, int]:
    """How many rows are in the small table, and in the largest; in the others there are none."""
    small, *between, large = counts(rig)
    assert not any(between)
    return small, large


def key(draft: Draft) -> tuple[str, ...]:
    """A draft's only row key."""
    (identity,) = draft.identities
    return identity.key


@given(CALLS, st.integers(0, 3), st.integers(0, 2))
@settings(max_examples=25, deadline=None)
def test_nothing_but_the_tables_tells_where_rows_lie(
    calls: list[list[Draft]], room: int, factor: int
) -> None:
    """Outcomes, look-ups, sums and the audit are the same, however often rows have been moved."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        rigs = [Rig(Path(name)) for name in (one, two)]
        plain, moving = [rig.create() for rig in rigs]
        for call in calls:
            expected = [(outcome.kind, outcome.index) for outcome in plain.append(call)]
            with settling(room, factor):
                found = [(outcome.kind, outcome.index) for outcome in moving.append(call)]
            assert found == expected
        names = {key(draft) for call in calls for draft in call}
        assert {name: plain.find(name) for name in names} == {n: moving.find(n) for n in names}
        asked = [Identity(name, None) for name in sorted(names)]
        assert plain.known(asked) == moving.known(asked)
        for log, rig in zip((plain, moving), rigs, strict=True):
            log.close()
            assert rig.audit().problems == []
            naive_log.check_rows(rig.files.database, SECRET)


def test_each_table_holds_no_more_than_it_may(tmp_path: Path) -> None:
    """After each append that is so, no row is lost on the way, and in the end all have rows."""
    rig = Rig(tmp_path)
    log = rig.create()
    with settling(5, 2):
        for start in range(0, 96, 4):
            log.append([event(number) for number in range(start, start + 4)])
            found = counts(rig)
            assert all(count <= 5 * 2**level for level, count in enumerate(found[:-1]))
            assert sum(found) == start + 4
        log.append([event(number) for number in range(96, 119)])
        log.append([event(number) for number in range(119, 125)])
        log.append([event(125)])
    log.close()
    assert rig.audit().problems == []
    naive_log.check_rows(rig.files.database, SECRET)


def test_a_new_version_of_what_is_settled_takes_its_place(rig: Rig, log: Log) -> None:
    """The row is changed where it is: there are never two of one key."""
    outcome = log.append([facility("F-1", name="Mill II"), event(3), event(4, carrier="x")])

    assert [one.kind for one in outcome] == ["appended", "duplicate", "conflict"]
    assert log.find(("facility", "F-1")) == outcome[0].index
    assert held(rig) == (5, 36)
    assert rig.audit().problems == []


def test_what_is_settled_is_forgotten_too(rig: Rig, log: Log) -> None:
    """Erasure takes the digest out of the row, in either table, and the key stays known."""
    for index in (4, 41):
        assert erase(rig, log, record_of(log.entry(index), ("shipment_id",))).done

    assert [one.kind for one in log.append([event(3), event(39)])] == ["duplicate", "duplicate"]
    known = log.known([event(3).identities[0], event(39).identities[0]])
    assert [(one.index, one.erased) for one in known if one] == [(4, True), (41, True)]
    assert rig.audit().problems == []
    naive_log.check_rows(rig.files.database, SECRET)


ATTACKS: dict[str, tuple[str, ...]] = {
    "was changed": ("UPDATE event_id_settled SET idx = 2 WHERE idx = 7",),
    "row_sums do not fit event_id": ("DELETE FROM event_id_settled WHERE idx = 7",),
    "of entry 7 is there twice": (
        "INSERT INTO event_id SELECT * FROM event_id_settled WHERE idx = 7",
    ),
    "of entry 9 is there twice": (
        "INSERT INTO event_id SELECT * FROM event_id_settled WHERE idx IN (8, 9)",
        "DELETE FROM event_id_settled WHERE idx = 8",
    ),
}


@pytest.mark.parametrize("told", ATTACKS)
def test_what_is_done_to_settled_rows_is_told(rig: Rig, told: str) -> None:
    """A row that was changed, removed, or doubled over both tables is found by the audit."""
    with rig.attacked() as database:
        for statement in ATTACKS[told]:
            database.execute(statement)

    assert [one for one in rig.audit().problems if told in one]


@pytest.mark.parametrize(
    "tables",
    [("event_id", "event_id_settled"), ("event_id", "event_id_2"), ("event_id_1", "event_id_3")],
)
def test_a_pair_that_cancels_out_in_the_sums_is_told(rig: Rig, tables: tuple[str, str]) -> None:
    """A genuine row of earlier times in two tables takes itself out of the sums, and is found."""
    with rig.attacked() as database:
        old = database.execute("SELECT * FROM event_id_settled WHERE idx = 36").fetchall()[0]
    log = rig.open()
    log.append([facility("F-1", name="Mill II")])
    log.close()
    with rig.attacked() as database:
        newer = database.execute("SELECT * FROM event_id_settled WHERE key = ?", old[:1]).fetchall()
        database.execute("DELETE FROM event_id_settled WHERE key = ?", old[:1])
        for table in tables:
            database.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?)", old)
    assert newer

    problems = rig.audit().problems
    assert any("is there twice" in one for one in problems)


def test_moving_a_row_back_is_no_change(rig: Rig) -> None:
    """In which table a row is says nothing, so it is no fault either."""
    with rig.attacked() as database:
        database.execute("INSERT INTO event_id SELECT * FROM event_id_settled WHERE idx = 7")
        database.execute("DELETE FROM event_id_settled WHERE idx = 7")

    assert rig.audit().problems == []


def before_format_4(rig: Rig) -> None:
    """Make the log one of format 3, as an older version has written it."""
    with rig.attacked() as database:
        for level in (1, 2, 3):
            database.execute(f"DROP TABLE event_id_{level}")
        database.pragma("user_version", 3)


def before_format_3(rig: Rig) -> None:
    """Make the log one of format 2."""
    before_format_4(rig)
    with rig.attacked() as database:
        database.execute("INSERT INTO event_id SELECT * FROM event_id_settled")
        database.execute("DROP TABLE event_id_settled")
        database.pragma("user_version", 2)


def upgraded(rig: Rig) -> None:
    """Upgrade the database."""
    storage.upgrade(rig.files.database)


def upgraded_and_settled(rig: Rig) -> None:
    """Upgrade the database and append until the rows are settled."""
    upgraded(rig)
    log = rig.open()
    with settling(3):
        log.append([event(40)])
    log.close()
    assert held(rig) == (0, 42)


@pytest.mark.parametrize("meanwhile", [lambda _rig: None, upgraded, upgraded_and_settled])
@pytest.mark.parametrize("before", [before_format_3, before_format_4])
def test_a_reader_of_an_old_log_reads_on(
    rig: Rig, before: Callable[[Rig], None], meanwhile: Callable[[Rig], None]
) -> None:
    """Before the upgrade there are fewer tables; a reader that is open meanwhile finds all rows."""
    before(rig)
    reader = rig.reader()
    assert reader.find(("event", "acme", "E-3")) == 4
    assert rig.audit().problems == []

    meanwhile(rig)

    assert [reader.find(key(event(number))) for number in range(35)] == list(range(1, 36))
    assert reader.find(key(event(99))) is None
    reader.close()
    assert rig.audit().problems == []


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_halves_are_joined_as_one_by_one(seals: list[bytes]) -> None:
    """The fold gives the exclusive or of all hidden halves."""
    expected = 0
    for seal in seals:
        expected ^= int.from_bytes(seal[16:])
    assert _joined(seals) == expected
