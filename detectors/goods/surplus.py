"""Surplus: which shipment is the one too many, where more of a lot left a site than came.

Time alone accuses whoever ships last. A consignment that leaves as it came is
accounted for; what is left over is held against what is left over, and where
one shipment alone explains the surplus, that one does.

Next: detectors/goods/handovers.py
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["explained"]

_SEVERAL: Final = 2


class _Place(NamedTuple):
    """What moved of one lot at one site, in order of time; `row` is the ship's in `short`."""

    row: NDArray[np.int64]
    sent: NDArray[np.float64]
    sent_at: NDArray[np.int64]
    came: NDArray[np.float64]
    came_from: NDArray[np.int64]
    surplus: float
    allowed: float


def explained(
    short: pd.DataFrame,
    flows: pd.DataFrame,
    tolerance: NDArray[np.float64],
    early_us: int | NDArray[np.int64],
) -> pd.DataFrame:
    """Book what left and never came on the shipment that explains it best.

    Args:
        short: `custody.shortfalls` of the flows.
        flows: As `custody.flows` lists them.
        tolerance: Share by which more may leave than came, by number of the lot.
        early_us: How much earlier than recorded an arrival may have been; one, or for each flow.

    Returns:
        `short`, with `short` and `held` changed where several consignments of a lot left a site.
    """
    booked = short["short"].to_numpy(np.float64, copy=True)
    held = short["held"].to_numpy(np.float64, copy=True)
    since = flows["at"].to_numpy(np.int64) - early_us
    table = _overdrawn(flows.assign(since=since), tolerance)
    position = short["position"].to_numpy(np.int64)
    for place in _places(table, position):
        chosen, excess = _one_too_many(place, booked[place.row])
        if chosen >= 0:
            booked[place.row] = 0.0
            booked[place.row[chosen]] = excess
            held[place.row[chosen]] = max(place.sent[chosen] - place.surplus, 0.0)
    return short.assign(short=booked, held=held)


def _overdrawn(flows: pd.DataFrame, tolerance: NDArray[np.float64]) -> pd.DataFrame:
    """Return the flows of each lot and site of which several ships took more than came.

    By place and time, with `surplus` (how much more) and `allowed` (share).
    """
    number, places = pd.factorize(flows["stock"])
    inward = flows["sign"].to_numpy() > 0
    amount = flows["amount"].to_numpy(np.float64)
    size = len(places)
    surplus = np.bincount(number, np.where(inward, -amount, amount), size)
    least = np.full(size, np.inf)
    np.fmin.at(least, number[inward], amount[inward])
    allowed = tolerance[np.asarray(places, np.int64) >> 32]
    # An unknown amount makes the surplus unknown, and that compares to nothing.
    over = np.flatnonzero((surplus > allowed * least)[number])
    ships = over[(flows["kind"].iloc[over] == "ship").to_numpy()]
    asked = np.bincount(number[ships], minlength=size) >= _SEVERAL
    over = over[asked[number[over]]]
    found = (
        flows[_OF_FLOWS]
        .iloc[over]
        .assign(surplus=surplus[number[over]], allowed=allowed[number[over]])
    )
    names = ("position", "index", "at", "stock")
    return found.iloc[np.lexsort(tuple(found[name].to_numpy() for name in names))]


_OF_FLOWS: Final = ["stock", "sign", "amount", "at", "since", "kind", "position", "index"]


def _places(table: pd.DataFrame, position: NDArray[np.int64]) -> Iterator[_Place]:
    """Yield lot after lot what moved of it at its site."""
    ships, inward = (table["kind"] == "ship").to_numpy(), table["sign"].to_numpy() > 0
    amount, at = table["amount"].to_numpy(np.float64), table["at"].to_numpy(np.int64)
    row = np.searchsorted(position, table["position"].to_numpy(np.int64))
    since = table["since"].to_numpy(np.int64)
    surplus, allowed = table["surplus"].to_numpy(), table["allowed"].to_numpy()
    starts = np.flatnonzero(np.diff(table["stock"].to_numpy(), prepend=-1)).tolist()
    for start, stop in pairwise([*starts, len(table)]):
        own = slice(start, stop)
        left, came = ships[own], inward[own]
        yield _Place(
            row[own][left], amount[own][left], at[own][left], amount[own][came], since[own][came],
            float(surplus[start]), float(allowed[start]),
        )  # fmt: skip


def _one_too_many(place: _Place, booked: NDArray[np.float64]) -> tuple[int, float]:
    """Return which of the ships is too many, and by how much; -1 where time tells as well."""
    allowed = place.allowed
    rest, unmatched = _unaccounted(place)
    excess = place.surplus - allowed * unmatched
    if excess <= 0 or booked.sum() > place.surplus * (1 + allowed):
        return -1, 0.0
    enough = [one for one in rest if place.sent[one] >= place.surplus * (1 - allowed)]
    whole = [
        one for one in enough if abs(place.sent[one] - place.surplus) <= allowed * place.sent[one]
    ]
    if whole:
        return whole[-1], excess
    if len(enough) == 1 or (enough and len(rest) < len(place.sent)):
        late = [one for one in enough if booked[one] > 0]
        return (late or enough)[-1], excess
    return -1, 0.0


def _unaccounted(place: _Place) -> tuple[list[int], float]:
    """Return the ships that left otherwise than something came, and how much came otherwise."""
    free, rest = np.ones(len(place.came), bool), []
    for one in range(len(place.sent)):
        away = np.abs(place.came - place.sent[one])
        fits = free & (away <= place.allowed * place.sent[one])
        fits &= place.came_from <= place.sent_at[one]
        if fits.any():
            free[int(np.argmin(np.where(fits, away, np.inf)))] = False
        else:
            rest.append(one)
    return rest, float(place.came[free].sum())
