"""Rows of contents as columns of a frame, column by column rather than value by value.

A text column takes one step in Arrow, a number one look. What is not as it
should be (a list where text belongs, a time without a zone) takes the slow way,
which leads to the same values.

Next: graph/frames.py
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from provenance import canonical
from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    import pyarrow as pa

    from provenance.entries import Content

__all__ = ["Growing", "Table"]

_PART: Final = 1_000
"""Rows held as objects before they become columns, which take a tenth of the room."""
_NO_TIME: Final = -(2**63)
"""How numpy writes that there is no time."""


@dataclass(frozen=True, slots=True)
class Table:
    """How the entries of one version become a frame.

    Attributes:
        version: Of the entries' bodies.
        key: Columns of which a later row replaces the earlier; none where all rows stay.
        text: Columns of text.
        numbers: Columns of numbers.
        other: Columns of whatever it is.
    """

    version: str
    key: tuple[str, ...]
    text: str
    numbers: str = ""
    other: str = "index leaf_hash"

    def kinds(self) -> dict[str, str]:
        """Return each column's kind, in the order of the frame."""
        kinds = {
            **dict.fromkeys(self.other.split(), "object"),
            **dict.fromkeys(self.text.split(), "text"),
            **dict.fromkeys(self.numbers.split(), "number"),
        }
        for name, kind in (("index", "index"), ("event_time", "time")):
            if name in kinds:
                kinds[name] = kind
        return kinds


class Growing:
    """A frame in the making, which holds few rows as objects at any time."""

    def __init__(self, table: Table) -> None:
        """Begin without rows."""
        self._kinds = table.kinds()
        self._blank: Content = dict.fromkeys(self._kinds)
        self._pick = itemgetter(*self._kinds)
        self._rows: list[tuple[Any, ...]] = []
        self._parts: list[list[Any]] = []

    def extend(self, rows: Iterable[Content]) -> None:
        """Add rows; of each, what the frame has columns for is taken."""
        self._rows += [self._pick({**self._blank, **row}) for row in rows]
        if len(self._rows) >= _PART:
            self._pack()

    def frame(self) -> pd.DataFrame:
        """Return all rows; nothing is added afterwards."""
        import pandas as pd  # noqa: PLC0415 - the heaviest import there is, for detectors only

        self._pack()
        columns = zip(*self._parts, strict=True)
        self._parts = []
        return pd.DataFrame(
            {
                name: _series(list(parts), kind)
                for (name, kind), parts in zip(self._kinds.items(), columns, strict=True)
            }
        )

    def _pack(self) -> None:
        columns: Iterable[Sequence[Any]] = zip(*self._rows, strict=True)
        if not self._rows:
            columns = [()] * len(self._kinds)
        kinds = self._kinds.values()
        self._parts.append([_packed(*each) for each in zip(columns, kinds, strict=True)])
        self._rows.clear()


def _packed(values: Sequence[Any], kind: str) -> Any:
    import numpy as np  # noqa: PLC0415 - as above

    if kind == "number":
        return np.array([nan if value is None else _number(value) for value in values], np.float64)
    if kind == "index":
        return np.array(values, np.int64)
    if kind == "object":
        return values
    return _times(values) if kind == "time" else _texts(values)


def _series(parts: list[Any], kind: str) -> pd.Series[Any]:
    """Put parts of a column together, in one piece: a column in pieces is slow to pick from."""
    import numpy as np  # noqa: PLC0415 - as above
    import pandas as pd  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    if kind == "text":
        whole = pa.concat_arrays(parts)
        parts.clear()
        return pd.Series(whole, dtype="str")
    if kind == "object":
        return pd.Series([value for part in parts for value in part], dtype="object")
    joined = np.concatenate(parts)
    if kind == "time":
        return pd.Series(pd.DatetimeIndex(joined.view("datetime64[us]"), tz="UTC"))
    return pd.Series(joined)


def _texts(values: Sequence[Any]) -> pa.LargeStringArray:
    import pandas as pd  # noqa: PLC0415 - as above
    import pyarrow as pa  # noqa: PLC0415

    try:
        return pa.array(values, pa.large_string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array(pd.Series(list(values), dtype="str"), pa.large_string(), from_pandas=True)


def _times(values: Sequence[Any]) -> Any:
    """Return microseconds since the epoch, or what numpy has for none."""
    import pandas as pd  # noqa: PLC0415 - as above
    import pyarrow as pa  # noqa: PLC0415

    text = _texts(values)
    try:
        read = text.cast(pa.timestamp("us", tz="UTC"))
    except pa.ArrowInvalid:
        times = pd.to_datetime(pd.Series(text, dtype="str"), utc=True, format="ISO8601")
        return times.astype("datetime64[us, UTC]").to_numpy("datetime64[us]").view("int64")
    return read.cast(pa.int64()).fill_null(_NO_TIME).to_numpy()


def _number(value: Any) -> float:
    """Read a number; what another program wrote in its place counts as missing."""
    try:
        return canonical.real(value)
    except EncodingError:
        return nan
