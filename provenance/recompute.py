"""The pass of an audit over leaves, bodies and openings, which believes none of them.

Chain and tree are rebuilt from the leaves alone; bodies are checked against
the leaves, openings against the bodies, and full tiles as they come by. Each
check asks first whether all is as it must be, and only where it is not looks
for the reason: an audit is mostly hashing, and should cost little more.

Next: provenance/audit.py
"""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from provenance import canonical, merkle
from provenance.entries import EntryType, Tier
from provenance.errors import EncodingError, VerificationError, WorkspaceDamaged
from provenance.hashing import (
    HASH_SIZE,
    body_digest,
    chain_next,
    chain_start,
    field_commitment,
    leaf_hash,
)
from provenance.leaf import LEAF_TIME, decode_leaf, refit_leaf
from provenance.privacy import b64
from provenance.register import Register
from provenance.signed_batch import check_batch
from provenance.storage import rows
from provenance.subject_cipher import NONCE_SIZE
from provenance.tiers import TierPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import apsw

    from provenance.gaps import Gaps
    from provenance.subjects import SubjectKeys
    from provenance.tiers import Plan

__all__ = ["Recomputation"]

_PLACES_KEPT: Final = 10_000
_NO_POLICY: Final = TierPolicy({})

# The format's own names sort before all others that are in use, so a body begins
# with them and need not be parsed to its end. Where this does not fit (a brace in
# a path, a draft with tiers of its own) the whole is parsed.
_HEAD: Final = re.compile(rb'\{"_c":(\{[^{}]*\}),"_n":"[^"]*","_v":"([^"\\]*)"')

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
        openings_missing: Commitments without a stored opening.
        subjects: The keys of data subjects, if such are kept; to be set before the pass.
        openings_locked: Openings under subject keys, whose file is not here; not checked.
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
        self.openings_missing = 0
        self._connection = connection
        self._origin = origin
        self._problem = problem
        self._gaps = gaps
        self.register: Register | None = None
        self.subjects: SubjectKeys | None = None
        self.openings_locked = 0
        self._places: dict[Plan, dict[bytes, _Place]] = defaultdict(dict)

    @property
    def time_us(self) -> int:
        """The latest ingest time so far, microseconds since the epoch."""
        return int.from_bytes(self._time)

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
            if leaf[4] == EntryType.POLICY or index == 0:
                self._govern(index, leaf[4], body)
            elif leaf[4] == EntryType.BATCH and body and b'"note":' in body:
                self._check_batch(index, body, int.from_bytes(time_us))
            elif leaf[4] == EntryType.ERASURE:
                self._gaps.erasure(index)
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

    def _govern(self, index: int, kind: int, body: bytes | None) -> None:
        """Replay an entry of the register: keys and tiers that later ones are checked against."""
        try:
            if index == 0:
                register = Register.founded(body if kind == EntryType.POLICY else b"null")
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

    def _check_openings(self, start: int, stop: int, bodies: dict[int, bytes | None]) -> None:
        """Check openings against the commitments of their bodies."""
        # Paths as bytes: a changed one need not be text any more.
        ask = (
            "SELECT idx, CAST(path AS BLOB), tier, salt, preimage FROM opening "
            "WHERE idx >= ? AND idx < ? ORDER BY idx"
        )
        unopened = {index: body for index, body in bodies.items() if body and b'"_c":' in body}
        current = -1
        commitments: dict[str, str] = {}
        # Row by row, not as a list: there are many, and none is needed twice.
        stored: Iterable[tuple[Any, ...]] = self._connection.execute(ask, (start, stop))
        if self.subjects is not None:
            stored = self._decrypted(stored, self.subjects)
        for index, path, tier, salt, preimage in stored:
            if index != current:
                self._missing(current, commitments)
                current = index
                commitments, plan = self._commitments(index, unopened.pop(index, None))
                places = self._places[plan]
            where, right, beginning = places.get(path) or self._place(plan, path)
            commitment = commitments.pop(where, None)
            opens = b64(field_commitment(salt, preimage)) == commitment
            if not opens or tier != right or not preimage.startswith(beginning):
                if len(salt) == NONCE_SIZE and self.subjects is not None and self.subjects.absent:
                    self.openings_locked += 1
                    continue
                self._explain_opening(
                    index, where, commitment, opens=opens, tier_right=tier == right
                )
        self._missing(current, commitments)
        for index, body in unopened.items():
            self._missing(index, self._commitments(index, body)[0])

    def _missing(self, index: int, commitments: dict[str, str]) -> None:
        if commitments:
            self.openings_missing += len(commitments)
            self._gaps.missing_openings(index, commitments)

    @staticmethod
    def _decrypted(
        stored: Iterable[tuple[Any, ...]], subjects: SubjectKeys
    ) -> Iterator[tuple[Any, ...]]:
        """Decrypt what is stored under subject keys; what has lost its key is as if not stored."""
        for index, path, tier, salt, preimage in stored:
            opening: tuple[bytes, bytes] | None = salt, preimage
            if len(salt) == NONCE_SIZE and not subjects.absent:
                # What does not open stays as it is, and is then not what was committed to.
                with suppress(WorkspaceDamaged):
                    opening = subjects.decrypt(index, path.decode(errors="replace"), salt, preimage)
            if opening is not None:
                yield index, path, tier, *opening

    def _commitments(self, index: int, body: bytes | None) -> tuple[dict[str, str], Plan]:
        """Read the commitments of a body and the rules that its openings' tiers follow."""
        policy = self.register.tiers_at(index) if self.register else _NO_POLICY
        if body is None:
            return {}, policy.plan("", {})
        head = _HEAD.match(body)
        try:
            if head is not None:
                return canonical.loads(head[1]), policy.plan(head[2].decode(), {})
            content = canonical.loads(body)
            own = {pattern: Tier[name.upper()] for pattern, name in content.get("_t", {}).items()}
            return dict(content.get("_c", ())), policy.plan(content["_v"], own)
        except (EncodingError, AttributeError, KeyError, TypeError, ValueError) as error:
            self._problem(f"body {index}: cannot be read: {error}")
            return {}, policy.plan("", {})

    def _explain_opening(
        self, index: int, path: str, commitment: str | None, *, opens: bool, tier_right: bool
    ) -> None:
        if commitment is None:
            reason = "there is no such commitment"
        elif not opens:
            reason = "not what was committed to"
        elif not tier_right:
            reason = "is stored at another disclosure tier than was logged"
        else:
            reason = "its content is for another path"
        self._problem(f"opening {ascii(path)[1:-1]} of entry {index}: {reason}")

    def _place(self, plan: Plan, path: bytes) -> _Place:
        text = path.decode(errors="replace")
        place = text, plan.tier_of(text), canonical.dump([text])[:-1] + b","
        if len(self._places[plan]) < _PLACES_KEPT:
            self._places[plan][path] = place
        return place
