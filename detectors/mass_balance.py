"""Mass balance: more made than what came in can make.

Needs follow from the product's declared conversion rate, supplies from what
arrived at the site. Transforms that name their lots use them up in time (see
`shortages`); those that name none draw on the site's whole stock (see `pools`).
What breaks the balance is certain; which transform among those that share lots
did it is inferred.

Next: detectors/repeated_excess.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

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
from detectors.goods.repeats import REPEATED, repeated
from detectors.partition import Apart
from detectors.reconciled import (
    MAX_RATIO,
    OPENING_DAYS,
    TOLERANCE,
    WRONG_RATE_BATCHES,
    WRONG_RATE_SHARE,
    asked,
    reconciled,
)
from detectors.rules import beyond_limit, much, not_judged, nothing, unit_in_words
from detectors.units import declared_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from detectors.base import Case, Decisions, Finding
    from detectors.features import Features
    from detectors.pools import Pools

__all__ = ["MassBalance"]

MOST_EVIDENCE: Final = 200


class MassBalance:
    """Could the site have made this much from what arrived there?"""

    name: Final = "mass_balance"
    type: Final = "mass_balance"
    version: Final = "8"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "event/1 /event_time",
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
    apart: Final = Apart(asked=asked)

    def features(self, shared: Features) -> Sample:
        """Form the pools and hold every need against its supply."""
        if not (shared.rows["kind"] == "transform").any():
            return nothing()
        every, pools, table = shared.once(reconciled)
        wrong = table["wrong_rate"]
        twice = _made_twice(shared, table) & ~wrong
        reasons = _unusable(every) | _unknown(table, wrong)
        reasons[f"explained by {REPEATED}"] = table["event_id"][twice]
        left_out = not_judged(self.name, reasons)
        table = table[table["ratio"].notna() & ~wrong & ~twice].reset_index(drop=True)
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
        "a product whose quantities are all one number": event[known & (inputs == "one number")],
        "none of the inputs is the declared material": event[known & (inputs == "other")],
    }


def _unknown(table: pd.DataFrame, wrong: pd.Series) -> dict[str, pd.Series]:
    event = table["event_id"]
    return {
        "an input lot of which no known quantity arrived": event[table["ratio"].isna() & ~wrong],
        "a declared conversion rate that most batches contradict": event[wrong],
    }


def _made_twice(shared: Features, table: pd.DataFrame) -> pd.Series:
    """Mark batches whose pool lacks no more than what batches that stand twice needed again."""
    entries = shared.rows["index"][shared.once(repeated)]
    pool = table["pool"]
    again = table["need"].where(table["index"].isin(entries), 0.0).groupby(pool).transform("sum")
    over = (table["ratio"] > 1 + TOLERANCE) & ~table["by_declared"]
    lacks = table["missing"].where(over, 0.0).groupby(pool).transform("sum")
    lacks = lacks.where(lacks > 0, table["pool_need"] - table["pool_supply"])
    return over & (again > 0) & (lacks <= again * (1 + TOLERANCE))


def _account(case: Case) -> Account:
    row = case.row
    own, lacks = bool(row["by_declared"]), float(row["missing"])
    batches = _pool_size(case)
    others = "one other batch" if batches - 1 == 1 else f"{batches - 1} other batches"
    shared = "" if own or batches == 1 else f" together with {others} sharing its lots"
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
    unit = declared_unit(row["material"], case.shared.products)
    return Account(
        evidence=(*declared, *_evidence(case)),
        observed=Measure("material needed", need, unit_in_words(unit)),
        expected=Expected(0.0, limit, unit_in_words(unit)),
        peer_group=PeerGroup("batches that share input lots", batches),
        sentence=(
            f"{row['site']} made {row['product_id']} that needs {much(need, unit)} of "
            f"{row['material']} at the declared rate{shared}, but {source} {much(supply, unit)}."
        ),
        counterfactual=(
            f"The flag would disappear if at least {much(need - limit, unit)} more "
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
