"""Impossible travel: goods that arrived sooner than anything could carry them.

The great circle is a lower bound of every route and the mode's physical top
speed an upper bound of every vehicle, so what breaks this rule did not happen
as recorded. Arrivals before departures, by more than clocks may differ, are the
question of `temporal_order`. A site that most of its legs contradict is in the
wrong place, or its clock is: that is said once, and not flagged leg by leg.

Next: detectors/custody_gap.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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
from detectors.features import CLOCK_HOURS
from detectors.legs import LEAST_WRONG, WRONG_SHARE, touches, wrong_sites
from detectors.partition import Apart
from detectors.rules import beyond_limit, not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case, Decisions, Finding
    from detectors.features import Features

__all__ = ["ImpossibleTravel"]

TOP_SPEED: Final = {"sea": 60.0, "road": 130.0, "rail": 200.0, "air": 1_100.0}
"""km/h that no freight of the mode exceeds: fast ferries, lorries, parcel trains, jets with a
tail wind. A mode that is missing, multimodal or unknown may be any of them."""
ANY_MODE: Final = max(TOP_SPEED.values())
MIN_KM: Final = 25.0
"""Below this the size of sites and of rounded coordinates matters."""
_LEAST_HOURS: Final = 1 / 3600
"""Of the time there was: what came no later than clocks allow took no time at all."""
ZONE_HOURS: Final = 14.0
"""No two time zones that goods pass in one leg differ by more in practice."""


class ImpossibleTravel:
    """Was the receive possible at all, so soon after the ship and so far away?"""

    name: Final = "impossible_travel"
    type: Final = "impossible_travel"
    version: Final = "1"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /latitude",
        "event/1 /longitude",
        "event/1 /shipment_id",
        "event/1 /transport_mode",
        "facility/1 /latitude",
        "facility/1 /longitude",
        "location/1 /latitude",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        **{f"top_speed_{mode}_kmh": speed for mode, speed in TOP_SPEED.items()},
        "clock_tolerance_hours": CLOCK_HOURS,
        "min_distance_km": MIN_KM,
        "wrong_site_cases": LEAST_WRONG,
        "wrong_site_share": WRONG_SHARE,
    }
    libraries: Final = ("numpy", "pandas")
    apart: Final = Apart()

    def features(self, shared: Features) -> Sample:
        """Collect every leg whose two ends have a place and a time, in that order."""
        table = _legs(shared)
        placed, ordered = table["km"].notna(), _is_ordered(table)
        astray = _is_impossible(table) & touches(table, shared.yardstick(_misplaced))
        judged = table[placed & ordered & ~astray].reset_index(drop=True)
        judged["benign"] = np.where(_fits_registered(judged), "coordinates", "")
        return Sample(judged, self._left_out(table, placed, ordered, astray, shared))

    def _left_out(
        self,
        table: pd.DataFrame,
        placed: pd.Series,
        ordered: pd.Series,
        astray: pd.Series,
        shared: Features,
    ) -> tuple[Abstention, ...]:
        receives = shared.rows["event_id"][shared.rows["kind"] == "receive"]
        single = receives[~receives.index.isin(shared.legs["receive"])]
        subject = table["subject_id"]
        reasons = {
            "no ship event to pair the receive with": single,
            "a place without coordinates": subject[~placed],
            "received before shipped, a question of order": subject[placed & ~ordered],
            "most legs of one of its sites are too fast: its registered place or clock is wrong": (
                subject[placed & ordered & astray]
            ),
        }
        return not_judged(self.name, reasons)

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure the hours needed at top speed against the hours there were."""
        return _haste(sample.table)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what needed more hours than there were."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say how far, how fast, and how fast is possible."""
        row = case.row
        speed = row["km"] / row["allowed"]
        by = f"by {row['mode']}" if row["mode"] else "by any means"
        needed = row["km"] / row["top_speed"]
        when = "after" if row["hours"] >= 0 else "before"
        return Account(
            evidence=(
                int(row["ship_index"]),
                *case.shared.site_entries(row["ship_site"], row["receive_site"]),
            ),
            observed=Measure("speed the record implies", speed, "km/h"),
            expected=Expected(None, row["top_speed"], "km/h"),
            sentence=(
                f"The goods were received {plain(row['km'])} km away "
                f"{plain(abs(row['hours']))} hours {when} they were shipped; {by} that takes "
                f"at least {plain(needed)} hours, and with every allowance for clocks and "
                f"missing times of day there were {plain(row['allowed'])}."
            ),
            counterfactual=(
                f"The flag would disappear if the receive were recorded at least "
                f"{plain(needed - row['allowed'])} hours later, or the ship as much earlier."
            ),
            benign=_benign(row, needed),
            caveat=(
                "It does not say who recorded a wrong time or place, or whether on purpose; "
                "the goods may have travelled well and the record be wrong."
            ),
        )


def _legs(shared: Features) -> pd.DataFrame:
    legs, rows = shared.legs, shared.rows
    named = rows[["event_id", "party", "index", "site", "transport_mode"]]
    ship, receive = named.iloc[legs["ship"]], named.iloc[legs["receive"]]
    mode = _first_known(ship["transport_mode"], receive["transport_mode"])
    hours = (legs["hours"] + legs["slack_hours"]).to_numpy()
    return pd.DataFrame(
        {
            "subject_id": receive["event_id"].array,
            "subject_party": receive["party"].array,
            "index": receive["index"].to_numpy(),
            "ship_index": ship["index"].to_numpy(),
            "receive_site": receive["site"].array,
            "ship_site": ship["site"].array,
            "mode": mode,
            "top_speed": pd.Series(mode).map(TOP_SPEED).fillna(ANY_MODE).to_numpy(),
            "km": legs["distance_km"],
            "registered_km": legs["registered_km"],
            "hours": legs["hours"],
            "early": -hours,
            "allowed": np.maximum(hours + CLOCK_HOURS, _LEAST_HOURS),
        }
    )


def _is_ordered(table: pd.DataFrame) -> pd.Series:
    """Tell what was not received before it was shipped by more than clocks may differ."""
    return table["early"] <= CLOCK_HOURS


def _haste(table: pd.DataFrame) -> NDArray[np.float64]:
    needed = np.where(table["km"] >= MIN_KM, table["km"] / table["top_speed"], 0.0)
    return np.asarray(needed / table["allowed"].to_numpy())


def _is_impossible(table: pd.DataFrame) -> pd.Series:
    return pd.Series(_haste(table) > 1.0, index=table.index) & _is_ordered(table)


def _misplaced(shared: Features) -> dict[str, frozenset[str]]:
    """Return the sites whose registered place, or clock, most of their legs contradict."""
    table = _legs(shared)
    reversed_ = ~_is_ordered(table) & (table["early"] <= ZONE_HOURS)
    return wrong_sites(_is_impossible(table) | reversed_, table[["ship_site", "receive_site"]])


def _first_known(first: pd.Series, second: pd.Series) -> NDArray[np.object_]:
    values = first.astype(object).to_numpy()
    other = second.astype(object).to_numpy()
    mode = np.where(pd.isna(values), other, values)
    return np.where(pd.isna(mode), "", mode)


def _fits_registered(table: pd.DataFrame) -> pd.Series:
    """Tell whether the trip was possible between the sites' registered places."""
    return table["registered_km"] / table["top_speed"] <= table["allowed"]


def _benign(row: Mapping[str, Any], needed: float) -> tuple[Benign, ...]:
    zone: Finding = "possible" if needed <= row["allowed"] + ZONE_HOURS else "ruled out"
    places: Finding = "likely" if row["benign"] else "ruled out"
    if np.isnan(row["registered_km"]):
        places = "not checked"
    return (
        Benign("a time zone left out or applied twice on one side", zone),
        Benign("wrong coordinates on one event: the sites' registered places fit", places),
        Benign("a time known to the day only", "ruled out"),
    )
