"""Subject keys: what is stored about a person can be forgotten by forgetting one key.

Erasure deletes openings from this workspace; a copy of the database that was
taken before still has them. Where a workspace keeps subject keys, openings
about a data subject are stored encrypted under a key of that subject, and the
keys lie in a file that no copy of the log contains. Once the key is deleted,
every copy has forgotten.

Ids of keys are random: a subject that comes again after it was forgotten gets
a new key, and nothing old opens with it.

The file is SQLite with a rollback journal, so that no write-ahead log keeps a
deleted key, and with `secure_delete`. It is confidential: whoever has it and a
copy of the log reads what is stored about subjects.

Next: provenance/store/identity.py
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import apsw

from provenance.disclosure.subject_cipher import (
    ID_SIZE,
    KEY_SIZE,
    NONCE_SIZE,
    Encryption,
    SubjectKey,
    decrypt,
)
from provenance.errors import WorkspaceDamaged
from provenance.hashing import keyer
from provenance.store.storage import rows, transaction, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from provenance.clock import Entropy

__all__ = ["SubjectKeys", "ids_in_use"]

_APPLICATION_ID: Final = 0x50534B31  # "PSK1"
_FORMAT: Final = 1
_BUSY_MS: Final = 30_000
_TABLE: Final = (
    "CREATE TABLE subject (digest BLOB PRIMARY KEY, id BLOB NOT NULL UNIQUE, key BLOB NOT NULL) "
    "STRICT, WITHOUT ROWID"
)
_LOG: Final = logging.getLogger(__name__)


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
    def absent(self) -> bool:
        """The file is not there: as in a copy of the log, or because it was lost."""
        return not self.path.exists()

    @property
    def _connection(self) -> apsw.Connection:
        if self._opened is None:
            if self.absent:
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
    def held(self, about: Sequence[Mapping[str, str] | None]) -> Iterator[Encryption | None]:
        """Hold the keys of drafts' subjects, made where there are none, while they are written.

        Until the end nobody can delete one of them: `forget_unused` waits, and then sees
        what was written. A crash leaves at most a key that nothing uses yet.

        Args:
            about: `Draft.subjects` of each draft.

        Yields:
            What encrypts; None where no draft is about a subject.

        Raises:
            WorkspaceDamaged: The file is missing, or none of ours.
            StorageError: The disk refused.
        """
        texts = sorted({text for own in about if own for text in own.values()})
        if not texts:
            yield None
            return
        with translated(self.path):
            keys = self._hold(texts)
        try:
            yield Encryption(keys, self._entropy)
        finally:
            self._connection.execute("ROLLBACK")

    def _hold(self, texts: Sequence[str]) -> dict[str, SubjectKey]:
        """Begin a transaction in which there is a key for each subject, all durable before it."""
        while True:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                keys = {text: key for text in texts if (key := self._key_of(text)) is not None}
                if len(keys) == len(texts):
                    return keys
                for text in texts:
                    if text not in keys:
                        row = (self._of(text), self._entropy(ID_SIZE), self._entropy(KEY_SIZE))
                        self._connection.execute("INSERT INTO subject VALUES (?, ?, ?)", row)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _of(self, text: str) -> bytes:
        return self._digest(text.encode())[:ID_SIZE]

    def _key_of(self, text: str) -> SubjectKey | None:
        ask = "SELECT id, key FROM subject WHERE digest = ?"
        found = rows(self._connection, ask, self._of(text))
        return self._whole(SubjectKey(*found[0])) if found else None

    def _whole(self, found: SubjectKey) -> SubjectKey:
        if (len(found.id), len(found.key)) != (ID_SIZE, KEY_SIZE):
            raise WorkspaceDamaged(f"{self.path}: holds what is no key; put your copy of it back")
        return found

    def forget_unused(self, used: Callable[[], AbstractSet[bytes]]) -> int:
        """Delete the keys under which nothing is stored any more, for good.

        For erasure, after the openings were deleted: what old copies of the log still
        hold under these keys is noise from now on. It may be called at any time and
        any number of times. It waits for a writer that is using keys.

        Args:
            used: Finds the ids of the keys in use; `ids_in_use` does.

        Returns:
            How many were deleted.
        """
        with translated(self.path), transaction(self._connection):
            kept = used()
            known = rows(self._connection, "SELECT id FROM subject")
            gone = [(key_id,) for (key_id,) in known if key_id not in kept]
            self._connection.executemany("DELETE FROM subject WHERE id = ?", gone)
        return len(gone)

    def closed(self, connection: apsw.Connection) -> dict[int, set[str]]:
        """Find the openings of a log's database whose key is gone: paths by entry.

        Looks at every opening; for erasure, not for reading.

        Raises:
            WorkspaceDamaged: The file is missing: then nothing tells which keys are gone.
        """
        with translated(self.path):
            known = {key_id for (key_id,) in rows(self._connection, "SELECT id FROM subject")}
        ask = "SELECT idx, path, substr(preimage, 1, ?) FROM opening WHERE length(salt) = ?"
        found: dict[int, set[str]] = {}
        for index, path, key_id in connection.execute(ask, (ID_SIZE, NONCE_SIZE)):
            if key_id not in known:
                found.setdefault(index, set()).add(path)
        return found

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
        key = self._key_with(sealed[:ID_SIZE])
        if key is None:
            return None
        return decrypt(key, index, path, nonce, sealed)

    def _key_with(self, key_id: bytes) -> bytes | None:
        if self.absent:
            if not self._warned:
                _LOG.warning(
                    "%s: missing; what is stored about data subjects cannot be read", self.path
                )
                self._warned = True
            return None
        with translated(self.path):
            found = rows(self._connection, "SELECT key FROM subject WHERE id = ?", key_id)
        return self._whole(SubjectKey(key_id, *found[0])).key if found else None

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


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


def ids_in_use(connection: apsw.Connection) -> set[bytes]:
    """Return the ids of the keys that openings of a log's database are stored under."""
    ask = "SELECT DISTINCT substr(preimage, 1, ?) FROM opening WHERE length(salt) = ?"
    return {key_id for (key_id,) in rows(connection, ask, ID_SIZE, NONCE_SIZE)}
