"""Dwell anomaly: goods that stayed at a site far longer than its others.

Time from the lot's arrival (or making) to its leaving is held against the
site's usual, and against what was usual there in those days, by when goods
came and by when they left: a holiday, a full port or a closure holds back all
of them and accuses none.

Next: detectors/routes/travel_time.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Account, Benign, Expected, Measure, PeerGroup
from detectors.columns import codes, texts
from detectors.custody import DAY_US
from detectors.legs import HOUR_US
from detectors.routes.additive import crossed, standing
from detectors.routes.company import in_company
from detectors.routes.residuals import effects, spread
from detectors.routes.scales import Scale, most_even
from detectors.routes.shipments import shipments
from detectors.routes.statistical import Statistical
from detectors.rules import not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case
    from detectors.features import Features

__all__ = ["DwellAnomaly"]

FLOOR: Final = 0.15
"""Shifts, weekends and opening hours alone make a stay 15 % longer or shorter."""
LEAST_HOURS: Final = 4.0
"""Added to every stay: hours on the quay are no stay."""
FLOOR_HOURS: Final = 6.0
NEAR_DAYS: Final = 20
COMPANY: Final = 2
"""So many others of those weeks, and such a share of them, held back too: no load did that."""
COMPANY_DAYS: Final = 14
COMPANY_SHARE: Final = 0.2
HOLIDAY_DAYS: Final = 5
HELD_BACK: Final = "a holiday, congestion or closure that held back others too"
_ODD: Final = 2.0
_AS_LONG: Final = 0.35


class DwellAnomaly(Statistical):
    """Did the goods stay at the shipper far longer than goods usually do there?"""

    name: Final = "dwell_anomaly"
    type: Final = "dwell_anomaly"
    version: Final = "2"
    side = "upper"
    reads: Final = (
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /from_facility_id",
        "event/1 /items",
        "facility/1 /country",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "least_spread": FLOOR,
        "added_hours": LEAST_HOURS,
        "least_spread_hours": FLOOR_HOURS,
        "near_days": NEAR_DAYS,
        "company": COMPANY,
        "company_days": COMPANY_DAYS,
        "company_share": COMPANY_SHARE,
        "holiday_days": HOLIDAY_DAYS,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every shipment of a lot that was seen to come to the shipper."""
        table, _ = shipments(shared)
        arrived, arrival = _arrivals(shared, table)
        unseen = _unseen(shared, table, arrived)
        early = _too_early(shared, arrival)
        known = (arrived > 0) & ~unseen & ~early
        reasons = {
            "an arrival recorded too early to be true": table["subject_id"][early & ~unseen],
            "a lot that was not seen to come to the shipper": table["subject_id"][arrived == 0],
            "a lot of which nobody scanned in a later delivery": table["subject_id"][unseen],
        }
        hours = (table["at"].to_numpy() - arrived) / HOUR_US
        table = table.assign(since=arrived, arrival=arrival, hours=hours)
        table = table[known].reset_index(drop=True)
        table["site"] = codes(table, ["shipper"])
        table["site_product"] = codes(table, ["shipper", "product_id"])
        country = table["shipper"].map(_countries(shared))
        table["country"] = pd.factorize(country.fillna(""), sort=True)[0]
        table["lane"] = codes(table, ["shipper", "to_site"])
        return table, not_judged(self.name, reasons)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Hold each stay against the site's, and against those of the days around."""
        site = window["site"].to_numpy()
        hours = window["hours"].to_numpy().clip(min=0) + LEAST_HOURS
        scale = most_even(hours, site)
        expected = standing(
            scale.values(hours),
            site,
            _groupings(window),
            scale_by=site,
            floor=scale.floor(FLOOR, FLOOR_HOURS),
            unrest=_weeks(window),
        )
        z = expected.residual / expected.spread
        held = (z >= _ODD) & _held_back(scale.values(hours), window)
        return pd.DataFrame(
            {
                "z": z,
                "residual": expected.residual,
                "spread": expected.spread,
                "power": scale.power,
                "peers": pd.Series(site).groupby(site).transform("size"),
                "benign": np.where(held, HELD_BACK, ""),
            }
        )

    def explain(self, case: Case) -> Account:
        """Say how long the goods stayed, and how long goods usually do."""
        return _account(case.row, case.threshold)


def _groupings(window: pd.DataFrame) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return what a stay may depend on: goods, addressee, and the days it began and ended."""
    site, every = window["site"].to_numpy(), np.zeros(len(window), np.int64)
    return [
        (window["site_product"].to_numpy(), site),
        (window["lane"].to_numpy(), site),
        (window["at"].to_numpy() // (7 * DAY_US), every),
        *((codes, site) for codes in _weeks(window)),
    ]


def _weeks(window: pd.DataFrame) -> list[NDArray[np.int64]]:
    """Number the weeks of each site, by when goods left and by when they came."""
    site = window["site"].to_numpy()
    return [crossed(site, window[name].to_numpy() // _NEAR_US) for name in ("at", "since")]


_NEAR_US: Final = NEAR_DAYS * DAY_US


def _held_back(stay: NDArray[np.float64], window: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark long stays in company: at the site in those weeks, or in the country in those days.

    Stays count against the site's usual alone: what the weeks' others explain already is what is
    asked here.
    """
    site, country = window["site"].to_numpy(), window["country"].to_numpy()
    rest = effects(stay, [(site, 0), (window["site_product"].to_numpy(), _PRODUCT_SIZE)])
    far = rest / spread(rest, site, 1e-9)
    marked = np.zeros(len(far), bool)
    for level in _LEVELS:
        asked = (far >= _ODD) & (_AS_LONG * far <= level)
        for place, name, days in (
            (site, "at", COMPANY_DAYS),
            (site, "since", COMPANY_DAYS),
            (country, "at", HOLIDAY_DAYS),
        ):
            marked |= in_company(
                far >= level,
                window[name].to_numpy(),
                place,
                reach_us=days * DAY_US,
                least=COMPANY,
                share=COMPANY_SHARE,
                asked=asked,
            )
    return marked


_LEVELS: Final = tuple(float(one) for one in np.geomspace(2, 20, 11))
_PRODUCT_SIZE: Final = 8


def _arrivals(shared: Features, table: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when each shipment's lot last came to its shipper before it left, and the entry.

    0 and -1 where nothing shows that it came.
    """
    flows = shared.flows
    came = flows.loc[flows["sign"] > 0, ["lot", "holder", "at", "index"]]
    came = came.rename(columns={"at": "since", "index": "entry"}).sort_values(["since", "entry"])
    lots = shared.rows["lot"].to_numpy()[table["position"]]
    left = table[["at"]].assign(lot=lots, holder=table["shipper"].to_numpy(), row=table.index)
    left = left[left["holder"].notna()].sort_values(["at", "row"])
    found = pd.merge_asof(
        left,
        came.assign(holder=came["holder"].astype(left["holder"].dtype)),
        left_on="at",
        right_on="since",
        by=["lot", "holder"],
    ).set_index("row")
    found = found[["since", "entry"]].reindex(table.index)
    since = found["since"].fillna(0).to_numpy(np.int64)
    return since, found["entry"].fillna(-1).to_numpy(np.int64)


def _unseen(shared: Features, table: pd.DataFrame, arrived: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark shipments before which more of the lot was sent to the shipper than was scanned in."""
    lots = shared.rows["lot"].to_numpy()[table["position"]]
    left = table[["at"]].assign(lot=lots, holder=table["shipper"].to_numpy(), row=table.index)
    left = left[left["holder"].notna()].sort_values(["at", "row"])
    sent = shared.unreceived[["lot", "holder", "at"]].rename(columns={"at": "sent"})
    sent = sent.sort_values("sent").assign(holder=sent["holder"].astype(left["holder"].dtype))
    found = pd.merge_asof(left, sent, left_on="at", right_on="sent", by=["lot", "holder"])
    latest = found.set_index("row")["sent"].reindex(table.index).fillna(0).to_numpy(np.int64)
    return np.asarray(latest > arrived, bool)


def _countries(shared: Features) -> pd.Series:
    source = shared.frames.facilities
    found = texts(source, "country").set_axis(texts(source, "facility_id").to_numpy())
    return found[found.index.notna() & ~found.index.duplicated(keep="last")]


def _too_early(shared: Features, arrival: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark stays whose arrival was recorded far sooner than such a trip ends: it began later."""
    legs, rows = shared.legs, shared.rows
    ship = rows.iloc[legs["ship"]]
    trips = pd.DataFrame(
        {
            "entry": rows["index"].to_numpy()[legs["receive"]],
            "from": ship["site"].to_numpy(),
            "to": rows["site"].to_numpy()[legs["receive"]],
            "mode": ship["transport_mode"].to_numpy(),
            "hours": legs["hours"].to_numpy(),
            "pace": legs["hours"].to_numpy() / np.maximum(legs["distance_km"].to_numpy(), _NEAR_KM),
        }
    )
    own = trips.groupby(codes(trips, ["from", "to", "mode"]))
    usual = own["hours"].transform("median").where(own["hours"].transform("size") >= _TRIPS)
    pace = trips["pace"] / trips["pace"].groupby(codes(trips, ["mode"])).transform("median")
    early = (trips["hours"] / usual).fillna(pace) < _EARLY
    return np.asarray(np.isin(arrival, trips["entry"][early]) & (arrival >= 0), bool)


_NEAR_KM: Final = 25.0
_TRIPS: Final = 4
_EARLY: Final = 0.4
"""Of the usual time: nothing else makes a trip so short as a wrong hour does."""


def _account(row: Mapping[str, Any], threshold: float) -> Account:
    scale = Scale(float(row["power"]))
    middle = (
        float(scale.values(np.array([max(row["hours"], 0) + LEAST_HOURS]))[0]) - row["residual"]
    )
    usual = scale.back(middle) - LEAST_HOURS
    high = scale.back(middle + threshold * row["spread"]) - LEAST_HOURS
    days, usual, high = row["hours"] / 24, max(usual, 0.0) / 24, max(high, 0.0) / 24
    return Account(
        evidence=(int(row["arrival"]),),
        observed=Measure("stay", days, "days"),
        expected=Expected(0.0, high, "days"),
        peer_group=PeerGroup(f"stays at {row['shipper']}", int(row["peers"])),
        sentence=(
            f"The goods left {row['shipper']} {plain(days)} days after they had come there; "
            f"{plain(usual)} days are usual there for such goods in those weeks."
        ),
        counterfactual=(f"The flag would disappear if the stay were at most {plain(high)} days."),
        benign=(
            Benign(HELD_BACK, "ruled out"),
            Benign("a second arrival of the lot that nobody scanned", "possible"),
            Benign("an order that was put off, or a hold for inspection", "not checked"),
        ),
        caveat="It does not say what happened to the goods in that time, if anything did.",
    )
