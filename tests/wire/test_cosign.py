"""Rules of asking witnesses: what is kept, what is refused, and that none holds up the others."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from log_factories import START_US, Rig, event
from witness_server import drip, http, misbehaving, serving, silent
from witness_tools import SetClock, seeded

from provenance.notes.checkpoint import COSIGNATURE, format_line, parse_note
from provenance.notes.cosignature import cosign
from provenance.notes.keys import LogKey, generate
from provenance.proving.proof import bundle_text
from provenance.verify import check_bundle, parse_policy
from provenance.wire.cosign import Collector, Round
from provenance.wire.watch import collecting
from provenance.wire.witness_state import Witness, create_witness

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CLOCK = SetClock(START_US)
KEYS = [generate(f"witness.example/b{n}", seeded(80 + n), COSIGNATURE) for n in range(3)]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A log with checkpoints at 1, 8 and 13."""
    (tmp_path / "log").mkdir()
    return Rig(tmp_path / "log").filled(12)


def trust(rig: Rig, witnesses: Sequence[tuple[LogKey, str]], needed: int) -> None:
    """Write the policy: these witnesses at these addresses, so many of which are enough."""
    lines = [f"log {rig.key.vkey}"]
    lines += [f"witness w{n} {key.vkey} {url}" for n, (key, url) in enumerate(witnesses)]
    names = " ".join(f"w{n}" for n in range(len(witnesses)))
    lines += [f"group enough {needed} {names}", "quorum enough", ""]
    rig.directory.joinpath("log.policy").write_text("\n".join(lines))


def witness(directory: Path, number: int, rig: Rig) -> Witness:
    """A witness that follows the log."""
    made = create_witness(directory / f"w{number}", KEYS[number].name, CLOCK, seeded(80 + number))
    assert made.key.vkey == KEYS[number].vkey
    made.follow(rig.key.vkey)
    return made


def collect(rig: Rig, seconds: float = 5.0) -> Round:
    """One round, with a reader of its own."""
    reader = rig.reader()
    try:
        return asyncio.run(Collector(reader, rig.files, CLOCK, seconds).round())
    finally:
        reader.close()


def statuses(done: Round) -> list[str]:
    """What came of each witness, in the policy's order."""
    return [answer.status for answer in done.answers]


def append(rig: Rig, number: int) -> None:
    """Add one event."""
    log = rig.open()
    log.append([event(number)])
    log.close()


def test_a_quorum_is_collected_and_proves_itself(rig: Rig, tmp_path: Path) -> None:
    """Two real witnesses cosign; proofs use that checkpoint, and a stranger finds it witnessed."""
    ones = [witness(tmp_path, n, rig) for n in range(2)]
    with serving(ones[0]) as first, serving(ones[1]) as second:
        trust(rig, [(KEYS[0], first), (KEYS[1], second + "/")], 2)
        assert statuses(collect(rig)) == ["cosigned", "cosigned"]
        assert statuses(collect(rig)) == ["known", "known"]
        append(rig, 50)
        assert statuses(collect(rig)) == ["cosigned", "cosigned"]
    reader = rig.reader()
    policy = parse_policy(rig.directory.joinpath("log.policy").read_bytes())
    verdicts = check_bundle(bundle_text(reader.prove(13)), policy)
    reader.close()
    assert next(one for one in verdicts if one.name == "witnessed").status == "ok"
    assert rig.audit().problems == []
    assert len(parse_note(rig.files.checkpoint.read_text()).signatures) == 3


def test_a_witness_that_knows_another_size_is_proved_to_from_there(
    rig: Rig, tmp_path: Path
) -> None:
    """What we remember of a witness is a guess: it tells its size, and gets the proof from it."""
    one = witness(tmp_path, 0, rig)
    reader = rig.reader()
    with serving(one) as address:
        trust(rig, [(KEYS[0], address)], 1)
        body = f"old 0\n\n{reader.checkpoint(8)}".encode()
        assert httpx.post(f"{address}/add-checkpoint", content=body).status_code == 200
        assert one.last(reader.origin)[0].size == 8
        assert statuses(collect(rig)) == ["cosigned"]
    reader.close()
    assert one.last(rig.key.name)[0].size == 13


def _line(rig: Rig, key: LogKey, seconds: int = START_US // 1_000_000) -> bytes:
    reader = rig.reader()
    text = parse_note(reader.checkpoint()).text
    reader.close()
    return format_line(cosign(key, text, seconds)).encode()


HOSTILE: dict[str, tuple[Any, str]] = {
    "silent": (silent, "within 1 s"),
    "drip": (drip, "within 1 s"),
    "garbage": (lambda connection: connection.sendall(b"\0" * 99), "within 1 s"),
    "redirect": (http("307 Go", b"", "Location: http://127.0.0.1:1/"), "answers 307"),
    "huge": (http("200 OK", b"x" * 200_000), "over 65536 bytes"),
    "no line": (http("200 OK", b"hello\n"), "no signature line"),
    "not text": (http("200 OK", b"\xff\n"), "no signature line"),
    "empty": (http("200 OK", b""), "no signature of the key"),
    "denies": (http("403 No", b"x"), "witness follow"),
    "unknown": (http("404 No", b"x"), "does not follow this log"),
    "conflict": (http("409 No", b"7\n"), "answers 409"),
    "odd size": (http("409 No", b"07\n", "Content-Type: text/x.tlog.size"), "plain decimal"),
    "undecided": (http("409 No", b"7\n", "Content-Type: text/x.tlog.size"), "changes its mind"),
    "broken": (http("500 No", b""), "within 1 s"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_witness_harms_nobody_else(rig: Rig, tmp_path: Path, kind: str) -> None:
    """Slow, dead or lying: it fails by its own deadline, and the good one's word is kept."""
    answer, words = HOSTILE[kind]
    patience = 1.0 if "within" in words else 5.0
    with serving(witness(tmp_path, 0, rig)) as good, misbehaving(answer) as bad:
        trust(rig, [(KEYS[1], bad), (KEYS[0], good)], 1)
        began = time.monotonic()
        done = collect(rig, seconds=patience)
        assert time.monotonic() - began < patience + 20
    assert statuses(done) == ["failed", "cosigned"]
    assert words in done.answers[0].text
    assert rig.audit().problems == []


@pytest.mark.parametrize("kind", ["other key", "wrong", "future", "other text"])
def test_a_wrong_cosignature_is_not_kept(rig: Rig, kind: str) -> None:
    """Only the policy's key, over this checkpoint, at a time that has come, is stored."""
    line = {
        "other key": _line(rig, KEYS[1]),
        "wrong": _line(rig, LogKey(KEYS[0].name, bytes(32), COSIGNATURE)),
        "future": _line(rig, KEYS[0], START_US // 1_000_000 + 400),
        "other text": format_line(cosign(KEYS[0], "log.example/tests\n9\n", 5)).encode(),
    }[kind]
    with misbehaving(http("200 OK", line)) as bad:
        trust(rig, [(KEYS[0], bad)], 1)
        assert statuses(collect(rig, 5.0)) == ["failed"]
    reader = rig.reader()
    assert reader.witnesses.standing(reader.checkpoint()).seen_size == 0
    reader.close()


def test_nobody_there_fails_at_once_and_rests(rig: Rig) -> None:
    """A refused connection is tried again within the deadline; then the witness is left alone."""
    trust(rig, [(KEYS[0], "http://127.0.0.1:9"), (KEYS[1], "ftp://x.example")], 1)
    reader = rig.reader()
    collector = Collector(reader, rig.files, CLOCK, 1.0)
    assert statuses(asyncio.run(collector.round())) == ["failed", "failed"]
    assert statuses(asyncio.run(collector.round())) == ["later", "later"]
    reader.close()


def test_an_old_copy_is_noticed_by_the_witness(rig: Rig, tmp_path: Path) -> None:
    """A log put back to an older state is behind its witness, which is told as a dispute."""
    old = rig.copied(tmp_path / "old")
    with serving(witness(tmp_path, 0, rig)) as address:
        trust(rig, [(KEYS[0], address)], 1)
        append(rig, 50)
        assert statuses(collect(rig)) == ["cosigned"]
        trust(old, [(KEYS[0], address)], 1)
        done = collect(old)
    assert statuses(done) == ["disputed"]
    assert "14 entries, this log has only 13" in done.answers[0].text


@pytest.mark.parametrize("longer", [0, 1])
def test_a_second_history_is_not_cosigned(rig: Rig, tmp_path: Path, longer: int) -> None:
    """Two logs of one key that part ways: the witness of one never cosigns the other."""
    other = rig.copied(tmp_path / "other")
    with serving(witness(tmp_path, 0, rig)) as address:
        for one in (rig, other):
            trust(one, [(KEYS[0], address)], 1)
        append(rig, 50)
        assert statuses(collect(rig)) == ["cosigned"]
        append(other, 60)
        for number in range(longer):
            append(other, 70 + number)
        done = collect(other)
    assert statuses(done) == ["disputed"]
    assert "another" in done.answers[0].text


def test_a_log_hands_its_key_over_before_its_witnesses(rig: Rig, tmp_path: Path) -> None:
    """The checkpoint of both keys is cosigned under the old one; the next waits until the witness
    follows the new one; and proofs under either are witnessed.
    """
    successor = generate(rig.key.name, seeded(90))
    one = witness(tmp_path, 0, rig)
    with serving(one) as address:
        trust(rig, [(KEYS[0], address)], 1)
        assert statuses(collect(rig)) == ["cosigned"]
        log = rig.open()
        log.govern(lambda register: register.rotation(successor.vkey), successor)
        assert statuses(collect(rig)) == ["cosigned"]
        log.append([event(50)])
        done = collect(rig)
        assert statuses(done) == ["failed"]
        assert "witness follow" in done.answers[0].text
        one.follow(successor.vkey)
        assert statuses(collect(rig)) == ["cosigned"]
        lines = rig.directory.joinpath("log.policy").read_text()
        policy = parse_policy(f"log {successor.vkey}\n{lines}".encode())
        verdicts = check_bundle(bundle_text(log.prove(3)), policy)
        log.close()
    assert {verdict.status for verdict in verdicts} == {"ok", "absent"}
    assert next(verdict for verdict in verdicts if verdict.name == "witnessed").status == "ok"


def test_a_thread_collects_what_comes_in(rig: Rig, tmp_path: Path) -> None:
    """Beside other work, new entries are cosigned soon after, and it ends when told."""
    with serving(witness(tmp_path, 0, rig)) as address:
        trust(rig, [(KEYS[0], address)], 1)
        reader = rig.reader()
        with collecting(rig.reader, rig.files, CLOCK, 0.02):
            for number in (50, 51):
                append(rig, number)
                deadline = time.monotonic() + 60
                while reader.witnesses.witnessed() < reader.size:
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
        reader.close()


def test_an_append_waits_for_no_witness(rig: Rig) -> None:
    """While a witness says nothing, entries are appended and acknowledged as ever."""
    with misbehaving(silent) as bad:
        trust(rig, [(KEYS[0], bad)], 1)
        with collecting(rig.reader, rig.files, CLOCK, 0.02):
            time.sleep(0.1)
            began = time.monotonic()
            for number in range(50, 60):
                append(rig, number)
            assert time.monotonic() - began < 20
    reader = rig.reader()
    assert reader.size == 23
    assert reader.witnesses.standing(reader.checkpoint()).seen_size == 0
    reader.close()


def test_what_is_not_published_is_shown_to_no_witness(rig: Rig, tmp_path: Path) -> None:
    """A checkpoint that a crash left unpublished waits until the high-water file remembers it."""
    mark = rig.files.high_water.read_bytes()
    append(rig, 50)
    rig.files.high_water.write_bytes(mark)
    one = witness(tmp_path, 0, rig)
    with serving(one) as address:
        trust(rig, [(KEYS[0], address)], 1)
        assert collect(rig).size == 13
        assert one.last(rig.key.name)[0].size == 13
        rig.open().close()
        assert collect(rig).size == 14


def test_a_thread_without_witnesses_ends_at_once(rig: Rig) -> None:
    """Where the policy names nobody, nothing runs and nothing waits."""
    began = time.monotonic()
    with collecting(rig.reader, rig.files, CLOCK, 60):
        pass
    assert time.monotonic() - began < 30


def test_requests_are_bounded(rig: Rig, tmp_path: Path) -> None:
    """A body that is too long or too slow is refused; other paths and methods do not exist."""
    with serving(witness(tmp_path, 0, rig), body_seconds=1.0) as address:
        url = f"{address}/add-checkpoint"
        assert httpx.post(url, content=b"x" * 70_000).status_code == 413

        def slowly() -> Any:
            yield b"old 0\n"
            time.sleep(1.5)
            yield b"\n"

        assert httpx.post(url, content=slowly()).status_code == 408
        assert httpx.post(url, content=b"").status_code == 400
        assert httpx.get(url).status_code == 405
        assert httpx.get(f"{address}/x").status_code == 404
        said = httpx.get(address).text
    assert said == f"{KEYS[0].vkey}\nfollows {rig.key.name}\n"
