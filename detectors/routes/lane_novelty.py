"""Lane novelty: one load to or from a partner with whom there is no history, before or after.

Where firms trade with each other they do so again. How soon follows from the
shipper's other lanes; how probable it is that a lane of this kind is silent
ever after is the p-value. A partner who stays is new, not strange: nothing is
judged before there was time to come back. Returns go a known lane backwards.

Next: detectors/routes/route_detour.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Account, Benign, Expected, Measure, PeerGroup
from detectors.columns import codes
from detectors.custody import DAY_US
from detectors.routes.journeys import passes, reached, shipments_of_lots, tops
from detectors.routes.silence import (
    LEAST_SHAPE,
    MOST_SHAPE,
    ONE_LOAD_DAYS,
    SHIPPER_SIZE,
    WAIT_DAYS,
    among_all,
    how_seldom,
    loads_of,
    rates,
    shape_of,
    silence,
)
from detectors.routes.statistical import Statistical
from detectors.rules import not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case
    from detectors.features import Features

__all__ = ["LaneNovelty"]

_FARTHEST: Final = 37.0


class LaneNovelty(Statistical):
    """Do the two firms trade with each other, or only this once?"""

    name: Final = "lane_novelty"
    type: Final = "lane_novelty"
    version: Final = "3"
    side = "upper"
    min_samples = 3
    by_quarter = False
    reads: Final = (
        "event/1 /event_time",
        "event/1 /from_facility_id",
        "event/1 /items",
        "event/1 /to_facility_id",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "wait_days": WAIT_DAYS,
        "one_load_days": ONE_LOAD_DAYS,
        "shipper_size": SHIPPER_SIZE,
        "least_shape": LEAST_SHAPE,
        "most_shape": MOST_SHAPE,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every shipment; those with time for another one are judged.

        The consignment's first shipment speaks for it.
        """
        ships = shipments_of_lots(shared)
        top = tops(ships)
        sent = shared.rows.iloc[ships["position"].to_numpy()[top]]
        table = pd.DataFrame(
            {
                "subject_id": sent["event_id"].to_numpy(),
                "subject_party": sent["party"].to_numpy(),
                "index": sent["index"].to_numpy(),
                "own_index": ships["index"],
                "sent": ships["at"],
                "shipper": ships["shipper"],
                "to_site": ships["to_site"],
                "maker": ships["site_from"],
                "target": ships["site_to"],
                "lane": codes(ships, ["site_from", "site_to"]),
                "known": _known(ships, top),
                "held": (ships["before"] >= 0) | _made_there(shared, ships),
            }
        )
        table["passing"] = _passing(table, ships)
        young = table["sent"] > shared.last_time - WAIT_DAYS * DAY_US
        reasons = {"too young to say whether another follows": table["subject_id"][young]}
        table = table.assign(at=table["sent"], judged=~young, end=shared.last_time)
        return table, not_judged(self.name, reasons)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Return how improbable it is that so few loads followed on a lane of this shipper."""
        end = int(window["end"].iloc[0])
        loads = loads_of(window)
        typical, shape = rates(window, loads, end)
        count, first = (window["lane"].map(loads[name]) for name in ("loads", "first"))
        days = (end - first).to_numpy() / DAY_US
        expected = window["maker"].map(typical).to_numpy() * np.maximum(days, 0.0)
        p = silence(count.to_numpy(np.float64) - 1, expected, shape)
        p = _with_partner(p, window, end)
        together = _together(window, count.to_numpy(), first.to_numpy())
        innocent = (count.to_numpy() > 1) | together
        # Whether firms know each other is no matter of silence: then there is no question.
        asked = ~(window["known"] | window["passing"]) & window["held"].astype(bool)
        size = window.groupby("maker")["lane"].transform("size").to_numpy()
        asked &= window["judged"]
        lanes = (asked & ~together & ~window["lane"].where(asked).duplicated()).to_numpy(bool)
        silent = silence(np.zeros(len(window)), expected, shape)
        seldom = how_seldom(count.to_numpy()[lanes], expected[lanes], shape)
        asked &= _spokesmen(window, count.to_numpy())
        asked &= (count > 1) | _least_likely(window["subject_id"].where(asked), p)
        p = among_all(p, np.where(innocent, silent, p)[lanes], seldom)
        return pd.DataFrame(
            {
                "z": _deviate(np.where(innocent, np.maximum(p, _ORDINARY), p)),
                "loads": count.to_numpy(),
                "expected": expected,
                "peers": size,
                "judged": asked.to_numpy(bool),
            }
        )

    def deviates(
        self, z: NDArray[np.float64], _explained: NDArray[np.bool_] | None = None, /
    ) -> NDArray[np.float64]:
        """The model of the lanes is the null; there is nothing left to fit."""
        return np.clip(z, -_FARTHEST, _FARTHEST)

    def explain(self, case: Case) -> Account:
        """Say who sent to whom, and how often that happens."""
        return _account(case.row)


def _spokesmen(window: pd.DataFrame, loads: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark what stands for each lane: the shipments of its only load, the first of a usual one.

    The lane is what is judged; a hundred shipments on it are not a hundred questions. A lane of
    two or three loads is no lane of one, nor a usual one; the next loads will show.
    """
    return np.asarray((loads == 1) | ((loads >= _RARE) & ~window["lane"].duplicated()), bool)


def _together(
    window: pd.DataFrame, loads: NDArray[np.int64], first: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Mark rare lanes of a shipper that opened several at once: a diversion, a closure."""
    lanes = pd.DataFrame(
        {"maker": window["maker"].to_numpy(), "lane": window["lane"].to_numpy(), "first": first}
    )[loads <= _RARE - 1].drop_duplicates("lane")
    lanes = lanes.sort_values(["maker", "first", "lane"], kind="stable")
    maker, opened = lanes["maker"].to_numpy(), lanes["first"].to_numpy()
    near = (maker[2:] == maker[:-2]) & (opened[2:] - opened[:-2] <= _TOGETHER_DAYS * DAY_US)
    marked = np.zeros(len(lanes), bool)
    for step in range(min(3, len(lanes))):
        marked[step : step + len(near)] |= near
    return np.asarray(window["lane"].isin(lanes["lane"][marked]), bool)


_TOGETHER_DAYS: Final = 45


def _known(ships: pd.DataFrame, top: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark lanes between firms who know each other otherwise.

    Goods go back on a lane of several loads, or to where the shipper's come through others' hands;
    or the two ends of the consignment are those of others too, on another way.
    """
    lanes = ships.groupby(["site_from", "site_to"]).size()
    through = reached(ships).set_index(["a", "b"])["loads"]
    source, target = ships["site_from"].to_numpy(), ships["site_to"].to_numpy()
    back = pd.MultiIndex.from_arrays([target, source])
    known = lanes.reindex(back).fillna(0).to_numpy() > 1
    known |= through.reindex(back).fillna(0).to_numpy() > 1
    last = np.zeros(len(ships), np.int64)
    np.maximum.at(last, top, np.arange(len(ships)))
    ends = pd.DataFrame({"a": source[top], "b": target[last[top]]})
    ends["week"] = ships["at"].to_numpy()[top] // (ONE_LOAD_DAYS * DAY_US)
    ends["pair"], ends["lane"] = codes(ends, ["a", "b"]), codes(ships, ["site_from", "site_to"])
    ends["by_lane"] = codes(ends, ["pair", "lane"])
    loads, own = (
        np.bincount(ends.drop_duplicates([name, "week"])[name])[ends[name]]
        for name in ("pair", "by_lane")
    )
    return np.asarray(known | (loads - own > _OTHERWISE), bool)


_OTHERWISE: Final = 1


def _made_there(shared: Features, ships: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which shipments left a site that got the lot in any way: a gap is another question."""
    flows = shared.flows
    came = flows.loc[flows["sign"] > 0, ["lot", "holder"]].drop_duplicates()
    pairs = pd.MultiIndex.from_arrays([ships["lot"], ships["shipper"]])
    return np.array(pairs.isin(pd.MultiIndex.from_frame(came)), bool)


def _passing(table: pd.DataFrame, ships: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the two legs of a passage between firms that trade with each other otherwise.

    Both legs are rare and the ends belong together: a way, not a partner, is new.
    """
    through = passes(ships)
    often = table["lane"].map(table["lane"].value_counts()).to_numpy()
    ends = pd.MultiIndex.from_frame(through[["a", "b"]])
    direct = pd.MultiIndex.from_frame(ships[["site_from", "site_to"]])
    rare = (often[through["into"]] <= _RARE) & (often[through["out"]] <= _RARE)
    usual = ends.isin(direct) | ends.isin(ends[~rare])
    marked = np.zeros(len(table), bool)
    both = through[rare & usual]
    marked[both["into"]] = marked[both["out"]] = True
    return marked


_RARE: Final = 3


def _least_likely(subject: pd.Series, p: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark one shipment of each consignment: several new legs on its way are one question."""
    order = np.argsort(p, kind="stable")
    marked = np.zeros(len(p), bool)
    marked[order] = ~subject.iloc[order].duplicated().to_numpy()
    return marked


def _with_partner(p: NDArray[np.float64], window: pd.DataFrame, end: int) -> NDArray[np.float64]:
    """Add what the addressee's silence says, where nobody else ever sent it anything either.

    Both are tests of "this is how firms trade here"; Fisher's method joins them.
    """
    from scipy import stats  # noqa: PLC0415 - as above

    loads = loads_of(window.assign(lane=window["target"]))
    days = ((end - loads["first"]) / DAY_US).clip(lower=float(WAIT_DAYS))
    rate = pd.Series(np.log(loads["loads"] / days))
    expected = (np.exp(rate.median()) * days).to_numpy()
    shape = shape_of(loads["loads"].to_numpy(np.float64), expected)
    silent = pd.Series(silence(loads["loads"].to_numpy() - 1.0, expected, shape), loads.index)
    other = window["target"].map(silent.where(loads["loads"] <= _RARE - 1)).to_numpy(np.float64)
    joined = stats.chi2.sf(
        -2 * (np.log(np.maximum(p, _TINY)) + np.log(np.maximum(other, _TINY))), 4
    )
    return np.where(np.isnan(other), p, np.minimum(joined, p))


_TINY: Final = 1e-300
_ORDINARY: Final = 0.5


def _deviate(p: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy import stats  # noqa: PLC0415 - as above

    return np.asarray(np.clip(stats.norm.isf(p), -_FARTHEST, _FARTHEST))


def _account(row: Mapping[str, Any]) -> Account:
    loads = int(row["loads"])
    times = "once" if loads == 1 else f"{loads} times"
    expected = row["expected"]
    return Account(
        evidence=(int(row["own_index"]),),
        observed=Measure("loads on the lane", float(loads), "loads"),
        expected=Expected(1 + expected / 4, None, "loads"),
        peer_group=PeerGroup(f"shipments of {row['shipper']}", int(row["peers"])),
        sentence=(
            f"{row['shipper']} sent goods to {row['to_site']} {times} in the record; on "
            f"its usual lanes about {plain(1 + expected)} loads would have gone in that time."
        ),
        counterfactual=(
            f"The flag would disappear if about {plain(max(expected / 4, 1.0))} more loads "
            "had gone the same way."
        ),
        benign=(
            Benign("a new partner who stays", "ruled out"),
            Benign("goods sent back", "ruled out"),
            Benign("a diversion on the way to a usual addressee", "ruled out"),
            Benign("a trial order, a sample, or a substitute in an emergency", "not checked"),
        ),
        caveat="It does not say that anything is wrong with the partner or the goods.",
    )
