"""Custody gap: goods shipped by somebody who, by the record, did not have them.

Two ways to break custody, each judged per lot and quantity: the shipper never
got the lot (or less than it ships); more or less arrives than left. A receipt
that was simply not scanned looks the same at first, so the record is read
again with every forgotten or late scan supplied: what is whole then is no gap,
ranks below what comes near the limit, and is counted as not judged.

Next: detectors/custody_words.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.base import EvidenceClass, Sample, SubjectKind
from detectors.columns import at
from detectors.custody import (
    DAY_US,
    LATE_DAYS,
    MOVED,
    first_flows,
    sent_again,
    shortfalls,
    stock,
    unreceived_parts,
)
from detectors.custody_words import account
from detectors.features import CLOCK_HOURS
from detectors.goods.clones import clones
from detectors.goods.exactness import ANY, LEAST_GAIN, LEAST_LOSS, TOLERANCE, holdings
from detectors.goods.excused import SLIPS, excused
from detectors.goods.handovers import (
    AT_LIMIT,
    CLOSED_DAYS,
    LOST_DAYS,
    MISCOUNTED,
    UNSCANNED,
    UNSEEN,
    hand_overs,
    lost,
    slips,
    unseen_by_chance,
)
from detectors.goods.histories import NO_HISTORY, usually_without
from detectors.goods.ordinary import counted_ships, is_surprising, miscounts
from detectors.goods.surplus import explained
from detectors.legs import HOUR_US
from detectors.partition import Apart
from detectors.past import LEAST_QUARTERS, past
from detectors.rules import beyond_limit, not_judged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.base import Account, Case, Decisions
    from detectors.features import Features

__all__ = ["CustodyGap", "unseen_is_ordinary"]

_CLOCK_US: Final = int(CLOCK_HOURS * HOUR_US)


class CustodyGap:
    """Did the shipper hold what it shipped, and did the other side get it?"""

    name: Final = "custody_gap"
    type: Final = "custody_gap"
    version: Final = "11"
    evidence_class: Final = EvidenceClass.RULE
    subject_kind: Final = SubjectKind.EVENT
    min_samples: Final = 1
    reads: Final = (
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
        "least_loss_share": LEAST_LOSS,
        "least_gain_share": LEAST_GAIN,
        "clock_tolerance_hours": CLOCK_HOURS,
        "closed_after_days": CLOSED_DAYS,
        "lost_after_days": LOST_DAYS,
        "late_scan_days": LATE_DAYS,
        "quarters_of_a_custom": LEAST_QUARTERS,
    }
    libraries: Final = ("numpy", "pandas")
    apart: Final = Apart(horizon_days=LOST_DAYS)

    def features(self, shared: Features) -> Sample:
        """Reconcile every shipper's holding and every hand-over."""
        held, known = shared.once(_holdings)
        left_out = dict(known)
        if shared.yardstick(unseen_is_ordinary):
            held, left_out = _without_unseen(held, left_out)
        table = pd.concat([held, hand_overs(shared), lost(shared)], ignore_index=True)
        table = excused(shared, table)
        for cause in (UNSCANNED, MISCOUNTED, *SLIPS):
            left_out[f"explained by {cause}"] = table["position"][
                table["benign"] == cause
            ].to_numpy()
        position = table["position"].to_numpy(np.int64)
        table["subject_id"] = at(shared.rows["event_id"], position)
        table["subject_party"] = at(shared.rows["party"], position)
        table["index"] = shared.rows["index"].to_numpy()[position]
        reasons = {reason: shared.rows["event_id"].iloc[at] for reason, at in left_out.items()}
        return Sample(table, not_judged(self.name, reasons))

    def score(self, sample: Sample) -> NDArray[np.float64]:
        """Measure the missing share: 1 at the tolerance, 2 when everything is missing.

        Within the tolerance, how much of that it takes.
        """
        share = sample.table["share"].to_numpy(np.float64)
        return np.asarray(np.where(share > 0, 1 + np.minimum(share, 1), np.maximum(1 + share, 0)))

    def decide(self, sample: Sample, scores: NDArray[np.float64], _level: float) -> Decisions:
        """Flag what is beyond the tolerance."""
        return beyond_limit(sample, scores)

    def explain(self, case: Case) -> Account:
        """Say who had what, and what is missing."""
        return account(case)


def _holdings(shared: Features) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """Judge each ship row: did the shipper hold the lot?"""
    flows, rows = shared.flows, shared.rows
    tolerance = shared.once(holdings)
    recorded = _short(flows, shared, tolerance)
    parts = unreceived_parts(rows, shared.consignments)
    # What a shop sold may have been brought back, too.
    kept = flows.loc[(flows["kind"] != "sell").to_numpy(), MOVED]
    every = pd.concat([kept, shared.unreceived[MOVED], parts[MOVED]], ignore_index=True)
    supplied = _short(every, shared, tolerance)
    # Where the missing receipts hid whose shipment was too many, the whole record tells.
    hidden = (recorded["share"] <= 0) & (supplied["share"] > 0)
    recorded = recorded.mask(hidden, supplied)
    position = recorded["position"].to_numpy()
    share, held = recorded["share"].to_numpy(), recorded["held"].to_numpy()
    forgotten = (share > 0) & (supplied["share"].to_numpy() <= 0)
    table = pd.DataFrame(
        {
            "problem": np.where(recorded["arrivals"] > 0, "quantity", "holder"),
            "position": position,
            "share": share,
            "amount": rows["amount"].to_numpy()[position],
            "other": held,
        }
    )
    short = pd.Series((share > 0) & (held > 0) & ~forgotten)
    named = slips(short, table["amount"] / np.maximum(held, 1e-12))
    few = table["amount"].to_numpy() - held <= shared.yardstick(miscounts)
    miscounted = short.to_numpy() & few & counted_ships(shared, position)
    table["benign"] = np.select([forgotten, miscounted], [UNSCANNED, MISCOUNTED], named)
    # What a maker ships beyond what it made, and what goes the same way twice, is the question of
    # phantom shipments; what ships pieces that are elsewhere, that of cloned serials.
    copies = shared.once(clones).foreign["index"]
    copied = rows["index"].iloc[position].isin(copies).to_numpy()
    own = _made_by(flows, rows)[position] & (share > 0)
    again = sent_again(supplied, rows)
    table.loc[forgotten | own | again | copied | miscounted, "share"] = AT_LIMIT
    opening = _opening(flows, rows)[position]
    unmade = at(rows["shipper"], position).isin(shared.yardstick(usually_without))
    nowhere = _unseen(table) & unmade & ~opening
    ships = (rows["kind"] == "ship").to_numpy()
    positions = rows.index.to_numpy()
    return table[~opening & ~nowhere], {
        "a lot whose record begins with this site": position[opening],
        NO_HISTORY: position[nowhere],
        "a product whose quantities are all one number": position[
            tolerance[rows["lot"].to_numpy()[position]] >= ANY
        ],
        "a shipment without a lot": positions[ships & ~rows["has_lot"].to_numpy()],
        "a shipment without a shipper": positions[ships & rows["shipper"].isna().to_numpy()],
    }


@past
def unseen_is_ordinary(shared: Features) -> bool:
    """Tell whether no more lots came nobody knows how than lost scans make by chance.

    Where a record lacks many shipments and many receipts, some hand-overs lack both.
    """
    expected = unseen_by_chance(shared)
    if expected < 1:
        return False
    held, _ = shared.once(_holdings)
    ships = held.loc[_unseen(held), "position"].to_numpy(np.int64)
    place = stock(*(shared.cells(name, ships) for name in ("lot", "shipper_number")))
    return not is_surprising(max(len(np.unique(place)), 1), expected)


def _unseen(held: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the ships of lots that nothing shows coming to the shipper."""
    return np.asarray((held["problem"] == "holder") & (held["share"] > 0), bool)


def _without_unseen(
    held: pd.DataFrame, left_out: Mapping[str, NDArray[np.int64]]
) -> tuple[pd.DataFrame, dict[str, NDArray[np.int64]]]:
    """Put at the limit what lost scans explain, and say so."""
    unseen = _unseen(held)
    reason = f"explained by {UNSEEN}"
    share = held["share"].mask(unseen, AT_LIMIT)
    return held.assign(share=share), {
        **left_out,
        reason: held["position"].to_numpy()[unseen],
    }


def _early(flows: pd.DataFrame, shared: Features) -> NDArray[np.int64]:
    """Return how much earlier than scanned each arrival may have been: not before it was sent.

    What a site sends to itself came to it after it left.
    """
    legs, rows = shared.legs, shared.rows
    ship, receive = legs["ship"].to_numpy(), legs["receive"].to_numpy()
    most = np.full(len(rows) + 1, LATE_DAYS * DAY_US)
    left = rows["at"].to_numpy(np.int64)[ship] + rows["day"].to_numpy()[ship] * DAY_US
    travelled = rows["at"].to_numpy(np.int64)[receive] - left
    own = rows["shipper_number"].to_numpy()[ship] == rows["site_number"].to_numpy()[receive]
    before = np.clip(travelled, 0, LATE_DAYS * DAY_US)
    most[receive] = np.where(own, np.minimum(travelled - _CLOCK_US - 1, before), before)
    return np.asarray(most[flows["position"].to_numpy()], np.int64)


def _short(flows: pd.DataFrame, shared: Features, tolerance: NDArray[np.float64]) -> pd.DataFrame:
    """Reconcile, and turn what is short into a share of what was shipped."""
    rows, early = shared.rows, _early(flows, shared)
    table = shortfalls(
        flows,
        tolerance=tolerance[flows["lot"].to_numpy()],
        clock_us=_CLOCK_US,
        early_us=early,
    )
    table = explained(table, flows, tolerance, early)
    amount = rows["amount"].to_numpy()[table["position"]]
    allowed = tolerance[rows["lot"].to_numpy()[table["position"]]]
    with np.errstate(divide="ignore", invalid="ignore"):
        short = table["short"].to_numpy() / amount
        taken = (amount / table["held"].to_numpy() - 1) / allowed
    share = np.where(short > 0, short, np.clip(taken, 0.0, 1.0) - 1)
    share = np.where(table["known"] & np.isfinite(share), share, -1.0)
    return table.assign(share=np.where(table["arrivals"] == 0, 1.0, share))


def _opening(flows: pd.DataFrame, rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the ship rows of the site where the record of a lot begins.

    Nobody recorded making such a lot; whoever had it first had it from before the record.
    """
    first = first_flows(flows)
    made = flows.loc[flows["kind"].isin(["produce", "transform"]), "lot"].unique()
    first = first[~first["lot"].isin(made)]
    sender = at(rows["from_facility_id"], first["position"].to_numpy())
    holder = first["holder"].where(first["sign"] < 0, pd.Series(sender, index=first.index))
    begins = pd.Series(holder.array, index=pd.Index(first["lot"]))
    begun = np.flatnonzero(rows["lot"].isin(begins.index).to_numpy())
    expected = rows["lot"].iloc[begun].map(begins)
    found = np.zeros(len(rows), bool)
    found[begun] = expected.notna() & (expected == rows["shipper"].iloc[begun])
    return found


def _made_by(flows: pd.DataFrame, rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark the rows whose shipper made the lot."""
    made = flows.loc[flows["kind"].isin(["produce", "transform"]), "stock"]
    own = stock(rows["lot"].to_numpy(), rows["shipper_number"].to_numpy())
    return np.asarray(pd.Index(own).isin(made), bool)
