"""The database of a mirror: leaves, bodies and tiles of a log that is written elsewhere.

It is an ordinary log database without openings. Row keys are made anew, with the mirror's secret,
for what is public. Nothing is ever signed here: every checkpoint is the original's. What goes in
has been checked by the caller; each call is one transaction, so that it always is a beginning of
the log.

Next: provenance/wire/mirror.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from provenance import canonical
from provenance.disclosure.erased import erasure_key
from provenance.entries import EntryType
from provenance.errors import EncodingError, VerificationError, WorkspaceDamaged
from provenance.files import locked, replace_file
from provenance.hashing import EMPTY_ROOT, chain_next, chain_start, leaf_hash
from provenance.proving import merkle
from provenance.proving.leaf import decode_leaf
from provenance.store import storage
from provenance.store.head import Head, continued_head, insert_head, swap_head
from provenance.store.identity import Rows
from provenance.store.published import is_shown, publish
from provenance.store.register import Register, register_key
from provenance.store.signed_batch import keys_in
from provenance.store.storage import rows, transaction, translated, truncate
from provenance.store.writing import read_tile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from provenance.store.published import LogFiles

__all__ = ["Replica"]

_LOCK_WAIT_SECONDS: Final = 120.0
_REGISTER, _ERASURE = "register", "erasure"


class Replica:
    """A mirror's database, to add to. One thread at a time; processes queue at the lock file.

    Attributes:
        origin: Of the log that it follows.
    """

    def __init__(self, files: LogFiles, origin: str, connection: Any, secret: bytes) -> None:
        """Use `Replica.create` or `Replica.open`."""
        self.origin = origin
        self._files = files
        self._connection = connection
        self._rows = Rows(connection, secret)

    @classmethod
    def create(cls, files: LogFiles, origin: str, secret: bytes) -> Self:
        """Begin a mirror that holds nothing yet.

        Raises:
            StorageError: There is a log already, or the disk refused.
        """
        with translated(files.database):
            connection = storage.create(files.database)
            try:
                replica = cls(files, origin, connection, secret)
                sums = replica._rows.seals.mask(bytes(32), 0, EMPTY_ROOT)
                with transaction(connection):
                    insert_head(connection, Head(0, EMPTY_ROOT, chain_start(origin), 0, sums))
            except BaseException:
                connection.close()
                storage.discard(files.database)
                raise
        return replica

    @classmethod
    def open(cls, files: LogFiles, origin: str, secret: bytes) -> Self:
        """Open a mirror to go on with it.

        Raises:
            WorkspaceError: It cannot be written; the subclass and the message say why.
        """
        return cls(files, origin, storage.connect(files.database, readonly=False), secret)

    def holding(self) -> AbstractContextManager[None]:
        """Hold the lock at which those who write to this mirror queue."""
        return locked(self._files.lock, _LOCK_WAIT_SECONDS)

    def head(self) -> Head:
        """Return where the mirror ends.

        Raises:
            WorkspaceDamaged: The head does not continue the last entry.
        """
        with translated(self._files.database):
            return continued_head(self._connection)

    def edge(self) -> merkle.Edge:
        """Return the right edge of the mirror's tree.

        Raises:
            WorkspaceDamaged: The stored tiles do not give the head's root.
        """
        head = self.head()
        with translated(self._files.database):
            try:
                edge = merkle.load_edge(head.size, read_tile(self._connection))
            except VerificationError as error:
                raise WorkspaceDamaged(f"{self._files.database}: {error}; run `verify`") from None
        if edge.root != head.root:
            raise WorkspaceDamaged(
                f"{self._files.database}: the tree does not give the head's root; run `verify`"
            )
        return edge

    def root_at(self, size: int) -> bytes:
        """Return the root over the first `size` entries, at most as many as there are."""
        with translated(self._files.database):
            return merkle.root_at(size, read_tile(self._connection))

    def consistency_path(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the first `old` entries begin the first `new` ones."""
        with translated(self._files.database):
            return merkle.consistency_path(old, new, read_tile(self._connection))

    def checkpoint(self) -> str | None:
        """Return the original's newest checkpoint that is kept, or None."""
        ask = "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1"
        with translated(self._files.database):
            found = rows(self._connection, ask)
        return str(found[0][0]) if found else None

    def body(self, index: int) -> bytes | None:
        """Return a body that is kept; None where it was erased."""
        with translated(self._files.database):
            found = rows(self._connection, "SELECT body FROM body WHERE idx = ?", index)
        return found[0][0] if found else None

    def register(self) -> Register | None:
        """Replay the entries that govern the log, as far as they are held; None before entry 0.

        Raises:
            EncodingError: One of them is none.
        """
        if not self.head().size:
            return None
        register = Register.founded(self.body(0))
        for index in self._numbered(_REGISTER):
            register = register.followed(index, self.body(index))
        return register

    def erasure_entries(self) -> list[int]:
        """Return the indexes of the entries that say what was erased, in order."""
        return self._numbered(_ERASURE)

    def _numbered(self, what: str) -> list[int]:
        """The entries with numbered keys, from 1 on."""
        key = register_key if what == _REGISTER else erasure_key
        number, found = 1, []
        with translated(self._files.database):
            while (at := self._rows.index_of(key(self.origin, number))) is not None:
                found.append(at)
                number += 1
        return found

    def take(
        self, edge: merkle.Edge, leaves: Sequence[bytes], bodies: Sequence[bytes | None]
    ) -> merkle.Edge:
        """Add the entries that come next; returns the new edge.

        Args:
            edge: The tree so far, from `edge` or the call before.
            leaves: Of 88 bytes each, and checked.
            bodies: One for each leaf, and checked against it; None where it was erased.

        Raises:
            WorkspaceDamaged: Another process has written here meanwhile.
            StorageError: The disk refused; nothing of it was taken.
        """
        with translated(self._files.database), transaction(self._connection):
            # A crash before COMMIT: the mirror ends where it did, and the next pull
            # fetches these entries again.
            head = continued_head(self._connection)
            if (head.size, head.root) != (edge.size, edge.root):
                raise WorkspaceDamaged(
                    f"{self._files.database}: somebody else writes to this mirror; repeat the pull"
                )
            grown, tiles = merkle.append(edge, [leaf_hash(leaf) for leaf in leaves])
            self._insert(head.size, leaves, bodies, tiles)
            sums = self._move_sums(head, grown, self._write_keys(head.size, leaves, bodies))
            time_us = decode_leaf(leaves[-1]).ingest_time_us
            chain = chain_next(leaves[-1])
            swap_head(self._connection, head, Head(grown.size, grown.root, chain, time_us, sums))
        # A crash here: the entries are in, under no checkpoint that is kept yet. The next
        # pull goes on from here.
        return grown

    def _insert(
        self,
        size: int,
        leaves: Sequence[bytes],
        bodies: Sequence[bytes | None],
        tiles: Sequence[merkle.Tile],
    ) -> None:
        run = self._connection.executemany
        run("INSERT INTO leaf VALUES (?, ?)", enumerate(leaves, size))
        run("INSERT INTO body VALUES (?, ?)", enumerate(bodies, size))
        run(
            "INSERT INTO tile (level, number, hashes) VALUES (?, ?, ?) "
            "ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
            tiles,
        )

    def _write_keys(
        self, size: int, leaves: Sequence[bytes], bodies: Sequence[bytes | None]
    ) -> int:
        """Write the row keys of what is public; returns the change of the sums."""
        numbers = {what: len(self._numbered(what)) for what in (_REGISTER, _ERASURE)}
        named: dict[bytes, tuple[bytes | None, int]] = {}
        for index, (leaf, body) in enumerate(zip(leaves, bodies, strict=True), size):
            kind = decode_leaf(leaf).type
            key = self._row_key(index, kind, body, numbers)
            for one in keys_in(body) if kind == EntryType.BATCH else filter(None, [key]):
                named.setdefault(self._rows.key_of(one), (None, index))
        known = self._rows.held(named)
        return self._rows.write({key: row for key, row in named.items() if key not in known}, {})

    def _row_key(
        self, index: int, kind: int, body: bytes | None, numbers: dict[str, int]
    ) -> tuple[str, ...] | None:
        if kind == EntryType.POLICY and index:
            numbers[_REGISTER] += 1
            return register_key(self.origin, numbers[_REGISTER])
        if kind == EntryType.ERASURE:
            numbers[_ERASURE] += 1
            return erasure_key(self.origin, numbers[_ERASURE])
        if kind != EntryType.EVENT or body is None:
            return None
        try:
            content = canonical.loads(body)
            key = ("event", content["party"], content["event_id"])
        except (EncodingError, LookupError, TypeError):
            return None
        return key if all(isinstance(part, str) for part in key) else None

    def _move_sums(self, head: Head, grown: merkle.Edge, change: int) -> bytes:
        seals = self._rows.seals
        before = int.from_bytes(seals.mask(head.row_sums, head.size, head.root))
        return seals.mask((before ^ change).to_bytes(len(head.row_sums)), grown.size, grown.root)

    def forget(self, indexes: Iterable[int], never: Collection[int]) -> int:
        """Delete bodies; returns how many there were. `cut` takes them out of the last file.

        Args:
            indexes: Of their entries.
            never: Types of entries whose bodies stay.

        Raises:
            StorageError: The disk refused.
        """
        ask = "SELECT leaf.idx, leaf FROM leaf JOIN body USING (idx) WHERE idx = ? AND body NOTNULL"
        with translated(self._files.database):
            held = [row for index in indexes for row in rows(self._connection, ask, index)]
            gone = [(index,) for index, leaf in held if decode_leaf(leaf).type not in never]
            with transaction(self._connection):
                # A crash before COMMIT: the bodies are still there, and the next pull
                # deletes them, as it looks at all that erasure entries name.
                self._connection.executemany("UPDATE body SET body = NULL WHERE idx = ?", gone)
            # A crash here: the database has them no more, the write-ahead log may, until
            # the next pull cuts it off, or whoever closes the database last.
        return len(gone)

    def cut(self) -> bool:
        """Cut off the write-ahead log with what was deleted; False while somebody reads that."""
        with translated(self._files.database):
            return truncate(self._connection)

    def without_body(self) -> list[tuple[int, bytes]]:
        """Return index and leaf of entries without a body, of those that came since `show`."""
        shown = self.checkpoint()
        since = int(shown.split("\n", 2)[1]) if shown else 0
        ask = "SELECT idx, leaf FROM body JOIN leaf USING (idx) WHERE idx >= ? AND body IS NULL"
        with translated(self._files.database):
            return [(index, leaf) for index, leaf in rows(self._connection, ask, since)]

    def fill(self, index: int, body: bytes) -> None:
        """Put in a body that could not be had before; the caller has checked it."""
        with translated(self._files.database), transaction(self._connection):
            ask = "UPDATE body SET body = ? WHERE idx = ? AND body IS NULL"
            self._connection.execute(ask, (body, index))

    def note_target(self, note: str) -> None:
        """Keep, durably, the checkpoint under which the entries that come next are proven."""
        with translated(self._target):
            replace_file(self._target, note.encode())

    def evidence(self) -> str | None:
        """Return a checkpoint, signed by the original, that covers all that is held."""
        try:
            return self._target.read_text()
        except FileNotFoundError:
            return self.checkpoint()

    @property
    def _target(self) -> Path:
        return self._files.directory / "pulling"

    def show(self, note: str) -> None:
        """Keep and publish a checkpoint of the original that covers all entries.

        Raises:
            StorageError: The disk refused.
        """
        size = int(note.split("\n", 2)[1])
        with translated(self._files.database), transaction(self._connection):
            self._connection.execute("INSERT OR IGNORE INTO checkpoint VALUES (?, ?)", (size, note))
        # A crash here: the files beside the database show the checkpoint before; the next
        # pull shows this one.
        if not is_shown(self._files, self.origin, note):
            publish(self._files, self.origin, note)
        # A crash here: it is kept twice.
        self._target.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
