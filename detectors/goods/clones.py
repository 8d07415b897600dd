"""Clones: which events of a serial are of another piece than the others.

One incident has one name: a shipment of pieces that are elsewhere is a clone's
and no gap in custody; a piece that turns up where nobody recorded its way to,
from a place that goods are passed on from, is a gap in custody and no clone.

Next: detectors/routes/cloned_serial.py
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.goods.serials import NUMBERS, breaks, histories, one_piece, orders, uncounted
from detectors.past import past

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["MOST_EVENTS", "PASSED_ON", "Clones", "clones", "passing_on"]

OVERLAP: Final = 2.0
LATER: Final = 1.6
"""A piece that turns up elsewhere only after its last trace might have moved unseen, twice."""
MOST_EVENTS: Final = 1_000
"""No piece is scanned more often: such a serial stands for many, or for none."""
PASSED_ON: Final = 0.5
"""A site that ships as many consignments as this share of those it gets passes goods on."""
_MOST_EVIDENCE: Final = 50


class Clones(NamedTuple):
    """What the serials say.

    Attributes:
        judged: Log indices of the events whose serials could be followed, in order.
        foreign: Per event and history: `index`, `name` (the first of the serials), `many` (how
            many), `score` and `others` (log indices of the piece's own events).
        unseen: Log indices of events of pieces that came there unseen, in order.
        uncounted: Log indices of events that name more pieces than they count.
        stand_ins: Log indices of events whose serial is no single piece's.
    """

    judged: NDArray[np.int64]
    foreign: pd.DataFrame
    unseen: NDArray[np.int64]
    uncounted: NDArray[np.int64]
    stand_ins: NDArray[np.int64]


def clones(shared: Features) -> Clones:
    """Follow every serial, and tell the events of other pieces apart.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    table = histories(shared)
    often = table.groupby("serial")["index"].transform("size") > MOST_EVENTS
    stand_ins = np.unique(table["index"][often].to_numpy(np.int64))
    table = table[~often]
    suspects = table[table["serial"].isin(breaks(table))]
    foreign, unseen = _foreign(suspects, _numbers(shared, shared.yardstick(passing_on)))
    events = shared.frames.events
    left_out = events["index"].to_numpy(np.int64)[shared.once(uncounted)]
    judged = np.unique(table["index"][table["read"].to_numpy(bool)].to_numpy(np.int64))
    return Clones(judged, foreign, unseen, np.unique(left_out), stand_ins)


@past
def passing_on(shared: Features) -> list[str]:
    """List the sites that ship on what they get; a shop's goods end there."""
    rows = shared.rows
    came = rows["kind"].isin(["produce", "transform", "receive"]).to_numpy(bool)
    left = (rows["kind"] == "ship").to_numpy(bool)
    ins = rows["site"][came].value_counts()
    outs = rows["shipper"][left].value_counts()
    ends = outs.index[outs >= PASSED_ON * ins.reindex(outs.index).fillna(0)]
    return sorted(map(str, ends))


def _numbers(shared: Features, sites: list[str]) -> NDArray[np.int64]:
    """Return the numbers of sites, of those that some rows name."""
    rows = shared.rows
    named = [("site", "site_number"), ("to_site", "to_site_number"), ("shipper", "shipper_number")]
    found = [rows[number][rows[name].isin(sites)].unique() for name, number in named]
    return np.unique(np.concatenate(found)).astype(np.int64)


def _foreign(
    suspects: pd.DataFrame, passing_on: NDArray[np.int64]
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Judge all suspect serials; pieces that went together are asked once.

    What was not read accuses nobody, it only shows where a piece was.
    """
    read = suspects["read"].to_numpy(bool)
    serial, index = suspects["serial"].to_numpy(), suspects["index"].to_numpy(np.int64)
    names = suspects["name"].to_numpy(object)
    columns = {name: suspects[name].to_numpy(np.int64) for name in NUMBERS}
    asked: dict[bytes, tuple[slice, list[str]]] = {}
    starts = np.flatnonzero(np.diff(serial, prepend=-1)).tolist()
    for start, end in pairwise([*starts, len(serial)]):
        own = slice(start, end)
        asked.setdefault(index[own].tobytes() + read[own].tobytes(), (own, []))[1].append(
            str(names[start])
        )
    ends = frozenset(passing_on.tolist())
    found, unseen = [], set()
    for own, pieces in asked.values():
        history = {name: one[own] for name, one in columns.items()}
        order, (apart, later, moved) = _best_order(history, ends)
        entries = index[own][order]
        unseen.update(entries[moved].tolist())
        rest = np.setdiff1d(np.arange(len(entries)), apart + later)
        others = tuple(dict.fromkeys(entries[rest].tolist()))[-_MOST_EVIDENCE:]
        scores = [(one, OVERLAP) for one in apart] + [(one, LATER) for one in later]
        found += [
            (int(entries[one]), score, others, min(pieces), len(pieces))
            for one, score in sorted(scores)
            if read[own][order[one]]
        ]
    foreign = pd.DataFrame(found, columns=["index", "score", "others", "name", "many"])
    return foreign, np.array(sorted(unseen), np.int64)


def _best_order(
    history: Mapping[str, NDArray[np.int64]], passing_on: frozenset[int]
) -> tuple[NDArray[np.int64], tuple[list[int], list[int], list[int]]]:
    """Judge a history in the order in which least of it is of another piece."""
    found = []
    for order in orders(history):
        found.append((order, _judged(history, order, passing_on)))
        if not (found[-1][1][0] or found[-1][1][1]):
            break
    return min(found, key=lambda one: len(one[1][0]) + len(one[1][1]))


def _judged(
    scanned: Mapping[str, NDArray[np.int64]], order: NDArray[np.int64], passing_on: frozenset[int]
) -> tuple[list[int], list[int], list[int]]:
    """Return the events of another piece, those of what may be one, and those that came unseen."""
    history = {name: one[order] for name, one in scanned.items()}
    history["at"] = np.maximum.accumulate(history["at"])
    pieces = one_piece(history)
    later: list[int] = []
    unseen: list[int] = []
    for one, trace in pieces.moved.items():
        last = int(history["after"][trace])
        (unseen if last < 0 or last in passing_on else later).append(one)
    return pieces.apart, later, unseen
