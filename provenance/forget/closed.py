"""Erasing what is closed already: stored under keys of data subjects that are gone.

An old copy of the log that was put back still stores what was erased after it was
taken. Where the key is gone nobody can read it, and nobody can look for it either;
but the audit wants an erasure that names it. This names it and takes it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provenance.disclosure.erased import erasure_drafts
from provenance.govern.acts import count_acts

if TYPE_CHECKING:
    import apsw

    from provenance.entries import Draft
    from provenance.log import Log
    from provenance.store.identity import Rows
    from provenance.store.writing import Amend

__all__ = ["erase_closed"]

_KIND: Final = "erasure"
_BASIS: Final = "the keys were deleted before"


def erase_closed(log: Log, party: str) -> list[int]:
    """Take all openings out whose key is gone, and say so in the log.

    Which rows were about whom cannot be told any more, so all row digests of these entries
    go: a row of theirs that comes again is taken for known, whatever it says.

    Args:
        log: Of a workspace that keeps subject keys, whose file is there.
        party: Who erases.

    Returns:
        The indices of the erasure entries; none where nothing is closed.

    Raises:
        ProvenanceError: As for `Log.append`; nothing was erased.
    """

    def decide() -> tuple[list[Draft], Amend]:
        places = log.closed()
        first = count_acts(log, _KIND) + 1

        def amend(connection: apsw.Connection, rows: Rows) -> int:
            named = [(index, path) for index, paths in places.items() for path in paths]
            connection.executemany("DELETE FROM opening WHERE idx = ? AND path = ?", named)
            return rows.forget(places.keys())

        return erasure_drafts(log.origin, first, places, party, _BASIS), amend

    return [outcome.index for outcome in log.erase(decide)] if log.closed() else []
