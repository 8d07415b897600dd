"""Signatures on notes, checked; and cosignatures, by which a witness says what it has seen.

A cosignature (c2sp.org/tlog-cosignature, type 0x04) covers the checkpoint's
text and the time at which the witness signed. It says: of this log, this is the
largest tree that I have seen by then, and it continues all that I saw before.

Pure: keys come in as arguments. `verify` has a reader of its own.

Next: provenance/notes/trust.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provenance.errors import VerificationError
from provenance.notes.checkpoint import COSIGNATURE, NoteSignature, key_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provenance.notes.checkpoint import Note, Signer, VerifierKey

__all__ = ["check_line", "cosign", "signed_by"]

_TIME_SIZE: Final = 8
_LAST_TIME: Final = 2**63 - 1


def cosign(signer: Signer, text: str, seconds: int) -> NoteSignature:
    """Cosign a checkpoint.

    Args:
        signer: The witness's key, of type `COSIGNATURE`.
        text: The checkpoint's note text, without signature lines.
        seconds: The present time, seconds since the Unix epoch.
    """
    made = signer.sign(_message(text, seconds))
    return NoteSignature(signer.name, signer.key_id, seconds.to_bytes(_TIME_SIZE) + made)


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def check_line(line: NoteSignature, key: VerifierKey, text: str) -> int:
    """Check that `line` is the signature or cosignature of `key` over `text`.

    Returns:
        When a cosignature was made, in seconds since the Unix epoch; 0 for a plain signature,
        which does not say.

    Raises:
        VerificationError: It is another key's, or wrong.
    """
    if (line.name, line.key_id) != (key.name, key_id(*key)):
        raise VerificationError(f"the signature line of {line.name!a} is not that of {key.name!a}")
    message, made, seconds = text.encode(), line.signature, 0
    if key.type == COSIGNATURE:
        seconds, made = int.from_bytes(made[:_TIME_SIZE]), made[_TIME_SIZE:]
        message = _message(text, seconds)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(made, message)
    except (InvalidSignature, ValueError):
        raise VerificationError(f"the signature of {key.name!a} is wrong") from None
    if seconds > _LAST_TIME:
        raise VerificationError(f"the cosignature of {key.name!a} is of no time")
    return seconds


def signed_by(note: Note, keys: Iterable[VerifierKey]) -> dict[VerifierKey, int]:
    """Say which of `keys` signed a note, with the time of each cosignature.

    Lines of other keys are ignored (c2sp.org/signed-note, "Signatures").

    Raises:
        VerificationError: A line of one of the keys is wrong; the whole note is then no good.
    """
    known = {(key.name, key_id(*key)): key for key in keys}
    lines = [(known.get((line.name, line.key_id)), line) for line in note.signatures]
    return {key: check_line(line, key, note.text) for key, line in lines if key is not None}
