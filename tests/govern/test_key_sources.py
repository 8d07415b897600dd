"""Rules of key sources: the right key or one clear line, and never a byte of a key in it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rings import other_key, signing_program

from provenance.errors import InputError, ProvenanceError, UsageError, WorkspaceError
from provenance.govern.sources import CommandSigner, KeySource, open_signer
from provenance.notes import keys

if TYPE_CHECKING:
    from pathlib import Path

KEY = other_key(40)


def program(*lines: str) -> tuple[str, ...]:
    """A program of some lines."""
    return (sys.executable, "-c", "\n".join(lines))


def test_each_source_signs_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, variable and program give the same signer: Ed25519 has one signature a message."""
    keys.save(KEY, tmp_path / "log.key")
    monkeypatch.setenv("LOG_KEY", f" {KEY.secret_text()}\n")
    sources = [KeySource(), KeySource(env="LOG_KEY"), signing_program(tmp_path, KEY)]
    signers = [open_signer(source, tmp_path / "log.key") for source in sources]

    assert {signer.vkey for signer in signers} == {KEY.vkey}
    assert {(signer.name, signer.key_id) for signer in signers} == {(KEY.name, KEY.key_id)}
    for message in (b"", b"\x00\xff", b"checkpoint\n" * 1000):
        assert {signer.sign(message) for signer in signers} == {KEY.sign(message)}


ANSWERS = {
    "nothing": ("", "not a signature of 64 bytes"),
    "no base64": ("print('?')", "not base64"),
    "too short": ("print('AAAA')", "not a signature of 64 bytes"),
    "another key's": ("print('A' * 86 + '==')", "did not sign with the key"),
    "text that is not ASCII": ("import os; os.write(1, b'\\xff\\xfe')", "not base64"),
    "a failure": ("raise SystemExit(3)", "failed with code 3"),
    "a death": ("import os; os.kill(os.getpid(), 9)", "failed with code -9"),
}


@pytest.mark.parametrize(("code", "reason"), ANSWERS.values(), ids=ANSWERS)
def test_what_a_program_answers_is_verified(code: str, reason: str) -> None:
    """Anything but its key's signature over the message is refused, with the reason."""
    signer = CommandSigner(program(code), KEY.vkey, 20)

    with pytest.raises(WorkspaceError, match=reason):
        signer.sign(b"message")


def test_a_signature_over_something_else_is_refused(tmp_path: Path) -> None:
    """Also where the right key made it."""
    source = signing_program(tmp_path, KEY)
    script = tmp_path / f"sign-{KEY.key_id.hex()}.py"
    script.write_text(script.read_text().replace("sys.stdin.buffer.read()", "b'other'"))

    with pytest.raises(WorkspaceError, match="did not sign"):
        open_signer(source, tmp_path).sign(b"message")


def test_a_program_that_hangs_is_ended() -> None:
    """The wait is limited; the lock that others queue at is not held for ever."""
    slow = CommandSigner(program("import time", "time.sleep(60)"), KEY.vkey, 0.3)

    with pytest.raises(WorkspaceError, match="no answer within"):
        slow.sign(b"message")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is one that may not be run."""
    for command in (str(tmp_path / "none"), str(tmp_path), "nul\0l"):
        with pytest.raises(WorkspaceError, match="cannot be run"):
            CommandSigner([command], KEY.vkey, 5).sign(b"message")


WRONG = {
    "both": (KeySource(env="A", command=("b",), vkey=KEY.vkey), UsageError),
    "a program without its key": (KeySource(command=("b",)), UsageError),
    "no time": (KeySource(timeout=0), UsageError),
    "too much time": (KeySource(timeout=601), UsageError),
    "no vkey": (KeySource(command=("b",), vkey="x"), InputError),
    "a variable that is not set": (KeySource(env="NOT_SET"), WorkspaceError),
    "another key than said": (KeySource(vkey=other_key(41).vkey), WorkspaceError),
    "another key than said, in a variable": (
        KeySource(env="LOG_KEY", vkey=other_key(41).vkey),
        WorkspaceError,
    ),
}


@pytest.mark.parametrize(("source", "error"), WRONG.values(), ids=WRONG)
def test_a_source_that_cannot_be_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: KeySource,
    error: type[ProvenanceError],
) -> None:
    """With the kind of error that says whose mistake it is, in one line."""
    keys.save(KEY, tmp_path / "log.key")
    monkeypatch.setenv("LOG_KEY", KEY.secret_text())

    with pytest.raises(error) as caught:
        open_signer(source, tmp_path / "log.key")
    assert "\n" not in str(caught.value)
    assert KEY.secret_text()[-43:] not in str(caught.value)


@given(st.data())
def test_no_message_repeats_a_damaged_key(data: st.DataObject) -> None:
    """Whatever is wrong with a variable's text, its secret part is not in the message."""
    text = KEY.secret_text()
    at = data.draw(st.integers(0, len(text) - 1))
    damaged = (
        text[:at] + data.draw(st.sampled_from(["", "A", "+", "\u00e9", "xx"])) + text[at + 1 :]
    )
    if damaged == text:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOG_KEY", damaged)
        with pytest.raises((InputError, WorkspaceError)) as caught:
            open_signer(KeySource(env="LOG_KEY"), None)  # type: ignore[arg-type]
    seed = text.rsplit("+", 1)[1]
    told = str(caught.value)
    assert not any(seed[i : i + 8] in told for i in range(len(seed) - 8))
