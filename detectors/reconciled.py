"""Reconciled: every transform's need against what there was for it, and who answers for a lack.

Next: detectors/mass_balance.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.goods.exactness import ANY, holding_limits
from detectors.pools import build, needs, taken
from detectors.shortages import allowed, blamed, drawn
from detectors.units import mix_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features
    from detectors.pools import Pools

__all__ = [
    "MAX_RATIO",
    "OPENING_DAYS",
    "TOLERANCE",
    "WRONG_RATE_BATCHES",
    "WRONG_RATE_SHARE",
    "Reconciled",
    "reconciled",
]

TOLERANCE: Final = 0.05
"""Share that a good yield, moisture and weighing may explain."""
OPENING_DAYS: Final = 60
MAX_RATIO: Final = 10.0
"""Scores end here; a pool with no supply left has no finite ratio."""
WRONG_RATE_BATCHES: Final = 5
WRONG_RATE_SHARE: Final = 0.5
"""When this share of so many batches of a product is over, its declared rate is what is wrong."""
LEAST_SPREAD: Final = 0.1
MIN_BATCHES: Final = 3
"""Fewer batches of a site and product have no usual size."""


class Reconciled(NamedTuple):
    """The needs, the pools they draw on, and how the two compare.

    Attributes:
        every: `pools.needs`.
        pools: `pools.build` of those that can be judged.
        table: `pools.transforms`, with `usual` (batch), `unusual`, `tolerance` (share), `missing`
            (what each answers for beyond it), `lacking` (where it shows), `ratio` (of need to
            supply, NaN unknown), `by_declared`, `benign` and `wrong_rate`.
    """

    every: pd.DataFrame
    pools: Pools
    table: pd.DataFrame


def reconciled(shared: Features) -> Reconciled:
    """Form the pools and hold every need against its supply.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    every = needs(shared)
    limits = shared.yardstick(holding_limits)
    told = every["product_id"].map(limits).fillna(0.0) < ANY
    every["inputs"] = every["inputs"].where(told, "one number")
    usable = every["need"].notna() & every["site"].notna()
    usable &= every["inputs"].isin(["named", "none"])
    pools = build(shared, every[usable], tolerance=TOLERANCE, opening_days=OPENING_DAYS)
    table = _ratios(pools)
    wrong = table["product_id"].isin(_wrong_rates(table))
    return Reconciled(every, pools, table.assign(wrong_rate=wrong))


def _ratios(pools: Pools) -> pd.DataFrame:
    """Give each transform the ratio of need to supply that it answers for."""
    table = pools.transforms
    batch = table.groupby(["site", "product_id"])["need"]
    usual = batch.transform("median").where(batch.transform("size") >= MIN_BATCHES)
    away = pd.Series(np.log(table["need"] / usual))
    spread = 1.4826 * away.abs().groupby([table["site"], table["product_id"]]).transform("median")
    table = table.assign(
        usual=usual,
        unusual=away / spread.clip(lower=LEAST_SPREAD),
        tolerance=allowed(table, TOLERANCE),
    )
    stock = table["pool"].isin(table.loc[table["inputs"] == "none", "pool"])
    table = table.join(_missing(table[~stock], pools)).fillna({"missing": 0.0, "lacking": 0.0})
    direct = table["need"] / table["declared"] / (1 + table["tolerance"]) * (1 + TOLERANCE)
    own = (table["need"] / table["own_supply"].clip(lower=1e-9)).clip(upper=1.0)
    # A thousandth is rounding of the record.
    lacks = table["missing"] > _ROUNDING * table["need"]
    own = own.mask(lacks, (1 + TOLERANCE) * (1 + table["missing"] / table["need"]))
    pooled = _blamed(table).where(stock, own).fillna(0.0)
    known = table["pool_supply"].where(stock, table["own_supply"]).notna()
    direct = direct.fillna(0.0)
    ratio = direct.where(direct > pooled, pooled).where(known | table["declared"].notna())
    over = ratio > 1 + TOLERANCE
    whole = (table["need"] / table["own_supply"]).where((table["missing"] > 0) & ~stock, ratio)
    slips = [mix_up(value) or "" if bad else "" for value, bad in zip(whole, over, strict=True)]
    return table.assign(ratio=ratio, by_declared=direct >= pooled, benign=slips)


_ROUNDING: Final = 1e-3


def _missing(table: pd.DataFrame, pools: Pools) -> pd.DataFrame:
    """Return what each transform that names its lots lacks, and answers for, beyond tolerance."""
    rows = table.reset_index(names="row")
    number = pd.Series(rows.index, index=rows["row"])
    links = pools.links[pools.links["transform"].isin(table.index)]
    links = links.assign(transform=number.reindex(links["transform"]).to_numpy())
    used = taken(rows) / (1 + rows["tolerance"])
    supply = pools.supplies["supply"].to_numpy(np.float64)
    short = used.to_numpy() - drawn(rows.assign(need=used), links, supply)
    named = (rows["inputs"] == "named").to_numpy()
    # Where a pool lacks something, however little, what came later fed no batch before it.
    late = (used - rows["in_time"]).where(rows["pool_need"] > rows["pool_supply"], 0.0)
    short = _late_first(rows["pool"], short, np.fmax(late.to_numpy(np.float64), 0.0))
    short = np.where(named & (short > _ROUNDING * used), short, 0.0)
    return pd.DataFrame(
        {"missing": blamed(rows, links, short), "lacking": short}, index=table.index
    )


def _late_first(
    pool: pd.Series, short: NDArray[np.float64], late: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Book what had not arrived where it was used, and on the others of a pool only the rest."""
    table = pd.DataFrame({"late": late, "other": np.where(late > 0, 0.0, short), "all": short})
    sums = table.groupby(pool.to_numpy()).transform("sum")
    rest = (sums["all"] - sums["late"]).clip(lower=0.0) / sums["other"].where(sums["other"] > 0)
    others = table["other"] * rest.where(sums["late"] > 0, 1.0).clip(upper=1.0)
    return np.asarray(np.fmax(others.to_numpy(np.float64), late), np.float64)


def _blamed(transforms: pd.DataFrame) -> pd.Series:
    """Give the ratio of each pool of unnamed stock to the transform that broke it, 1 to others."""
    supply = transforms["pool_supply"].clip(lower=1e-9)
    ratio = (transforms["pool_need"] / supply).clip(upper=2 * MAX_RATIO)
    blame = ratio.clip(upper=1.0).fillna(0.0)
    short = transforms["short"].fillna(0.0).groupby(transforms["pool"]).transform("sum")
    for _, members in transforms[short > 0].groupby("pool", sort=True):
        missing = float(short[members.index[0]])
        for index in _suspects(members):
            share = 1 + missing / float(members["need"][index])
            blame[index] = max(ratio[index], (1 + TOLERANCE) * share)
            missing -= float(members["need"][index])
            if missing <= 0:
                break
    return blame


def _suspects(members: pd.DataFrame) -> list[int]:
    """Order a pool's transforms, the most likely to have broken the balance first."""
    order = pd.DataFrame(
        {"unusual": members["need"] / members["usual"], "index": members["index"]}
    ).sort_values(["unusual", "index"], ascending=False)
    return [int(index) for index in order.index]


def _wrong_rates(table: pd.DataFrame) -> list[str]:
    """Name the products of which most batches are over: the rate is wrong, not every site."""
    over = (table["ratio"] > 1 + TOLERANCE) | (table["lacking"] > 0)
    by_product = over.groupby(table["product_id"]).agg(["size", "mean"])
    wrong = (by_product["size"] >= WRONG_RATE_BATCHES) & (by_product["mean"] > WRONG_RATE_SHARE)
    return [str(product) for product in by_product.index[wrong]]
