"""Keeping a graph store up with the log: batch after batch, from wherever it stands.

The log never waits for the graph. Whoever wants an answer catches up first;
after a crash, an outage or a long pause that is the same thing.

Next: graph/connect.py
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from graph.keys import entry_key
from graph.model import EdgeKind, cut
from graph.project import ERASED, fields_behind_facts, project, project_columns
from provenance.entries import Tier
from provenance.errors import NotFound, WorkspaceDamaged
from provenance.store.preparing import collector_at_rest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graph.changes import Changes
    from graph.model import EdgeFact, EntryFact
    from graph.store import GraphStore
    from provenance.entries import Content, Entry
    from provenance.store.stored import Columns

__all__ = ["EntrySource", "catch_up", "rebuild"]

_BATCH: Final = 1_000
"""Entries a transaction: larger ones are little faster, and take 20 MB more for each thousand."""
_OF_GOODS: Final = (EdgeKind.BECAME, EdgeKind.CONTAINED, EdgeKind.MOVED, EdgeKind.INVOLVES)

Progress = Callable[[int, int], None]
"""Called with (entries applied, entries there are) after each batch."""


class EntrySource(Protocol):
    """What is needed of the log."""

    @property
    def size(self) -> int:
        """Number of entries."""
        ...

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """Yield the entries [start, stop) in order."""
        ...


@runtime_checkable
class InColumns(Protocol):
    """A log that gives many entries at once, without what opens them."""

    def columns(self, start: int, stop: int) -> Columns | None:
        """Return the entries [start, stop); None where it cannot, and `entries` tells."""
        ...


def catch_up(
    log: EntrySource,
    store: GraphStore,
    progress: Progress | None = None,
    batch: int = _BATCH,
) -> int:
    """Apply what the log has and the graph has not, up to the log's present size.

    Several processes may do this at once: each batch is taken from one of them only.
    What erasures among the new entries took out of older ones, the graph forgets too, and
    what an error declaration takes back no longer holds.

    Args:
        log: Where from.
        store: Where to.
        progress: Told after each batch.
        batch: Entries a transaction, at least 1.

    Returns:
        How many entries were applied (by anyone) while this was going on.

    Raises:
        WorkspaceDamaged: The graph holds entries that the log does not.
        StorageError: The store refused; what was applied before stays.
    """
    size = log.size
    begin = position = store.position()
    _check_same_log(log, store, position)
    while position < size:
        with collector_at_rest():
            position = _apply_next(log, store, position, min(position + batch, size))
        if progress is not None:
            progress(position, size)
    return position - begin


def _apply_next(log: EntrySource, store: GraphStore, position: int, stop: int) -> int:
    """Apply the entries from the position on, up to `stop`; return the position afterwards."""
    # Crash while projecting: nothing was written, the next run begins here again.
    changes = _projected(log, position, stop)
    # Crash while forgetting: the position stands before the erasure, which comes again.
    earlier = sorted(index for index in changes.erased if index < position)
    if not _forget(log, store, earlier):
        # Crash after this: an empty graph, which the next run fills.
        store.reset()
        return 0
    changes.retracted = _retracted(log, changes.withdrawn)
    # Crash inside apply: facts and position are one transaction, so either both or
    # neither are there. Another process may have been faster; its position counts.
    return store.apply(changes)


def _projected(log: EntrySource, start: int, stop: int) -> Changes:
    """Say what entries bring, from columns where the log gives such and that will do."""
    columns = log.columns(start, stop) if isinstance(log, InColumns) else None
    changes = project_columns(columns, start) if columns is not None else None
    return project(log.entries(start, stop), start, stop) if changes is None else changes


def rebuild(log: EntrySource, store: GraphStore, progress: Progress | None = None) -> int:
    """Forget the graph and project the whole log again; return how many entries were applied.

    This is also how the graph forgets fields that were erased from the log. Until it
    is done, readers see a graph that is behind, and its position says so. A crash on
    the way leaves such a graph; `catch_up` completes it.
    """
    store.reset()
    applied = catch_up(log, store, progress)
    store.purge()
    return applied


def _retracted(log: EntrySource, withdrawn: set[int]) -> list[EdgeFact]:
    """What entries said of goods before an error declaration; who and where stays true."""
    found: list[EdgeFact] = []
    for index in sorted(withdrawn):
        (entry,) = log.entries(index, index + 1)
        said = project([entry], index, index + 1).all_edges()
        found += [edge for edge in said if edge.kind in _OF_GOODS]
    return found


def _forget(log: EntrySource, store: GraphStore, indexes: list[int]) -> bool:
    """Take out of the graph what the log no longer says; False where only a rebuild can."""
    for start in range(0, len(indexes), _BATCH):
        some = indexes[start : start + _BATCH]
        held = store.fetch([entry_key(index) for index in some], Tier.PRIVATE)
        left: list[EntryFact] = []
        for index in some:
            (entry,) = log.entries(index, index + 1)
            (fact,) = project([entry], index, index + 1).entries
            before, now = held[entry_key(index)].attrs, cut(fact.layers, Tier.PRIVATE)
            gone = _differing(before, now)
            if not before and not fact.version and store.skipped().keys() - {ERASED}:
                return False  # it brought nothing before either, and may be counted otherwise
            read = fields_behind_facts(entry.type, fact.version, before) if gone else set()
            if gone & read or gone - before.keys() or (gone and not fact.version):
                return False
            if gone:
                left.append(fact)
        store.forget(left)
    return True


def _differing(before: Content, now: Content) -> set[str]:
    names = before.keys() | now.keys()
    return {name for name in names if before.get(name) != now.get(name)}


def _check_same_log(log: EntrySource, store: GraphStore, position: int) -> None:
    """Refuse to go on from a graph of another log, or of a longer past of this one.

    The last leaf covers everything before it through the chain.
    """
    if not position:
        return
    last = position - 1
    try:
        held = store.node(entry_key(last), Tier.PUBLIC).leaf_hash
    except NotFound:
        held = None
    logged = next(iter(log.entries(last, position)), None) if position <= log.size else None
    if logged is None or logged.leaf_hash != held:
        raise WorkspaceDamaged(
            f"the graph's entry {last} is not the log's (an old copy of the log, or another "
            "one?); `provenance graph rebuild` makes the graph anew"
        )
