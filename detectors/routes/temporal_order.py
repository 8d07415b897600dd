"""Temporal order: received before shipped, sold or shipped before made.

Two clocks may differ by two hours and a date without a time by a day; beyond
that the record tells of effects before their causes. A site whose clock is
often early by a time zone is a slip, and ranks last; where most of its legs are
reversed, they are not judged, and that is said. Goods shipped on before they
were scanned in are a late scan, and no question here.

Next: detectors/routes/cold_chain_breach.py
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
from detectors.columns import at
from detectors.features import CLOCK_HOURS
from detectors.goods.exchanged import EXCHANGED, exchanged
from detectors.legs import HOUR_US, LEAST_WRONG, WRONG_SHARE, touches, wrong_sites
from detectors.partition import Apart
from detectors.rules import beyond_limit, not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions, Finding
    from detectors.features import Features

__all__ = ["TemporalOrder"]

ZONE_HOURS: Final = 14.0
SLOW_CLOCK_SHARE: Final = 0.2
SLOW_CLOCK_CASES: Final = 3
SLOW_CLOCK: Final = "a clock that is always early at this site"
WRONG_CLOCK: Final = "most legs of one of its sites are reversed: the clock of the site is wrong"
_MADE: Final = ("produce", "transform")
_LEAVES: Final = ("ship", "sell")


class TemporalOrder:
    """Did anything happen to the goods before it could?"""

    name: Final = "temporal_order"
    type: Final = "temporal_order"
    version: Final = "4"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /inputs",
        "event/1 /items",
        "event/1 /shipment_id",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "clock_tolerance_hours": CLOCK_HOURS,
        "slow_clock_share": SLOW_CLOCK_SHARE,
        "slow_clock_cases": SLOW_CLOCK_CASES,
        "wrong_site_cases": LEAST_WRONG,
        "wrong_site_share": WRONG_SHARE,
    }
    libraries: Final = ("numpy", "pandas")
    apart: Final = Apart()

    def features(self, shared: Features) -> Sample:
        """Collect every leg, and everything that left a lot which was seen being made."""
        legs = _legs(shared)
        wrong = _by_a_zone(legs) & touches(legs, shared.yardstick(_wrong_clocks))
        wrong |= _by_more(legs) & touches(legs, shared.yardstick(_wrong_dates))
        judged = legs.loc[~wrong].drop(columns=["ship_site", "receive_site"])
        table = pd.concat([judged, _makings(shared)], ignore_index=True)
        back = _mended(shared, table)
        put_back = shared.rows["event_id"].iloc[table["position"][back]]
        table = table[~back].reset_index(drop=True)
        rows = shared.rows[["event_id", "party", "index", "site"]].iloc[table["position"]]
        table["subject_id"] = rows["event_id"].to_numpy()
        table["subject_party"] = rows["party"].to_numpy()
        table["index"] = rows["index"].to_numpy()
        table["site"] = rows["site"].to_numpy()
        slow = table["site"].isin(shared.yardstick(_slow_clocks))
        slow &= (table["what"] == "received") & (table["early"] > CLOCK_HOURS)
        table["benign"] = np.where(slow & (table["early"] <= ZONE_HOURS), SLOW_CLOCK, "")
        untimed = shared.rows["event_id"][~shared.rows["timed"]]
        astray = shared.rows["event_id"].iloc[legs.loc[wrong, "position"]]
        reasons = {"an event without a time": untimed, WRONG_CLOCK: astray, EXCHANGED: put_back}
        return Sample(table, not_judged(self.name, reasons))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure the hours by which the order is reversed against what clocks explain."""
        early = sample.table["early"].to_numpy(np.float64)
        return np.asarray(np.maximum(early, 0.0) / CLOCK_HOURS)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what no clock explains."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say what came before what, and by how much."""
        return _account(case)


def _mended(shared: Features, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark what is in order once day and month of one of its two dates are put back."""
    marked = shared.once(exchanged)
    ends = (table[end].to_numpy(np.int64) for end in ("position", "cause"))
    early = (table["early"] > CLOCK_HOURS).to_numpy()
    return np.asarray(early & np.any([marked[end] for end in ends], axis=0), bool)


def _legs(shared: Features) -> pd.DataFrame:
    """Take the receive of each leg, with the hours by which it precedes the ship."""
    legs = shared.legs
    return pd.DataFrame(
        {
            "position": legs["receive"].to_numpy(),
            "cause": legs["ship"].to_numpy(),
            "early": -(legs["hours"] + legs["slack_hours"]).to_numpy(),
            "what": "received",
            "ship_site": at(shared.rows["site"], legs["ship"].to_numpy()),
            "receive_site": at(shared.rows["site"], legs["receive"].to_numpy()),
        }
    )


def _by_a_zone(legs: pd.DataFrame) -> pd.Series:
    """Tell what is early by no more than a time zone."""
    return (legs["early"] > CLOCK_HOURS) & (legs["early"] <= ZONE_HOURS)


def _by_more(legs: pd.DataFrame) -> pd.Series:
    """Tell what is early by more than any time zone: a clock with the wrong day, or month."""
    return legs["early"] > ZONE_HOURS


def _wrong_clocks(shared: Features) -> dict[str, frozenset[str]]:
    legs = _legs(shared)
    return wrong_sites(_by_a_zone(legs), legs[["ship_site", "receive_site"]])


def _wrong_dates(shared: Features) -> dict[str, frozenset[str]]:
    legs = _legs(shared)
    return wrong_sites(_by_more(legs), legs[["ship_site", "receive_site"]])


def _makings(shared: Features) -> pd.DataFrame:
    """Take each ship and sale of a lot, with the hours by which it precedes the making.

    Where several precede it, the making is the odd one out and the first of them speaks for
    all; unless the lot left its maker only afterwards, which bears the making out.
    """
    rows = shared.rows[shared.rows["timed"] & shared.rows["has_lot"]]
    made = rows[rows["kind"].isin(_MADE)].sort_values(["at", "index"], kind="stable")
    made = made.drop_duplicates("lot")[["lot", "at", "day", "site"]]
    made = made.rename(columns={"at": "made_at", "day": "made_day", "site": "maker"})
    left = rows.loc[rows["kind"].isin(_LEAVES), ["lot", "at", "day", "site", "kind", "index"]]
    left = left.assign(position=left.index).merge(
        made.assign(cause=made.index), on="lot", how="inner"
    )
    hours = (left["made_at"] - left["at"]) / HOUR_US
    early = hours - 24.0 * (left["day"].astype(int) + left["made_day"].astype(int))
    left = left.assign(early=early, what=np.where(left["kind"] == "sell", "sold", "shipped"))
    left = left.sort_values(["at", "index"], kind="stable")
    left.loc[_spoken_for(left), "early"] = 0.0
    return left[["position", "cause", "early", "what"]].sort_values("position")


def _spoken_for(left: pd.DataFrame) -> pd.Series:
    """Tell what is early, and not the first of its lot, where the making is the odd one out."""
    early = left["early"] > CLOCK_HOURS
    own = left[left["site"] == left["maker"]].groupby("lot")["early"].max() <= CLOCK_HOURS
    borne_out = left["lot"].isin(own.index[own])
    return early & ~borne_out & left["lot"].where(early, -1 - left.index.to_series()).duplicated()


def _slow_clocks(shared: Features) -> frozenset[str]:
    """Return the sites of which many receipts are early: their reversals are slips, not deeds."""
    legs = _legs(shared)
    early = legs["early"] > CLOCK_HOURS
    by_site = early.groupby(at(shared.rows["site"], legs["position"].to_numpy()))
    cases = by_site.sum()
    slow = (cases >= SLOW_CLOCK_CASES) & (cases >= SLOW_CLOCK_SHARE * by_site.size())
    return frozenset(cases.index[slow])


def _account(case: Case) -> Account:
    row, shared = case.row, case.shared
    own, cause = shared.row(int(row["position"])), shared.row(int(row["cause"]))
    goods = str(own["product_id"]) + (f" (lot {own['lot_id']})" if own["has_lot"] else "")
    origin = "was shipped" if row["what"] == "received" else "was made"
    where = f" at {own['site']}" if isinstance(own["site"], str) else ""
    zone: Finding = "possible" if row["early"] <= ZONE_HOURS else "ruled out"
    return Account(
        evidence=(int(cause["index"]),),
        observed=Measure("time before its cause", row["early"], "hours"),
        expected=Expected(None, CLOCK_HOURS, "hours"),
        sentence=(
            f"{goods} was {row['what']}{where} {plain(row['early'])} hours before it {origin}, "
            f"by the two records."
        ),
        counterfactual=(
            f"The flag would disappear if it were recorded at least "
            f"{plain(row['early'] - CLOCK_HOURS)} hours later, or the other event as much earlier."
        ),
        benign=(
            Benign(SLOW_CLOCK, "likely" if row["benign"] else "ruled out"),
            Benign("a time zone left out on one side", zone),
            Benign("clocks that differ, or a time known to the day only", "ruled out"),
            Benign("day and month exchanged, or a slip of the year", "not checked"),
        ),
        caveat="It does not say which of the two times is wrong, or why.",
    )
