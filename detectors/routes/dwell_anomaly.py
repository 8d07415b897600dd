"""Dwell anomaly: goods that stayed at a site far longer than its others.

Time from the lot's arrival (or making) to its leaving is held against the
site's usual, and against what was usual there in those days, by when goods
came and by when they left: a holiday, a full port or a closure holds back all
of them and accuses none, and so does a rest that all keep, wherever they are.
Days of rest just before goods left are not counted. Lots that leave together are
one load: it waits for its last lot, and what holds it back holds all of them, so
they are no company for each other. Where sites of a kind are full now and then, a
load that stayed as long and had nobody near it to show that the site was not full
stood in a queue more likely than not.

Next: detectors/routes/held_back.py
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Account, Benign, Expected, Measure, PeerGroup
from detectors.columns import codes, texts
from detectors.custody import DAY_US
from detectors.goods.exchanged import EXCHANGED, exchanged
from detectors.legs import HOUR_US
from detectors.routes.additive import crossed, standing
from detectors.routes.arrivals import arrivals, gone, too_early, unseen
from detectors.routes.closures import days_of_rest
from detectors.routes.held_back import (
    COMPANY,
    COMPANY_DAYS,
    COMPANY_SHARE,
    HOLIDAY_DAYS,
    MOST,
    NEAR_DAYS,
    ODD,
    REST_OF_ALL,
    held_back,
)
from detectors.routes.scales import Scale, most_even, outer_reach
from detectors.routes.shipments import shipments
from detectors.routes.statistical import LATER_TOO, Statistical
from detectors.rules import not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case, Decisions, Sample
    from detectors.features import Features

__all__ = ["DwellAnomaly"]

FLOOR: Final = 0.15
"""Shifts, weekends and opening hours alone make a stay 15 % longer or shorter."""
LEAST_HOURS: Final = 4.0
"""Added to every stay: hours on the quay are no stay."""
FLOOR_HOURS: Final = 6.0
HELD_BACK: Final = "a holiday, congestion or closure that held back others too"
QUEUE: Final = "a queue in which no other load stood"
AS_MANY: Final = 0.002
"""A queue that befalls so many loads and is seen by none is as common as what is wrong."""


class DwellAnomaly(Statistical):
    """Did the goods stay at the shipper far longer than goods usually do there?"""

    name: Final = "dwell_anomaly"
    type: Final = "dwell_anomaly"
    version: Final = "8"
    side = "upper"
    closing = LATER_TOO
    libraries = ("holidays", "numpy", "pandas", "scipy")
    reads: Final = (
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /from_facility_id",
        "event/1 /items",
        "facility/1 /country",
        "facility/1 /facility_type",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "least_spread": FLOOR,
        "added_hours": LEAST_HOURS,
        "least_spread_hours": FLOOR_HOURS,
        "near_days": NEAR_DAYS,
        "company": COMPANY,
        "company_days": COMPANY_DAYS,
        "company_share": COMPANY_SHARE,
        "company_of_few": MOST,
        "holiday_days": HOLIDAY_DAYS,
        "rest_of_all": REST_OF_ALL,
        "as_many_queues": AS_MANY,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every shipment of a lot that was seen to come to the shipper."""
        table, _ = shipments(shared)
        arrived, arrival = arrivals(shared, table)
        missed = unseen(shared, table, arrived)
        early = too_early(shared, arrival) & ~missed
        left_before = gone(shared, table) & (arrived > 0) & ~missed & ~early
        marked = shared.once(exchanged)
        dated = marked[table["position"]] | np.isin(arrival, shared.rows["index"][marked])
        reasons = {
            EXCHANGED: dated,
            "an arrival recorded too early to be true": early,
            "a lot that was not seen to come to the shipper": arrived <= 0,
            "a lot of which nobody scanned in a later delivery": missed,
            "goods of a lot of which more left than ever came": left_before,
        }
        known = ~np.any(list(reasons.values()), axis=0)
        left_out = {reason: table["subject_id"][marked] for reason, marked in reasons.items()}
        stays = _stays(shared, table, arrived, arrival)[known].reset_index(drop=True)
        return stays, not_judged(self.name, left_out)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Hold each load's stay against the site's, and against those of the days around."""
        site, hours = window["site"].to_numpy(), _counted(window) + LEAST_HOURS
        first, load = _loads(window)
        loads = window.iloc[first]
        scale = most_even(hours[first], site[first])
        stay = scale.values(hours)
        expected = standing(
            stay[first],
            site[first],
            _groupings(loads),
            scale_by=site[first],
            floor=scale.floor(FLOOR, FLOOR_HOURS),
            unrest=_weeks(loads),
            alike=True,
        )
        usual = (stay[first] - expected.residual)[load]
        reach = outer_reach(expected.residual / expected.spread, site[first])
        residual, spread_ = stay - usual, (expected.spread * reach)[load]
        z = residual / spread_
        back = held_back(stay[first], scale, loads)
        held = (z >= ODD) & back.held[load]
        return pd.DataFrame(
            {
                "z": z,
                "residual": residual,
                "spread": spread_,
                "power": scale.power,
                "peers": pd.Series(site).groupby(site).transform("size"),
                "benign": np.where(held, HELD_BACK, ""),
                "queue": back.queue[load],
            }
        )

    def decide(self, sample: Sample, scores: NDArray[np.float64], level: float) -> Decisions:
        """Flag what is rare, unless a queue that nobody shows is as likely as anything wrong.

        Such loads stay in the null: they are ordinary as far as anybody can tell.
        """
        table = sample.table
        benign = table["benign"].where(table["queue"] < AS_MANY, QUEUE)
        return super().decide(replace(sample, table=table.assign(benign=benign)), scores, level)

    def explain(self, case: Case) -> Account:
        """Say how long the goods stayed, and how long goods usually do."""
        return _account(case.row, case.threshold)


def _stays(
    shared: Features,
    table: pd.DataFrame,
    since: NDArray[np.int64],
    arrival: NDArray[np.int64],
) -> pd.DataFrame:
    """Describe each stay by how long it was, and by what it is held against."""
    left, rows = table["at"].to_numpy(), shared.rows
    number = rows["shipper_number"].to_numpy()[table["position"]]
    consignment = rows["shipment_number"].to_numpy()[table["position"]]
    # Lots of one consignment may be scanned one after the other.
    load = table.assign(consignment=consignment, when=np.where(consignment < 0, left, 0))
    return table[["subject_id", "subject_party", "index", "at", "shipper"]].assign(
        since=since,
        arrival=arrival,
        hours=(left - since) / HOUR_US,
        rest=days_of_rest(shared, number, since, left),
        site=codes(table, ["shipper"]),
        site_product=codes(table, ["shipper", "product_id"]),
        country=_of_sites(shared, table["shipper"], "country"),
        kind=_of_sites(shared, table["shipper"], "facility_type"),
        lane=codes(table, ["shipper", "to_site"]),
        load=codes(load, ["shipper", "to_site", "consignment", "when"]),
    )


def _counted(window: pd.DataFrame) -> NDArray[np.float64]:
    """Return the hours of each stay less the days of rest at its end."""
    hours = window["hours"].to_numpy() - _DAY * window["rest"].to_numpy()
    return np.asarray(hours.clip(min=0), np.float64)


def _loads(window: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row of each load's first lot, which waited longest, and each row's load."""
    load = np.unique(window["load"].to_numpy(), return_inverse=True)[1]
    order = np.lexsort((window["since"].to_numpy(), load))
    return order[np.append(True, np.diff(load[order]) > 0)], load


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
_DAY: Final = 24


def _of_sites(shared: Features, site: pd.Series, column: str) -> NDArray[np.int64]:
    """Number what the master data say of each site; what they do not say is alike."""
    source = shared.frames.facilities
    found = texts(source, column).set_axis(texts(source, "facility_id").to_numpy())
    found = found[found.index.notna() & ~found.index.duplicated(keep="last")]
    return np.asarray(pd.factorize(site.map(found).fillna(""), sort=True)[0], np.int64)


def _account(row: Mapping[str, Any], threshold: float) -> Account:
    scale, rest = Scale(float(row["power"])), int(row["rest"])
    counted = max(row["hours"] - _DAY * rest, 0) + LEAST_HOURS
    middle = float(scale.values(np.array([counted]))[0]) - row["residual"]
    both = np.array([middle, middle + threshold * row["spread"]])
    usual, high = (scale.back(both) - LEAST_HOURS).tolist()
    days, usual, high = row["hours"] / 24, max(usual, 0.0) / 24, max(high, 0.0) / 24 + rest
    shut = "day" if rest == 1 else f"{rest} days"
    before = f", the last {shut} of them a rest there" if rest else ""
    return Account(
        evidence=(int(row["arrival"]),),
        observed=Measure("stay", days, "days"),
        expected=Expected(0.0, high, "days"),
        peer_group=PeerGroup(f"stays at {row['shipper']}", int(row["peers"])),
        sentence=(
            f"The goods left {row['shipper']} {plain(days)} days after they had come "
            f"there{before}; "
            f"{plain(usual)} days are usual there for such goods in those weeks."
        ),
        counterfactual=(f"The flag would disappear if the stay were at most {plain(high)} days."),
        benign=(
            Benign(HELD_BACK, "ruled out"),
            Benign(QUEUE, "ruled out"),
            Benign("days of rest before the goods left", "ruled out"),
            Benign("a second arrival of the lot that nobody scanned", "possible"),
            Benign("an order that was put off, or a hold for inspection", "not checked"),
        ),
        caveat="It does not say what happened to the goods in that time, if anything did.",
    )
