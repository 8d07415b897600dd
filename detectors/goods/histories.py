"""Histories: lots that nothing shows being made or arriving, and where that means something.

It does at a shipper whose lots otherwise all have a history, unless the record was
silent when the lot should have been made, or loses makings as it loses shipments,
or begins in the middle of the trade: what lay in store on its first day has no history.

Next: detectors/goods/surplus.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import at
from detectors.custody import DAY_US, first_flows, stock
from detectors.goods.pauses import after_pause, longest_stays, stays
from detectors.past import past

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = [
    "KNOWN_LOTS",
    "KNOWN_SHARE",
    "LOST_SHARE",
    "MADE",
    "NO_HISTORY",
    "OPENING_LOTS",
    "OPENING_SHARE",
    "from_before",
    "lot_ships",
    "makings_get_lost",
    "opening",
    "unshipped",
    "usually_without",
    "with_history",
    "without_history",
]

KNOWN_SHARE: Final = 0.9
"""A shipper of whose other lots fewer have a history is not asked for one."""
KNOWN_LOTS: Final = 5
LOST_SHARE: Final = 0.02
"""Where more of what was received was never shipped, by the record, events get lost.

So do makings, if more lots than this have none.
"""
_MOST: Final = 2.0
"""More makings missing than so many times what missing shipments let expect are another matter."""
OPENING_SHARE: Final = 1 / 3
"""A record begins in mid-trade where so many of the lots that were shipped first have no history.

First are those that left sooner after its first event than half of the site's lots do after they
came: of such lots half or more were there before, in any trade that was already going on.
"""
OPENING_LOTS: Final = 3
NO_HISTORY: Final = "a shipper whose lots have no history"
_USUALLY: Final = 0.5
MADE: Final = ("produce", "transform")
_OF_SHIPS: Final = ["event_id", "index", "at", "lot", "shipper_number", "amount"]


def without_history(
    shared: Features, ships: pd.DataFrame
) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.bool_]]]:
    """Mark ships of lots that come from nowhere, and by reason those of which that says nothing.

    Args:
        shared: Features of the run.
        ships: `lot_ships`.
    """
    without, _ = _from_nowhere(shared, ships)
    position = ships.index.to_numpy(np.int64)
    known = at(shared.rows["shipper"], position).isin(shared.yardstick(with_history))
    silent = after_pause(shared, position)
    stocked = from_before(shared, position)
    silent |= stocked
    lost = np.full(len(ships), shared.yardstick(makings_get_lost))
    return without & known & ~silent & ~lost, {
        NO_HISTORY: without & ~known,
        "a lot from a time of which nothing is recorded": without & known & silent & ~stocked,
        "a lot that may have been there before the record began": without & known & stocked,
        "a record that lacks makings as often as shipments": without & known & ~silent & lost,
    }


def lot_ships(shared: Features) -> pd.DataFrame:
    """Return the ships of lots."""
    rows = shared.rows
    return rows.loc[(rows["kind"] == "ship") & rows["timed"] & rows["has_lot"], _OF_SHIPS]


def _from_nowhere(
    shared: Features, ships: pd.DataFrame
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Mark ships of lots that come from nowhere; return the lot at the shipper of each, too.

    Only the first sight of a lot counts: who has it later got it from there, scanned in or not
    where it was shipped to there before.
    """
    flows = shared.flows
    first = first_flows(flows)
    nowhere = first[first["sign"] < 0]
    made = flows.loc[flows["kind"].isin(MADE), "lot"].unique()
    nowhere = nowhere[~nowhere["lot"].isin(made)]
    had = flows.loc[flows["sign"] > 0, "stock"]
    held = stock(ships["lot"].to_numpy(), ships["shipper_number"].to_numpy())
    came = pd.Index(held).isin(had) | _under_way(shared, ships, held)
    return ships["lot"].isin(nowhere["lot"]).to_numpy() & ~came, held


def _under_way(shared: Features, ships: pd.DataFrame, held: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark ships of lots that were shipped to the shipper before, though nobody scanned them in."""
    sent = shared.unreceived
    since = sent["at"].groupby(sent["stock"]).min().reindex(held)
    left = ships["at"].to_numpy() + shared.rows["day"].to_numpy()[ships.index] * DAY_US
    return np.asarray(since.to_numpy() < left, bool)


@past
def with_history(shared: Features) -> list[str]:
    """List the shippers of which most other lots have a history."""
    lots = _lots(shared)
    return _known(lots[~_until(lots["shipper"], lots["at"].to_numpy(), opening(shared))])


def _known(lots: pd.DataFrame) -> list[str]:
    by_shipper = lots.groupby("shipper")["none"].agg(["sum", "size"])
    usual = 1 - (by_shipper["sum"] - 1) / (by_shipper["size"] - 1).clip(lower=1)
    known = by_shipper.index[(usual >= KNOWN_SHARE) & (by_shipper["size"] >= KNOWN_LOTS)]
    return sorted(map(str, known))


@past
def opening(shared: Features) -> dict[str, int]:
    """Return until when sites may ship what they had before the record began, microseconds.

    As long after its first event as lots stay there at most; nothing where the lots shipped first
    have a history like all others: then the record begins with the trade.
    """
    lots = _lots(shared)
    if lots.empty:
        return {}
    began = _began(shared)
    until = {site: began + stay for site, stay in longest_stays(shared).items()}
    usual = shared.once(stays).groupby(level=0).median()
    first = (lots["at"] - began).to_numpy() <= lots["shipper"].map(usual).to_numpy(np.float64)
    known = _known(lots[~_until(lots["shipper"], lots["at"].to_numpy(), until)])
    without = lots.loc[first & lots["shipper"].isin(known).to_numpy(), "none"]
    begins = without.sum() >= OPENING_LOTS and without.mean() >= OPENING_SHARE
    return until if begins else {}


def from_before(shared: Features, position: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark ships of what the shipper may have had before the record began.

    Args:
        shared: Features of the run.
        position: Of ships, in `rows`.
    """
    known = shared.yardstick(opening)
    if not known:
        return np.zeros(len(position), bool)
    rows = shared.rows
    return _until(pd.Series(at(rows["shipper"], position)), shared.cells("at", position), known)


def _until(
    shipper: pd.Series, when: NDArray[np.int64], until: Mapping[str, int]
) -> NDArray[np.bool_]:
    last = shipper.map(until).to_numpy(np.float64, na_value=np.nan)
    return np.asarray(when <= last, bool)


def _began(shared: Features) -> int:
    """Return when recording began in earnest: a stray date before that begins nothing."""
    moment = np.sort(shared.cells("at", np.flatnonzero(shared.rows["timed"])))
    _, first, events = np.unique(moment // DAY_US, return_index=True, return_counts=True)
    return int(moment[first[np.flatnonzero(events >= np.median(events) / 2)[0]]])


@past
def usually_without(shared: Features) -> list[str]:
    """List the shippers of which most lots come from nowhere: where they had them is not recorded.

    Where makings are missing, lots that two of them call alike look like one that jumped from
    one to the other.
    """
    by_shipper = _lots(shared).groupby("shipper")["none"].agg(["sum", "size"])
    most = by_shipper["sum"] > _USUALLY * by_shipper["size"]
    return sorted(map(str, by_shipper.index[most & (by_shipper["size"] >= KNOWN_LOTS)]))


def _lots(shared: Features) -> pd.DataFrame:
    """Return each lot that a site shipped: `shipper`, `at`, and whether it came from nowhere."""
    ships = lot_ships(shared)
    without, held = _from_nowhere(shared, ships)
    shipper = at(shared.rows["shipper"], ships.index.to_numpy(np.int64))
    lots = pd.DataFrame({"shipper": shipper, "none": without, "at": ships["at"].to_numpy()})
    return lots[~pd.Index(held).duplicated() & lots["shipper"].notna().to_numpy()]


@past
def makings_get_lost(shared: Features) -> bool:
    """Tell whether makings are missing often, and as shipments of what was received are, too."""
    share = unshipped(shared)
    if share < LOST_SHARE:
        return False
    lots = _lots(shared)
    lots = lots[lots["shipper"].isin(with_history(shared))]
    missing = float(lots["none"].mean()) if len(lots) else 0.0
    return LOST_SHARE <= missing <= _MOST * share


def unshipped(shared: Features) -> float:
    """Return the share of received lots that nobody shipped, by the record.

    A shipment is lost with its event, and as much so where only its lot was not written down.
    """
    rows = shared.rows
    named = (rows["kind"] == "receive") & (rows["shipment_number"] >= 0)
    received = np.flatnonzero(named & rows["has_lot"] & rows["timed"])
    shipped = np.isin(received, shared.legs["receive"].to_numpy())
    return float((~shipped).mean()) if len(received) else 0.0
