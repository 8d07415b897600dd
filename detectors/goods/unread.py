"""Unread serials: what a receipt of a whole load shows, though a reader missed some of it.

A receipt of as many pieces as were shipped is one of those pieces, whichever of
their tags were read at the gate; where nobody scanned the ship, so is one of as
many as the whole lot was made of.

Next: detectors/goods/clones.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.columns import codes, numbers, texts
from detectors.units import PIECE, unit_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["Unread", "unread"]

_LOT: Final = ["item_party", "product_id", "lot_id"]
_LOAD: Final = [*_LOT, "shipment_id"]
_MADE: Final = ("produce", "transform")


class Unread(NamedTuple):
    """Pieces that were there and are not named: `row` in the events frame, and `name`."""

    row: NDArray[np.int64]
    name: NDArray[np.object_]


def unread(shared: Features, listed: NDArray[np.int64]) -> Unread:
    """List the serials that receipts of whole loads leave out.

    Args:
        shared: Features of the run.
        listed: How many serials each event of the frame names.
    """
    events = shared.frames.events
    counted = numbers(events, "quantity")
    short, whole = listed < counted, (listed == counted) & (listed > 0)
    if not whole.any():
        return Unread(np.empty(0, np.int64), np.empty(0, object))
    kind = texts(events, "event_type").str.strip().str.lower()
    receipts = np.flatnonzero(short & (kind == "receive").to_numpy(bool, na_value=False))
    ships = np.flatnonzero((listed > 0) & (kind == "ship").to_numpy(bool, na_value=False))
    made = np.flatnonzero(whole & kind.isin(_MADE).to_numpy(bool))
    ship = _only(events, receipts, ships, _LOAD)
    source = np.where(ship == _NONE, _only(events, receipts, made, _LOT), ship)
    fits = source >= 0
    receipts, source = receipts[fits], source[fits]
    fits = whole[source] & (counted[receipts] == listed[source]) & _by_piece(events, receipts)
    return _left_out(events["serial_ids"].to_numpy(object), receipts[fits], source[fits])


_NONE: Final = -1
_SEVERAL: Final = -2


def _only(
    events: pd.DataFrame, receipts: NDArray[np.int64], others: NDArray[np.int64], key: list[str]
) -> NDArray[np.int64]:
    """Return for each receipt the only one of other rows that agrees with it, if there is one."""
    rows = np.concatenate([receipts, others])
    held = _taken(events, rows, key)
    named = pd.DataFrame({name: texts(held, name).to_numpy() for name in key})
    number = codes(named, key)
    own, their = number[: len(receipts)], number[len(receipts) :]
    many = np.bincount(their, minlength=int(number.max(initial=-1)) + 1)
    position = np.full(len(many), _NONE)
    position[their] = others
    found = np.where(many[own] > 1, _SEVERAL, position[own])
    unknown = named.iloc[: len(receipts)].isna().any(axis=1).to_numpy()
    return np.where(unknown, _NONE, found).astype(np.int64)


def _taken(events: pd.DataFrame, rows: NDArray[np.int64], names: list[str]) -> pd.DataFrame:
    """Take some rows, a column at a time: more than that a table of the past cannot do."""
    held = {
        name: events[name].iloc[rows].reset_index(drop=True) for name in names if name in events
    }
    return pd.DataFrame(held, index=range(len(rows)))


def _by_piece(events: pd.DataFrame, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    unit = unit_names(texts(_taken(events, rows, ["quantity_unit"]), "quantity_unit"))
    return (unit == PIECE).to_numpy(bool, na_value=False)


def _left_out(lists: NDArray[np.object_], receipts: Iterable[int], source: Iterable[int]) -> Unread:
    """Take what the source names and the receipt does not; one that names others is of others."""
    row, name = [], []
    for receipt, other in zip(receipts, source, strict=True):
        own, all_ = lists[receipt], list(map(str, lists[other]))
        read = set(map(str, own)) if isinstance(own, (list, tuple)) else set()
        if read <= set(all_):
            rest = [one for one in dict.fromkeys(all_) if one not in read]
            row += [int(receipt)] * len(rest)
            name += rest
    return Unread(np.array(row, np.int64), np.array(name, dtype=object))
