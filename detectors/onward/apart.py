"""Apart: goods that no event joins are judged each for itself, and only those that moved anew.

    new rows ─▶ what shares a lot, a shipment, a bill, a serial with them, and so on ─▶ a part

A detector that says so (`partition.Apart`) is asked about the goods that have new rows;
it gets the rows of those alone, and yardsticks of the whole record. Its answers about
other goods stand while the yardsticks do.

Next: detectors/onward/answers.py
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
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
    from detectors.partition import Apart
    from graph.frames import Frames

__all__ = ["BY_GOODS", "Part", "goods", "part_of"]

T = TypeVar("T")
BY_GOODS: Final = frozenset(("events", "inputs"))
"""Tables of which only the rows of the goods asked about are handed out."""


def goods(shared: Features, moved: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the rows of all goods of which some rows moved.

    Args:
        shared: Features of the whole record.
        moved: Marks some of `rows`.
    """
    links = shared.once(_links)
    found, known, count = moved.copy(), np.zeros(links.size, bool), -1
    while count < (count := int(found.sum())):
        known[links.key[found[links.row]]] = True
        found[links.row[known[links.key]]] = True
    return found


class _Links(NamedTuple):
    """What joins rows: those that have a number in common belong together.

    Attributes:
        row: Positions in `rows`.
        key: A number that each has, from 0 up to `size`; no two kinds share one.
        size: How many numbers there are.
    """

    row: NDArray[np.int64]
    key: NDArray[np.int64]
    size: int


def _links(shared: Features) -> _Links:
    """List what joins rows: entry, event id, shipment, bill of lading, lot and serials."""
    rows = shared.rows
    index = rows["index"].to_numpy(np.int64)
    entry = np.cumsum(np.diff(index, prepend=-1) > 0) - 1
    kinds = [
        entry,
        pd.factorize(rows["event_id"])[0].astype(np.int64),
        rows["shipment_number"].to_numpy(np.int64),
        np.where(rows["has_lot"], rows["lot"], -1).astype(np.int64),
    ]
    every = [(np.arange(len(rows)), kind) for kind in kinds]
    every += [
        (np.searchsorted(index, entries), number)
        for entries, number in (_bills(shared), _serials(shared))
    ]
    size, row, key = 0, [], []
    for place, number in every:
        # What only one row has joins nothing.
        own = (number >= 0) & (np.bincount(number + 1)[number + 1] > 1)
        row.append(place[own])
        key.append(number[own] + size)
        size += int(number.max(initial=-1)) + 1
    return _Links(np.concatenate(row), np.concatenate(key), size)


def _bills(shared: Features) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return entries of the events frame, and numbers of their bills of lading."""
    events = shared.frames.events
    number = pd.factorize(texts(events, "bill_of_lading"))[0].astype(np.int64)
    return events["index"].to_numpy(np.int64), number


def _serials(shared: Features) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return entries of the events frame, one for each serial, and its number."""
    events = shared.frames.events
    lists: list[object] = events["serial_ids"].tolist()
    named = [one if isinstance(one, (list, tuple)) else () for one in lists]
    counts = np.fromiter(map(len, named), np.int64, len(named))
    names = np.array([str(name) for one in named for name in one], dtype=object)
    serial, product = pd.factorize(names)[0], pd.factorize(texts(events, "product_id"))[0]
    product = np.repeat(product.astype(np.int64) + 1, counts)
    number = pd.factorize(product * (int(serial.max(initial=0)) + 1) + serial)[0]
    return np.repeat(events["index"].to_numpy(np.int64), counts), number.astype(np.int64)


class Part(Watched):
    """Features of some goods alone; what only all of them can tell is asked of the whole."""

    def __init__(
        self, whole: Watched, frames: Frames, own: NDArray[np.int64], kept: NDArray[np.bool_]
    ) -> None:
        """Take a part.

        Args:
            whole: The features of all goods.
            frames: What they are made of.
            own: The entries of the goods that are asked about.
            kept: Marks the entries that are handed out, of which others are there for their sake.
        """
        cut = {
            name: table[kept[table["index"].to_numpy(np.int64)]].reset_index(drop=True)
            for name, table in (("events", frames.events), ("inputs", frames.inputs))
        }
        super().__init__(replace(frames, **cut), seed=whole.seed)
        self._whole = whole
        self._kept = kept
        self.own = own
        self.is_timed = False
        """Whether anybody asked when the record ends."""

    @property
    def own_rows(self) -> pd.DataFrame:
        """The rows of the goods that are asked about."""
        return self.rows[np.isin(self.rows["index"].to_numpy(np.int64), self.own)]

    @cached_property
    def _rows_and_inputs(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The rows as all of them have them: lots and sites have the same numbers."""
        with self._whole.reading() as read:
            found = [
                table[self._kept[table["index"].to_numpy(np.int64)]].reset_index(drop=True)
                for table in (self._whole.rows, self._whole.inputs)
            ]
        self._readers[-1] |= read
        return found[0], found[1]

    @property
    def last_time(self) -> int:
        """Time of the latest event of the whole record."""
        self.is_timed = True
        return self._whole.last_time

    def yardstick(self, make: Callable[[Features], T]) -> T:
        """Return what a function makes of the whole record."""
        with self._whole.reading() as read:
            value, name, known = self._whole.measured(make)
        self._readers[-1] |= read
        self.yardsticks[name] = known
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


def part_of(shared: Watched, frames: Frames, since: int, apart: Apart) -> Part | None:
    """Cut out the goods of which entries from `since` on tell; None where those are all.

    Args:
        shared: Features of the whole record.
        frames: What they are made of.
        since: The first entry that is new.
        apart: What goods are; those last seen less than its horizon ago are asked about, too.
    """
    rows, inputs = shared.rows, shared.inputs
    index, entries = rows["index"].to_numpy(np.int64), inputs["index"].to_numpy(np.int64)
    used = np.where(inputs["has_lot"], inputs["lot"], -1).astype(np.int64)
    lot = np.where(rows["has_lot"], rows["lot"], -1).astype(np.int64)
    kept = np.zeros(frames.position, bool)
    if apart.asked is not None:
        asked = apart.asked(shared, since)
        if asked is None:
            return None
        kept[asked[0]] = True
        kept[index[np.isin(lot, asked[1])]] = True
        kept[entries[np.isin(used, asked[1])]] = True
        return Part(shared, frames, asked[0], kept)
    # The last place is that of -1.
    lots = np.zeros(int(max(lot.max(initial=-1), used.max(initial=-1))) + 2, bool)
    lots[used[entries >= since]] = True
    lots[-1] = False
    moved = (index >= since) | lots[lot]
    if apart.horizon_days is not None:
        moved |= _young(rows, index < since, apart.horizon_days)
    pairs = () if apart.joined is None else shared.once(apart.joined)
    own = _joined(shared, moved, lot, lots, pairs)
    kept[index[own]] = True
    kept[entries[lots[used]]] = True
    return Part(shared, frames, np.unique(index[own]), kept)


def _joined(
    shared: Features,
    moved: NDArray[np.bool_],
    lot: NDArray[np.int64],
    lots: NDArray[np.bool_],
    pairs: tuple[NDArray[np.int64], ...],
) -> NDArray[np.bool_]:
    """Mark the rows of goods that moved, and of what is joined with them; mark lots in `lots`."""
    while True:
        own = goods(shared, moved)
        lots[lot[own]] = True
        for one, other in zip(pairs, pairs[::-1], strict=True):
            lots[other[lots[one]]] = True
        lots[-1] = False
        if not (lots[lot] & ~own).any():
            return own
        moved = own | lots[lot]


def _young(rows: pd.DataFrame, old: NDArray[np.bool_], days: int) -> NDArray[np.bool_]:
    """Mark the rows of the run before whose age then mattered."""
    at, timed = rows["at"].to_numpy(np.int64), rows["timed"].to_numpy(bool)
    then = int(at[old & timed].max(initial=0))
    return np.asarray(old & (at >= then - days * DAY_US), bool)
