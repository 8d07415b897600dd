"""The native formats: which columns a kind of file has, and what each cell may hold.

The column names are a public contract; a file with such a header needs no
mapping. What identifies a row is its `key`; every other column may be missing,
as a whole or in single rows.

Next: provenance/ingest/headers.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from provenance.entries import EntryType, OnChange
from provenance.ingest import codes, values
from provenance.ingest.events import EVENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.ingest.values import Converter

__all__ = ["KINDS", "KNOWN_COLUMNS", "Column", "Kind"]

Form = Literal["text", "number", "time", "date"]


class Column(NamedTuple):
    """One column of a native format.

    Attributes:
        convert: Turns the text of a cell into content; times and dates are kept as text for
            the file's `TimeReader`.
        form: In a "number" column "See ..." means missing; "time" and "date" are read with
            what the whole file decides.
    """

    convert: Converter
    form: Form = "text"


class Kind(NamedTuple):
    """One native format.

    Attributes:
        name: As the user knows it, "events" and so on.
        columns: By name, in the documented order.
        key: The columns that identify a row and cannot be missing.
        optional_key: Further columns of the row key that may be empty.
        entity: First part of the row key in the log.
        version: Version of the body.
        type: Type of the entries.
        on_change: What a known key with other content means.
    """

    name: str
    columns: Mapping[str, Column]
    key: tuple[str, ...]
    entity: str
    version: str
    type: EntryType
    on_change: OnChange = "version"
    optional_key: tuple[str, ...] = ()


def _columns(**groups: str) -> dict[str, Column]:
    """Expand `converter="name name"` groups; `time` and `date` stay text here."""
    return {name: _FORMS[form] for form, names in groups.items() for name in names.split()}


_FORMS: Final[dict[str, Column]] = {
    "boolean": Column(values.boolean),
    "container": Column(codes.container),
    "country": Column(codes.country),
    "currency": Column(codes.currency),
    "date": Column(values.text, "date"),
    "event_type": Column(values.word_of(*EVENT_TYPES)),
    "gtin": Column(codes.gtin),
    "hours": Column(codes.hours_of_week, "number"),
    "id": Column(values.ident),
    "ids": Column(values.ident_list),
    "latitude": Column(values.latitude, "number"),
    "list_kind": Column(values.word_of("region", "entity", "goods_country")),
    "longitude": Column(values.longitude, "number"),
    "month": Column(codes.month),
    "number": Column(values.number, "number"),
    "numbers": Column(values.number_list),
    "share": Column(values.share, "number"),
    "signed": Column(values.signed, "number"),
    "text": Column(values.text),
    "time": Column(values.text, "time"),
    "transport_mode": Column(values.word_of("sea", "road", "air", "rail", "multimodal")),
    "week": Column(codes.week_of_month, "number"),
    "weight_unit": Column(values.word_of("kg", "lb")),
    "whole": Column(values.whole, "number"),
}

EVENTS: Final = Kind(
    "events",
    _columns(
        id="event_id facility_id product_id lot_id shipment_id bill_of_lading from_facility_id "
        "to_facility_id certificate_id purchase_order",
        time="event_time",
        event_type="event_type",
        text="locode quantity_unit carrier source_system",
        latitude="latitude",
        longitude="longitude",
        ids="serial_ids input_lots input_product_ids",
        numbers="input_quantities",
        number="quantity gross_weight declared_value_usd",
        weight_unit="weight_unit",
        transport_mode="transport_mode",
        country="declared_origin_country",
        gtin="gtin",
        container="container_id",
        signed="temperature_c",
        date="batch_expiry_date",
    ),
    key=("event_id", "event_time", "event_type"),
    entity="event",
    version="event/1",
    type=EntryType.EVENT,
    on_change="conflict",
)
FACILITIES: Final = Kind(
    "facilities",
    _columns(
        id="facility_id",
        text="name facility_type region locode source_system",
        whole="tier opened_year",
        country="country",
        latitude="latitude",
        longitude="longitude",
        ids="product_ids",
        number="declared_capacity_per_month",
    ),
    key=("facility_id",),
    entity="facility",
    version="facility/1",
    type=EntryType.MASTER_DATA,
)
PRODUCTS: Final = Kind(
    "products",
    _columns(
        id="product_id input_product_id",
        text="hs_code unit chain name brand image_url",
        number="unit_weight_kg reference_value_usd input_units_per_output_unit",
        signed="min_temperature_c max_temperature_c",
        whole="stage",
        boolean="serialised",
        gtin="gtin",
    ),
    key=("product_id",),
    entity="product",
    version="product/1",
    type=EntryType.MASTER_DATA,
)
LABOUR: Final = Kind(
    "labour",
    _columns(
        id="facility_id output_product_id",
        month="month",
        number="headcount avg_weekly_hours total_hours gross_wages output_units min_worker_age "
        "recruitment_fee_usd grievances",
        share="share_age_docs_missing share_birthdate_jan1 share_age_exactly_18 migrant_share "
        "passports_held_share wage_deduction_share",
        currency="currency",
        date="last_audit_date audit_expiry_date",
        text="audit_scheme certified_claim",
    ),
    key=("facility_id", "month"),
    entity="labour",
    version="labour/1",
    type=EntryType.LABOUR,
)
TIMESHEETS: Final = Kind(
    "timesheets",
    _columns(
        id="facility_id worker_id", month="month", week="week", hours="hours", number="gross_pay"
    ),
    key=("facility_id", "month", "worker_id", "week"),
    entity="timesheet",
    version="timesheet/1",
    type=EntryType.LABOUR,
)
LEGAL_LIMITS: Final = Kind(
    "legal_limits",
    _columns(
        country="country",
        currency="currency",
        date="effective_from",
        number="usd_per_unit min_hourly_wage max_weekly_hours min_age",
    ),
    key=("country", "effective_from"),
    entity="legal_limit",
    version="legal_limit/1",
    type=EntryType.REFERENCE_DATA,
)
LOCATIONS: Final = Kind(
    "locations",
    _columns(id="locode", text="name country_region", latitude="latitude", longitude="longitude"),
    key=("locode",),
    entity="location",
    version="location/1",
    type=EntryType.MASTER_DATA,
)
WATCHLIST: Final = Kind(
    "watchlist",
    _columns(
        id="list_name",
        list_kind="kind",
        text="value goods note list_version valid_from valid_until",
    ),
    key=("list_name", "kind", "value"),
    optional_key=("goods",),
    entity="watchlist",
    version="watchlist/1",
    type=EntryType.REFERENCE_DATA,
)

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        *(LOCATIONS, LEGAL_LIMITS, WATCHLIST, PRODUCTS, FACILITIES),
        *(EVENTS, LABOUR, TIMESHEETS),
    )
}
"""Every native format, in the order in which a directory is taken: what others name comes first."""

KNOWN_COLUMNS: Final = frozenset(name for kind in KINDS.values() for name in kind.columns)
"""Every native column name."""
