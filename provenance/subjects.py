"""Subject keys: what is stored about a person can be forgotten by forgetting one key.

Erasure deletes openings from this workspace; a copy of the database that was
taken before still has them. Where a workspace keeps subject keys, openings
about a data subject are stored encrypted under a key of that subject, and the
keys lie in a file that no copy of the log contains. Once the key is deleted,
every copy has forgotten.

An encrypted opening is stored in the same row: the salt's place holds a nonce of
12 bytes, which tells it from a plain one, and the preimage's place the key's
id and the AES-256-GCM ciphertext of salt and preimage, bound to index and path.
Ids are random: a subject that comes again after it was forgotten gets a new
key, and nothing old opens with it.

The file is SQLite with a rollback journal, so that no write-ahead log keeps a
deleted key, and with `secure_delete`. It is confidential: whoever has it and a
copy of the log reads what is stored about subjects.

Next: provenance/identity.py
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import apsw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from provenance.errors import EncodingError, WorkspaceDamaged
from provenance.hashing import HASH_SIZE, keyer
from provenance.storage import rows, transaction, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from provenance.clock import Entropy
    from provenance.entries import Draft
    from provenance.privacy import PlainOpening

__all__ = ["NONCE_SIZE", "Encryption", "SubjectKeys", "places_of"]

NONCE_SIZE: Final = 12
"""Bytes in the salt's place of an encrypted opening; a plain one has 32 there."""

_APPLICATION_ID: Final = 0x50534B31  # "PSK1"
_FORMAT: Final = 1
_ID_SIZE: Final = 16
_KEY_SIZE: Final = 32
_BUSY_MS: Final = 30_000
_TABLE: Final = (
    "CREATE TABLE subject (digest BLOB PRIMARY KEY, id BLOB NOT NULL UNIQUE, key BLOB NOT NULL) "
    "STRICT, WITHOUT ROWID"
)
_LOG: Final = logging.getLogger(__name__)


class _Key(NamedTuple):
    id: bytes
    key: bytes


class SubjectKeys:
    """The keys of one workspace. One thread, one object, as with a reader of the log.

    The file is opened when it is first needed.
    """

    def __init__(self, path: Path, secret: bytes, entropy: Entropy) -> None:
        """Use the keys at `path`.

        Args:
            path: The file; `create` makes it.
            secret: The workspace's; the file knows subjects by keyed digests alone.
            entropy: Gives keys, ids and nonces.
        """
        self.path = path
        self._digest = keyer(secret, "subject")
        self._entropy = entropy
        self._opened: apsw.Connection | None = None
        self._warned = False

    @staticmethod
    def create(path: Path) -> None:
        """Make an empty file of keys, which only its owner may read.

        Raises:
            StorageError: There is one already, or the disk refused.
        """
        with translated(path):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            connection = _connect(path)
            try:
                with transaction(connection):
                    connection.execute(_TABLE)
                    connection.pragma("application_id", _APPLICATION_ID)
                    connection.pragma("user_version", _FORMAT)
            finally:
                connection.close()

    @property
    def _connection(self) -> apsw.Connection:
        if self._opened is None:
            if not self.path.exists():
                raise WorkspaceDamaged(
                    f"{self.path}: the subject keys are missing; put the file back from where you "
                    "keep it, apart from the log's backups"
                )
            connection = _connect(self.path)
            found = connection.pragma("application_id"), connection.pragma("user_version")
            if found != (_APPLICATION_ID, _FORMAT):
                connection.close()
                raise WorkspaceDamaged(f"{self.path}: not a file of subject keys of this program")
            self._opened = connection
        return self._opened

    @contextmanager
    def held(self, drafts: Sequence[Draft]) -> Iterator[Encryption | None]:
        """Hold the keys of the drafts' subjects, made where there are none, while they are written.

        Until the end nobody can delete one of them: `forget` waits, and then sees
        what was written. A crash leaves at most a key that nothing uses yet.

        Yields:
            What encrypts; None where no draft is about a subject.

        Raises:
            WorkspaceDamaged: The file is missing, or none of ours.
            StorageError: The disk refused.
        """
        texts = sorted({text for one in drafts if one.subjects for text in one.subjects.values()})
        if not texts:
            yield None
            return
        with translated(self.path):
            keys = self._hold(texts)
        try:
            yield Encryption(keys, self._entropy)
        finally:
            self._connection.execute("ROLLBACK")

    def _hold(self, texts: Sequence[str]) -> dict[str, _Key]:
        """Begin a transaction in which there is a key for each subject, all durable before it."""
        while True:
            self._connection.execute("BEGIN IMMEDIATE")
            keys = {text: key for text in texts if (key := self._key_of(text)) is not None}
            if len(keys) == len(texts):
                return keys
            for text in texts:
                if text not in keys:
                    row = (self._of(text), self._entropy(_ID_SIZE), self._entropy(_KEY_SIZE))
                    self._connection.execute("INSERT INTO subject VALUES (?, ?, ?)", row)
            self._connection.execute("COMMIT")

    def _of(self, text: str) -> bytes:
        return self._digest(text.encode())[:_ID_SIZE]

    def _key_of(self, text: str) -> _Key | None:
        ask = "SELECT id, key FROM subject WHERE digest = ?"
        found = rows(self._connection, ask, self._of(text))
        return _Key(*found[0]) if found else None

    def key_id(self, subject: str) -> bytes | None:
        """Return the id of a subject's key, 16 bytes; None where it has none."""
        with translated(self.path):
            found = self._key_of(subject)
        return None if found is None else found.id

    def forget(self, subject: str, is_used: Callable[[bytes], bool]) -> bool:
        """Delete a subject's key for good: what was encrypted with it is noise from now on.

        For erasure, as its last step: first delete the subject's openings and append the
        erasure entry that names them, then call this. If we crash before it, the
        erasure is pending and comes here again. It waits for a writer that is using
        the key, so whatever `is_used` sees then is all there will ever be.

        Args:
            subject: As in `Draft.subjects`.
            is_used: Is asked, with the key's id, whether the log still has openings under it
                (`places_of` finds them). Then the key stays.

        Returns:
            False where the key is still used: there are newer openings to be erased first. True
            where there is no key any more, or never was.
        """
        with translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                found = self._key_of(subject)
                used = found is not None and is_used(found.id)
                if found is not None and not used:
                    self._connection.execute("DELETE FROM subject WHERE id = ?", (found.id,))
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
        return not used

    def opened(self, found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Decrypt rows of openings; those whose key is gone are left out, like erased ones.

        Where the whole file is missing that is said once, as a warning: the rest of the
        log can be read without it.

        Args:
            found: (index, path, tier, salt, preimage), encrypted or plain.

        Raises:
            WorkspaceDamaged: One does not open with its key, or the file is none of ours.
        """
        if all(len(row[3]) != NONCE_SIZE for row in found):
            return found
        plain = []
        for index, path, tier, salt, preimage in found:
            if len(salt) != NONCE_SIZE:
                plain.append((index, path, tier, salt, preimage))
            elif (opening := self.decrypt(index, path, salt, preimage)) is not None:
                plain.append((index, path, tier, *opening))
        return plain

    def decrypt(
        self, index: int, path: str, nonce: bytes, sealed: bytes
    ) -> tuple[bytes, bytes] | None:
        """Return salt and preimage of an encrypted opening, or None where its key is gone.

        Raises:
            WorkspaceDamaged: It does not open with its key: it was changed, or is another's.
        """
        key = self._key_with(sealed[:_ID_SIZE])
        if key is None:
            return None
        try:
            plain = AESGCM(key).decrypt(nonce, sealed[_ID_SIZE:], _bound(index, path))
        except InvalidTag:
            raise WorkspaceDamaged(
                f"entry {index}: {ascii(path)[1:-1]} does not open with its subject's key; run "
                "`verify`"
            ) from None
        return plain[:HASH_SIZE], plain[HASH_SIZE:]

    def _key_with(self, key_id: bytes) -> bytes | None:
        if not self.path.exists():
            if not self._warned:
                _LOG.warning(
                    "%s: missing; what is stored about data subjects cannot be read", self.path
                )
                self._warned = True
            return None
        with translated(self.path):
            found = rows(self._connection, "SELECT key FROM subject WHERE id = ?", key_id)
        return found[0][0] if found else None

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class Encryption:
    """Keys that are held, and what encrypts with them."""

    def __init__(self, keys: Mapping[str, _Key], entropy: Entropy) -> None:
        """Encrypt with `keys`, by subject."""
        self._keys = keys
        self._entropy = entropy

    def __call__(
        self, index: int, draft: Draft, openings: Sequence[PlainOpening]
    ) -> list[PlainOpening]:
        """Encrypt those openings of a draft at `index` that are about a subject.

        Raises:
            EncodingError: A path that is said to be about a subject is of no committed field: it
                would stand in the log in clear, for ever.
        """
        done = []
        subjects = draft.subjects or {}
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


def _connect(path: Path) -> apsw.Connection:
    if not os.access(path, os.W_OK):
        uri = path.resolve().as_uri() + "?immutable=1"
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        return apsw.Connection(uri, flags=flags)
    connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.set_busy_timeout(_BUSY_MS)
    connection.pragma("journal_mode", "DELETE")
    connection.pragma("synchronous", "EXTRA")
    connection.pragma("secure_delete", "ON")
    return connection


def places_of(connection: apsw.Connection, key_id: bytes) -> list[tuple[int, str]]:
    """Find the openings of the log that are stored under a key: index and path of each.

    Looks at every opening; for erasure, not for reading.
    """
    ask = (
        "SELECT idx, path FROM opening WHERE length(salt) = ? AND substr(preimage, 1, ?) = ? "
        "ORDER BY idx, path"
    )
    return [(index, path) for index, path in rows(connection, ask, NONCE_SIZE, _ID_SIZE, key_id)]
