"""The pass of an audit over leaves, bodies and openings, which believes none of them.

Chain and tree are rebuilt from the leaves alone; bodies are checked against
the leaves, and full tiles as they come by; openings have a module of their own.
Each check asks of many entries at once whether all is as it must be, and only
where it is not looks for the reason, entry by entry: an audit is mostly
hashing, and should cost little more.

Next: provenance/auditing/audit.py
"""

from __future__ import annotations

from collections.abc import Callable
from operator import gt
from typing import TYPE_CHECKING, Any, Final

from provenance import canonical
from provenance.auditing.openings import Openings, stored_bodies
from provenance.entries import EntryType
from provenance.errors import EncodingError, VerificationError
from provenance.hashing import (
    HASH_SIZE,
    body_digest,
    body_digests,
    chain_next,
    chain_start,
    chain_values,
    leaf_hash,
    leaf_hashes,
)
from provenance.proving import merkle
from provenance.proving.leaf import LEAF_TIME, LEAF_TYPE, decode_leaf, refit_leaf, refit_leaves
from provenance.store.preparing import collector_at_rest
from provenance.store.register import Register
from provenance.store.signed_batch import check_batch
from provenance.store.storage import rows

if TYPE_CHECKING:
    import apsw

    from provenance.auditing.gaps import Gaps

__all__ = ["Recomputation"]

CheckOpenings = Callable[[int, int, dict[int, bytes | None], "Register | None"], None]

_POLICY, _ERASURE, _BATCH = (
    bytes([kind]) for kind in (EntryType.POLICY, EntryType.ERASURE, EntryType.BATCH)
)
_FOLLOWED: Final = frozenset((_POLICY, _ERASURE, _BATCH))
"""Types of entries that say something which the pass has to take up; as in a leaf."""


class Recomputation:
    """The log rebuilt as far as the pass has come.

    Attributes:
        position: The next index; so many entries there are, if none is missing.
        whole: No leaf is missing so far. Beyond a gap there is no tree to compare.
        edge: The tree over the leaves so far.
        chain: The chain value after the last leaf.
        openings: What the pass has found of them.
        check_openings: Checks them as the pass goes along; to be replaced where others do it.
        register: What governs the log, from the entries so far; None without entry 0.
    """

    def __init__(
        self, connection: apsw.Connection, origin: str, problem: Callable[[str], None], gaps: Gaps
    ) -> None:
        """Begin before entry 0.

        Args:
            connection: The database.
            origin: The log's name.
            problem: Is told one line for each thing that differs.
            gaps: Judges what is missing.
        """
        self.position = 0
        self.whole = True
        self.edge = merkle.EMPTY_EDGE
        self.chain = chain_start(origin)
        self._time = bytes(8)  # as it stands in a leaf: big-endian bytes compare like numbers
        self._connection = connection
        self._origin = origin
        self._problem = problem
        self._gaps = gaps
        self.register: Register | None = None
        self.openings = Openings(connection, problem, gaps.missing_openings)
        self.check_openings: CheckOpenings = self.openings.check

    @property
    def time_us(self) -> int:
        """The latest ingest time so far, microseconds since the epoch."""
        return int.from_bytes(self._time)

    @collector_at_rest()
    def advance(self, count: int) -> bool:
        """Recompute the next `count` entries; False where there are none left."""
        start = self.position
        ask = "SELECT idx, leaf FROM leaf WHERE idx >= ? ORDER BY idx LIMIT ?"
        leaves = rows(self._connection, ask, start, count)
        if not leaves:
            return False
        stop = leaves[-1][0] + 1
        bodies = stored_bodies(self._connection, start, stop)
        hashes = self._fitting(leaves, bodies) or self._check_leaves(leaves, bodies)
        for index in sorted(bodies.keys() - {index for index, _ in leaves}):
            self._problem(f"body {index}: there is no leaf for it")
        self.check_openings(start, stop, bodies, self.register)
        self._gaps.still_there(start, stop, bodies)
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

    def _fitting(
        self, leaves: list[tuple[Any, ...]], bodies: dict[int, bytes | None]
    ) -> list[bytes] | None:
        """Do as `_check_leaves` where nothing is wrong with any of the leaves; else nothing."""
        places = range(self.position, self.position + len(leaves))
        indexes, stored = zip(*leaves, strict=True)
        found = [body for body in bodies.values() if body is not None]
        if indexes != tuple(places) or [*bodies] != [*places] or len(found) != len(leaves):
            return None
        values = [self.chain, *chain_values(stored)]
        kinds = [leaf[LEAF_TYPE] for leaf in stored]
        times = [leaf[LEAF_TIME] for leaf in stored]
        right = refit_leaves(kinds, places, times, body_digests(found), values)
        if [*stored] != right or any(map(gt, [self._time, *times], times)):
            return None
        if places[0] == 0 or not _FOLLOWED.isdisjoint(kinds):
            for index, leaf in leaves:
                if leaf[LEAF_TYPE] in _FOLLOWED or index == 0:
                    self._follow(index, leaf, bodies[index])
        self.position, self.chain, self._time = places.stop, values[-1], times[-1]
        return leaf_hashes(stored)

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
            digest = b"" if body is None else body_digest(body)
            time_us = leaf[LEAF_TIME]
            right = refit_leaf(leaf, index, digest, self.chain)
            if leaf != right or time_us < self._time or body is None:
                self._explain_leaf(index, leaf, body, digest)
            if leaf[LEAF_TYPE] in _FOLLOWED or index == 0:
                self._follow(index, leaf, body)
            self._time = max(self._time, time_us)
            self.position = index + 1
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
        if data[LEAF_TIME] < self._time:
            self._problem(f"leaf {index}: its time is before that of the leaf before")
        if body is None:
            self._gaps.missing_body(index, leaf.type)
        elif digest != leaf.body_digest:
            self._problem(f"body {index}: not the content that was logged in leaf {index}")

    def _follow(self, index: int, leaf: bytes, body: bytes | None) -> None:
        """Take up an entry that says how others are to be judged, or that is signed itself."""
        if leaf[LEAF_TYPE] == _POLICY or index == 0:
            self._govern(index, leaf[LEAF_TYPE], body)
        elif leaf[LEAF_TYPE] == _ERASURE:
            self._gaps.erasure(index)
        elif body and b'"note":' in body:
            self._check_batch(index, body, int.from_bytes(leaf[LEAF_TIME]))

    def _govern(self, index: int, kind: bytes, body: bytes | None) -> None:
        """Replay an entry of the register: keys and tiers that later ones are checked against."""
        try:
            if index == 0:
                register = Register.founded(body if kind == _POLICY else b"null")
            elif self.register is not None:
                register = self.register.followed(index, body)
            else:
                return
        except EncodingError as error:
            self._problem(f"body {index}: does not govern the log {self._origin}: {error}")
            return
        if register.origin == self._origin:
            self.register = register
        else:
            self._problem(f"body {index}: governs the log {register.origin}, not {self._origin}")

    def _check_batch(self, index: int, body: bytes, time_us: int) -> None:
        """See that a signed batch was signed with a key that was its party's then."""
        try:
            content = canonical.loads(body)
            if self.register is not None and {"party", "count", "root"} <= content.keys():
                check_batch(content, self.register, index, time_us)
        except (AttributeError, EncodingError, VerificationError) as error:
            self._problem(f"batch {index}: is not signed as it must be: {error}")
