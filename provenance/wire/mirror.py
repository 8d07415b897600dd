"""Pulling a log into a mirror, and believing nothing on the way.

A checkpoint counts when a trusted key has signed it. Leaves count when they
continue the chain and, hashed into the mirror's own tree, are proven to begin
the tree that was signed; bodies when they have the digest in their leaf. Only
then are they stored, some at a time, so that a pull that is cut off goes on
where it was.

A source whose signed tree does not begin with what the mirror holds has shown
two histories. The mirror keeps both checkpoints and goes no further.

Next: workspace/mirror.py
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance import canonical
from provenance.disclosure.erased import NEVER, read_erasure
from provenance.errors import (
    AccessDenied,
    EncodingError,
    InputError,
    NotFound,
    VerificationError,
)
from provenance.hashing import HASH_SIZE, body_digest, chain_next, leaf_hash
from provenance.notes.checkpoint import Checkpoint, Note, format_note, parse, parse_vkey
from provenance.notes.cosignature import signed_by
from provenance.proving import merkle
from provenance.proving.leaf import decode_leaf
from provenance.store.published import read_checkpoint
from provenance.verify import verify_consistency
from provenance.wire.evidence import Evidence, Proof
from provenance.wire.paths import width_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provenance.store.head import Head
    from provenance.wire.remote import RemoteLog
    from provenance.wire.replica import Replica

__all__ = ["Offer", "Pulled", "SplitView", "pull", "read_offer"]

_CHUNK: Final = 4 * merkle.TILE_WIDTH
_AT_ONCE: Final = 8


class Offer(NamedTuple):
    """What a source shows: a checkpoint that a trusted key has signed.

    Attributes:
        said: What it says.
        own: The note with the log's own signature lines alone.
        note: The note as it was served, witnesses' lines and all.
    """

    said: Checkpoint
    own: str
    note: Note


class Pulled(NamedTuple):
    """What a pull brought.

    Attributes:
        size: Entries that the mirror holds.
        added: How many of them are new.
        forgotten: Bodies that were deleted, as erasure entries say.
        behind: How many entries the source lacks that the mirror has; 0 as a rule.
    """

    size: int
    added: int
    forgotten: int
    behind: int


class SplitView(VerificationError):  # noqa: N818 - the word of the trade
    """The source has signed two histories; both checkpoints are kept as evidence."""

    def __init__(self, place: str, evidence: Evidence) -> None:
        """Tell what was shown, and keep what proves it."""
        first, second = (parse(note)[0] for note in (evidence.first, evidence.second))
        super().__init__(
            f"{place}: SPLIT VIEW: it has signed a checkpoint of {first.size} entries and one of "
            f"{second.size}, and the one does not continue the other"
        )
        self.evidence = evidence


def read_offer(remote: RemoteLog, vkeys: Sequence[str]) -> Offer:
    """Fetch the newest checkpoint, and see that one of `vkeys` has signed it.

    Raises:
        VerificationError: None of them has, or one of the signatures is wrong.
        RemoteError: No answer.
    """
    try:
        said, note = parse(remote.checkpoint())
    except InputError as error:
        raise VerificationError(f"{remote.address}: its checkpoint: {error}") from None
    keys = [key for key in map(parse_vkey, vkeys) if key.name == said.origin]
    if not signed_by(note, keys):
        raise VerificationError(
            f"{remote.address}: shows a checkpoint of {said.origin!a} that no trusted key has "
            "signed; if the log has a new key, get its log.policy from whoever runs it, and give "
            "it with --policy"
        )
    own = tuple(line for line in note.signatures if line.name == said.origin)
    return Offer(said, format_note(Note(note.text, own)), note)


def pull(
    remote: RemoteLog,
    replica: Replica,
    offer: Offer,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Pulled:
    """Bring a mirror up to what its source offers. The caller holds the mirror's lock.

    Args:
        remote: The source.
        replica: The mirror.
        offer: From `read_offer`.
        progress: Called with entries held and in all.

    Raises:
        SplitView: The source contradicts what the mirror holds.
        VerificationError: Something does not fit the signed checkpoint; nothing of it was taken.
        RemoteError: No answer; what was taken before stays, and a later pull goes on from there.
        StorageError: The disk refused.
    """
    if offer.said.origin != replica.origin:
        raise VerificationError(
            f"{remote.address}: is the log {offer.said.origin!a}, not {replica.origin}"
        )
    return _Pull(remote, replica, offer, progress).run()


class _Pull:
    """One pull."""

    def __init__(
        self,
        remote: RemoteLog,
        replica: Replica,
        offer: Offer,
        progress: Callable[[int, int], None],
    ) -> None:
        self._remote = remote
        self._replica = replica
        self._offer = offer
        self._said = offer.said
        self._progress = progress
        self._tree = merkle.TileTree(self._tile)

    def _tile(self, level: int, number: int, width: int) -> bytes:
        """Fetch a tile as it is in the tree that is shown: smaller trees' may not be served."""
        shown = width_at(level, number, self._said.size)
        return self._remote.tile(level, number, shown)[: width * HASH_SIZE]

    def run(self) -> Pulled:
        """Check that the offer continues what is held, take what is new, forget what is erased."""
        head = self._replica.head()
        if self._said.size <= head.size:
            if self._replica.root_at(self._said.size) != self._said.root:
                self._split()
        else:
            self._continue(head)
        named = self._erased()
        forgotten = self._replica.forget(sorted(named), NEVER)
        if self._said.size >= head.size:
            self._check_signers()
            self._complete(named)
            self._replica.show(self._offer.own)
        size = max(head.size, self._said.size)
        return Pulled(size, size - head.size, forgotten, size - self._said.size)

    def _continue(self, head: Head) -> None:
        if head.size and not self._leads_on(head.size, head.root):
            if self._tree.root_at(self._said.size) != self._said.root:
                raise self._wrong("its tiles do not lead to the root that it has signed")
            self._split()
        # The evidence for what is held from now on, should we be cut off.
        self._replica.note_target(self._offer.own)
        edge = self._replica.edge()
        chain, time = head.chain, head.ingest_time_us
        for start in range(head.size, self._said.size, _CHUNK):
            stop = min(start + _CHUNK, self._said.size)
            leaves = list(self._remote.leaves(start, stop, self._said.size))
            chain, time = self._check_chain(start, leaves, chain, time)
            self._check_prefix(edge, leaves)
            bodies = self._bodies(start, leaves)
            edge = self._replica.take(edge, leaves, bodies)
            self._progress(stop, self._said.size)

    def _leads_on(self, size: int, root: bytes) -> bool:
        """Say whether the signed tree begins with the tree of `size` leaves under `root`."""
        path = self._tree.consistency_path(size, self._said.size)
        try:
            verify_consistency(size, self._said.size, path, root, self._said.root)
        except VerificationError:
            return False
        return True

    def _split(self) -> None:
        ours, theirs = self._replica.evidence() or self._offer.own, self._offer.own
        held, shown = parse(ours)[0], self._said
        evidence = Evidence(theirs, ours, None)
        if held.size < shown.size:
            proof = Proof(
                self._tree.root_at(held.size),
                tuple(self._tree.consistency_path(held.size, shown.size)),
            )
            evidence = Evidence(ours, theirs, proof)
        elif shown.size < held.size <= self._replica.head().size:
            begun = self._replica.root_at(shown.size)
            path = self._replica.consistency_path(shown.size, held.size)
            evidence = Evidence(theirs, ours, Proof(begun, tuple(path)))
        raise SplitView(self._remote.address, evidence)

    def _wrong(self, what: str) -> VerificationError:
        return VerificationError(f"{self._remote.address}: {what}; nothing of it was taken")

    def _check_chain(
        self, start: int, leaves: Sequence[bytes], chain: bytes, time: int
    ) -> tuple[bytes, int]:
        for index, data in enumerate(leaves, start):
            try:
                leaf = decode_leaf(data)
            except EncodingError as error:
                raise self._wrong(f"leaf {index}: {error}") from None
            if leaf.index != index or leaf.prev_chain != chain:
                raise self._wrong(f"leaf {index} does not continue the chain")
            if leaf.ingest_time_us < time:
                raise self._wrong(f"leaf {index} has a time before that of the leaf before")
            chain, time = chain_next(data), leaf.ingest_time_us
        return chain, time

    def _check_prefix(self, edge: merkle.Edge, leaves: Sequence[bytes]) -> None:
        grown = merkle.append(edge, [leaf_hash(leaf) for leaf in leaves]).edge
        if not self._leads_on(grown.size, grown.root):
            raise self._wrong(
                f"the leaves {edge.size} to {grown.size - 1} are not those that it has signed"
            )

    def _bodies(self, start: int, leaves: Sequence[bytes]) -> list[bytes | None]:
        # Several at a time: an answer may be long on its way.
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            return list(pool.map(self._body, range(start, start + len(leaves)), leaves))
        finally:
            pool.shutdown(cancel_futures=True)

    def _body(self, index: int, leaf: bytes) -> bytes | None:
        """Fetch a body; None where the source has none, for which there must be a reason."""
        try:
            body = self._remote.body(index)
        except NotFound:  # as a static host answers for what was erased
            body = None
        except AccessDenied as error:
            raise self._wrong(str(error)) from None
        if body is None and index == 0:
            raise self._wrong("it serves no bodies, or not the one of entry 0")
        if body is not None and body_digest(body) != decode_leaf(leaf).body_digest:
            raise self._wrong(f"body {index} is not the content that was logged")
        return body

    def _check_signers(self) -> None:
        """See that the keys that signed are those that the log's own register names."""
        try:
            if register := self._replica.register():
                read_checkpoint(self._offer.own, register.origin, register.signers_at)
        except (EncodingError, InputError, VerificationError) as error:
            raise VerificationError(
                f"{self._remote.address}: its register does not fit its checkpoint: {error}"
            ) from None

    def _erased(self) -> set[int]:
        """Read from the erasure entries whose bodies were erased."""
        named: set[int] = set()
        for index in self._replica.erasure_entries():
            body = self._replica.body(index)
            try:
                places = list(read_erasure(canonical.loads(body or b"")))
            except EncodingError as error:
                raise self._wrong(f"entry {index} is no erasure: {error}") from None
            named |= {place for place, path in places if path is None and place < index}
        return named

    def _complete(self, named: set[int]) -> None:
        """Ask once more for the bodies that the source did not give and no erasure names."""
        for index, leaf in self._replica.without_body():
            if index in named:
                continue
            body = self._body(index, leaf)
            if body is None:
                raise VerificationError(
                    f"{self._remote.address}: does not serve the body of entry {index}, and no "
                    "erasure entry names it; the mirror keeps showing the checkpoint before"
                )
            self._replica.fill(index, body)
