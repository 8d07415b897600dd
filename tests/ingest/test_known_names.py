"""Ids that differ only in form from one of an earlier file: noticed, kept apart, told."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_log import MemoryLog, feed

from provenance.ingest.alike import Names, folded
from provenance.ingest.known_names import KnownNames, comparing

HEAD = "event_id,event_time,event_type,facility_id,lot_id,product_id\n"
ROW = "{},2024-05-03T00:00:00Z,inspect,{},{},yarn\n"
SECRET = bytes(range(32))


def names(*ids: str, space: str = "facility") -> Names:
    """The ids of a file."""
    found = Names()
    for one in ids:
        found.add(space, one)
    return found


def alike(known: KnownNames, *ids: str) -> set[str]:
    """Which of a file's ids are alike, and remember them all."""
    found = names(*ids)
    with comparing(known, found):
        return set(found.alike.get("facility", ()))


@pytest.mark.parametrize(
    ("first", "second"), [("ME-GIN", "me-gin"), ("Caf\u00e9", "Cafe\u0301"), ("\uff2c1", "L1")]
)
def test_a_later_file_is_compared_with_earlier_ones(
    tmp_path: Path, first: str, second: str
) -> None:
    """The rows are taken, with a warning and a note; the same spelling is nothing to tell."""
    log, known = MemoryLog(), KnownNames(tmp_path / "names.db", SECRET)
    told = feed(log, tmp_path, HEAD + ROW.format("A", first, "x"), names=known)
    assert not told.total.warnings
    told = feed(log, tmp_path, HEAD + ROW.format("B", second, "x"), names=known)
    assert list(told.total.warnings) == [
        "facility_id: differs from another only in case or Unicode form; kept apart"
    ]
    assert told.total.quality["id-alike"].entries == 1
    assert [c["facility_id"] for c in log.contents("event/1")] == [first, second]
    again = feed(log, tmp_path, HEAD + ROW.format("C", "other", "y"), names=known)
    assert not again.total.warnings


@given(st.lists(st.lists(st.text("aAbB\u00e9e\u0301", min_size=1, max_size=3)), max_size=4))
@settings(max_examples=40)
def test_it_is_what_a_naive_comparison_says(files: list[list[str]]) -> None:
    """An id is told where another, of this file or one before, folds to the same."""
    with tempfile.TemporaryDirectory() as place:
        known, before = KnownNames(Path(place) / "n.db", SECRET), set[str]()
        for ids in files:
            every = before | set(ids)
            wanted = {one for one in ids if folded(one) in {folded(x) for x in every - {one}}}
            assert alike(known, *ids) == wanted
            before = every


def test_kinds_are_apart_and_no_id_is_in_the_file(tmp_path: Path) -> None:
    """A lot may be called like a site; and the index is digests under the workspace's secret."""
    path = tmp_path / "names.db"
    KnownNames(path, SECRET).remember(names("SECRET-MILL"))
    found = names("secret-mill", space="lot")
    KnownNames(path, SECRET).compare(found)
    assert not found.alike.get("lot")
    assert b"mill" not in path.read_bytes().lower()
    assert path.stat().st_mode & 0o077 == 0
    other = names("secret-mill")
    KnownNames(path, bytes(32)).compare(other)
    assert not other.alike.get("facility")


def test_an_index_that_is_damaged_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, and begun anew; so it is where its place is no file at all."""
    path = tmp_path / "names.db"
    path.write_bytes(b"no database" * 100)
    known = KnownNames(path, SECRET)
    assert alike(known, "A") == set()
    assert "not compared" in caplog.text
    assert alike(known, "B") == set()
    assert alike(known, "b") == {"b"}
    beyond = KnownNames(tmp_path / "absent" / "names.db", SECRET)
    assert alike(beyond, "a") == set()


def test_two_at_once(tmp_path: Path) -> None:
    """Ingests beside each other wait for the index; both are in it."""
    path = tmp_path / "names.db"
    files = [names(*(f"{n}-{i}" for i in range(300))) for n in range(4)]
    threads = [
        threading.Thread(target=KnownNames(path, SECRET).remember, args=[one]) for one in files
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for n in range(4):
        assert alike(KnownNames(path, SECRET), f"X{n}", f"{n}-299".replace("-", "\uff0d"))
