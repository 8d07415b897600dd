"""Rules of mirrors: what is taken was signed and fits, and nothing else is taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from log_factories import SECOND_US, Rig, event, seeded
from log_server import LogServer, serving
from mirror_nursery import STEPS
from small_log import Witness

from provenance.disclosure.erased import erasure_drafts
from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier
from provenance.errors import (
    ProvenanceError,
    RemoteError,
    UsageError,
    VerificationError,
    WorkspaceReadOnly,
)
from provenance.notes import keys
from provenance.notes.checkpoint import format_note, parse_note
from provenance.notes.trust import parse_trust
from provenance.wire.evidence import check_evidence
from provenance.wire.fetch import source_at
from provenance.wire.monitor_state import read_evidence
from provenance.wire.remote import RemoteLog
from workspace.mirror import Source, make_mirror, pull_into
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.wire.mirror import Pulled

HERE = Path(__file__).parent


class World(NamedTuple):
    """A log, the server that shows it, and the place of a mirror."""

    rig: Rig
    server: LogServer
    place: Path

    def show(self, rig: Rig | None = None, size: int | None = None) -> None:
        """Let the server show a log as it is now, or as it was."""
        reader = (rig or self.rig).reader()
        self.server.hold(reader, size)
        reader.close()

    def append(self, first: int, count: int) -> None:
        """Add events to the log, and show it."""
        self.rig.clock.now_us += SECOND_US
        log = self.rig.open()
        log.append([event(number) for number in range(first, first + count)])
        log.close()
        self.show()

    def policy(self) -> bytes:
        """Trust in the log's first key."""
        return f"log {self.rig.key.vkey}\nquorum none\n".encode()

    def pull(self, policy: bytes | None = None) -> Pulled:
        """Make the mirror if there is none, and pull."""
        with RemoteLog("", source_at(self.server.address, sleep=lambda _: None)) as remote:
            source = Source(remote, policy)
            if not self.place.exists():
                make_mirror(self.place, Source(remote, policy or self.policy()), seeded(7))
            return pull_into(self.place, source, lambda _done, _total: None)[0]

    def problems(self) -> list[str]:
        """What an audit of the mirror finds."""
        with Workspace(self.place) as workspace:
            return workspace.audit(lambda _done, _total: None).problems

    def size(self) -> int:
        """How many entries the mirror holds."""
        with Workspace(self.place) as workspace:
            return workspace.reader.size

    def bytes(self) -> bytes:
        """Every byte of the mirror's files."""
        return b"".join(path.read_bytes() for path in self.place.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A log of 41 entries."""
    return Rig(tmp_path_factory.mktemp("first")).filled(40, batch=10)


@pytest.fixture
def world(first: Rig, tmp_path: Path) -> Iterator[World]:
    """A server that shows a copy of that log."""
    with serving() as server:
        world = World(first.copied(tmp_path / "log"), server, tmp_path / "mirror")
        world.show()
        yield world


@pytest.fixture
def larger(world: World, tmp_path: Path) -> World:
    """The same with 301 entries, over more than one tile."""
    (tmp_path / "larger").mkdir()
    world = world._replace(rig=Rig(tmp_path / "larger").filled(300, batch=100))
    world.show()
    return world


def test_a_mirror_holds_what_is_public_and_adds_up(larger: World) -> None:
    """Leaves, bodies and tree are the log's; it is audited, asked and proves; openings stay out."""
    world = larger
    assert world.pull() == (301, 301, 0, 0)
    assert world.problems() == []

    log = world.rig.reader()
    with Workspace(world.place) as mirror:
        ours, theirs = list(mirror.reader.entries(0)), list(log.entries(0))
        assert [e.leaf for e in ours] == [e.leaf for e in theirs]
        assert [e.body for e in ours] == [e.body for e in theirs]
        assert not any(entry.openings for entry in ours)
        assert mirror.reader.find(("event", "acme", "E-7")) == log.find(("event", "acme", "E-7"))
        assert mirror.reader.checkpoint() == log.checkpoint()
        assert mirror.reader.prove(7)["path"] == log.prove(7)["path"]
        assert open_entry(ours[7], Tier.PRIVATE) == open_entry(theirs[7], Tier.PUBLIC)
    log.close()
    assert b"S-299" not in world.bytes()
    assert not (world.place / "keys" / "log.key").exists()


def test_a_mirror_is_not_written_to(world: World) -> None:
    """Whoever would append is refused, in one line."""
    world.pull()

    with Workspace(world.place) as mirror, pytest.raises(WorkspaceReadOnly, match="is a mirror"):
        _ = mirror.log


def test_a_pull_brings_what_is_new(world: World) -> None:
    """Only new entries are fetched; where nothing is new, one question is asked."""
    world.show(size=11)
    assert world.pull() == (11, 11, 0, 0)
    assert world.problems() == []
    world.show()
    world.server.asked.clear()
    assert world.pull() == (41, 30, 0, 0)
    asked = [path for path in world.server.asked if path.startswith("body/")]
    assert sorted(asked) == sorted(f"body/{index}" for index in range(11, 41))

    world.server.asked.clear()
    assert world.pull() == (41, 0, 0, 0)
    assert world.server.asked == ["checkpoint"]
    assert world.problems() == []


def test_an_older_checkpoint_changes_nothing(world: World) -> None:
    """A source that is behind is told so, and the mirror keeps what it has."""
    world.pull()
    world.show(size=21)

    assert world.pull() == (41, 0, 0, 20)
    assert world.problems() == []
    assert world.size() == 41


def test_whom_to_trust_is_not_guessed(world: World) -> None:
    """Without a policy, or with another log's key, no mirror is made."""
    stranger = keys.generate("log.example/tests", seeded(99))
    with RemoteLog(world.server.address) as remote:
        with pytest.raises(UsageError, match="--policy or --vkey"):
            make_mirror(world.place, Source(remote, None), seeded(7))
        policy = f"log {stranger.vkey}\nquorum none\n".encode()
        with pytest.raises(VerificationError, match="no trusted key"):
            make_mirror(world.place, Source(remote, policy), seeded(7))

    assert not world.place.exists()


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("checkpoint", 25),
        ("checkpoint", -9),
        ("tile/entries/000.p/41", 35 * 90 + 2 + 4),  # a leaf's type
        ("tile/entries/000.p/41", 35 * 90 + 2 + 20),  # its time
        ("tile/entries/000.p/41", 40 * 90 + 2 + 60),  # the last leaf's chain value
        ("tile/entries/000.p/41", 40 * 90 + 2 + 30),  # its body digest
        ("body/35", 9),
        ("body/40", 40),
        ("tile/0/000.p/41", 36 * 32),
    ],
)
def test_one_changed_byte_is_found_and_not_taken(world: World, path: str, at: int) -> None:
    """Whichever byte is changed on the way: one line that says so, and a mirror as it was."""
    world.show(size=31)
    world.pull()
    world.show()
    right = world.server.files[path]
    assert isinstance(right, bytes)
    wrong = bytearray(right)
    wrong[at] ^= 1
    world.server.files[path] = bytes(wrong)

    with pytest.raises(VerificationError) as caught:
        world.pull()

    assert "\n" not in str(caught.value)
    assert world.size() == 31
    assert world.problems() == []
    world.show()
    assert world.pull().size == 41


@pytest.fixture
def second(world: World, tmp_path: Path) -> Rig:
    """Another history of 51 entries, with the log's own key."""
    (tmp_path / "second").mkdir()
    other = Rig(tmp_path / "second", entropy=seeded(9))
    log = other.create()
    other.clock.now_us += SECOND_US
    for start in range(0, 50, 10):
        log.append([event(number, carrier="another") for number in range(start, start + 10)])
    log.close()
    return other


@pytest.mark.parametrize("size", [11, 41, 51])
def test_a_split_view_ends_it_with_evidence(world: World, second: Rig, size: int) -> None:
    """Shorter, equal or longer: a second history is refused, and both checkpoints are kept."""
    world.pull()
    ours = (world.place / "checkpoint").read_text()
    world.show(second, size)
    theirs = world.server.files["checkpoint"]
    assert isinstance(theirs, bytes)

    for _ in range(2):
        with pytest.raises(VerificationError, match="SPLIT VIEW") as caught:
            world.pull()

    (kept,) = (world.place / "split-view").glob("*/evidence/*")
    assert str(kept) in str(caught.value)
    evidence = read_evidence(kept)
    assert {evidence.first, evidence.second} == {ours, theirs.decode()}
    assert "has signed" in check_evidence(evidence, parse_trust(world.policy()))
    assert (world.place / "checkpoint").read_text() == ours
    assert world.problems() == []


def test_a_split_view_is_found_before_the_first_pull_ended(
    larger: World, second: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came before an interruption is evidence too: it was proven under a kept checkpoint."""
    world = larger
    monkeypatch.setattr("provenance.wire.mirror._CHUNK", 256)
    shown = world.server.files["checkpoint"]
    world.server.files.pop("tile/entries/001.p/45")
    with pytest.raises(VerificationError, match="does not serve"):
        world.pull()
    world.show(second)

    with pytest.raises(VerificationError, match="SPLIT VIEW"):
        world.pull()

    (kept,) = (world.place / "split-view").glob("*/evidence/*")
    assert isinstance(shown, bytes)
    assert shown.decode() in read_evidence(kept)


def test_an_erased_body_is_gone_from_the_mirror(world: World) -> None:
    """Deleted at the source, a body is deleted at the next pull: from every byte of the mirror."""
    world.pull()
    log = world.rig.open()
    body = log.entry(8).body or b""
    log.append(erasure_drafts(log.origin, 1, {8: None}, "acme"))
    log.close()
    world.show()
    world.server.files["body/8"] = (410, {}, b"")
    assert body in world.bytes()

    assert world.pull() == (42, 1, 1, 0)

    assert body not in world.bytes()
    with Workspace(world.place) as mirror:
        assert mirror.reader.entry(8).body is None
        assert mirror.reader.find(("erasure", mirror.reader.origin, "1")) == 41
    assert world.problems() == []
    assert world.pull() == (42, 0, 0, 0)


def test_the_graph_of_a_mirror_forgets_too(world: World) -> None:
    """An erased event is gone from the mirror's graph with the pull, bytes and all; while somebody
    reads an older state, the pull says so.
    """
    world.pull()
    with Workspace(world.place) as mirror:
        mirror.sync_graph()
    log = world.rig.open()
    log.append(erasure_drafts(log.origin, 1, {8: None}, "acme"))
    log.close()
    world.show()
    with Workspace(world.place) as reading, RemoteLog(world.server.address) as remote:
        entries = reading.reader.entries(0)
        next(entries)
        reading.reader._connection.execute("BEGIN; SELECT count(*) FROM leaf").fetchall()
        _, pending = pull_into(world.place, Source(remote, None), lambda _done, _total: None)
    assert [reason for reason in pending if reason.startswith("log.db")]

    world.pull()

    assert b"E-7" not in b"".join(path.read_bytes() for path in world.place.glob("graph.db*"))
    with Workspace(world.place) as mirror:
        assert mirror.graph.position() == 42


@pytest.mark.parametrize("answer", [404, 410])
def test_a_body_that_was_erased_before_is_no_fault(world: World, answer: int) -> None:
    """A new mirror takes a log with erased bodies, from servers and from static hosts."""
    log = world.rig.open()
    log.append(erasure_drafts(log.origin, 1, {8: None, 40: None}, "acme"))
    log.close()
    world.show()
    world.server.files |= {"body/8": (answer, {}, b""), "body/40": (answer, {}, b"")}

    assert world.pull() == (42, 42, 0, 0)


def test_a_withheld_body_is_a_fault_that_heals(world: World) -> None:
    """A body that is missing without an erasure holds the mirror back until it comes."""
    world.show(size=11)
    world.pull()
    world.show()
    body = world.server.files.pop("body/20")
    with pytest.raises(VerificationError, match="entry 20, and no erasure"):
        world.pull()
    assert (world.place / "checkpoint").read_text().split("\n")[1] == "11"

    world.server.files["body/20"] = body
    assert world.pull() == (41, 0, 0, 0)
    assert world.problems() == []


def test_a_pull_that_is_cut_off_goes_on(larger: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage keeps what was taken; the next pull asks for the rest alone."""
    world = larger
    monkeypatch.setattr("provenance.wire.mirror._CHUNK", 256)
    world.server.files["body/299"] = (500, {}, b"")
    with pytest.raises(RemoteError):
        world.pull()
    assert "a pull was cut off; repeat it" in world.problems()[0]
    world.show()
    world.server.asked.clear()

    assert world.pull() == (301, 45, 0, 0)
    assert "body/255" not in world.server.asked
    assert world.problems() == []


def test_the_word_of_witnesses_is_kept(world: World) -> None:
    """Cosignatures of the policy's witnesses are checked and kept; others' are left out."""
    known, stranger = Witness("witness.example/w1", 1), Witness("witness.example/w2", 2)
    served = world.server.files["checkpoint"]
    assert isinstance(served, bytes)
    cosigned = stranger.cosign(known.cosign(served.decode()))
    world.server.files["checkpoint"] = cosigned.encode()
    policy = world.policy().replace(b"quorum none", f"witness w {known.vkey}\nquorum w".encode())

    for _ in range(2):
        world.pull(policy)
        assert (world.place / "checkpoint").read_text() == known.cosign(served.decode())
    with Workspace(world.place) as mirror:
        assert mirror.reader.witnesses.witnessed() == 41
    assert world.problems() == []

    note = parse_note(known.cosign(served.decode()))
    line = note.signatures[1]
    wrong = line._replace(signature=line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
    world.server.files["checkpoint"] = format_note(
        note._replace(signatures=(note.signatures[0], wrong))
    ).encode()
    with pytest.raises(VerificationError, match=r"witness\.example/w1' is wrong"):
        world.pull()


def test_another_log_at_the_address_is_refused(world: World, tmp_path: Path) -> None:
    """A mirror follows one log; another one at the same address is told."""
    world.pull()
    (tmp_path / "other").mkdir()
    other = Rig(tmp_path / "other", key=keys.generate("other.example/log", seeded(3))).filled(3)
    world.show(other)
    policy = world.policy().replace(b"quorum", f"log {other.key.vkey}\nquorum".encode())

    with pytest.raises(VerificationError, match=r"is the log 'other\.example/log'"):
        world.pull(policy)
    with pytest.raises(ProvenanceError, match="no trusted key"):
        world.pull()


def test_a_mirror_that_dies_goes_on(tmp_path: Path) -> None:
    """Before or after each step of a pull: what is there is a beginning, the next pull ends it."""
    done = subprocess.run(
        [sys.executable, str(HERE / "mirror_nursery.py"), str(tmp_path)],
        env={"PYTHONPATH": str(HERE.parent.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 2 * len(STEPS)
