"""Phantom shipment: papers of a movement that no goods can have made.

Four signs: a lot that nothing shows being made or arriving, at a shipper whose
lots otherwise all have a history; a maker that ships more of a lot than it
made; anybody who ships once more, to the same addressee, what had come and had
all left before; a bill of lading that was used before, for other goods on another
day.
The ship and its receipt carry the flag.

Next: detectors/routes/journeys.py
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
from detectors.columns import at
from detectors.custody import (
    DAY_US,
    LATE_DAYS,
    MOVED,
    sent_again,
    shortfalls,
    unreceived_parts,
)
from detectors.features import CLOCK_HOURS
from detectors.goods.exactness import LEAST_GAIN, TOLERANCE, holdings
from detectors.goods.excused import excused_ships
from detectors.goods.histories import (
    KNOWN_LOTS,
    KNOWN_SHARE,
    LOST_SHARE,
    MADE,
    OPENING_LOTS,
    OPENING_SHARE,
    from_before,
    lot_ships,
    without_history,
)
from detectors.goods.pauses import PAUSE_DAYS, UNLIKE
from detectors.goods.surplus import explained
from detectors.legs import HOUR_US
from detectors.partition import Apart
from detectors.past import LEAST_QUARTERS, past
from detectors.placeholders import named
from detectors.rules import beyond_limit, much, not_judged, plain, unit_in_words
from detectors.units import unit_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Decisions
    from detectors.features import Features, Row

__all__ = ["PhantomShipment"]

PAPER_DAYS: Final = 60
"""One bill may cover several legs and lots; so long after, it covers nothing any more."""
REUSED_SHARE: Final = 0.02
"""Where more bills than this are used again, their numbers are not unique."""
_FULL: Final = 2.0
_MOST_EVIDENCE: Final = 100


class PhantomShipment:
    """Were there any goods for these papers?"""

    name: Final = "phantom_shipment"
    type: Final = "phantom_shipment"
    version: Final = "12"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
        "event/1 /bill_of_lading",
        "event/1 /event_time",
        "event/1 /facility_id",
        "event/1 /from_facility_id",
        "event/1 /items",
        "event/1 /shipment_id",
        "event/1 /to_facility_id",
        "product/1 /unit",
    )
    parameters: Final[Mapping[str, float | int | str]] = {
        "tolerance_share": TOLERANCE,
        "least_gain_share": LEAST_GAIN,
        "known_share": KNOWN_SHARE,
        "known_lots": KNOWN_LOTS,
        "lost_share": LOST_SHARE,
        "pause_days": PAUSE_DAYS,
        "pause_unlike_others": UNLIKE,
        "opening_lots": OPENING_LOTS,
        "opening_share": OPENING_SHARE,
        "paper_days": PAPER_DAYS,
        "reused_share": REUSED_SHARE,
        "late_scan_days": LATE_DAYS,
        "quarters_of_a_custom": LEAST_QUARTERS,
    }
    libraries: Final = ("numpy", "pandas")
    apart: Final = Apart()

    def features(self, shared: Features) -> Sample:
        """Collect the ships of lots, with what speaks against each, and their receipts."""
        rows, ships = shared.rows, lot_ships(shared)
        unknown, left_out = without_history(shared, ships)
        over, held, again = _more_than_there(shared, ships)
        lacks = np.nan_to_num(over * ships["amount"].to_numpy(np.float64))
        slips = excused_ships(shared, ships, lacks, unknown | (over > 0))
        left_out |= {f"explained by {slip}": marked for slip, marked in slips.items()}
        plainly = ~np.any(list(slips.values()), axis=0)
        over, again, unknown = np.where(plainly, over, 0.0), again & plainly, unknown & plainly
        paper, earlier = _used_paper(shared, ships)
        degree = np.select([unknown, over > 0, paper], [_FULL, 1 + np.minimum(over, 1), 1.5], 0.0)
        sign = np.select(
            [unknown, again, over > 0, paper], ["history", "again", "made", "paper"], ""
        )
        table = pd.DataFrame(
            {
                "position": ships.index.to_numpy(),
                "ship": ships.index.to_numpy(),
                "degree": degree,
                "sign": sign,
                "held": held,
                "earlier": earlier,
            }
        )
        table = _with_receipts(shared, table)
        position = table["position"].to_numpy()
        table = table.assign(
            subject_id=at(rows["event_id"], position),
            subject_party=at(rows["party"], position),
            index=rows["index"].to_numpy()[position],
        )
        reasons = {reason: ships["event_id"][which] for reason, which in left_out.items()}
        return Sample(table, not_judged(self.name, reasons))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure the share for which there were no goods: 1 at the limit, 2 for all of it."""
        return sample.table["degree"].to_numpy(np.float64)

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what cannot have had goods."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say what is missing behind the papers."""
        return _account(case)


def _more_than_there(
    shared: Features, ships: pd.DataFrame
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the share of each ship for which its shipper had nothing, and what it had left.

    Asked are makers, and whoever got a lot and sends the same addressee once more what has all
    left; those ships are marked.
    """
    flows = shared.flows
    made = flows.loc[flows["kind"].isin(MADE), "stock"].unique()
    parts = unreceived_parts(shared.rows, shared.consignments)
    every = pd.concat([flows[MOVED], shared.unreceived[MOVED], parts[MOVED]], ignore_index=True)
    tolerance = shared.once(holdings)
    # What was sent back to its maker may be there again, scanned in or not.
    at_maker = _reconciled(every[every["stock"].isin(made)], tolerance)
    passed_on = _reconciled(every[every["stock"].isin(_overdrawn(every, made))], tolerance)
    passed_on = passed_on[sent_again(passed_on, shared.rows)]
    both = pd.concat([at_maker.assign(again=False), passed_on.assign(again=True)])
    short = both.set_index("position")[["short", "held", "again"]].reindex(ships.index)
    with np.errstate(invalid="ignore"):
        share = short["short"].to_numpy(np.float64) / ships["amount"].to_numpy()
    again = (short["again"] == 1).to_numpy()
    share[again & from_before(shared, ships.index.to_numpy(np.int64))] = 0.0
    return np.nan_to_num(share), short["held"].to_numpy(np.float64), again


def _reconciled(flows: pd.DataFrame, tolerance: NDArray[np.float64]) -> pd.DataFrame:
    short = shortfalls(
        flows,
        tolerance=tolerance[flows["lot"].to_numpy()],
        clock_us=int(CLOCK_HOURS * HOUR_US),
        early_us=LATE_DAYS * DAY_US,
    )
    short = explained(short, flows, tolerance, LATE_DAYS * DAY_US)
    return short[short["known"]]


def _overdrawn(flows: pd.DataFrame, made: NDArray[np.int64]) -> NDArray[np.int64]:
    """List the lots at sites, makers apart, of which more left than ever came."""
    number, places = pd.factorize(flows["stock"])
    signed = flows["sign"].to_numpy() * flows["amount"].to_numpy(np.float64)
    below = np.bincount(number, signed, len(places)) < 0
    return np.setdiff1d(np.asarray(places, np.int64)[below], made)


def _used_paper(
    shared: Features, ships: pd.DataFrame
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Mark ships under a bill that other lots travelled under long before, and name that ship."""
    marked, earlier = np.zeros(len(ships), bool), np.full(len(ships), -1)
    if shared.yardstick(has_unique_bills):
        reused, _ = _reused(shared, ships)
        where = ships.index.get_indexer(pd.Index(reused["position"]))
        marked[where], earlier[where] = True, reused["position_first"].to_numpy()
    return marked, earlier


@past
def has_unique_bills(shared: Features) -> bool:
    """Tell whether bills of lading are used again so seldom that it means something."""
    reused, bills = _reused(shared, lot_ships(shared))
    return bool(reused["group"].nunique() <= max(REUSED_SHARE * bills, 1))


def _reused(shared: Features, ships: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """List ships under a bill of other lots long before; return how many bills there are, too."""
    events = shared.frames.events
    bills = pd.Series(named(events, "bill_of_lading").to_numpy(), index=events["index"].to_numpy())
    bills = bills[~bills.index.duplicated()]
    entry = bills.index.get_indexer(pd.Index(ships["index"]))
    table = ships[["at", "index", "lot"]].assign(bill=at(bills, entry), position=ships.index)
    table = table[table["bill"].notna()].sort_values(["at", "index"], kind="stable")
    table["group"] = table.groupby(["bill"], sort=False).ngroup()
    first = table.drop_duplicates("group").set_index("group")[["at", "position", "lot"]]
    since = table.join(first.add_suffix("_first"), on="group")
    later = since["at"] - since["at_first"] > PAPER_DAYS * DAY_US
    same_lot = since.duplicated(["group", "lot"])
    return since[later & ~same_lot & (since["lot"] != since["lot_first"])], len(first)


def _with_receipts(shared: Features, table: pd.DataFrame) -> pd.DataFrame:
    """Add the receipts of each ship; they say what the ship says."""
    legs = shared.legs[["ship", "receive"]]
    received = table.drop(columns="position").merge(legs, on="ship")
    received = received.rename(columns={"receive": "position"})
    return pd.concat([table, received[table.columns]], ignore_index=True)


def _account(case: Case) -> Account:
    row, shared = case.row, case.shared
    ship, first = shared.row(int(row["ship"])), shared.row(int(row["earlier"]))
    unit = unit_of(int(ship["product"]), ship["quantity_unit"], shared.products)
    sentence, remedy, observed, expected = _words(row, ship, first, unit)
    lot = list(dict.fromkeys(shared.flows_of(int(ship["lot"])).entry.tolist()))[:_MOST_EVIDENCE]
    earlier = [int(first["index"])] if row["earlier"] >= 0 else []
    return Account(
        evidence=tuple(sorted({int(ship["index"]), *lot, *earlier})),
        observed=observed,
        expected=expected,
        sentence=sentence,
        counterfactual=f"The flag would disappear if {remedy}.",
        benign=(
            Benign("a shipper whose lots are made outside the record", "ruled out"),
            Benign("an arrival that was scanned late", "ruled out"),
            Benign("a making that nobody recorded", "possible"),
            Benign("one shipment recorded twice under two numbers", "possible"),
        ),
        caveat=(
            "It does not say that no goods moved: the record of making or receiving them may be "
            "what is missing."
        ),
    )


def _words(
    row: Mapping[str, Any], ship: Row, first: Row, unit: object
) -> tuple[str, str, Measure, Expected]:
    amount = 0.0 if np.isnan(ship["amount"]) else float(ship["amount"])
    goods = f"{much(amount, unit)} of lot {ship['lot_id']} of {ship['product_id']}"
    shipped = Measure("quantity shipped", amount, unit_in_words(unit))
    if row["sign"] == "history":
        text = f"{goods} left {ship['shipper']}, but nothing shows that it was made or ever came"
        remedy = "an event showed how the lot was made, or how it came to the shipper"
        return f"{text} there.", remedy, shipped, Expected(0.0, 0.0, unit_in_words(unit))
    if row["sign"] == "again":
        text = (
            f"{goods} left {ship['shipper']} for {ship['to_site']}, though all that ever came of "
            f"it had left before, to {ship['to_site']} too"
        )
        remedy = f"an event showed how {much(amount, unit)} more of it came to the shipper"
        return f"{text}.", remedy, shipped, Expected(0.0, 0.0, unit_in_words(unit))
    if row["sign"] == "made":
        held = float(row["held"])
        rest, more = much(held, unit), much(max(amount - held, 0.0), unit)
        text = f"{goods} left {ship['shipper']}, which had {rest} left of what it made of it"
        remedy = f"{more} more had been made, or that much less shipped"
        return f"{text}.", remedy, shipped, Expected(0.0, held, unit_in_words(unit))
    days = (ship["at"] - first["at"]) / DAY_US
    text = (
        f"{goods} left {ship['shipper']} under a bill of lading that lot {first['lot_id']} of "
        f"{first['product_id']} had travelled under {plain(days)} days before"
    )
    remedy = "the shipment had a bill of its own"
    age = Measure("age of the bill of lading", float(days), "days")
    return f"{text}.", remedy, age, Expected(0.0, float(PAPER_DAYS), "days")
