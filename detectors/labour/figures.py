"""Figures of facility-months on scales where chance has one size.

Next: detectors/labour/departures.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["people", "ratio", "subjects"]

_UNKNOWN_SITE = 50.0
"""Workers that a site of unknown size is taken to have: few, so that chance is large."""


def people(months: pd.DataFrame, name: str) -> tuple[Floats, Floats]:
    """Return a share of the workers as an arcsine (Anscombe, 1948), and what chance gives it."""
    heads = months["headcount"].to_numpy(np.float64)
    heads = np.where(heads >= 1, heads, _UNKNOWN_SITE)
    share = months[name].to_numpy(np.float64)
    value = np.arcsin(np.sqrt(np.clip((share * heads + 0.375) / (heads + 0.75), 0, 1)))
    return value, 0.5 / np.sqrt(heads + 0.5)


def ratio(above: pd.Series, below: pd.Series) -> Floats:
    """Return log(above / below), NaN where either is not above zero."""
    good = (above > 0) & (below > 0)
    quotient = above.where(good).to_numpy(np.float64) / below.where(good).to_numpy(np.float64)
    return np.asarray(np.log(quotient))


def subjects(months: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that name a facility-month and place it among others."""
    names = [
        "subject_id",
        "subject_party",
        "index",
        "facility_id",
        "month",
        "first_day",
        "country",
        "site_index",
        "limit_index",
    ]
    trade = months["output_product_id"].groupby(months["facility_id"]).transform("first")
    return months[names].assign(
        site=months["facility_id"], group=months["country"], trade=trade.to_numpy()
    )
