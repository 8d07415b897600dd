"""Drawing: which transformations hang together, for they draw on the same stock.

What one of them uses the others lack. Stock is a lot at a site, so nothing hangs together
over two sites; a site where somebody names no lots has one stock of everything.

Next: detectors/pools.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.custody import stock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["Drawn", "drawing"]

_ENDS: Final = ("site_number", "shipper_number", "to_site_number")


class Drawn(NamedTuple):
    """Transformations, and what they draw on.

    Attributes:
        entries: Log indices, ascending; of other events of the same ids, too.
        lots: Numbers of lots, ascending.
    """

    entries: NDArray[np.int64]
    lots: NDArray[np.int64]


def drawing(shared: Features, since: int, young: NDArray[np.bool_]) -> Drawn:
    """Find the transformations that draw on what moved, and all that hang together with them.

    Args:
        shared: Features of the whole record.
        since: The first entry that is new.
        young: Marks rows of transformations that are asked for whatever moved.
    """
    rows, inputs, links = shared.rows, shared.inputs, shared.once(_links)
    index, lot = rows["index"].to_numpy(np.int64), rows["lot"].to_numpy(np.int64)
    has_lot, named = (one["has_lot"].to_numpy(bool) for one in (rows, inputs))
    used = inputs["lot"].to_numpy(np.int64)
    moved = np.zeros(int(max(lot.max(initial=0), used.max(initial=0))) + 1, bool)
    moved[lot[has_lot & (index >= since)]] = True
    moved[used[named & (inputs["index"].to_numpy(np.int64) >= since)]] = True
    # The last place of either is that of -1.
    events, keys = np.zeros(links.events + 1, bool), np.zeros(links.keys + 1, bool)
    events[links.event[young | (index >= since)]] = True
    keys[links.stock[named & moved[used]]] = True
    ends = [links.place[rows[name].to_numpy(np.int64)] for name in _ENDS]
    for end in ends:
        keys[end[has_lot & moved[lot]]] = True
    keys[-1], events[-1], count = False, False, -1
    while count < (count := int(events.sum())):
        keys[links.key[events[links.user]]] = True
        events[links.user[keys[links.key]]] = True
    here = [lot[has_lot & keys[end]] for end in ends]
    lots = np.unique(np.concatenate([used[named & events[links.of_input]], *here]))
    return Drawn(np.unique(index[events[links.event]]), lots)


class _Links(NamedTuple):
    """What transformations draw on: those that have a key in common hang together.

    Attributes:
        event: Number of the event id of each of `rows`.
        of_input: And of the event of each of `inputs`, -1 unknown.
        stock: Key of the stock that each of `inputs` is of.
        place: Key of all stock of a site, by its number; -1 where lots are named.
        user: Numbers of event ids, one for each key that an event draws on.
        key: That key.
        events: How many event ids there are.
        keys: How many keys.
    """

    event: NDArray[np.int64]
    of_input: NDArray[np.int64]
    stock: NDArray[np.int64]
    place: NDArray[np.int64]
    user: NDArray[np.int64]
    key: NDArray[np.int64]
    events: int
    keys: int


def _links(shared: Features) -> _Links:
    rows, inputs = shared.rows, shared.inputs
    event, names = pd.factorize(rows["event_id"])
    event = event.astype(np.int64)
    index, entries = rows["index"].to_numpy(np.int64), inputs["index"].to_numpy(np.int64)
    first = np.minimum(np.searchsorted(index, entries), max(len(index) - 1, 0))
    of_input = np.full(len(entries), -1)
    if len(index):
        of_input = np.where(index[first] == entries, event[first], -1)
    site = inputs["site_number"].to_numpy(np.int64)
    own, stocks = pd.factorize(stock(inputs["lot"].to_numpy(np.int64), site))
    made = np.flatnonzero(rows["kind"] == "transform")
    at = rows["site_number"].to_numpy(np.int64)
    # The last place is that of rows without a site.
    place = np.full(max(int(rows[name].max()) for name in _ENDS) + 2 if len(rows) else 1, -1)
    bare = np.unique(at[made[~np.isin(index[made], entries)]])
    bare = bare[bare >= 0]
    place[bare] = len(stocks) + np.arange(len(bare))
    known = of_input >= 0
    whole = made[place[at[made]] >= 0]
    return _Links(
        event=event,
        of_input=of_input,
        stock=own.astype(np.int64),
        place=place,
        user=np.concatenate([of_input[known], event[whole]]),
        key=np.concatenate([own[known], place[at[whole]]]),
        events=len(names),
        keys=len(stocks) + len(bare),
    )
