"""Rules of rotation: one key signs at a time, what was signed stays good, theft is bounded."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from log_factories import event
from rings import Ringed, judged, other_key, signing_program

from provenance.clock import system_entropy
from provenance.errors import StorageError, UsageError, WorkspaceDamaged, WorkspaceError
from provenance.files import replace_file
from provenance.govern import keyring
from provenance.govern.sources import KeySource
from provenance.notes import keys
from provenance.notes.checkpoint import Checkpoint, sign

HERE = Path(__file__).parent


def nursery(*arguments: str) -> str:
    """Run the nursery in a process without threads; returns what it printed."""
    done = subprocess.run(
        [sys.executable, str(HERE / "rotation_nursery.py"), *arguments],
        env={"PYTHONPATH": f"{HERE.parent.parent}:{HERE.parent / 'provenance'}:{HERE}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_rotation_that_dies_at_any_step_is_finished_or_never_was(tmp_path: Path) -> None:
    """Before or after each step: the log goes on with one of the keys, and can be rotated."""
    assert len(nursery("steps", str(tmp_path)).splitlines()) > 40


def test_processes_that_rotate_and_append_at_once_take_turns(tmp_path: Path) -> None:
    """Three rotations and two writers on one log: all of it is there, and adds up."""
    nursery("together", str(tmp_path))


@pytest.fixture
def ringed(tmp_path: Path) -> Ringed:
    """A log of three events with its key in its file."""
    return Ringed.made(tmp_path / "log")


def test_old_proofs_stay_good_and_new_ones_need_the_new_key_alone(ringed: Ringed) -> None:
    """A bundle from before verifies with the policy as it is now; after it, with the new line."""
    before = ringed.bundle(1)
    ringed.rotate()
    during = ringed.bundle(1)
    ringed.append(10)
    after = ringed.bundle(1)
    policy = (ringed.directory / "log.policy").read_text().splitlines()
    _comment, old, new, quorum = policy

    assert [judged(one, policy) for one in (before, during, after)] == [{"ok", "absent"}] * 3
    assert [judged(one, [new, quorum]) for one in (during, after)] == [{"ok", "absent"}] * 2
    assert judged(during, [old, quorum]) == {"ok", "absent"}
    assert "failed" in judged(before, [new, quorum])
    assert "failed" in judged(after, [old, quorum])


def test_a_rotation_leaves_the_keys_with_their_owner_alone(ringed: Ringed) -> None:
    """Every key file has mode 0600, the folder of the retired 0700; the old key is kept."""
    old = ringed.ring.signer().vkey
    ringed.rotate()
    folder = ringed.directory / "keys"

    (retired,) = folder.glob("retired/*.key")
    assert keys.load(retired).vkey == old
    assert ringed.names() == sorted(["log.key", retired.name])
    assert stat.S_IMODE(retired.parent.stat().st_mode) == 0o700
    for path in (retired, folder / "log.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_stolen_retired_key_signs_nothing_more(ringed: Ringed) -> None:
    """Put back in its place it opens nothing; what it signs is a problem for every audit."""
    stolen = keys.load(ringed.directory / "keys" / "log.key")
    ringed.rotate()
    ringed.append(10)
    ringed.check(11)
    replace_file(ringed.directory / "keys" / "log.key", f"{stolen.secret_text()}\n".encode())

    with pytest.raises(WorkspaceDamaged, match="not the one that this log's register names now"):
        ringed.open()
    reader = ringed.rig.reader()
    forged = sign(Checkpoint(stolen.name, reader.size, reader.root_at(reader.size)), [stolen])
    size = reader.size
    reader.close()
    with ringed.rig.attacked() as connection:
        connection.execute("UPDATE checkpoint SET note = ? WHERE size = ?", (forged, size))

    assert any("signatures are not those" in problem for problem in ringed.audit().problems)


def test_a_writer_goes_on_through_a_rotation_by_another(ringed: Ringed) -> None:
    """A long ingest takes up the new key between two of its groups."""
    writer = ringed.open()
    writer.append([event(10)])
    ringed.rotate()
    writer.append([event(11)])
    ringed.rotate()
    writer.append([event(12)])
    writer.close()

    ringed.check(13)
    assert len(ringed.vkeys()) == 3


def test_the_key_can_move_from_file_to_program_to_variable_and_back(
    ringed: Ringed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source takes over from each; the setting follows, and files of the old one go."""
    program = signing_program(tmp_path, other_key(300))
    monkeypatch.setenv("LOG_KEY", f"{other_key(301).secret_text()}\n")
    setting = ringed.directory / "setting"

    ringed.rotate(program)
    ringed.check(10)
    assert "log.key" not in ringed.names()
    assert program.command[0] in setting.read_text()
    ringed.rotate(KeySource(env="LOG_KEY"))
    ringed.check(11)
    assert '"env":"LOG_KEY"' in setting.read_text()
    ringed.rotate()
    ringed.check(12)
    assert "log.key" in ringed.names()
    assert KeySource() == msgspec.json.decode(setting.read_bytes(), type=KeySource)


@pytest.mark.parametrize("again", [True, False])
def test_a_key_that_signed_before_is_no_new_key(
    ringed: Ringed, monkeypatch: pytest.MonkeyPatch, *, again: bool
) -> None:
    """Neither the present key nor a retired one can be handed the log; nothing is changed."""
    present = keys.load(ringed.directory / "keys" / "log.key")
    if again:
        ringed.rotate()
    monkeypatch.setenv("LOG_KEY", present.secret_text())

    with pytest.raises(UsageError, match="retired, or is in use"):
        ringed.rotate(KeySource(env="LOG_KEY"))
    ringed.check(10)
    assert "log.key" in ringed.names()
    assert len(ringed.vkeys()) == 1 + again


def test_a_key_of_another_name_is_refused(ringed: Ringed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log's key is named like its origin, wherever it comes from."""
    monkeypatch.setenv("LOG_KEY", other_key(1, "log.example/other").secret_text())

    with pytest.raises(WorkspaceDamaged, match=r"the key of log\.example/other"):
        ringed.rotate(KeySource(env="LOG_KEY"))
    ringed.check(10)


def test_a_program_that_cannot_sign_hands_nothing_over(ringed: Ringed, tmp_path: Path) -> None:
    """The signature is made within the transaction: without it there is no entry."""
    wrong = signing_program(tmp_path, other_key(300), vkey=other_key(301).vkey)

    with pytest.raises(WorkspaceError, match="did not sign with the key"):
        ringed.rotate(wrong)
    assert len(ringed.vkeys()) == 1
    ringed.check(10)
    ringed.rotate()
    ringed.check(11)
    assert "next.json" not in ringed.names()


def test_a_torn_next_key_is_made_anew(ringed: Ringed) -> None:
    """Half a key that no entry names is lost without harm, and blocks nobody."""
    (ringed.directory / "keys" / "next.key").write_bytes(b"PRIVATE+KEY+log.exam")
    ringed.append(10)
    ringed.rotate()

    ringed.check(11)
    assert "next.key" not in ringed.names()


def test_a_next_key_that_goes_away_while_it_is_read_blocks_nobody(
    ringed: Ringed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation to a variable removes the file while another process opens the log."""
    path = ringed.directory / "keys" / "next.key"
    keys.save(other_key(77), path)
    real = keys.load

    def removed(place: Path) -> keys.LogKey:
        if place == path:
            path.unlink()
        return real(place)

    monkeypatch.setattr(keys, "load", removed)
    ringed.append(10)
    assert not path.exists()
    assert len(ringed.vkeys()) == 1


def test_a_damaged_note_of_the_next_key_is_named(ringed: Ringed) -> None:
    """The note is replaced whole, so another content was put there by somebody."""
    for text in (b"{}x", b'{"env": 3}', b'{"other": ""}', b"\xff"):
        (ringed.directory / "keys" / "next.json").write_bytes(text)
        with pytest.raises(WorkspaceDamaged, match=r"next\.json"):
            ringed.open()


def test_a_full_disk_leaves_the_rotation_to_the_next_one(
    ringed: Ringed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be moved now is moved by the next opening; the log is handed over already."""

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(keyring, "replace_file", full)
        with pytest.raises(StorageError, match="the disk is full"):
            ringed.rotate()
    assert len(ringed.vkeys()) == 2
    assert "next.key" in ringed.names()

    ringed.check(10)
    assert "next.key" not in ringed.names()


def test_the_policy_keeps_what_people_wrote_into_it(ringed: Ringed) -> None:
    """The new line comes after the log's own; witnesses, comments and other logs stay."""
    path = ringed.directory / "log.policy"
    other = other_key(9, "log.example/other").vkey
    first = path.read_text().splitlines()[1]
    path.write_text(f"# mine\n{first} https://log.example/\n\nlog {other}\nquorum none\n")
    ringed.rotate()
    new = ringed.vkeys()[1]

    assert path.read_text() == (
        f"# mine\n{first} https://log.example/\nlog {new}\n\nlog {other}\nquorum none\n"
    )
    ringed.append(10)
    assert path.read_text().count(new) == 1


def test_a_lost_policy_is_written_anew(ringed: Ringed) -> None:
    """Without the file the new key would be nowhere for verifiers."""
    (ringed.directory / "log.policy").unlink()
    ringed.rotate()

    assert (
        ringed.directory / "log.policy"
    ).read_text() == f"log {ringed.vkeys()[1]}\nquorum none\n"


def test_an_unfinished_rotation_is_resumed_with_the_same_key(ringed: Ringed) -> None:
    """A next key that no entry names yet is the next key of the next attempt."""
    ringed.ring.prepare(KeySource(), system_entropy, [])
    waiting = keys.load(ringed.directory / "keys" / "next.key").vkey
    ringed.append(10)
    assert len(ringed.vkeys()) == 1

    ringed.rotate()

    assert ringed.vkeys()[1] == waiting
    ringed.check(11)
