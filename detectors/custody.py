"""Custody: what each site held of each lot, and when it gave more than it had.

Goods come to a site by being made, received or first seen there and leave it by being
shipped, used, sold or destroyed. Per lot and site the running balance may not
fall below zero; where it does, the shortfall is booked once and credited, so
that one missing receipt does not accuse every later shipment. Quantities are
reconciled, not only presence: consignments of one lot may share a hub.

Next: detectors/misreported.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.columns import at as taken_at
from detectors.columns import codes, positive
from detectors.legs import HOUR_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "DAY_US",
    "LATE_DAYS",
    "MOVED",
    "NOTHING",
    "Flows",
    "by_lot",
    "first_flows",
    "flows",
    "sent_again",
    "shortfalls",
    "stock",
    "unreceived",
    "unreceived_parts",
]

DAY_US: Final = 24 * HOUR_US
LATE_DAYS: Final = 14
"""Arrivals are scanned after the goods have moved on, by up to this much: a question of order."""
_IN: Final = ("produce", "transform", "receive")
_SEEN: Final = ("unpack", "store")
_OUT: Final = ("ship", "sell", "destroy")
NOTHING: Final = 0.03
"""Less than this share of what is shipped is as good as nothing."""
_PART: Final = 0.05
"""So much of a shipment that did not arrive is one of its parts; less is weighing and loss."""


def stock(lot: NDArray[np.int64], site: NDArray[np.int64]) -> NDArray[np.int64]:
    """Name a lot at a site by one number.

    Args:
        lot: Numbers of lots.
        site: Numbers of sites, -1 for none.
    """
    return np.asarray(lot * (1 << 32) + site, np.int64)


def flows(rows: pd.DataFrame, inputs: pd.DataFrame) -> pd.DataFrame:
    """List every movement of a lot into or out of a site's hands.

    Args:
        rows: The shared event rows.
        inputs: The shared transform inputs (`lot`, `at`, `site`, `day`, `index`, quantity).

    Returns:
        `lot`, `holder`, `stock` (number of the lot at its holder), `sign` (+1, -1), `amount`
        (NaN unknown), `at`, `day`, `kind`, `index`, `position` (in `rows`; -1 for an input).
    """
    inward, outward = rows["kind"].isin(_IN), rows["kind"].isin(_OUT)
    known = (rows["timed"] & rows["has_lot"]).to_numpy()
    place = stock(rows["lot"].to_numpy(), rows["site_number"].to_numpy())
    moving = known & (inward | outward).to_numpy()
    # What is seen at a site that got the lot in no other way came there: in a container that was
    # scanned in, or unscanned.
    there = place[known & inward.to_numpy()]
    for kind in _SEEN:
        seen = np.flatnonzero(known & (rows["kind"] == kind).to_numpy())
        seen = seen[~pd.Index(place[seen]).isin(there)]
        moving[seen] = True
        there = np.append(there, place[seen])
    by_shipper = (rows["kind"] == "ship").to_numpy()
    holder = np.where(by_shipper, rows["shipper_number"], rows["site_number"])
    position = np.flatnonzero(moving & (holder >= 0))
    own = rows[["lot", "amount", "at", "day", "kind", "index", "site"]].iloc[position]
    ships = by_shipper[position]
    own = own.assign(
        holder=own["site"].where(~ships, taken_at(rows["shipper"], position)),
        stock=stock(own["lot"].to_numpy(), holder[position]),
        sign=np.where(outward.to_numpy()[position], -1.0, 1.0),
        position=position,
    )
    return pd.concat([own[_FLOW], _used(inputs)[_FLOW]], ignore_index=True)


MOVED: Final = ["lot", "stock", "sign", "amount", "at", "day", "kind", "index", "position"]
"""What a flow says in numbers, and its kind: taken many at a time, texts cost most."""
_FLOW: Final = [
    "lot", "holder", "stock", "sign", "amount", "at", "day", "kind", "index", "position",
]  # fmt: skip


def _used(inputs: pd.DataFrame) -> pd.DataFrame:
    used = inputs[inputs["timed"] & inputs["has_lot"] & inputs["site"].notna()]
    return used.assign(
        holder=used["site"],
        stock=stock(used["lot"].to_numpy(), used["site_number"].to_numpy()),
        sign=-1.0,
        # An undeclared share is not guessed here: mass_balance judges consumption.
        amount=np.nan_to_num(positive(used, "quantity")),
        kind="use",
        position=-1,
    )


class Flows(NamedTuple):
    """Some columns of `flows`, in order of time; `entry` is the log index."""

    entry: NDArray[np.int64]
    at: NDArray[np.int64]
    position: NDArray[np.int64]
    sign: NDArray[np.float64]
    stock: NDArray[np.int64]

    def cut(self, start: int, stop: int) -> Flows:
        """Return a part of it."""
        own = slice(start, stop)
        return Flows(
            self.entry[own], self.at[own], self.position[own], self.sign[own], self.stock[own]
        )


def by_lot(table: pd.DataFrame) -> tuple[NDArray[np.int64], Flows]:
    """Put flows into the order of lots, and of time within each; return the lots, too.

    Args:
        table: `flows`.
    """
    order = np.lexsort((table["position"], table["index"], table["at"], table["lot"]))
    names = ("index", "at", "position", "sign", "stock")
    return table["lot"].to_numpy()[order], Flows(*(table[name].to_numpy()[order] for name in names))


def first_flows(table: pd.DataFrame) -> pd.DataFrame:
    """Return the first flow of every lot, in the order of time.

    Args:
        table: `flows`.
    """
    order = np.lexsort((table["position"], table["index"], table["at"]))
    first = order[~table["lot"].iloc[order].duplicated().to_numpy()]
    return table.iloc[first]


def unreceived(rows: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """List as arrivals what was shipped to a site and never scanned in there.

    Args:
        rows: The shared event rows.
        sent: `legs.consignments`.
    """
    open_ = sent[sent["receipts"] == 0]
    return _as_arrivals(rows, open_["ship"].to_numpy(np.int64), open_["shipped"])


def unreceived_parts(rows: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    """List as arrivals the rest of what was scanned in only in part.

    Args:
        rows: The shared event rows.
        sent: `legs.consignments`.
    """
    open_ = sent[(sent["receipts"] > 0) & (sent["received"] < (1 - _PART) * sent["shipped"])]
    rest = open_["shipped"] - open_["received"]
    return _as_arrivals(rows, open_["ship"].to_numpy(np.int64), rest)


def _as_arrivals(rows: pd.DataFrame, ship: NDArray[np.int64], amount: pd.Series) -> pd.DataFrame:
    ships = rows.iloc[ship]
    table = pd.DataFrame(
        {
            "lot": ships["lot"].array,
            "holder": ships["to_site"].array,
            "stock": stock(ships["lot"].to_numpy(), ships["to_site_number"].to_numpy()),
            "sign": 1.0,
            "amount": amount.array,
            "at": ships["at"].array,
            "day": ships["day"].array,
            "kind": "unreceived",
            "index": ships["index"].array,
            "position": ships.index,
        }
    )
    return table[table["holder"].notna() & ships["has_lot"].to_numpy()].reset_index(drop=True)


def shortfalls(
    table: pd.DataFrame,
    *,
    tolerance: float | NDArray[np.float64],
    clock_us: int,
    early_us: int | NDArray[np.int64] = 0,
) -> pd.DataFrame:
    """Reconcile each lot at each holder.

    Args:
        table: Flows, as `flows` lists them: `stock`, `sign`, `amount`, `at`, `day`, `kind`,
            `index` and `position`.
        tolerance: Share of what arrived that weighing may explain; one, or one for each row.
        clock_us: How far two clocks may differ, microseconds.
        early_us: How much earlier than recorded an arrival may have been; one, or one for each row.

    Returns:
        One row per ship flow, in the order of `position`: `position`, `short` (amount beyond
        the tolerance), `held` (before it left), `arrivals` (how many before it), `known`
        (whether every quantity of the lot at the holder is).
    """
    late = table["day"].to_numpy() * DAY_US
    inward = table["sign"].to_numpy() > 0
    at = table["at"].to_numpy()
    position = table["position"].to_numpy()
    effective = np.where(inward, at - clock_us - early_us, at + late)
    group = codes(table, ["stock"])
    order = np.lexsort((position, table["index"], ~inward, effective, group))
    amount, position = table["amount"].to_numpy(np.float64)[order], position[order]
    inward, group = inward[order], group[order]
    known = ~_any_by_group(group, np.isnan(amount))[group]
    amount = np.nan_to_num(amount)
    share = np.broadcast_to(np.asarray(tolerance, np.float64), len(table))[order]
    signed = np.where(inward, amount, -amount)
    recorded = _cumulative(group, signed)
    balance = recorded + _cumulative(group, np.where(inward, share * amount, 0.0))
    lowest = np.minimum(_running_minimum(group, balance), 0.0)
    before = np.where(_starts(group), 0.0, np.roll(lowest, 1))
    held = np.maximum(recorded - signed - before, 0.0)
    arrivals = _cumulative(group, inward.astype(np.float64)).astype(np.int64)
    ships = np.flatnonzero((table["kind"] == "ship").to_numpy()[order])
    ships = ships[np.argsort(position[ships])]
    return pd.DataFrame(
        {
            "position": position[ships],
            "short": (before - lowest)[ships],
            "held": held[ships],
            "arrivals": arrivals[ships],
            "known": known[ships],
        }
    )


def sent_again(short: pd.DataFrame, rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the ships of a lot that went to the same addressee before, and had all left then.

    Args:
        short: `shortfalls`.
        rows: The shared event rows.
    """
    position = short["position"].to_numpy(np.int64)
    amount = rows["amount"].to_numpy()[position]
    nothing = short["held"].to_numpy() <= NOTHING * amount
    came = (short["known"] & (short["arrivals"] > 0)).to_numpy()
    found = came & nothing & (short["short"].to_numpy() > 0)
    if found.any():
        way = ["lot", "shipper_number", "to_site_number"]
        ships = rows.loc[(rows["kind"] == "ship") & rows["timed"], [*way, "at", "index"]]
        ships = ships.sort_values(["at", "index"])
        again = ships.index[ships.duplicated(way)]
        found &= np.isin(position, again) & (rows["to_site_number"].to_numpy()[position] >= 0)
    return np.asarray(found, bool)


def _starts(group: np.ndarray) -> np.ndarray:
    """Mark the first row of every run of equal groups."""
    first = np.ones(len(group), dtype=bool)
    first[1:] = group[1:] != group[:-1]
    return first


def _any_by_group(group: np.ndarray, marks: np.ndarray) -> np.ndarray:
    return np.bincount(group, marks, int(group.max(initial=-1)) + 1) > 0


def _cumulative(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    return pd.Series(values).groupby(group, sort=False).cumsum().to_numpy()


def _running_minimum(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    return pd.Series(values).groupby(group, sort=False).cummin().to_numpy()
