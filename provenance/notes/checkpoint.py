"""Checkpoints, signed notes and key texts: what the log says about itself, in C2SP's forms.

A signed note (c2sp.org/signed-note) is a text, an empty line and signature
lines; a checkpoint (c2sp.org/tlog-checkpoint) is a note whose text is origin,
size and root. A vkey is `name+key id+base64(type || public key)`.

Parsers are strict: what they accept is written back byte for byte, anything
else raises `InputError`. Nothing here checks a signature; `verify` does, with
parsers of its own.

Next: provenance/notes/parties.py
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from provenance.errors import InputError, UsageError
from provenance.hashing import EMPTY_ROOT, HASH_SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "Checkpoint",
    "Note",
    "NoteSignature",
    "Signer",
    "VerifierKey",
    "check_key_name",
    "format_line",
    "format_note",
    "format_text",
    "format_vkey",
    "key_id",
    "parse",
    "parse_line",
    "parse_note",
    "parse_text",
    "parse_vkey",
    "sign",
    "sign_note",
    "unbase64",
]

ED25519: Final = 0x01
"""Signature type of a note signed with Ed25519 (signed-note, "Signature types")."""
COSIGNATURE: Final = 0x04
"""Signature type of a witness's timestamped Ed25519 cosignature (tlog-cosignature)."""

_PUBLIC_SIZE: Final = 32
_MAX_NOTE: Final = 1 << 20  # bytes; the specification asks for a limit, and for room for 16 lines
_MAX_SIGNATURES: Final = 100
_MAX_SIZE: Final = 2**63 - 1
_LINE: Final = re.compile("\u2014 ([^ ]+) ([^ ]+)")
_SIZE: Final = re.compile("0|[1-9][0-9]{0,18}")
_KEY_ID: Final = re.compile("[0-9a-f]{8}")
_NOT_IN_NAME: Final = re.compile(r"[\x00-\x1f+\ud800-\udfff]|\s")
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f]")  # a note may hold no control but newline


class Signer(Protocol):
    """What signs notes for a log or a party.

    Calls come one at a time. Signing must not fail halfway: it returns 64 bytes
    or raises one of our errors, and a retry with the same message is harmless.
    """

    @property
    def name(self) -> str:
        """The key name; for a log its origin."""
        ...

    @property
    def key_id(self) -> bytes:
        """The four bytes that tell its signature lines from others."""
        ...

    @property
    def vkey(self) -> str:
        """The public key, as a vkey."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`."""
        ...


class VerifierKey(NamedTuple):
    """A public key as a vkey writes it; `type` is the signature type byte."""

    name: str
    type: int
    public: bytes


class NoteSignature(NamedTuple):
    """One signature line; who it is from is claimed, not checked."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A text that ends in a newline, and its signature lines in their order."""

    text: str
    signatures: tuple[NoteSignature, ...]


class Checkpoint(NamedTuple):
    """A log's state: its origin, the tree size and the root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes


def key_id(name: str, kind: int, public: bytes) -> bytes:
    """Return the key id: SHA-256(name || 0x0A || type || public key), its first four bytes."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def format_vkey(key: VerifierKey) -> str:
    """Write a public key as a vkey."""
    data = b64encode(bytes([key.type]) + key.public).decode()
    return f"{key.name}+{key_id(*key).hex()}+{data}"


def parse_vkey(text: str) -> VerifierKey:
    """Read a vkey of a type this program uses: Ed25519 notes and cosignatures.

    Raises:
        InputError: Not a vkey, a key id that is not the key's, or another type.
    """
    parts = text.split("+", 2)
    if len(parts) != 3:  # noqa: PLR2004 - name, key id, key
        raise InputError("a vkey has the form name+keyid+key")
    name, claimed, data = parts
    check_key_name(name)
    raw = unbase64(data, "the key of a vkey")
    if len(raw) != 1 + _PUBLIC_SIZE or raw[0] not in (ED25519, COSIGNATURE):
        raise InputError("the vkey is not of an Ed25519 key (type 01 or 04, 32 bytes)")
    key = VerifierKey(name, raw[0], raw[1:])
    if not _KEY_ID.fullmatch(claimed) or claimed != key_id(*key).hex():
        raise InputError("the vkey's key id is not that of its name and key")
    return key


def check_key_name(name: str) -> None:
    """Refuse what cannot be a key name: empty, or with spaces, "+" or control characters.

    Raises:
        InputError: It cannot.
    """
    if not name or _NOT_IN_NAME.search(name):
        raise InputError("a key name is not empty and holds no spaces, '+' or control characters")


def format_note(note: Note) -> str:
    """Write a signed note; as a file it is UTF-8.

    Raises:
        InputError: It would not be one: no signature, or characters a note cannot hold.
    """
    whole = f"{note.text}\n{''.join(map(format_line, note.signatures))}"
    if parse_note(whole) != note:
        raise InputError("these texts and names do not make a signed note")
    return whole


def format_line(line: NoteSignature) -> str:
    """Write one signature line, newline included; `parse_line` is its judge."""
    data = b64encode(line.key_id + line.signature).decode()
    return f"\u2014 {line.name} {data}\n"


def parse_note(data: bytes | str) -> Note:
    """Read a signed note, whoever signed it.

    Raises:
        InputError: Not a signed note in the one form that `format_note` writes.
    """
    whole = _text(data)
    if _CONTROL.search(whole):
        raise InputError("a signed note holds no control character but newline")
    head, divider, tail = whole.rpartition("\n\n")
    if not divider or not tail.endswith("\n"):
        raise InputError("a signed note is text, an empty line and whole signature lines")
    lines = tail[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise InputError(f"a note with {len(lines)} signatures; at most {_MAX_SIGNATURES} are read")
    return Note(f"{head}\n", tuple(map(parse_line, lines)))


def _text(data: bytes | str) -> str:
    if len(data) > _MAX_NOTE:
        raise InputError(f"a signed note of {len(data)} bytes; at most {_MAX_NOTE} are read")
    try:
        return data.decode() if isinstance(data, bytes) else data.encode().decode()
    except UnicodeError:
        raise InputError("a signed note is UTF-8 text, this is not") from None


def parse_line(line: str) -> NoteSignature:
    """Read one signature line, without its newline.

    Raises:
        InputError: Not one in the form that `format_line` writes.
    """
    match = _LINE.fullmatch(line)
    if not match:
        raise InputError("a signature line is an em dash, a key name and base64, one space between")
    check_key_name(match[1])
    raw = unbase64(match[2], "a signature")
    if len(raw) <= 4:  # noqa: PLR2004 - the key id alone
        raise InputError("a signature line holds a key id of four bytes and a signature")
    return NoteSignature(match[1], raw[:4], raw[4:])


def sign_note(text: str, signers: Sequence[Signer]) -> str:
    """Sign `text`, which ends in a newline, with every signer in turn.

    Raises:
        InputError: The text cannot be a note's.
        UsageError: There is no signer.
    """
    if not signers:
        raise UsageError("a signed note needs at least one signer")
    message = _text(text).encode()
    lines = (NoteSignature(one.name, one.key_id, one.sign(message)) for one in signers)
    return format_note(Note(text, tuple(lines)))


def format_text(checkpoint: Checkpoint) -> str:
    """Write a checkpoint's note text, the bytes that are signed.

    Raises:
        InputError: It would not be one, such as an origin of two lines.
    """
    text = f"{checkpoint.origin}\n{checkpoint.size}\n{b64encode(checkpoint.root).decode()}\n"
    parse_text(text)
    return text


def parse_text(text: str) -> Checkpoint:
    """Read a checkpoint's note text: three lines, without extension lines.

    Raises:
        InputError: Other lines, a size with leading zeros, a root that is not 32 bytes.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:  # noqa: PLR2004 - three lines, each ended
        raise InputError("a checkpoint has the lines origin, size and root, and no others")
    origin, size, root64 = lines[:3]
    if not origin or _CONTROL.search(origin):
        raise InputError("a checkpoint's origin is a line of text without control characters")
    if not _SIZE.fullmatch(size) or int(size) > _MAX_SIZE:
        raise InputError("a checkpoint's size is a plain decimal number below 2**63")
    root = unbase64(root64, "a checkpoint's root")
    if len(root) != HASH_SIZE:
        raise InputError(f"a checkpoint's root has {HASH_SIZE} bytes, this one has {len(root)}")
    if size == "0" and root != EMPTY_ROOT:
        raise InputError("a checkpoint of size 0 has the root of the empty tree")
    return Checkpoint(origin, int(size), root)


def sign(checkpoint: Checkpoint, signers: Sequence[Signer]) -> str:
    """Sign a checkpoint as its log; during a key rotation with the old and the new key.

    Args:
        checkpoint: What is said.
        signers: The log's keys, each named like the origin (tlog-policy, "Defining a log").

    Raises:
        InputError: The checkpoint cannot be written.
        UsageError: No signer, or one of another name.
    """
    for signer in signers:
        if signer.name != checkpoint.origin:
            raise UsageError(
                f"the key {signer.name!r} cannot sign for the log {checkpoint.origin!r}; "
                "a log's key is named like its origin"
            )
    return sign_note(format_text(checkpoint), signers)


def parse(data: bytes | str) -> tuple[Checkpoint, Note]:
    """Read a signed checkpoint: what it says, and the note it stands in.

    Raises:
        InputError: Not a signed note, or its text is not a checkpoint's.
    """
    note = parse_note(data)
    return parse_text(note.text), note


def unbase64(text: str, what: str, size: int | None = None) -> bytes:
    """Decode the one base64 form that encoding gives back (RFC 4648 section 4).

    Args:
        text: From a note, or from what goes with one.
        what: Its name, for the message.
        size: How many bytes it must be; None for any.

    Raises:
        InputError: It is not.
    """
    try:
        data = b64decode(text.encode(), validate=True)
    except ValueError:
        raise InputError(f"{what} is not base64") from None
    if b64encode(data).decode() != text:
        raise InputError(f"{what} is base64 in another form than the canonical one")
    if size not in {None, len(data)}:
        raise InputError(f"{what} is not {size} bytes in base64")
    return data
