"""Rules of a monitor: what it follows, what it cries at, and what the evidence is worth."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from log_factories import Rig, event
from log_server import LogServer, log_files, serving
from witness_tools import Operator, seeded

import cli
from provenance.errors import InputError, VerificationError, WorkspaceDamaged, WorkspaceLocked
from provenance.files import locked
from provenance.notes.checkpoint import Checkpoint, sign
from provenance.notes.keys import generate
from provenance.notes.trust import parse_trust
from provenance.proving.proof import bundle_text
from provenance.proving.tlog_proof import format_tlog_proof
from provenance.wire.evidence import (
    Evidence,
    Proof,
    check_evidence,
    format_proof,
    parse_proof,
)
from provenance.wire.monitor import Finding, Monitor, Seen
from provenance.wire.monitor_state import read_evidence
from provenance.wire.remote import RemoteLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEAD = "http://127.0.0.1:9"


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log of 13 entries."""
    return Rig(_made(tmp_path / "log")).filled(12)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that does not answer is not waited for."""
    monkeypatch.setattr("provenance.wire.fetch._PAUSES", ())


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


def append(rig: Rig, *numbers: int) -> Rig:
    """Add events; logs that add other ones part ways."""
    log = rig.open()
    log.append([event(number) for number in numbers])
    log.close()
    return rig


def note(rig: Rig, size: int | None = None) -> bytes:
    """A signed checkpoint."""
    reader = rig.reader()
    text = reader.checkpoint(size)
    reader.close()
    return text.encode()


class Watching:
    """A monitor, and addresses to look at."""

    def __init__(self, rig: Rig, state: Path, servers: list[LogServer], **how: Any) -> None:
        """Trust the log's key."""
        self.trust = parse_trust(f"log {rig.key.vkey}\nquorum none\n".encode())
        self.state = state
        self.servers = servers
        self.monitor = Monitor(self.trust, state, **how)

    def show(self, number: int, rig: Rig, size: int | None = None) -> None:
        """Let an address serve a log, or an older state of it."""
        reader = rig.reader()
        self.servers[number].files = dict(log_files(reader, size))
        reader.close()

    def look(self, *seen: bytes, more: tuple[str, ...] = ()) -> list[Finding]:
        """Look once, by a monitor that remembers nothing but its directory."""
        with ExitStack() as stack:
            urls = [*(server.address for server in self.servers if server.files), *more]
            remotes = [stack.enter_context(RemoteLog(url)) for url in urls]
            handed = [Seen(f"handed {n}", text) for n, text in enumerate(seen)]
            return Monitor(self.trust, self.state, entries=self.monitor._entries).round(
                remotes, handed
            )

    def kinds(self, *seen: bytes) -> list[str]:
        """What a look finds."""
        return [finding.kind for finding in self.look(*seen)]

    def evidence(self) -> list[Path]:
        """The evidence that is kept."""
        return sorted(self.state.glob("*/evidence/*"))


@pytest.fixture
def watching(rig: Rig, tmp_path: Path) -> Iterator[Watching]:
    """A monitor of two addresses, which serve nothing yet."""
    with serving() as first, serving() as second:
        yield Watching(rig, tmp_path / "state", [first, second])


def test_a_growing_log_agrees_with_itself(rig: Rig, watching: Watching) -> None:
    """From one place, from two, from a place that lags, and with checkpoints of customers."""
    watching.show(0, rig)
    assert watching.kinds() == ["grew"]
    assert watching.kinds() == ["agrees"]
    append(rig, *range(20, 320))
    watching.show(1, rig)
    assert watching.kinds() == ["agrees", "grew"]
    assert watching.kinds(note(rig, 8), note(rig, 1)) == ["agrees", "agrees", "agrees", "agrees"]
    assert watching.evidence() == []


@pytest.mark.parametrize("longer", [0, 260])
def test_two_histories_are_evidence(
    rig: Rig, watching: Watching, tmp_path: Path, longer: int
) -> None:
    """Whichever is seen first, equal in size or not: an alarm, with what proves it to anybody."""
    other = append(rig.copied(tmp_path / "other"), 60, *range(100, 100 + longer))
    append(rig, 50)
    for first, second in ((rig, other), (other, rig)):
        shutil.rmtree(watching.state, ignore_errors=True)
        watching.show(0, first)
        watching.look()
        watching.show(1, second)
        findings = [one for one in watching.look() if one.kind == "split"]
        (place,) = watching.evidence()
        assert str(place) in findings[0].text
        assert findings[0].is_alarm
        assert "signed" in check_evidence(read_evidence(place), watching.trust)
        # It stays an alarm, and the evidence stays as it is.
        before = {path.name: path.read_bytes() for path in place.iterdir()}
        assert "split" in watching.kinds()
        assert {path.name: path.read_bytes() for path in place.iterdir()} == before
        watching.servers[1].files = {}


def test_a_customers_checkpoint_convicts_as_well(
    rig: Rig, watching: Watching, tmp_path: Path
) -> None:
    """The other history was shown to one person only; their checkpoint is enough."""
    other = append(rig.copied(tmp_path / "other"), 60)
    append(rig, 50, 51, 52)
    watching.show(0, rig)
    assert watching.kinds(note(other)) == ["grew", "split"]
    (place,) = watching.evidence()
    assert "does not begin with" in check_evidence(read_evidence(place), watching.trust)


def test_an_old_entry_rewritten_is_evidence(rig: Rig, watching: Watching, tmp_path: Path) -> None:
    """A log that is signed anew from an old entry on contradicts what was seen before."""
    watching.show(0, rig)
    watching.look()
    again = append(Rig(_made(tmp_path / "again"), key=rig.key, entropy=seeded(77)).filled(12), 70)
    watching.show(0, again)
    assert watching.kinds() == ["split"]


def test_what_cannot_be_compared_yet_waits(rig: Rig, watching: Watching, tmp_path: Path) -> None:
    """A handed-in checkpoint is kept until an address answers, and then judged."""
    other = append(rig.copied(tmp_path / "other"), 60)
    append(rig, 50, 51)
    watching.show(0, rig)
    watching.look()
    files, watching.servers[0].files = watching.servers[0].files, {}
    assert watching.kinds(note(other), note(rig, 13)) == ["waits", "waits"]
    watching.servers[0].files = files
    assert watching.kinds() == ["agrees", "agrees", "split"]
    assert len(watching.evidence()) == 1


def test_a_log_that_shrinks_is_told(rig: Rig, watching: Watching) -> None:
    """Fewer entries than this address has shown, or than a customer holds a signature for."""
    watching.show(0, rig)
    watching.look()
    watching.show(0, rig, 8)
    found = watching.look()
    assert [finding.kind for finding in found] == ["shrank", "waits"]
    assert "8 entries, and has shown 13" in found[0].text
    shutil.rmtree(watching.state)
    watching.show(0, rig, 8)
    assert watching.kinds(note(rig)) == ["grew", "shrank"]


def test_no_answer_is_no_alarm(rig: Rig, watching: Watching) -> None:
    """An address that is down says nothing about the log; the others are looked at all the same."""
    watching.show(0, rig)
    found = watching.look(more=(DEAD,))
    assert [finding.kind for finding in found] == ["unreachable", "grew"]
    assert not any(finding.is_alarm for finding in found)


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        ("checkpoint", b"garbage", "signed note"),
        ("checkpoint", Operator("log.example/tests", 5).note(4).encode(), "no key"),
        ("checkpoint", Operator("log.example/else", 5).note(4).encode(), "names no log"),
        ("tile/0/000.p/13", bytes(13 * 32), "do not lead to the root"),
        ("tile/0/000.p/13", b"short", "bytes"),
    ],
)
def test_garbage_accuses_nobody(
    rig: Rig, watching: Watching, path: str, data: bytes, words: str
) -> None:
    """What is not signed, or does not belong to what is, is told as such and is no evidence."""
    watching.show(0, rig, 8)
    watching.look()
    watching.show(0, rig)
    watching.servers[0].files[path] = data
    (finding,) = watching.look()
    assert finding.kind == "garbage"
    assert finding.is_alarm
    assert words in finding.text
    assert watching.evidence() == []
    watching.show(0, rig)
    assert watching.kinds() == ["grew"]


def test_a_rotated_key_is_followed(rig: Rig, watching: Watching, tmp_path: Path) -> None:
    """Checkpoints of the new key count once the policy has it, and lie on the same tree."""
    successor = generate(rig.key.name, seeded(33))
    reader = rig.reader()
    later = sign(Checkpoint(reader.origin, 13, reader.root_at(13)), [successor])
    reader.close()
    watching.show(0, rig, 8)
    watching.look()
    watching.show(0, rig)
    watching.servers[0].files["checkpoint"] = later.encode()
    assert watching.kinds() == ["garbage"]
    lines = f"log {rig.key.vkey}\nlog {successor.vkey}\nquorum none\n"
    watching.trust = parse_trust(lines.encode())
    assert watching.kinds() == ["grew"]


def test_entries_are_recomputed(rig: Rig, watching: Watching) -> None:
    """With `entries`, place, chain, time and tree of all new leaves are checked as they come."""
    watching.monitor = Monitor(watching.trust, watching.state, entries=True)
    watching.show(0, rig)
    found = watching.look()
    assert [(one.kind, one.text) for one in found][1] == ("agrees", "13 more entries recomputed")
    append(rig, *range(20, 300))
    watching.show(0, rig)
    assert watching.look()[1].text == "280 more entries recomputed"
    assert len(watching.look()) == 1


@pytest.mark.parametrize(
    ("before", "byte", "words"),
    [
        (None, (0, 60), "entry 0: does not continue the chain"),
        (None, (0, 23), "entry 1: does not continue the chain"),
        (8, (8, 15), "entry 8: says it is entry"),
        (8, (9, 4), "entry 10: does not continue the chain"),
        (None, (12, 40), "do not lead to the root"),
        (None, (5, 16), "entry 6: "),
        (None, (3, 1), "entry 3: a leaf begins with"),
    ],
)
def test_an_entry_that_does_not_fit_is_an_alarm(
    rig: Rig, watching: Watching, before: int | None, byte: tuple[int, int], words: str
) -> None:
    """A leaf that does not continue those before, or is not what was signed, is named."""
    watching.monitor = Monitor(watching.trust, watching.state, entries=True)
    if before:
        watching.show(0, rig, before)
        watching.look()
    watching.show(0, rig)
    path = "tile/entries/000.p/13"
    data = bytearray(bytes(watching.servers[0].files[path]))  # type: ignore[call-overload]
    data[byte[0] * 90 + 2 + byte[1]] ^= 1  # an entry, and a byte of its leaf
    watching.servers[0].files[path] = bytes(data)
    (found,) = [one for one in watching.look() if one.is_alarm]
    assert found.kind == "entries"
    assert words in found.text


def test_one_monitor_at_a_time(rig: Rig, watching: Watching, monkeypatch: Any) -> None:
    """Two monitors do not share a directory at the same moment."""
    monkeypatch.setattr("provenance.wire.monitor._LOCK_WAIT_SECONDS", 0)
    watching.show(0, rig)
    with locked(watching.state / "lock", 0), pytest.raises(WorkspaceLocked):
        watching.look()


def test_a_spoilt_memory_is_told(rig: Rig, watching: Watching) -> None:
    """What is remembered and cannot be read is an error, never a fresh start."""
    watching.show(0, rig)
    watching.look()
    for name in ("newest", "heard"):
        (path,) = watching.state.glob(f"*/{name}")
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b"1", b"x"))
        with pytest.raises(WorkspaceDamaged):
            watching.look()
        path.write_bytes(whole)
    assert watching.kinds() == ["agrees"]


LOG = Operator()
TRUST = parse_trust(f"log {LOG.key.vkey}\nquorum none\n".encode())


def split(old: int, new: int, fork: int) -> Evidence:
    """Evidence of histories that part at `fork`, made without a monitor."""
    proof = Proof(LOG.root(old, fork), LOG.path(old, new, fork)) if old < new else None
    return Evidence(LOG.note(old), LOG.note(new, fork), proof)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 45))
def test_evidence_proves_exactly_the_contradictions(old: int, new: int, fork: int) -> None:
    """Two checkpoints convict if, and only if, no tree begins with both."""
    old, new = sorted((old, new))
    if fork < old:
        assert check_evidence(split(old, new, fork), TRUST)
    else:
        with pytest.raises(VerificationError, match="agree"):
            check_evidence(split(old, new, fork), TRUST)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"proof": None}, "no proof"),
        ({"proof": Proof(bytes(32), LOG.path(5, 9, 3))}, "does not hold"),
        ({"proof": Proof(LOG.root(5, 3), LOG.path(5, 9, 3)[:-1])}, "does not hold"),
        ({"first": LOG.note(9, 3), "second": LOG.note(5)}, "does not hold"),
        ({"first": Operator(seed=4).note(5)}, "no key"),
        ({"first": Operator("log.example/z", 4).note(5)}, "names no log"),
    ],
)
def test_what_is_no_evidence_is_refused(change: dict[str, Any], words: str) -> None:
    """Evidence that somebody made up, or cut, convicts nobody."""
    with pytest.raises(VerificationError, match=words):
        check_evidence(split(5, 9, 3)._replace(**change), TRUST)


@given(
    st.binary(min_size=32, max_size=32), st.lists(st.binary(min_size=32, max_size=32), max_size=60)
)
def test_proofs_round_trip(begun: bytes, path: list[bytes]) -> None:
    """What is written is read back; what is changed is refused or reads as itself."""
    proof = Proof(begun, tuple(path))
    text = format_proof(proof)
    assert parse_proof(text) == proof
    for broken in (text[:-1], text + "\n", "x" + text, text.replace("=", "")):
        with pytest.raises(InputError):
            parse_proof(broken)


@given(st.text(max_size=100))
def test_any_text_is_a_proof_or_our_error(text: str) -> None:
    """Nothing but an `InputError` comes of a text that is no proof."""
    for whole in (text, f"provenance split view v1\n{text}"):
        try:
            assert format_proof(parse_proof(whole)) == whole
        except InputError:
            continue


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Run a command line; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["provenance", *map(str, words)])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("tlog", [False, True])
def test_the_command_ends_with_an_alarm_and_evidence(
    rig: Rig,
    watching: Watching,
    tmp_path: Path,
    *,
    tlog: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 1 and what to do; a third party checks the evidence with the key alone."""
    policy = tmp_path / "the.policy"
    policy.write_text(f"log {rig.key.vkey}\nquorum none\n")
    other = append(rig.copied(tmp_path / "other"), 60)
    append(rig, 50)
    watching.show(0, rig)
    base = ["monitor", watching.servers[0].address, "--policy", policy, "--state", watching.state]
    assert run(monkeypatch, *base, DEAD, "--once", "--entries") == 0
    told = capsys.readouterr().out
    assert "GREW " in told
    assert "UNREACHABLE" in told
    seen = tmp_path / "bundle.json"
    reader = other.reader()
    text = format_tlog_proof(reader.prove(13)) if tlog else bundle_text(reader.prove(13)).decode()
    seen.write_text(text)
    reader.close()
    assert run(monkeypatch, *base, "--seen", seen) == 1
    told = capsys.readouterr()
    assert "SPLIT " in told.out
    assert "ALARM: SPLIT VIEW" in told.err
    (place,) = watching.evidence()
    assert run(monkeypatch, "verify", "--evidence", place, "--policy", policy) == 0
    assert "SPLIT VIEW  log.example/tests has signed two roots for 14 entries" in (
        capsys.readouterr().out
    )
    shutil.copy(place / "first.checkpoint", place / "second.checkpoint")
    assert run(monkeypatch, "verify", "--evidence", place, "--policy", policy) == 1
    assert run(monkeypatch, "verify", "--evidence", tmp_path, "--policy", policy) == 1
    assert "NO EVIDENCE  the checkpoints agree" in capsys.readouterr().out
