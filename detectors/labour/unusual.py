"""What the general outlier models look at in facility-months: departures on eight figures.

A departure is what is left when the site's usual, what many sites share in the month
and what the site shows every year are taken off: a wage that rose by law and a season
accuse nobody. Columns are logs, so that twice and half are equally far from usual.

Next: detectors/unusual_models.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import codes
from detectors.labour.departures import departures
from detectors.labour.seasons import Peers, in_common
from detectors.peers import log_ratio
from detectors.workplace import WEEKS_PER_MONTH

if TYPE_CHECKING:
    from detectors.features import Features

__all__ = ["MONTH_WORDS", "month_residuals", "months"]

MONTH_WORDS: Final = {
    "hours": "the working week was {} its usual length at this site",
    "pay": "an hour paid {} what it usually does at this site",
    "output": "an hour of work made {} its usual output",
    "headcount": "the site had {} its usual number of workers",
    "totals": "total hours were {} what weekly hours and headcount come to",
    "deductions": "deductions took {} the usual share of wages",
    "fees": "recruitment fees were {} the usual",
    "grievances": "there were {} as many grievances as usual",
}
_ROUNDED: Final = 0.02
"""Figures are rounded: 2 % of difference is no departure, however even they otherwise are."""


def months(shared: Features) -> pd.DataFrame:
    """Collect the raw values of every facility-month; columns of `MONTH_WORDS` as logs."""
    source = shared.facility_months
    # Numbers are given in the order of time, so that those of a closed quarter stay.
    source = source.sort_values(["first_day", "index"], kind="stable").reset_index(drop=True)
    hours, heads = source["total_hours"].to_numpy(), source["headcount"].to_numpy()
    week = source["avg_weekly_hours"].to_numpy()
    ones = np.ones(len(source))
    day = source["first_day"]
    return source[["subject_id", "subject_party", "index"]].assign(
        at=day.to_numpy("datetime64[us]").astype(np.int64),
        month=(day.dt.year * 12 + day.dt.month).to_numpy(),
        site=codes(source, ["facility_id"]),
        currency_site=codes(source, ["facility_id", "currency"]),
        product_site=codes(source, ["facility_id", "output_product_id"]),
        country=codes(source, ["country"]),
        product=codes(source, ["output_product_id"]),
        hours=log_ratio(week, ones),
        pay=log_ratio(source["gross_wages"].to_numpy(), hours),
        output=log_ratio(source["output_units"].to_numpy(), hours),
        headcount=log_ratio(heads, ones),
        totals=log_ratio(hours, heads * week * WEEKS_PER_MONTH),
        deductions=np.log1p(source["wage_deduction_share"]),
        fees=np.log1p(source["recruitment_fee_usd"]),
        grievances=np.log1p(source["grievances"]),
    )


_SITES: Final = {"pay": "currency_site", "output": "product_site"}
"""A site that changes its currency or its product begins anew."""


def month_residuals(table: pd.DataFrame) -> pd.DataFrame:
    """Hold each value of a window of facility-months against the site's own and its peers'."""
    return pd.DataFrame({name: _departures(table, name) for name in MONTH_WORDS})


def _departures(table: pd.DataFrame, name: str) -> pd.Series:
    """Return logs without what the site, the month and the time of the year explain.

    What sites share in a month comes off first, however much they move in other months: what
    is usual in a site's own spreads would hide it, where wages rise by law every half year.
    """
    site, month = table[_SITES.get(name, "site")], table["month"] - table["month"].min()
    order = np.lexsort((month, site))
    number, group, trade = (
        np.unique(column.to_numpy()[order], return_inverse=True)[1]
        for column in (site, table["country"], table["product"])
    )
    peers = Peers(number, group, month.to_numpy()[order], trade)
    values, even = table[name].to_numpy(np.float64)[order], np.full(len(table), _ROUNDED)
    away = values - pd.Series(values).groupby(number).transform("median").to_numpy()
    found = departures(values - in_common(away, even, peers), even, peers)
    left = np.empty(len(table))
    left[order] = found.own * found.spread
    return pd.Series(left, index=table.index).where(table[name].notna())
