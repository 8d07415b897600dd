"""Facility-months with the law that was in force there and then.

Limits are dated: the one that holds on the month's first day decides. Where a
country has no limit for that day, or states it in another currency, nothing is
guessed; the columns stay empty and the detectors say so.

Next: detectors/rows.py
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from detectors import misreported
from detectors.columns import first_days, numbers, positive, texts
from detectors.sheets import HOURS_A_WEEK

__all__ = ["WEEKS_PER_MONTH", "facility_months"]

WEEKS_PER_MONTH: Final = 52 / 12
_NUMBERS: Final = (
    "headcount",
    "avg_weekly_hours",
    "total_hours",
    "gross_wages",
    "output_units",
    "recruitment_fee_usd",
    "grievances",
    "min_worker_age",
)
_SHARES: Final = (
    "wage_deduction_share",
    "share_age_docs_missing",
    "share_birthdate_jan1",
    "share_age_exactly_18",
    "migrant_share",
    "passports_held_share",
)
_TEXTS: Final = (
    "output_product_id",
    "last_audit_date",
    "audit_expiry_date",
    "audit_scheme",
    "certified_claim",
)


def facility_months(
    labour: pd.DataFrame,
    facilities: pd.DataFrame,
    limits: pd.DataFrame,
    averages: pd.DataFrame,
) -> pd.DataFrame:
    """Join each facility-month with its site, limits and timesheets.

    Args:
        labour: One row per facility and month, corrections after what they correct.
        facilities: Master data of sites.
        limits: Legal limits, dated.
        averages: What the timesheets come to; see `sheets.averages`.

    Returns:
        One row per facility and month, in the order of the log: `subject_id`
        (FACILITY|YYYY-MM), `subject_party`, `index`, `facility_id`, `month`, `first_day`,
        `country`, `capacity` (declared, a month), `currency`, the numbers of labour.csv (NaN
        where absurd: below zero, a share above 1, more hours than a week has, far from all that
        the site ever had, or `copied`; see `misreported`), the texts about audits, `site_index`,
        `limit_index` (-1 for none), `limit_currency`, `min_hourly_wage`, `max_weekly_hours`,
        `min_age`, `usd_per_unit`, and of the timesheets `sheet_workers`, `sheet_hours` (mean
        per worker and week), `sheet_error` (standard error of that mean over workers) and
        `sheet_weeks` (share of the weeks that workers have hours in).
    """
    table = pd.DataFrame(
        {
            "index": labour["index"].to_numpy(np.int64),
            "facility_id": texts(labour, "facility_id").to_numpy(),
            "month": texts(labour, "month").to_numpy(),
            "subject_party": texts(labour, "party").to_numpy(),
            **{name: texts(labour, name).to_numpy() for name in _TEXTS},
            "currency": texts(labour, "currency").str.strip().str.upper().to_numpy(),
        }
    )
    for name in _NUMBERS:
        values = numbers(labour, name)
        table[name] = np.where(values >= 0, values, np.nan)
    for name in _SHARES:
        values = numbers(labour, name)
        table[name] = np.where((values >= 0) & (values <= 1), values, np.nan)
    table["first_day"] = first_days(table["month"])
    table = table[table["facility_id"].notna() & table["first_day"].notna()]
    # A correction follows what it corrects in the log; the latest speaks.
    table = table.sort_values("index").drop_duplicates(["facility_id", "month"], keep="last")
    table["subject_id"] = table["facility_id"] + "|" + table["month"]
    table["copied"] = misreported.copied(table)
    figures = [*_NUMBERS, *_SHARES]
    table[figures] = table[figures].mask(table["copied"])
    table = misreported.as_meant(table)
    table["avg_weekly_hours"] = table["avg_weekly_hours"].where(
        table["avg_weekly_hours"] <= HOURS_A_WEEK
    )
    table = _with_site(table, facilities)
    table = _with_limits(table, limits)
    wages = table["gross_wages"]
    wages = wages.mask(misreported.in_dollars(table), wages / table["usd_per_unit"])
    table["gross_wages"] = wages.mask(misreported.in_thousands(table), wages * 1e3)
    table = misreported.without_slips(table)
    table = table.merge(averages, on=["facility_id", "month"], how="left")
    return table.sort_values("index").reset_index(drop=True)


def _with_site(table: pd.DataFrame, facilities: pd.DataFrame) -> pd.DataFrame:
    sites = pd.DataFrame(
        {
            "facility_id": texts(facilities, "facility_id").to_numpy(),
            "country": texts(facilities, "country").str.strip().str.upper().to_numpy(),
            "capacity": positive(facilities, "declared_capacity_per_month"),
            "site_index": facilities["index"].to_numpy(np.int64),
        }
    )
    sites = sites[sites["facility_id"].notna()].sort_values("site_index")
    sites = sites.drop_duplicates("facility_id", keep="last")
    joined = table.merge(sites, on="facility_id", how="left")
    joined["site_index"] = joined["site_index"].fillna(-1).astype(np.int64)
    return joined


def _with_limits(table: pd.DataFrame, limits: pd.DataFrame) -> pd.DataFrame:
    dated = pd.DataFrame(
        {
            "country": texts(limits, "country").str.strip().str.upper().to_numpy(),
            "first_day": pd.to_datetime(
                texts(limits, "effective_from").to_numpy(), errors="coerce", format="%Y-%m-%d"
            ),
            "limit_index": limits["index"].to_numpy(np.int64),
            "limit_currency": texts(limits, "currency").str.strip().str.upper().to_numpy(),
            "min_hourly_wage": positive(limits, "min_hourly_wage"),
            "max_weekly_hours": positive(limits, "max_weekly_hours"),
            "min_age": positive(limits, "min_age"),
            "usd_per_unit": positive(limits, "usd_per_unit"),
        }
    )
    dated = dated[dated["country"].notna() & dated["first_day"].notna()]
    dated = dated.sort_values(["first_day", "limit_index"])
    table = table.sort_values(["first_day", "index"])
    # merge_asof refuses unequal resolutions.
    dated["first_day"] = dated["first_day"].astype("datetime64[us]")
    table["first_day"] = table["first_day"].astype("datetime64[us]")
    table["country"] = table["country"].astype("str")
    dated["country"] = dated["country"].astype("str")
    joined = pd.merge_asof(table, dated, on="first_day", by="country")
    joined["limit_index"] = joined["limit_index"].fillna(-1).astype(np.int64)
    return joined
