"""Shortages: which transforms their own lots cannot feed, and which batch is to blame.

Lots are used up in time: each transform draws on the lots it names, first on
those that nobody needs later. What it cannot draw is short. The batch where a
shortage shows is not always the one that made it: another that shares a lot may
have been recorded twice or too large.

Next: detectors/mass_balance.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["allowed", "blamed", "drawn", "tolerances"]

LEAST_TOLERANCE: Final = 0.01
MANY: Final = 30
"""So many fully used batches of a product tell how exactly its yield keeps to the rate."""
_OUTER, _BEYOND_OUTER = 0.9, 2.8
"""Up to one batch in ten may be wrong; what is ordinary ends at 3.6 normal spreads, where the
farthest of a thousand batches may lie."""
_WITH_FEW: Final = 2.0
_USED_UP: Final = 0.8
_MILLION: Final = 1_000_000
_SAME_AMOUNT: Final = 0.6
"""Less its tolerance, and what was left over, a second record of a batch lacks at least this."""
_STANDS_OUT: Final = 3.0
"""A batch so many usual spreads above its site's usual one is too large."""


def allowed(
    transforms: pd.DataFrame, tolerance: float, usual: Mapping[str, float]
) -> NDArray[np.float64]:
    """Return by how much a batch may be over the declared rate, as a share.

    Args:
        transforms: As for `tolerances`.
        tolerance: Share that a good yield and weighing may explain.
        usual: `tolerances` of earlier ones; what it does not know is told by these.
    """
    own = tolerances(transforms, tolerance, usual.get(""))
    found = transforms["product_id"].map({**own, **usual})
    return np.asarray(found.to_numpy(np.float64))


def tolerances(
    transforms: pd.DataFrame, tolerance: float, every: float | None = None
) -> dict[str, float]:
    """Return by how much batches of each product may be over the declared rate, as a share.

    As exactly as the product's own batches keep to it, and no more exactly than weighing does.
    Where there are few, twice what the batches of all products say, and `tolerance` at most.

    Args:
        transforms: With `product_id`, `need`, `declared` (what it says it used) and `own_supply`.
        tolerance: Share that a good yield and weighing may explain.
        every: What the batches of all products say, if it is known.

    Returns:
        By product; "" is what the batches of all products say.
    """
    # What a batch says it used tells more than lots that others have used, too.
    used_up = transforms["declared"].fillna(transforms["own_supply"])
    over = transforms["need"] / used_up.where(used_up > 0) - 1
    used = over.where((over > _USED_UP - 1) & (over < 1))
    grouped = used.groupby(transforms["product_id"].to_numpy())
    counts = grouped.count()
    own = _beyond(grouped.median(), grouped.quantile(_OUTER))
    if every is None:
        every = tolerance
        if used.count() >= MANY:
            middle, outer = used.quantile([0.5, _OUTER])
            every = _WITH_FEW * float(_beyond(float(middle), float(outer)))
    few = np.minimum(np.maximum(own, every), tolerance)
    found = np.where(counts.to_numpy() >= MANY, own, few).tolist()
    return dict(zip(map(str, counts.index), found, strict=True)) | {"": every}


def _beyond(middle: pd.Series | float, outer: pd.Series | float) -> NDArray[np.float64]:
    """Return where ordinary yields end, by their median and an outer quantile."""
    end = np.asarray(middle + _BEYOND_OUTER * (outer - middle), np.float64)
    return np.maximum(np.nan_to_num(end), LEAST_TOLERANCE)


def drawn(
    transforms: pd.DataFrame, links: pd.DataFrame, supply: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how much of its need each transform can draw from the lots it names.

    In a pool where the simple order leaves something short, the best order decides how much.

    Args:
        transforms: In any order, with `need`, `at`, `index` and `pool`.
        links: `transform` and `supply`, row numbers of the other two.
        supply: What there was of each lot; NaN unknown, which counts as enough.
    """
    times = transforms["at"].to_numpy()
    order = np.lexsort((transforms["index"].to_numpy(), times))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    lots, users = links["supply"].to_numpy(np.int64), links["transform"].to_numpy(np.int64)
    last = np.zeros(len(supply), np.int64)
    np.maximum.at(last, lots, rank[users])
    by_use = np.lexsort((lots, last[lots], rank[users]))
    left = np.where(np.isnan(supply), np.inf, supply).tolist()
    need = transforms["need"].to_numpy(np.float64)
    found = np.zeros(len(need))
    for user, lot in zip(users[by_use].tolist(), lots[by_use].tolist(), strict=True):
        take = min(left[lot], need[user] - found[user])
        if take > 0:
            left[lot] -= take
            found[user] += take
    short = np.maximum(need - found, 0.0)
    pools = transforms["pool"].to_numpy()
    for pool in np.unique(pools[short > 0]):
        members = np.flatnonzero(pools == pool)
        own = np.isin(users, members)
        most = _most(need, users[own], lots[own], supply)
        lacking = max(float(need[members].sum()) - most, 0.0)
        short[members] *= lacking / short[members].sum()
    return need - short


def _most(
    need: NDArray[np.float64],
    users: NDArray[np.int64],
    lots: NDArray[np.int64],
    supply: NDArray[np.float64],
) -> float:
    """Return how much of all needs of a pool its lots can cover at best, in whatever order.

    A maximum flow from lots to transforms, in millionths of the whole need.
    """
    from scipy.sparse import coo_array  # noqa: PLC0415 - 0.3 s, only where something lacks
    from scipy.sparse.csgraph import maximum_flow  # noqa: PLC0415

    who, user = np.unique(users, return_inverse=True)
    what, lot = np.unique(lots, return_inverse=True)
    whole = float(need[who].sum())
    unit = whole / _MILLION
    there = np.where(np.isnan(supply[what]), whole, supply[what])
    sink = len(who) + len(what) + 1
    start = np.concatenate([np.zeros(len(what), np.int64), 1 + lot, 1 + len(what) + user])
    end = np.concatenate([1 + np.arange(len(what)), 1 + len(what) + user])
    end = np.concatenate([end, np.full(len(user), sink)])
    wanted = np.where(np.unique(user, return_index=True)[1][user] == np.arange(len(user)), 1, 0)
    capacity = np.concatenate(
        [np.minimum(there, whole), np.full(len(user), whole), need[who][user] * wanted]
    )
    graph = coo_array(
        (np.ceil(capacity / unit).astype(np.int32), (start, end)), shape=(sink + 1, sink + 1)
    ).tocsr()
    return float(maximum_flow(graph, 0, sink).flow_value) * unit


_LOOKED_AT: Final = ("need", "usual", "unusual", "in_time", "at")


def blamed(
    transforms: pd.DataFrame, links: pd.DataFrame, short: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return for each transform how much of a shortage it answers for.

    Args:
        transforms: With `need`, `usual` (batch of the site), `unusual` (how many spreads above it),
            `in_time` (what had come of its lots) and `at`.
        links: As for `drawn`.
        short: What each cannot draw, beyond its tolerance.
    """
    answers = np.zeros(len(transforms))
    by_user: dict[int, list[int]] = {}
    by_lot: dict[int, list[int]] = {}
    for user, lot in zip(links["transform"].tolist(), links["supply"].tolist(), strict=True):
        by_user.setdefault(user, []).append(lot)
        by_lot.setdefault(lot, []).append(user)
    table = {name: transforms[name].to_numpy() for name in _LOOKED_AT}
    for one in np.flatnonzero(short > 0).tolist():
        near = {other for lot in by_user.get(one, ()) for other in by_lot[lot]} | {one}
        chosen = max(
            sorted(near),
            key=lambda user: _likeliness(table, user, one, float(short[one]), by_user, by_lot),
        )
        answers[chosen] += short[one]
    return answers


def _likeliness(  # noqa: PLR0917 - two sides and their lots
    table: dict[str, NDArray[np.float64]],
    user: int,
    one: int,
    missing: float,
    by_user: dict[int, list[int]],
    by_lot: dict[int, list[int]],
) -> tuple[float, ...]:
    """Order suspects: uncovered by own lots, far above the usual batch, recorded twice, itself."""
    need, own = table["need"][user], table["in_time"][user]
    uncovered = need / own if own > 0 and need > own else 0.0
    before = all(
        any(table["at"][other] < table["at"][user] for other in by_lot[lot])
        for lot in by_user.get(user, ())
    )
    twice = user == one and before and missing / need >= _SAME_AMOUNT
    unusual = float(np.nan_to_num(table["unusual"][user]))
    excess = need - float(np.nan_to_num(table["usual"][user], nan=need))
    stands_out = unusual >= _STANDS_OUT and excess >= _SAME_AMOUNT * missing
    return uncovered, float(stands_out), float(twice), max(unusual, 1.0), float(user == one)
