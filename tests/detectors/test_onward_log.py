"""Going on over a real log: what is read, what is replayed, what an erasure changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from memory_log import MemoryLog
from planted import PLANTED

from detectors import unusual_models, unusual_overall
from detectors.onward.going import Onward, go_on
from detectors.onward.reading import Read, open_shelf, read
from detectors.record import draft
from detectors.registry import BUILT_IN
from detectors.replay import Replayer, Verdict
from detectors.run import run
from graph.frames import load_frames
from graph.stores.memory import MemoryStore
from graph.sync import catch_up
from provenance.disclosure.privacy import open_entry
from provenance.entries import Draft, EntryType, Tier
from provenance.proving.merkle import tree_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from detectors.base import Detector


MONTHS: Final = "unusual_overall_months"
_FLAG: Final = EntryType.FLAG


class GrowingLog(MemoryLog):
    """A log in memory that knows its earlier roots."""

    def root_at(self, size: int) -> bytes:
        """The root over the first entries."""
        return tree_of([entry.leaf_hash for entry in self.held[:size]])[0]


class Workplace:
    """A log, its graph and a shelf; detection runs go on from each other."""

    def __init__(self, place: Path, detector: str) -> None:
        """Begin with an empty log."""
        self.log = GrowingLog([])
        self.store = MemoryStore()
        self.shelf = open_shelf(place / "shelf")
        self.detectors: list[Detector] = [one for one in BUILT_IN if one.name == detector]

    def add(self, drafts: list[Draft]) -> None:
        """The log grows, and the graph with it."""
        for one in drafts:
            self.log.append(one)
        catch_up(self.log, self.store)

    def detect(self) -> tuple[Read, Onward]:
        """Go on from the last run, as `provenance detect --since last` does."""
        found = read(self.store, self.log, self.shelf)
        size = found.frames.position
        root = self.log.root_at(size)
        done = go_on(found.frames, self.detectors, tree_size=size, root=root, before=found.before)
        assert done.result.errors == ()
        self.add([draft(flag, party="acme") for flag in done.result.flags])
        self.shelf.write(done.kept, found.frames, found.held, found.later, done.fits)
        return found, done


def an_erasure(index: int) -> Draft:
    """The entry that says that another was erased."""
    erased = {"entries": [index], "reason": "asked for"}
    return Draft(EntryType.ERASURE, "erasure/1", erased)


@pytest.mark.parametrize("name", ["weight_misdeclared", "custody_gap"])
def test_every_flag_of_runs_that_went_on_replays_the_same(tmp_path: Path, name: str) -> None:
    """Also those that stood while later ones were raised; and they are all the flags there are."""
    drafts = PLANTED[name]().world.drafts()
    work = Workplace(tmp_path, name)
    for start, stop in ((0, 0.9), (0.9, 1.0)):
        work.add(drafts[int(start * len(drafts)) : int(stop * len(drafts))])
        found, done = work.detect()
        assert (found.before is None) == (start == 0)
    flags = [entry for entry in work.log.held if entry.type is EntryType.FLAG]
    assert flags
    replayer = Replayer(work.log, BUILT_IN)
    told = [open_entry(entry, Tier.PRIVATE) for entry in flags]
    assert {replayer.replay(flag).verdict for flag in told} == {Verdict.SAME}
    size = done.kept.position
    frames = load_frames(work.store)
    whole = run(frames, work.detectors, tree_size=size, root=work.log.root_at(size))
    named = {(flag["subject_id"], flag["detector"]) for flag in told}
    assert {(flag.subject_id, flag.detector) for flag in whole.flags} <= named


def test_what_was_fitted_is_read_and_not_fitted_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that goes on scores new rows by the models of the run before; damaged ones it fits."""
    times: list[int] = []

    def counted(rows: NDArray[np.float64], seed: int) -> unusual_models.Fitted:
        times.append(len(rows))
        return unusual_models.fitted(rows, seed)

    monkeypatch.setattr(unusual_overall, "fitted", counted)
    # So that none is due in the quarter that is open.
    for limit in ("GROWTH", "MAX_AGE"):
        monkeypatch.setattr(unusual_overall, limit, 1_000)
    drafts = PLANTED[MONTHS]().world.drafts()
    work = Workplace(tmp_path, MONTHS)
    work.add(drafts[:-2])
    _, first = work.detect()
    assert len(times) == len(first.fits) > 0
    work.add(drafts[-2:-1])
    found, second = work.detect()
    assert found.before is not None
    assert second.asked
    assert len(times) == len(first.fits)
    assert second.fits.items() <= first.fits.items()
    for path in (tmp_path / "shelf").glob("*.fit"):
        path.write_bytes(path.read_bytes()[:-1])
    work.add(drafts[-1:])
    work.detect()
    assert len(times) == len(first.fits) + len(second.fits)
    size = len(work.log.held)
    frames = load_frames(work.store)
    whole = run(frames, work.detectors, tree_size=size, root=work.log.root_at(size))
    told = {open_entry(x, Tier.PRIVATE)["subject_id"] for x in work.log.held if x.type is _FLAG}
    assert {flag.subject_id for flag in whole.flags} <= told


def test_after_an_erasure_everything_is_read_anew_and_replays_name_the_entry(
    tmp_path: Path,
) -> None:
    """Nothing that was erased is read from the shelf; a flag that rests on it is impossible."""
    drafts = PLANTED["custody_gap"]().world.drafts()
    work = Workplace(tmp_path, "custody_gap")
    work.add(drafts)
    _, done = work.detect()
    flag = next(entry for entry in work.log.held if entry.type is EntryType.FLAG)
    told = open_entry(flag, Tier.PRIVATE)
    index = told["evidence"][0][0]
    work.log.erase(index)
    work.store = MemoryStore()
    work.add([an_erasure(index)])
    found, again = work.detect()
    assert found.before is None
    assert (found.frames.events["index"] != index).all()
    verdict = Replayer(work.log, BUILT_IN).replay(told)
    assert verdict.verdict is Verdict.IMPOSSIBLE
    assert str(index) in verdict.reasons[0]
    assert again.kept.position > done.kept.position


def test_another_log_is_not_gone_on_from(tmp_path: Path) -> None:
    """A shelf that was copied from elsewhere, or is of a longer log, is not used."""
    drafts = PLANTED["custody_gap"]().world.drafts()
    one, other = Workplace(tmp_path, "custody_gap"), Workplace(tmp_path, "custody_gap")
    one.add(drafts)
    one.detect()
    other.add(drafts[:-3])
    found, _ = other.detect()
    assert found.before is None
