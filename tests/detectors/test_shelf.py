"""The shelf: what a run read comes back as it was, or not at all."""

from __future__ import annotations

import hashlib
import random
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from frame_factories import ROOT, World, chain
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.onward import shelf as shelves
from detectors.onward.kept import KeptAnswer, KeptRun
from detectors.onward.shelf import TABLES, Shelf, joined

if TYPE_CHECKING:
    from pathlib import Path

    from graph.frames import Frames


@cache
def history(seed: int) -> World:
    """A trade with corrected months, sheets, lists, serials and gaps; nobody changes it."""
    world, dice = chain(World()), random.Random(seed)
    world.limit()
    for n in range(12):
        month = f"2024-{dice.randrange(1, 5):02d}"
        world.month("SHOP", month, headcount=dice.randrange(5, 9), currency=None)
        worker = {"worker_id": f"W{n % 3}", "weeks": [{"week": 1 + n % 2, "hours": 40 + n}]}
        world.add("timesheet/1", facility_id="SHOP", month=month, workers=[worker])
        world.event(
            "sell", 3000 + n, "SHOP", items=[{"product_id": "SHIRT", "serial_ids": ["é", "2"]}]
        )
        world.listed("region", f"XX-{n % 3}")
    return world


def frames_of(world: World, start: int = 0, stop: int | None = None) -> Frames:
    """The frames of some entries of a world."""
    early = World(world.party)
    early.entries = world.entries[:stop]
    return early.frames(start)


def assert_equal(one: Frames, other: Frames) -> None:
    """Two frames hold the same rows, column by column, types included."""
    assert one.position == other.position
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), obj=name)


_FEW = 4
"""Parts that become one, instead of the many that the program waits for."""


def kept_at(position: int) -> KeptRun:
    """A run that concluded nothing."""
    return KeptRun(position, ROOT, 0.05, 1, {})


@given(seed=st.integers(0, 3), cuts=st.lists(st.floats(0.05, 1), min_size=1, max_size=4))
@settings(max_examples=6)
def test_parts_make_up_the_whole(seed: int, cuts: list[float]) -> None:
    """Frames read in pieces are those read at once, whatever was corrected on the way."""
    world = history(seed)
    ends = sorted(int(cut * len(world.entries)) for cut in cuts)
    frames = frames_of(world, 0, ends[0])
    for start, stop in zip(ends, [*ends[1:], None], strict=True):
        frames = joined(frames, frames_of(world, start, stop))
    assert_equal(frames, frames_of(world))


@pytest.mark.parametrize("pieces", [1, 3, _FEW + 3])
def test_what_was_put_there_comes_back(
    tmp_path: Path, pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also from many parts, which become one in time; by another object, as another process."""
    monkeypatch.setattr(shelves, "_MOST_PARTS", _FEW)
    world = history(1)
    ends = [len(world.entries) * (n + 1) // pieces for n in range(pieces)]
    start, frames = 0, None
    for stop in ends:
        shelf = Shelf(tmp_path / "shelf", "code")
        held = shelf.read()
        later = frames_of(world, start, stop)
        if held is None or frames is None:
            frames = later
        else:
            read = shelf.frames(held)
            assert read is not None
            assert_equal(read, frames)
            frames = joined(read, later)
        shelf.write(kept_at(stop), frames, held, later)
        start = stop
    shelf = Shelf(tmp_path / "shelf", "code")
    held = shelf.read()
    assert held is not None
    back = shelf.frames(held)
    assert back is not None
    assert_equal(back, frames_of(world))
    most = (_FEW + 1) * len(TABLES) + 1
    assert len(list((tmp_path / "shelf").iterdir())) <= most


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """It holds values of every tier."""
    world = history(1)
    Shelf(tmp_path / "shelf", "code").write(kept_at(9), frames_of(world), None, None)
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "shelf").iterdir()}
    assert modes == {0}
    assert (tmp_path / "shelf").stat().st_mode & 0o077 == 0


def test_what_is_not_whole_is_not_held(tmp_path: Path) -> None:
    """A file cut short or gone, a manifest of nonsense, other code: nothing is held, no error."""
    frames, place = frames_of(history(1)), tmp_path / "shelf"
    for attack in ("short", "gone", "nonsense", "manifest gone", "damaged"):
        shelf = Shelf(place, "code")
        shelf.write(kept_at(frames.position), frames, None, None)
        part = next(place.glob("events.*"))
        if attack == "short":
            part.write_bytes(part.read_bytes()[:-9])
        elif attack == "gone":
            part.unlink()
        elif attack == "nonsense":
            (place / "run.json").write_bytes(b'{"kept": 3}')
        elif attack == "manifest gone":
            (place / "run.json").unlink()
        else:
            part.write_bytes(bytes(part.stat().st_size))
        held = shelf.read()
        assert held is None or shelf.frames(held) is None, attack
    Shelf(place, "code").write(kept_at(frames.position), frames, None, None)
    assert Shelf(place, "other code").read() is None
    assert Shelf(place, "code").read() is not None


def test_what_was_fitted_comes_back_as_it_was_or_not_at_all(tmp_path: Path) -> None:
    """A fit is read where it is what was written; it is written again, and goes with its run."""
    shelf, frames = Shelf(tmp_path / "shelf", "code"), frames_of(history(1))
    named = {"one": hashlib.sha256(b"numbers").hexdigest()}
    answer = KeptAnswer("key", frozenset(), frozenset(), (), {}, fits=named)
    kept = KeptRun(frames.position, ROOT, 0.05, 1, {"detector": answer})
    for _ in range(2):
        shelf.write(kept, frames, None, None, {"one": b"numbers", "other": b"nobody's"})
        assert shelf.fit("one", named["one"]) == b"numbers"
        assert shelf.fit("other", named["one"]) is None
        (path,) = (tmp_path / "shelf").glob("*.fit")
        assert path.stat().st_mode & 0o077 == 0
        path.write_bytes(b"numbres")
        assert shelf.fit("one", named["one"]) is None
    shelf.write(kept_at(frames.position), frames, None, None)
    assert not list((tmp_path / "shelf").glob("*.fit"))


def test_thrown_away_is_gone(tmp_path: Path) -> None:
    """Nothing is left of it, and throwing away what is not there is no fault."""
    shelf = Shelf(tmp_path / "shelf", "code")
    shelf.discard()
    frames = frames_of(history(1))
    shelf.write(kept_at(frames.position), frames, None, None)
    shelf.discard()
    assert not (tmp_path / "shelf").exists()
    assert shelf.read() is None


def test_loading_from_an_entry_on_reads_no_earlier_one() -> None:
    """The rows are those of the later entries alone."""
    world = history(2)
    half = len(world.entries) // 2
    for name in TABLES:
        assert (getattr(frames_of(world, half), name)["index"] >= half).all()
