"""Travel time: goods that arrived far sooner than such a trip usually takes.

The rule of `impossible_travel` says what no vehicle can do; this says what the
vehicles of this mode and lane do not do. Late arrivals are no question here:
weather, closures and queues make goods late, nothing makes them early. What is
usual holds waits, too: for a ship, at a border, until the till is read at night.
A trip that was spared them is no faster than vehicles drive.

Next: detectors/routes/route_detour.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Account, Benign, Expected, Measure, PeerGroup
from detectors.columns import codes
from detectors.routes.additive import crossed, standing
from detectors.routes.clocks import LEAST_OFF, SHORT_HOURS, TRIPS, WIDER, lost_hours
from detectors.routes.statistical import LATER_TOO, Statistical
from detectors.rules import not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case
    from detectors.features import Features

__all__ = ["TravelTime"]

FLOOR: Final = 0.15
"""Traffic, shifts and the hour of the scan alone make a trip 15 % longer or shorter."""
BANDS_KM: Final = (0, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 25_000)
LEAST_HOURS: Final = 2.0
"""Added to every trip: loading, and clocks that differ."""
MIN_KM: Final = 25.0
CRUISE: Final = {"sea": 45.0, "road": 100.0, "rail": 140.0, "air": 950.0}
"""km/h as the crow flies that vehicles of the mode keep up when nothing holds them: container ships
of 24 knots, lorries that never stop, goods trains on fast tracks, jets. A mode that is missing or
unknown may be any of them."""
DONE: Final = "others on the lane were about as fast"
NO_WAIT: Final = "a trip without the waits of others, no faster than such vehicles drive"
OTHERS: Final = 2
_AS_FAST: Final = 0.25
"""Log of hours per kilometre by which a trip may be slower and still be about as fast."""


_OF_ENDS: Final = ["event_id", "party", "index", "at", "site", "transport_mode"]


class TravelTime(Statistical):
    """Did the trip take far less time than such trips do?"""

    name: Final = "travel_time"
    type: Final = "impossible_travel"
    version: Final = "6"
    closing = LATER_TOO
    side = "lower"
    null_of_all = True
    reads: Final = (
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /latitude",
        "event/1 /longitude",
        "event/1 /shipment_id",
        "event/1 /transport_mode",
        "facility/1 /latitude",
        "facility/1 /longitude",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "least_spread": FLOOR,
        "added_hours": LEAST_HOURS,
        "min_distance_km": MIN_KM,
        "others_as_fast": OTHERS,
        **{f"cruise_{mode}_kmh": speed for mode, speed in CRUISE.items()},
        "clock_least_hours_off": LEAST_OFF,
        "clock_short_trip_hours": SHORT_HOURS,
        "clock_trips_of_lane": TRIPS,
        "clock_wider_times": WIDER,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every leg that ended after it began, between known places."""
        legs, rows = shared.legs, shared.rows
        ship, receive = (rows[_OF_ENDS].iloc[legs[end]] for end in ("ship", "receive"))
        mode = ship["transport_mode"].to_numpy(object)
        mode = np.where(pd.isna(mode), receive["transport_mode"].to_numpy(object), mode)
        table = pd.DataFrame(
            {
                "subject_id": receive["event_id"].to_numpy(),
                "subject_party": receive["party"].to_numpy(),
                "index": receive["index"].to_numpy(),
                "at": receive["at"].to_numpy(),
                "ship_index": ship["index"].to_numpy(),
                "shipper": ship["site"].to_numpy(),
                "to_site": receive["site"].to_numpy(),
                "mode": pd.Series(mode).fillna("unknown").to_numpy(),
                "km": legs["distance_km"].to_numpy(),
                "hours": (legs["hours"] + legs["slack_hours"]).to_numpy(),
            }
        )
        placed = table["km"].notna() & (table["km"] >= MIN_KM)
        ordered = table["hours"] >= 0
        reasons = {
            "a place without coordinates, or next door": table["subject_id"][~placed],
            "received before shipped, a question of order": table["subject_id"][placed & ~ordered],
        }
        table = table[placed & ordered].reset_index(drop=True)
        cruise = table["mode"].map(CRUISE).astype(np.float64)  # of no trips at all it is text
        table["driven"] = table["km"] / cruise.fillna(max(CRUISE.values()))
        table["band"] = np.searchsorted(BANDS_KM, table["km"])
        table["mode_band"] = codes(table, ["mode", "band"])
        table["lane"] = codes(table, ["mode", "shipper", "to_site"])
        table["mode_group"] = codes(table, ["mode"])
        return table, not_judged(self.name, reasons)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Hold hours per kilometre against mode, distance and lane."""
        mode, band = window["mode_group"].to_numpy(), window["mode_band"].to_numpy()
        lane = window["lane"].to_numpy()
        lost = _lost(window)
        trip = np.log(window["hours"] + lost + LEAST_HOURS).to_numpy() - np.log(window["km"])
        trip = trip.to_numpy()
        expected = standing(trip, mode, _groupings(window), scale_by=band, floor=FLOOR)
        residual, usual = expected.residual, expected.spread
        early = residual < 0
        done = _done_by_others(trip, lane) & early
        driven = (window["hours"] + lost >= window["driven"]).to_numpy() & early
        return pd.DataFrame(
            {
                "z": residual / usual,
                "residual": residual,
                "spread": usual,
                "lost": lost,
                "benign": np.where(done, DONE, np.where(driven, NO_WAIT, "")),
                "peers": pd.Series(band).groupby(band).transform("size"),
            }
        )

    def explain(self, case: Case) -> Account:
        """Say how long it took, and how long such trips take."""
        return _account(case.row, case.threshold)


def _lost(window: pd.DataFrame) -> NDArray[np.float64]:
    """Return how many hours clocks that are off take from each trip."""
    hours, km = window["hours"].to_numpy() + LEAST_HOURS, window["km"].to_numpy()
    usual = pd.Series(hours / km).groupby(window["mode_band"].to_numpy()).transform("median") * km
    lane, mode = window["lane"].to_numpy(), window["mode_group"].to_numpy()
    return lost_hours(lane, mode, hours, usual.to_numpy())


def _groupings(window: pd.DataFrame) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return what the time of a trip may depend on: distance, lane, and the weeks' weather."""
    mode, band = window["mode_group"].to_numpy(), window["mode_band"].to_numpy()
    lane, month = window["lane"].to_numpy(), window["at"].to_numpy() // _MONTH_US
    return [
        (band, mode),
        (lane, band),
        (crossed(mode, month), mode),
        (crossed(lane, month), band),
    ]


_MONTH_US: Final = 30 * 86_400_000_000


def _done_by_others(trip: NDArray[np.float64], lane: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell for each trip whether others on its lane took hardly longer, or less."""
    order = np.lexsort((trip, lane))
    # One number line for all lanes: a lane's trips lie between its number and the next.
    low = float(trip.min(initial=0.0))
    width = float(trip.max(initial=0.0)) - low + 2 * _AS_FAST + 1.0
    line = lane[order] * width + (trip[order] - low)
    below = np.searchsorted(line, lane * width + (trip - low) + _AS_FAST, side="right")
    begin = np.searchsorted(line, lane * width)
    return np.asarray(below - begin - 1 >= OTHERS, bool)


def _account(row: Mapping[str, Any], threshold: float) -> Account:
    added = row["lost"] + LEAST_HOURS
    whole = (row["hours"] + added) / np.exp(row["residual"])
    usual, low = whole - added, whole / np.exp(threshold * row["spread"]) - added
    low = max(min(low, row["driven"] - row["lost"]), 0.0)
    by = "" if row["mode"] == "unknown" else f" by {row['mode']}"
    return Account(
        evidence=(int(row["ship_index"]),),
        observed=Measure("time from leaving to arriving", row["hours"], "hours"),
        expected=Expected(low, None, "hours"),
        peer_group=PeerGroup(f"trips{by} over such a distance", int(row["peers"])),
        sentence=(
            f"The goods were received {plain(row['km'])} km away {plain(row['hours'])} hours after "
            f"they were shipped; such trips{by} usually take {plain(usual)} hours there."
        ),
        counterfactual=(
            f"The flag would disappear if the trip had taken at least {plain(low)} hours."
        ),
        benign=(
            Benign("a lane that is always fast", "ruled out"),
            Benign(DONE, "ruled out"),
            Benign(NO_WAIT, "ruled out"),
            Benign("a site's clock that is always off", "ruled out"),
            Benign("another mode of transport than the record names", "possible"),
            Benign("a departure recorded late, or a time zone left out", "possible"),
        ),
        caveat=(
            "It does not say that the trip was impossible, nor which of its two times is wrong."
        ),
    )
