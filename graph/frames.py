"""The graph's contents as pandas frames: what the detectors read.

Frames are cut from the private tier, by someone who may see everything. Columns
are those of the native CSV formats, numbers as float, absent values NA (None in
columns of lists); a column exists even when no row has it. Of records with
versions only the latest is here, except that each worker's week in the
timesheets has its own.

Next: graph/framing/events.py
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from graph.columns import Growing, Table
from graph.framing.events import declared, read_events
from graph.framing.half import reading_beside
from provenance.entries import Tier
from provenance.store.preparing import collector_at_rest

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from graph.framing.events import Events
    from graph.model import Record
    from graph.store import GraphStore
    from provenance.entries import Content

__all__ = ["KEYS", "Frames", "load_frames"]

_TIMESHEETS: Final = Table(
    "timesheet/1",
    ("facility_id", "month", "worker_id", "week"),
    "facility_id month worker_id",
    "week hours gross_pay",
)
_FACILITIES: Final = Table(
    "facility/1",
    ("facility_id",),
    "party facility_id name facility_type country region locode source_system",
    "tier latitude longitude declared_capacity_per_month opened_year",
    "index leaf_hash product_ids",
)
_PRODUCTS: Final = Table(
    "product/1",
    ("party", "product_id"),
    "party product_id hs_code unit chain input_product_id gtin name brand image_url",
    "unit_weight_kg reference_value_usd stage input_units_per_output_unit min_temperature_c "
    "max_temperature_c",
    "index leaf_hash serialised",
)
_LABOUR: Final = Table(
    "labour/1",
    ("facility_id", "month"),
    "party facility_id month currency output_product_id last_audit_date audit_expiry_date "
    "audit_scheme certified_claim",
    "headcount avg_weekly_hours total_hours gross_wages output_units min_worker_age "
    "share_age_docs_missing share_birthdate_jan1 share_age_exactly_18 migrant_share "
    "recruitment_fee_usd passports_held_share wage_deduction_share grievances",
)
_LEGAL_LIMITS: Final = Table(
    "legal_limit/1",
    ("country", "effective_from"),
    "party country currency effective_from",
    "usd_per_unit min_hourly_wage max_weekly_hours min_age",
)
_LOCATIONS: Final = Table(
    "location/1", ("locode",), "party locode name country_region", "latitude longitude"
)
_WATCHLIST: Final = Table(
    "watchlist/1",
    ("list_name", "kind", "value", "goods"),
    "party list_name kind value goods note list_version valid_from valid_until",
)
_FLAGS: Final = Table(
    "flag/1 superseded/1",
    ("detector", "type", "subject_kind", "subject_id", "subject_party"),
    "detector type subject_kind subject_id subject_party severity cause",
    "score threshold",
)
_REVIEWS: Final = Table("review/1", ("flag_index",), "state", "flag_index")
KEYS: Final = {
    "facilities": _FACILITIES.key,
    "products": _PRODUCTS.key,
    "labour": _LABOUR.key,
    "timesheets": _TIMESHEETS.key,
    "legal_limits": _LEGAL_LIMITS.key,
    "locations": _LOCATIONS.key,
    "watchlist": _WATCHLIST.key,
    "flags": _FLAGS.key,
    "reviews": _REVIEWS.key,
}
"""By table, the columns of which a later row replaces the earlier; events are never replaced."""


@dataclass(frozen=True, slots=True)
class Frames:
    """What a detection run reads, all from one log position.

    Attributes:
        position: How many log entries it is true for.
        events: One row per item of an event; an event without items has one row without item.
        inputs: One row per input of a transformation.
        facilities: Latest master data of facilities.
        products: Latest master data of products, by party and product.
        labour: Latest figures of each facility and month.
        timesheets: One row per worker and week, the latest version of each.
        legal_limits: One row per country and date of effect.
        locations: One row per UN/LOCODE.
        watchlist: One row per entry of a list.
        flags: What detectors said last of each subject; `cause` where a run has taken it back.
        reviews: The latest decision on each flag, by the flag's log index.
    """

    position: int
    events: pd.DataFrame
    inputs: pd.DataFrame
    facilities: pd.DataFrame
    products: pd.DataFrame
    labour: pd.DataFrame
    timesheets: pd.DataFrame
    legal_limits: pd.DataFrame
    locations: pd.DataFrame
    watchlist: pd.DataFrame
    flags: pd.DataFrame
    reviews: pd.DataFrame


def load_frames(store: GraphStore, start: int = 0) -> Frames:
    """Read everything detectors need, from one position; rows in log order.

    Args:
        store: The graph.
        start: The first entry to read. Later ones may replace rows of earlier ones (see `KEYS`),
            and an error declaration may take back an event from before `start`.
    """
    position = store.position()
    with collector_at_rest():
        read = _events(store, start, position)
        return Frames(
            position=position,
            events=read.events.frame(),
            inputs=read.inputs.frame(),
            facilities=_load(store, _FACILITIES, start, position),
            products=_load(store, _PRODUCTS, start, position),
            labour=_load(store, _LABOUR, start, position),
            timesheets=_timesheets(store, start, position),
            legal_limits=_load(store, _LEGAL_LIMITS, start, position),
            locations=_load(store, _LOCATIONS, start, position),
            watchlist=_load(store, _WATCHLIST, start, position),
            flags=_load(store, _FLAGS, start, position),
            reviews=_reviews(store, start, position),
        )


def _events(store: GraphStore, start: int, position: int) -> Events:
    with reading_beside(store, start, position) as later:
        wrong = declared(store, start, position)
        made = read_events(store, start, later.first, wrong)
        if later.first < position and not later.add_to(made):
            for one, part in zip(
                made, read_events(store, later.first, position, wrong), strict=True
            ):
                one.take(part)
    return made


def _load(store: GraphStore, table: Table, start: int, position: int) -> pd.DataFrame:
    versions = [store.contents(v, Tier.PRIVATE, start, position) for v in table.version.split()]
    records = heapq.merge(*versions, key=attrgetter("index"))
    return _latest(map(_row, records), table)


def _timesheets(store: GraphStore, start: int, position: int) -> pd.DataFrame:
    records = store.contents("timesheet/1", Tier.PRIVATE, start, position)
    rows = (
        {**sheet, **week, **_origin(record), "worker_id": worker.get("worker_id")}
        for record in records
        for sheet in [{name: record.attrs.get(name) for name in _TIMESHEETS.key}]
        for worker in record.attrs.get("workers", ())
        for week in worker.get("weeks", ())
    )
    return _latest(rows, _TIMESHEETS)


def _reviews(store: GraphStore, start: int, position: int) -> pd.DataFrame:
    records = store.contents("review/1", Tier.PRIVATE, start, position)
    rows = (
        {**_row(record), "flag_index": (record.attrs.get("flag") or [None])[0]}
        for record in records
    )
    return _latest(rows, _REVIEWS)


def _row(record: Record) -> Content:
    return record.attrs | _origin(record)


def _origin(record: Record) -> Content:
    return {"index": record.index, "leaf_hash": record.leaf_hash}


def _latest(rows: Iterable[Content], table: Table) -> pd.DataFrame:
    """Keep the last row of each key, in the place of the last."""
    made = Growing(table)
    made.extend(rows)
    frame = made.frame()
    earlier = frame.duplicated(list(table.key), keep="last")
    return frame[~earlier].reset_index(drop=True) if earlier.any() else frame
