"""A log that takes nothing: what would become of drafts, for those who want all or none.

Next: provenance/log.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.entries import Known, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provenance.entries import Draft, Entry, Identity
    from provenance.ingest.ports import LogWriter
    from provenance.store.preparing import Preparer
    from provenance.store.register import Register

__all__ = ["Rehearsal"]


class Rehearsal:
    """`LogWriter` in front of a log: reads come from it, appends are only remembered."""

    def __init__(self, log: LogWriter) -> None:
        """Rehearse in front of `log`."""
        self._log = log
        self.origin = log.origin
        self._held: dict[tuple[str, ...], tuple[object, int]] = {}
        self._lots: dict[str, set[tuple[str, str]]] = {}
        self._next = log.size

    @property
    def register(self) -> Register:
        """The log's."""
        return self._log.register

    @property
    def size(self) -> int:
        """Number of entries, with those that were not appended."""
        return self._next

    def batch_of(self, index: int) -> int | None:
        """The log's."""
        return self._log.batch_of(index)

    def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Say what would become of drafts."""
        return [self._one(draft) for draft in drafts]

    def _one(self, draft: Draft) -> Outcome:
        found = [one for one in self.known(draft.identities) if one is not None]
        if not found:
            index, self._next = self._next, self._next + 1
            for key, content in draft.identities:
                self._held[key] = (draft.content if content is None else content, index)
            for lot, party, product in draft.lots:
                self._lots.setdefault(lot, set()).add((party, product))
            return Outcome("appended", index)
        if len(found) == len(draft.identities) and all(one.same for one in found):
            return Outcome("duplicate", found[-1].index)
        return Outcome("conflict" if len(draft.identities) == 1 else "stale", found[0].index)

    def preparer(self) -> Preparer:
        """The log's."""
        return self._log.preparer()

    def known(self, identities: Sequence[Identity]) -> list[Known | None]:
        """Look identities up, in the log and among what was not appended."""
        found = self._log.known(identities)
        for place, (key, content) in enumerate(identities):
            if key in self._held and found[place] is None:
                said, index = self._held[key]
                found[place] = Known(index, said == content)
        return found

    def makers(self, lot_id: str) -> list[tuple[str, str]]:
        """Who makes a lot, or would."""
        return sorted({*self._log.makers(lot_id), *self._lots.get(lot_id, ())})

    def makers_of(self, lot_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """Who makes some lots, or would."""
        own = [(lot, *pair) for lot in lot_ids for pair in self._lots.get(lot, ())]
        return [*self._log.makers_of(lot_ids), *own]

    def entries(self, start: int, stop: int | None = None) -> Iterator[Entry]:
        """The log's entries; what was not appended is none."""
        return self._log.entries(start, stop)

    def indexes(self, types: Iterable[int], start: int, stop: int) -> list[int]:
        """Of the log's entries; what was not appended is none."""
        return self._log.indexes(types, start, min(stop, self._log.size))

    def entry(self, index: int) -> Entry:
        """The log's entry; in the place of one that was not appended, the log's first."""
        return self._log.entry(index if index < self._log.size else 0)

    def checkpoint(self) -> str:
        """The log's."""
        return self._log.checkpoint()
