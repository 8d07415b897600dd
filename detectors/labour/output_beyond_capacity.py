"""Output beyond capacity: more goods than these hands can make, so that others made some.

Hidden subcontracting shows as output per hour or per head that the site never
reached before and its peers do not, as output beyond the declared capacity, or
as more shipped than made. A new level that stays, within capacity, is a new
machine.

Next: detectors/labour/child_labour.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import pandas as pd

from detectors.base import Benign
from detectors.labour.figures import ratio, subjects
from detectors.labour.persistence import settled
from detectors.labour.sign import Sign
from detectors.labour.signs import Signs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.base import Abstention
    from detectors.features import Features

    Floats = NDArray[np.float64]

__all__ = ["OutputBeyondCapacity"]

NEW_LEVEL_MONTHS: Final = 6
"""A change that lasted this long, to the end of what is known, is a new usual."""
WITHIN_MONTHS: Final = 3
"""Months within capacity that say for how many hours it was declared."""
YOUNG_MONTHS: Final = 3
YOUNG: Final = 0.7
"""What a departure counts that has lasted some months and is not over: it may become a level."""
ROOM: Final = -0.05
WITHIN_CAPACITY: Final = 0.75
"""What a departure counts while output stays 5 % and more below the declared capacity."""
_CHANCE: Final = 0.02
_CHANCE_HOURS: Final = 0.05
_MORE_HANDS: Final = 2.0
"""Spreads of a month's hours from which on a season has brought more hands."""
_TWICE: Final = 2
_CHANCE_SHIPPED: Final = 0.15
"""Stock that goes up and down makes shipments less even than output."""


class OutputBeyondCapacity(Signs):
    """Did the site make more than its own people can?"""

    name: ClassVar = "output_beyond_capacity"
    type: ClassVar = "output_beyond_capacity"
    version: ClassVar = "6"
    peers_are: ClassVar = "facility-months of the product, the site's own first"
    reads: ClassVar = (
        "facility/1 /declared_capacity_per_month",
        "labour/1 /output_units",
        "labour/1 /total_hours",
        "labour/1 /headcount",
        "labour/1 /avg_weekly_hours",
        "labour/1 /output_product_id",
    )
    signs: ClassVar = (
        Sign(
            "output_per_hour",
            "an hour of work made {factor} times its usual output",
            kind="log",
        ),
        Sign(
            "output_over_capacity",
            "output was {value} times the declared capacity",
            kind="log",
            least=0.0,
            most=8.0,
        ),
        Sign(
            "shipped_over_output",
            "{value} times the month's output was shipped, where {usual} is usual",
            kind="log",
            least=0.0,
            most=4.0,
        ),
        Sign("hours", kind="log", counts=False),
    )
    benign: ClassVar = (
        Benign("a season or order that all sites of the product had", "ruled out"),
        Benign("longer hours or more hands than the capacity was declared for", "ruled out"),
        Benign("a new machine: the level stayed for half a year, within capacity", "ruled out"),
        Benign("goods finished in an earlier month and counted in this one", "not checked"),
    )
    caveat: ClassVar = (
        "It does not say that other workshops made the goods, or which: output may have been "
        "counted late or hours left out."
    )

    def collect(self, shared: Features) -> tuple[pd.DataFrame, tuple[Abstention, ...]]:
        """Take output per hour, over capacity, and shipments over output."""
        months = shared.facility_months
        product = months["output_product_id"]
        output, known = months["output_units"], len(months)
        table = subjects(months).assign(
            site=months["facility_id"] + "|" + product.fillna(""),
            group=product,
            trade=months["country"],
            value_hours=np.log(months["total_hours"].where(months["total_hours"] > 0)),
            noise_hours=np.full(known, _CHANCE_HOURS),
            value_output_per_hour=ratio(output, months["total_hours"]),
            noise_output_per_hour=np.full(known, _CHANCE),
            value_output_over_capacity=ratio(output, months["capacity"]),
            noise_output_over_capacity=np.full(known, _CHANCE),
            value_shipped_over_output=ratio(_shipped(shared, months), output),
            noise_shipped_over_output=np.full(known, _CHANCE_SHIPPED),
        )
        return table, ()

    def adjust(self, window: pd.DataFrame, site: NDArray[np.int64]) -> pd.DataFrame:
        """Take a lasting new level for a new machine, which capacity may not mention yet."""
        z = window["z_output_per_hour"].to_numpy(np.float64)
        new, newer = (settled(z, site, months) for months in (NEW_LEVEL_MONTHS, YOUNG_MONTHS))
        share = window["value_output_over_capacity"].to_numpy(np.float64)
        # As many hands as have stayed within the capacity do not explain what goes beyond it.
        usual = np.where(share > 0, _enough_hours(window), _usual_hours(window))
        more = (window["value_hours"] - usual) / window["spread_hours"]
        hands = np.maximum(np.nan_to_num(more.to_numpy(np.float64)) - _MORE_HANDS, 0)
        z = np.where(z > 0, z / (1 + hands), z)
        counts = np.where(share < ROOM, WITHIN_CAPACITY, 1.0)
        counts = np.where(newer & ~(share > 0), counts * YOUNG, counts)
        beyond = window["z_output_over_capacity"] - _by_more_hours(window)
        return window.assign(
            z_output_per_hour=np.where(new, 0.0, z * counts), z_output_over_capacity=beyond
        )


def _usual_hours(window: pd.DataFrame) -> Floats:
    hours = window["value_hours"].groupby(window["site"]).transform("median")
    return hours.to_numpy(np.float64)


def _enough_hours(window: pd.DataFrame) -> Floats:
    """Return for how many hours, as a log, the site's capacity was declared, as its months tell.

    What a second month, too, needed to stay within it (a harvest's hands), and at least the
    usual of such months, or of all where they are few.
    """
    site = window["site"]
    hours = window["value_hours"].where(window["value_output_over_capacity"] <= 0)
    within = hours.groupby(site)
    enough = within.transform("count") >= WITHIN_MONTHS
    usual = within.transform("median").where(enough, pd.Series(_usual_hours(window), site.index))
    most = hours.where(within.rank(ascending=False, method="first") <= _TWICE)
    second = most.groupby(site).transform("min").where(enough)
    return np.asarray(np.fmax(usual.to_numpy(np.float64), second.to_numpy(np.float64)))


def _by_more_hours(window: pd.DataFrame) -> pd.Series:
    """Return how far beyond capacity more hours explain: a capacity is declared for some hands."""
    more = window["value_hours"] - _enough_hours(window)
    return (more.clip(lower=0) / window["spread_output_over_capacity"]).fillna(0.0)


def _shipped(shared: Features, months: pd.DataFrame) -> pd.Series:
    """Return what each site shipped of its product within each month, in the product's unit."""
    rows = shared.rows
    kept = (rows["kind"] == "ship") & rows["timed"] & rows["amount"].notna()
    rows = rows.loc[kept, ["at", "shipper", "product_id", "amount"]]
    month = rows["at"].to_numpy("datetime64[us]").astype("datetime64[M]")
    number, which = np.unique(month, return_inverse=True)
    keys = ["facility_id", "month", "output_product_id"]
    table = pd.DataFrame(
        {
            "facility_id": rows["shipper"],
            "month": pd.Series(number.astype(str), dtype="str").array[which],
            "output_product_id": rows["product_id"],
            "amount": rows["amount"],
        }
    ).dropna()
    total = table.groupby(keys)["amount"].sum().rename("shipped")
    return months[keys].join(total, on=keys)["shipped"].set_axis(months.index)
