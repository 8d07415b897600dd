"""Mass balance: more made than what came in can make.

Needs follow from the product's declared conversion rate, supplies from what
arrived at the site; both per pool of transforms that share lots (see
`pools`). What breaks the balance is certain; which transform of a shared pool
did it is inferred: the one its own lots cannot cover, else the one furthest
above the site's usual batch.

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
from detectors.pools import build, needs
from detectors.rules import beyond_limit, not_judged, nothing, plain
from detectors.units import mix_up

if TYPE_CHECKING:
    from collections.abc import Mapping

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
WRONG_RATE_POOLS: Final = 5
WRONG_RATE_SHARE: Final = 0.5
"""When this share of so many pools of a product is over, its declared rate is what is wrong."""
MOST_EVIDENCE: Final = 200
MIN_BATCHES: Final = 3
"""Fewer batches of a site and product have no usual size."""


class MassBalance:
    """Could the site have made this much from what arrived there?"""

    name: Final = "mass_balance"
    type: Final = "mass_balance"
    version: Final = "1"
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
        "wrong_rate_pools": WRONG_RATE_POOLS,
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
        table = _ratios(pools.transforms)
        wrong = table["product_id"].isin(_wrong_rates(table))
        left_out = not_judged(self.name, _unusable(every) | _unknown(table, wrong))
        table = table[table["ratio"].notna() & ~wrong].reset_index(drop=True)
        table = table.rename(columns={"event_id": "subject_id", "party": "subject_party"})
        return Sample(table, left_out, {"pools": pools})

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


def _ratios(transforms: pd.DataFrame) -> pd.DataFrame:
    """Give each transform the ratio of need to supply that it answers for."""
    batch = transforms.groupby(["site", "product_id"])["need"]
    usual = batch.transform("median").where(batch.transform("size") >= MIN_BATCHES)
    table = transforms.assign(usual=usual)
    direct = (table["need"] / table["declared"]).fillna(0.0)
    pooled = _blamed(table)
    known = table["pool_supply"].notna() | table["declared"].notna()
    ratio = direct.where(direct > pooled, pooled).where(known)
    over = ratio > 1 + TOLERANCE
    slips = [mix_up(value) or "" if bad else "" for value, bad in zip(ratio, over, strict=True)]
    return table.assign(ratio=ratio, by_declared=direct >= pooled, benign=slips)


def _blamed(transforms: pd.DataFrame) -> pd.Series:
    """Give the ratio of each pool to the transform that broke it, and at most 1 to the others."""
    supply = transforms["pool_supply"].clip(lower=1e-9)
    ratio = (transforms["pool_need"] / supply).clip(upper=2 * MAX_RATIO)
    blamed = ratio.clip(upper=1.0).fillna(0.0)
    short = transforms["short"].fillna(0.0).groupby(transforms["pool"]).transform("sum")
    for _, members in transforms[short > 0].groupby("pool", sort=True):
        missing = float(short[members.index[0]])
        for index in _suspects(members):
            share = 1 + missing / float(members["need"][index])
            blamed[index] = max(ratio[index], (1 + TOLERANCE) * share)
            missing -= float(members["need"][index])
            if missing <= 0:
                break
    return blamed


def _suspects(members: pd.DataFrame) -> list[int]:
    """Order a pool's transforms, the most likely to have broken the balance first."""
    uncovered = members["need"] / members["own_supply"].clip(lower=1e-9)
    uncovered = uncovered.where((members["inputs"] == "named") & (uncovered > 1 + TOLERANCE), 0.0)
    order = pd.DataFrame(
        {
            "uncovered": uncovered,
            "unusual": members["need"] / members["usual"],
            "index": members["index"],
        }
    ).sort_values(["uncovered", "unusual", "index"], ascending=False)
    return [int(index) for index in order.index]


def _wrong_rates(table: pd.DataFrame) -> list[str]:
    """Name the products of which most pools are over: the rate is wrong, not every site."""
    over = (table["pool_need"] > table["pool_supply"] * (1 + TOLERANCE)) | (
        table["need"] > table["declared"] * (1 + TOLERANCE)
    )
    pools = over.groupby([table["product_id"], table["pool"]]).any()
    by_product = pools.groupby("product_id").agg(["size", "mean"])
    wrong = (by_product["size"] >= WRONG_RATE_POOLS) & (by_product["mean"] > WRONG_RATE_SHARE)
    return [str(product) for product in by_product.index[wrong]]


def _account(case: Case) -> Account:
    row = case.row
    own = bool(row["by_declared"])
    supply = row["declared"] if own else row["pool_supply"]
    need = row["need"] if own else row["pool_need"]
    batches = _pool_size(case)
    shared = "" if own or batches == 1 else f" together with {batches - 1} batches sharing its lots"
    source = "its declared inputs are" if own else "all that arrived of those lots is"
    products = case.shared.products
    own_entry = int(products["index"].iloc[int(row["product"])])
    other = products.loc[products["product_id"] == row["material"], "index"]
    return Account(
        evidence=(own_entry, *(int(index) for index in other), *_evidence(case)),
        observed=Measure("material needed", need, "material units"),
        expected=Expected(0.0, supply * (1 + TOLERANCE), "material units"),
        peer_group=PeerGroup("batches that share input lots", batches),
        sentence=(
            f"{row['site']} made {row['product_id']} that needs {plain(need)} of "
            f"{row['material']} at the declared rate{shared}, but {source} {plain(supply)}."
        ),
        counterfactual=(
            f"The flag would disappear if at least {plain(need / (1 + TOLERANCE) - supply)} more "
            f"of {row['material']} were shown to have come in, or that much less was needed."
        ),
        benign=_benign(row, batches),
        caveat=(
            "It does not say that anything was added or relabelled: a delivery may be missing "
            "from the record, or the declared rate be out of date."
        ),
    )


def _pool_size(case: Case) -> int:
    pools: Pools = case.sample.context["pools"]
    return int((pools.transforms["pool"] == case.row["pool"]).sum())


def _evidence(case: Case) -> list[int]:
    """Name the pool's transforms, and the events that brought its lots."""
    pools: Pools = case.sample.context["pools"]
    members = pools.transforms.loc[pools.transforms["pool"] == case.row["pool"], "index"]
    stock = pools.supplies.loc[pools.supplies["pool"] == case.row["pool"], ["lot", "site"]]
    places = set(zip(stock["lot"], stock["site"], strict=True))
    open_ = case.shared.unreceived
    brought = [
        flows.loc[(flows["holder"] == site) & (flows["kind"] != "use"), "index"]
        for lot, site in sorted(places)[:MOST_EVIDENCE]
        for flows in (case.shared.flows_of(lot), open_[open_["lot"] == lot])
    ]
    found = pd.concat([members, *brought]).unique()
    return [int(index) for index in found[:MOST_EVIDENCE]]


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
