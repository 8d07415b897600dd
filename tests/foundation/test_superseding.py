"""Flags that later runs no longer raise: superseded in the log, never deleted, raised anew."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from api.reading import FlagFilter
from api.store_reading import open_reading
from detectors import registry
from detectors.casework import reviews
from detectors.casework.cases import read_board
from detectors.casework.precision import precisions
from detectors.casework.reviews import State
from detectors.casework.superseded import Cause, whole
from detectors.excess_hours import ExcessHours
from detectors.listed_source import ListedSource
from detectors.replay import Replayer, Verdict
from graph.keys import facility_key
from provenance.disclosure.privacy import open_entry
from provenance.entries import Draft, EntryType, Identity, Tier
from workspace.detecting import detect
from workspace.workspace import Workspace, create_workspace

sys.path.append(str(Path(__file__).parent.parent / "detectors"))
from frame_factories import World

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVEL = 0.05


class Company:
    """A workspace whose record grows and is corrected."""

    def __init__(self, place: Path, world: World) -> None:
        """Begin with a world."""
        create_workspace(place, origin="log.example/t", party="acme", domain="https://t.example")
        self.workspace = Workspace(place)
        self.add(world)

    def add(self, world: World) -> None:
        """Append the entries of a world; what is on record already is a newer version."""
        size = self.workspace.reader.size
        drafts = [
            Draft(one.type, one.version, one.content, (Identity(("test", str(size + at))),))
            for at, one in enumerate(world.drafts())
        ]
        self.workspace.log.append(drafts)

    def month(self, month: str, hours: float) -> None:
        """Report a month, or correct it."""
        world = World()
        world.month("A", month, avg_weekly_hours=hours)
        self.add(world)

    def limit(self, hours: float) -> None:
        """Change the law."""
        world = World()
        world.limit(max_weekly_hours=hours)
        self.add(world)

    def detect(self, **more: Any) -> Any:
        """Let the detectors run."""
        return detect(self.workspace, LEVEL, **more)

    def subjects(self) -> set[tuple[str, str]]:
        """Whom the flags are about that stand."""
        flags = read_board(self.workspace.graph).flags
        return {(flag.attrs["detector"], flag.attrs["subject_id"]) for flag in flags}

    def entries(self, version: str) -> list[tuple[int, dict[str, Any]]]:
        """The contents of a version in the log, with their places."""
        reader = self.workspace.reader
        return [
            (entry.index, open_entry(entry, Tier.PRIVATE))
            for entry in reader.entries(0, reader.size)
            if entry.type == EntryType.FLAG and entry.body is not None
            if json.loads(entry.body)["_v"] == version
        ]

    def decide(self, state: State) -> None:
        """Decide on the one flag that stands."""
        graph = self.workspace.graph
        (flag,) = read_board(graph).flags
        one = reviews.draft(flag, state, reason="seen", reviewer="ana", party="acme")
        self.workspace.log.append([one])
        self.workspace.sync_graph()


def works() -> World:
    """A site, a law, and a decent month."""
    world = World()
    world.site("A")
    world.limit()
    world.month("A", "2024-01")
    return world


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """A company with one month of too many hours, looked at by two detectors."""
    monkeypatch.setattr(registry, "load", lambda: ((ExcessHours(), ListedSource()), ()))
    made = Company(tmp_path / "workspace", works())
    made.month("2024-02", 60.0)
    with made.workspace:
        yield made


@pytest.mark.parametrize("onward", [False, True])
def test_a_correction_supersedes_an_open_flag(company: Company, onward: bool) -> None:
    """The log says by which run and why; the flag is there, replays, and stands no longer."""
    company.detect()
    ((index, flag),) = company.entries("flag/1")
    company.month("2024-02", 40.0)
    corrected = company.workspace.reader.size - 1
    done = company.detect(onward=onward)
    assert [one.kind for one in done.superseded] == ["appended"]
    assert company.subjects() == set()
    ((_, told),) = company.entries("superseded/1")
    assert told["flag"][0] == index
    assert told["cause"] == Cause.RECORD
    assert told["tree_size"] == done.position
    assert [place for place, _ in told["evidence"]] == [corrected]
    assert f"Entry {corrected} takes the place of entry" in told["reason"]
    graph = company.workspace.graph
    assert graph.flags_for(facility_key("A"), Tier.PUBLIC) == []
    assert len(graph.flags_for(facility_key("A"), Tier.PUBLIC, superseded=True)) == 1
    assert [one.index for one in whole(graph, [index])] == [index]
    assert Replayer(company.workspace.reader, [ExcessHours()]).replay(flag).verdict is Verdict.SAME
    again = company.detect(onward=onward)
    assert (again.superseded, again.outcomes) == ((), ())


def test_a_flag_that_is_raised_again_follows_the_superseded_one(company: Company) -> None:
    """Also where it says, word for word, what the first one said: it is a flag of its own."""
    for hours in (60.0, 40.0, 60.0):
        company.month("2024-02", hours)
        company.detect(onward=True)
    (first, flag), (_, again) = company.entries("flag/1")
    assert again["follows"][0] == first
    assert "follows" not in flag
    assert company.subjects() == {("excess_hours", "A|2024-02")}
    assert Replayer(company.workspace.reader, [ExcessHours()]).replay(again).verdict is Verdict.SAME


def test_another_law_supersedes(company: Company) -> None:
    """A limit that was corrected is named; the flag's evidence no longer holds."""
    company.detect()
    company.limit(62.0)
    company.detect()
    ((_, told),) = company.entries("superseded/1")
    assert told["evidence"][0][0] == company.workspace.reader.size - 2
    assert company.subjects() == set()


def test_the_api_lists_superseded_flags_for_those_who_ask(company: Company) -> None:
    """With the entry and the reason; nobody else is shown them, and strangers no reason."""
    company.detect()
    company.month("2024-02", 40.0)
    company.detect()
    ((entry, told),) = company.entries("superseded/1")
    reading = open_reading(company.workspace)
    try:
        assert reading.flags(FlagFilter(), None, 9, Tier.PRIVATE) == []
        wanted = FlagFilter(state="superseded")
        (flag,) = reading.flags(wanted, None, 9, Tier.PRIVATE)
        (stranger,) = reading.flags(wanted, None, 9, Tier.PUBLIC)
    finally:
        reading.close()
    assert flag.index == told["flag"][0]
    assert flag.content["superseded_reason"] == told["reason"]
    assert stranger.content["superseded_index"] == entry
    assert stranger.content["superseded_reason"] is None


@pytest.mark.parametrize("state", [State.CONFIRMED, State.DISMISSED])
def test_what_people_decided_stays(company: Company, state: State) -> None:
    """A decided flag is not superseded and counts; taken back, it is as open as any."""
    company.detect()
    company.decide(state)
    company.month("2024-02", 40.0)
    assert company.detect(onward=True).superseded == ()
    board = read_board(company.workspace.graph)
    assert precisions(board.flags, board.reviews)[0].decided == 1
    company.decide(State.OPEN)
    assert len(company.detect(onward=True).superseded) == 1
    board = read_board(company.workspace.graph)
    assert precisions(board.flags, board.reviews) == []
    assert board.cases == []


def test_who_does_not_judge_takes_nothing_back(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a detector that fails, nor one that is not there, nor one that abstains."""
    company.detect()
    company.month("2024-02", 40.0)

    class Broken(ExcessHours):
        def score(self, sample: Any) -> Any:
            raise RuntimeError(str(len(sample.table)))

    for detectors in ((Broken(), ListedSource()), (ListedSource(),)):
        monkeypatch.setattr(registry, "load", lambda one=detectors: (one, ()))
        assert company.detect().superseded == ()
    monkeypatch.setattr(registry, "load", lambda: ((ExcessHours(),), ()))
    world = World()
    world.site("A", country="XX")
    company.add(world)
    for onward in (False, True):
        done = company.detect(onward=onward)
        assert done.onward.result.abstentions
        assert done.superseded == ()
    assert company.subjects() == {("excess_hours", "A|2024-02")}


def test_another_detector_is_named_as_the_cause(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was taken back and the detector is another, that is what the log says."""
    company.detect()

    class Milder(ExcessHours):
        version = "milder"  # type: ignore[misc]

        def score(self, sample: Any) -> Any:
            return super().score(sample) / 2

    monkeypatch.setattr(registry, "load", lambda: ((Milder(),), ()))
    company.detect()
    ((_, told),) = company.entries("superseded/1")
    assert told["cause"] == Cause.DETECTOR
    raised = f"Version {ExcessHours.version} of excess_hours raised it; version milder"
    assert raised in told["reason"]
    assert told["evidence"] == []


def test_a_rehearsal_supersedes_nothing(company: Company) -> None:
    """It counts what would fall, and writes nothing."""
    company.detect()
    company.month("2024-02", 40.0)
    size = company.workspace.reader.size
    assert len(company.detect(rehearsal=True).superseded) == 1
    assert company.workspace.reader.size == size


@pytest.mark.parametrize("seed", range(2))
def test_what_stands_is_what_a_fresh_run_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whatever came, was corrected, listed or taken off a list, in whatever kind of runs."""
    monkeypatch.setattr(registry, "load", lambda: ((ExcessHours(), ListedSource()), ()))
    dice = random.Random(seed)
    company = Company(tmp_path / "workspace", works())
    with company.workspace:
        for number in range(4):
            _change(company, dice, number)
            company.detect(onward=dice.random() < 0.7)
            stood = company.subjects()
            fresh = company.detect(rehearsal=True)
            flags = fresh.onward.result.flags
            assert stood == {(flag.detector, flag.subject_id) for flag in flags}
            assert fresh.superseded == ()
        indices = [index for index, _ in company.entries("flag/1")]
        assert len(whole(company.workspace.graph, indices)) == len(indices)


def _change(company: Company, dice: random.Random, number: int) -> None:
    """Months come or are corrected, the law changes, goods leave, a list names their region."""
    world = World()
    for _ in range(dice.randint(1, 3)):
        hours = dice.choice([40.0, 47.0, 60.0])
        world.month("A", f"2024-{dice.randint(1, 4):02d}", avg_weekly_hours=hours)
    if dice.random() < 0.4:
        world.limit(max_weekly_hours=dice.choice([44.0, 48.0, 62.0]))
    world.site("FIELD", country="XX", region=dice.choice(["XX-01", "XX-02"]))
    lot, shipment = f"L{number}", f"S{number}"
    world.send(24.0 * number, "FIELD", "A", lot, shipment)
    for content in (one for version, one in world.entries if version == "event/1"):
        content["event_id"] = f"{content['event_id']}-{number}"
    world.listed("region", "XX-01")
    company.add(world)
