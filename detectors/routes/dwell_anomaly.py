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
from detectors.columns import codes
from detectors.custody import DAY_US
from detectors.legs import HOUR_US
from detectors.routes.residuals import effects, neighbours, spread
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
PRODUCT_SIZE: Final = 8
DAYS_SIZE: Final = 3
NEAR_DAYS: Final = 21


class DwellAnomaly(Statistical):
    """Did the goods stay at the shipper far longer than goods usually do there?"""

    name: Final = "dwell_anomaly"
    type: Final = "dwell_anomaly"
    version: Final = "1"
    side = "upper"
    reads: Final = (
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /from_facility_id",
        "event/1 /items",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "least_spread": FLOOR,
        "added_hours": LEAST_HOURS,
        "product_size": PRODUCT_SIZE,
        "days_size": DAYS_SIZE,
        "near_days": NEAR_DAYS,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every shipment of a lot that was seen to come to the shipper."""
        table, _ = shipments(shared)
        arrived, arrival = _arrivals(shared, table)
        unseen = _unseen(shared, table, arrived)
        known = (arrived > 0) & ~unseen
        reasons = {
            "a lot that was not seen to come to the shipper": table["subject_id"][arrived == 0],
            "a lot of which nobody scanned in a later delivery": table["subject_id"][unseen],
        }
        hours = (table["at"].to_numpy() - arrived) / HOUR_US
        table = table.assign(since=arrived, arrival=arrival, hours=hours)
        table = table[known].reset_index(drop=True)
        table["site"] = codes(table, ["shipper"])
        table["site_product"] = codes(table, ["shipper", "product_id"])
        table["stay"] = np.log(table["hours"].clip(lower=0) + LEAST_HOURS)
        return table, not_judged(self.name, reasons)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Hold each stay against the site's, and against those of the days around."""
        site = window["site"].to_numpy()
        groups = [(site, 0), (window["site_product"].to_numpy(), PRODUCT_SIZE)]
        rest = effects(window["stay"].to_numpy(), groups)
        common = np.zeros(len(rest))
        for at in (window["at"], window["since"]):
            near, size = neighbours(rest, at.to_numpy(), site, within_us=NEAR_DAYS * DAY_US)
            common = np.maximum(common, near * size / (size + DAYS_SIZE))
        residual = rest - common
        usual = spread(residual, site, FLOOR)
        return pd.DataFrame(
            {
                "z": residual / usual,
                "residual": residual,
                "spread": usual,
                "common": common,
                "peers": pd.Series(site).groupby(site).transform("size"),
            }
        )

    def explain(self, case: Case) -> Account:
        """Say how long the goods stayed, and how long goods usually do."""
        return _account(case.row, case.threshold)


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


def _account(row: Mapping[str, Any], threshold: float) -> Account:
    usual = np.exp(row["stay"] - row["residual"]) - LEAST_HOURS
    high = np.exp(row["stay"] - row["residual"] + threshold * row["spread"]) - LEAST_HOURS
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
            Benign("a holiday, congestion or closure that held back others too", "ruled out"),
            Benign("a second arrival of the lot that nobody scanned", "possible"),
            Benign("an order that was put off, or a hold for inspection", "not checked"),
        ),
        caveat="It does not say what happened to the goods in that time, if anything did.",
    )
