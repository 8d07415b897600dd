"""Rules of signed notes, checkpoints and key texts: one form, and nothing else gets in."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_log import ORIGIN, seeded, small_log

from provenance.errors import InputError, UsageError
from provenance.hashing import EMPTY_ROOT
from provenance.notes import checkpoint as cp
from provenance.notes.checkpoint import Checkpoint, Note, NoteSignature, VerifierKey
from provenance.notes.keys import generate, parse_secret

# The published example of Go's golang.org/x/mod/sumdb/note package.
PETER_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_NOTE = (
    f"{PETER_TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZ"
    "SNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The published example of c2sp.org/tlog-cosignature.
COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcy"
    "v2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3"
    "b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


def is_name(name: str) -> bool:
    """Say whether the name check lets it pass."""
    try:
        cp.check_key_name(name)
    except InputError:
        return False
    return True


NAMES = st.text(min_size=1, max_size=12).filter(is_name)
LINES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="".join(map(chr, range(32)))),
    max_size=12,
)
NOTES = st.builds(
    Note,
    st.lists(LINES, min_size=1, max_size=4).map(lambda lines: "\n".join(lines) + "\n"),
    st.lists(
        st.builds(
            NoteSignature,
            NAMES,
            st.binary(min_size=4, max_size=4),
            st.binary(min_size=1, max_size=70),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
)


def test_the_published_note_is_signed_and_read() -> None:
    """Go's example key signs Go's example text to Go's example note, byte for byte."""
    key = parse_secret(PETER_SECRET)
    assert key.vkey == PETER_VKEY
    assert cp.sign_note(PETER_TEXT, [key]) == PETER_NOTE
    note = cp.parse_note(PETER_NOTE.encode())
    assert note.text == PETER_TEXT
    assert [(line.name, line.key_id.hex()) for line in note.signatures] == [
        ("PeterNeumann", "c74f20a3")
    ]


def test_the_published_checkpoint_is_read() -> None:
    """The tlog-cosignature example parses into origin, size, root and two lines, and back."""
    found, note = cp.parse(COSIGNED)
    assert found[:2] == ("example.com/behind-the-sofa", 20_852_163)
    assert [line.name for line in note.signatures] == [found.origin, "witness.example.com/w1"]
    assert cp.format_note(note) == COSIGNED
    assert cp.format_text(found) == note.text


@given(NOTES)
def test_notes_round_trip(note: Note) -> None:
    """What can be written is read back as it was."""
    text = cp.format_note(note)
    assert cp.parse_note(text) == note
    assert cp.parse_note(text.encode()) == note


@given(LINES.filter(bool), st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_checkpoints_round_trip(origin: str, size: int, root: bytes) -> None:
    """Any origin of one line, any size and any 32 bytes go through the text unchanged."""
    found = Checkpoint(origin, size, root)
    assert cp.parse_text(cp.format_text(found)) == found


def test_the_empty_log_has_one_checkpoint() -> None:
    """Size 0 goes with the empty tree's root and with no other."""
    assert cp.parse_text(cp.format_text(Checkpoint(ORIGIN, 0, EMPTY_ROOT))).size == 0
    with pytest.raises(InputError, match="root of the empty tree"):
        cp.format_text(Checkpoint(ORIGIN, 0, bytes(32)))


@given(st.text() | st.binary() | st.text(st.sampled_from("a1\n —+=/\x00\r")))
def test_arbitrary_input_is_a_note_or_our_error(data: str | bytes) -> None:
    """Any text or bytes: read and written back the same, or refused with InputError."""
    try:
        note = cp.parse_note(data)
    except InputError:
        pass
    else:
        assert cp.format_note(note) == (data if isinstance(data, str) else data.decode())
    with suppress(InputError):
        assert cp.format_text(cp.parse_text(str(data))) == str(data)


@given(st.data())
def test_a_changed_checkpoint_is_the_same_form_or_our_error(data: st.DataObject) -> None:
    """Replacing any stretch of a valid checkpoint gives another valid one, or InputError."""
    whole = small_log().checkpoint(cosigners=2)
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, min(len(whole), start + 5)))
    new = data.draw(st.text(st.sampled_from("Aa09+/= \n—\t\u2028\x7f"), max_size=4) | st.text())
    changed = whole[:start] + new + whole[stop:]
    try:
        found, note = cp.parse(changed)
    except InputError:
        return
    assert cp.format_note(note) == changed
    assert cp.format_text(found) == note.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("o\n1\n", "lines origin, size and root"),
        ("o\n1\nAA==\nextension\n", "lines origin, size and root"),
        ("o\n1\nAA==", "lines origin, size and root"),
        ("\n1\nAA==\n", "origin"),
        ("o\r\n1\nAA==\n", "origin"),
        ("o\n01\nAA==\n", "size"),
        ("o\n-1\nAA==\n", "size"),
        ("o\n+1\nAA==\n", "size"),
        ("o\n\uff11\nAA==\n", "size"),
        (f"o\n{2**63}\nAA==\n", "size"),
        ("o\n1\n\n", "32 bytes, this one has 0"),
        ("o\n1\nAA==\n", "32 bytes, this one has 1"),
        (f"o\n1\n{'A' * 42}B=\n", "canonical"),
        (f"o\n1\n{'A' * 43}\n", "not base64"),
        (f"o\n1\n {'A' * 42}=\n", "not base64"),
    ],
)
def test_each_malformed_checkpoint_has_its_reason(text: str, reason: str) -> None:
    """The message says which line is wrong and what it should be."""
    with pytest.raises(InputError, match=reason):
        cp.parse_text(text)


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (b"\xff" + PETER_NOTE.encode(), "UTF-8"),
        ("\ud800" + PETER_NOTE, "UTF-8"),
        ("\x01" + PETER_NOTE, "control character"),
        (PETER_NOTE.replace("\n", "\r\n"), "control character"),
        (PETER_TEXT, "whole signature lines"),
        (PETER_TEXT + "\n", "signature lines"),
        (PETER_NOTE[:-1], "whole signature lines"),
        (PETER_NOTE + "Unexpected line.\n", "em dash"),
        (PETER_NOTE.replace("— ", "- "), "em dash"),
        (PETER_NOTE.replace("Neumann x", "Neumann  x"), "em dash"),
        (PETER_NOTE.replace("— Peter", "— Peter\u00a0"), "key name"),
        (PETER_NOTE.replace("— Peter", "— Peter+"), "key name"),
        (PETER_NOTE.replace("nAM=", "nAM"), "not base64"),
        (f"{PETER_TEXT}\n— PeterNeumann x08gow==\n", "four bytes and a signature"),
        (PETER_NOTE + PETER_NOTE.partition("\n\n")[2] * 100, "at most 100"),
        ("a" * (1 << 20) + PETER_NOTE, "at most 1048576"),
    ],
)
def test_each_malformed_note_has_its_reason(note: str | bytes, reason: str) -> None:
    """The message says what a note needs."""
    with pytest.raises(InputError, match=reason):
        cp.parse_note(note)


def test_vkeys_round_trip_and_no_part_of_one_is_one() -> None:
    """A vkey is read and written the same; cut or changed anywhere it is refused."""
    key = cp.parse_vkey(PETER_VKEY)
    assert (key.name, key.type) == ("PeterNeumann", cp.ED25519)
    assert cp.format_vkey(key) == PETER_VKEY
    parts = {PETER_VKEY[i:j] for i in range(len(PETER_VKEY)) for j in range(i, len(PETER_VKEY))}
    changed = {
        PETER_VKEY[:at] + chr(ord(char) + 1) + PETER_VKEY[at + 1 :]
        for at, char in enumerate(PETER_VKEY)
    }
    for bad in parts | changed:
        if bad != PETER_VKEY:
            with pytest.raises(InputError):
                cp.parse_vkey(bad)


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        PETER_VKEY.replace("c74f20a3", "C74F20A3"),
        PETER_VKEY.replace("PeterNeumann", "Peter Neumann"),
        PETER_VKEY + "\n",
        "\ud800" + PETER_VKEY,
    ],
)
def test_keys_of_another_kind_or_form_are_refused(vkey: str) -> None:
    """Go's published bad keys (wrong length, unknown type), and texts in another form."""
    with pytest.raises(InputError):
        cp.parse_vkey(vkey)


@given(NAMES, st.sampled_from([cp.ED25519, cp.COSIGNATURE]), st.binary(min_size=32, max_size=32))
def test_vkeys_of_any_name_round_trip(name: str, kind: int, public: bytes) -> None:
    """Name, type and key survive the text."""
    key = VerifierKey(name, kind, public)
    assert cp.parse_vkey(cp.format_vkey(key)) == key


@given(st.text(max_size=60))
def test_arbitrary_text_is_a_vkey_or_our_error(text: str) -> None:
    """Any text: read and written back the same, or refused with InputError."""
    with suppress(InputError):
        assert cp.format_vkey(cp.parse_vkey(text)) == text


def test_a_rotation_signs_with_both_keys() -> None:
    """The checkpoint that covers a new key carries two lines of the same name."""
    old, new = generate(ORIGIN, seeded(7)), generate(ORIGIN, seeded(8))
    _, note = cp.parse(cp.sign(Checkpoint(ORIGIN, 1, bytes(32)), [old, new]))
    assert [line.name for line in note.signatures] == [ORIGIN, ORIGIN]
    assert [line.key_id for line in note.signatures] == [old.key_id, new.key_id]


def test_only_a_key_of_the_log_signs_for_it() -> None:
    """A log's key is named like its origin; another's, or none, is a usage error."""
    with pytest.raises(UsageError, match="named like its origin"):
        cp.sign(Checkpoint(ORIGIN, 1, bytes(32)), [generate("other.example", seeded(9))])
    with pytest.raises(UsageError, match="at least one signer"):
        cp.sign(Checkpoint(ORIGIN, 1, bytes(32)), [])


@pytest.mark.parametrize("text", ["no newline at the end", "a\x00b\n", "\ud800\n"])
def test_what_cannot_be_a_note_is_not_signed(text: str) -> None:
    """A text without its newline, with control characters or half a character is refused."""
    with pytest.raises(InputError):
        cp.sign_note(text, [generate("a", seeded(1))])


def test_an_origin_of_two_lines_is_not_signed() -> None:
    """An origin cannot smuggle a size or a root in."""
    with pytest.raises(InputError):
        cp.format_text(Checkpoint(f"{ORIGIN}\n7", 1, bytes(32)))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("text", NoteSignature("a", b"abcd", b"s")),
        ("text\n", NoteSignature("a", b"abc", b"sig")),
        ("text\n", NoteSignature("a b", b"abcd", b"s")),
        ("text\n", NoteSignature("a", b"abcd", b"")),
    ],
)
def test_what_would_read_back_differently_is_not_written(text: str, line: NoteSignature) -> None:
    """A text without newline, a short key id, a name with spaces, no signature: InputError."""
    with pytest.raises(InputError):
        cp.format_note(Note(text, (line,)))
