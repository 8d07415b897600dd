"""A log in memory that can be read, erased from and tampered with."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from provenance.disclosure.privacy import seal
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Entry, Opening
from provenance.hashing import body_digest, chain_next, chain_start, leaf_hash
from provenance.proving.leaf import encode_leaf
from provenance.proving.merkle import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provenance.entries import Draft


class MemoryLog:
    """Entries as storage gives them back; what `graph.sync` and replays read."""

    def __init__(self, drafts: list[Draft]) -> None:
        """Append the drafts in order."""
        self._entropy = random.Random(11).randbytes
        self.held: list[Entry] = []
        for draft in drafts:
            self.append(draft)

    def copy(self) -> MemoryLog:
        """A log of the same entries, to be changed alone; entries themselves never change."""
        other = MemoryLog([])
        other.held = [*self.held]
        return other

    def append(self, draft: Draft) -> Entry:
        """Append one draft, sealed as in any workspace."""
        index = len(self.held)
        sealed = seal(draft, DEFAULT_POLICY, self._entropy)
        chain = chain_next(self.held[-1].leaf) if self.held else chain_start("log.example/t")
        time = 1_774_000_000_000_000
        data = encode_leaf(draft.type, index, time, body_digest(sealed.body), chain)
        entry = Entry(
            index=index,
            type=draft.type,
            ingest_time_us=time,
            leaf=data,
            leaf_hash=leaf_hash(data),
            body=sealed.body,
            openings=tuple(Opening(*one) for one in sealed.openings),
        )
        self.held.append(entry)
        return entry

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.held)

    @property
    def root(self) -> bytes:
        """Root over all entries."""
        return tree_of([entry.leaf_hash for entry in self.held])[0]

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """The entries [start, stop)."""
        yield from self.held[start:stop]

    def indexes(self, types: Iterable[int], start: int, stop: int) -> list[int]:
        """The indices of the entries of some types among [start, stop)."""
        wanted = frozenset(types)
        return [one.index for one in self.held[start:stop] if one.type in wanted]

    def entry(self, index: int) -> Entry:
        """One entry."""
        return self.held[index]

    def close_field(self, index: int, path: str) -> None:
        """Delete the openings at and below a path, as an erasure does."""
        entry = self.held[index]
        kept = tuple(one for one in entry.openings if not one.path.startswith(path))
        assert len(kept) < len(entry.openings)
        self.held[index] = replace(entry, openings=kept)

    def erase(self, index: int) -> None:
        """Erase a whole body."""
        self.held[index] = replace(self.held[index], body=None, openings=())
