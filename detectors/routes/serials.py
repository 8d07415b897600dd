"""Serials: where each single piece was, event by event, and what one piece cannot do.

Next: detectors/routes/cloned_serial.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["NUMBERS", "SOLD", "breaks", "foreign", "histories"]

_KINDS: Final = (
    "produce", "transform", "pack", "receive", "unpack", "store", "inspect", "recall", "destroy",
    "sell", "ship",
)  # fmt: skip
"""Event types in the order in which they follow each other at one moment."""
_PRODUCE, _TRANSFORM, _RECEIVE, _SELL, _SHIP = (
    _KINDS.index(name) for name in ("produce", "transform", "receive", "sell", "ship")
)
SOLD: Final = _SELL
"""Number of a sale among the kinds."""
_BACK: Final = np.isin(_KINDS, ("recall", "destroy", "inspect", "receive", "store", "ship"))
"""What may happen to a piece at the shop that sold it, once it was brought back."""
_ANYWHERE: Final = np.isin(_KINDS, ("recall", "destroy", "inspect"))


def histories(shared: Features) -> pd.DataFrame:
    """List every event of every serial, serial by serial in the order of time.

    Returns:
        `serial` (a number), `name`, `index`, `at`, and as numbers, -1 for none: `kind`, `place`
        (where the piece must be for the event to happen), `after` (where it is then), `source`
        (of a receive), `shipment`.
    """
    events = shared.frames.events
    lists = events["serial_ids"].to_numpy(object)
    counts = np.array(
        [len(one) if isinstance(one, (list, tuple)) else 0 for one in lists], np.int64
    )
    row = np.repeat(np.arange(len(lists)), counts)
    if not len(row):
        return pd.DataFrame({name: np.empty(0, np.int64) for name in _COLUMNS})
    named = np.array([str(name) for one in lists[counts > 0] for name in one], dtype=object)
    item = events[["item_party", "product_id"]].iloc[np.flatnonzero(counts)].astype("str")
    kinds = np.repeat(codes(item.fillna(""), list(item.columns)), counts[counts > 0])
    numbers, _ = pd.factorize(named)
    serial = pd.factorize(kinds * (int(numbers.max()) + 1) + numbers)[0]
    index = events["index"].to_numpy()[row]
    about = _about(shared)
    place = np.searchsorted(about["index"], index)
    known = place < len(about["index"])
    known[known] = about["index"][place[known]] == index[known]
    known &= pd.Series(serial).duplicated(keep=False).to_numpy()
    place = place[known]
    table = {name: column[place] for name, column in about.items()}
    table |= {"serial": serial[known], "name": named[known]}
    order = np.lexsort((table["index"], table["kind"], table["at"], table["serial"]))
    return pd.DataFrame({name: table[name][order] for name in _COLUMNS})


_COLUMNS: Final = (
    "serial", "name", "index", "kind", "at", "place", "after", "source", "shipment",
)  # fmt: skip


NUMBERS: Final = ("kind", "at", "place", "after", "source", "shipment")
"""The columns that say what one piece can have had."""


def _about(shared: Features) -> dict[str, NDArray[np.int64]]:
    """Describe each event once: a ship that is dated after its receive left before it."""
    rows = shared.rows
    first = shared.legs.groupby("ship")["receive"].min()
    at = rows["at"].to_numpy(copy=True)
    at[first.index] = np.minimum(at[first.index], at[first] - 1)
    number, names = pd.factorize(rows["kind"])
    by_name = np.array([_KINDS.index(name) if name in _KINDS else -1 for name in [*names, ""]])
    kind = by_name[number]
    ship = kind == _SHIP
    table = {
        "index": rows["index"].to_numpy(),
        "kind": kind,
        "at": at,
        "place": np.where(ship, rows["shipper_number"], rows["site_number"]),
        "after": np.where(ship, rows["to_site_number"], rows["site_number"]),
        "source": rows["from_number"].to_numpy(),
        "shipment": rows["shipment_number"].to_numpy(),
    }
    once = rows["timed"].to_numpy() & (kind >= 0) & ~rows["index"].duplicated().to_numpy()
    return {name: column[once] for name, column in table.items()}


def breaks(table: pd.DataFrame) -> NDArray[np.int64]:
    """Return the serials of which some event does not follow from the one before it."""
    before, after = table.iloc[:-1], table.iloc[1:]
    same = before["serial"].to_numpy() == after["serial"].to_numpy()
    fine = _follows(
        {name: before[name].to_numpy() for name in NUMBERS},
        {name: after[name].to_numpy() for name in NUMBERS},
    )
    return np.unique(after["serial"].to_numpy()[same & ~fine])


def _follows(
    before: Mapping[str, NDArray[np.int64]], after: Mapping[str, NDArray[np.int64]]
) -> NDArray[np.bool_]:
    """Tell where one piece can have had both events, one next after the other.

    One scan may be missing: a receive without its ship, or anything at the addressee without
    the receive.
    """
    kind = after["kind"]
    receives = kind == _RECEIVE
    unknown = (before["after"] < 0) | (after["place"] < 0)
    stays = before["after"] == after["place"]
    unshipped = receives & (after["source"] == before["after"])
    leg = receives & (before["kind"] == _SHIP) & (after["shipment"] >= 0)
    leg &= after["shipment"] == before["shipment"]
    moved = unknown | stays | unshipped | leg
    returned = (stays & _BACK[kind]) | _ANYWHERE[kind]
    fine = np.where(before["kind"] == _SELL, returned, moved)
    return np.asarray(fine & (kind != _PRODUCE) & (kind != _TRANSFORM), bool)


def foreign(columns: Mapping[str, NDArray[np.int64]]) -> list[int]:
    """Return the positions of events that cannot be of the piece the others are of.

    The longest chain of events that one piece can have had is taken for the piece; whatever
    does not fit into it is of another one. What precedes the making is a question of order.

    Args:
        columns: `NUMBERS` of the events of one serial, in the order of time.
    """
    size = len(columns["kind"])
    made = (columns["kind"] == _PRODUCE) | (columns["kind"] == _TRANSFORM)
    start = int(np.flatnonzero(made)[0]) if made.any() else 0
    length, previous = np.ones(size), np.full(size, -1)
    length[made] += 0.5
    for j in range(start + 1, size):
        one = {name: np.repeat(column[j], j - start) for name, column in columns.items()}
        fits = _follows({n: c[start:j] for n, c in columns.items()}, one)
        if fits.any():
            # Of equally long chains the one whose last event is nearest in time goes on.
            chain = np.where(fits, length[start:j], -1.0)
            best = start + int(len(chain) - 1 - np.argmax(chain[::-1]))
            length[j], previous[j] = length[best] + 1, best
    return _outside(length, previous, start, columns["at"])


def _outside(
    length: NDArray[np.float64], previous: NDArray[np.int64], start: int, at: NDArray[np.int64]
) -> list[int]:
    chain, position = set(), start + int(np.argmax(length[start:]))
    while position >= 0:
        chain.add(position)
        position = int(previous[position])
    taken = [at[one] for one in chain]
    return [
        one
        for one in range(start, len(length))
        if one not in chain and min(abs(at[one] - other) for other in taken) > 0
    ]
