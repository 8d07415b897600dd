"""Pools: which transforms draw on which deliveries, and whether the sum can be.

Transforms of a site that share an input lot cannot be judged one by one: any
of them may have used it up. What shares lots, directly or through others, is
one pool, and a pool's needs must be covered by what arrived for it. A
transform that names no lots draws on all of the site's stock of its material,
so that such a pool is the whole running balance of site and material.

Next: detectors/mass_balance.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.columns import at, codes, firsts
from detectors.custody import DAY_US, shortfalls, stock, unreceived_parts
from detectors.goods.exactness import counted
from detectors.goods.timely import LATE_BOOKED_DAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["Pools", "build", "needs", "taken"]

_LEAVING: Final = ("ship", "sell", "destroy")
_LONG_AGO: Final = -(2**61)


class Pools(NamedTuple):
    """Transforms and supplies with the pool each belongs to.

    Attributes:
        transforms: `needs` plus `pool`, `short` (what the running balance lacks when this one
            takes its share), `pool_need`, `pool_supply` (NaN where unknown), `own_supply`.
        supplies: One row per lot and site, in that order: `stock` (number of the lot at the
            site), `lot`, `supply` (arrived less passed on, NaN unknown or never arrived), `pool`.
        links: Rows of the other two that belong together: `transform`, `supply`.
        uses: A row per transform and lot that it names: `transform`, `stock`, `at`.
        arrivals: A row per delivery of a lot to a site: `stock`, `amount`, `at`.
    """

    transforms: pd.DataFrame
    supplies: pd.DataFrame
    links: pd.DataFrame
    uses: pd.DataFrame
    arrivals: pd.DataFrame


def needs(shared: Features) -> pd.DataFrame:
    """Work out what each transform needs of its declared material.

    Returns:
        One row per transform event and material: `index`, `event_id`, `party`, `site`, `at`,
        `day`, `site_number`, `product_id` (made), `material`, `need` (in the material's unit;
        NaN where output or rate is unknown), `declared` (input quantities, NaN where not all
        are given), `inputs` ("named", "none", "other": none is the material, "unknown": a lot
        nobody made).
    """
    rows = shared.rows
    made = rows.loc[(rows["kind"] == "transform") & rows["timed"], _OF_TRANSFORMS]
    product = made["product"].to_numpy()
    material = at(shared.products["input_product_id"], product)
    rate = np.append(shared.products["rate"].to_numpy(np.float64), np.nan)[product]
    made = made.assign(material=material, need=made["amount"].to_numpy() * rate)
    number, known = pd.factorize(made["material"], sort=True)
    number = np.where(number < 0, len(known), number)
    made = made.iloc[np.lexsort((number, made["index"]))].reset_index(drop=True)
    group = codes(made, ["index", "material"])
    needed = made["need"].groupby(group)
    table = made.iloc[firsts(group)].drop(columns=["amount", "need"]).reset_index(drop=True)
    need = needed.sum().where(needed.count() == needed.size())
    # Nobody uses a part of a counted piece.
    pieces = table["material"].isin(counted(shared.products))
    table["need"] = need.mask(pieces, np.floor(need + _PART))
    return _with_inputs(table, shared.inputs)


_PART: Final = 1e-9
_OF_TRANSFORMS: Final = [
    "index", "event_id", "party", "site", "site_number", "at", "day", "product_id", "product",
    "amount",
]  # fmt: skip


def _with_inputs(table: pd.DataFrame, inputs: pd.DataFrame) -> pd.DataFrame:
    used = inputs[["index", "product_id", "quantity"]].merge(
        table[["index"]].assign(row=table.index), on="index"
    )
    material = at(table["material"], used["row"].to_numpy())
    used = used.assign(own=used["product_id"] == material, unknown=used["product_id"].isna())
    used["declared"] = used["quantity"].where(used["own"] & (used["quantity"] > 0))
    grouped = used.groupby("row")
    sums = (
        grouped[["own", "unknown", "declared"]]
        .sum()
        .join(grouped["declared"].count().rename("given"))
    )
    table = table.join(sums)
    own, unknown = table["own"].fillna(0), table["unknown"].fillna(0)
    table["inputs"] = np.select(
        [table["own"].isna(), unknown > 0, own > 0], ["none", "unknown", "named"], "other"
    )
    table["declared"] = table["declared"].where((table["given"] == own) & (own > 0))
    return table.drop(columns=["own", "unknown", "given"])


def build(
    shared: Features, transforms: pd.DataFrame, *, tolerance: float, opening_days: int
) -> Pools:
    """Form the pools and reconcile each.

    Args:
        shared: Features of the run.
        transforms: Those of `needs` whose need is known and whose inputs are "named" or "none".
        tolerance: Share of a pool's supply that yield and weighing may explain.
        opening_days: Days of use that a site may have had in stock before the record begins;
            applies where lots are not named.
    """
    transforms = transforms.reset_index(drop=True)
    named = _named(shared, transforms)
    flows = _moved(shared)
    supplies = _supplies(flows, named)
    links = _links(shared, transforms, named, supplies)
    count = len(transforms)
    pool = _components(links, count, len(supplies))
    supplies = supplies.assign(pool=pool[count:])
    transforms = transforms.assign(
        pool=pool[:count],
        own_supply=_own(links, supplies["supply"], count),
    )
    uses = named.assign(at=transforms["at"].reindex(named["transform"]).to_numpy())
    arrivals = flows.loc[flows["sign"] > 0, ["stock", "amount", "at"]]
    # Every supply is linked to a transform, or belongs to a pool that has none.
    kept = supplies["pool"].isin(pool[:count]).to_numpy()
    supplies = supplies[kept].reset_index(drop=True)
    links = links.assign(supply=(np.cumsum(kept) - 1)[links["supply"].to_numpy(np.int64)])
    totals = pd.DataFrame(
        {
            "pool_need": _sum(transforms["pool"], taken(transforms)),
            "pool_supply": _sum(supplies["pool"], supplies["supply"]),
        }
    )
    transforms = transforms.join(totals, on="pool")
    short = _running(transforms, supplies, tolerance, opening_days)
    return Pools(transforms.assign(short=short), supplies, links, uses, arrivals)


def taken(transforms: pd.DataFrame) -> pd.Series:
    """Return what each transform used up: what it declares, else what the rate asks for."""
    return transforms["declared"].fillna(transforms["need"])


def _sum(group: pd.Series, values: pd.Series) -> pd.Series:
    """Sum per group; one unknown makes the sum unknown."""
    grouped = values.groupby(group)
    return grouped.sum().where(grouped.count() == grouped.size())


def _named(shared: Features, transforms: pd.DataFrame) -> pd.DataFrame:
    """List the lots of its material that each transform names: `transform`, `lot`, `stock`."""
    named = transforms.loc[transforms["inputs"] == "named", ["index", "material", "site_number"]]
    inputs = shared.inputs[["index", "product_id", "lot"]]
    merged = named.assign(transform=named.index).merge(inputs, on="index")
    merged = merged[merged["product_id"] == merged["material"]]
    places = stock(merged["lot"].to_numpy(), merged["site_number"].to_numpy())
    return merged[["transform", "lot"]].assign(stock=places).drop_duplicates()


def _moved(shared: Features) -> pd.DataFrame:
    """List what came to each site and left it; what was used is asked about."""
    # A delivery in parts, of which one was not scanned in, came all the same.
    parts = unreceived_parts(shared.rows, shared.consignments)
    flows = pd.concat([shared.flows, shared.unreceived, parts], ignore_index=True)
    flows = flows[flows["kind"] != "use"]
    return flows.take(np.lexsort((flows["position"], flows["index"])))


def _supplies(flows: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """Sum what arrived of each lot at each site and was not passed on.

    A lot that a transform names and that never arrived has a row of its own, with an
    unknown supply.
    """
    inward = flows["sign"] > 0
    keys = flows["stock"]
    arrived = flows["amount"].where(inward, 0.0).groupby(keys)
    left = flows["amount"].where(flows["kind"].isin(_LEAVING), 0.0).groupby(keys)
    unknown = flows["amount"].isna().groupby(keys).any() | ~inward.groupby(keys).any()
    supply = (arrived.sum() - left.sum()).clip(lower=0.0).mask(unknown)
    table = pd.DataFrame({"supply": supply, "at": flows["at"].where(inward).groupby(keys).min()})
    every = np.union1d(table.index, named["stock"])
    return table.reindex(every).rename_axis("stock").reset_index().assign(lot=every >> 32)


def _links(
    shared: Features, transforms: pd.DataFrame, named: pd.DataFrame, supplies: pd.DataFrame
) -> pd.DataFrame:
    """Connect each transform with the supplies it draws on: `transform`, `supply`."""
    held = np.searchsorted(supplies["stock"], named["stock"])
    direct = named[["transform"]].assign(supply=held)
    place = ["site_number", "material"]
    unnamed = transforms.loc[transforms["inputs"] == "none", place]
    if unnamed.empty:
        return direct
    unnamed = unnamed.assign(transform=unnamed.index)
    known, first = np.unique(shared.rows["lot"].to_numpy(np.int64), return_index=True)
    lot = supplies["lot"].to_numpy(np.int64)
    node = pd.DataFrame(
        {
            "supply": np.arange(len(supplies)),
            "site_number": supplies["stock"].to_numpy() - (lot << 32),
            "material": at(shared.rows["product_id"], _first_rows(lot, known, first)),
        }
    )
    # One transform takes all of the site's stock into the pool, the others one piece of it:
    # as connected as every pair would be, and no longer than the stock.
    whole = node.merge(unnamed.drop_duplicates(place), on=place)
    others = unnamed.merge(whole.drop_duplicates(place)[[*place, "supply"]], on=place)
    columns = ["transform", "supply"]
    return pd.concat([direct[columns], whole[columns], others[columns]], ignore_index=True)


def _first_rows(
    lot: NDArray[np.int64], known: NDArray[np.int64], first: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the first row of each lot, -1 for those that only transforms name."""
    place = np.searchsorted(known, lot)
    held = np.append(known, -1)[place] == lot
    return np.where(held, np.append(first, -1)[place], -1)


def _components(links: pd.DataFrame, transforms: int, supplies: int) -> NDArray[np.int64]:
    """Number the pool of each transform, then of each supply."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - 0.3 s, only where there are pools
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    size = transforms + supplies
    ends = (links["transform"].to_numpy(np.int64), links["supply"].to_numpy(np.int64) + transforms)
    graph = coo_array((np.ones(len(links), np.int8), ends), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _own(links: pd.DataFrame, supply: pd.Series, count: int) -> NDArray[np.float64]:
    own = np.bincount(links["transform"], supply.to_numpy()[links["supply"]], count)
    return own.astype(np.float64)


def _running(
    transforms: pd.DataFrame, supplies: pd.DataFrame, tolerance: float, opening_days: int
) -> NDArray[np.float64]:
    """Return how much each pool lacks, at the transform where it runs short.

    Where lots are named the order of scans does not matter: what arrived for a pool is there
    from the start. Where they are not, stock builds up and is used up in time.
    """
    open_ = transforms.loc[transforms["inputs"] == "none", "pool"].unique()
    whole = supplies["pool"].isin(open_)
    arrivals = pd.DataFrame(
        {
            "lot": supplies["pool"],
            "amount": supplies["supply"],
            "at": supplies["at"].where(whole, _LONG_AGO).fillna(_LONG_AGO).astype(np.int64),
            "sign": 1.0,
        }
    )
    use = pd.DataFrame(
        {
            "lot": transforms["pool"],
            "amount": taken(transforms),
            "at": transforms["at"],
            "sign": -1.0,
        }
    )
    opening = _opening_stock(use[use["lot"].isin(open_)], opening_days)
    table = pd.concat([arrivals, opening, use], ignore_index=True)
    table = table.assign(stock=table["lot"], day=False, index=0, position=-1, kind="arrival")
    table.loc[len(table) - len(use) :, "kind"] = "ship"
    table.loc[len(table) - len(use) :, "position"] = transforms.index
    table.loc[len(table) - len(use) :, "index"] = transforms["index"].to_numpy()
    result = shortfalls(table, tolerance=tolerance, clock_us=0, early_us=LATE_BOOKED_DAYS * DAY_US)
    return result["short"].where(result["known"]).to_numpy()


def _opening_stock(use: pd.DataFrame, days: int) -> pd.DataFrame:
    """Allow each pool `days` of its usual use from before the record."""
    grouped = use.groupby("lot")
    span = (grouped["at"].max() - grouped["at"].min()) / DAY_US
    share = (days / span.clip(lower=float(days))).clip(upper=1.0)
    amount = grouped["amount"].sum() * share
    table = pd.DataFrame({"amount": amount, "at": _LONG_AGO, "sign": 1.0})
    return table.rename_axis("lot").reset_index()
