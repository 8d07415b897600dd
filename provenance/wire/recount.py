"""New entries recomputed from outside: place, chain, time and tree, without any trust in the log.

A leaf holds its index, its time, the digest of its body and the chain value of the
leaf before; the tree over the leaves must be the one that was signed for. Bodies
are not fetched: what they say is for those who may read them.

Next: provenance/verify.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provenance.errors import EncodingError, VerificationError
from provenance.hashing import chain_next, chain_start, leaf_hash
from provenance.proving import merkle
from provenance.proving.leaf import decode_leaf
from provenance.wire.monitor_state import Progress
from provenance.wire.paths import width_at

if TYPE_CHECKING:
    from provenance.notes.checkpoint import Checkpoint
    from provenance.wire.monitor_state import State
    from provenance.wire.remote import RemoteLog

__all__ = ["recount"]

_CHUNK: Final = 4096


def recount(remote: RemoteLog, said: Checkpoint, state: State) -> int:
    """Recompute the entries since the last time; returns how many there were.

    Progress is kept only when the whole leads to the signed root: a crash on the
    way begins again where the last good end was.

    Args:
        remote: Serves the log at `said`.
        said: A checkpoint that has been checked.
        state: Holds the progress.

    Raises:
        VerificationError: An entry does not continue those before, or they are not what was
            signed for.
        RemoteError: No answer.
    """
    done = state.progress()
    if done is None:
        edge, chain, time_us = merkle.EMPTY_EDGE, chain_start(said.origin), 0
    else:
        edge, chain, time_us = _edge(remote, said.size, done), done.chain, done.time_us
    size = edge.size
    hashes: list[bytes] = []
    for index, leaf in enumerate(remote.leaves(size, said.size, said.size), size):
        time_us = _check(leaf, index, chain, time_us)
        chain = chain_next(leaf)
        hashes.append(leaf_hash(leaf))
        if len(hashes) == _CHUNK:
            edge, _ = merkle.append(edge, hashes)
            hashes.clear()
    edge, _ = merkle.append(edge, hashes)
    if (edge.size, edge.root) != (said.size, said.root):
        raise VerificationError("the entries do not lead to the root that was signed")
    state.advance(Progress(edge.size, edge.root, chain, time_us))
    return edge.size - size


def _edge(remote: RemoteLog, size: int, done: Progress) -> merkle.Edge:
    """Rebuild the tree's edge at the last good end from the tiles, which may lie."""

    def read(level: int, number: int, width: int) -> bytes:
        return remote.tile(level, number, width_at(level, number, size))[: width * 32]

    edge = merkle.load_edge(done.size, read)
    if edge.root != done.root:
        raise VerificationError(f"its tiles no longer have the root of {done.size} entries")
    return edge


def _check(leaf: bytes, index: int, chain: bytes, time_us: int) -> int:
    try:
        decoded = decode_leaf(leaf)
    except EncodingError as error:
        raise VerificationError(f"entry {index}: {error}") from None
    if decoded.index != index:
        raise VerificationError(f"entry {index}: says it is entry {decoded.index}")
    if decoded.prev_chain != chain:
        raise VerificationError(f"entry {index}: does not continue the chain of the one before")
    if decoded.ingest_time_us < time_us:
        raise VerificationError(f"entry {index}: its time is before that of the one before")
    return decoded.ingest_time_us
