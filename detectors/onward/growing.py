"""Growing: a table whose rows rest each on something apart, of which only what moved is made anew.

The rows of the run before are kept as a fit, with the yardsticks they were measured with
and the tables they may rest on. Where one of those is another now, all rows are made anew.

Next: detectors/onward/answers.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import pandas as pd

from detectors.onward.apart import BY_GOODS
from detectors.record import code_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from detectors.features import Features
    from detectors.onward.apart import Part
    from detectors.onward.watched import Watched
    from detectors.partition import Apart

__all__ = ["Growing"]


class _Grown(msgspec.Struct, frozen=True):
    """A table as it is kept.

    Attributes:
        code: Names the code that made it.
        tables: What it may rest on.
        yardsticks: Digests of what it was measured with, by name.
        columns: Its columns.
        kinds: What each of them holds.
    """

    code: str
    tables: frozenset[str]
    yardsticks: dict[str, str]
    columns: dict[str, list[str | int | float | bool | None]]
    kinds: dict[str, str]


class _Made(NamedTuple):
    """A table that was made, and what it rests on."""

    table: pd.DataFrame
    tables: frozenset[str]
    yardsticks: dict[str, str]


class Growing:
    """Makes tables for one run; see `Features.grown`."""

    def __init__(
        self,
        whole: Watched,
        part: Callable[[Apart], Part | None],
        changed: Collection[str],
    ) -> None:
        """Prepare.

        Args:
            whole: Features of the whole record.
            part: Cuts out what moved.
            changed: Tables of the frames that have other rows than in the run before.
        """
        self._whole = whole
        self._part = part
        self._changed = changed

    def __call__(self, make: Callable[[Features], pd.DataFrame], apart: Apart) -> pd.DataFrame:
        """Return the table, and keep it for the next run."""
        name = f"{make.__module__}.{make.__qualname__}"
        code = code_digest(make.__module__)
        made = self._regrown(self._whole.kept_fit(name), code, make, apart)
        if made is None:
            made = _made(self._whole, make)
        self._whole.fits[name] = _written(made, code)
        return made.table

    def _regrown(
        self,
        kept: bytes | None,
        code: str,
        make: Callable[[Features], pd.DataFrame],
        apart: Apart,
    ) -> _Made | None:
        """Put what was made of what moved beside the rest; None where all is to be made anew."""
        before = None if kept is None else msgspec.msgpack.decode(kept, type=_Grown)
        if before is None or before.code != code:
            return None
        part = self._part(apart)
        if part is None or (before.tables & set(self._changed)) - BY_GOODS:
            return None
        own = _made(part, make)
        if own.yardsticks != before.yardsticks:
            return None
        rest = _read(before)
        mine = np.isin(own.table["index"].to_numpy(np.int64), part.own)
        others = ~np.isin(rest["index"].to_numpy(np.int64), part.own)
        whole = pd.concat([rest[others], own.table.loc[mine, rest.columns]], ignore_index=True)
        return _Made(whole, own.tables | before.tables, own.yardsticks)


def _made(shared: Watched, make: Callable[[Features], pd.DataFrame]) -> _Made:
    others, shared.yardsticks = shared.yardsticks, {}
    try:
        with shared.reading() as read:
            table = make(shared)
    finally:
        own, shared.yardsticks = shared.yardsticks, others | shared.yardsticks
    return _Made(table, frozenset(read), {name: one.digest for name, one in own.items()})


def _written(made: _Made, code: str) -> bytes:
    table = made.table
    kinds = {str(name): str(table[name].dtype) for name in table}
    columns = {str(name): _plain(table[name]) for name in table}
    return msgspec.msgpack.encode(_Grown(code, made.tables, made.yardsticks, columns, kinds))


def _plain(column: pd.Series) -> list[str | int | float | bool | None]:
    if isinstance(column.dtype, pd.StringDtype):
        column = column.astype(object).where(column.notna(), None)
    found: list[str | int | float | bool | None] = column.tolist()
    return found


def _read(kept: _Grown) -> pd.DataFrame:
    return pd.DataFrame(kept.columns).astype(kept.kinds)
