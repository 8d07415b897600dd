"""Entries: what is known of a rule that judges goods apart, by the log entry it is about.

Whom it judged, and whom it did not and why, are sets of log indices: those of the
goods that moved are taken out of them, and what is said of those now is put in.

Next: detectors/onward/keeping.py
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.base import Abstention

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from detectors.judging import Judgement

__all__ = ["Known", "Names", "known_of", "packed", "unpacked"]

_EXAMPLES: Final = 5
_FAST: Final = 1


def packed(entries: NDArray[np.int64]) -> bytes:
    """Write a set of log indices down: a bit for each entry up to the last, compressed."""
    marks = np.zeros(int(entries.max(initial=-1)) + 1, bool)
    marks[entries] = True
    return zlib.compress(np.packbits(marks).tobytes(), _FAST)


def unpacked(data: bytes) -> NDArray[np.int64]:
    """Read what `packed` wrote: log indices, ascending."""
    return np.flatnonzero(np.unpackbits(np.frombuffer(zlib.decompress(data), np.uint8)))


class Known(NamedTuple):
    """Log indices of what a rule says, each of one subject.

    Attributes:
        judged: Of whom it judged.
        left_out: Of whom it did not, by reason.
    """

    judged: NDArray[np.int64]
    left_out: Mapping[str, NDArray[np.int64]]

    def without(self, moved: NDArray[np.int64]) -> Known:
        """Return what is known of all other entries."""
        return Known(
            _less(self.judged, moved),
            {reason: _less(one, moved) for reason, one in self.left_out.items()},
        )

    def joined(self, other: Known) -> Known:
        """Return what is known of both; they know nothing of the same entry."""
        reasons = self.left_out.keys() | other.left_out.keys()
        none = np.empty(0, np.int64)
        both = {
            reason: np.union1d(self.left_out.get(reason, none), other.left_out.get(reason, none))
            for reason in sorted(reasons)
        }
        found = {reason: one for reason, one in both.items() if len(one)}
        return Known(np.union1d(self.judged, other.judged), found)


def _less(entries: NDArray[np.int64], moved: NDArray[np.int64]) -> NDArray[np.int64]:
    return entries[~np.isin(entries, moved)]


def known_of(found: Judgement, rows: pd.DataFrame, *, in_part: bool) -> Known | None:
    """Sort what a rule says by entry; None where it does not say which entries that is about.

    Args:
        found: What it says.
        rows: The shared rows of which subjects may be named.
        in_part: Whether they are not all of them: whoever is not among them is left out.
    """
    first = np.unique(found.subjects, return_index=True)[1]
    judged = found.sample.table["index"].to_numpy(np.int64)[first]
    left_out: dict[str, NDArray[np.int64]] = {}
    for one in found.sample.abstentions:
        if one.subjects is None:
            return None
        # Of a subject with several entries the first stands for it.
        told = rows.loc[rows["event_id"].isin(list(one.subjects)).to_numpy(), _NAMED]
        told = told.drop_duplicates("event_id")
        if len(told) < len(one.subjects) and not in_part:
            return None
        entries = np.unique(told["index"].to_numpy(np.int64))
        if len(entries) < len(told):
            return None
        if len(entries):
            left_out[one.reason] = entries
    whole = np.unique(judged)
    return Known(whole, left_out) if len(whole) == len(judged) else None


_NAMED: Final = ["event_id", "index"]


class Names:
    """What the subjects at log entries are called."""

    def __init__(self, rows: pd.DataFrame, wanted: Iterable[str]) -> None:
        """Know the names.

        Args:
            rows: The shared rows.
            wanted: Names that are asked for.
        """
        self._entries = rows["index"].to_numpy(np.int64)
        names = pa.array(rows["event_id"].array)
        self._names = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
        values = pa.array(sorted(wanted), self._names.type)
        self._wanted = pc.is_in(self._names, value_set=values).to_numpy(zero_copy_only=False)

    def abstentions(self, detector: str, known: Known) -> tuple[Abstention, ...]:
        """Say what a detector does not judge; of the subjects, those that were wanted."""
        return tuple(
            self._abstention(detector, reason, entries)
            for reason, entries in sorted(known.left_out.items())
        )

    def _abstention(self, detector: str, reason: str, entries: NDArray[np.int64]) -> Abstention:
        place = np.searchsorted(self._entries, entries)
        names = self._names.take(pa.array(place))
        lowest = pc.select_k_unstable(names, _EXAMPLES, sort_keys=[("", "ascending")])
        few = tuple(sorted(names.take(lowest).to_pylist()))
        wanted = names.filter(pa.array(self._wanted[place]))
        return Abstention(detector, reason, len(entries), few, frozenset(wanted.to_pylist()))
