"""A large record's events are read by two processes, and nobody can tell from the frames."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest
from graph_factories import ListLog, event, item, record
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.columns import Growing
from graph.connect import open_store
from graph.frames import Frames, load_frames
from graph.framing import half
from graph.framing.events import EVENTS
from graph.sync import catch_up
from provenance import beside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from graph.store import GraphStore
    from provenance.entries import Draft

MANY = 600
"""Events whose columns do not fit into a pipe that nobody reads."""


def drafts() -> list[Draft]:
    """Events with and without items and inputs, odd values and notes among them."""
    odd: list[dict[str, Any]] = [
        {},
        {"serial_ids": ["x", "y"]},
        {"latitude": "north", "carrier": 7},
        {"quality": ["weight-implausible"], "gross_weight": {"_d": "-0.5"}},
        {"inputs": [item("R", "2", 3), {"lot_id": "9", "quantity": {"_d": "1e3"}}]},
        {"event_time": "2024-01-01T03:30:00.25+02:00"},
    ]
    made: list[Draft] = []
    for n in range(MANY):
        items = [item("P", str(n), n), item("Q", party="bolt")][: n % 3]
        made.append(event(n % 20, "transform", *items, **odd[n % len(odd)]))
    return [record("facility", facility_id="F1"), *made]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphStore]:
    """A graph in a file."""
    store = open_store(f"sqlite:{tmp_path_factory.mktemp('frames') / 'graph.db'}")
    catch_up(ListLog(drafts()), store)
    yield store
    store.close()


@pytest.fixture
def alone(stored: GraphStore) -> Frames:
    """What one process reads."""
    return load_frames(stored)


@pytest.fixture
def started(
    monkeypatch: pytest.MonkeyPatch, alone: Frames
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Whoever is started; records count as large from now on, and two processors are there."""
    processes: list[subprocess.Popen[bytes]] = []
    start = beside.start

    def noted(*words: str) -> subprocess.Popen[bytes]:
        processes.append(start(*words))
        return processes[-1]

    monkeypatch.setattr(half, "_ENOUGH", 10)
    monkeypatch.setattr(beside, "usable_cpus", lambda: 2)
    monkeypatch.setattr(beside, "start", noted)
    yield processes
    assert all(process.returncode is not None for process in processes)


def assert_same(found: Frames, expected: Frames) -> None:
    """Every table is the same one, whatever its columns hold."""
    for field in fields(Frames):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(one, pd.DataFrame):
            pd.testing.assert_frame_equal(one, other)
        else:
            assert one == other


@pytest.mark.parametrize("start", [0, 200])
def test_two_read_what_one_reads(
    stored: GraphStore,
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    start: int,
) -> None:
    """The second process has a half of the events, and the frames are the same."""
    halves: list[bool] = []
    add_to = half.Half.add_to

    def noted(*given: Any) -> bool:
        halves.append(add_to(*given))
        return halves[-1]

    monkeypatch.setattr(half.Half, "add_to", noted)
    found = load_frames(stored, start)
    monkeypatch.setattr(half, "_ENOUGH", MANY * 2)
    assert_same(found, load_frames(stored, start))
    assert (len(started), halves) == (1, [True])


def test_what_did_not_come_is_read_here(
    stored: GraphStore,
    alone: Frames,
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A process that dies in the middle, or at once, costs time and nothing else."""
    sent, address = io.BytesIO(), stored.address()
    assert address is not None
    first = int(stored.position() * half._HERE)
    half.send(address, 0, first, stored.position(), sent)
    whole, some = sent.getvalue(), tmp_path / "some"

    def dies(*_: str) -> subprocess.Popen[bytes]:
        code = "import sys; sys.stdout.buffer.write(open('some', 'rb').read())"
        pipe, words = subprocess.PIPE, [sys.executable, "-c", code]
        started.append(subprocess.Popen(words, stdin=pipe, stdout=pipe, cwd=tmp_path))
        return started[-1]

    monkeypatch.setattr(beside, "start", dies)
    for share in (0.0, 0.4, 0.999):
        some.write_bytes(whole[: int(len(whole) * share)])
        assert_same(load_frames(stored), alone)
    assert len(started) == 3


def test_no_room_for_a_process(
    stored: GraphStore,
    alone: Frames,
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the system has no room for another process, one reads everything."""

    def refused(*_: str) -> subprocess.Popen[bytes]:
        raise BlockingIOError

    monkeypatch.setattr(beside, "start", refused)
    assert_same(load_frames(stored), alone)


def test_a_graph_without_an_address_is_read_here(
    started: list[subprocess.Popen[bytes]], alone: Frames
) -> None:
    """Nobody else can open a graph that lives in this process."""
    store = open_store("memory:")
    catch_up(ListLog(drafts()), store)
    found = load_frames(store)
    assert (len(found.events), len(found.inputs)) == (len(alone.events), len(alone.inputs))
    assert started == []


def test_nobody_is_left_when_reading_fails(
    stored: GraphStore, started: list[subprocess.Popen[bytes]]
) -> None:
    """The process is ended whatever the caller raises."""
    with pytest.raises(ZeroDivisionError), half.reading_beside(stored, 0, stored.position()):
        raise ZeroDivisionError
    assert len(started) == 1


def test_it_ends_with_its_caller(stored: GraphStore) -> None:
    """A process whose caller is gone ends, although nobody takes what it has to send."""
    address = stored.address()
    assert address is not None
    process = beside.start(half.__name__, address, "0", "0", str(stored.position()))
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.read(1)
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()


def test_a_store_that_is_gone_sends_nothing(tmp_path: Path) -> None:
    """Without a graph at the address there is an error, not half a table."""
    process = beside.start(half.__name__, f"sqlite:{tmp_path / 'none.db'}", "0", "0", "9")
    assert process.stdout is not None
    assert process.stdout.read() == b""
    assert process.wait(60) != 0
    beside.end(process)


@settings(max_examples=15)
@given(st.data())
def test_columns_arrive_as_they_were_sent(data: st.DataObject) -> None:
    """Whatever the values of a column are, the other side has the same ones; less is refused."""
    text = st.none() | st.text(st.characters(codec="utf-8"), max_size=3)
    rows = [
        {
            "index": n,
            "leaf_hash": bytes(32),
            "event_id": data.draw(text),
            "quantity": data.draw(st.none() | st.integers(-9, 9)),
            "quality": data.draw(st.none() | st.lists(text, max_size=2)),
        }
        for n in range(data.draw(st.integers(0, 4)))
    ]
    made, same, sink = Growing(EVENTS), Growing(EVENTS), io.BytesIO()
    made.extend(rows)
    same.extend(rows)
    made.send(sink)
    whole = sink.getvalue()
    arrived = Growing(EVENTS).received(io.BytesIO(whole))
    pd.testing.assert_frame_equal(arrived.frame(), same.frame())
    if rows:
        cut = data.draw(st.integers(0, len(whole) - 9))  # the last eight bytes only say: the end
        with pytest.raises((pa.ArrowException, OSError, ValueError)):
            Growing(EVENTS).received(io.BytesIO(whole[:cut]))
