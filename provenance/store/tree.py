"""What anybody may have of the log: leaves, tiles, roots and paths, bodies, signed checkpoints.

Openings are not among them, so whatever is read here may be served to the public,
copied by mirrors and put into proofs. Nothing read here is trusted: whoever gets it
checks it against a signed checkpoint.

Next: provenance/store/reading.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provenance.errors import InputError, NotFound, UsageError, VerificationError, WorkspaceDamaged
from provenance.hashing import HASH_SIZE
from provenance.notes.checkpoint import parse
from provenance.proving.merkle import TileTree
from provenance.store.head import read_head
from provenance.store.storage import rows, translated
from provenance.store.witnessed import Witnesses, with_cosignatures
from provenance.store.writing import read_tile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import apsw

__all__ = ["TreeReader"]


class TreeReader:
    """The public part of the log, as a reader sees it.

    Attributes:
        path: The database file, for messages.
        witnesses: What witnesses have said of it.
    """

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        """Read through `connection`."""
        self.path = path
        self.witnesses = Witnesses(path, connection)
        self._connection = connection
        self._covering: tuple[tuple[int, int], int, str, str] | None = None
        self._tree = TileTree(read_tile(connection))

    @property
    def size(self) -> int:
        """Number of entries."""
        with translated(self.path):
            return read_head(self._connection).size

    def checkpoint(self, size: int | None = None) -> str:
        """Return a checkpoint as the log signed it, without cosignatures.

        Args:
            size: Of which size; None for the latest.

        Raises:
            NotFound: None was signed at that size.
            WorkspaceDamaged: There is none at all, or it is no checkpoint.
        """
        with translated(self.path):
            if size is None:
                ask = "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1"
                notes = rows(self._connection, ask)
            else:
                notes = rows(self._connection, "SELECT note FROM checkpoint WHERE size = ?", size)
                if not notes:
                    raise NotFound(f"no checkpoint was signed at size {size}")
        try:
            parse(notes[0][0])
        except (IndexError, InputError, TypeError):
            raise WorkspaceDamaged(
                f"{self.path}: holds no checkpoint; restore it from a backup"
            ) from None
        return str(notes[0][0])

    def cosigned(self, size: int | None = None) -> str:
        """Return a checkpoint with the witnesses' cosignatures that have come in for it.

        Raises:
            NotFound: As for `checkpoint`.
            WorkspaceDamaged: As for `checkpoint`, or a cosignature is no signature line.
        """
        note = self.checkpoint(size)
        with translated(self.path):
            return with_cosignatures(note, self.witnesses.lines(parse(note)[0].size))

    def covering(self, index: int) -> str:
        """Return the checkpoint to prove an entry under, with its cosignatures.

        It is the newest that enough witnesses have cosigned, if the entry is under it; else
        the newest of all, which only the log itself vouches for.

        Raises:
            WorkspaceDamaged: As for `cosigned`, or the trust policy cannot be read.
        """
        with translated(self.path):
            moment = self.witnesses.moment()
            if self._covering is None or self._covering[0] != moment:
                size = self.witnesses.witnessed()
                newest = self.cosigned()
                self._covering = moment, size, self.cosigned(size) if size else newest, newest
        _, size, seen, newest = self._covering
        return seen if index < size else newest

    def root_at(self, size: int) -> bytes:
        """Return the root hash over the first `size` entries, 32 bytes.

        Raises:
            VerificationError: The stored tree is smaller, or damaged.
        """
        with translated(self.path):
            return self._tree.root_at(size)

    def inclusion_path(self, index: int, size: int) -> list[bytes]:
        """Return the path from an entry to the root at `size`; see `merkle.TileTree`.

        Raises:
            UsageError: The log has no such entry at that size, or no such size.
            WorkspaceDamaged: The stored tree does not fit.
        """
        with translated(self.path):
            try:
                return self._tree.inclusion_path(index, size)
            except VerificationError as error:
                self._refuse_beyond(size)
                raise WorkspaceDamaged(f"{self.path}: {error}; run `verify`") from None

    def consistency_path(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the first `old` entries begin the first `new` ones.

        Raises:
            UsageError: `old` is 0 or over `new`, or the log has no such size.
            WorkspaceDamaged: The stored tree does not fit.
        """
        self._refuse_beyond(new)
        with translated(self.path):
            try:
                return self._tree.consistency_path(old, new)
            except VerificationError as error:
                raise WorkspaceDamaged(f"{self.path}: {error}; run `verify`") from None

    def _refuse_beyond(self, size: int) -> None:
        if size > (most := self.size):
            raise UsageError(f"the log has {most} entries, not {size}")

    def tile(self, level: int, number: int, width: int) -> bytes:
        """Return the first `width` hashes of a tile; see `merkle.ReadTile`.

        Raises:
            WorkspaceDamaged: There are not so many, although the log's size asks for them.
        """
        with translated(self.path):
            data = read_tile(self._connection)(level, number, width)
        if len(data) != width * HASH_SIZE:
            raise WorkspaceDamaged(
                f"{self.path}: tile {level}/{number} has not {width} hashes; run `verify`"
            )
        return data

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """Return the leaves from `start` up to, not including, `stop` or the end of the log.

        Raises:
            WorkspaceDamaged: One of them is missing.
        """
        return self._range("leaf", start, stop)

    def bodies(self, start: int, stop: int) -> Sequence[bytes | None]:
        """Return the exact bytes of bodies in order, None for an erased one.

        Raises:
            WorkspaceDamaged: One of them is missing altogether.
        """
        return self._range("body", start, stop)

    def _range(self, table: str, start: int, stop: int) -> list[Any]:
        stop = min(stop, self.size)
        with translated(self.path):
            ask = f"SELECT {table} FROM {table} WHERE idx >= ? AND idx < ? ORDER BY idx"  # noqa: S608
            found = [what for (what,) in rows(self._connection, ask, start, stop)]
        if len(found) != max(stop - start, 0):
            raise WorkspaceDamaged(
                f"{self.path}: a {table} between {start} and {stop} is missing; run `verify`"
            )
        return found

    def erased(self, start: int, stop: int) -> list[int]:
        """Return which entries from `start` up to, not including, `stop` have an erased body."""
        with translated(self.path):
            ask = "SELECT idx FROM body WHERE idx >= ? AND idx < ? AND body IS NULL"
            return [index for (index,) in rows(self._connection, ask, start, stop)]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
