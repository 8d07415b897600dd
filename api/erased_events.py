"""How many events of a log were erased whole: of what is missing, that may be the reason.

Which goods such an event was about is forgotten with it, so a page can only say that there are
some, never that this one is among them.

Next: api/store_reading.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.disclosure.erased import erasure_key, read_erasure
from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Tier
from provenance.proving.leaf import LEAF_TYPE

if TYPE_CHECKING:
    from provenance.store.reading import LogReader

__all__ = ["ErasedEvents"]

_EVENTS = frozenset(bytes([kind]) for kind in (EntryType.EVENT, EntryType.CORRECTION))


class ErasedEvents:
    """The count, kept up with the log; an erasure is read once."""

    def __init__(self, log: LogReader) -> None:
        """Read `log`."""
        self._log = log
        self._following = 1
        self._found: set[int] = set()

    def count(self) -> int:
        """Return the count as of now."""
        log = self._log
        while (at := log.find(erasure_key(log.origin, self._following))) is not None:
            for index, path in read_erasure(open_entry(log.entry(at), Tier.PUBLIC)):
                if path is None and log.leaves(index, index + 1)[0][LEAF_TYPE] in _EVENTS:
                    self._found.add(index)
            self._following += 1
        return len(self._found)
