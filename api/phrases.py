"""Times, places and amounts of a record, written for a reader.

A phrase is empty when the record does not say; nothing is guessed.

Next: api/product.py
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from provenance.canonical import decimal
from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provenance.entries import Content

__all__ = ["amount", "country", "date", "day", "is_day_only", "long_date", "moment", "place"]

_LONGEST_NUMBER = 15


def is_day_only(content: Content) -> bool:
    """Whether the record gives the day but no time of day."""
    return content.get("time_precision") == "day"


def day(content: Content) -> str:
    """Write the day of `event_time`, "23 March 2024", in UTC."""
    when = _when(content)
    return "" if when is None else f"{when.day} {when:%B %Y}"


def date(content: Content) -> str:
    """Return the day of `event_time` in UTC as ISO 8601 has it, "2024-03-23"."""
    when = _when(content)
    return "" if when is None else when.date().isoformat()


def long_date(iso: str) -> str:
    """Write an ISO 8601 date for a reader."""
    return day({"event_time": iso})


def moment(content: Content) -> str:
    """Write `event_time` as precisely as it was recorded, "23 March 2024, 22:17 UTC"."""
    when = _when(content)
    if when is None or is_day_only(content):
        return day(content)
    return f"{day(content)}, {when:%H:%M} UTC"


def _when(content: Content) -> datetime | None:
    try:
        when = datetime.fromisoformat(str(content.get("event_time", "")))
        return when if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        return None


def place(content: Content, facilities: Mapping[str, Content]) -> str:
    """Write where an event took place: site and country, else the location's code."""
    facility_id = content.get("facility_id")
    if isinstance(facility_id, str):
        site = facilities.get(facility_id, {})
        parts = [str(site.get("name") or facility_id), country(site.get("country"))]
        return ", ".join(part for part in parts if part)
    locode = content.get("locode")
    return str(locode) if locode else ""


def country(code: object) -> str:
    """Write an ISO 3166-1 alpha-2 code as the country's name, an unknown code as it is."""
    return _country(code) if isinstance(code, str) else ""


@cache
def _country(code: str) -> str:
    import pycountry  # noqa: PLC0415 - its tables are read when the first page needs them

    found = pycountry.countries.get(alpha_2=code)
    return str(getattr(found, "common_name", found.name)) if found else code


def amount(content: Content) -> str:
    """Write `quantity` and `quantity_unit`, "1,250.5 kg"; empty without a quantity."""
    try:
        quantity = decimal(content.get("quantity"))
    except EncodingError:
        return ""
    if quantity is None:
        return ""
    plain = abs(quantity.adjusted()) <= _LONGEST_NUMBER
    number = f"{quantity:,f}" if plain else str(quantity)
    unit = str(content.get("quantity_unit", ""))
    return f"{number} {unit}{'s' if unit == 'unit' and quantity != 1 else ''}".rstrip()
