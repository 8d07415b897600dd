"""Audit lapsed: goods sold as certified while no valid audit stands behind the claim.

What counts is the month's first day. An audit is valid up to and including the
day it expires; one without an expiry is valid as long as that scheme's audits
usually are. A site that claims nothing breaks no promise, and one that renewed
in time is in order, however often.

Next: detectors/labour/coercion_signs.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
from detectors.rules import beyond_limit, not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions
    from detectors.features import Features

__all__ = ["AuditLapsed"]

DAYS_PER_POINT: Final = 180.0
"""Half a year without an audit doubles the score, 1 being the last valid day."""
USUAL_DAYS: Final = 1096.0
"""Three years: the longest that common schemes let an audit stand."""
LONGEST_DAYS: Final = 3653.0
"""Ten years: a site that says more than this of its own audit made a slip."""
NEVER_DAYS: Final = 365.0
"""A claim without any audit on record weighs as much as one that lapsed a year ago."""
COMMON: Final = 0.9
RARE_SHARE: Final = 0.02
"""Where fewer claims than this lack all dates, a claim without them is one without an audit."""
_UNKNOWN: Final = frozenset(("", "n/a", "unknown", "-", "?"))
_FALSE: Final = frozenset(("false", "0", "no", "n", "f", "none", "nein", "non"))


class AuditLapsed:
    """Did a valid audit stand behind the claim to be certified?"""

    name: Final = "audit_lapsed"
    type: Final = "audit_lapsed"
    version: Final = "3"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.FACILITY_MONTH
    min_samples: Final = 1
    reads: Final = (
        "labour/1 /audit_expiry_date",
        "labour/1 /audit_scheme",
        "labour/1 /certified_claim",
        "labour/1 /last_audit_date",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "days_per_point": DAYS_PER_POINT,
        "longest_validity_days": USUAL_DAYS,
        "longest_stated_days": LONGEST_DAYS,
        "never_audited_days": NEVER_DAYS,
        "rare_share": RARE_SHARE,
        "validity_quantile": COMMON,
    }
    libraries: Final = ("numpy", "pandas")

    def features(self, shared: Features) -> Sample:
        """Work out for each claim how long its audit had been over on the month's first day."""
        table = _audits(shared.facility_months)
        subject, claim = table["subject_id"], table["claim"]
        dated = table["expires"].notna()
        confused = dated & (table["expires"] < table["audited"])
        recorded = bool((dated & claim).sum() * 2 >= claim.sum())
        never = claim & ~dated & recorded
        reasons = {
            "no claim to be certified": subject[~claim],
            "a claim, but audits are hardly recorded at all": subject[
                claim & ~dated & (not recorded)
            ],
            "an audit that expired before it took place": subject[claim & confused],
        }
        table["days"] = (table["first_day"] - table["expires"]).dt.days.astype(np.float64)
        table["days"] = table["days"].where(~never, NEVER_DAYS)
        kept = (claim & dated & ~confused) | never
        judged = table[kept].reset_index(drop=True)
        return Sample(judged, not_judged(self.name, reasons))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure the days without an audit, 1 on the last valid day."""
        days = sample.table["days"].to_numpy(np.float64)
        return np.asarray(np.maximum(1 + days / DAYS_PER_POINT, 0.0), np.float64)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what had lapsed."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say since when there has been no audit."""
        row = case.row
        scheme = row["audit_scheme"]
        named = f"a certificate of {scheme}" if isinstance(scheme, str) else "a certificate"
        over = "there is no audit on record"
        if not pd.isna(row["expires"]):
            day = row["expires"].date().isoformat()
            over = f"its audit had been valid until {day}{_by(row)}"
        return Account(
            evidence=(int(row["source"]),),
            observed=Measure("time since the audit expired", row["days"], "days"),
            expected=Expected(None, 0.0, "days"),
            sentence=(
                f"{row['facility_id']} claimed {named} in {row['month']}, but on the first of the "
                f"month {over}."
            ),
            counterfactual=(
                f"The flag would disappear if an audit was valid on {row['month']}-01, "
                f"{plain(max(row['days'], 1), 4)} days longer, or the site made no such claim."
            ),
            benign=(
                Benign("an audit renewed by the first of the month", "ruled out"),
                Benign("a month whose dates were left out: other months count", "ruled out"),
                Benign("an extension that the scheme granted", "not checked"),
                Benign("a renewal that was not recorded yet", "not checked"),
            ),
            caveat=(
                "It does not say that conditions were bad: only that nobody can vouch for them."
            ),
        )


def _by(row: Mapping[str, object]) -> str:
    return "" if row["stated"] else ", by the time such audits usually stand"


def _audits(months: pd.DataFrame) -> pd.DataFrame:
    """Add claim, dates of the audit in force, whether expiry is stated, and their entry.

    A month that leaves all dates out goes by the site's audits that had taken place by then,
    unless claims without dates are so rare that leaving them out says something.
    """
    table = months.sort_values(["facility_id", "first_day"])
    audited, expires = (_days(table[name]) for name in ("last_audit_date", "audit_expiry_date"))
    dates = pd.DataFrame(
        {
            "site": table["facility_id"],
            "audited": audited,
            "expires": expires.fillna(_stated_elsewhere(table["facility_id"], audited, expires)),
            "first_day": table["first_day"],
            "source": table["index"],
        }
    )
    usual = _usual(table, (dates["expires"] - audited).dt.days.astype(np.float64))
    dates["stated"] = dates["expires"].notna()
    dates["expires"] = dates["expires"].fillna(audited + usual)
    dates["audited"] = audited.fillna(dates["expires"] - usual)
    claimed, told = _claims(table), dates["expires"].notna()
    if _are_slips(table, audited.isna(), expires.isna(), claimed):
        dates = dates.where(told, _in_force(dates, told))
    filled = dates[["audited", "expires"]].assign(
        source=dates["source"].astype(np.int64), stated=dates["stated"].eq(other=True)
    )
    return table.assign(claim=claimed, **filled).sort_values("index").reset_index(drop=True)


def _stated_elsewhere(site: pd.Series, audited: pd.Series, expires: pd.Series) -> pd.Series:
    """Return the expiry that other months state for the same audit."""
    found = expires.groupby([site, audited]).transform("max")
    return found.where(found > audited)


def _in_force(dates: pd.DataFrame, told: pd.Series) -> pd.DataFrame:
    """Return, per month, that audit of the site which had taken place and stands the longest."""
    known = dates[told].sort_values(["audited", "expires"], kind="stable")
    longest = known.groupby("site")["expires"].cummax()
    at = pd.Series(known.index, known.index).where(known["expires"] == longest)
    lasting = known.loc[at.groupby(known["site"]).ffill()].set_axis(known.index)
    lasting["since"] = known["audited"]
    wanted = dates[["site", "first_day"]].reset_index().sort_values("first_day", kind="stable")
    found = pd.merge_asof(
        wanted,
        lasting.drop(columns="first_day").sort_values("since", kind="stable"),
        left_on="first_day",
        right_on="since",
        by="site",
    ).set_index("index")
    own = dates["source"]
    return found.reindex(dates.index).assign(source=lambda t: t["source"].fillna(own))


def _are_slips(
    table: pd.DataFrame, no_audit: pd.Series, no_expiry: pd.Series, claimed: pd.Series
) -> bool:
    """Return whether claims without dates are dates that were left out.

    They are where they are common, as common as figures that are left out elsewhere in the
    record, or no more than either date is left out without the other.
    """
    one, other, size = no_audit[claimed], no_expiry[claimed], max(int(claimed.sum()), 1)
    share = float((one & other).mean()) if claimed.any() else 0.0
    apart = float((one & ~other).sum() * (other & ~one).sum()) / size**2
    blank = table.select_dtypes("float64").isna().mean()
    elsewhere = float(np.nan_to_num(blank[blank < 1].median()))
    return share > RARE_SHARE or share <= max(elsewhere, 2 * apart)


def _claims(table: pd.DataFrame) -> pd.Series:
    """Return who claims to be certified: says so, names a scheme, or leaves only that out."""
    claim = table["certified_claim"].str.strip().str.lower()
    silent = claim.isna() | claim.isin(_UNKNOWN)
    return (~silent & ~claim.isin(_FALSE)) | (silent & table["audit_scheme"].notna())


def _days(dates: pd.Series) -> pd.Series:
    found = pd.to_datetime(dates.astype("str").str[:10], format="%Y-%m-%d", errors="coerce")
    return found.astype("datetime64[us]")


def _usual(table: pd.DataFrame, days: pd.Series) -> pd.Series:
    """Return how long audits of the site, else of the scheme, stand by those that say so.

    What others say counts up to three years. Schemes have audits of several kinds, so for a
    site that never says it the longest that is common speaks.
    """
    said = days.where((days > 0) & (days <= LONGEST_DAYS))
    own = said.groupby(table["facility_id"]).transform("median")
    usual = said.groupby(table["audit_scheme"].fillna("")).transform("quantile", COMMON)
    others = usual.fillna(said.quantile(COMMON)).clip(upper=USUAL_DAYS).fillna(USUAL_DAYS)
    return pd.to_timedelta(own.fillna(others), unit="D")
