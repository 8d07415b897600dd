"""The part of an audit that checks openings against the commitments of their bodies.

First whether they are just those that the bodies commit to, by writing what the
bodies must then begin with: for many entries at once where all commit to the
same paths, else entry by entry. Only where they are not, opening by opening,
what is wrong with which.

Next: provenance/auditing/recompute.py
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from itertools import groupby, islice, repeat
from operator import lt
from typing import TYPE_CHECKING, Final

from provenance import canonical
from provenance.disclosure.privacy import NONCE_SIZE as BODY_NONCE_SIZE
from provenance.disclosure.privacy import SALT_SIZE, b64, b64_each
from provenance.disclosure.subject_cipher import NONCE_SIZE
from provenance.disclosure.tiers import TierPolicy
from provenance.entries import Tier
from provenance.errors import EncodingError, WorkspaceDamaged
from provenance.hashing import HASH_SIZE, field_commitment, field_commitments
from provenance.store.storage import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    import apsw

    from provenance.disclosure.tiers import Plan
    from provenance.store.register import Register
    from provenance.store.subjects import SubjectKeys

__all__ = ["Openings", "stored_bodies"]

_BLOCK: Final = 1_000
_KEPT: Final = 10_000
_NO_POLICY: Final = TierPolicy({})
_NONCE_TEXT: Final = len(b64(bytes(BODY_NONCE_SIZE)))

# The format's own names sort before all others that are in use, so a body begins
# with them and need not be parsed to its end. Where this does not fit (a brace in
# a path, a draft with tiers of its own) the whole is parsed.
_HEAD: Final = re.compile(rb'\{"_c":(\{[^{}]*\}),"_n":"[^"]*","_v":"([^"\\]*)"')
_VERSION: Final = re.compile(rb'[^"]*","_v":"([^"\\]*)"')

_Row = tuple[int, bytes, int, bytes, bytes]
"""Index, path, tier, salt and preimage."""
_Joined = tuple[int, bytes, int, bytes]
"""Index, path, tier, and `salt || preimage`; empty where the salt is none of a plain opening."""
_Own = tuple[tuple[bytes, ...], tuple[int, ...], tuple[bytes, ...], list[bytes]]
"""Of one entry, or of several, paths, tiers, what is hashed, and what that gives, as text."""


class Openings:
    """What the openings of a log are found to be, as far as the pass has come.

    Attributes:
        missing: Commitments without a stored opening.
        locked: Openings under subject keys, whose file is not here; not checked.
        subjects: The keys of data subjects, if such are kept; to be set before the pass.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        problem: Callable[[str], None],
        miss: Callable[[int, Collection[str]], None],
    ) -> None:
        """Begin before entry 0.

        Args:
            connection: The database.
            problem: Is told one line for each thing that differs.
            miss: Judges which commitments of an entry have no opening, as `Gaps` does.
        """
        self.missing = 0
        self.locked = 0
        self.subjects: SubjectKeys | None = None
        self._connection = connection
        self._problem = problem
        self._miss = miss

    def check_stored(self, start: int, stop: int, register: Register | None) -> None:
        """Do as `check`, with the bodies that are stored."""
        self.check(start, stop, stored_bodies(self._connection, start, stop), register)

    def check(
        self, start: int, stop: int, bodies: dict[int, bytes | None], register: Register | None
    ) -> None:
        """Check the openings of some entries.

        Args:
            start: The first entry.
            stop: One past the last.
            bodies: Those that are stored.
            register: What governs them.
        """
        unopened = {}
        if b'"_c":' in b"".join(filter(None, bodies.values())):
            unopened = {index: body for index, body in bodies.items() if body and b'"_c":' in body}
        # Entry by entry, not as a list: there are many, and none is needed twice.
        for block in _blocks(self._joined(start, stop)):
            self._check_block(block, unopened, register)
        for index, body in unopened.items():
            policy = register.tiers_at(index) if register else _NO_POLICY
            self._note_missing(index, self._commitments(index, body, policy)[0])

    def _joined(self, start: int, stop: int) -> Iterable[_Joined]:
        if self.subjects is None:
            # Paths as bytes: a changed one need not be text any more. Joined by SQLite, which
            # is sooner; where the salt ends is asked, or bytes could be moved over unseen.
            ask = (
                "SELECT idx, CAST(path AS BLOB), tier, "
                "CASE length(salt) WHEN ?3 THEN CAST(salt || preimage AS BLOB) ELSE x'' END "
                "FROM opening WHERE idx >= ?1 AND idx < ?2 ORDER BY idx, path"
            )
            return self._connection.execute(ask, (start, stop, SALT_SIZE))
        return (
            (index, path, tier, salt + preimage if len(salt) == SALT_SIZE else b"")
            for index, path, tier, salt, preimage in self._stored(start, stop)
        )

    def _stored(self, start: int, stop: int) -> Iterable[_Row]:
        ask = (
            "SELECT idx, CAST(path AS BLOB), tier, salt, preimage FROM opening "
            "WHERE idx >= ? AND idx < ? ORDER BY idx, path"
        )
        stored: Iterable[_Row] = self._connection.execute(ask, (start, stop))
        return stored if self.subjects is None else self._decrypted(stored, self.subjects)

    def _check_block(
        self, block: list[_Joined], unopened: dict[int, bytes], register: Register | None
    ) -> None:
        indexes, paths, tiers, sealed = zip(*block, strict=True)
        committed = b64_each(field_commitments(sealed), HASH_SIZE)
        if self._are_alike(indexes, (paths, tiers, sealed, committed), unopened, register):
            return
        start = 0
        for index, run in groupby(indexes):
            stop = start + len(list(run))
            at = slice(start, stop)
            start = stop
            body = unopened.pop(index, None)
            policy = register.tiers_at(index) if register else _NO_POLICY
            own = paths[at], tiers[at], sealed[at], committed[at]
            if body is None or not _are_as_committed([body], own, policy):
                self._explain(index, body, policy)

    @staticmethod
    def _are_alike(
        indexes: tuple[int, ...],
        all_: _Own,
        unopened: dict[int, bytes],
        register: Register | None,
    ) -> bool:
        """Say whether all entries of a block commit to the same paths, and each as it must.

        So it is with most, and then none of them needs to be looked at by itself.
        """
        width = indexes.count(indexes[0])
        ours = indexes[::width]
        bodies = [body for index in ours if (body := unopened.get(index)) is not None]
        policy = register.tiers_at(ours[0]) if register else _NO_POLICY
        if (
            len(bodies) * width != len(indexes)
            or any(indexes[at::width] != ours for at in range(1, width))
            or not all(map(lt, ours, ours[1:]))
            or (register is not None and register.tiers_at(ours[-1]) is not policy)
            or not _are_as_committed(bodies, all_, policy)
        ):
            return False
        for index in ours:
            del unopened[index]
        return True

    def _note_missing(self, index: int, commitments: dict[str, str]) -> None:
        if commitments:
            self.missing += len(commitments)
            self._miss(index, commitments)

    @staticmethod
    def _decrypted(stored: Iterable[_Row], subjects: SubjectKeys) -> Iterator[_Row]:
        """Decrypt what is stored under subject keys; what has lost its key is as if not stored."""
        for index, path, tier, salt, preimage in stored:
            opening: tuple[bytes, bytes] | None = salt, preimage
            if len(salt) == NONCE_SIZE and not subjects.absent:
                # What does not open stays as it is, and is then not what was committed to.
                with suppress(WorkspaceDamaged):
                    opening = subjects.decrypt(index, path.decode(errors="replace"), salt, preimage)
            if opening is not None:
                yield index, path, tier, *opening

    def _explain(self, index: int, body: bytes | None, policy: TierPolicy) -> None:
        """Say which openings are not as they must be, and which are missing."""
        commitments, plan = self._commitments(index, body, policy)
        for _, path, tier, salt, preimage in self._stored(index, index + 1):
            where = path.decode(errors="replace")
            commitment = commitments.pop(where, None)
            if len(salt) == NONCE_SIZE and self.subjects is not None and self.subjects.absent:
                self.locked += 1
            elif commitment is None:
                self._tell(index, where, "there is no such commitment")
            elif b64(field_commitment(salt, preimage)) != commitment:
                self._tell(index, where, "not what was committed to")
            elif tier != plan.tier_of(where):
                self._tell(index, where, "is stored at another disclosure tier than was logged")
            elif not preimage.startswith(_beginning(where)):
                self._tell(index, where, "its content is for another path")
        self._note_missing(index, commitments)

    def _tell(self, index: int, path: str, reason: str) -> None:
        self._problem(f"opening {ascii(path)[1:-1]} of entry {index}: {reason}")

    def _commitments(
        self, index: int, body: bytes | None, policy: TierPolicy
    ) -> tuple[dict[str, str], Plan]:
        """Read the commitments of a body and the rules that its openings' tiers follow."""
        if body is None:
            return {}, policy.plan("", {})
        head = _HEAD.match(body)
        try:
            if head is not None:
                return canonical.loads(head[1]), policy.plan(head[2].decode(errors="replace"), {})
            content = canonical.loads(body)
            own = {pattern: Tier[name.upper()] for pattern, name in content.get("_t", {}).items()}
            return dict(content.get("_c", ())), policy.plan(content["_v"], own)
        except (EncodingError, AttributeError, KeyError, TypeError, ValueError) as error:
            self._problem(f"body {index}: cannot be read: {error}")
            return {}, policy.plan("", {})


def stored_bodies(connection: apsw.Connection, start: int, stop: int) -> dict[int, bytes | None]:
    """Read the bodies of the entries start <= index < stop."""
    return dict(
        rows(connection, "SELECT idx, body FROM body WHERE idx >= ? AND idx < ?", start, stop)
    )


def _blocks(stored: Iterable[_Joined]) -> Iterator[list[_Joined]]:
    """Gather the openings of whole entries, until they are about a thousand."""
    rest = iter(stored)
    block: list[_Joined] = []
    while more := [*islice(rest, _BLOCK)]:
        block += more
        # The last entry's may go on beyond them, so they wait.
        stop = len(block)
        while stop and block[stop - 1][0] == block[-1][0]:
            stop -= 1
        if stop:
            yield block[:stop]
            block = block[stop:]
    if block:
        yield block


def _are_as_committed(bodies: list[bytes], own: _Own, policy: TierPolicy) -> bool:
    """Say whether openings are all that bodies commit to, each as it must be.

    False says nothing: a body may also be written in a way that this does not know.

    Args:
        bodies: Of entries.
        own: Their openings, as many for each.
        policy: What governs all of them.
    """
    paths, tiers, sealed, committed = own
    count = len(bodies)
    first = paths[: len(paths) // count]
    form, size, beginnings = _form(first)
    after = size + _NONCE_TEXT
    version = _VERSION.match(bodies[0], size)
    if version is None or paths != first * count:
        return False
    right = _tiers(policy.plan(version[1].decode(errors="replace"), {}), first)
    rest = version[0][_NONCE_TEXT:]
    return (
        tiers == right * count
        and form * count % (*committed,) == b"".join([body[:size] for body in bodies])
        and b'"' not in b"".join([body[size:after] for body in bodies])
        and all(map(bytes.startswith, bodies, repeat(rest), repeat(after)))
        and all(_begin_so(sealed[at :: len(first)], own) for at, own in enumerate(beginnings))
    )


def _begin_so(sealed: Sequence[bytes], beginning: bytes) -> bool:
    stop = SALT_SIZE + len(beginning)
    return {one[SALT_SIZE:stop] for one in sealed} == {beginning}


@lru_cache(maxsize=_KEPT)
def _form(paths: tuple[bytes, ...]) -> tuple[bytes, int, list[bytes]]:
    """Return how a body with commitments at `paths` begins, its size, and how preimages begin."""
    texts = [path.decode(errors="replace") for path in paths]
    names = [canonical.dump(text).replace(b"%", b"%%") for text in texts]
    fields = b",".join([name + b':"%b"' for name in names])
    form = b'{"_c":{' + fields + b'},"_n":"'
    size = len(form % (*[b64(bytes(HASH_SIZE)).encode() for _ in paths],))
    return form, size, [_beginning(text) for text in texts]


@lru_cache(maxsize=_KEPT)
def _tiers(plan: Plan, paths: tuple[bytes, ...]) -> tuple[int, ...]:
    return tuple([int(plan.tier_of(path.decode(errors="replace"))) for path in paths])


@lru_cache(maxsize=_KEPT)
def _beginning(path: str) -> bytes:
    return canonical.dump([path])[:-1] + b","
