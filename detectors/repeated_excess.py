"""Repeated excess: batches that are each a little over what came in, again and again.

Goods stretched by two in a hundred stay within what one batch may be over. The
excesses of a site and material are added up in time (see `goods.drift`); where
they repeat, the batch at which the sum passes its limit carries the flag. What
is over by itself is flagged by mass balance and counts here for nothing.

Next: detectors/listed_source.py
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

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
from detectors.columns import codes
from detectors.goods.drift import BIAS, LIMIT, MANY, SLACK, runs, spreads
from detectors.partition import Apart
from detectors.reconciled import TOLERANCE, asked, reconciled
from detectors.rules import beyond_limit, not_judged, nothing, plain, unit_in_words
from detectors.units import declared_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions, Finding
    from detectors.features import Features

__all__ = ["RepeatedExcess"]

MOST_EVIDENCE: Final = 200
_USED_UP: Final = 0.8
"""A pool of which more was left over tells nothing about what its batches used."""
_OTHERS: Final = 0.5
"""Where the other sites' batches are over by this share of a site's excess, the rate is."""


class RepeatedExcess:
    """Does a site make a little more than came in, again and again?"""

    name: Final = "repeated_excess"
    type: Final = "mass_balance"
    version: Final = "3"
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
        "limit_spreads": LIMIT,
        "slack_spreads": SLACK,
        "bias_share": BIAS,
        "batches_of_a_product": MANY,
        "tolerance_share": TOLERANCE,
    }
    libraries: Final = ("numpy", "pandas", "scipy")

    def features(self, shared: Features) -> Sample:
        """Add up the excesses of every site and material in time."""
        if not (shared.rows["kind"] == "transform").any():
            return nothing()
        batches = shared.grown(_observed, Apart(asked=asked))
        batches = batches.sort_values(["at", "index", "material"]).reset_index(drop=True)
        product = codes(batches, ["product_id"])
        batches["far"] = spreads(
            product, codes(batches, ["site"]), batches["over"].to_numpy(np.float64)
        )
        few = batches["far"].isna()
        found = runs(
            codes(batches, ["site", "material"]),
            batches["far"].to_numpy(np.float64),
            batches["batches"].to_numpy(np.float64),
        )
        batches = batches.assign(total=found.total, start=found.start)
        left_out = {"too few batches of the product to tell its spread": batches["event_id"][few]}
        table = batches[~few].rename(columns={"event_id": "subject_id", "party": "subject_party"})
        table["benign"] = _benign_causes(table, batches)
        table = table.assign(position=table.index).reset_index(drop=True)
        return Sample(table, not_judged(self.name, left_out), {"batches": batches})

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure the sum of the run of excesses against its limit."""
        return sample.table["total"].to_numpy(np.float64) / LIMIT

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag the batch at which the sum passes the limit."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say which batches together made more than came in."""
        return _account(case)


def _observed(shared: Features) -> pd.DataFrame:
    """List what is known about how much batches were over.

    A batch that says what it used stands for itself. Those that share lots stand together, at
    the time of the last. What is over by itself, or was not used up, is left out.
    """
    table = shared.once(reconciled).table
    table = table[~table["wrong_rate"]]
    own = table[table["declared"] > 0]
    own = own.assign(have=own["declared"], batches=1.0)
    beyond = (table["ratio"] > 1 + TOLERANCE) | (table["lacking"] > 0)
    asked = (table["inputs"] == "named") & table["declared"].isna() & ~beyond
    whole = asked.groupby(table["pool"]).transform("all") & (table["pool_supply"] > 0)
    together = table[whole].sort_values(["at", "index"])
    size = together.groupby("pool")["need"].transform("size").astype(float)
    alike = together.groupby("pool")["product_id"].transform("nunique") == 1
    together = together.assign(
        need=together["pool_need"], have=together["pool_supply"], batches=size
    )
    together = together[alike & ~together["pool"].duplicated(keep="last")]
    found = pd.concat([own[~beyond.reindex(own.index)], together], ignore_index=True)
    over = np.log(found["need"] / found["have"])
    used = (over > np.log(_USED_UP)).to_numpy(bool)
    observed: pd.DataFrame = found.assign(over=over).loc[used, _OBSERVED].reset_index(drop=True)
    return observed


_OBSERVED: Final = [
    "index", "event_id", "party", "site", "at", "product_id", "material", "need", "have", "over",
    "batches",
]  # fmt: skip


def _benign_causes(table: pd.DataFrame, batches: pd.DataFrame) -> list[str]:
    """Name the cause where other sites of the product were over in the same time, too."""
    causes = [""] * len(table)
    for row in np.flatnonzero(table["total"].to_numpy() > LIMIT):
        case = table.iloc[row]
        span = batches["at"].between(batches["at"].iloc[int(case["start"])], case["at"])
        alike = batches[span & (batches["product_id"] == case["product_id"])]
        others = alike.loc[alike["site"] != case["site"], "far"]
        own = alike.loc[alike["site"] == case["site"], "far"]
        if len(others) and others.mean() >= _OTHERS * own.mean():
            causes[int(row)] = "a declared rate that all sites of the product exceed"
    return causes


def _account(case: Case) -> Account:
    row, batches = case.row, case.sample.context["batches"]
    run = batches.iloc[int(row["start"]) : int(row["position"]) + 1]
    run = run[(run["site"] == row["site"]) & (run["material"] == row["material"])]
    need, have = float(run["need"].sum()), float(run["have"].sum())
    many = int(run["batches"].sum())
    since = datetime.fromtimestamp(int(run["at"].iloc[0]) / 1e6, UTC).date()
    unit = unit_in_words(declared_unit(row["material"], case.shared.products))
    rate: Finding = "likely" if row["benign"] else "ruled out"
    return Account(
        evidence=tuple(int(index) for index in run["index"])[-MOST_EVIDENCE:],
        observed=Measure("material needed by these batches", need, unit),
        expected=Expected(0.0, have * (1 + BIAS), unit),
        peer_group=PeerGroup("batches in a row", many),
        sentence=(
            f"{row['site']} made {row['product_id']} in {many} batches since {since} that need "
            f"{plain(need, 4)} {unit} of {row['material']} at the declared rate, and used "
            f"{plain(have, 4)}: each a little more than it can make, together "
            f"{plain(100 * (need / have - 1))} %."
        ),
        counterfactual=(
            f"The flag would disappear if {plain(max(need - have * (1 + BIAS), 0.0))} {unit} more "
            f"of {row['material']} were shown to have come in."
        ),
        benign=(
            Benign(row["benign"] or "a declared rate that all sites of the product exceed", rate),
            Benign("a scale that is off by up to half a percent", "ruled out"),
            Benign("one batch that was recorded wrongly", "ruled out"),
            Benign("a machine that wastes less than the declared rate says", "possible"),
        ),
        caveat=(
            "It does not say that anything was added: a rate may be out of date, or a scale be "
            "off by more than scales are."
        ),
    )
