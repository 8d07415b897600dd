"""What witnesses have said of the log's checkpoints: kept, looked up, judged by the trust policy.

A cosignature is checked before it is stored, and again by every audit. The
trust policy is the file `log.policy` beside the database; where there is none,
nobody is asked and no quorum is demanded.

Next: provenance/store/reading.py
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance.errors import InputError, ProvenanceError, StorageError, WorkspaceDamaged
from provenance.files import locked, replace_file
from provenance.notes.checkpoint import (
    COSIGNATURE,
    format_note,
    format_vkey,
    key_id,
    parse,
    parse_line,
    parse_note,
    parse_vkey,
)
from provenance.notes.cosignature import check_line
from provenance.notes.trust import Trust, parse_trust
from provenance.proving.leaf import decode_leaf
from provenance.store.storage import connect, rows, transaction, translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import apsw

    from provenance.notes.checkpoint import VerifierKey
    from provenance.store.published import LogFiles

__all__ = [
    "COSIGNATURES_SINCE",
    "Cosignature",
    "Sighting",
    "Standing",
    "Witnesses",
    "added_by_others",
    "cosignature_faults",
    "read_trust",
    "store",
    "with_cosignatures",
]

COSIGNATURES_SINCE: Final = 2
"""The format of the database that brought the table; a reader may meet an earlier one."""
_LOCK_WAIT_SECONDS: Final = 120.0
_POLICY: Final = "log.policy"


class Cosignature(NamedTuple):
    """A witness's word on the checkpoint of one size; its line has no newline."""

    size: int
    key: VerifierKey
    line: str


class Sighting(NamedTuple):
    """That a witness has seen a checkpoint: its name in the policy, and the seconds since 1970."""

    name: str
    seconds: int


@dataclass(frozen=True)
class Standing:
    """How far the log has been seen by others.

    Attributes:
        size: Entries under the newest checkpoint.
        root: Its root hash.
        known: How many witnesses the policy names.
        quorum: Whether the policy asks for a quorum.
        seen_size: The newest size that any of them has cosigned; 0 for none.
        seen_by: Which, and when.
        witnessed: The newest size that enough of them have cosigned: the quorum, or one of them
            where the policy asks for none. 0 for none.
        since_us: When the first entry beyond that was made, in microseconds since the epoch;
            None where there is none beyond.
    """

    size: int
    root: bytes
    known: int
    quorum: bool
    seen_size: int
    seen_by: tuple[Sighting, ...]
    witnessed: int
    since_us: int | None


def read_trust(path: Path) -> Trust:
    """Read a `log.policy`; where there is none, nobody is trusted and no quorum is asked for.

    Raises:
        WorkspaceDamaged: It is no trust policy.
        StorageError: It cannot be read.
    """
    try:
        return parse_trust(path.read_bytes())
    except FileNotFoundError:
        return Trust()
    except InputError as error:
        raise WorkspaceDamaged(f"{path}: {error}") from None
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from None


def with_cosignatures(note: str, lines: Sequence[str]) -> str:
    """Put cosignature lines, without newlines, under a signed checkpoint.

    Raises:
        WorkspaceDamaged: One is no signature line.
    """
    whole = note + "".join(f"{line}\n" for line in lines)
    try:
        return format_note(parse_note(whole)) if lines else note
    except InputError as error:
        raise WorkspaceDamaged(f"a stored cosignature: {error}; run `verify`") from None


class Witnesses:
    """The cosignatures of one log, read through one connection."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        """Read the database at `path` through `connection`."""
        self._path = path
        self._connection = connection
        self._seen: tuple[tuple[int, int], tuple[int, int]] | None = None

    @cached_property
    def trust(self) -> Trust:
        """The trust policy, as it was when it was first asked for."""
        return read_trust(self._path.with_name(_POLICY))

    def lines(self, size: int) -> list[str]:
        """Return the signature lines that have come in for the checkpoint of a size."""
        if not self._has_table():
            return []
        ask = "SELECT line FROM cosignature WHERE size = ? ORDER BY key_id"
        return [line for (line,) in rows(self._connection, ask, size)]

    def moment(self) -> tuple[int, int]:
        """Return what changes when the database does: while it is the same, so are all answers."""
        return self._connection.pragma("data_version"), self._connection.total_changes()

    def cosigners(self, size: int) -> list[VerifierKey]:
        """Return whose cosignatures of the checkpoint of a size are stored."""
        return [key for key, _ in self._told(size)]

    def newest_of(self, key: VerifierKey) -> int:
        """Return the newest size that a witness is known to have cosigned; 0 for none."""
        if not self._has_table():
            return 0
        ask = "SELECT max(size) FROM cosignature WHERE vkey = ?"
        return rows(self._connection, ask, format_vkey(key))[0][0] or 0

    def witnessed(self) -> int:
        """Return the newest size that enough witnesses have cosigned; 0 where there is none."""
        return self._sizes()[1]

    def _sizes(self) -> tuple[int, int]:
        """The newest size that a known witness cosigned, and the newest that enough of them did."""
        if not self.trust.witnesses or not self._has_table():
            return 0, 0
        at = self.moment()
        if self._seen is None or self._seen[0] != at:
            self._seen = at, self._look_up()
        return self._seen[1]

    def _look_up(self) -> tuple[int, int]:
        by_vkey = {format_vkey(one.key): one.key for one in self.trust.witnesses}
        ask = "SELECT size, vkey FROM cosignature ORDER BY size DESC"
        newest = 0
        for size, group in groupby(self._connection.execute(ask), key=itemgetter(0)):
            keys = {by_vkey[vkey] for _, vkey in group if vkey in by_vkey}
            newest = newest or (size if keys else 0)
            if keys and self.trust.met_by(keys):
                return newest, size
        return newest, 0

    def _has_table(self) -> bool:
        return bool(self._connection.pragma("user_version") >= COSIGNATURES_SINCE)

    def standing(self, note: str) -> Standing:
        """Say how far the log, whose newest checkpoint is `note`, has been seen.

        Raises:
            WorkspaceDamaged: The trust policy, or a stored cosignature, cannot be read.
        """
        said, _ = parse(note)
        with translated(self._path):
            seen, witnessed = self._sizes()
            by_key = {one.key: one.name for one in self.trust.witnesses}
            sightings = tuple(
                Sighting(by_key[key], seconds) for key, seconds in self._told(seen) if key in by_key
            )
            return Standing(
                said.size,
                said.root,
                len(by_key),
                self.trust.asks,
                seen,
                sightings,
                witnessed,
                self._time_of(witnessed) if witnessed < said.size else None,
            )

    def _told(self, size: int) -> list[tuple[VerifierKey, int]]:
        ask = "SELECT vkey, line FROM cosignature WHERE size = ? ORDER BY key_id"
        try:
            return [
                (parse_vkey(vkey), int.from_bytes(parse_line(line).signature[:8]))
                for vkey, line in (rows(self._connection, ask, size) if self._has_table() else ())
            ]
        except InputError as error:
            raise WorkspaceDamaged(f"{self._path}: a cosignature: {error}; run `verify`") from None

    def _time_of(self, index: int) -> int | None:
        leaves = rows(self._connection, "SELECT leaf FROM leaf WHERE idx = ?", index)
        return decode_leaf(leaves[0][0]).ingest_time_us if leaves else None


def store(files: LogFiles, found: Sequence[Cosignature]) -> int:
    """Keep cosignatures of checkpoints that are in the log; returns how many were new.

    The caller has checked each. A crash before COMMIT loses them, and the witness
    is asked again; a crash after it leaves the `checkpoint` file without them until
    the next ones come, while the database and what is served from it have them.

    Raises:
        WorkspaceError: The log cannot be written.
        StorageError: The disk refused.
    """
    with locked(files.lock, _LOCK_WAIT_SECONDS), translated(files.database):
        connection = connect(files.database, readonly=False)
        try:
            before = connection.total_changes()
            with transaction(connection):
                for size, key, line in found:
                    connection.execute(
                        "INSERT OR IGNORE INTO cosignature VALUES (?, ?, ?, ?)",
                        (size, key_id(*key), format_vkey(key), line),
                    )
            _show(files, connection)
            return int(connection.total_changes() - before)
        finally:
            connection.close()


def _show(files: LogFiles, connection: apsw.Connection) -> None:
    """Put the lines for the published checkpoint into its file."""
    ask = "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1"
    for size, note in rows(connection, ask):
        whole = with_cosignatures(note, Witnesses(files.database, connection).lines(size))
        shown = files.checkpoint.read_text()
        # Another size stands there when a crash left the newest unpublished: the next writer's.
        if shown.startswith(note) and shown != whole:
            replace_file(files.checkpoint, whole.encode(), settle=False)


def cosignature_faults(connection: apsw.Connection, notes: Mapping[int, str]) -> list[str]:
    """Say what is wrong with the stored cosignatures, one line each.

    Args:
        connection: Of the database.
        notes: The stored checkpoints by size.
    """
    if connection.pragma("user_version") < COSIGNATURES_SINCE:
        return []
    ask = "SELECT size, key_id, CAST(vkey AS BLOB), CAST(line AS BLOB) FROM cosignature"
    checked = [(row[0], _fault(notes, row)) for row in rows(connection, ask)]
    return [f"cosignature at {size}: {fault}" for size, fault in checked if fault]


def added_by_others(connection: apsw.Connection, note: str, shown: str) -> bool:
    """Say whether `shown`, which begins with the checkpoint `note`, holds lines besides ours.

    Only cosignatures that are stored may stand under a published checkpoint.
    """
    lines = Witnesses(Path(), connection).lines(parse(note)[0].size)
    return not {*shown[len(note) :].splitlines(keepends=True)} <= {f"{line}\n" for line in lines}


def _fault(notes: Mapping[int, str], row: tuple[Any, ...]) -> str:
    size, identity, vkey, line = row
    if size not in notes:
        return "there is no checkpoint of that size"
    try:
        key = parse_vkey(vkey.decode(errors="replace"))
        if key.type != COSIGNATURE or identity != key_id(*key):
            return "its key is not the one it names, or no witness's"
        check_line(parse_line(line.decode(errors="replace")), key, parse(notes[size])[1].text)
    except ProvenanceError as error:
        return str(error)
    return ""
