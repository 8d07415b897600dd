"""The removal: taking surveyed bodies, openings and row digests out of the database.

Runs inside the transaction that appends the erasure entry, so either all of it
happens and the log says so, or nothing does.

Next: provenance/forget/marks.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from provenance import canonical
from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import apsw

    from provenance.forget.survey import Target
    from provenance.store.identity import Rows
    from provenance.store.writing import Amend

__all__ = ["places_of", "removal"]

_TIMESHEET: Final = "timesheet/1"
_ITEM: Final = re.compile(r"/items/\d+(?:/(?:lot_id|product_id|party))?")
"""Paths at which a lot and its maker are named."""


def places_of(targets: Mapping[int, Target]) -> dict[int, set[str] | None]:
    """Return what an erasure entry says of targets: paths, or None for whole bodies."""
    return {index: None if one.whole else one.paths for index, one in targets.items()}


def removal(targets: Mapping[int, Target]) -> Amend:
    """Make what takes the targets out; see `provenance.store.writing.Amend`."""
    keys = [key for target in targets.values() for key in _worker_rows(target)]
    singly = {index for _, index in keys}
    lots = [index for index, target in targets.items() if _names_lots(target)]

    def amend(connection: apsw.Connection, rows: Rows) -> int:
        _delete(connection, targets.values())
        return rows.forget(targets.keys() - singly, keys) ^ rows.forget_makers(lots)

    return amend


def _delete(connection: apsw.Connection, targets: Iterable[Target]) -> None:
    bodies = [(one.entry.index,) for one in targets if one.whole]
    fields = [(one.entry.index, path) for one in targets if not one.whole for path in one.paths]
    connection.executemany("UPDATE body SET body = NULL WHERE idx = ?", bodies)
    connection.executemany("DELETE FROM opening WHERE idx = ?", bodies)
    connection.executemany("DELETE FROM opening WHERE idx = ? AND path = ?", fields)


def _worker_rows(target: Target) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the row keys of those workers of a timesheet who are erased, and of no others.

    Their later weeks are then still compared as before, and so are all rows of the others.
    """
    if target.version != _TIMESHEET or target.whole:
        return
    content = open_entry(target.entry, Tier.PRIVATE)
    month = (content.get("facility_id", ""), content.get("month", ""))
    for opening in target.entry.openings:
        if opening.path in target.paths:
            worker = canonical.loads(opening.preimage)[1]
            for week in worker["weeks"] if isinstance(worker, dict) else ():
                key = ("timesheet", *month, worker["worker_id"], str(week["week"]))
                yield key, target.entry.index


def _names_lots(target: Target) -> bool:
    return target.whole or any(_ITEM.fullmatch(path) for path in target.paths)
