"""Attacks on the log's history: cutting it off, putting an old copy back, writing it anew."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from log_factories import SECOND_US, Rig, check_log, event, seeded

from provenance.auditing import audit as audit_module
from provenance.errors import WorkspaceDamaged, WorkspaceReadOnly
from provenance.notes.checkpoint import parse
from provenance.proving.merkle import tree_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two files of an attacked log stay apart for ever: look once, not for a second."""
    monkeypatch.setattr(audit_module, "_LOOK_SECONDS", 0)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log of some entries."""
    (tmp_path / "log").mkdir()
    return Rig(tmp_path / "log").filled(20)


@pytest.fixture
def old(rig: Rig, tmp_path: Path) -> Rig:
    """A copy of the log as it was before its last entries."""
    earlier = rig.copied(tmp_path / "old")
    log = rig.open()
    log.append([event(number) for number in range(20, 30)])
    log.close()
    return earlier


def put_back(rig: Rig, old: Rig, *names: str) -> None:
    """Replace some files of a log by older ones."""
    for name in names:
        shutil.copy(old.directory / name, rig.directory / name)


def test_an_old_database_put_back_is_noticed(rig: Rig, old: Rig) -> None:
    """Opening to write is refused with a remedy, reading works, and the audit says what is lost."""
    put_back(rig, old, "log.db")

    with pytest.raises(WorkspaceReadOnly, match="fewer entries than the 31 once published"):
        rig.open()
    reader = rig.reader()
    assert reader.size == 21
    reader.close()
    problems = rig.audit().problems
    assert [one for one in problems if one.startswith("high-water: 31 entries were published")]
    assert [one for one in problems if one.startswith("checkpoint file")]


def test_an_old_database_is_noticed_by_a_writer_that_is_open(rig: Rig, old: Rig) -> None:
    """A writer that opened before the exchange does not continue the old copy either."""
    log = rig.open()
    with rig.attacked() as database:
        for table in ("leaf", "body", "opening", "event_id", "maker"):
            database.execute(f"DELETE FROM {table} WHERE idx >= 21")
        _copy_rows(old, database, "tile", "head", "checkpoint")

    with pytest.raises(WorkspaceReadOnly, match="fewer entries"):
        log.append([event(99)])
    log.close()


def _copy_rows(source: Rig, database: object, *tables: str) -> None:
    execute = database.execute  # type: ignore[attr-defined]
    execute("ATTACH ? AS source", (str(source.files.database),))
    for table in tables:
        execute(f"DELETE FROM {table}")
        execute(f"INSERT INTO {table} SELECT * FROM source.{table}")
    execute("DETACH source")


def test_a_tail_cut_off_in_place_is_noticed(rig: Rig, old: Rig) -> None:
    """Cut back to an earlier state, tiles and head and all, the log is refused and reported."""
    with rig.attacked() as database:
        for table in ("leaf", "body", "opening", "event_id", "maker"):
            database.execute(f"DELETE FROM {table} WHERE idx >= 21")
        _copy_rows(old, database, "tile", "head", "checkpoint")

    with pytest.raises(WorkspaceReadOnly, match="fewer entries"):
        rig.open()
    assert [one for one in rig.audit().problems if one.startswith("high-water")]


def test_leaves_cut_off_alone_are_noticed(rig: Rig) -> None:
    """Without the last leaf neither head nor tile nor checkpoint fits, and nothing is appended."""
    with rig.attacked() as database:
        database.execute("DELETE FROM leaf WHERE idx = 20")
    problems = rig.audit().problems
    log = rig.open()

    with pytest.raises(WorkspaceDamaged, match="does not continue the last entry"):
        log.append([event(99)])
    log.close()
    for place in ("head: its size", "head: its root", "tile 0/0", "checkpoint 20", "body: a row"):
        assert [one for one in problems if one.startswith(place)], (place, problems)


def test_a_writer_that_has_written_looks_at_the_tiles_again(rig: Rig) -> None:
    """What it remembers of the tree is not taken for what is stored: nothing goes onto damage."""
    log = rig.open()
    log.append([event(20)])
    with rig.attacked() as database:
        database.execute("UPDATE tile SET hashes = zeroblob(length(hashes))")

    with pytest.raises(WorkspaceDamaged, match="does not give the head's root"):
        log.append([event(99)])
    log.close()


def test_the_checkpoint_remembers_where_high_water_is_gone(rig: Rig, old: Rig) -> None:
    """An old database is refused on the word of either file; with both gone, nobody can tell."""
    put_back(rig, old, "log.db")
    rig.files.high_water.unlink()
    with pytest.raises(WorkspaceReadOnly, match="the 31 once published"):
        rig.open()

    put_back(rig, old, "high-water")
    with pytest.raises(WorkspaceReadOnly, match="the 31 once published"):
        rig.open()

    rig.files.checkpoint.unlink()
    rig.files.high_water.unlink()
    with pytest.raises(WorkspaceReadOnly, match="put one of them back"):
        rig.open()


def test_a_lost_high_water_is_made_again(rig: Rig) -> None:
    """With the right database and checkpoint the log opens, and remembers its state again."""
    before = rig.files.high_water.read_text()
    rig.files.high_water.unlink()

    check_log(rig, acknowledged=20, drafts=20)

    assert rig.files.high_water.read_text() == before


@pytest.mark.parametrize("text", ["", "x", "provenance high-water v1\nother\n1\n\n", "\n" * 4])
def test_a_damaged_high_water_stops_writers(rig: Rig, text: str) -> None:
    """Nobody guesses what was published: the file is named, and reading goes on."""
    rig.files.high_water.write_text(text)

    with pytest.raises(WorkspaceDamaged, match="high-water"):
        rig.open()
    assert rig.reader().size == 21


def test_a_damaged_checkpoint_file_is_written_again(rig: Rig) -> None:
    """What the key has not signed is evidence of nothing: the next writer shows the right one."""
    right = rig.files.checkpoint.read_text()
    further = right.replace("\n21\n", "\n91\n").encode()
    for wrong in (b"", b"\xff\xfe", b"no checkpoint\n", further):
        rig.files.checkpoint.write_bytes(wrong)
        rig.open().close()
        assert rig.files.checkpoint.read_text() == right


@pytest.fixture
def second(rig: Rig, tmp_path: Path) -> Rig:
    """Another history, longer, and signed with the log's own key and the same secret."""
    (tmp_path / "second").mkdir()
    other = Rig(tmp_path / "second", entropy=seeded(9))
    log = other.create()
    other.clock.now_us += SECOND_US
    log.append([event(number, carrier="another") for number in range(40)])
    log.close()
    return other


def test_a_second_history_is_sound_in_itself(second: Rig) -> None:
    """An audit alone cannot tell it: every byte of it adds up and is signed for."""
    assert second.audit().problems == []


def test_a_second_history_is_noticed_by_high_water(rig: Rig, second: Rig) -> None:
    """Put in place of the first it is refused, though it is longer, and the audit names it."""
    put_back(rig, second, "log.db")

    with pytest.raises(WorkspaceReadOnly, match="first 21 entries are not the ones"):
        rig.open()
    problems = rig.audit().problems
    assert [one for one in problems if one.startswith("high-water: 21 entries were published")]
    assert [one for one in problems if one.startswith("checkpoint file: not one that this log")]


def test_only_a_checkpoint_kept_elsewhere_tells_two_whole_histories(rig: Rig, second: Rig) -> None:
    """With all files exchanged the audit is content, and a kept checkpoint is not on that tree."""
    kept = parse(rig.files.checkpoint.read_text())[0]
    put_back(rig, second, "log.db", "checkpoint", "high-water")
    assert rig.audit().problems == []

    reader = rig.reader()
    root, _ = tree_of([entry.leaf_hash for entry in reader.entries(0, kept.size)])
    reader.close()

    assert root != kept.root
