"""Rules of a witness: what it refuses and how, and that it never cosigns two histories."""

from __future__ import annotations

import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from witness_tools import NAME, NOW_US, ORIGIN, Operator, SetClock, new_witness, seeded

from provenance.errors import (
    InputError,
    StorageError,
    UsageError,
    WorkspaceDamaged,
    WorkspaceMissing,
)
from provenance.hashing import EMPTY_ROOT
from provenance.notes.checkpoint import (
    COSIGNATURE,
    Checkpoint,
    Note,
    format_note,
    parse,
    parse_line,
    parse_note,
)
from provenance.notes.cosignature import check_line
from provenance.notes.keys import generate
from provenance.notes.trust import parse_trust
from provenance.wire.evidence import check_evidence
from provenance.wire.monitor_state import read_evidence
from provenance.wire.witness import (
    MAX_REQUEST,
    Request,
    format_request,
    judge,
    parse_request,
    parse_size,
)
from provenance.wire.witness_state import Witness, create_witness

if TYPE_CHECKING:
    from pathlib import Path

LOG = Operator()
OTHER = Operator("log.example/other", 2)
HASH = b64encode(bytes(32)).decode()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """A witness of the one log."""
    return new_witness(tmp_path / "w", LOG.key.vkey)


def check(witness: Witness, size: int, line: str, fork: int | None = None) -> int:
    """See that a reply is a cosignature of that history; returns its time."""
    assert line.endswith("\n")
    text = parse_note(LOG.note(size, fork)).text
    return check_line(parse_line(line[:-1]), witness.key.verifier, text)


def test_it_cosigns_what_continues(witness: Witness) -> None:
    """From nothing to any size, on with a proof, and again at the same size."""
    for old, size in ((0, 5), (5, 5), (5, 300), (300, 301)):
        reply = witness.add_checkpoint(LOG.request(old, size))
        assert reply.status == 200
        assert check(witness, size, reply.text) == NOW_US // 1_000_000
        assert witness.last(ORIGIN)[0] == Checkpoint(ORIGIN, size, LOG.root(size))


def test_an_empty_log_may_be_cosigned(witness: Witness) -> None:
    """Size 0 to size 0, with the root of the empty tree."""
    reply = witness.add_checkpoint(LOG.request(0, 0))
    assert reply.status == 200
    assert check(witness, 0, reply.text)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "old SIZE"),
        (b"old 0\n", 400, "old SIZE"),
        (LOG.request(0, 7).replace(b"old 0", b"old 00"), 400, "old SIZE"),
        (LOG.request(0, 7).replace(b"old 0", b"old -1"), 400, "old SIZE"),
        (LOG.request(0, 7).replace(b"old 0", b"old 9223372036854775808"), 400, "old SIZE"),
        (LOG.request(0, 7).replace(b"old 0\n", b"old 0\r\n"), 400, "old SIZE"),
        (LOG.request(0, 7)[:-1], 400, "signature lines"),
        (LOG.request(0, 7) + b"\xff", 400, "UTF-8"),
        (LOG.request(0, 7).replace(b"old 0\n", b"old 0\nAAAA\n"), 400, "32 bytes"),
        (LOG.request(0, 7).replace(b"old 0\n", b"old 0\n" + f"{HASH}\n".encode() * 64), 400, "63"),
        (b"old 0\n\n" + b"x" * MAX_REQUEST, 400, "at most"),
        (LOG.request(0, 7).replace(b"\n7\n", b"\n7\nextension\n"), 400, "no others"),
        (OTHER.request(0, 7), 404, "log.example/other"),
        (LOG.request(0, 7).replace(b"\n7\n", b"\n8\n"), 403, "no key"),
        (Operator(seed=3).request(0, 7), 403, "no key"),
        (LOG.request(0, 7).replace(b"old 0", b"old 8"), 400, "over the checkpoint's"),
        (LOG.request(3, 7), 409, "5\n"),
        (LOG.request(0, 7), 409, "5\n"),
        (LOG.request(0, 4), 409, "5\n"),
        (LOG.request(5, 5, fork=3), 409, "5\n"),
        (LOG.request(5, 7, fork=3), 422, "does not hold"),
        (LOG.request(5, 7).replace(b"old 5\n", f"old 5\n{HASH}\n".encode()), 422, "does not hold"),
        (LOG.request(5, 5).replace(b"old 5\n", f"old 5\n{HASH}\n".encode()), 422, "does not hold"),
    ],
)
def test_it_refuses_and_says_why(witness: Witness, body: bytes, status: int, words: str) -> None:
    """Each refusal has the status that the protocol gives it, and changes nothing."""
    witness.add_checkpoint(LOG.request(0, 5))
    before = witness.last(ORIGIN)

    reply = witness.add_checkpoint(body)

    assert reply.status == status
    assert words in reply.text
    assert reply.media_type == (
        "text/x.tlog.size" if status == 409 else "text/plain; charset=utf-8"
    )
    if status == 409:
        assert parse_size(reply.text.encode()) == 5
    assert witness.last(ORIGIN) == before


def test_a_proof_from_nothing_is_empty(witness: Witness) -> None:
    """A first request that carries a proof proves nothing by it."""
    body = LOG.request(0, 5).replace(b"old 0\n", f"old 0\n{HASH}\n".encode())
    assert witness.add_checkpoint(body).status == 422
    assert witness.last(ORIGIN)[0].size == 0


def test_lines_of_strangers_are_passed_over(witness: Witness) -> None:
    """Signatures of unknown keys neither help nor harm; a wrong one of a known key harms."""
    stranger = generate(ORIGIN, seeded(70))
    both = format_request(Request(0, (), LOG.note(5, None, stranger, LOG.key)))
    alone = format_request(Request(0, (), LOG.note(5, None, stranger)))
    assert witness.add_checkpoint(alone).status == 403
    assert witness.add_checkpoint(both).status == 200
    said, note = parse(LOG.note(5, None, stranger, LOG.key))
    assert said.size == 5
    wrong = note.signatures[1]._replace(signature=bytes(64))
    spoilt = format_note(Note(note.text, (*note.signatures, wrong)))
    assert witness.add_checkpoint(format_request(Request(5, (), spoilt))).status == 403


def test_a_rotated_key_is_followed_as_well(tmp_path: Path, witness: Witness) -> None:
    """Old key, both keys, new key: the witness goes on when it is told of the new one."""
    successor = generate(ORIGIN, seeded(71))
    assert witness.add_checkpoint(LOG.request(0, 5)).status == 200
    handed = format_request(Request(5, LOG.path(5, 6), LOG.note(6, None, LOG.key, successor)))
    after = format_request(Request(6, LOG.path(6, 9), LOG.note(9, None, successor)))
    assert witness.add_checkpoint(handed).status == 200
    assert witness.add_checkpoint(after).status == 403
    witness.follow(successor.vkey)
    witness.follow(successor.vkey)
    assert len(witness.followed()[ORIGIN]) == 2
    assert witness.add_checkpoint(after).status == 200
    assert Witness(tmp_path / "w", SetClock()).last(ORIGIN)[0].size == 9


moves = st.lists(
    st.tuples(
        st.integers(0, 12), st.integers(0, 12), st.sampled_from([None, 0, 3, 6]), st.booleans()
    ),
    max_size=30,
)


@given(moves)
@settings(max_examples=60)
def test_no_sequence_of_requests_gets_two_histories_cosigned(
    moves: list[tuple[int, int, int | None, bool]],
) -> None:
    """Whatever is asked in whatever order: the judge agrees with a model that knows all leaves,
    and all that is ever cosigned lies on one growing history.
    """
    last, known = Checkpoint(ORIGIN, 0, EMPTY_ROOT), list[bytes]()
    for old, size, fork, honest in moves:
        stated = last.size if honest else old
        if stated > size:
            continue
        leaves = LOG.leaves(size, fork)
        good = stated == len(known) and leaves[: len(known)] == known
        request = parse_request(LOG.request(stated, size, fork))
        assert (judge(request, last) is None) == good
        if good:
            known, last = leaves, Checkpoint(ORIGIN, size, LOG.root(size, fork))


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_requests_round_trip(old: int, path: list[bytes]) -> None:
    """What is written is read back as it was."""
    request = Request(old, tuple(path), LOG.note(4))
    assert parse_request(format_request(request)) == request


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_request_or_our_error(data: bytes) -> None:
    """Whatever arrives: a request that is written back byte for byte, or an `InputError`."""
    for whole in (data, b"old 3\n" + data, b"old 3\n\n" + data):
        with suppress(InputError):
            assert format_request(parse_request(whole)) == whole


@given(st.data())
def test_a_changed_byte_is_refused_or_is_another_request(data: st.DataObject) -> None:
    """A request with one byte changed never gets the cosignature of the one that was meant."""
    body = bytearray(LOG.request(0, 5))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(InputError):
        assert format_request(parse_request(bytes(body))) == bytes(body)


def test_racing_requests_get_one_history(witness: Witness) -> None:
    """Of many continuations at once one is cosigned, and the others are told its size."""
    bodies = [LOG.request(0, 5 + n, fork=n % 3) for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(witness.add_checkpoint, bodies))
    won = [n for n, reply in enumerate(replies) if reply.status == 200]
    assert len(won) == 1
    assert {reply.text for reply in replies if reply.status == 409} == {f"{5 + won[0]}\n"}


def test_the_key_is_kept_close(tmp_path: Path, witness: Witness) -> None:
    """The key's file is its owner's alone, and the vkey is of the cosignature type."""
    mode = (tmp_path / "w" / "witness.key").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert witness.key.verifier.type == COSIGNATURE
    assert witness.key.vkey.startswith(f"{NAME}+")
    assert str(witness.key.secret_text()) not in repr(witness.key)


def test_following_is_said_in_a_file_for_people(tmp_path: Path, witness: Witness) -> None:
    """`witness.toml` keeps what its owner writes into it."""
    path = tmp_path / "w" / "witness.toml"
    path.write_text(path.read_text() + "\n# mine\n")
    witness.follow(OTHER.key.vkey)
    assert "# mine" in path.read_text()
    assert sorted(witness.followed()) == [OTHER.origin, ORIGIN]


def test_what_was_refused_is_kept(tmp_path: Path, witness: Witness) -> None:
    """Two roots of one size are evidence by themselves; what has no proof is kept for a monitor;
    what only asks for the size, or is not signed, leaves nothing.
    """
    trust = parse_trust(f"log {LOG.key.vkey}\nquorum none\n".encode())
    witness.add_checkpoint(LOG.request(0, 5))
    for body in (LOG.request(0, 4), LOG.request(3, 7), Operator(seed=3).request(5, 5, fork=1)):
        witness.add_checkpoint(body)
    assert not (tmp_path / "w" / "refused").exists()
    for _ in range(2):
        assert witness.add_checkpoint(LOG.request(5, 5, fork=3)).status == 409
    (place,) = (tmp_path / "w" / "refused").iterdir()
    assert "two roots for 5 entries" in check_evidence(read_evidence(place), trust)
    assert witness.add_checkpoint(LOG.request(5, 7, fork=3)).status == 422
    assert len(list((tmp_path / "w" / "refused").iterdir())) == 2
    for size in range(8, 120):
        witness.add_checkpoint(LOG.request(5, size, fork=3))
    assert len(list((tmp_path / "w" / "refused").iterdir())) == 100


def test_lost_memory_is_not_made_anew(tmp_path: Path, witness: Witness) -> None:
    """A witness whose state file is gone or changed says so, and cosigns nothing."""
    witness.add_checkpoint(LOG.request(0, 5))
    (place,) = [path for path in (tmp_path / "w" / "state").iterdir() if not path.suffix]
    whole = place.read_bytes()
    for broken in (b"", whole[:-5], whole.replace(b"\n5\n", b"\n4\n"), LOG.note(2).encode()):
        place.write_bytes(broken)
        with pytest.raises(WorkspaceDamaged, match="backup"):
            witness.add_checkpoint(LOG.request(0, 6, fork=0))
    place.unlink()
    with pytest.raises(WorkspaceDamaged, match="two histories"):
        witness.add_checkpoint(LOG.request(0, 6, fork=0))
    place.write_bytes(whole)
    assert witness.add_checkpoint(LOG.request(5, 6)).status == 200


@pytest.fixture(scope="module")
def remembering(tmp_path_factory: pytest.TempPathFactory) -> tuple[Witness, Path]:
    """A witness that has cosigned five entries, and the file that says so."""
    place: Path = tmp_path_factory.mktemp("memory") / "w"
    witness = new_witness(place, LOG.key.vkey)
    witness.add_checkpoint(LOG.request(0, 5))
    (path,) = [path for path in (place / "state").iterdir() if not path.suffix]
    return witness, path


@given(st.data())
@settings(max_examples=60)
def test_a_changed_memory_is_refused_or_says_the_same(
    remembering: tuple[Witness, Path], data: st.DataObject
) -> None:
    """No byte of a state file can be changed so that another size, root or time is remembered."""
    witness, path = remembering
    whole, before = path.read_bytes(), witness.last(ORIGIN)
    spoilt = bytearray(whole)
    spoilt[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(spoilt)
    with suppress(WorkspaceDamaged):
        assert witness.last(ORIGIN) == before
    path.write_bytes(whole)


def test_time_does_not_run_back(tmp_path: Path) -> None:
    """Cosignatures never get older; a clock far behind is refused, and nothing is cosigned."""
    clock = SetClock()
    witness = new_witness(tmp_path / "w", LOG.key.vkey, clock=clock)
    witness.add_checkpoint(LOG.request(0, 5))
    clock.now_us -= 60_000_000
    reply = witness.add_checkpoint(LOG.request(5, 6))
    assert check(witness, 6, reply.text) == NOW_US // 1_000_000
    clock.now_us -= 600_000_000
    with pytest.raises(StorageError, match="the clock is 660 s behind"):
        witness.add_checkpoint(LOG.request(6, 7))
    assert witness.last(ORIGIN)[0].size == 6


def test_what_cannot_be_a_witness_is_one_error(tmp_path: Path, witness: Witness) -> None:
    """A bad name, an occupied directory, a witness's key to follow, nothing there: one line."""
    with pytest.raises(UsageError, match="--name"):
        create_witness(tmp_path / "x", "a b", SetClock(), seeded(1))
    with pytest.raises(UsageError, match="is not empty"):
        create_witness(tmp_path / "w", NAME, SetClock(), seeded(1))
    with pytest.raises(UsageError, match="of a witness, not of a log"):
        witness.follow(witness.key.vkey)
    with pytest.raises(UsageError, match="name"):
        witness.follow("nonsense")
    path = tmp_path / "w" / "witness.toml"
    path.write_text(f'{path.read_text()}[[log]]\nvkey = "{witness.key.vkey}"\n')
    with pytest.raises(WorkspaceDamaged, match="a witness's, not a log's"):
        witness.followed()
    with pytest.raises(WorkspaceMissing, match="witness init"):
        Witness(tmp_path / "nowhere", SetClock())
    (tmp_path / "w" / "witness.toml").write_text("name = 3\n")
    with pytest.raises(WorkspaceDamaged, match=r"witness\.toml"):
        Witness(tmp_path / "w", SetClock())
