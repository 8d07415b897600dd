"""The pass of an audit over leaves, bodies and openings, which believes none of them.

Chain and tree are rebuilt from the leaves alone; bodies are checked against
the leaves, openings against the bodies, and full tiles as they come by.

Next: provenance/audit.py
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from provenance import canonical, merkle
from provenance.entries import EntryType, Tier
from provenance.errors import EncodingError
from provenance.hashing import body_digest, chain_next, chain_start, field_commitment, leaf_hash
from provenance.leaf import decode_leaf
from provenance.privacy import b64
from provenance.storage import rows
from provenance.tiers import TierPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    import apsw

__all__ = ["Recomputation"]


class Recomputation:
    """The log rebuilt as far as the pass has come.

    Attributes:
        edge: The tree over the leaves so far.
        chain: The chain value after the last leaf.
        time_us: The last leaf's ingest time.
        openings_missing: Commitments without a stored opening.
    """

    def __init__(
        self, connection: apsw.Connection, origin: str, problem: Callable[[str], None]
    ) -> None:
        """Begin before entry 0; `problem` is told one line for each thing that differs."""
        self.edge = merkle.EMPTY_EDGE
        self.chain = chain_start(origin)
        self.time_us = 0
        self.openings_missing = 0
        self._connection = connection
        self._origin = origin
        self._problem = problem
        self._policy = TierPolicy({})

    def advance(self, stop: int) -> None:
        """Recompute the entries from where the pass stands up to, not including, `stop`."""
        start = self.edge.size
        leaves = rows(
            self._connection,
            "SELECT leaf.idx, leaf, body FROM leaf LEFT JOIN body USING (idx) "
            "WHERE leaf.idx >= ? AND leaf.idx < ? ORDER BY leaf.idx",
            start,
            stop,
        )
        openings = self._openings(start, stop)
        for expected, (index, leaf, body) in enumerate(leaves, start):
            if index != expected:
                self._problem(f"leaf {expected}: missing")
            self._check_leaf(index, leaf, body)
            if body is not None:
                self._check_body(index, body, openings.pop(index, []))
        for index in openings:
            self._problem(f"opening of entry {index}: there is no body for it")
        self.edge, tiles = merkle.append(self.edge, [leaf_hash(leaf) for _, leaf, _ in leaves])
        for tile in tiles:
            if tile.width == merkle.TILE_WIDTH:
                self.check_tile(tile.level, tile.number, tile.data)

    def check_tile(self, level: int, number: int, data: bytes) -> None:
        """Compare one stored tile with the recomputed one."""
        ask = "SELECT hashes FROM tile WHERE level = ? AND number = ?"
        stored = rows(self._connection, ask, level, number)
        if not stored:
            self._problem(f"tile {level}/{number}: missing")
        elif stored[0][0] != data:
            self._problem(f"tile {level}/{number}: not the hashes of its leaves")

    def _openings(self, start: int, stop: int) -> dict[int, list[tuple[Any, ...]]]:
        grouped: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        ask = "SELECT idx, path, tier, salt, preimage FROM opening WHERE idx >= ? AND idx < ?"
        for index, *opening in rows(self._connection, ask, start, stop):
            grouped[index].append(tuple(opening))
        return grouped

    def _check_leaf(self, index: int, data: bytes, body: bytes | None) -> None:
        chain, self.chain = self.chain, chain_next(data)
        try:
            leaf = decode_leaf(data)
        except EncodingError as error:
            self._problem(f"leaf {index}: {error}")
            return
        if leaf.index != index:
            self._problem(f"leaf {index}: says it is entry {leaf.index}")
        if leaf.prev_chain != chain:
            self._problem(f"leaf {index}: does not continue the chain of the leaf before")
        if leaf.ingest_time_us < self.time_us:
            self._problem(f"leaf {index}: its time is before that of the leaf before")
        self.time_us = max(self.time_us, leaf.ingest_time_us)
        if body is None:
            self._problem(f"body {index}: missing")
        elif body_digest(body) != leaf.body_digest:
            self._problem(f"body {index}: not the content that was logged")
        elif index == 0:
            self._found(leaf.type, body)

    def _found(self, kind: int, body: bytes) -> None:
        """Take the tier policy from entry 0, which every later opening is checked against."""
        try:
            content = canonical.loads(body)
            ours = kind == EntryType.POLICY and content["origin"] == self._origin
            self._policy = TierPolicy.from_content(content["tiers"])
        except (EncodingError, KeyError, TypeError):
            ours = False
        if not ours:
            self._problem(f"body 0: not the policy entry of {self._origin}")

    def _check_body(self, index: int, body: bytes, openings: list[tuple[Any, ...]]) -> None:
        if not openings and b'"_c":' not in body:
            return
        try:
            content = canonical.loads(body)
            committed = dict(content.get("_c", {}))
            own = {pattern: Tier[name.upper()] for pattern, name in content.get("_t", {}).items()}
            plan = self._policy.plan(content["_v"], own)
        except (EncodingError, AttributeError, KeyError, TypeError, ValueError) as error:
            self._problem(f"body {index}: cannot be read: {error}")
            return
        for path, tier, salt, preimage in openings:
            reason = _refuted(path, salt, preimage, committed.pop(path, None))
            if reason is None and tier != plan.tier_of(path):
                reason = "is stored at another disclosure tier than was logged"
            if reason:
                self._problem(f"opening {path} of entry {index}: {reason}")
        self.openings_missing += len(committed)


def _refuted(path: str, salt: bytes, preimage: bytes, commitment: str | None) -> str | None:
    """Say why an opening does not open its commitment, or None where it does."""
    if commitment is None:
        return "the body has no such commitment"
    if b64(field_commitment(salt, preimage)) != commitment:
        return "not what was committed to"
    if not preimage.startswith(canonical.encode([path])[:-1] + b","):
        return "its content is for another path"
    return None
