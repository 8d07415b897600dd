"""Reading the log: entries, row keys, the latest checkpoint and proofs.

One reader holds one connection and belongs to one thread at a time. What it
answers is true for the moment of the call; the log may grow in between.

Next: provenance/log.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provenance import canonical
from provenance.disclosure.privacy import open_entry
from provenance.entries import Entry, EntryType, Identity, Known, Opening, Tier
from provenance.errors import (
    EncodingError,
    NotFound,
    UsageError,
    WorkspaceDamaged,
)
from provenance.hashing import body_digest
from provenance.notes.checkpoint import parse
from provenance.proving.batch_tree import BatchTree
from provenance.proving.leaf import decode_leaf
from provenance.proving.proof import build_batch, build_bundle
from provenance.store.identity import Rows
from provenance.store.register import Register, register_key
from provenance.store.signed_batch import ANY_BATCH, keys_over
from provenance.store.storage import rows, translated
from provenance.store.stored import read_columns, read_entries
from provenance.store.tree import TreeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import apsw

    from provenance.disclosure.tiers import TierPolicy
    from provenance.entries import Content
    from provenance.store.stored import Columns
    from provenance.store.subjects import SubjectKeys

__all__ = ["LogReader"]

_CHUNK: Final = 1_000


class LogReader(TreeReader):
    """The log as a reader sees it.

    Attributes:
        origin: The log's name in checkpoints, from entry 0.
        path: The database file, for messages.
    """

    def __init__(
        self,
        path: Path,
        connection: apsw.Connection,
        secret: bytes,
        subjects: SubjectKeys | None = None,
    ) -> None:
        """Read through `connection`; `secret` is the workspace's, for row keys.

        Where there are `subjects`, what is stored under their keys is decrypted.

        Raises:
            WorkspaceDamaged: Entry 0 is not a policy entry.
        """
        super().__init__(path, connection)
        self._rows = Rows(connection, secret)
        self._batch: tuple[int, BatchTree] | None = None
        self._subjects = subjects
        try:
            self._register = Register.founded(_governing(self.entry(0)))
        except (EncodingError, NotFound):
            raise WorkspaceDamaged(
                f"{path}: entry 0 is not this log's policy; run `verify`"
            ) from None
        self.origin = self._register.origin

    @property
    def register(self) -> Register:
        """The log's keys, tier policies and parties, as the log stands now.

        Raises:
            WorkspaceDamaged: An entry of the register cannot be read as one.
        """
        key = register_key(self.origin, self._register.size)
        while (index := self.find(key)) is not None:
            try:
                self._register = self._register.followed(index, _governing(self.entry(index)))
            except (EncodingError, NotFound) as error:
                raise WorkspaceDamaged(
                    f"{self.path}: entry {index} does not govern the log: {error}; run `verify`"
                ) from None
            key = register_key(self.origin, self._register.size)
        return self._register

    @property
    def keys(self) -> list[str]:
        """All vkeys that ever signed for the log, oldest first."""
        return self.register.keys

    @property
    def policy(self) -> TierPolicy:
        """The tier policy for the next entry."""
        return self.register.tiers

    def entry(self, index: int) -> Entry:
        """Return one entry.

        Raises:
            NotFound: The log has no such index.
            WorkspaceDamaged: It should have, but the entry is missing or cannot be read.
        """
        for entry in self.entries(index, index + 1) if index >= 0 else ():
            return entry
        raise NotFound(f"the log has no entry {index}")

    def entries(self, start: int, stop: int | None = None) -> Iterator[Entry]:
        """Yield the entries from `start` up to, not including, `stop` or the end of the log.

        Reads in chunks, so memory stays flat and no lock is held between chunks.

        Args:
            start: 0 or more.
            stop: None for the end, as it is when reading begins.

        Raises:
            WorkspaceDamaged: An entry is missing or cannot be read.
        """
        end = self.size if stop is None else min(stop, self.size)
        for first in range(start, end, _CHUNK):
            last = min(first + _CHUNK, end)
            with translated(self.path):
                chunk = read_entries(self._connection, first, last, self._subjects)
            if len(chunk) != last - first:
                gap = min(set(range(first, last)) - {entry.index for entry in chunk})
                raise WorkspaceDamaged(f"{self.path}: entry {gap} is missing; run `verify`")
            yield from chunk

    def columns(self, start: int, stop: int) -> Columns | None:
        """Return the entries [start, stop) in columns; None where only `entries` can tell.

        That is where some are missing, and where openings may be encrypted.
        """
        if self._subjects is not None:
            return None
        with translated(self.path):
            return read_columns(self._connection, start, stop)

    def indexes(self, types: Iterable[int], start: int, stop: int) -> list[int]:
        """Return the indices of the entries of some types, start <= index < stop, in order."""
        ask = (
            "SELECT idx FROM leaf WHERE idx >= ? AND idx < ? AND instr(?, substr(leaf, 5, 1)) "
            "ORDER BY idx"
        )
        with translated(self.path):
            return [i for (i,) in rows(self._connection, ask, start, stop, bytes(types))]

    def closed(self) -> dict[int, set[str]]:
        """Return the openings, by entry, that are stored under keys of persons that are gone."""
        with translated(self.path):
            return {} if self._subjects is None else self._subjects.closed(self._connection)

    def close(self) -> None:
        """Close the connection, and the keys of data subjects."""
        super().close()
        if self._subjects is not None:
            self._subjects.close()

    def known(self, identities: Sequence[Identity]) -> list[Known | None]:
        """Say of each identity whether the log holds its key, and whether with the same content.

        Args:
            identities: With the content to compare given; here None means null, not "the whole".
        """
        with translated(self.path):
            return self._rows.known(identities)

    def find(self, key: tuple[str, ...]) -> int | None:
        """Return the index of the entry that a row key stands for, or None."""
        with translated(self.path):
            return self._rows.index_of(key)

    def makers(self, lot_id: str) -> list[tuple[str, str]]:
        """Return the (maker's party, product_id) pairs of a lot; several where lot ids collide."""
        with translated(self.path):
            ask = "SELECT party, product_id FROM maker WHERE lot_id = ? ORDER BY party, product_id"
            return [(party, product) for party, product in rows(self._connection, ask, lot_id)]

    def makers_of(self, lot_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """Return (lot_id, maker's party, product_id) of many lots, in any order."""
        ask = (
            "SELECT lot_id, party, product_id FROM maker "
            "WHERE lot_id IN (SELECT value FROM json_each(?))"
        )
        with translated(self.path):
            found = rows(self._connection, ask, canonical.dump(lot_ids).decode())
        return [(lot, party, product) for lot, party, product in found]

    def prove(
        self,
        index: int,
        disclose: Callable[[Opening], bool] | None = None,
        size: int | None = None,
    ) -> Content:
        """Make a proof bundle: inclusion of an entry under a signed checkpoint.

        Args:
            index: The entry.
            disclose: Chooses the openings to put in; without it none are disclosed.
            size: Prove it under the checkpoint of this size; None for the one that `covering`
                chooses.

        Raises:
            NotFound: The log has no such entry, or signed no checkpoint at that size.
            UsageError: The entry came after that checkpoint.
            WorkspaceDamaged: The stored tree or checkpoint does not fit the entry.
        """
        note = self.covering(index) if size is None else self.cosigned(size)
        if size is not None and index >= size:
            raise UsageError(f"entry {index} came after the checkpoint of size {size}")
        return self._proof(index, note, parse(note)[0].size, disclose)

    def prove_all(
        self,
        indices: Iterable[int],
        disclose: Callable[[Opening], bool] | None = None,
        since: int = 0,
    ) -> list[Content]:
        """Make the bundles of several entries, all under one checkpoint; see `prove`.

        Args:
            indices: The entries.
            disclose: As for `prove`.
            since: The checkpoint has at least this size.
        """
        wanted = list(indices)
        note = self.covering(max([since - 1, *wanted], default=0))
        size = parse(note)[0].size
        return [self._proof(index, note, size, disclose) for index in wanted]

    def _proof(
        self, index: int, note: str, size: int, disclose: Callable[[Opening], bool] | None
    ) -> Content:
        entry = self.entry(index)
        try:
            path = self.inclusion_path(index, size)
        except UsageError as error:
            raise WorkspaceDamaged(f"{self.path}: {error}; run `verify`") from None
        disclosed = [opening for opening in entry.openings if disclose and disclose(opening)]
        return build_bundle(
            origin=self.origin,
            index=index,
            leaf=entry.leaf,
            path=path,
            checkpoint=note,
            body=entry.body,
            disclosed=disclosed,
            batch=self._batch_part(index, size),
        )

    def batch_of(self, index: int) -> int | None:
        """Return the entry of the signed batch that an entry is in, or None."""
        # Most logs have none at all: one look-up says so.
        if self.find(ANY_BATCH) is None:
            return None
        names = [Identity(key, "") for key in keys_over(index, self.size)]
        return next((known.index for known in self.known(names) if known is not None), None)

    def _batch_part(self, index: int, size: int) -> Content | None:
        """Make the part of a bundle that leads to the signed batch, if the checkpoint covers it."""
        at = self.batch_of(index)
        if at is None or at >= size:
            return None
        entry = self.entry(at)
        if entry.body is None:
            return None
        if self._batch is None or self._batch[0] != at:
            self._batch = at, BatchTree(open_entry(entry, Tier.PUBLIC), self.leaves)
        position = self._batch[1].position(index)
        if position is None:
            raise WorkspaceDamaged(f"{self.path}: entry {index} is not in its batch {at}")
        return build_batch(
            index=at,
            leaf=entry.leaf,
            path=self.inclusion_path(at, size),
            body=entry.body,
            position=position,
            batch_path=self._batch[1].path(position),
        )


def _governing(entry: Entry) -> bytes | None:
    """Return the body of an entry of the register, if the leaf says that it is one."""
    if entry.type != EntryType.POLICY:
        raise EncodingError("it is of another type")
    if entry.body and body_digest(entry.body) != decode_leaf(entry.leaf).body_digest:
        raise EncodingError("its body is not the one that was logged")
    return entry.body
