"""Origin laundering: goods whose declared origin changes though nothing was made of them.

The same lot first comes from one country and then leaves from another; or it
goes through a transformation that makes nothing new and comes out with a new
lot and a new origin. The first shipment under the new origin carries the flag,
and so does the empty transformation. What travels on under it later is a
consequence and is not flagged again.

Next: detectors/routes/cloned_serial.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from detectors.base import (
    Account,
    Benign,
    EvidenceClass,
    Expected,
    Measure,
    Sample,
    SubjectKind,
)
from detectors.columns import codes
from detectors.partition import Apart
from detectors.past import LEAST_QUARTERS, past
from detectors.routes.origins import first_origins, hidden, relabelled, said, sham_transforms
from detectors.rules import beyond_limit, not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions
    from detectors.features import Features, Row

__all__ = ["OriginLaundering"]

MOST_CHANGES: Final = 0.2
"""Where more lots than this change their origin, the column means something else."""
_CERTAIN: Final = 2.0


class OriginLaundering:
    """Does the goods' declared origin stay what it was until something is made of them?"""

    name: Final = "origin_laundering"
    type: Final = "origin_laundering"
    version: Final = "3"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "event/1 /declared_origin_country",
        "event/1 /event_time",
        "event/1 /inputs",
        "event/1 /items",
        "product/1 /hs_code",
        "product/1 /input_product_id",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "most_changes_share": MOST_CHANGES,
        "quarters_of_a_custom": LEAST_QUARTERS,
    }
    libraries: Final = ("numpy", "pandas")
    apart: Final = Apart(joined=relabelled)

    def features(self, shared: Features) -> Sample:
        """Hold every declared origin of a lot against what it was first said to be."""
        traced = shared.once(_traced)
        event, table = shared.rows["event_id"], traced.table
        several = traced.blends[traced.blends["hidden"] > 0]
        left_out = {"a shipment without a declared origin": _silent(shared)}
        if shared.yardstick(blends_often):
            often = "a blend of several origins, as are so many that one of them is the custom"
            left_out[often] = event.iloc[several["position"]]
            several = several.iloc[:0]
        table = _with_blends(table, several, traced.told)
        if shared.yardstick(changes_often):
            often = "the declared origin changes so often that it cannot mean where goods come from"
            left_out[often] = event.iloc[table["position"]]
            table = table.iloc[:0]
        rows = shared.rows[["event_id", "party", "index"]].iloc[table["position"]]
        table = table.assign(
            subject_id=rows["event_id"].to_numpy(),
            subject_party=rows["party"].to_numpy(),
            index=rows["index"].to_numpy(),
        )
        return Sample(table.reset_index(drop=True), not_judged(self.name, left_out))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """A changed origin is twice the limit, one of a part as much beyond it as the part is."""
        table = sample.table
        return np.where(
            table["changed"], _CERTAIN, np.where(table["hidden"] > 0, 1, 0) + table["hidden"]
        )

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag every change."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say where the goods came from before, and since."""
        return _account(case)


class _Traced(NamedTuple):
    """What is said of origins: `said`, the rows that are `_judged`, and `hidden` of blends."""

    told: pd.DataFrame
    table: pd.DataFrame
    blends: pd.DataFrame


def _traced(shared: Features) -> _Traced:
    told, sham = said(shared), shared.once(sham_transforms)
    own = first_origins(told)
    return _Traced(told, _changes(told, own, sham), hidden(told, own, sham))


def _changes(told: pd.DataFrame, own: pd.DataFrame, sham: pd.DataFrame) -> pd.DataFrame:
    return _judged(told, _inherited(own, sham.drop(columns="part")))


@past
def changes_often(shared: Features) -> bool:
    """Tell whether so many lots change their origin that it means nothing."""
    told = said(shared)
    table = _changes(told, first_origins(told), shared.once(sham_transforms))
    changes = table["changed"].groupby(table["lot"].to_numpy()).any()
    return bool(len(changes) and changes.mean() > MOST_CHANGES)


def blends_often(shared: Features) -> bool:
    """Tell whether so many blends bear one of several origins that it is the custom."""
    sham = shared.once(sham_transforms)
    told = said(shared, np.union1d(sham["used"], sham["lot"]))
    blends = hidden(told, first_origins(told), sham)
    return int((blends["hidden"] > 0).sum()) > max(MOST_CHANGES * len(blends), 1)


def _inherited(first: pd.DataFrame, sham: pd.DataFrame) -> pd.DataFrame:
    """Let a lot that nothing was made of come from where its material came from.

    Returns:
        `lot`, `origin`, `position` (of the row that says so), `sham` (position of the empty
        transformation the lot came out of, -1 where there was none).
    """
    found = first.assign(sham=-1)
    for _ in range(_LONGEST):
        known = found.rename(columns={"lot": "used"}).drop(columns="sham")
        passed = sham.rename(columns={"position": "sham"}).merge(known, on="used")
        passed = passed.drop(columns="used").drop_duplicates(["lot", "origin"])
        own = found[~found["lot"].isin(passed["lot"])]
        following = pd.concat([own, passed], ignore_index=True)
        following = following.sort_values(["lot", "origin"], kind="stable").reset_index(drop=True)
        if following.equals(found):
            break
        found = following
    return found


_LONGEST: Final = 8
"""Goods are not relabelled more often than this without anybody noticing."""


def _judged(told: pd.DataFrame, first: pd.DataFrame) -> pd.DataFrame:
    """Judge the ships and empty transformations of every lot whose origin is known."""
    grouped = first.groupby("lot", sort=True)
    usual = pd.DataFrame({"basis": grouped["position"].min(), "sham": grouped["sham"].max()})
    several = first[first["lot"].duplicated(keep=False)].groupby("lot")["origin"].agg("/".join)
    usual["known"] = several.reindex(usual.index).fillna(grouped["origin"].first())
    table = told.join(usual, on="lot", how="inner")
    pairs = pd.concat([first[["lot", "origin"]], table[["lot", "origin"]]], ignore_index=True)
    number = codes(pairs, ["lot", "origin"])
    new = ~np.isin(number[len(first) :], number[: len(first)])
    table = table.assign(new=new)
    ship, made = table["kind"] == "ship", table["position"] == table["sham"]
    table = table[ship | made]
    repeated = table[table["new"]].duplicated(["lot", "origin", "kind"])
    table["changed"] = table["new"] & ~repeated.reindex(table.index, fill_value=False)
    return table


def _with_blends(table: pd.DataFrame, blends: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Add the blends that declare one of several origins."""
    if blends.empty:
        return table.assign(hidden=0.0, others="")
    rows = told.drop_duplicates("position").set_index("position").loc[blends["position"]]
    new = rows.reset_index().assign(
        basis=blends["position"].to_numpy(), sham=-1, known=blends["others"].to_numpy(),
        new=False, changed=False, hidden=blends["hidden"].to_numpy(),
        others=blends["others"].to_numpy(),
    )  # fmt: skip
    kept = table[~table["position"].isin(new["position"]) | table["changed"]]
    return pd.concat([kept.assign(hidden=0.0, others=""), new], ignore_index=True)


def _silent(shared: Features) -> pd.Series:
    rows = shared.rows
    silent = (rows["kind"] == "ship") & rows["has_lot"] & rows["declared_origin_country"].isna()
    return rows["event_id"][silent]


def _account(case: Case) -> Account:
    row, shared = case.row, case.shared
    own, basis = shared.row(int(row["position"])), shared.row(int(row["basis"]))
    goods = f"{own['product_id']} (lot {own['lot_id']})"
    if row["hidden"] > 0:
        return _of_blend(row, own, goods)
    evidence = [int(basis["index"])]
    before = f"the record first has it from {row['known']}"
    if row["sham"] >= 0:
        evidence.append(int(shared.row(int(row["sham"]))["index"]))
        before = f"it was made of the same product from {row['known']}, and nothing else was made"
    does = "left" if row["kind"] == "ship" else "was given a new lot at"
    return Account(
        evidence=tuple(evidence),
        observed=Measure("number of origins declared", 1.0 + len(row["known"].split("/")), ""),
        expected=Expected(1.0, float(len(row["known"].split("/"))), ""),
        sentence=(f"{goods} {does} {own['site']} as goods from {row['origin']}, but {before}."),
        counterfactual=(
            f"The flag would disappear if the origin were declared as {row['known']}, or if the "
            f"record showed what was made of the goods in {row['origin']}."
        ),
        benign=(
            Benign("a real transformation, which gives goods a new origin", "ruled out"),
            Benign("a blend of several origins, all of them declared", "ruled out"),
            Benign("the country of dispatch written where the origin belongs", "possible"),
        ),
        caveat="It does not say which of the declared origins is true, or who changed it.",
    )


def _of_blend(row: Mapping[str, Any], own: Row, goods: str) -> Account:
    share = plain(100 * row["hidden"])
    return Account(
        evidence=(int(own["index"]),),
        observed=Measure("share of the goods from an origin not declared", row["hidden"], ""),
        expected=Expected(0.0, 0.0, ""),
        sentence=(
            f"{goods} was blended at {own['site']} and declared as goods from {row['origin']}, but "
            f"{share} % of what went in came from {row['others']}; nothing else was made of it."
        ),
        counterfactual=f"The flag would disappear if {row['others']} were declared as well.",
        benign=(
            Benign("a real transformation, which gives goods a new origin", "ruled out"),
            Benign("records in which blends always bear one origin", "ruled out"),
            Benign("the origin of the larger part written for the whole", "possible"),
        ),
        caveat="It does not say that anybody meant to hide where the goods come from.",
    )
