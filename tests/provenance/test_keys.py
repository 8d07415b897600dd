"""Rules of the signing key: made from given randomness, kept private, never half loaded."""

from __future__ import annotations

import os
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import ORIGIN, seeded

from provenance.errors import InputError, StorageError, UsageError, WorkspaceError
from provenance.notes import keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def no_warning(text: str) -> None:
    """Fail where a warning is not due."""
    raise AssertionError(text)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A saved key."""
    path = tmp_path / "log.key"
    keys.save(keys.generate(ORIGIN, seeded(3)), path)
    return path


def test_a_key_is_its_randomness() -> None:
    """The 32 bytes of the Entropy argument are the key: same bytes, same key."""
    one, two = keys.generate(ORIGIN, seeded(3)), keys.generate(ORIGIN, seeded(3))
    assert one.vkey == two.vkey
    assert one.sign(b"text") == two.sign(b"text")
    assert one.vkey != keys.generate(ORIGIN, seeded(4)).vkey


@given(st.binary(min_size=32, max_size=32))
def test_private_texts_round_trip(seed: bytes) -> None:
    """A key read back from its text signs the same, and writes the same text."""
    key = keys.LogKey(ORIGIN, seed)
    again = keys.parse_secret(key.secret_text())
    assert again.secret_text() == key.secret_text()
    assert again.sign(b"text") == key.sign(b"text")


@given(st.text(max_size=90) | st.binary(max_size=60).map(lambda raw: f"PRIVATE+KEY+{raw!r}"))
def test_arbitrary_text_is_a_key_or_our_error(text: str) -> None:
    """Nothing but InputError comes out of the parser."""
    with suppress(InputError):
        assert keys.parse_secret(text).secret_text() == text


def test_no_part_of_a_private_text_is_a_key() -> None:
    """Cut or changed anywhere, a private text is refused, and no message repeats it."""
    text = keys.generate("log.example", seeded(3)).secret_text()
    parts = {text[i:j] for i in range(len(text)) for j in range(i, len(text))}
    changed = {text[:at] + chr(ord(char) + 1) + text[at + 1 :] for at, char in enumerate(text)}
    for bad in parts | changed:
        with pytest.raises(InputError) as caught:
            keys.parse_secret(bad)
        assert text[-40:-4] not in str(caught.value)


def test_the_key_file_is_private_and_whole(saved: Path) -> None:
    """The file has mode 0600 whatever the umask, one line, and loads without a warning."""
    assert saved.stat().st_mode & 0o7777 == 0o600
    assert saved.read_text().count("\n") == 1
    loaded = keys.load(saved, no_warning)
    assert loaded.vkey == keys.generate(ORIGIN, seeded(3)).vkey


def test_the_umask_does_not_decide(tmp_path: Path) -> None:
    """A umask that takes the owner's own rights away still leaves mode 0600."""
    before = os.umask(0o777)
    try:
        keys.save(keys.generate(ORIGIN, seeded(3)), tmp_path / "log.key")
    finally:
        os.umask(before)
    assert (tmp_path / "log.key").stat().st_mode & 0o7777 == 0o600


def test_a_key_is_never_overwritten(saved: Path) -> None:
    """Saving where a key is, or a link to nowhere, is refused and changes nothing."""
    before = saved.read_bytes()
    with pytest.raises(UsageError, match="there is a key already"):
        keys.save(keys.generate(ORIGIN, seeded(4)), saved)
    assert saved.read_bytes() == before
    link = saved.with_name("link.key")
    link.symlink_to(saved.with_name("elsewhere"))
    with pytest.raises(UsageError, match="there is a key already"):
        keys.save(keys.generate(ORIGIN, seeded(4)), link)


def test_a_folder_that_is_not_there_is_our_error(tmp_path: Path) -> None:
    """The disk's refusal names the place."""
    with pytest.raises(StorageError, match="nowhere"):
        keys.save(keys.generate(ORIGIN, seeded(3)), tmp_path / "nowhere" / "log.key")


def test_a_missing_key_says_what_to_do(tmp_path: Path) -> None:
    """No key file: the message names it and says where to get it."""
    with pytest.raises(WorkspaceError, match=r"log\.key: the signing key is missing; restore"):
        keys.load(tmp_path / "log.key", no_warning)


def test_an_unreadable_key_says_why(tmp_path: Path) -> None:
    """Something that is no file is refused with the system's reason."""
    with pytest.raises(WorkspaceError, match="cannot be read: Is a directory"):
        keys.load(tmp_path, no_warning)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_a_key_that_others_may_open_is_used_with_a_warning(saved: Path, mode: int) -> None:
    """The warning names the file, its mode and the remedy; the key loads all the same."""
    saved.chmod(mode)
    said: list[str] = []
    assert keys.load(saved, said.append).name == ORIGIN
    assert len(said) == 1
    assert f"{mode:04o}" in said[0]
    assert str(saved) in said[0]
    assert "chmod 600" in said[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: b"\xff" + data,
        lambda data: data + data,
        lambda data: data.replace(b"KEY", b"key"),
        lambda data: data + b"\n",
        lambda data: data * 100,
    ],
)
def test_a_damaged_key_is_refused(saved: Path, damage: Callable[[bytes], bytes]) -> None:
    """Half, doubled, garbled or endless: InputError names the file and the remedy."""
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.raises(InputError, match=r"log\.key: .*restore it from your backup"):
        keys.load(saved, no_warning)


def test_the_private_part_does_not_show() -> None:
    """Neither repr nor str of a key holds its secret."""
    key = keys.generate(ORIGIN, seeded(3))
    secret = key.secret_text().rpartition("+")[2]
    assert secret not in repr(key) + str(key) + key.vkey


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "a\u2003b", "\ud800"])
def test_a_name_that_a_note_cannot_hold_makes_no_key(name: str) -> None:
    """Key names go into signature lines: no spaces, no plus, no control characters."""
    with pytest.raises(InputError, match="key name"):
        keys.generate(name, seeded(3))


def test_a_key_of_another_type_says_so() -> None:
    """A private text of another signature type is refused for its type."""
    data = b64encode(b"\x02" + bytes(32)).decode()
    with pytest.raises(InputError, match="not of type Ed25519"):
        keys.parse_secret(f"PRIVATE+KEY+log.example+00000000+{data}")
