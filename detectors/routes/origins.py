"""Origins: which countries a lot may be said to come from, by its own making.

A lot comes from where the record first says it does. A real transformation
gives its product the country of the site, or leaves it that of its material;
one that makes nothing new gives it nothing.

Next: detectors/routes/origin_laundering.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from detectors.columns import texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["first_origins", "hidden", "relabelled", "said", "sham_transforms"]


def said(shared: Features, lots: NDArray[np.int64] | None = None) -> pd.DataFrame:
    """List every row of a lot that declares an origin, in the order of time.

    Args:
        shared: Features of the run.
        lots: Which lots; None for all.

    Returns:
        `lot`, `position`, `kind`, `at`, `index`, `origin` (upper case).
    """
    rows = shared.rows
    known = rows["has_lot"] & rows["timed"] & rows["declared_origin_country"].notna()
    own = known if lots is None else known & rows["lot"].isin(lots)
    told = rows[["lot", "kind", "at", "index", "declared_origin_country"]][own]
    table = told.drop(columns="declared_origin_country").assign(
        position=told.index, origin=told["declared_origin_country"].str.strip().str.upper()
    )
    return table.sort_values(["at", "index", "position"], kind="stable").reset_index(drop=True)


def first_origins(told: pd.DataFrame) -> pd.DataFrame:
    """Return what each lot was first said to come from: by its making, else by its first event.

    Returns:
        `lot`, `position` and `origin`; a lot made in several places has a row for each.
    """
    made = told[told["kind"].isin(["produce", "transform"])]
    others = told[~told["lot"].isin(made["lot"])].drop_duplicates("lot")
    found = pd.concat([made, others], ignore_index=True)
    return found.drop_duplicates(["lot", "origin"])[["lot", "position", "origin"]]


def sham_transforms(shared: Features) -> pd.DataFrame:
    """List the transforms whose product is what went in.

    The same product out as in; or one of the same customs heading, the same quantity, and no
    declared way from the one to the other.

    Returns:
        `position` of the output row, `lot` (made), `used` (lot that went in) and `part` (how much
        of it; alike where that is not known of all), a row for each.
    """
    rows, inputs = shared.rows, shared.inputs
    made = (rows["kind"] == "transform") & rows["has_lot"] & rows["timed"]
    out = rows[["index", "lot", "product_id", "product", "amount"]][made]
    out = out.assign(position=out.index)
    used = inputs.loc[inputs["has_lot"], ["index", "lot", "product_id", "quantity"]]
    names = {"lot": "used", "product_id": "from", "quantity": "part"}
    pairs = out.merge(used.rename(columns=names), on="index")
    codes = shared.products["hs_code"]
    by_product = pd.Series(codes.to_numpy(), index=shared.products["product_id"])
    by_product = by_product[~by_product.index.duplicated(keep="last")]
    declared = pairs["product"].map(texts(shared.products, "input_product_id"))
    alike = pairs["product"].map(codes).notna() & (
        pairs["product"].map(codes) == pairs["from"].map(by_product)
    )
    same = pairs["product_id"] == pairs["from"]
    nothing_made = same | (alike & declared.isna() & pairs["amount"].notna())
    only = nothing_made.groupby(pairs["position"]).transform("all")
    known = (pairs["part"] > 0).groupby(pairs["position"]).transform("all")
    pairs["part"] = pairs["part"].where(known, 1.0)
    kept = pairs.loc[np.asarray(only, bool), ["position", "lot", "used", "part"]]
    return kept.reset_index(drop=True)


def relabelled(shared: Features) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """List the lots that nothing was made of and what they became, pair by pair."""
    sham = shared.once(sham_transforms)
    return sham["used"].to_numpy(np.int64), sham["lot"].to_numpy(np.int64)


def hidden(told: pd.DataFrame, first: pd.DataFrame, sham: pd.DataFrame) -> pd.DataFrame:
    """List the blends that declare one of their origins and not the others.

    Args:
        told: `said`.
        first: What each lot comes from: `lot`, `origin`, several rows for several origins.
        sham: `sham_transforms`.

    Returns:
        `position` of the output row of every blend of lots of known origin, `hidden` (share of
        what went in that comes from an origin the output does not declare) and `others` (which).
    """
    single = first[~first["lot"].duplicated(keep=False)]
    parts = sham.merge(single.rename(columns={"lot": "used"})[["used", "origin"]], on="used")
    whole = sham.groupby("position")["used"].size()
    parts = parts[parts.groupby("position")["used"].transform("size") > 1]
    parts = parts[
        parts["position"].map(whole) == parts.groupby("position")["used"].transform("size")
    ]
    declared = told.drop_duplicates("position").set_index("position")["origin"]
    parts = parts.assign(declared=parts["position"].map(declared))
    other = parts["origin"] != parts["declared"]
    # An origin that none of the lots has is another question.
    own = (~other).groupby(parts["position"]).transform("any")
    grouped = parts.assign(away=parts["part"].where(other & own, 0.0)).groupby("position")
    named = parts.loc[other & own, ["position", "origin"]].dropna().drop_duplicates()
    others: dict[int, str] = {}
    for position, origin in named.sort_values(["position", "origin"]).to_numpy(object).tolist():
        others[position] = f"{others[position]}/{origin}" if position in others else origin
    share = (grouped["away"].sum() / grouped["part"].sum()).rename("hidden").reset_index()
    which = [others.get(one, "") for one in share["position"].tolist()]
    return share.assign(others=pd.Series(which, dtype="str"))
