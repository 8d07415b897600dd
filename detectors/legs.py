"""Legs: what was shipped, and where and when it was received.

A ship and a receive belong together by (shipment, product, lot). Several
receipts are partial deliveries, several ships are consignments; a receive is
paired with the latest ship before it that was bound for the receiving site,
else with the latest before it, else with the first of its shipment. The
pairing is a sorted merge, so that a shipment id used a million times costs no
more than a million used once.

Next: detectors/custody.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from detectors.columns import codes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "HOUR_US",
    "LEAST_WRONG",
    "WRONG_SHARE",
    "consignments",
    "legs",
    "touches",
    "wrong_sites",
]

HOUR_US: Final = 3_600_000_000
LEAST_WRONG: Final = 8
WRONG_SHARE: Final = 0.5
"""Where so many legs of a site, and so large a share of them, cannot be, the site's own record is
wrong, and not so many deeds were done there."""
_KEY: Final = ["shipment_number", "lot"]


def legs(rows: pd.DataFrame) -> pd.DataFrame:
    """Pair every receive with its ship.

    Args:
        rows: The shared event rows (see `features.Features.rows`).

    Returns:
        One row per paired receive: `ship` and `receive` (positions in `rows`), `hours`
        between them, and `slack_hours` for times known to the day only.
    """
    pairs = _pair(_moves(rows))
    ship, receive = pairs["ship"].to_numpy(), pairs["receive"].to_numpy()
    at, day = rows["at"].to_numpy(), rows["day"].to_numpy().astype(int)
    return pairs.assign(
        hours=(at[receive] - at[ship]) / HOUR_US, slack_hours=24.0 * (day[ship] + day[receive])
    )


def _moves(rows: pd.DataFrame) -> pd.DataFrame:
    """Take the ships and receives of shipments, and what pairs them."""
    ship = rows["kind"] == "ship"
    own = (ship | (rows["kind"] == "receive")) & (rows["shipment_number"] >= 0) & rows["timed"]
    position = np.flatnonzero(own)
    table = rows[["shipment_number", "lot", "at", "amount"]].iloc[position]
    return table.assign(
        place=rows["to_site_number"].to_numpy()[position], ship=ship.to_numpy()[position]
    )


def _pair(moves: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "group": codes(moves, _KEY),
            "at": moves["at"].to_numpy(),
            "position": moves.index.to_numpy(),
            "place": moves["place"].to_numpy(),
            "ship": moves["ship"].to_numpy(),
        }
    )
    # Positions are in the order of the log.
    table = table.iloc[np.argsort(table["at"].to_numpy(), kind="stable")]
    ships = table[table["ship"]].drop(columns="ship").rename(columns={"position": "ship"})
    receives = table[~table["ship"]].drop(columns="ship").rename(columns={"position": "receive"})
    bound = ships[ships["place"] >= 0]
    ship = _latest(receives, bound, ["group", "place"], "backward")
    ship = _where_missing(ship, receives, ships, "backward")
    ship = _where_missing(ship, receives, ships, "forward")
    pairs = receives[["receive"]].assign(ship=ship.to_numpy())
    pairs = pairs[pairs["ship"].notna()].astype(np.int64)
    return pairs.sort_values("receive").reset_index(drop=True)[["ship", "receive"]]


def _where_missing(
    found: pd.Series,
    receives: pd.DataFrame,
    ships: pd.DataFrame,
    direction: Literal["backward", "forward"],
) -> pd.Series:
    """Look up any ship of the group where none is found: of few receives, as a rule."""
    missing = found.isna()
    if not missing.any():
        return found
    return found.fillna(_latest(receives[missing], ships, ["group"], direction))


def _latest(
    receives: pd.DataFrame,
    ships: pd.DataFrame,
    by: list[str],
    direction: Literal["backward", "forward"],
) -> pd.Series:
    """Look up one ship per receive; both come sorted by time."""
    if ships.empty:
        return pd.Series(np.nan, index=receives.index)
    merged = pd.merge_asof(
        receives[[*by, "at"]],
        ships[[*by, "at", "ship"]],
        on="at",
        by=by,
        direction=direction,
    )
    return merged["ship"].set_axis(receives.index)


def wrong_sites(impossible: pd.Series, ends: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Return the sites of which most legs cannot be: their place or their clock is wrong.

    Each end is counted apart: a slow clock reverses what comes, and slows what goes.

    Args:
        impossible: For each leg, whether it cannot be as recorded.
        ends: The sites where each leg begins and ends, a column each; missing where unknown.

    Returns:
        The sites by the name of the column.
    """
    found = {}
    for end in ends:
        wrong = ends[end][impossible].value_counts()
        wrong = wrong[wrong >= LEAST_WRONG]
        legs = ends[end].value_counts().reindex(wrong.index)
        found[str(end)] = frozenset(wrong.index[wrong >= WRONG_SHARE * legs])
    return found


def touches(ends: pd.DataFrame, sites: Mapping[str, frozenset[str]]) -> pd.Series:
    """Tell which legs begin or end at one of the sites that `wrong_sites` returns."""
    found = [ends[end].isin(some) for end, some in sites.items()]
    return pd.concat(found, axis=1).any(axis=1)


def consignments(rows: pd.DataFrame) -> pd.DataFrame:
    """Sum what was shipped and received per (shipment, product, lot).

    Returns:
        One row per group that has a ship: `ship` (position of the first ship in `rows`),
        `shipped` and `received` (NaN where a quantity is unknown), `ships`, `receipts`
        (how many of each), `last` (microseconds, time of the latest event).
    """
    moves = _moves(rows)
    moves = moves.iloc[np.argsort(moves["at"].to_numpy(), kind="stable")]
    group = codes(moves, _KEY)
    ship = moves["ship"].to_numpy()
    size = int(group.max(initial=-1)) + 1
    amount, at = moves["amount"].to_numpy(), moves["at"].to_numpy()
    last = np.full(size, np.iinfo(np.int64).min)
    np.maximum.at(last, group, at)
    first, position = np.unique(group[ship], return_index=True)
    table = pd.DataFrame(
        {
            "shipped": np.bincount(group[ship], amount[ship], size),
            "received": np.bincount(group[~ship], amount[~ship], size),
            "ships": np.bincount(group[ship], minlength=size),
            "receipts": np.bincount(group[~ship], minlength=size),
            "last": last,
        }
    ).iloc[first]
    table["ship"] = moves.index.to_numpy()[ship][position]
    return table.sort_values("ship").reset_index(drop=True)
