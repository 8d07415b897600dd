"""`verify` from inside: recompute everything that is stored, and say what differs and where.

One pass over the leaves rebuilds the chain and the tree and compares them with
every tile, checkpoint, body, opening and row that the database holds, and with
the two files beside it. Nothing the database says is believed on the way; the
log's public key comes from outside it.

What this cannot see is a whole second history signed with the log's own key:
that needs a checkpoint that left the machine (`log consistency`, witnesses).

Next: provenance/proof.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from provenance import canonical, merkle
from provenance.checkpoint import Checkpoint, key_id, parse_note, parse_text, parse_vkey
from provenance.errors import EncodingError, ProvenanceError, VerificationError
from provenance.hashing import EMPTY_ROOT
from provenance.identity import Row, row_mac
from provenance.log import LogFiles, read_high_water
from provenance.recompute import Recomputation
from provenance.storage import connect, rows, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import apsw

    from provenance.log import HighWater

__all__ = ["AuditReport", "audit"]

_CHUNK: Final = 1_000
_MOST_PROBLEMS: Final = 100


@dataclass
class AuditReport:
    """What `audit` found.

    Attributes:
        origin: The log that was audited.
        size: Entries that were recomputed.
        root: The root over them, 32 bytes.
        problems: One line each, what and where; empty means all adds up. At most 100 are kept.
        openings_missing: Commitments whose opening is not stored (erased, or not ours to hold).
    """

    origin: str
    size: int = 0
    root: bytes = b""
    problems: list[str] = field(default_factory=list)
    openings_missing: int = 0

    def add(self, what: str) -> None:
        """Note one problem."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(what)


def audit(
    files: LogFiles,
    vkey: str,
    secret: bytes,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> AuditReport:
    """Recompute the whole log from its files.

    Args:
        files: The log's files.
        vkey: The log's public key, from where the caller trusts it; its name is the origin.
        secret: The workspace's, for the MACs of row keys.
        progress: Called with entries done and in all, about every thousand.

    Returns:
        The report; `problems` is empty if, and only if, everything adds up.

    Raises:
        WorkspaceMissing: There is no log.
        WorkspaceTooNew: It has a later format.
    """
    with translated(files.database):
        connection = connect(files.database, readonly=True)
        try:
            # One snapshot, so that a writer beside us changes nothing.
            connection.execute("BEGIN")
            report = _Audit(connection, files, vkey, secret).run(progress)
        finally:
            connection.close()
    return report


class _Audit:
    """One run over one snapshot."""

    def __init__(
        self, connection: apsw.Connection, files: LogFiles, vkey: str, secret: bytes
    ) -> None:
        self._connection = connection
        self._files = files
        self._vkey = vkey
        self._secret = secret
        self._report = AuditReport(vkey.split("+", 1)[0])
        self._pass = Recomputation(connection, self._report.origin, self._report.add)
        self._roots: dict[int, bytes] = {0: EMPTY_ROOT}

    def run(self, progress: Callable[[int, int], None]) -> AuditReport:
        """Recompute, then compare everything that was derived."""
        notes = dict(rows(self._connection, "SELECT size, note FROM checkpoint"))
        total = self._one("SELECT count(*) FROM leaf")
        mark = self._high_water()
        for stop in _stops({*notes, mark.size if mark else 0}, total):
            self._pass.advance(stop)
            self._roots[stop] = self._pass.edge.root
            progress(stop, total)
        self._report.size, self._report.root = total, self._pass.edge.root
        self._report.openings_missing = self._pass.openings_missing
        self._compare_extent(total)
        self._compare_tree()
        self._compare_head()
        self._compare_checkpoints(notes)
        self._compare_row_keys()
        self._compare_makers()
        self._compare_published(notes, mark)
        return self._report

    def _one(self, ask: str, *values: object) -> Any:
        return rows(self._connection, ask, *values)[0][0]

    def _compare_extent(self, total: int) -> None:
        """No table may hold rows for entries that are not there."""
        for table in ("leaf", "body", "opening", "event_id", "maker"):
            beyond = self._one(
                f"SELECT count(*) FROM {table} WHERE idx < 0 OR idx >= ?",  # noqa: S608 - constants
                total,
            )
            if beyond:
                self._report.add(f"{table}: {beyond} rows for entries outside 0 to {total - 1}")

    def _compare_tree(self) -> None:
        """Compare the right edge's tiles, and refuse tiles that belong to no tree of this size."""
        expected = set()
        for level, partial in enumerate(self._pass.edge.partial):
            width = self._report.size >> (8 * level)
            expected |= {(level, number) for number in range(-(-width // merkle.TILE_WIDTH))}
            if partial:
                self._pass.check_tile(level, width // merkle.TILE_WIDTH, partial)
        for level, number in rows(self._connection, "SELECT level, number FROM tile"):
            if (level, number) not in expected:
                self._report.add(
                    f"tile {level}/{number}: belongs to no tree of {self._report.size}"
                )

    def _compare_head(self) -> None:
        stored = rows(self._connection, "SELECT id, size, root, chain, ingest_time_us FROM head")
        names = ("id", "size", "root", "chain", "time")
        edge = self._pass.edge
        real = (1, edge.size, edge.root, self._pass.chain, self._pass.time_us)
        if len(stored) != 1:
            self._report.add(f"head: {len(stored)} rows, there must be one")
            return
        for name, found, right in zip(names, stored[0], real, strict=True):
            if found != right:
                self._report.add(f"head: its {name} is not that of the entries")

    def _compare_checkpoints(self, notes: dict[int, str]) -> None:
        if self._report.size not in notes:
            self._report.add(f"checkpoint {self._report.size}: the newest is missing")
        for size, note in sorted(notes.items()):
            try:
                found = _signed(note, self._vkey)
            except ProvenanceError as error:
                self._report.add(f"checkpoint {size}: {error}")
                continue
            if found.size != size:
                self._report.add(f"checkpoint {size}: is for a tree of {found.size}")
            elif self._roots.get(size) != found.root:
                self._report.add(f"checkpoint {size}: the entries have another root")

    def _compare_row_keys(self) -> None:
        ask = self._connection.execute("SELECT key, digest, idx, mac FROM event_id")
        for key, digest, index, mac in cast("Iterable[tuple[Any, ...]]", ask):
            if row_mac(self._secret, Row(key, digest or b""), index) != mac:
                self._report.add(f"event_id: the row key of entry {index} was changed")

    def _compare_makers(self) -> None:
        """A lot's maker must stand in the entry that first named the lot."""
        ask = self._connection.execute(
            "SELECT lot_id, party, product_id, maker.idx, body "
            "FROM maker LEFT JOIN body USING (idx)"
        )
        for lot, party, product, index, body in cast("Iterable[tuple[Any, ...]]", ask):
            named = any(
                (item.get("lot_id"), item.get("party"), item.get("product_id"))
                == (lot, party, product)
                for item in _items(body)
            )
            if body is not None and not named:
                self._report.add(f"maker: entry {index} does not name lot {lot} of {party}")

    def _high_water(self) -> HighWater | None:
        try:
            mark = read_high_water(self._files.high_water, self._report.origin)
        except ProvenanceError as error:
            self._report.add(f"high-water: {error}")
            return None
        if mark is None:
            self._report.add(f"high-water: {self._files.high_water} is missing")
        return mark

    def _compare_published(self, notes: dict[int, str], mark: HighWater | None) -> None:
        if mark and self._roots.get(mark.size) != mark.root:
            self._report.add(
                f"high-water: {mark.size} entries were published, these are other ones or fewer"
            )
        try:
            shown = self._files.checkpoint.read_text()
        except (OSError, ValueError) as error:
            self._report.add(f"checkpoint file: cannot be read: {error}")
            return
        if shown not in notes.values():
            self._report.add("checkpoint file: not one that this log signed")
        elif mark and shown != notes.get(mark.size):
            self._report.add(f"checkpoint file: not the newest, which is for {mark.size} entries")


def _signed(text: str, vkey: str) -> Checkpoint:
    """Read a stored checkpoint: one line of the log's own signature, and nothing besides.

    Raises:
        VerificationError: Another key's, several, or a wrong signature.
        InputError: Not a checkpoint in its one written form.
    """
    note = parse_note(text)
    key = parse_vkey(vkey)
    expected = (key.name, key_id(*key))
    if [(line.name, line.key_id) for line in note.signatures] != [expected]:
        raise VerificationError("its signature is not the one of this log's key")
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public)
        public.verify(note.signatures[0].signature, note.text.encode())
    except InvalidSignature:
        raise VerificationError("its signature is wrong") from None
    found = parse_text(note.text)
    if found.origin != key.name:
        raise VerificationError(f"it is of the log {found.origin}")
    return found


def _stops(sizes: set[int], total: int) -> Iterator[int]:
    """Where the pass must halt: at each size that something claims a root for, and regularly."""
    wanted = {size for size in sizes if 0 < size <= total}
    yield from sorted(wanted | set(range(_CHUNK, total, _CHUNK)) | ({total} if total else set()))


def _items(body: bytes | None) -> list[dict[str, Any]]:
    try:
        content = canonical.loads(body or b"{}")
        return [item for item in content.get("items", []) if isinstance(item, dict)]
    except (EncodingError, AttributeError, TypeError):
        return []
