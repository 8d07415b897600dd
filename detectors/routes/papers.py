"""Papers: from whom to whom goods travelled, however many legs their way had.

What goes under one bill of lading is one consignment, from the first place that its scans name to
the last: a port on the way is no partner of anybody. Without a bill a shipment speaks for itself.

Next: detectors/routes/lane_novelty.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import texts
from detectors.custody import DAY_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["consignments"]

_APART_US: Final = 60 * DAY_US
"""Papers that other goods travel under after so long were used anew."""


def consignments(shared: Features) -> pd.DataFrame:
    """List what left its consignor: every shipment of the first leg of a consignment.

    Returns:
        `position` (in `rows`), `consignment` (a number), `source` and `target` (numbers of the
        sites, as in `rows`), `last` (position of the last shipment). A consignment whose first
        shipment nobody recorded, or that came back to where it left, is not among them.
    """
    found: pd.DataFrame = shared.once(_consignments)
    return found


def _consignments(shared: Features) -> pd.DataFrame:
    rows = shared.rows
    kind = rows["kind"]
    moved = np.flatnonzero((kind.isin(["ship", "receive"]) & rows["timed"]).to_numpy(bool))
    ship = (kind == "ship").to_numpy(bool)[moved]
    scans = pd.DataFrame(
        {
            "paper": _papers(shared, moved),
            "at": rows["at"].to_numpy()[moved],
            "received": ~ship,
            "source": np.where(ship, rows["shipper_number"].to_numpy()[moved], -1),
            "target": rows["to_site_number"].to_numpy()[moved],
            "lot": rows["lot"].to_numpy()[moved],
            "position": moved,
        }
    )
    scans = scans.iloc[np.lexsort((scans["received"], scans["at"], scans["paper"]))]
    scans = scans.reset_index(drop=True)
    return _ends(scans.assign(consignment=_used(scans)))


def _papers(shared: Features, moved: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the papers of scans: the bill, else that of the same shipment, else the shipment."""
    events, rows = shared.frames.events, shared.rows
    bills = pd.factorize(texts(events, "bill_of_lading"))[0].astype(np.int64)
    held = events["index"].to_numpy()
    order = np.argsort(held, kind="stable")
    place = order[np.searchsorted(held[order], rows["index"].to_numpy()[moved])]
    bill, shipment = bills[place], rows["shipment_number"].to_numpy()[moved]
    own = np.full(int(shipment.max(initial=-1)) + 2, -1)
    both = (bill >= 0) & (shipment >= 0)
    own[shipment[both][::-1]] = bill[both][::-1]
    own[-1] = -1
    paper = np.where(bill >= 0, bill, own[shipment])
    above = int(bills.max(initial=-1)) + 1
    paper = np.where((paper < 0) & (shipment >= 0), above + shipment, paper)
    above += len(own)
    return np.where(paper < 0, above + np.arange(len(moved)), paper)


def _used(scans: pd.DataFrame) -> NDArray[np.int64]:
    """Number the uses of papers: one begins anew where other goods come under it, long after."""
    paper, at = scans["paper"].to_numpy(), scans["at"].to_numpy()
    new = np.append(True, paper[1:] != paper[:-1])[: len(scans)]
    late = ~new & (np.diff(at, prepend=at[:1]) > _APART_US)
    again = np.flatnonzero(np.isin(paper, paper[late]))
    part = scans.iloc[again]
    other = ~part[["paper", "lot"]].duplicated().to_numpy()
    new[again] |= late[again] & other
    return np.asarray(np.cumsum(new) - 1, np.int64)


def _ends(scans: pd.DataFrame) -> pd.DataFrame:
    """Give each shipment that leaves the consignor both ends of its consignment."""
    begins = ~scans["consignment"].duplicated().to_numpy()
    use = scans["consignment"].to_numpy()
    source = np.where(scans["received"], -1, scans["source"])[begins][use]
    known = scans[scans["target"] >= 0].drop_duplicates("consignment", keep="last")
    target = np.full(int(begins.sum()), -1)
    target[known["consignment"]] = known["target"]
    sent = scans[~scans["received"]].drop_duplicates("consignment", keep="last")
    last = np.full(len(target), -1)
    last[sent["consignment"]] = sent["position"]
    found = pd.DataFrame(
        {
            "position": scans["position"],
            "consignment": use,
            "source": source,
            "target": target[use],
            "last": last[use],
        }
    )
    leaves = (source >= 0) & (scans["source"] == source) & ~scans["received"]
    leaves &= (found["target"] >= 0) & (found["target"] != source)
    left: pd.DataFrame = found[leaves].sort_values("position").reset_index(drop=True)
    return left
