"""What a run reads: all of the graph, or what the last run read and what came since.

It goes on only where the log has merely grown. What takes back or gives back
parts of earlier entries (an erasure, a grant, a correction, an error declaration
about an earlier event) is answered by reading everything anew.

Next: detectors/onward/going.py
"""

from __future__ import annotations

import hashlib
import inspect
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from detectors.onward import shelf as shelves
from detectors.onward.going import Before
from detectors.onward.shelf import TABLES, Held, Shelf, joined
from graph import columns
from graph import frames as graph_frames
from graph.frames import Frames, load_frames
from graph.framing import events as graph_events
from provenance.entries import EntryType, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from graph.store import GraphStore

__all__ = ["Log", "Read", "adds", "open_shelf", "read"]

_ADDING: Final = frozenset(
    (
        EntryType.EVENT,
        EntryType.MASTER_DATA,
        EntryType.LABOUR,
        EntryType.CERTIFICATE,
        EntryType.FLAG,
        EntryType.REVIEW,
        EntryType.MODEL,
        EntryType.ANCHOR,
        EntryType.BATCH,
        EntryType.REFERENCE_DATA,
    )
)
"""Entries that add to the record and take nothing back."""


class Log(Protocol):
    """As much of a log as is asked here."""

    def indexes(self, types: Iterable[int], start: int, stop: int) -> list[int]:
        """Return the indices of the entries of some types among [start, stop)."""
        ...

    def root_at(self, size: int) -> bytes:
        """Return the root hash over the first `size` entries."""
        ...


class Read(NamedTuple):
    """What a run reads.

    Attributes:
        frames: All of it.
        before: The run to go on from; None where everything was read anew.
        held: What the shelf held of that run.
        later: What came since.
    """

    frames: Frames
    before: Before | None = None
    held: Held | None = None
    later: Frames | None = None


@cache
def _code() -> str:
    """Name the code that makes frames and keeps them."""
    sources = (
        inspect.getsource(module).encode()
        for module in (columns, graph_events, graph_frames, shelves)
    )
    return hashlib.sha256(b"\0".join(sources)).hexdigest()


def open_shelf(directory: Path) -> Shelf:
    """Return the shelf at `directory`, for this program's frames."""
    return Shelf(directory, _code())


def read(store: GraphStore, log: Log, shelf: Shelf | None) -> Read:
    """Read what detectors need.

    Args:
        store: The graph, up to date with the log.
        log: The log behind it.
        shelf: What the run before left; None reads everything.
    """
    held = None if shelf is None else shelf.read()
    if shelf is None or held is None or not _grew(store, log, held):
        return Read(load_frames(store))
    later = load_frames(store, held.kept.position)
    earlier = shelf.frames(held)
    if earlier is None or not adds(store, log, held.kept.position, later.position):
        return Read(load_frames(store))
    changed = frozenset(name for name in TABLES if len(getattr(later, name)))
    return Read(joined(earlier, later), Before(held.kept, changed, shelf.fit), held, later)


def _grew(store: GraphStore, log: Log, held: Held) -> bool:
    """Tell whether the graph is what was read, or a longer one."""
    size = held.kept.position
    return 0 < size <= store.position() and log.root_at(size) == held.kept.root


def adds(store: GraphStore, log: Log, start: int, stop: int) -> bool:
    """Tell whether the entries [start, stop) take nothing back of what was there before."""
    if len(log.indexes(_ADDING, start, stop)) < stop - start:
        return False
    return not any(
        record.attrs["corrects"]["index"] < start
        for record in store.contents("epcis/1", Tier.PRIVATE, start, stop)
        if "corrects" in record.attrs
    )
