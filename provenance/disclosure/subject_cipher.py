"""How one opening is stored under the key of the person it is about. Pure.

The salt's place holds a nonce of 12 bytes, which tells an encrypted opening from
a plain one; the preimage's place the key's id and the AES-256-GCM ciphertext of
salt and preimage, bound to index and path, so that it opens nowhere else.

Next: provenance/store/subjects.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from provenance.errors import EncodingError, WorkspaceDamaged
from provenance.hashing import HASH_SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provenance.clock import Entropy
    from provenance.disclosure.privacy import PlainOpening

__all__ = ["ID_SIZE", "KEY_SIZE", "NONCE_SIZE", "Encryption", "SubjectKey", "decrypt"]

NONCE_SIZE: Final = 12
"""Bytes in the salt's place of an encrypted opening; a plain one has 32 there."""
ID_SIZE: Final = 16
KEY_SIZE: Final = 32


class SubjectKey(NamedTuple):
    """The key of one person.

    Attributes:
        id: 16 random bytes, which stand before what is encrypted with it.
        key: 32 bytes, for AES-256-GCM.
    """

    id: bytes
    key: bytes


class Encryption:
    """Keys that are held, and what encrypts with them."""

    def __init__(self, keys: Mapping[str, SubjectKey], entropy: Entropy) -> None:
        """Encrypt with `keys`, by subject."""
        self._keys = keys
        self._entropy = entropy

    def __call__(
        self, index: int, subjects: Mapping[str, str] | None, openings: Sequence[PlainOpening]
    ) -> list[PlainOpening]:
        """Encrypt those openings of a draft at `index` that are about a subject.

        Args:
            index: The draft's place in the log.
            subjects: `Draft.subjects`.
            openings: All of the draft's.

        Raises:
            EncodingError: A path that is said to be about a subject is of no committed field: it
                would stand in the log in clear, for ever.
        """
        done = []
        subjects = subjects or {}
        covered = set()
        for path, tier, salt, preimage in openings:
            at = _nearest(path, subjects)
            if at is None:
                done.append((path, tier, salt, preimage))
                continue
            covered.add(at)
            key = self._keys[subjects[at]]
            nonce = self._entropy(NONCE_SIZE)
            sealed = AESGCM(key.key).encrypt(nonce, salt + preimage, _bound(index, path))
            done.append((path, tier, nonce, key.id + sealed))
        for at in subjects.keys() - covered:
            raise EncodingError(
                f"{ascii(at)[1:-1]} is about a data subject and public; make it partner or private"
            )
        return done


def _nearest(path: str, subjects: Mapping[str, str]) -> str | None:
    """Find the path itself, or the nearest one above it, among those that are about a subject."""
    while path not in subjects:
        if not path:
            return None
        path = path.rpartition("/")[0]
    return path


def _bound(index: int, path: str) -> bytes:
    return index.to_bytes(8) + path.encode()


def decrypt(key: bytes, index: int, path: str, nonce: bytes, sealed: bytes) -> tuple[bytes, bytes]:
    """Return salt and preimage of an encrypted opening.

    Raises:
        WorkspaceDamaged: It does not open with this key: it was changed, or is another's.
    """
    try:
        plain = AESGCM(key).decrypt(nonce, sealed[ID_SIZE:], _bound(index, path))
    except InvalidTag:
        raise WorkspaceDamaged(
            f"entry {index}: {ascii(path)[1:-1]} does not open with its subject's key; run `verify`"
        ) from None
    return plain[:HASH_SIZE], plain[HASH_SIZE:]
