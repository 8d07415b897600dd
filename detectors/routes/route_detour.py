"""Route detour: goods that went a long way round, by a place that is not on their lane.

A lot's way from one site over another to a third is held against the other ways
between the two ends, and against the straight line where there are none. How
much longer it is counts as far as the place in between is rare on the lane;
where others left the usual way in those weeks too, a closure or diversion is
the likely cause. Goods that arrived and were sold on passed nothing. Both legs, into
the place and out of it, carry the flag.

Next: detectors/routes/diversions.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Account, Benign, Expected, Measure, PeerGroup
from detectors.columns import codes
from detectors.geo import great_circle
from detectors.peers import log_ratio
from detectors.routes.diversions import (
    NEAR_DAYS,
    SHUT_LOTS,
    STOPGAP_DAYS,
    STOPGAP_LANES,
    diverted,
    otherwise,
)
from detectors.routes.journeys import passes, shipments_of_lots, site_places
from detectors.routes.statistical import Statistical
from detectors.rules import not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case
    from detectors.features import Features

__all__ = ["RouteDetour"]

SPREAD: Final = 0.08
"""Ways between the same two places differ by a twelfth for ordinary reasons."""
ADDED_KM: Final = 100.0
"""Added to every way: calls within a region are no detour."""
STRAIGHT: Final = 1.25
"""How much longer than the great circle goods usually travel, where there is nothing to compare."""
COMMON_SHARE: Final = 0.2
"""A place that so many ways of the lane touch is on it."""
IN_USE: Final = 5
"""A lane that carried more lots than this is one of trade, not the leg of a detour."""
FEW_LOTS: Final = 2
FAIR_SHARE: Final = 0.1
"""A lane of more than those few lots is one of trade, too, if it has this share at its end."""
WHOLE: Final = 0.75
"""Of what came on other papers, so much goes on where goods only pass through."""
_OFF: Final = 0.15
_FARTHEST: Final = 37.0


class RouteDetour(Statistical):
    """Did the goods go a way that their lane does not go?"""

    name: Final = "route_detour"
    type: Final = "route_detour"
    version: Final = "5"
    side = "upper"
    min_samples = 1
    by_quarter = False
    reads: Final = (
        "event/1 /event_time",
        "event/1 /from_facility_id",
        "event/1 /items",
        "event/1 /latitude",
        "event/1 /longitude",
        "event/1 /to_facility_id",
        "facility/1 /latitude",
        "facility/1 /longitude",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "usual_spread": SPREAD,
        "added_km": ADDED_KM,
        "usual_over_straight": STRAIGHT,
        "lane_in_use_lots": IN_USE,
        "lane_in_use_share": FAIR_SHARE,
        "passing_share": WHOLE,
        "stopgap_days": STOPGAP_DAYS,
        "stopgap_lanes": STOPGAP_LANES,
        "shut_lots": SHUT_LOTS,
        "common_share": COMMON_SHARE,
        "near_days": NEAR_DAYS,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every passage of a lot through a site, once for each of its two legs."""
        ships = shipments_of_lots(shared)
        through = _measured(shared, ships)
        known = through["way"].notna() & through["straight"].notna()
        passed = through[known]
        legs = pd.concat(
            [passed.assign(ship=passed["into"]), passed.assign(ship=passed["out"])],
            ignore_index=True,
        )
        rows = shared.rows[["event_id", "party", "index"]]
        sent = rows.iloc[ships["position"].to_numpy()[legs["ship"]]]
        other = np.where(legs["ship"] == legs["into"], legs["out"], legs["into"])
        table = legs.assign(
            subject_id=sent["event_id"].to_numpy(),
            subject_party=sent["party"].to_numpy(),
            index=sent["index"].to_numpy(),
            other=ships["index"].to_numpy()[other],
            start=ships["shipper"].to_numpy()[legs["into"]],
            via=ships["shipper"].to_numpy()[legs["out"]],
            end=ships["to_site"].to_numpy()[legs["out"]],
        )
        subjects = shared.rows["event_id"].iloc[ships["position"].to_numpy()[through["out"]]]
        reasons = {"a passage through a place without coordinates": subjects[~known.to_numpy()]}
        return table, not_judged(self.name, reasons)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Hold each way against the lane's, as far as the place in between is rare on it."""
        longer = log_ratio(
            (window["way"] + ADDED_KM).to_numpy(), (window["usual"] + ADDED_KM).to_numpy()
        )
        # A second lot on the same way makes it hardly less rare, a tenth of them much less.
        rare = (1 - (window["share"].to_numpy() / COMMON_SHARE) ** 2).clip(0.0, 1.0)
        others = window["others"].to_numpy()
        residual = np.maximum(longer, 0.0) * rare * (others + 1) / (others + 2)
        others_too = diverted(window, residual > _OFF)
        return pd.DataFrame(
            {
                "z": residual / SPREAD,
                "residual": longer,
                "peers": others,
                # By a place that is on its lanes there is one question, however many go by.
                "judged": (rare > 0) | ~window["x"].duplicated().to_numpy(),
                "benign": np.where(others_too & (residual > _OFF), "a closure or diversion", ""),
            }
        )

    def deviates(
        self, z: NDArray[np.float64], _explained: NDArray[np.bool_] | None = None, /
    ) -> NDArray[np.float64]:
        """Ways are the same to the metre or different ones: the stated spread is the null."""
        return np.clip(z, -_FARTHEST, _FARTHEST)

    def explain(self, case: Case) -> Account:
        """Say which way the goods went, and how much longer than the usual it is."""
        return _account(case.row, case.threshold)


def _measured(shared: Features, ships: pd.DataFrame) -> pd.DataFrame:
    """Give every passage its way, the straight line, the lane's usual way and its rarity."""
    lat, lon = site_places(shared, ships)

    def apart(one: pd.Series, other: pd.Series) -> NDArray[np.float64]:
        a, b = one.to_numpy(), other.to_numpy()
        return great_circle(lat[a], lon[a], lat[b], lon[b])

    through = passes(ships)
    through["way"] = apart(through["a"], through["x"]) + apart(through["x"], through["b"])
    through["straight"] = apart(through["a"], through["b"])
    through["left"] = ships["at"].to_numpy()[through["into"]]
    direct = pd.DataFrame(
        {
            "a": ships["site_from"],
            "b": ships["site_to"],
            "x": -1,
            "way": apart(ships["site_from"], ships["site_to"]),
            "left": ships["at"],
        }
    )
    every = pd.concat([through[["a", "b", "x", "way", "left"]], direct], ignore_index=True)
    lane, by_way = codes(every, ["a", "b"]), codes(every, ["a", "b", "x"])
    between = otherwise(lane, by_way, every["left"].to_numpy(np.int64))
    through["other_since"], through["other_until"] = (one[: len(through)] for one in between)
    through["lane"] = lane[: len(through)]
    size, own = np.bincount(lane), np.bincount(by_way)
    through["others"] = size[lane[: len(through)]] - own[by_way[: len(through)]]
    # The traffic of the ends counts as one more way: a lane of two ways shows little by itself.
    used = _used(ships, through)
    share = (own[by_way][: len(through)] - 1 + used) / size[lane[: len(through)]]
    share = np.where(through["others"] > 0, share, used)
    through["share"] = np.where(_sold_on(shared, ships, through), 1.0, share)
    return through.assign(usual=_usual(every.assign(lane=lane, by_way=by_way), through))


def _sold_on(shared: Features, ships: pd.DataFrame, through: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark passages by a firm that deals in the goods: both its legs are lanes in use.

    Where the papers end at the place, it is enough that it gets goods on that lane otherwise, too,
    or that it divided these: they had arrived.
    """
    edge = codes(ships, ["site_from", "site_to"])
    lots = ships[["lot", "site_from", "site_to"]].assign(edge=edge)
    often, leaving, coming = (
        np.bincount(lots.drop_duplicates(["lot", name])[name])[lots[name]]
        for name in ("edge", "site_from", "site_to")
    )
    into, out = through["into"].to_numpy(), through["out"].to_numpy()
    bought, sold = _in_use(often[into], leaving[into]), _in_use(often[out], coming[out])
    bill = ships["bill"].to_numpy(object)
    arrived = pd.isna(bill[into]) | (bill[into] != bill[out])
    amount = shared.rows["amount"].to_numpy(np.float64)[ships["position"]]
    onward = pd.Series(amount[out]).groupby([into, through["b"].to_numpy()]).transform("sum")
    divided = onward.to_numpy() < WHOLE * amount[into]
    return np.asarray((bought & sold) | (arrived & (bought | divided)), bool)


def _in_use(lots: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell whether a lane carried many lots, or a fair share of those at its end."""
    return np.asarray((lots > IN_USE) | ((lots > FEW_LOTS) & (lots >= FAIR_SHARE * of)), bool)


def _used(ships: pd.DataFrame, through: pd.DataFrame) -> NDArray[np.float64]:
    """Return how much of its ends' traffic goes by the place, on whatever lane."""
    edge = codes(ships, ["site_from", "site_to"])
    sites = int(ships[["site_from", "site_to"]].to_numpy().max(initial=-1)) + 1
    often = np.bincount(edge)[edge]
    leaving = np.bincount(ships["site_from"], minlength=sites)
    coming = np.bincount(ships["site_to"], minlength=sites)
    into, out = through["into"].to_numpy(), through["out"].to_numpy()
    first = (often[into] - 1) / np.maximum(leaving[through["a"]] - 1, 1)
    second = (often[out] - 1) / np.maximum(coming[through["b"]] - 1, 1)
    return np.asarray(np.maximum(first, second), np.float64)


def _usual(every: pd.DataFrame, through: pd.DataFrame) -> NDArray[np.float64]:
    """Return the middle of the lane's other ways; the straight line counts as one more of them."""
    ways = every.groupby("by_way").agg(lane=("lane", "first"), way=("way", "first"))
    ways["n"] = every.groupby("by_way").size()
    ways = ways.reset_index()
    pairs = ways[["by_way", "lane"]].merge(ways, on="lane", suffixes=("", "_other"))
    pairs = pairs[(pairs["by_way"] != pairs["by_way_other"]) & pairs["way"].notna()]
    pairs = pairs.sort_values(["by_way", "way", "by_way_other"])
    half = pairs.groupby("by_way")["n"].transform("sum") / 2
    middle = pairs[pairs.groupby("by_way")["n"].cumsum() >= half].drop_duplicates("by_way")
    own = every["by_way"].to_numpy()[: len(through)]
    found = middle.set_index("by_way")["way"].reindex(own).to_numpy()
    straight, n = STRAIGHT * through["straight"].to_numpy(), through["others"].to_numpy()
    return np.where(np.isnan(found), straight, (n * np.nan_to_num(found) + straight) / (n + 1))


def _account(row: Mapping[str, Any], threshold: float) -> Account:
    usual = row["usual"]
    high = (usual + ADDED_KM) * np.exp(threshold * SPREAD) - ADDED_KM
    others = int(row["others"])
    ways = f"{others} other ways of goods on the lane" if others else "the straight line"
    return Account(
        evidence=(int(row["other"]),),
        observed=Measure("way of the goods", row["way"], "km"),
        expected=Expected(row["straight"], high, "km"),
        peer_group=PeerGroup(f"ways from {row['start']} to {row['end']}", others),
        sentence=(
            f"Goods from {row['start']} to {row['end']} went by {row['via']}: "
            f"{plain(row['way'])} km, where {plain(usual)} km are usual by {ways}, and "
            f"{row['via']} is hardly ever on that way."
        ),
        counterfactual=(
            f"The flag would disappear if the way had been at most {plain(high)} km long, or if "
            f"{row['via']} were a usual stop between the two."
        ),
        benign=(
            Benign("a closure or diversion that others met too", "ruled out"),
            Benign("a hub where goods of the lane are usually put together", "ruled out"),
            Benign("goods sold on by a firm that had got them", "ruled out"),
            Benign("storage or inspection ordered on the way", "not checked"),
        ),
        caveat="It does not say what was done with the goods on the way, if anything was.",
    )
