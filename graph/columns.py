"""Rows of contents as columns of a frame, column by column rather than value by value.

A text column takes one step in Arrow, a column of plain numbers two looks. What is
not as it should be (a list where text belongs, a time without a zone) takes the slow
way, which leads to the same values.

Next: graph/frames.py
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import islice
from math import nan
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import orjson

from provenance import canonical
from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from provenance.entries import Content

__all__ = ["Growing", "Table", "column", "in_parts", "packed"]

T = TypeVar("T")

_PART: Final = 500
"""Rows held as objects before they become columns: of more, the first are out of the
processor's reach before the last are there."""
_PLAIN: Final = b"0123456789.-"
_ROWS: Final = b"rows"
_TEXTS: Final = ("text", "time")
_ARROW: Final = ("text", "hash")
"""The kinds of column that are Arrow's from the beginning; others are numpy's, or lists."""
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
        for name, kind in (("index", "index"), ("event_time", "time"), ("leaf_hash", "hash")):
            if name in kinds:
                kinds[name] = kind
        return kinds


def in_parts(rows: Iterable[T]) -> Iterator[list[T]]:
    """Yield rows by as many as become columns at a time."""
    left = iter(rows)
    while part := list(islice(left, _PART)):
        yield part


def packed(contents: Sequence[Content], kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return what contents hold under some names, as parts of columns.

    Args:
        contents: What holds it; what one does not hold is missing there.
        kinds: Names, and what kind of column each is.
    """
    import pyarrow as pa  # noqa: PLC0415 - as in `frame`

    texts = tuple(name for name, kind in kinds.items() if kind in _TEXTS)
    try:
        found = dict(zip(texts, pa.array(contents, _struct(texts)).flatten(), strict=True))
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        found = {}
    getters = [content.get for content in contents]
    numbers = tuple(name for name, kind in kinds.items() if kind == "number")
    # Row by row, while a row is within the processor's reach.
    read = _numbers([get(name) for get in getters for name in numbers])
    found |= zip(numbers, read.reshape(len(contents), len(numbers)).T, strict=True)
    for name, kind in kinds.items():
        if name not in found:
            found[name] = column([get(name) for get in getters], kind)
        elif kind == "time":
            found[name] = _times(found[name])
    return found


@cache
def _struct(names: tuple[str, ...]) -> pa.StructType:
    import pyarrow as pa  # noqa: PLC0415 - as in `frame`

    return pa.struct([(name, pa.large_string()) for name in names])


class Growing:
    """A frame in the making, which holds no rows as objects."""

    def __init__(self, table: Table) -> None:
        """Begin without rows."""
        self.table = table
        self.kinds = table.kinds()
        self._parts: list[list[Any]] = []

    def add(self, columns: Mapping[str, Any]) -> None:
        """Add some rows, given by parts of all columns."""
        self._parts.append([columns[name] for name in self.kinds])

    def extend(self, rows: Iterable[Content]) -> None:
        """Add rows; of each, what the frame has columns for is taken."""
        for part in in_parts(rows):
            self.add(packed(part, self.kinds))

    def take(self, other: Growing) -> None:
        """Add the rows of another frame of the same table behind these."""
        self._parts += other._parts

    def send(self, sink: IO[bytes]) -> None:
        """Write all rows for a process that `received` them; nothing is added afterwards."""
        import pyarrow as pa  # noqa: PLC0415 - as in `frame`

        columns = list(zip(*self._parts, strict=True)) or [()] * len(self.kinds)
        kinds = self.kinds.values()
        batch = pa.record_batch(
            [_sent(list(parts), kind) for parts, kind in zip(columns, kinds, strict=True)],
            names=list(self.kinds),
        )
        # An end that comes too early looks like an end: how much there is, is said first.
        whole = batch.schema.with_metadata({_ROWS: str(batch.num_rows)})
        with pa.ipc.new_stream(sink, whole) as stream:
            stream.write_batch(batch.cast(whole))

    def received(self, source: IO[bytes]) -> Growing:
        """Return another frame of this one's table, of the rows that were sent.

        Raises:
            pyarrow.ArrowException: It is not all that was to come.
            ValueError: Likewise.
        """
        import pyarrow as pa  # noqa: PLC0415 - as in `frame`

        with pa.ipc.open_stream(source) as stream:
            read = stream.read_all()
        if read.schema.names != list(self.kinds) or read.num_rows != int(
            read.schema.metadata[_ROWS]
        ):
            raise ValueError("not all rows came")
        made = Growing(self.table)
        made._parts.append(
            [_taken(read[name].combine_chunks(), kind) for name, kind in self.kinds.items()]
        )
        return made

    def frame(self) -> pd.DataFrame:
        """Return all rows; nothing is added afterwards."""
        import pandas as pd  # noqa: PLC0415 - the heaviest import there is, for detectors only

        if not self._parts:
            self.add({name: column((), kind) for name, kind in self.kinds.items()})
        columns = zip(*self._parts, strict=True)
        self._parts = []
        return pd.DataFrame(
            {
                name: _whole(list(parts), kind)
                for (name, kind), parts in zip(self.kinds.items(), columns, strict=True)
            },
            copy=False,
        )


def column(values: Sequence[Any], kind: str) -> Any:
    """Return values as part of a column of some kind."""
    import numpy as np  # noqa: PLC0415 - as above
    import pyarrow as pa  # noqa: PLC0415

    if kind == "number":
        return _numbers(values)
    if kind == "index":
        return np.array(values, np.int64)
    if kind == "object":
        return values
    if kind == "hash":
        return pa.array(values, pa.binary())
    texts = _texts(values)
    return _times(texts) if kind == "time" else texts


def _whole(parts: list[Any], kind: str) -> Any:
    """Put parts of a column together, in one piece: a column in pieces is slow to pick from.

    What a frame takes as it is: of series it would compare the indexes, and copy each.
    """
    import numpy as np  # noqa: PLC0415 - as above
    import pandas as pd  # noqa: PLC0415
    import pyarrow as pa  # noqa: PLC0415

    if kind == "text":
        whole = pa.concat_arrays(parts)
        parts.clear()
        return pd.array(whole, dtype="str")
    if kind == "object":
        return pd.Series([value for part in parts for value in part], dtype="object").array
    if kind == "hash":
        return pd.Series(pa.chunked_array(parts).to_pylist(), dtype="object").array
    joined = np.concatenate(parts)
    if kind == "time":
        return pd.DatetimeIndex(joined.view("datetime64[us]"), tz="UTC").array
    return joined


def _sent(parts: list[Any], kind: str) -> pa.Array:
    """Put the parts of a column together as Arrow sends them."""
    import numpy as np  # noqa: PLC0415 - as above
    import pyarrow as pa  # noqa: PLC0415

    if kind == "object":
        values = [value for part in parts for value in part]
        written = [None if value is None else orjson.dumps(value) for value in values]
        return pa.array(written, pa.large_binary())
    parts = parts or [column((), kind)]
    joined = pa.concat_arrays(parts) if kind in _ARROW else pa.array(np.concatenate(parts))
    parts.clear()
    return joined


def _taken(column: pa.Array, kind: str) -> Any:
    """Turn what was sent into a part of a column again."""
    if kind in _ARROW:
        return column
    if kind == "object":
        values = column.to_pylist()
        return [None if value is None else orjson.loads(value) for value in values]
    return column.to_numpy(zero_copy_only=False)


def _texts(values: Sequence[Any]) -> pa.LargeStringArray:
    import pandas as pd  # noqa: PLC0415 - as above
    import pyarrow as pa  # noqa: PLC0415

    try:
        return pa.array(values, pa.large_string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array(pd.Series(list(values), dtype="str"), pa.large_string(), from_pandas=True)


def _times(text: pa.LargeStringArray) -> Any:
    """Return microseconds since the epoch, or what numpy has for none."""
    import pandas as pd  # noqa: PLC0415 - as above
    import pyarrow as pa  # noqa: PLC0415

    try:
        read = text.cast(pa.timestamp("us", tz="UTC"))
    except pa.ArrowInvalid:
        times = pd.to_datetime(pd.Series(text, dtype="str"), utc=True, format="ISO8601")
        return times.astype("datetime64[us, UTC]").to_numpy("datetime64[us]").view("int64")
    return read.cast(pa.int64()).fill_null(_NO_TIME).to_numpy()


def _numbers(values: Sequence[Any]) -> NDArray[np.float64]:
    """Return floats: none, whole and plain decimal numbers together, all others one by one."""
    import numpy as np  # noqa: PLC0415 - as above

    decimals = [value for value in values if type(value) is dict]
    try:
        others = "".join([value["_d"] for value in decimals]).encode().translate(None, _PLAIN)
        if not others and sum(map(len, decimals)) == len(decimals):
            return np.array(
                [
                    nan if value is None else value if type(value) is int else float(value["_d"])
                    for value in values
                ],
                np.float64,
            )
    except (LookupError, TypeError, ValueError):
        pass  # one of them is no number
    return np.array([nan if value is None else _number(value) for value in values], np.float64)


def _number(value: Any) -> float:
    """Read a number; what another program wrote in its place counts as missing."""
    try:
        return canonical.real(value)
    except EncodingError:
        return nan
