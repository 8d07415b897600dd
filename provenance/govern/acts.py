"""Acts: entries that tell what the operator did, numbered by kind from 1.

The n-th act of a kind has the row key (kind, origin, n), so all of a kind are
found without a table and without reading the log (docs/adr/0010). Numbers have
no gaps: the row keys of one log are unique, and who comes second to a number
takes the next.

Next: provenance/govern/anchors.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provenance.entries import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provenance.entries import Draft, Entry
    from provenance.log import Log
    from provenance.store.reading import LogReader

__all__ = ["acts_of", "append_acts", "count_acts"]


def acts_of(log: LogReader, kind: str, start: int = 1) -> Iterator[Entry]:
    """Yield the acts of a kind from number `start` on, oldest first."""
    number = start
    while (index := log.find(_key(log, kind, number))) is not None:
        yield log.entry(index)
        number += 1


def count_acts(log: LogReader, kind: str) -> int:
    """Count the acts of a kind; looks up twice as many keys as the count has binary digits."""
    beyond = 1
    while log.find(_key(log, kind, beyond)) is not None:
        beyond *= 2
    known = beyond // 2
    while beyond - known > 1:
        middle = (known + beyond) // 2
        if log.find(_key(log, kind, middle)) is None:
            beyond = middle
        else:
            known = middle
    return known


def append_acts(log: Log, kind: str, drafts: Sequence[Draft]) -> list[int]:
    """Append acts with the next free numbers.

    Args:
        log: Where to.
        kind: What they are called in row keys.
        drafts: Without identities.

    Returns:
        The index of each, in the same order.

    Raises:
        ProvenanceError: As for `Log.append`.
    """
    indexes: dict[int, int] = {}
    while len(indexes) < len(drafts):
        waiting = [at for at in range(len(drafts)) if at not in indexes]
        first = count_acts(log, kind) + 1
        numbered = [
            replace(drafts[at], identities=(Identity(_key(log, kind, number)),))
            for number, at in enumerate(waiting, first)
        ]
        for at, outcome in zip(waiting, log.append(numbered), strict=True):
            # Anything else: another process took the number meanwhile.
            if outcome.kind == "appended":
                indexes[at] = outcome.index
    return [indexes[at] for at in range(len(drafts))]


def _key(log: LogReader, kind: str, number: int) -> tuple[str, ...]:
    return (kind, log.origin, str(number))
