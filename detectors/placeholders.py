"""Placeholders: what people and programs write where they have nothing to write.

"PENDING" is the bill of lading of no ship, "UNKNOWN" is no lot, and the first second of
1970 is what a computer makes of a time that nobody entered. Whoever takes them for
names joins what has nothing to do with each other.

Next: detectors/products.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.columns import microseconds, texts

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["named", "times"]

_WORDS: Final = (
    "unknown", "unk", "undefined", "unassigned", "not assigned", "not available", "missing",
    "pending", "tbd", "tba", "tbc", "tbn", "to be advised", "to be confirmed", "none", "null",
    "nil", "nan", "n/a", "n.a.", "n.a", "na", "#n/a", "no lot", "no bl", "blank", "dummy",
    "-", "--", "---", "?", "??", "???", ".", "/",
)  # fmt: skip
_SPELT: Final = sorted({one for w in _WORDS for one in (w, w.upper(), w.capitalize(), w.title())})
_NOBODY_ENTERED: Final = 2 * 86_400_000_000
"""Microseconds after the epoch: its first instant, in any time zone; no record is as old."""
_MISSING: Final = np.iinfo(np.int64).min


def named(frame: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of names as `columns.texts` does, missing also where a placeholder stands."""
    found = texts(frame, column)
    none = found.isin(_SPELT)
    return found.mask(none) if none.any() else found


def times(series: pd.Series) -> NDArray[np.int64]:
    """Return times as `columns.microseconds` does, missing also where nobody entered one."""
    at = microseconds(series)
    return np.where(at < _NOBODY_ENTERED, _MISSING, at)
