"""Partition: what part of a detector's answer stands while some rows do.

A rule that judges goods apart says so with `Apart`, and is asked about those
that moved. A family's answer is a function of its window's rows. Each row is
hashed once, over all its columns, and a family's inputs are named by the digest
of its window's hashes: equal digests, equal answers, so the earlier one stands.
What is not in the rows must not matter, or be named beside them.

Next: detectors/judging.py
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.base import Families

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from detectors.features import Features

    Rows = slice | NDArray[np.intp]

__all__ = ["Apart", "Partition", "row_hashes"]

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


class Apart(NamedTuple):
    """That a rule judges goods that no event joins each for itself.

    A detector says so by an attribute `apart`. Given the rows of some goods alone, it says of them
    what it says given all: whatever only the whole record can tell, it asks of
    `Features.yardstick`. Goods are joined by a lot, a shipment, a bill, a serial or an event;
    and a transformation does not join what went in with what came out.

    Attributes:
        horizon_days: Where the answer depends on how long ago something was, by the end of the
            record: after so long it does not any more. None where time does not matter.
        joined: Lists pairs of lots that it takes for the same goods besides.
        asked: Where something else than goods is judged apart: finds, for the first entry that is
            new, the entries to ask about, and the lots of which all else is to be known; None
            where that is everything.
    """

    horizon_days: int | None = None
    joined: Callable[[Features], tuple[NDArray[np.int64], NDArray[np.int64]]] | None = None
    asked: Callable[[Features, int], tuple[NDArray[np.int64], NDArray[np.int64]] | None] | None = (
        None
    )


class Partition:
    """One detector's families in one run."""

    def __init__(self, shared: Features, detector: str, table: pd.DataFrame) -> None:
        """Partition cases.

        Args:
            shared: The features of the run, which knows the run before.
            detector: Name of the detector.
            table: All cases, in the order in which windows are cut from it.
        """
        self._shared = shared
        self._detector = detector
        self._hashes = row_hashes(table)
        self._inputs: dict[str, str] = {}
        self._settled: set[str] = set()

    def is_settled(self, label: str, own: Rows, window: Rows, beside: str = "") -> bool:
        """Tell whether a family was judged on these inputs before; it is then left out.

        Args:
            label: Of the family.
            own: Rows of the table that are judged.
            window: Rows that they are compared with.
            beside: What the answer rests on besides, as text.
        """
        inputs = f"{self.name(own)} in {self.name(window)} {beside}".rstrip()
        self._inputs[label] = inputs
        if not self._shared.is_settled(self._detector, label, inputs):
            return False
        self._settled.add(label)
        return True

    def name(self, rows: Rows) -> str:
        """Name rows of the table by what they hold."""
        return _digest(self._hashes[rows])

    def families(self) -> Families:
        """Return what was found, once every family was asked about."""
        return Families(self._inputs, frozenset(self._settled), len(self._hashes))


def _digest(hashes: NDArray[np.uint64]) -> str:
    return hashlib.sha256(hashes.astype("<u8").tobytes()).hexdigest()[:32]


def row_hashes(table: pd.DataFrame) -> NDArray[np.uint64]:
    """Hash each row over all its columns, the same in every process."""
    total = np.zeros(len(table), np.uint64)
    for name in table.columns:
        own = _hashes(table[name])
        # Order matters, so that two columns that trade places are another row.
        total = (total ^ (own + _MIX + (total << np.uint64(6)) + (total >> np.uint64(2)))) * _MIX
    return total


def _hashes(column: pd.Series[Any]) -> NDArray[np.uint64]:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_localize(None)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufmM":
        return pd.util.hash_array(column.to_numpy(), categorize=False)
    numbers, values = pd.factorize(column.astype("str"), use_na_sentinel=True)
    known = pd.util.hash_array(values.to_numpy(object), categorize=False)
    # What is missing takes the last place, which no text has.
    return np.append(known, np.uint64(0))[numbers]
