"""Serials: where each single piece was, event by event, and what one piece cannot do.

Next: detectors/goods/unread.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.columns import codes, numbers, texts
from detectors.custody import DAY_US, LATE_DAYS
from detectors.goods.unread import unread
from detectors.units import PIECE, unit_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["NUMBERS", "Pieces", "breaks", "histories", "one_piece", "orders", "uncounted"]

_KINDS: Final = (
    "produce", "transform", "pack", "receive", "unpack", "store", "inspect", "recall", "destroy",
    "sell", "ship",
)  # fmt: skip
"""Event types in the order in which they follow each other at one moment."""
_PRODUCE, _TRANSFORM, _RECEIVE, _SELL, _SHIP = (
    _KINDS.index(name) for name in ("produce", "transform", "receive", "sell", "ship")
)
_BACK: Final = np.isin(_KINDS, ("recall", "destroy", "inspect", "receive", "store", "sell", "ship"))
"""What may happen to a piece at the shop that sold it, once it was brought back, scanned or not."""
_ANYWHERE: Final = np.isin(_KINDS, ("recall", "destroy", "inspect"))


def uncounted(shared: Features) -> NDArray[np.bool_]:
    """Mark events of the frame that name more pieces than they count: which were there is unknown.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    events = shared.frames.events
    found = shared.once(_listed) > numbers(events, "quantity")
    many = np.flatnonzero(found)
    unit = unit_names(texts(events, "quantity_unit").iloc[many])
    found[many] = (unit == PIECE).to_numpy(bool, na_value=False)
    return np.asarray(found, bool)


def _listed(shared: Features) -> NDArray[np.int64]:
    """Count the serials that each event of the frame names."""
    lists = shared.frames.events["serial_ids"].to_numpy(object)
    return np.array([len(one) if isinstance(one, (list, tuple)) else 0 for one in lists], np.int64)


def histories(shared: Features) -> pd.DataFrame:
    """List every event of every serial, serial by serial in the order of time.

    Returns:
        `serial` (a number), `name`, `read` (or see `unread`), `index`, `at`, `scanned` (as it was
        recorded), and as numbers, -1 for none: `kind`, `place` (where the piece must be for the
        event to happen), `after` (where it is then), `source` (of a receive), `shipment`.
    """
    events = shared.frames.events
    lists = events["serial_ids"].to_numpy(object)
    counts = np.where(shared.once(uncounted), 0, shared.once(_listed))
    more = unread(shared, shared.once(_listed))
    row = np.concatenate([np.repeat(np.arange(len(lists)), counts), more.row])
    if not len(row):
        return pd.DataFrame({name: np.empty(0, np.int64) for name in _COLUMNS})
    own = np.array([str(name) for one in lists[counts > 0] for name in one], dtype=object)
    read = np.arange(len(row)) < len(own)
    named = np.concatenate([own, more.name])
    told = np.union1d(np.flatnonzero(counts), more.row)
    item = events[["item_party", "product_id"]].iloc[told].astype("str")
    kinds = codes(item.fillna(""), list(item.columns))[np.searchsorted(told, row)]
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
    table |= {"serial": serial[known], "name": named[known], "read": read[known]}
    order = np.lexsort((table["index"], table["kind"], table["at"], table["serial"]))
    return pd.DataFrame({name: table[name][order] for name in _COLUMNS})


_COLUMNS: Final = (
    "serial", "name", "read", "index", "kind", "at", "scanned", "place", "after", "source",
    "shipment",
)  # fmt: skip


NUMBERS: Final = ("kind", "at", "scanned", "place", "after", "source", "shipment")
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
        "scanned": rows["at"].to_numpy(),
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


def orders(columns: Mapping[str, NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    """Yield the orders in which the events of a serial may have happened: late scans come earlier.

    A receipt was there when the piece was first seen at its site after it had left for it. Of a
    receipt that is dated before its shipment, either time may be wrong.

    Args:
        columns: `NUMBERS` of the events of one serial, in the order in which they were scanned.
    """
    kind, place, shipment = columns["kind"], columns["place"], columns["shipment"]
    receipts = np.flatnonzero((kind == _RECEIVE) & (shipment >= 0)).tolist()
    for name in ("at", "scanned"):
        at = columns[name].copy()
        for one in receipts:
            left = np.flatnonzero((kind == _SHIP) & (shipment == shipment[one]))
            if not len(left):
                continue
            at[one] = max(at[one], int(at[left].min()) + 1)
            since = int(at[left][at[left] < at[one]].max())
            seen = at[(place == place[one]) & (at > since) & (at < at[one])]
            if len(seen) and at[one] - seen.min() <= LATE_DAYS * DAY_US:
                at[one] = seen.min() - 1
        yield np.lexsort((np.arange(len(at)), at))


class Pieces(NamedTuple):
    """What of a serial's events is not one piece seen scan by scan; positions of events.

    Attributes:
        apart: Of another piece: the piece was seen elsewhere before and after, or was sold.
        moved: What follows where the piece turned up elsewhere, two scans or more unseen; for
            each, the position of the last trace before it.
    """

    apart: list[int]
    moved: dict[int, int]


def one_piece(columns: Mapping[str, NDArray[np.int64]]) -> Pieces:
    """Split the events of a serial into those one piece can have had, and the others.

    The longest chain of events that follow from each other is taken for the piece; it begins
    where the piece was made, if that was recorded. Where it ends unsold, another chain after it
    may be the same piece, come there unseen. What precedes the making is a question of order.

    Args:
        columns: `NUMBERS` of the events of one serial, in the order of time.
    """
    made = (columns["kind"] == _PRODUCE) | (columns["kind"] == _TRANSFORM)
    start = int(np.flatnonzero(made)[0]) if made.any() else 0
    follows = _follows(
        {name: column[:, None] for name, column in columns.items()},
        {name: column[None, :] for name, column in columns.items()},
    )
    chain = _chain(follows, start, len(made), forced=bool(made.any()))
    last = chain[-1]
    moved: dict[int, int] = {}
    if start < chain[0] and not _sold(columns, range(start, chain[0])):
        moved = dict.fromkeys(chain, chain[0] - 1)
    # Nothing follows a sale; what follows a second making is of the piece made then.
    again = [one for one in np.flatnonzero(made).tolist() if one > last]
    stop = last + 1 if _sold(columns, chain) else min([*again, len(made)])
    if last + 1 < stop:
        later = _chain(follows, last + 1, stop)
        moved |= dict.fromkeys(later, last)
        if not _sold(columns, later):
            moved |= dict.fromkeys(range(later[-1] + 1, stop), later[-1])
    times = {int(columns["at"][one]) for one in chain}
    beside = [one for one in range(start, len(made)) if int(columns["at"][one]) not in times]
    beside = [one for one in beside if one in moved or not _misdated(columns, follows, chain, one)]
    leading = set(range(start, chain[0])) if chain[0] in moved else set()
    moved = {one: moved[one] for one in moved if one in beside or one in chain}
    return Pieces([one for one in beside if one not in moved and one not in leading], moved)


def _misdated(
    columns: Mapping[str, NDArray[np.int64]],
    follows: NDArray[np.bool_],
    chain: list[int],
    one: int,
) -> bool:
    """Tell whether an event fits into the chain at another time: a question of order."""
    ends, at = np.array(chain), columns["at"]
    before, after = np.append([True], follows[ends, one]), np.append(follows[one, ends], [True])
    early = np.append(at[ends] > at[one], at[ends[-1]] > at[one])
    late = np.append(at[one] - at[ends] <= LATE_DAYS * DAY_US, False)
    late &= columns["kind"][one] == _RECEIVE
    return bool((before & after & (early | late)).any())


def _sold(columns: Mapping[str, NDArray[np.int64]], events: Iterable[int]) -> bool:
    return any(columns["kind"][one] == _SELL for one in events)


def _chain(follows: NDArray[np.bool_], start: int, stop: int, *, forced: bool = False) -> list[int]:
    """Return the longest chain of events, one following from the other, among some of them.

    Args:
        follows: Whether the event of each column follows from that of each row.
        start: The first event to look at.
        stop: The one after the last.
        forced: Whether the chain begins with the first.
    """
    length = np.full(stop - start, -np.inf if forced else 1.0)
    length[0], previous = 1.0, np.full(stop - start, -1)
    for j in range(1, stop - start):
        worth = np.where(follows[start : start + j, start + j], length[:j], -np.inf)
        # Of equally long chains the one whose last event is nearest in time goes on.
        best = j - 1 - int(np.argmax(worth[::-1]))
        if worth[best] + 1 > length[j]:
            length[j], previous[j] = worth[best] + 1, best
    chain, position = [], int(np.argmax(length))
    while position >= 0:
        chain.append(start + position)
        position = int(previous[position])
    return chain[::-1]
