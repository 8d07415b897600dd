"""Apart: goods that no event joins are judged each for itself, and only those that moved anew.

    lots and shipments that events join ─▶ goods ─▶ blocks of goods ─▶ new rows ─▶ blocks to ask

Goods belong to the block in which the log first has them, and stay there while the
log grows. A detector that says so (`base.Apart`) is asked about the blocks that
have new rows; it gets the rows of their goods alone, and yardsticks of the whole
record. Its answers about the other blocks stand while the yardsticks do.

Next: detectors/onward/answers.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from detectors.columns import texts
from detectors.custody import DAY_US
from detectors.onward.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from detectors.features import Features
    from detectors.judging import Judgement
    from graph.frames import Frames

__all__ = ["BLOCK", "Asked", "Goods", "Part", "goods", "part_of"]

T = TypeVar("T")
BLOCK: Final = 256
"""Entries whose first goods are kept together: fewer are asked in vain, more cost a little each."""


class Goods(NamedTuple):
    """What each of the shared `rows` belongs to.

    Attributes:
        block: Number of the block, by row.
        last: When the goods of the row were last seen, microseconds, by row.
        of_inputs: Number of the block of each of the shared `inputs`.
    """

    block: NDArray[np.int64]
    last: NDArray[np.int64]
    of_inputs: NDArray[np.int64]


def goods(shared: Features) -> Goods:
    """Find what belongs together in the whole record."""
    return _goods(shared, len(shared.rows), len(shared.inputs))


def _goods(shared: Features, rows: int, inputs: int) -> Goods:
    """Find what belongs together in the first rows and inputs of a record."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - 0.3 s, only for runs that are kept
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    keys = shared.once(_keys)
    own = np.concatenate([np.flatnonzero(key[:rows] >= 0) for key in keys.of_rows])
    other = np.concatenate([key[:rows][key[:rows] >= 0] for key in keys.of_rows])
    named = np.flatnonzero(keys.of_inputs[:inputs] >= 0)
    own = np.append(own, rows + named)
    other = np.append(other, keys.of_inputs[named]) + rows + inputs
    size = rows + inputs + keys.size
    graph = coo_array((np.ones(len(own), np.int8), (own, other)), shape=(size, size))
    number = connected_components(graph, directed=False)[1][: rows + inputs].astype(np.int64)
    entry = np.append(shared.rows["index"].to_numpy()[:rows], shared.inputs["index"][:inputs])
    first = np.full(int(number.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, number, entry)
    last = np.full(len(first), np.iinfo(np.int64).min)
    np.maximum.at(last, number[:rows], shared.rows["at"].to_numpy()[:rows])
    block = first[number] // BLOCK
    return Goods(block[:rows], last[number[:rows]], block[rows:])


class _Keys(NamedTuple):
    """What joins rows and inputs: numbers from 0 up to `size`, -1 for none; no two kinds share one.

    Attributes:
        of_rows: Shipment, entry, event id, bill of lading and lot of each row.
        of_inputs: The lot of each input.
        size: How many numbers there are.
    """

    of_rows: tuple[NDArray[np.int64], ...]
    of_inputs: NDArray[np.int64]
    size: int


def _keys(shared: Features) -> _Keys:
    rows, inputs = shared.rows, shared.inputs
    index = rows["index"].to_numpy()
    kinds = [
        rows["shipment_number"].to_numpy(np.int64),
        np.cumsum(np.diff(index, prepend=-1) > 0) - 1,
        pd.factorize(rows["event_id"])[0].astype(np.int64),
        _bills(shared, index),
    ]
    size, found = 0, []
    for kind in kinds:
        found.append(np.where(kind >= 0, kind + size, -1))
        size += int(kind.max(initial=-1)) + 1
    lots, used = (
        np.where(table["has_lot"], table["lot"] + size, -1).astype(np.int64)
        for table in (rows, inputs)
    )
    most = max(int(one["lot"].max()) if len(one) else -1 for one in (rows, inputs))
    return _Keys((*found, lots), used, size + most + 1)


def _bills(shared: Features, entries: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the bill of lading of each entry, -1 for none."""
    events = shared.frames.events
    number = pd.factorize(texts(events, "bill_of_lading"))[0].astype(np.int64)
    by_entry = pd.Series(number, index=events["index"].to_numpy(np.int64))
    return by_entry[~by_entry.index.duplicated()].reindex(entries).to_numpy(np.int64)


class Part(Watched):
    """Features of some goods alone; what only all of them can tell is asked of the whole."""

    def __init__(self, whole: Watched, frames: Frames, own: NDArray[np.int64]) -> None:
        """Take a part.

        Args:
            whole: The features of all goods.
            frames: Rows of the goods that are asked about, and of what moved them.
            own: The entries that are theirs; others are there for their sake.
        """
        super().__init__(frames, seed=whole.seed)
        self._whole = whole
        self.own = own
        self.is_timed = False
        """Whether anybody asked when the record ends."""

    @property
    def last_time(self) -> int:
        """Time of the latest event of the whole record."""
        self.is_timed = True
        return self._whole.last_time

    def yardstick(self, make: Callable[[Features], T]) -> T:
        """Return what a function makes of the whole record."""
        with self._whole.reading() as read:
            value, name, digest = self._whole.measured(make)
        self._readers[-1] |= read
        self.yardsticks[name] = digest
        return value

    def only_own(self, found: Judgement) -> Judgement:
        """Return what was judged of the goods asked about."""
        mine = np.isin(found.sample.table["index"].to_numpy(np.int64), self.own)
        table = found.sample.table[mine].reset_index(drop=True)
        decisions = replace(
            found.decisions,
            flagged=found.decisions.flagged[mine],
            threshold=found.decisions.threshold[mine],
            likely_benign=found.decisions.likely_benign[mine],
        )
        return replace(
            found,
            sample=replace(found.sample, table=table),
            scores=found.scores[mine],
            decisions=decisions,
            subjects=found.subjects[mine],
        )


class Asked(NamedTuple):
    """What a run asks detectors that judge goods apart.

    Attributes:
        part: Features of the goods to ask about.
        blocks: The blocks that they are all goods of.
    """

    part: Part
    blocks: frozenset[int]


def part_of(shared: Watched, frames: Frames, found: Goods, since: int, horizon_days: int) -> Asked:
    """Cut out the goods of which entries from `since` on tell, with all of their blocks.

    Args:
        shared: Features of the whole record.
        frames: What they are made of.
        found: `goods` of it.
        since: The first entry that is new.
        horizon_days: Goods last seen so long before the end are what they were; younger ones
            are asked about, too.
    """
    index = shared.rows["index"].to_numpy()
    rows, inputs = int(np.searchsorted(index, since)), shared.inputs["index"].to_numpy()
    before = _goods(shared, rows, int(np.searchsorted(inputs, since)))
    at = shared.rows["at"].to_numpy()
    then = int(at[:rows][shared.rows["timed"].to_numpy()[:rows]].max(initial=0))
    young = before.last >= then - horizon_days * DAY_US
    moved = np.append(found.block[rows:], found.of_inputs[inputs >= since])
    # Goods that an event joined were in several blocks, and are in one of them now.
    joined = before.block != found.block[:rows]
    blocks = np.unique(np.append(moved, before.block[joined | young]))
    own = np.unique(index[np.isin(found.block, blocks)])
    theirs = np.isin(found.of_inputs, blocks)
    kept = np.union1d(own, inputs[theirs])
    used = frames.inputs[frames.inputs["index"].isin(kept)].reset_index(drop=True)
    events = frames.events[frames.events["index"].isin(kept)].reset_index(drop=True)
    return Asked(
        Part(shared, replace(frames, events=events, inputs=used), own),
        frozenset(blocks.tolist()),
    )
