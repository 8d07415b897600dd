"""Past: yardsticks made of what happened before this quarter, so that they seldom move.

    @past
    def exactness(shared: Features) -> ...     shared.yardstick(exactness)

What is usual is told by the quarters that are over: it holds for the whole quarter that
is not, and what comes in today changes nothing about it. Whoever ordered rows by it
has to be asked about everything again only when a quarter ends, or something comes in
that happened before. A record of less than a year is its own yardstick.

Next: detectors/goods/exactness.py
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np
import pandas as pd

from detectors.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable

    from graph.frames import Frames

__all__ = ["LEAST_QUARTERS", "READ", "before", "is_past", "past", "settle"]

T = TypeVar("T")
READ: Final = frozenset(("events", "inputs", "facilities", "locations", "products"))
"""Tables that what is usual may rest on."""
LEAST_QUARTERS: Final = 4
"""So many that are over tell what is usual."""
_MADE: Final[list[Callable[[Features], object]]] = []


def past(make: Callable[[Features], T]) -> Callable[[Features], T]:
    """Let a function see of the record only what happened before this quarter.

    Args:
        make: Makes something of texts, numbers, lists and dicts; it names sites and goods by
            their ids. Of other tables it sees some of `READ`, as they are now.
    """

    @wraps(make)
    def made(shared: Features) -> T:
        return make(shared.once(_past))

    made.is_past = True  # type: ignore[attr-defined]
    _MADE.append(made)
    return made


def settle(shared: Features) -> None:
    """Make all yardsticks of the past, and let go of what they are made of.

    Before a large record is worked on by two processes, each of which would otherwise hold a past
    of its own.
    """
    if before(shared) is None:
        return
    for make in _MADE:
        # Whoever needs it meets the same fault again, and reports it.
        with suppress(Exception):
            shared.yardstick(make)
    shared.forget(_past)


def is_past(make: Callable[[Features], Any]) -> bool:
    """Tell whether a function sees what happened before this quarter alone."""
    return getattr(make, "is_past", False)


def before(shared: Features) -> int | None:
    """Return when this quarter began, microseconds; None where too little happened before.

    Args:
        shared: Features of the whole record.
    """
    rows = shared.rows
    at = rows["at"].to_numpy(np.int64)[rows["timed"].to_numpy(bool)]
    if not len(at):
        return None
    first, last = (_quarter(int(one)) for one in (at.min(), at.max()))
    if last - first < LEAST_QUARTERS:
        return None
    month = (last * 3) % 12 + 1
    began = np.datetime64(f"{last * 3 // 12:04d}-{month:02d}-01", "us")
    return int(began.astype(np.int64))


def _quarter(at: int) -> int:
    return int(np.datetime64(at, "us").astype("datetime64[M]").astype(np.int64) + 1970 * 12) // 3


def _past(shared: Features) -> Features:
    if isinstance(shared, _Past):
        return shared
    end = before(shared)
    return shared if end is None else _Past(shared, end)


class _Past(Features):
    """Features of what happened before a moment; what has no time did not."""

    def __init__(self, whole: Features, end: int) -> None:
        """Take what happened before `end`, microseconds."""
        super().__init__(cast("Frames", _Tables(self, whole.frames)), seed=whole.seed)
        self._whole = whole
        self._end = end

    @cached_property
    def _rows_and_inputs(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        rows, inputs = (self._cut(one) for one in (self._whole.rows, self._whole.inputs))
        return rows, inputs

    def _cut(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[table["timed"] & (table["at"] < self._end)].reset_index(drop=True)


class _Tables:
    """Frames of which the events are those that happened before."""

    def __init__(self, own: _Past, frames: Frames) -> None:
        self._own = own
        self._frames = frames

    def __getattr__(self, name: str) -> Any:
        if name not in READ:
            raise LookupError(f"what is usual is not told by the table {name}")
        table = getattr(self._frames, name)
        return _Cut(table, self._own.rows["index"]) if name in {"events", "inputs"} else table


class _Cut:
    """A table of some entries, of which a column is cut out when it is asked for."""

    def __init__(self, table: pd.DataFrame, entries: pd.Series) -> None:
        self._table = table
        self._held = np.flatnonzero(table["index"].isin(entries))

    def __contains__(self, column: object) -> bool:
        return column in self._table

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, column: str) -> pd.Series:
        return self._table[column].iloc[self._held].reset_index(drop=True)

    @property
    def index(self) -> pd.Index:
        return pd.RangeIndex(len(self))
