"""What a report shows besides flags: lanes on a map, and sites month by month, as plain rows.

Next: detectors/casework/reviews.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from detectors.booked import weeks_booked
from detectors.features import Features
from detectors.geo import places

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from graph.frames import Frames

__all__ = ["Lane", "Overview", "SiteMonth", "overview"]


class Lane(NamedTuple):
    """What went from one site to another.

    Attributes:
        source: Facility id.
        target: Facility id.
        start: Latitude and longitude in degrees; None where no record has them.
        end: Likewise.
        shipments: How many consignments went.
        flagged: On how many of them an event is flagged.
    """

    source: str
    target: str
    start: tuple[float, float] | None
    end: tuple[float, float] | None
    shipments: int
    flagged: int


class SiteMonth(NamedTuple):
    """One facility-month in the three figures that labour inspectors ask for first.

    Attributes:
        site: Facility id.
        month: As YYYY-MM.
        hours: Weekly hours, the largest that the records give; None where they give none.
        most_hours: The legal limit on the month's first day.
        pay: Gross wages per hour.
        least_pay: The legal minimum, where it is in the same currency.
        currency: Of both.
        output: Units per hour.
    """

    site: str
    month: str
    hours: float | None
    most_hours: float | None
    pay: float | None
    least_pay: float | None
    currency: str | None
    output: float | None


class Overview(NamedTuple):
    """Both tables, and the period that the events cover (ISO dates; None without any)."""

    lanes: list[Lane]
    months: list[SiteMonth]
    first_day: str | None
    last_day: str | None
    events: int


def overview(frames: Frames, flagged: Collection[tuple[str, str]]) -> Overview:
    """Sum up what the graph holds.

    Args:
        frames: At the private tier.
        flagged: Party and id of the events that current flags are about.

    Returns:
        Lanes with the most shipments first; months by site and month.
    """
    shared = Features(frames)
    rows = shared.rows
    at = pd.to_datetime(rows.loc[rows["timed"], "at"], unit="us")
    first, last = (at.min(), at.max()) if len(at) else (None, None)
    return Overview(
        _lanes(shared, flagged),
        _months(shared),
        None if first is None else f"{first:%Y-%m-%d}",
        None if last is None else f"{last:%Y-%m-%d}",
        rows["index"].nunique(),
    )


def _lanes(shared: Features, flagged: Collection[tuple[str, str]]) -> list[Lane]:
    rows = shared.rows
    moves = rows[rows["kind"].isin(["ship", "receive"])]
    source = moves["shipper"].fillna(moves["from_facility_id"])
    wanted = pd.MultiIndex.from_tuples(flagged, names=["party", "event_id"]) if flagged else None
    table = pd.DataFrame(
        {
            "source": source,
            "target": moves["to_site"],
            # A shipment without an id counts by its own event.
            "shipment": moves["shipment_id"].fillna(moves["event_id"]),
            "flagged": False
            if wanted is None
            else pd.MultiIndex.from_frame(moves[["party", "event_id"]]).isin(wanted),
        }
    ).dropna()
    table = table[table["source"] != table["target"]]
    each = table.groupby(["source", "target", "shipment"], sort=True)["flagged"].any()
    lanes = each.groupby(["source", "target"]).agg(["size", "sum"]).reset_index()
    lanes = lanes.sort_values(["size", "source", "target"], ascending=[False, True, True])
    where = _where(shared, [*lanes["source"], *lanes["target"]])
    return [
        Lane(start, end, where.get(start), where.get(end), int(size), int(bad))
        for start, end, size, bad in lanes.itertuples(index=False)
    ]


def _where(shared: Features, sites: list[str]) -> dict[str, tuple[float, float]]:
    asked = pd.DataFrame({"site": pd.Series(sorted(set(sites)), dtype="str")})
    for name in ("locode", "latitude", "longitude"):
        asked[name] = None
    found = places(asked, shared.frames.facilities, shared.frames.locations)
    return {
        site: (float(latitude), float(longitude))
        for site, latitude, longitude in zip(
            asked["site"], found.registered_latitude, found.registered_longitude, strict=True
        )
        if not (np.isnan(latitude) or np.isnan(longitude))
    }


def _months(shared: Features) -> list[SiteMonth]:
    table = shared.facility_months.sort_values(["facility_id", "month"])
    hours, headcount = table["total_hours"].to_numpy(), table["headcount"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        from_total = hours / headcount / weeks_booked(table).to_numpy()
        pay = table["gross_wages"].to_numpy() / hours
        output = table["output_units"].to_numpy() / hours
    weekly = pd.DataFrame(
        {"said": table["avg_weekly_hours"], "sheets": table["sheet_hours"], "total": from_total}
    ).max(axis=1)
    same = (table["currency"] == table["limit_currency"]).to_numpy(bool)
    columns = (
        weekly.to_numpy(),
        table["max_weekly_hours"].to_numpy(),
        pay,
        np.where(same, table["min_hourly_wage"].to_numpy(), np.nan),
        output,
    )
    told = zip(*(_plain(column) for column in columns), strict=True)
    return [
        SiteMonth(site, month, week, most, rate, least, _text(currency), made)
        for site, month, currency, (week, most, rate, least, made) in zip(
            table["facility_id"], table["month"], table["currency"], told, strict=True
        )
    ]


def _plain(column: NDArray[np.float64]) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in column]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
