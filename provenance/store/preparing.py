"""Before the lock: all of an append that needs no place in the log yet.

Contents become canonical bytes, identities row keys, and fields that are not
public commitments. A `Preparer` does that with the workspace secret and the
register alone, so any process may: what it makes holds plain bytes in columns,
which cost little to hand to the process that writes.

What the log holds already is a provisional answer here, because other processes
append meanwhile: `writing` decides again under the lock, with the same `verdict_of`.

Next: provenance/store/writing.py
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from provenance import canonical
from provenance.disclosure.sealing import seal_all
from provenance.entries import Draft, EntryType, OnChange, Outcome
from provenance.hashing import body_digests
from provenance.store.head import read_head
from provenance.store.row_keys import Digester, keys_of, split_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import apsw

    from provenance.clock import Entropy
    from provenance.disclosure.sealing import Shape
    from provenance.store.identity import Rows
    from provenance.store.register import Register
    from provenance.store.row_keys import Held

__all__ = [
    "Batch",
    "Prepared",
    "Preparer",
    "collector_at_rest",
    "prepare",
    "taken",
    "verdict_of",
]


class Prepared(NamedTuple):
    """Drafts with all that can be computed outside the lock, in columns: one value a draft each.

    Attributes:
        governing: The entries of the register that they were sealed under.
        kinds: Entry types.
        changes: What known keys with other content mean.
        rows: The rows of their identities, one after the other; see `identity.Digester`.
        bodies: Canonical bytes.
        digests: Their digests.
        shapes: What each commits to.
        sealed: `salt || preimage` of each commitment, draft after draft: this column alone has
            as many values a draft as its shape has paths.
        lots: As in the drafts.
        subjects: As in the drafts.
    """

    governing: tuple[int, ...]
    kinds: list[EntryType]
    changes: list[OnChange]
    rows: list[bytes]
    bodies: list[bytes]
    digests: list[bytes]
    shapes: list[Shape]
    sealed: list[bytes]
    lots: list[tuple[tuple[str, str, str], ...]]
    subjects: list[Mapping[str, str] | None]


class Batch(NamedTuple):
    """The drafts of one append.

    Attributes:
        prepared: Those to append, as far as can be told.
        known: What became of those that the log held already, by their place; None where nobody
            has asked it.
        held: What the log held of the row keys.
        size: How long the log was then, or shorter; None where nobody has asked it.
    """

    prepared: Prepared
    known: Mapping[int, Outcome]
    held: Mapping[bytes, Held]
    size: int | None


class Preparer:
    """Prepares drafts for the log; needs no database.

    Attributes:
        governing: The entries of the register that it prepares under.
    """

    def __init__(self, secret: bytes, register: Register, entropy: Entropy) -> None:
        """Prepare under the policy that is in force now.

        Args:
            secret: The workspace's, for row keys.
            register: Of the log.
            entropy: Gives nonces and salts; of this process, and never a copy of another's.
        """
        self.governing = register.entries
        self._policy = register.tiers
        self._entropy = entropy
        self._digester = Digester(secret)

    def prepare(self, drafts: Sequence[Draft]) -> Prepared:
        """Prepare drafts, whatever the log holds of them.

        Raises:
            EncodingError: A content is outside the canonical domain.
        """
        with collector_at_rest():
            return self.seal(drafts, *self.digest(drafts))

    def digest(self, drafts: Sequence[Draft]) -> tuple[list[bytes], list[bytes]]:
        """Return the canonical bytes of the drafts' contents, and the rows of their identities.

        Raises:
            EncodingError: A content is outside the canonical domain.
        """
        wholes = canonical.encode_each([draft.content for draft in drafts])
        return wholes, self._digester(drafts, wholes)

    def seal(self, drafts: Sequence[Draft], wholes: Sequence[bytes], rows: list[bytes]) -> Prepared:
        """Do the rest of it; the arguments are those of `digest`, and its answer.

        Raises:
            EncodingError: A content uses a name that is reserved, or makes too large a body.
        """
        bodies, shapes, sealed = seal_all(drafts, wholes, self._policy, self._entropy)
        return Prepared(
            governing=self.governing,
            kinds=[draft.type for draft in drafts],
            changes=[draft.on_change for draft in drafts],
            rows=rows,
            bodies=bodies,
            digests=body_digests(bodies),
            shapes=shapes,
            sealed=sealed,
            lots=[draft.lots for draft in drafts],
            subjects=[draft.subjects for draft in drafts],
        )


def prepare(
    connection: apsw.Connection, rows: Rows, preparer: Preparer, drafts: Sequence[Draft]
) -> Batch:
    """Prepare the drafts that look new; what is known already costs no sealing.

    Raises:
        EncodingError: A content is outside the canonical domain.
    """
    # The size first: rows that come in between are then looked up again.
    size = read_head(connection).size
    wholes, own = preparer.digest(drafts)
    held = rows.held(keys_of(own))
    known = _provisional(drafts, own, held)
    if known:
        new = [at for at in range(len(drafts)) if at not in known]
        drafts = [drafts[at] for at in new]
        wholes = [wholes[at] for at in new]
        own = [own[at] for at in new]
    return Batch(preparer.seal(drafts, wholes, own), known, held, size)


def _provisional(
    drafts: Sequence[Draft], rows: Sequence[bytes], held: Mapping[bytes, Held]
) -> dict[int, Outcome]:
    """Say what became of those drafts of which it can be told now."""
    if not held:
        return {}
    verdicts: dict[int, Outcome] = {}
    undecided: set[bytes] = set()
    for at, (draft, own) in enumerate(zip(drafts, rows, strict=True)):
        verdict = verdict_of(draft.on_change, own, held)
        keys = keys_of([own])
        # A row that comes back after a newer version within this call is no duplicate.
        if verdict is None or not undecided.isdisjoint(keys):
            undecided.update(keys)
        else:
            verdicts[at] = verdict
    return verdicts


def verdict_of(on_change: OnChange, own: bytes, known: Mapping[bytes, Held]) -> Outcome | None:
    """Say what known row keys make of a draft; None means append it.

    Args:
        on_change: What known keys with other content mean to it.
        own: Its rows.
        known: What is held of their keys, and of others.
    """
    rows = split_rows(own)
    hits = [(known[key], digest) for key, digest in rows if key in known]
    if not hits:
        return None
    # Of an erased content nobody can say whether it is the same: what cannot have a second
    # version is taken for it, so that a file that comes again brings nothing back.
    gone = None if on_change == "conflict" else b""
    same = [index for (stored, index), digest in hits if stored in {digest, gone}]
    if on_change == "version" and not same:
        return None
    if len(same) == len(rows):
        return Outcome("duplicate", same[-1])
    first = hits[0][0][1]
    return Outcome("conflict" if len(rows) == 1 else "stale", first)


def taken(prepared: Prepared, places: Sequence[int]) -> Prepared:
    """Take some of the drafts, in rising order."""
    rest = iter(prepared.sealed)
    own = [list(islice(rest, len(shape[0]))) for shape in prepared.shapes]

    def chosen(column: list[Any]) -> list[Any]:
        return [column[at] for at in places]

    return prepared._replace(
        kinds=chosen(prepared.kinds),
        changes=chosen(prepared.changes),
        rows=chosen(prepared.rows),
        bodies=chosen(prepared.bodies),
        digests=chosen(prepared.digests),
        shapes=chosen(prepared.shapes),
        sealed=[one for sealed in chosen(own) for one in sealed],
        lots=chosen(prepared.lots),
        subjects=chosen(prepared.subjects),
    )


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
