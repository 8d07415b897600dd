"""The log: the one way in. An acknowledged entry is durable, in the tree and signed for.

`Log.append` returns only after its entries are committed with synchronous
writes, hashed into the tree and covered by a signed checkpoint that has been
published. Many processes may append; they queue at a lock file and make one
linear log.

Beside the database lie two small files. `checkpoint` is what the world is
shown. `high-water` remembers the furthest size and root ever published, so
that an old database put back in place is noticed instead of being continued
into a second history.

Next: provenance/audit.py
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from provenance.entries import Draft, EntryType
from provenance.errors import StorageError, WorkspaceDamaged, WorkspaceReadOnly
from provenance.files import locked, replace_file
from provenance.hashing import EMPTY_ROOT, chain_start
from provenance.identity import Rows
from provenance.reading import LogReader
from provenance.storage import connect, create, transaction, translated
from provenance.writing import Instruments, commit, prepare, read_head

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import apsw

    from provenance.entries import Outcome
    from provenance.tiers import TierPolicy

__all__ = ["HighWater", "Instruments", "Log", "LogFiles", "read_high_water"]

_LOCK_WAIT_SECONDS: Final = 120.0
_HIGH_WATER_HEADER: Final = "provenance high-water v1"


@dataclass(frozen=True)
class LogFiles:
    """Where the log's files lie.

    Attributes:
        directory: The workspace directory; it must exist.
    """

    directory: Path

    @property
    def database(self) -> Path:
        """The SQLite database: leaves, bodies, openings, tiles, head, checkpoints."""
        return self.directory / "log.db"

    @property
    def lock(self) -> Path:
        """The lock file at which writers queue."""
        return self.directory / "log.lock"

    @property
    def checkpoint(self) -> Path:
        """The latest signed checkpoint, for everybody."""
        return self.directory / "checkpoint"

    @property
    def high_water(self) -> Path:
        """The furthest size and root that were published."""
        return self.directory / "high-water"


@dataclass(frozen=True)
class HighWater:
    """The furthest published state: number of entries and 32-byte root."""

    size: int
    root: bytes


class Log(LogReader):
    """The log as a writer sees it: everything a reader can, and `append`."""

    def __init__(
        self, files: LogFiles, connection: apsw.Connection, instruments: Instruments
    ) -> None:
        """Use `Log.open` or `Log.create`."""
        super().__init__(files.database, connection, instruments.secret)
        self._files = files
        self._instruments = instruments

    @classmethod
    def create(
        cls, files: LogFiles, vkey: str, policy: TierPolicy, instruments: Instruments
    ) -> Log:
        """Begin a log: the database, and entry 0 with origin, key and tier policy.

        Args:
            files: Where; there must be no log yet.
            vkey: The signer's public key; its name is the log's origin, a domain and path without
                scheme that is never reused.
            policy: Which fields are public, partner or private.
            instruments: What to write with.

        Raises:
            StorageError: There is a log already, or the disk refused.
        """
        origin = instruments.signer.name
        founding = {
            "origin": origin,
            "keys": [vkey],
            "tiers": policy.to_content(),
            "predecessor": None,
        }
        draft = Draft(EntryType.POLICY, "policy/1", founding)
        with translated(files.database):
            connection = create(files.database)
            with transaction(connection):
                connection.execute(
                    "INSERT INTO head VALUES (1, 0, ?, ?, 0)", (EMPTY_ROOT, chain_start(origin))
                )
            prepared = prepare([draft], Rows(connection, instruments.secret), policy, instruments)
            commit(connection, prepared, origin, instruments)
        log = cls(files, connection, instruments)
        log._publish(log.checkpoint())
        return log

    @classmethod
    def open(cls, files: LogFiles, instruments: Instruments) -> Log:
        """Open a log to append to it, and finish what a crash left unpublished.

        Raises:
            WorkspaceMissing: There is no log.
            WorkspaceTooNew: It has a later format.
            WorkspaceDamaged: It cannot be read as a log.
            WorkspaceReadOnly: It may not be written, or its database is older than what was
                published (an old copy was put back).
        """
        log = cls(files, connect(files.database, readonly=False), instruments)
        with translated(files.database), log._writing():
            log._refuse_old_copy()
            note = log.checkpoint()
            if not files.checkpoint.exists() or files.checkpoint.read_text() != note:
                log._publish(note)
        return log

    @staticmethod
    def open_readonly(files: LogFiles, secret: bytes) -> LogReader:
        """Open a log to read it; works on read-only media.

        Raises:
            WorkspaceMissing: There is no log.
            WorkspaceTooNew: It has a later format.
            WorkspaceDamaged: It cannot be read as a log.
        """
        return LogReader(files.database, connect(files.database, readonly=True), secret)

    def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Append what is new of `drafts`, in their order; all of it or nothing.

        About 1,000 drafts a call are best: the cost of the durable write is shared.

        Returns:
            What became of each draft, in the same order. "appended" is an acknowledgement.

        Raises:
            EncodingError: A content is outside the canonical domain; nothing was appended.
            StorageError: The disk or the clock refused; nothing was appended.
            WorkspaceLocked: Other writers held the log for two minutes.
            WorkspaceReadOnly: The database is an old copy.
        """
        with translated(self.path):
            prepared = prepare(drafts, self._rows, self.policy, self._instruments)
            with self._writing():
                self._refuse_shrunk()
                outcomes, note = commit(self._connection, prepared, self.origin, self._instruments)
                if note is not None:
                    self._publish(note)
            return outcomes

    def _writing(self) -> AbstractContextManager[None]:
        return locked(self._files.lock, _LOCK_WAIT_SECONDS)

    def _publish(self, note: str) -> None:
        """Show a committed checkpoint to the world; high-water first.

        A crash before the first write: the next opening publishes. A crash between
        the two: the old checkpoint stays up, and the next opening publishes. The
        other order could show a checkpoint that a restored database contradicts
        without anyone remembering it.
        """
        _, size, root = note.split("\n", 3)[:3]
        text = f"{_HIGH_WATER_HEADER}\n{self.origin}\n{size}\n{root}\n"
        replace_file(self._files.high_water, text.encode())
        replace_file(self._files.checkpoint, note.encode())

    def _refuse_shrunk(self) -> None:
        mark = read_high_water(self._files.high_water, self.origin)
        if mark is not None and read_head(self._connection).size < mark.size:
            raise WorkspaceReadOnly(
                f"{self.path}: holds fewer entries than the {mark.size} once published: an old "
                "copy was put back. It can be read; put the newest copy back to go on writing"
            )

    def _refuse_old_copy(self) -> None:
        """Refuse a database that does not contain what was published."""
        self._refuse_shrunk()
        mark = read_high_water(self._files.high_water, self.origin)
        if mark is not None and self._tree.root_at(mark.size) != mark.root:
            raise WorkspaceReadOnly(
                f"{self.path}: its first {mark.size} entries are not the ones once published; "
                "put the right database back"
            )


def read_high_water(path: Path, origin: str) -> HighWater | None:
    """Read the high-water file; None where there is none.

    Raises:
        WorkspaceDamaged: It is not a high-water file of this log.
    """
    try:
        lines = path.read_text().split("\n")
        header, found, size, root, end = lines
        mark = HighWater(int(size), b64decode(root, validate=True))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise WorkspaceDamaged(f"{path}: not a high-water file; run `verify`") from None
    plain = f"{_HIGH_WATER_HEADER}\n{origin}\n{mark.size}\n{b64encode(mark.root).decode()}\n"
    if (header, found, end) != (_HIGH_WATER_HEADER, origin, "") or "\n".join(lines) != plain:
        raise WorkspaceDamaged(f"{path}: not this log's high-water file; run `verify`")
    return mark
