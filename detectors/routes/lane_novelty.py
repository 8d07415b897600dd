"""Lane novelty: a load or two to a partner with whom there is no history, before or after.

Where firms trade with each other they do so again. How soon follows from the shipper's other
lanes; how probable it is that a lane is silent ever after, times how few honest lanes
join firms as unlike, is the p-value. A partner who stays is new, not strange: nothing is
judged before there was time to come back. Returns go a known lane backwards. With whom a
shipper has traded from its beginning on, who is hardly ever strange, does not count against
those who came later.

Next: detectors/routes/route_detour.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Account, Benign, Expected, Measure, PeerGroup
from detectors.chances import deviate
from detectors.columns import codes, texts
from detectors.custody import DAY_US
from detectors.routes.journeys import passes, reached, shipments_of_lots
from detectors.routes.likeness import USUAL, akin, as_strange, newness, strangeness
from detectors.routes.papers import consignments
from detectors.routes.silence import (
    ONE_LOAD_DAYS,
    OTHERS,
    RARE,
    SHIPPER_SIZE,
    WAIT_DAYS,
    loads_of,
    rates,
    silence,
)
from detectors.routes.statistical import Statistical
from detectors.rules import a_or_an, not_judged, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Abstention, Case
    from detectors.features import Features

__all__ = ["LaneNovelty"]

_FARTHEST: Final = 37.0
_TINY: Final = 1e-300
_TOGETHER_DAYS: Final = 45
_LATER: Final = "partners who came later"
"""After the shipper had traded for `WAIT_DAYS` without them."""


class LaneNovelty(Statistical):
    """Do the two firms trade with each other, or only this once?"""

    name: Final = "lane_novelty"
    type: Final = "lane_novelty"
    version: Final = "7"
    side = "upper"
    strata = (_LATER,)
    min_samples = 3
    by_quarter = False
    reads: Final = (
        "event/1 /bill_of_lading",
        "event/1 /event_time",
        "event/1 /from_facility_id",
        "event/1 /items",
        "event/1 /shipment_id",
        "event/1 /to_facility_id",
        "facility/1 /country",
        "facility/1 /facility_type",
    )
    constants: ClassVar[Mapping[str, float | int | str]] = {
        "wait_days": WAIT_DAYS,
        "one_load_days": ONE_LOAD_DAYS,
        "shipper_size": SHIPPER_SIZE,
        "lanes_of_other_kinds": OTHERS,
        "usual_loads": USUAL,
        "rare_loads": RARE,
        "together_days": _TOGETHER_DAYS,
    }

    def cases(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take every shipment that left its consignor; those with time for another are judged."""
        ships = shipments_of_lots(shared)
        sent = consignments(shared)
        sent = sent[np.isin(sent["position"], ships["position"])].reset_index(drop=True)
        row = ships.set_index("position").loc[sent["position"]]
        rows = shared.rows
        own = rows[["event_id", "party", "index", "shipper"]].iloc[sent["position"].to_numpy()]
        table = pd.DataFrame(
            {
                "subject_id": own["event_id"].to_numpy(),
                "subject_party": own["party"].to_numpy(),
                "index": own["index"].to_numpy(),
                "last_index": rows["index"].to_numpy()[sent["last"]],
                "at": row["at"].to_numpy(),
                "shipper": own["shipper"].to_numpy(),
                "to_site": _addressee(shared, sent),
                "maker": sent["source"],
                "target": sent["target"],
                "lane": codes(sent, ["source", "target"]),
                "known": _known(shared, ships, sent),
                "passing": _passing(ships, sent),
                "held": _made_there(shared, row),
            }
        )
        table = table.assign(**_firms(shared, table))
        young = table["at"] > shared.last_time - WAIT_DAYS * DAY_US
        reasons = {"too young to say whether another follows": table["subject_id"][young]}
        table = table.assign(judged=~young, end=shared.last_time)
        return table, not_judged(self.name, reasons)

    def standing(self, window: pd.DataFrame) -> pd.DataFrame:
        """Return how improbable it is that a lane of this shipper is silent, between such firms."""
        lanes = _lanes(window)
        of = lanes.index.get_indexer(pd.Index(window["lane"]))
        loads = lanes["loads"].to_numpy()[of]
        # Whether firms know each other is no matter of silence: then there is no question.
        asked = ~(window["known"] | window["passing"]) & window["held"] & window["judged"]
        asked &= ~window["subject_id"].where(asked).duplicated()
        # What came again lately may be the beginning of a trade.
        over = window.groupby("lane")["judged"].transform("all") & (loads <= RARE)
        once = (over | (loads >= USUAL)) & ~window["lane"].where(asked).duplicated()
        asked &= (loads == 1) | once
        ordinary = (loads > RARE) | lanes["together"].to_numpy()[of]
        p = np.where(
            ordinary, np.maximum(lanes["p"].to_numpy()[of], _ORDINARY), lanes["p"].iloc[of]
        )
        found = {
            name: lanes[name].to_numpy()[of] for name in ("expected", "akin", "silent", "like")
        }
        return pd.DataFrame(
            {
                "z": _deviate(p),
                "loads": loads,
                "again": window.groupby("lane")["last_index"].transform("last").to_numpy(),
                **found,
                "usual": int((lanes["loads"] >= USUAL).sum()),
                "peers": window.groupby("maker")["lane"].transform("size").to_numpy(),
                "judged": asked.to_numpy(bool),
                "stratum": _strata(window),
            }
        )

    def deviates(
        self, z: NDArray[np.float64], _explained: NDArray[np.bool_] | None = None, /
    ) -> NDArray[np.float64]:
        """The model of the lanes is the null; there is nothing left to fit."""
        return np.clip(z, -_FARTHEST, _FARTHEST)

    def explain(self, case: Case) -> Account:
        """Say who sent to whom, how often that happens, and between whom."""
        return _account(case.row)


_ORDINARY: Final = 0.5


def _lanes(window: pd.DataFrame) -> pd.DataFrame:
    """Describe each lane, and how improbable it would be as an honest one of a single load."""
    end = int(window["end"].iloc[0])
    first = window.drop_duplicates("lane").set_index("lane")
    lanes = first[["maker", "target", "kind_from", "kind_to", "border"]].join(loads_of(window))
    for name in ("kind_from", "kind_to", "border"):
        lanes[name] = pd.factorize(lanes[name])[0]
    days = ((end - lanes["first"]) / DAY_US).clip(lower=0.0)
    kind = lanes["kind_from"].to_numpy()
    expected = rates(window, lanes, kind, end) * days.to_numpy()
    loads = lanes["loads"].to_numpy()
    ruled_out = window["known"] | window["passing"] | ~window["held"]
    counts = ~lanes.index.isin(window["lane"][ruled_out])
    silent = silence(np.where(counts, loads, 1), expected, kind)
    like = _unlike(lanes, loads > 1)
    return lanes.assign(
        expected=expected,
        silent=silent,
        like=like,
        p=silent * like,
        akin=akin(lanes),
        together=_together(lanes),
    )


def _strata(window: pd.DataFrame) -> NDArray[np.object_]:
    """Tell partners who came after their shipper had traded for a while from its first ones."""
    opened, began = (window.groupby(one)["at"].transform("min") for one in ("lane", "maker"))
    return np.where(opened - began >= WAIT_DAYS * DAY_US, _LATER, "").astype(object)


def _unlike(lanes: pd.DataFrame, repeated: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the share of honest lanes that join firms as unlike, or one as new, as each does."""
    unlike, new = (as_strange(told(lanes), repeated) for told in (strangeness, newness))
    return as_strange(-np.minimum(unlike, new), repeated)


def _together(lanes: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark rare lanes of a shipper that opened several at once, to firms that others supply, too.

    That is what a closure looks like: its goods go to those who can take them.
    """
    rare = np.flatnonzero((lanes["loads"] < USUAL) & (newness(lanes) == 0))
    maker, first = lanes["maker"].to_numpy()[rare], lanes["first"].to_numpy()[rare]
    order = np.lexsort((lanes.index.to_numpy()[rare], first, maker))
    maker, first = maker[order], first[order]
    near = (maker[2:] == maker[:-2]) & (first[2:] - first[:-2] <= _TOGETHER_DAYS * DAY_US)
    marked = np.zeros(len(rare), bool)
    for step in range(min(3, len(rare))):
        marked[step : step + len(near)] |= near
    found = np.zeros(len(lanes), bool)
    found[rare[order]] = marked
    return found


def _firms(shared: Features, table: pd.DataFrame) -> dict[str, Any]:
    """Return what kind of firms the ends are, and whether a border lies between; "" is unknown."""
    sites = shared.frames.facilities.sort_values("index", kind="stable")
    name = texts(sites, "facility_id")
    first = ~name.duplicated().to_numpy() & name.notna().to_numpy()
    found: dict[str, Any] = {}
    for column, called in (("facility_type", "kind"), ("country", "country")):
        what = texts(sites, column).str.strip().str.lower().fillna("")
        by_name = dict(zip(name[first], what[first], strict=True))
        for end, of in (("from", "shipper"), ("to", "to_site")):
            number, values = pd.factorize(table[of])
            told = [by_name.get(value, "") for value in values]
            found[f"{called}_{end}"] = np.array([*told, ""], object)[number]
    one, other = found.pop("country_from"), found.pop("country_to")
    border = np.where(one == other, "no", "yes")
    return found | {"border": np.where((one == "") | (other == ""), "", border)}


def _addressee(shared: Features, sent: pd.DataFrame) -> Any:
    """Return the names of the consignees."""
    number, name = (shared.rows[column] for column in ("to_site_number", "to_site"))
    named = ~number.duplicated().to_numpy() & (number >= 0).to_numpy()
    by_number = pd.Series(name[named].to_numpy(object), number[named].to_numpy())
    return by_number.reindex(sent["target"]).to_numpy()


def _known(shared: Features, ships: pd.DataFrame, sent: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark lanes between firms who know each other otherwise.

    Goods go back on a lane of several loads, or to where the shipper's come through others' hands.
    """
    rows, place = shared.rows, ships["position"].to_numpy()
    ends = (rows[name].to_numpy()[place] for name in ("shipper_number", "to_site_number"))
    number = np.zeros(int(ships[["site_from", "site_to"]].to_numpy().max(initial=-1)) + 1, np.int64)
    for own, whole in zip(("site_from", "site_to"), ends, strict=True):
        number[ships[own].to_numpy()] = whole
    through = reached(ships)
    parts = [
        pd.DataFrame({"a": number[ships["site_from"]], "b": number[ships["site_to"]], "loads": 1}),
        pd.DataFrame({"a": number[through["a"]], "b": number[through["b"]]}).assign(
            loads=through["loads"]
        ),
        pd.DataFrame({"a": sent["source"], "b": sent["target"], "loads": 1}),
    ]
    known = np.zeros(len(sent), bool)
    back = pd.MultiIndex.from_frame(sent[["target", "source"]])
    for part in parts:
        often = part.groupby(["a", "b"])["loads"].sum()
        known |= often.reindex(back).fillna(0).to_numpy() > 1
    return known


def _made_there(shared: Features, ships: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which shipments left a site that got the lot in any way: a gap is another question."""
    flows = shared.flows
    came = flows.loc[flows["sign"] > 0, ["lot", "holder"]].drop_duplicates()
    pairs = pd.MultiIndex.from_arrays([ships["lot"], ships["shipper"]])
    brought = ships["before"].to_numpy() >= 0
    return np.array(brought | pairs.isin(pd.MultiIndex.from_frame(came)), bool)


def _passing(ships: pd.DataFrame, sent: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark both legs of a passage between firms that trade with each other otherwise.

    Both legs are rare and the ends belong together: a way, not a partner, is new.
    """
    through = passes(ships)
    lane = codes(ships, ["site_from", "site_to"])
    often = np.bincount(lane)[lane]
    ends = pd.MultiIndex.from_frame(through[["a", "b"]])
    direct = pd.MultiIndex.from_frame(ships[["site_from", "site_to"]])
    rare = (often[through["into"]] < USUAL) & (often[through["out"]] < USUAL)
    usual = ends.isin(direct) | ends.isin(ends[~rare])
    both = through[rare & usual]
    marked = ships["position"].to_numpy()[np.append(both["into"], both["out"])]
    return np.isin(sent["position"], marked)


def _deviate(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.clip(deviate(np.maximum(p, _TINY)), -_FARTHEST, _FARTHEST))


def _account(row: Mapping[str, Any]) -> Account:
    loads = int(row["loads"])
    times = {1: "once", 2: "twice"}.get(loads, f"{loads} times")
    expected = row["expected"]
    kinds = [a_or_an(row[f"kind_{end}"] or "firm") for end in ("from", "to")]
    akin = {0: "none goes", 1: "one other goes"}.get(
        int(row["akin"]), f"{int(row['akin'])} others go"
    )
    return Account(
        evidence=tuple(dict.fromkeys((int(row["last_index"]), int(row["again"])))),
        observed=Measure("loads on the lane", float(loads), "loads"),
        expected=Expected(1 + expected / 4, None, "loads"),
        peer_group=PeerGroup(f"shipments of {row['shipper']}", int(row["peers"])),
        sentence=(
            f"{row['shipper']} sent goods to {row['to_site']} {times} in the record; on "
            f"its usual lanes about {plain(1 + expected)} loads would have gone in that time. Of "
            f"the {int(row['usual'])} lanes of usual trade, {akin} from {kinds[0]} to {kinds[1]}."
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
