"""The log that is written by a process beside: the same log and receipt, or one clear error."""

from __future__ import annotations

import io
import os
import pickle
import signal
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from provenance import beside
from provenance.disclosure.privacy import open_entry
from provenance.disclosure.tiers import TierPolicy
from provenance.entries import Draft, EntryType, Identity, Outcome, Tier
from provenance.errors import InputError, Interrupted, ProvenanceError, StorageError
from provenance.ingest.lane import Lane
from provenance.ingest.run import ingest
from provenance.ingest.sink import GROUP
from workspace import appending
from workspace.appending import Appending, serve
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from provenance.log import Log
    from provenance.store.preparing import Prepared

ROWS = 3 * GROUP + 300
SECONDS = 60.0


def rows(many: int = ROWS, odd: int = 500) -> str:
    """Events; after each `odd` ones one is set aside, one contradicts another, one comes twice."""
    made = ["event_id,event_time,event_type,facility_id,product_id,lot_id,colour"]
    for number in range(many):
        made.append(f"E{number},2024-01-01T08:00:00Z,ship,F{number % 7},P,L{number % 90},red")
        if number % odd == odd - 1:
            made.append(f"B{number},yesterday,ship,F,P,L,")
            made.append(f"E{number // 2},2024-01-01T08:00:00Z,ship,F9,P,L1,blue")
            made.append(made[number // 3 + 1])
    return "\n".join(made) + "\n"


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine has."""
    monkeypatch.setattr(beside, "usable_cpus", lambda: 2)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace."""
    with made(tmp_path / "data") as opened:
        yield opened


def made(place: Path) -> Workspace:
    """Make one, and open it."""
    create_workspace(place, origin="log.example/test", party="p", domain="https://p.example")
    return Workspace(place)


def bring(workspace: Workspace, source: Path, **options: Any) -> Any:
    """Ingest a file."""
    return ingest(
        [str(source)],
        workspace.log,
        party="p",
        quarantine=workspace.layout.quarantine,
        clock=workspace.clock,
        entropy=workspace.entropy,
        **options,
    )


def wait_for(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def told(receipt: Any) -> dict[str, Any]:
    """What a receipt says, whatever log it is of."""
    said = receipt.to_dict()
    said.pop("checkpoint")
    for part in said["files"]:
        part.pop("quarantine")
    return dict(said)


def contents(log: Log) -> list[Any]:
    """All events, opened."""
    events = [entry for entry in log.entries(1) if entry.type == EntryType.EVENT]
    return [open_entry(entry, Tier.PRIVATE) for entry in events]


def set_aside(workspace: Workspace) -> list[str]:
    """The rows in quarantine."""
    (kept,) = workspace.layout.quarantine.glob("*.csv")
    return sorted(kept.read_text().splitlines())


def test_the_log_is_the_one_that_it_would_be(tmp_path: Path, workspace: Workspace) -> None:
    """Written beside, it holds the same entries in the same order, and the receipt is the same."""
    source = tmp_path / "e.csv"
    source.write_text(rows())
    with made(tmp_path / "alone") as alone:
        expected = told(bring(alone, source)), contents(alone.log), set_aside(alone)
    with Appending(workspace.layout.directory) as writer:
        writer.start()
        wait_for(writer.is_ready)
        receipt = bring(workspace, source, writer=writer)
        assert writer.process is not None
        process = writer.process
        assert apsw.soft_heap_limit(-1) > 0
        again = bring(workspace, source, writer=writer)
    assert (told(receipt), contents(workspace.log), set_aside(workspace)) == expected
    assert again.total.duplicate == receipt.total.accepted + receipt.total.duplicate
    assert process.returncode == 0
    assert apsw.soft_heap_limit(-1) == 0  # what this process holds was limited for the while
    assert not workspace.audit(lambda _done, _total: None).problems


def test_a_killed_one_is_one_clear_error(tmp_path: Path, workspace: Workspace) -> None:
    """What was acknowledged is there, nothing is half-written, the same call completes it."""
    source = tmp_path / "e.csv"
    source.write_text(rows())

    def kill(stage: str, _file: str, _done: int, _total: int, rows: int) -> None:
        if stage == "logging" and rows > 500 and writer.process is not None:
            os.kill(writer.process.pid, signal.SIGKILL)

    with Appending(workspace.layout.directory) as writer:
        writer.start()
        wait_for(writer.is_ready)
        with pytest.raises(StorageError, match=r"ended before its time.*the same command"):
            bring(workspace, source, writer=writer, progress=kill)
    assert not list(workspace.layout.quarantine.glob("*.csv"))
    there = contents(workspace.log)
    assert len(there) < ROWS
    receipt = bring(workspace, source)
    assert [one["event_id"] for one in contents(workspace.log)] == [f"E{n}" for n in range(ROWS)]
    assert contents(workspace.log)[: len(there)] == there
    assert receipt.parts[0].ranges == [[1, ROWS]]


def test_asked_to_stop_it_says_how_far_it_is(tmp_path: Path, workspace: Workspace) -> None:
    """Rows on their way are waited for, so that what is told is what is settled."""
    source = tmp_path / "e.csv"
    source.write_text(rows(odd=ROWS + 5))
    settled, met = rf"while logging .*: {2 * GROUP:,} of its rows are settled", 0

    def meet(stage: str, _file: str, _done: int, _total: int, rows: int) -> None:
        nonlocal met
        met = rows if stage == "logging" else 0

    with Appending(workspace.layout.directory) as writer:
        writer.start()
        wait_for(writer.is_ready)
        with pytest.raises(Interrupted, match=settled):
            bring(workspace, source, writer=writer, progress=meet, stop=lambda: met >= GROUP)
        assert workspace.log.size == 2 * GROUP + 1
    assert workspace.log.size == 2 * GROUP + 1


def test_what_cannot_open_the_log_is_not_used(tmp_path: Path, workspace: Workspace) -> None:
    """Then this process writes, as it does with one processor or without room for another."""
    with Appending(tmp_path) as writer:
        writer.start()
        wait_for(lambda: not writer.is_ready() and writer.process is None)
        source = tmp_path / "e.csv"
        source.write_text(rows(20))
        assert bring(workspace, source, writer=writer).total.accepted == 20


def test_one_processor_is_left_to_the_ingest(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is one processor, or no room for a process, nothing is started."""

    def full(*_words: str) -> None:
        raise BlockingIOError

    for cpus, start in ((1, beside.start), (2, full)):
        monkeypatch.setattr(beside, "usable_cpus", lambda cpus=cpus: cpus)
        monkeypatch.setattr(beside, "start", start)
        with Appending(workspace.layout.directory) as writer:
            writer.start()
            assert writer.process is None
            assert not writer.is_ready()


class Near:
    """A writer in this process: appends when it is asked for the answer."""

    def __init__(self, log: Any, before: Callable[[], object] = lambda: None) -> None:
        """Append to `log`; `before` is called before the first batch is."""
        self.log, self.before = log, before
        self.sent: deque[Prepared] = deque()
        self.count = 0

    def is_ready(self) -> bool:
        """It always is."""
        return True

    def send(self, prepared: Prepared) -> None:
        """Keep it."""
        self.sent.append(prepared)
        self.count += 1

    def receive(self, _digests: Sequence[bytes]) -> list[Outcome] | None:
        """Append it."""
        if self.before is not None:
            self.before()
            self.before = lambda: None
        outcomes: list[Outcome] | None = self.log.append_prepared(self.sent.popleft())
        return outcomes


def test_a_policy_that_changes_meanwhile(tmp_path: Path, workspace: Workspace) -> None:
    """What was sealed under the old one is sealed anew; the order of entries stays."""
    source = tmp_path / "e.csv"
    source.write_text(rows())
    with Workspace(workspace.layout.directory) as other:

        def change() -> None:
            hidden = TierPolicy({"event/1": {"*": Tier.PRIVATE}})
            other.log.govern(lambda register: register.policy_change(hidden))

        receipt = bring(workspace, source, writer=Near(other.log, change))
    names = [content["event_id"] for content in contents(workspace.log)]
    assert names == [f"E{number}" for number in range(ROWS)]
    assert receipt.total.appended == ROWS
    assert not any("event_type" in open_entry(e, Tier.PARTNER) for e in workspace.log.entries(2))


def test_what_is_known_is_not_sealed_first(tmp_path: Path, workspace: Workspace) -> None:
    """A file that comes again is looked up here; where its new rows begin, they are handed over."""
    source = tmp_path / "e.csv"
    source.write_text(rows(2 * GROUP))
    bring(workspace, source)
    source.write_text(rows())
    with Workspace(workspace.layout.directory) as other:
        writer = Near(other.log)
        receipt = bring(workspace, source, writer=writer)
    assert receipt.total.appended == ROWS - 2 * GROUP
    assert writer.count == 3


def test_a_lane_settles_in_order(workspace: Workspace) -> None:
    """Outcomes are told in the order of the batches, and none is left when it is drained."""
    told: list[str] = []
    lane = Lane(workspace.log, Near(workspace.log))
    for number in range(5):
        name = f"E{number}"
        content = {"party": "p", "event_id": name, "event_type": "ship"}
        draft = Draft(EntryType.EVENT, "event/1", content, (Identity(("event", "p", name)),))
        lane.put([draft], lambda drafts, _outcomes: told.append(drafts[0].content["event_id"]))
        assert len(told) >= number
    lane.drain()
    assert told == [f"E{number}" for number in range(5)]


class Broken:
    """A log that fails."""

    def __init__(self, error: Exception) -> None:
        """Fail from the second batch on."""
        self.error, self.asked = error, 0

    def append_prepared(self, _prepared: object) -> list[Outcome]:
        """Append nothing, then fail."""
        self.asked += 1
        if self.asked > 1:
            raise self.error
        return []


def frame(value: object) -> bytes:
    """One batch on its way."""
    data = pickle.dumps(value)
    return len(data).to_bytes(8) + data


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (StorageError("disk full"), StorageError, r"^disk full$"),
        (InputError("odd"), InputError, r"^odd$"),
        (KeyError("x"), StorageError, r"^the process that writes the log has failed: KeyError"),
    ],
)
def test_after_a_failure_nothing_more_is_appended(
    error: Exception, kind: type[ProvenanceError], said: str
) -> None:
    """Each later batch is answered with the same error, in the class that it has here."""
    log, answers = Broken(error), io.BytesIO()
    serve(log, io.BytesIO(frame(1) * 4), answers)  # type: ignore[arg-type] # all that it needs
    assert log.asked == 2
    answers.seek(0)
    writer = Appending.__new__(Appending)
    writer.process = type("P", (), {"stdout": answers})()
    assert writer.receive([]) == []
    for _ in range(3):
        with pytest.raises(kind, match=said):
            writer.receive([])
    with pytest.raises(StorageError, match="ended before its time"):
        writer.receive([])


@pytest.mark.parametrize("left", [0, 5, 8, 20])
def test_what_was_cut_off_on_its_way_is_not_appended(left: int) -> None:
    """Whoever sent it is gone; half a batch is no batch."""
    log = Broken(StorageError(""))
    whole = frame("batch")
    serve(log, io.BytesIO(whole + whole[:left]), io.BytesIO())  # type: ignore[arg-type] # as above
    assert log.asked == 1


def test_an_answer_fits_into_a_pipe() -> None:
    """Whatever became of the drafts, and whatever went wrong: nobody waits for ever."""
    outcomes = [Outcome("conflict", 10**12) for _ in range(1_000)]
    assert len(appending._answer(outcomes, None)) < 32_768
    log, answers = Broken(StorageError("x" * 100_000)), io.BytesIO()
    serve(log, io.BytesIO(frame(1) * 2), answers)  # type: ignore[arg-type] # as above
    assert len(answers.getvalue()) < 32_768
