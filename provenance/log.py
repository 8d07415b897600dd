"""The log: the one way in. An acknowledged entry is durable, in the tree and signed for.

`Log.append` returns only after its entries are committed with synchronous
writes, hashed into the tree and covered by a signed checkpoint that has been
published. Many processes may append; they queue at a lock file and make one
linear log.

Next: provenance/auditing/recompute.py
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from provenance.entries import EntryType
from provenance.errors import UsageError, VerificationError, WorkspaceDamaged
from provenance.files import locked
from provenance.proving.merkle import EMPTY_EDGE
from provenance.store.head import read_head
from provenance.store.preparing import Batch, Preparer, collector_at_rest, prepare
from provenance.store.published import (
    HighWater,
    LogFiles,
    is_shown,
    publish,
    read_high_water,
    refuse_other,
    refuse_shrunk,
)
from provenance.store.reading import LogReader
from provenance.store.register import POLICY, founding_draft
from provenance.store.storage import connect, create, discard, translated, truncate
from provenance.store.subjects import ids_in_use
from provenance.store.writing import Instruments, commit, found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import apsw

    from provenance.disclosure.tiers import TierPolicy
    from provenance.entries import Draft, Outcome
    from provenance.notes.keys import Signer
    from provenance.store.preparing import Prepared
    from provenance.store.register import Register
    from provenance.store.subjects import SubjectKeys
    from provenance.store.writing import Amend

__all__ = ["HighWater", "Instruments", "Log", "LogFiles", "read_high_water"]

_LOCK_WAIT_SECONDS: Final = 120.0


class Log(LogReader):
    """The log as a writer sees it: everything a reader can, and `append`."""

    def __init__(
        self, files: LogFiles, connection: apsw.Connection, instruments: Instruments
    ) -> None:
        """Use `Log.open` or `Log.create`."""
        super().__init__(files.database, connection, instruments.secret, instruments.subjects)
        self._files = files
        self._instruments = instruments
        self._prepares: Preparer | None = None
        self._edge = EMPTY_EDGE

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
        draft = founding_draft(vkey, policy)
        with translated(files.database):
            connection = create(files.database)
            try:
                found(connection, draft, instruments)
                log = cls(files, connection, instruments)
                publish(files, log.origin, log.checkpoint())
            except BaseException:
                connection.close()
                discard(files.database)
                raise
        return log

    @classmethod
    def open(cls, files: LogFiles, instruments: Instruments) -> Log:
        """Open a log to append to it, and finish what a crash left unpublished.

        Raises:
            WorkspaceMissing: There is no log.
            WorkspaceTooNew: It has a later format.
            WorkspaceDamaged: It cannot be read as a log, or the signing key is not the one that
                its register names now.
            WorkspaceReadOnly: It may not be written, or its database is older than what was
                published (an old copy was put back).
        """
        connection = connect(files.database, readonly=False)
        try:
            log = cls(files, connection, instruments)
            with translated(files.database), log._writing():
                log._find_key(log.register)
                log._refuse_old_copy()
                log._show(log.checkpoint())
        except BaseException:
            connection.close()
            raise
        return log

    @staticmethod
    def open_readonly(
        files: LogFiles, secret: bytes, subjects: SubjectKeys | None = None
    ) -> LogReader:
        """Open a log to read it; works on read-only media.

        Args:
            files: Where it is.
            secret: The workspace's, for row keys.
            subjects: The keys of data subjects, where the workspace keeps such.

        Raises:
            WorkspaceError: There is no log, it has a later format, or cannot be read as a log.
        """
        connection = connect(files.database, readonly=True)
        try:
            return LogReader(files.database, connection, secret, subjects)
        except BaseException:
            connection.close()
            raise

    def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Append what is new of `drafts`, in their order; all of it or nothing.

        About 1,000 drafts a call are best: the durable write is shared.

        Returns:
            What became of each draft, in the same order. "appended" is an acknowledgement.

        Raises:
            EncodingError: A content is outside the canonical domain; nothing was appended.
            StorageError: The disk or the clock refused. Nothing was appended, unless the message
                says that only the new checkpoint could not be shown.
            WorkspaceError: It is locked by others for two minutes, an old copy, or damaged.
        """
        with translated(self.path), collector_at_rest():
            _refuse_register([draft.type for draft in drafts])
            batch = self._prepare(drafts, self._register)
            outcomes = self._append(batch, lambda register: self._prepare(drafts, register))
            assert outcomes is not None
            return outcomes

    def preparer(self, register: Register | None = None) -> Preparer:
        """Return what prepares drafts for this log, under the register as it is now."""
        register = register or self.register
        if self._prepares is None or self._prepares.governing != register.entries:
            instruments = self._instruments
            self._prepares = Preparer(instruments.secret, register, instruments.entropy)
        return self._prepares

    def append_prepared(self, prepared: Prepared) -> list[Outcome] | None:
        """Do as `append`, with drafts that were prepared before, here or in another process.

        Returns:
            None where the register has grown since they were prepared: nothing was appended, and
            they are to be prepared again.
        """
        with translated(self.path), collector_at_rest():
            _refuse_register(prepared.kinds)
            return self._append(Batch(prepared, {}, {}, None))

    def _append(
        self, batch: Batch, again: Callable[[Register], Batch] | None = None
    ) -> list[Outcome] | None:
        with self._governed() as register:
            if register.entries != batch.prepared.governing:
                # Another process has added to it since: what was public may be
                # private now, and nothing must be sealed under the old policy.
                if again is None:
                    return None
                batch = again(register)
            return self._commit(batch)

    def govern(
        self, change: Callable[[Register], Draft], successor: Signer | None = None
    ) -> Outcome:
        """Append one entry of the register, by itself.

        Args:
            change: Makes the draft from the register as it is under the writers' lock; `Register`
                has methods for it.
            successor: The signer of the key that a rotation names. The checkpoint that covers it
                is signed by the old key and by this one, later ones by this one alone.

        Raises:
            UsageError: What `change` refuses, or a successor that is not the draft's.
            ProvenanceError: As for `append`.
        """
        with translated(self.path), self._governed() as register:
            draft = change(register)
            signer = successor or self._instruments.signer
            named = draft.content["keys"] if draft.version == POLICY else register.current
            if list(named) != [signer.vkey]:
                raise UsageError("the log is handed over to the key that signs for it, no other")
            (outcome,) = self._commit(self._prepare([draft], register), successor=successor)
            # A crash before here: who opens the log next takes up the new key.
            self._instruments = replace(self._instruments, signer=signer)
            self._find_key(self.register)
            return outcome

    def erase(self, decide: Callable[[], tuple[list[Draft], Amend]]) -> list[Outcome]:
        """Take something out of the log, and append the entries that say so, in one transaction.

        Args:
            decide: Makes the drafts and what takes out what they name, from the log as it is under
                the writers' lock.

        Raises:
            ProvenanceError: As for `append`, and what `decide` raises; nothing was taken out.
        """
        with translated(self.path), self._governed() as register:
            drafts, amend = decide()
            return self._commit(self._prepare(drafts, register), amend=amend)

    def scrub(self, *, rewrite: bool) -> bool:
        """Leave no trace in the database's files of what was taken out, nor a key to its copies.

        Args:
            rewrite: Write the whole database anew: rows that lie in order of a key, as those of
                makers do, may have left copies where they once lay. Takes as long as copying it,
                and as much room.

        Returns:
            False while somebody still reads an older state of the log; ask again later.
        """
        with translated(self.path), self._writing():
            if self._instruments.subjects is not None:
                self._instruments.subjects.forget_unused(lambda: ids_in_use(self._connection))
            if rewrite:
                self._connection.execute("VACUUM")
            return truncate(self._connection)

    def take_up_key(self) -> None:
        """Finish a rotation that another process began, if there is one."""
        with translated(self.path), self._writing():
            self._find_key(self.register)

    def _prepare(self, drafts: Sequence[Draft], register: Register) -> Batch:
        return prepare(self._connection, self._rows, self.preparer(register), drafts)

    def _commit(
        self, batch: Batch, *, successor: Signer | None = None, amend: Amend | None = None
    ) -> list[Outcome]:
        outcomes, note, self._edge = commit(
            self._connection,
            self._rows,
            batch,
            self.origin,
            self._instruments,
            edge=self._edge,
            successor=successor,
            amend=amend,
        )
        if note:
            publish(self._files, self.origin, note)
        else:
            # These may be duplicates, acknowledged as such, of what a crash left unshown.
            self._show(self.checkpoint())
        return outcomes

    @contextmanager
    def _governed(self) -> Iterator[Register]:
        """Hold the writers' lock over a log that is all there, and sign with the key of now."""
        with self._writing():
            self._refuse_shrunk()
            register = self.register
            if (self._instruments.signer.vkey,) != register.current:
                self._find_key(register)
            yield register

    def _writing(self) -> AbstractContextManager[None]:
        return locked(self._files.lock, _LOCK_WAIT_SECONDS)

    def _show(self, note: str) -> None:
        if not is_shown(self._files, self.origin, note):
            publish(self._files, self.origin, note)

    def _find_key(self, register: Register) -> None:
        """Take the register's key from whoever keeps the keys, and refuse any other."""
        find = self._instruments.find_signer
        if find is not None:
            signer = find(register.current[0])
            self._instruments = replace(self._instruments, signer=signer)
        if (self._instruments.signer.vkey,) != register.current:
            raise WorkspaceDamaged(
                f"{self.path}: the signing key is not the one that this log's register names now, "
                f"{' and '.join(register.current)}; put the right key back from your backup"
            )

    def _refuse_shrunk(self) -> HighWater:
        """Refuse a database with fewer entries than were published."""
        size = read_head(self._connection).size
        return refuse_shrunk(self._files, size, self.origin, self._register.signers_at)

    def _refuse_old_copy(self) -> None:
        """Refuse a database that does not contain what was published."""
        mark = self._refuse_shrunk()
        try:
            root = self._tree.root_at(mark.size)
        except VerificationError as error:
            raise WorkspaceDamaged(f"{self.path}: {error}; run `verify`") from None
        refuse_other(self._files, mark, root)


def _refuse_register(kinds: Sequence[int]) -> None:
    if EntryType.POLICY in kinds:
        raise UsageError("an entry of the register is appended by `govern`, by itself")
