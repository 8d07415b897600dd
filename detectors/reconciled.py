"""Reconciled: every transform's need against what there was for it, and who answers for a lack.

How exactly batches keep to the rate, how large a site's are and which rates are wrong, the
quarters that are over tell; what they do not know, all batches there are.

Next: detectors/mass_balance.py
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.goods.drawing import drawing
from detectors.goods.exactness import ANY, holding_limits
from detectors.goods.timely import lateness, timely
from detectors.past import before, past
from detectors.pools import build, needs, taken
from detectors.shortages import MANY, allowed, blamed, drawn, tolerances
from detectors.units import mix_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from detectors.features import Features
    from detectors.goods.drawing import Drawn
    from detectors.pools import Pools

__all__ = [
    "MAX_RATIO",
    "OPENING_DAYS",
    "TOLERANCE",
    "WRONG_RATE_BATCHES",
    "WRONG_RATE_SHARE",
    "Reconciled",
    "Usual",
    "asked",
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
SEVERAL: Final = 8
"""So many of earlier quarters tell the usual size for those of this one."""


class Reconciled(NamedTuple):
    """The needs, the pools they draw on, and how the two compare.

    Attributes:
        every: `pools.needs`.
        pools: `pools.build` of those that can be judged.
        table: `pools.transforms`, with `in_time` (of its own supply, what had arrived when it was
            made), `usual` (batch), `unusual`, `tolerance` (share), `missing` (what each answers
            for beyond it), `lacking` (where it shows), `ratio` (of need to supply, NaN unknown),
            `by_declared`, `benign` and `wrong_rate`.
    """

    every: pd.DataFrame
    pools: Pools
    table: pd.DataFrame


class Usual(NamedTuple):
    """What earlier batches tell about those of today.

    Attributes:
        late: By how much receipts are scanned late, microseconds; None where nobody knows.
        tolerances: Of products with enough batches; see `shortages.tolerances`.
        spreads: How far batches of these products are from their site's usual one.
        sizes: Usual batch of each site and product, and how far batches are from it.
        wrong: Products whose declared rate most batches contradict.
    """

    late: float | None = None
    tolerances: Mapping[str, float] = MappingProxyType({})
    spreads: Mapping[str, float] = MappingProxyType({})
    sizes: Sequence[Sequence[str | float]] = ()
    wrong: Sequence[str] = ()

    def knows(self, transforms: pd.DataFrame) -> NDArray[np.bool_]:
        """Mark transforms whose product's rate and whose site's usual batch are known.

        Args:
            transforms: With `site` and `product_id`.
        """
        product = transforms["product_id"].isin(list(self.tolerances)).to_numpy(bool)
        return np.asarray(product & self.sized(transforms)["known"].to_numpy(bool))

    def sized(self, transforms: pd.DataFrame) -> pd.DataFrame:
        """Return for each transform `usual` and `spread`, and whether they are `known`.

        Args:
            transforms: With `site` and `product_id`.
        """
        earlier = pd.DataFrame(self.sizes, columns=_SIZES).assign(known=True)
        earlier[_BATCH] = earlier[_BATCH].astype("str")
        found = transforms[_BATCH].merge(earlier, on=_BATCH, how="left")
        return found.set_axis(transforms.index).assign(known=found["known"].notna().to_numpy())


def _usual(shared: Features) -> Usual:
    """Return what the quarters that are over tell; nothing where there are too few.

    Args:
        shared: Features of the run.
    """
    if shared.yardstick(before) is None:
        return Usual()
    return Usual(**shared.yardstick(customary))


@past
def customary(shared: Features) -> dict[str, Any]:
    """Return what `Usual` holds."""
    pools = shared.once(_formed)[1]
    table, own = _ratios(pools, Usual()), pools.transforms
    counts = own["product_id"].value_counts()
    many = ["", *sorted(counts.index[counts >= MANY].astype("str"))]
    known, spreads = tolerances(own, TOLERANCE), _spreads(table)
    often = table.groupby(_BATCH)["need"].transform("size") >= SEVERAL
    batches = table.loc[often & table["product_id"].isin(many), _SIZES].drop_duplicates(_BATCH)
    return {
        "late": lateness(pools.uses, pools.arrivals),
        "tolerances": {name: known[name] for name in many},
        "spreads": {name: float(spreads[name]) for name in many[1:]},
        "sizes": [list(one) for one in zip(*(batches[x] for x in _SIZES), strict=True)],
        "wrong": _wrong_rates(table),
    }


def reconciled(shared: Features) -> Reconciled:
    """Form the pools and hold every need against its supply.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    every, pools = shared.once(_formed)
    known = _usual(shared)
    table = _ratios(pools, known)
    product = table["product_id"]
    wrong = product.isin(_wrong_rates(table)) & ~product.isin(list(known.tolerances))
    wrong |= product.isin(known.wrong)
    return Reconciled(every, pools, table.assign(wrong_rate=wrong))


def asked(shared: Features, since: int) -> Drawn | None:
    """Find whom to ask about again: what draws on stock that moved, and what is usual anew.

    Args:
        shared: Features of the whole record.
        since: The first entry that is new.
    """
    known = _usual(shared)
    if not known.tolerances:
        return None
    rows = shared.rows
    made = np.flatnonzero(rows["kind"] == "transform")
    rate = np.append(shared.products["rate"].to_numpy(np.float64), np.nan)
    made = made[~np.isnan(rate[rows["product"].to_numpy()[made]])]
    young = np.zeros(len(rows), bool)
    young[made] = ~known.knows(rows[["site", "product_id"]].iloc[made])
    return drawing(shared, since, young)


def _formed(shared: Features) -> tuple[pd.DataFrame, Pools]:
    every = needs(shared)
    limits = shared.yardstick(holding_limits)
    told = every["product_id"].map(limits).fillna(0.0) < ANY
    every["inputs"] = every["inputs"].where(told, "one number")
    usable = every["need"].notna() & every["site"].notna()
    usable &= every["inputs"].isin(["named", "none"])
    pools = build(shared, every[usable], tolerance=TOLERANCE, opening_days=OPENING_DAYS)
    return every, pools


_BATCH: Final = ["site", "product_id"]
_SIZES: Final = [*_BATCH, "usual", "spread"]


def _sized(table: pd.DataFrame, known: Usual) -> pd.DataFrame:
    """Add the usual batch of the site and product, and how many spreads each is above it."""
    batch = table.groupby(_BATCH)["need"]
    usual_ = batch.transform("median").where(batch.transform("size") >= MIN_BATCHES)
    own = table.assign(usual=usual_)
    away = _away(own).groupby([table["site"], table["product_id"]])
    # Where batches are few, they are as far from each other as those of other sites.
    every = table["product_id"].map({**_spreads(own), **known.spreads})
    told = known.sized(table)
    own["usual"] = own["usual"].mask(told["known"], told["usual"])
    spread = np.fmax(1.4826 * away.transform("median"), every)
    own["spread"] = pd.Series(spread).mask(told["known"], told["spread"])
    above = np.log(own["need"] / own["usual"])
    return own.assign(unusual=above / own["spread"].clip(lower=LEAST_SPREAD))


def _away(table: pd.DataFrame) -> pd.Series:
    """Return how far each batch is from the usual one, as a logarithm."""
    return pd.Series(np.log(table["need"] / table["usual"])).abs()


def _spreads(table: pd.DataFrame) -> dict[str, float]:
    """Return by product how far its batches are from their site's usual one."""
    found = 1.4826 * _away(table).groupby(table["product_id"]).median()
    return {str(name): float(one) for name, one in found.items()}


def _in_time(pools: Pools, known: Usual) -> NDArray[np.float64]:
    uses, arrivals = pools.uses, pools.arrivals
    late = lateness(uses, arrivals) if known.late is None else known.late
    supply = pools.supplies.set_index("stock")["supply"]
    return timely(uses, arrivals, supply, len(pools.transforms), late)


def _ratios(pools: Pools, told: Usual) -> pd.DataFrame:
    """Give each transform the ratio of need to supply that it answers for."""
    table = _sized(pools.transforms, told).assign(
        in_time=_in_time(pools, told),
        tolerance=allowed(pools.transforms, TOLERANCE, told.tolerances),
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
