"""Spoiling: a decent record made bad in the ways that records are bad.

Each spoiler changes frames and nothing else about them. They are what the
conformance suite puts every detector before.

Next: detectors/conformance.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from graph.frames import Frames

__all__ = ["ABSURD", "KEPT", "SPOILERS"]

ABSURD: Final = (float("nan"), float("inf"), float("-inf"), -1.0, 0.0, 1e300, -1e18, 1e-300)
_IDS: Final = (
    "index leaf_hash party facility_id month worker_id week event_id event_type product_id"
)
_LISTS: Final = "serial_ids quality product_ids serialised"
KEPT: Final = frozenset(f"{_IDS} {_LISTS}".split())
"""What a row cannot be found without, and columns of lists."""
_REPORTS: Final = ("events", "labour", "timesheets")
_UNITS: Final = ("kg", "LB", "g", "t", "unit", "bananas", "")
_TEXTS: Final = ("?", "", "N/A", "31/12/2024", "\u00e9\u4e2d\U0001f4a5", "0")
_SHIFT: Final = pd.Timedelta(hours=11)


def _tables(frames: Frames, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Frames:
    changed: dict[str, Any] = {
        name: change(getattr(frames, name)).reset_index(drop=True) for name in _REPORTS
    }
    return replace(frames, **changed)


def _numbers(table: pd.DataFrame) -> list[str]:
    return [name for name in table.select_dtypes("float64").columns if name not in KEPT]


def _hit(size: int, share: float, salt: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray(np.random.default_rng(salt).random(size) < share)


def _largest(table: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows are of the facility with the most of them."""
    most = table["facility_id"].value_counts().sort_index().sort_values(kind="stable").index[-1:]
    return table["facility_id"].isin(list(most)).to_numpy(bool)


def _one_facility(frames: Frames) -> Frames:
    return _tables(frames, lambda table: table[_largest(table)])


def _one_site_has_most(frames: Frames) -> Frames:
    def most(table: pd.DataFrame) -> pd.DataFrame:
        big = _largest(table)
        keep = big.sum() / max((~big).sum(), 1) / 9
        return table[big | _hit(len(table), keep, 5)]

    return _tables(frames, most)


def _all_equal(frames: Frames) -> Frames:
    return _tables(frames, lambda t: t.assign(**dict.fromkeys(_numbers(t), 1.0)))


def _missing(frames: Frames) -> Frames:
    def gaps(table: pd.DataFrame) -> pd.DataFrame:
        table = table.copy()
        for salt, name in enumerate(table.columns.difference(sorted(KEPT))):
            table.loc[_hit(len(table), 0.4, salt), name] = None
        return table

    return _tables(frames, gaps)


def _strewn(
    frames: Frames,
    values: Sequence[Any],
    where: Callable[[pd.DataFrame], Iterable[str]],
    *,
    share: float,
    salt: int,
) -> Frames:
    """Put any of some values in the place of a share of those in some columns."""

    def strewn(table: pd.DataFrame) -> pd.DataFrame:
        table, dice = table.copy(), np.random.default_rng(salt)
        for number, name in enumerate(where(table)):
            hit = _hit(len(table), share, number)
            table.loc[hit, name] = dice.choice(values, hit.sum())
        return table

    return _tables(frames, strewn)


def _texts(table: pd.DataFrame) -> pd.Index[str]:
    return table.select_dtypes(["object", "str"]).columns.difference(sorted(KEPT))


def _units(table: pd.DataFrame) -> list[str]:
    return [name for name in ("quantity_unit", "weight_unit", "currency") if name in table]


def _mixed_units(frames: Frames) -> Frames:
    def thousands(table: pd.DataFrame) -> pd.DataFrame:
        if "gross_wages" not in table:
            return table
        wages = table["gross_wages"]
        return table.assign(gross_wages=wages.mask(_hit(len(table), 0.3, 9), wages / 1000))

    return _tables(_strewn(frames, _UNITS, _units, share=1, salt=8), thousands)


def _shifted_clocks(frames: Frames) -> Frames:
    names = sorted(set(frames.events["facility_id"].dropna()))[::2]
    wrong = frames.events["facility_id"].isin(names)
    times = frames.events["event_time"]
    return replace(
        frames, events=frames.events.assign(event_time=times.mask(wrong, times + _SHIFT))
    )


def _months_without_reports(frames: Frames) -> Frames:
    def some(table: pd.DataFrame) -> pd.DataFrame:
        return table[table["month"].str[-1].isin(list("137"))].reset_index(drop=True)

    return replace(frames, labour=some(frames.labour), timesheets=some(frames.timesheets))


def _no_law(frames: Frames) -> Frames:
    labour = frames.labour.assign(currency=pd.Series(None, frames.labour.index, dtype="str"))
    return replace(frames, legal_limits=frames.legal_limits.iloc[:0], labour=labour)


def _twice(frames: Frames) -> Frames:
    return _tables(frames, lambda t: pd.concat([t, t]))


SPOILERS: Final[Mapping[str, Callable[[Frames], Frames]]] = {
    "too little data": lambda frames: _tables(frames, lambda t: t.iloc[:3]),
    "one facility only": _one_facility,
    "one site with 90 % of the rows": _one_site_has_most,
    "all values equal": _all_equal,
    "40 % missing fields": _missing,
    "absurd values": lambda frames: _strewn(frames, ABSURD, _numbers, share=0.1, salt=6),
    "odd texts": lambda frames: _strewn(frames, _TEXTS, _texts, share=0.1, salt=7),
    "units mixed": _mixed_units,
    "clocks shifted": _shifted_clocks,
    "months without reports": _months_without_reports,
    "no limits and no currency": _no_law,
    "rows twice": _twice,
}
"""By name, what is done to a decent record."""
