"""Before the lock: all of an append that needs no place in the log yet.

Contents become canonical bytes, rows are looked up, and what looks new is
sealed. The answer is provisional, because other processes append meanwhile:
`writing` decides again under the lock, with the same `verdict_of`.

Next: provenance/writing.py
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from provenance import canonical
from provenance.entries import Draft, Outcome
from provenance.hashing import body_digests
from provenance.head import read_head
from provenance.sealing import seal_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import apsw

    from provenance.clock import Entropy
    from provenance.identity import Held, Row, Rows
    from provenance.privacy import PlainOpening
    from provenance.tiers import TierPolicy

__all__ = ["Batch", "Prepared", "collector_at_rest", "prepare", "verdict_of"]


class Prepared(NamedTuple):
    """A draft with all that can be computed outside the lock."""

    draft: Draft
    rows: tuple[Row, ...]
    body: bytes
    digest: bytes
    openings: list[PlainOpening]


class Batch(NamedTuple):
    """The drafts of one append, prepared outside the lock.

    Attributes:
        items: What to append, or what became of a draft that was known already.
        held: What the log held of their row keys.
        size: How long the log was then, or shorter.
    """

    items: list[Prepared | Outcome]
    held: Mapping[bytes, Held]
    size: int


def prepare(
    connection: apsw.Connection,
    rows: Rows,
    drafts: Sequence[Draft],
    policy: TierPolicy,
    entropy: Entropy,
) -> Batch:
    """Seal the drafts that look new; what is known already costs no sealing.

    The answer is provisional: another process may append meanwhile, so `commit`
    looks again under the lock.

    Raises:
        EncodingError: A content is outside the canonical domain.
    """
    # The size first: rows that come in between are then looked up again.
    size = read_head(connection).size
    wholes = [canonical.encode(draft.content) for draft in drafts]
    digested = rows.digest(drafts, wholes)
    held = rows.held([key for own in digested for key, _ in own])
    verdicts = _provisional(drafts, digested, held)
    new = [at for at, verdict in enumerate(verdicts) if verdict is None]
    ours = [drafts[at] for at in new]
    bodies, openings = seal_all(ours, [wholes[at] for at in new], policy, entropy)
    digests = body_digests(bodies)
    prepared = map(Prepared, ours, [digested[at] for at in new], bodies, digests, openings)
    return Batch([verdict or next(prepared) for verdict in verdicts], held, size)


def _provisional(
    drafts: Sequence[Draft], digested: Sequence[tuple[Row, ...]], held: Mapping[bytes, Held]
) -> list[Outcome | None]:
    if not held:
        return [None] * len(drafts)
    verdicts: list[Outcome | None] = []
    undecided: set[bytes] = set()
    for draft, own in zip(drafts, digested, strict=True):
        verdict = verdict_of(draft, own, held)
        # A row that comes back after a newer version within this call is no duplicate.
        if verdict is None or any(key in undecided for key, _ in own):
            undecided.update([key for key, _ in own])
            verdict = None
        verdicts.append(verdict)
    return verdicts


def verdict_of(draft: Draft, rows: tuple[Row, ...], known: Mapping[bytes, Held]) -> Outcome | None:
    """Say what known row keys make of a draft; None means append it."""
    # Nearly always there is one key, and it is new.
    hits = [(known[key], digest) for key, digest in rows if key in known] if known else ()
    if not hits:
        return None
    # Of an erased content nobody can say whether it is the same: what cannot have a second
    # version is taken for it, so that a file that comes again brings nothing back.
    gone = None if draft.on_change == "conflict" else b""
    same = [index for (stored, index), digest in hits if stored in {digest, gone}]
    if draft.on_change == "version" and not same:
        return None
    if len(same) == len(rows):
        return Outcome("duplicate", same[-1])
    first = hits[0][0][1]
    return Outcome("conflict" if len(rows) == 1 else "stale", first)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep Python's garbage collector from looking, again and again, through a growing batch.

    An append makes many small objects, keeps nearly all of them to its end, and
    leaves no cycles: there is nothing to be found. It took a sixth of the time.
    """
    was_at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_at_work:
            gc.enable()
