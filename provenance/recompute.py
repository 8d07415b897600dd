"""The pass of an audit over leaves, bodies and openings, which believes none of them.

Chain and tree are rebuilt from the leaves alone; bodies are checked against
the leaves, openings against the bodies, and full tiles as they come by. Each
check asks first whether all is as it must be, and only where it is not looks
for the reason: an audit is mostly hashing, and should cost little more.

Next: provenance/audit.py
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from provenance import canonical, merkle
from provenance.entries import EntryType, Tier
from provenance.errors import EncodingError
from provenance.hashing import (
    HASH_SIZE,
    body_digest,
    chain_next,
    chain_start,
    field_commitment,
    leaf_hash,
)
from provenance.leaf import LEAF_SIZE, decode_leaf, encode_leaf, peek_leaf
from provenance.privacy import b64
from provenance.storage import rows
from provenance.tiers import TierPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import apsw

    from provenance.tiers import Plan

__all__ = ["Recomputation"]

_PLACES_KEPT: Final = 10_000

_Place = tuple[str, int, bytes]
"""What is the same for all openings at one path: the path, its tier, and how the preimage
begins."""


class Recomputation:
    """The log rebuilt as far as the pass has come.

    Attributes:
        position: The next index; so many entries there are, if none is missing.
        whole: No leaf is missing so far. Beyond a gap there is no tree to compare.
        edge: The tree over the leaves so far.
        chain: The chain value after the last leaf.
        time_us: The last leaf's ingest time.
        openings_missing: Commitments without a stored opening.
    """

    def __init__(
        self, connection: apsw.Connection, origin: str, problem: Callable[[str], None]
    ) -> None:
        """Begin before entry 0; `problem` is told one line for each thing that differs."""
        self.position = 0
        self.whole = True
        self.edge = merkle.EMPTY_EDGE
        self.chain = chain_start(origin)
        self.time_us = 0
        self.openings_missing = 0
        self._connection = connection
        self._origin = origin
        self._problem = problem
        self._policy = TierPolicy({})
        self._places: dict[tuple[Plan, bytes], _Place] = {}

    def advance(self, count: int) -> bool:
        """Recompute the next `count` entries; False where there are none left."""
        start = self.position
        ask = "SELECT idx, leaf FROM leaf WHERE idx >= ? ORDER BY idx LIMIT ?"
        leaves = rows(self._connection, ask, start, count)
        if not leaves:
            return False
        stop = leaves[-1][0] + 1
        ask = "SELECT idx, body FROM body WHERE idx >= ? AND idx < ?"
        bodies = dict(rows(self._connection, ask, start, stop))
        hashes = self._check_leaves(leaves, bodies)
        for index in sorted(bodies.keys() - {index for index, _ in leaves}):
            self._problem(f"body {index}: there is no leaf for it")
        self._check_openings(start, stop, bodies)
        if self.whole:
            self.edge, tiles = merkle.append(self.edge, hashes)
            for tile in tiles:
                if tile.width == merkle.TILE_WIDTH:
                    self.check_tile(tile.level, tile.number, tile.data)
        return True

    def check_tile(self, level: int, number: int, data: bytes) -> None:
        """Compare one stored tile with the recomputed one."""
        ask = "SELECT hashes FROM tile WHERE level = ? AND number = ?"
        stored = rows(self._connection, ask, level, number)
        if not stored:
            self._problem(f"tile {level}/{number}: missing")
            return
        found = stored[0][0]
        if len(found) != len(data):
            self._problem(f"tile {level}/{number}: has {len(found)} bytes, not {len(data)}")
        for at in range(0, len(data), HASH_SIZE) if found != data else ():
            if found[at : at + HASH_SIZE] != data[at : at + HASH_SIZE]:
                place = number * merkle.TILE_WIDTH + at // HASH_SIZE
                what = f"leaf {place} has" if level == 0 else f"the leaves below {place} have"
                self._problem(f"tile {level}/{number}: {what} another hash there")

    def _check_leaves(
        self, leaves: list[tuple[Any, ...]], bodies: dict[int, bytes | None]
    ) -> list[bytes]:
        """Check leaves against the chain and their bodies; returns their hashes."""
        hashes = []
        for index, leaf in leaves:
            if index != self.position:
                self._problem(f"leaf {self.position}: missing, and up to {index - 1}")
                self.whole = False
            body = bodies.get(index)
            kind, time_us = peek_leaf(leaf) if len(leaf) == LEAF_SIZE else (0, 0)
            digest = b"" if body is None else body_digest(body)
            right = encode_leaf(kind, index, time_us, digest, self.chain)
            if leaf != right or time_us < self.time_us or body is None:
                self._explain_leaf(index, leaf, body, digest)
            if index == 0 and body is not None:
                self._found(kind, body)
            self.position = index + 1
            self.time_us = max(self.time_us, time_us)
            self.chain = chain_next(leaf)
            hashes.append(leaf_hash(leaf))
        return hashes

    def _explain_leaf(self, index: int, data: bytes, body: bytes | None, digest: bytes) -> None:
        try:
            leaf = decode_leaf(data)
        except EncodingError as error:
            self._problem(f"leaf {index}: {error}")
            return
        if leaf.index != index:
            self._problem(f"leaf {index}: says it is entry {leaf.index}")
        if leaf.prev_chain != self.chain:
            before = f"leaf {index - 1}" if index else f"the origin {self._origin}"
            self._problem(f"leaf {index}: does not continue the chain of {before}")
        if leaf.ingest_time_us < self.time_us:
            self._problem(f"leaf {index}: its time is before that of the leaf before")
        if body is None:
            self._problem(f"body {index}: missing")
        elif digest != leaf.body_digest:
            self._problem(f"body {index}: not the content that was logged in leaf {index}")

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

    def _check_openings(self, start: int, stop: int, bodies: dict[int, bytes | None]) -> None:
        # Paths as bytes: a changed one need not be text any more.
        ask = (
            "SELECT idx, CAST(path AS BLOB), tier, salt, preimage FROM opening "
            "WHERE idx >= ? AND idx < ? ORDER BY idx"
        )
        committed = [index for index, body in bodies.items() if body and b'"_c":' in body]
        unopened = dict.fromkeys(committed)
        for index, openings in groupby(rows(self._connection, ask, start, stop), itemgetter(0)):
            body = bodies.get(index)
            if body is None:
                self._problem(f"opening of entry {index}: there is no body for it")
            else:
                unopened.pop(index, None)
                self._check_entry(index, body, openings)
        for index in unopened:
            self._check_entry(index, bodies[index] or b"", ())

    def _check_entry(self, index: int, body: bytes, openings: Iterable[tuple[Any, ...]]) -> None:
        """Check the openings of one entry against its commitments."""
        try:
            content = canonical.loads(body)
            commitments: dict[str, str] = dict(content.get("_c", ()))
            own = {pattern: Tier[name.upper()] for pattern, name in content.get("_t", {}).items()}
            plan = self._policy.plan(content["_v"], own)
        except (EncodingError, AttributeError, KeyError, TypeError, ValueError) as error:
            self._problem(f"body {index}: cannot be read: {error}")
            return
        for _, path, tier, salt, preimage in openings:
            where, right, beginning = self._place(plan, path)
            commitment = commitments.pop(where, None)
            if b64(field_commitment(salt, preimage)) != commitment:
                reason = "not what was committed to" if commitment else "no such commitment"
            elif not preimage.startswith(beginning):
                reason = "its content is for another path"
            elif tier != right:
                reason = "is stored at another disclosure tier than was logged"
            else:
                continue
            self._problem(f"opening {ascii(where)[1:-1]} of entry {index}: {reason}")
        self.openings_missing += len(commitments)

    def _place(self, plan: Plan, path: bytes) -> _Place:
        place = self._places.get((plan, path))
        if place is None:
            text = path.decode(errors="replace")
            place = text, plan.tier_of(text), canonical.dump([text])[:-1] + b","
            if len(self._places) < _PLACES_KEPT:
                self._places[plan, path] = place
        return place
