"""Pauses: times of which the record knows nothing, at one site or anywhere.

A file of some months may be missing, or a site's reader have stood still. Whatever
was made or arrived then left no trace; a lot that turns up soon after may have
come in the meantime, as long ago as lots there otherwise stay.

Next: detectors/goods/histories.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import at as taken_at
from detectors.custody import DAY_US
from detectors.past import past

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.features import Features

__all__ = ["PAUSE_DAYS", "UNLIKE", "after_pause", "longest_stays", "pauses", "stays"]

PAUSE_DAYS: Final = 30
"""No works holiday is longer."""
UNLIKE: Final = 4.0
"""A pause that is not so many times as long as any other is the custom of the place."""


def after_pause(shared: Features, position: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark ships of what may have come to the shipper while nothing was recorded.

    Args:
        shared: Features of the run.
        position: Of ships, in `rows`.
    """
    known = shared.yardstick(pauses)
    if not known:
        return np.zeros(len(position), bool)
    rows = shared.rows
    number, names = pd.factorize(taken_at(rows["shipper"], position))
    spans = [known.get(str(name), known.get("", _NEVER)) for name in [*names, ""]]
    first, last = np.array(spans, np.int64).T
    at = rows["at"].to_numpy(np.int64)[position]
    # The last event before a pause is not after it.
    return np.asarray((at > first[number]) & (at <= last[number]), bool)


_NEVER: Final = [0, -1]


@past
def pauses(shared: Features) -> dict[str, list[int]]:
    """Return since when, and until when, sites ship what may have come in a pause, microseconds.

    The pause of the whole record stands for that of each site; for sites that never shipped
    what came there, by the name "", without the time for which lots stay.
    """
    rows = shared.rows[shared.rows["timed"].to_numpy(bool)]
    at, site = rows["at"].to_numpy(np.int64), rows["site_number"].to_numpy(np.int64)
    everybody = _longest(at, np.zeros(len(at), np.int64))
    own = _longest(at[site >= 0], site[site >= 0])
    if not everybody and not own:
        return {}
    name = dict(zip(site.tolist(), rows["site"].tolist(), strict=True))
    found = {str(name[one]): span for one, span in own.items()}
    stay = longest_stays(shared)
    if everybody:
        found = dict.fromkeys([*found, *stay, ""], everybody[0])
    return {site: [first, last + stay.get(site, 0)] for site, (first, last) in found.items()}


def _longest(at: NDArray[np.int64], group: NDArray[np.int64]) -> dict[int, list[int]]:
    """Return the longest pause of each group, where it is unlike all others."""
    order = np.lexsort((at, group))
    at, group = at[order], group[order]
    same = group[1:] == group[:-1]
    table = pd.DataFrame({"group": group[1:], "length": np.diff(at), "end": at[1:]})[same]
    table = table.sort_values(["group", "length"], ascending=[True, False], kind="stable")
    longest = table.drop_duplicates("group").set_index("group")
    second = table[table["group"].duplicated()].drop_duplicates("group").set_index("group")
    usual = second["length"].reindex(longest.index)
    unlike = (longest["length"] >= PAUSE_DAYS * DAY_US) & (longest["length"] >= UNLIKE * usual)
    found = longest[unlike]
    return {
        int(one): [int(end - length), int(end)]
        for one, end, length in zip(found.index, found["end"], found["length"], strict=True)
    }


def longest_stays(shared: Features) -> dict[str, int]:
    """Return for how long lots stayed at each site before they left, at most; whole days.

    Args:
        shared: Features of the run.
    """
    longest = shared.once(stays).groupby(level=0).max()
    days = np.ceil(longest.to_numpy(np.float64) / DAY_US).astype(np.int64) * DAY_US
    return dict(zip(map(str, longest.index), days.tolist(), strict=True))


def stays(shared: Features) -> pd.Series:
    """Return for how long what left a site had been there, microseconds, by the site.

    Args:
        shared: Features of the run; ask for this through `Features.once`.
    """
    flows = shared.flows
    came = flows.loc[flows["sign"] > 0].groupby("stock")["at"].min()
    ships = flows.loc[flows["kind"] == "ship", ["holder", "stock", "at"]]
    stayed = (ships["at"] - ships["stock"].map(came)).clip(lower=0)
    return stayed.set_axis(pd.Index(ships["holder"])).dropna()
