"""Mass balance: more made than what came in can make.

Needs follow from the product's declared conversion rate, supplies from what
arrived at the site. Transforms that name their lots use them up in time (see
`shortages`); those that name none draw on the site's whole stock (see `pools`).
What breaks the balance is certain; which transform among those that share lots
did it is inferred.

Next: detectors/listed_source.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from detectors.base import (
    Account,
    Benign,
    EvidenceClass,
    Expected,
    Measure,
    PeerGroup,
    Sample,
    SubjectKind,
)
from detectors.columns import Grouped
from detectors.pools import build, needs, taken
from detectors.rules import beyond_limit, not_judged, nothing, plain
from detectors.shortages import allowed, blamed, drawn
from detectors.units import mix_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions, Finding
    from detectors.features import Features
    from detectors.pools import Pools

__all__ = ["MassBalance"]

TOLERANCE: Final = 0.05
"""Share that a good yield, moisture and weighing may explain."""
OPENING_DAYS: Final = 60
MAX_RATIO: Final = 10.0
"""Scores end here; a pool with no supply left has no finite ratio."""
WRONG_RATE_BATCHES: Final = 5
WRONG_RATE_SHARE: Final = 0.5
"""When this share of so many batches of a product is over, its declared rate is what is wrong."""
MOST_EVIDENCE: Final = 200
LEAST_SPREAD: Final = 0.1
MIN_BATCHES: Final = 3
"""Fewer batches of a site and product have no usual size."""


class MassBalance:
    """Could the site have made this much from what arrived there?"""

    name: Final = "mass_balance"
    type: Final = "mass_balance"
    version: Final = "4"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "event/1 /facility_id",
        "event/1 /inputs",
        "event/1 /items",
        "event/1 /shipment_id",
        "event/1 /to_facility_id",
        "product/1 /input_units_per_output_unit",
        "product/1 /unit",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "tolerance_share": TOLERANCE,
        "opening_stock_days": OPENING_DAYS,
        "wrong_rate_batches": WRONG_RATE_BATCHES,
        "wrong_rate_share": WRONG_RATE_SHARE,
    }
    libraries: Final = ("numpy", "pandas", "scipy")

    def features(self, shared: Features) -> Sample:
        """Form the pools and hold every need against its supply."""
        if not (shared.rows["kind"] == "transform").any():
            return nothing()
        every = needs(shared)
        usable = every["need"].notna() & every["site"].notna()
        usable &= every["inputs"].isin(["named", "none"])
        pools = build(shared, every[usable], tolerance=TOLERANCE, opening_days=OPENING_DAYS)
        table = _ratios(pools)
        wrong = table["product_id"].isin(_wrong_rates(table))
        left_out = not_judged(self.name, _unusable(every) | _unknown(table, wrong))
        table = table[table["ratio"].notna() & ~wrong].reset_index(drop=True)
        table = table.rename(columns={"event_id": "subject_id", "party": "subject_party"})
        return Sample(table, left_out, {"pools": _Members(pools, shared.unreceived)})

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure need over supply, 1 at the tolerance."""
        ratio = sample.table["ratio"].to_numpy(np.float64)
        return np.minimum(ratio / (1 + TOLERANCE), MAX_RATIO)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what needed more than there was."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say what was made, from what, and what would have been needed."""
        return _account(case)


def _unusable(every: pd.DataFrame) -> dict[str, pd.Series]:
    event, inputs = every["event_id"], every["inputs"]
    known = every["need"].notna() & every["site"].notna()
    return {
        "no declared conversion rate, site or output quantity": event[~known],
        "an input lot that the record does not hold": event[known & (inputs == "unknown")],
        "none of the inputs is the declared material": event[known & (inputs == "other")],
    }


def _unknown(table: pd.DataFrame, wrong: pd.Series) -> dict[str, pd.Series]:
    event = table["event_id"]
    return {
        "an input lot of which no known quantity arrived": event[table["ratio"].isna() & ~wrong],
        "a declared conversion rate that most batches contradict": event[wrong],
    }


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


def _account(case: Case) -> Account:
    row = case.row
    own, lacks = bool(row["by_declared"]), float(row["missing"])
    batches = _pool_size(case)
    shared = "" if own or batches == 1 else f" together with {batches - 1} batches sharing its lots"
    if own or not lacks:
        supply = row["declared"] if own else row["pool_supply"]
        need = row["need"] if own else row["pool_need"]
        source = "its declared inputs are" if own else "all that arrived of those lots is"
        limit = supply * (1 + TOLERANCE)
    else:
        need = row["need"]
        supply = limit = max(need - lacks, 0.0)
        source = "of what arrived of its lots there was left for it"
    entries, by_id = case.shared.once(_master_data)
    declared = (entries[int(row["product"])], *by_id.get(row["material"], ()))
    return Account(
        evidence=(*declared, *_evidence(case)),
        observed=Measure("material needed", need, "material units"),
        expected=Expected(0.0, limit, "material units"),
        peer_group=PeerGroup("batches that share input lots", batches),
        sentence=(
            f"{row['site']} made {row['product_id']} that needs {plain(need)} of "
            f"{row['material']} at the declared rate{shared}, but {source} {plain(supply)}."
        ),
        counterfactual=(
            f"The flag would disappear if at least {plain(need - limit)} more "
            f"of {row['material']} were shown to have come in, or that much less was needed."
        ),
        benign=_benign(row, batches),
        caveat=(
            "It does not say that anything was added or relabelled: a delivery may be missing "
            "from the record, or the declared rate be out of date."
        ),
    )


def _master_data(shared: Features) -> tuple[list[int], dict[str, list[int]]]:
    """Return the entry of each of `products`, and the entries by the product's id."""
    products = shared.products
    by_id: dict[str, list[int]] = {}
    for name, index in zip(products["product_id"], products["index"].tolist(), strict=True):
        by_id.setdefault(name, []).append(index)
    return products["index"].tolist(), by_id


class _Members:
    """Who is in which pool: its transforms, its lots, and what is still on the way to them."""

    def __init__(self, pools: Pools, unreceived: pd.DataFrame) -> None:
        self._transforms = Grouped(pools.transforms["pool"].to_numpy(np.int64))
        self._index = pools.transforms["index"].to_numpy(np.int64)
        self._supplies = Grouped(pools.supplies["pool"].to_numpy(np.int64))
        self._stock = pools.supplies["stock"].to_numpy(np.int64)
        self._open = Grouped(unreceived["stock"].to_numpy(np.int64))
        self._sent = unreceived["index"].to_numpy(np.int64)

    def transforms(self, pool: int) -> NDArray[np.int64]:
        """Return the log indices of a pool's transforms."""
        return self._index[self._transforms.of(pool)]

    def brought(self, pool: int, shared: Features) -> Iterator[NDArray[np.int64]]:
        """Yield the log indices of what moved its lots, lot by lot."""
        for place in self._stock[self._supplies.of(pool)][:MOST_EVIDENCE].tolist():
            flows = shared.flows_of(place >> 32)
            yield flows.entry[(flows.stock == place) & (flows.position >= 0)]
            yield self._sent[self._open.of(place)]


def _pool_size(case: Case) -> int:
    members: _Members = case.sample.context["pools"]
    return len(members.transforms(int(case.row["pool"])))


def _evidence(case: Case) -> list[int]:
    """Name the pool's transforms, and the events that brought its lots."""
    members: _Members = case.sample.context["pools"]
    pool = int(case.row["pool"])
    parts = [members.transforms(pool), *members.brought(pool, case.shared)]
    found = dict.fromkeys(np.concatenate(parts).tolist())
    return list(found)[:MOST_EVIDENCE]


def _benign(row: Mapping[str, Any], batches: int) -> tuple[Benign, ...]:
    slip: Finding = "likely" if row["benign"] else "ruled out"
    stock: Finding = "possible" if row["inputs"] == "none" else "ruled out"
    other: Finding = "possible" if batches > 1 and not row["by_declared"] else "ruled out"
    return (
        Benign(row["benign"] or "a wrong unit of measure", slip),
        Benign("a delivery that was shipped but not scanned in", "ruled out"),
        Benign("stock from before the record begins", stock),
        Benign("another batch of the same lots is the one recorded wrongly", other),
        Benign("a declared rate that most batches contradict", "ruled out"),
    )
