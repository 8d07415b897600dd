"""Event rows as the source systems export them: formats, units, clocks, gaps, repeats.

Several systems fed the one file. Each has its own way to write a time, its own
clock error, its own scales; some scans were missed, some were sent twice.

Next: samples/tables.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from samples.goods import UNIT
from samples.workdays import END, offset_hours

if TYPE_CHECKING:
    from samples.dice import Dice
    from samples.world import Row, World

__all__ = ["EVENT_COLUMNS", "event_cells", "event_rows", "quantity_text"]

EVENT_COLUMNS = (
    "event_id",
    "event_time",
    "event_type",
    "facility_id",
    "locode",
    "latitude",
    "longitude",
    "product_id",
    "lot_id",
    "serial_ids",
    "quantity",
    "quantity_unit",
    "gross_weight",
    "weight_unit",
    "declared_value_usd",
    "shipment_id",
    "bill_of_lading",
    "from_facility_id",
    "to_facility_id",
    "transport_mode",
    "carrier",
    "declared_origin_country",
    "input_lots",
    "input_quantities",
    "source_system",
    "gtin",
    "container_id",
    "temperature_c",
    "certificate_id",
    "batch_expiry_date",
    "seal_no",
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOON = 12
_POUND = 2.20462262
_MISSED = 0.006
_REPEATED = 0.0016
_NEW_SCALE = (datetime(2023, 8, 14, tzinfo=UTC), datetime(2023, 10, 9, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class _System:
    """A source system: the prefix of its event ids, its clock error, what it records."""

    prefix: str
    clock_minutes: int
    position: bool = False
    pounds: bool = False


_SYSTEMS = {
    "agri-app": _System("AG", 0, position=True),
    "mill-erp": _System("ME", 2),
    "stitchline": _System("ST", -3),
    "coop-ledger": _System("CL", 4),
    "portlink": _System("PL", 0, position=True),
    "sap-west": _System("SW", -1),
    "us-edi": _System("UE", 1, pounds=True),
    "pos-us": _System("PU", -2, pounds=True),
    "coldtrace": _System("CT", 0),
}


def _system(row: Row) -> str:
    """Return the system a scan came from; store thermometers have their own."""
    return "coldtrace" if row.kind == "store" and "temperature_c" in row.cells else row.site.system


def _clock_text(row: Row, dice: Dice) -> str:
    """Write a time as its system does, clock error included; UTC where no offset is shown."""
    name = _system(row)
    jitter = timedelta(seconds=dice.whole(-40, 40))
    when = row.when + timedelta(minutes=_SYSTEMS[name].clock_minutes) + jitter
    if name == "agri-app":
        day_only = row.kind == "produce" and dice.chance(0.06)
        return f"{when:%Y-%m-%d}" if day_only else f"{when:%Y-%m-%dT%H:%M:%SZ}"
    if name == "mill-erp":
        return f"{when:%Y-%m-%d %H:%M:%S}"
    if name in {"stitchline", "coop-ledger"}:
        return f"{when:%d/%m/%Y %H:%M}"
    if name == "us-edi":
        half = "AM" if when.hour < _NOON else "PM"
        hour = when.hour % _NOON or _NOON
        return f"{_MONTHS[when.month - 1]} {when:%d %Y} {hour:02d}:{when:%M} {half}"
    if name == "pos-us":
        return f"{when:%m/%d/%Y %H:%M}"
    if name == "coldtrace":
        return str(int(when.timestamp()))
    shift = offset_hours(row.site)
    local = when + timedelta(hours=shift)
    minutes = int(shift * 60)
    sign = "-" if minutes < 0 else "+"
    return f"{local:%Y-%m-%dT%H:%M:%S}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def quantity_text(tenths: int) -> str:
    """Write tenths of a unit with one decimal where it is not zero."""
    whole, rest = divmod(tenths, UNIT)
    return f"{whole}.{rest}" if rest else str(whole)


def _amount(row: Row) -> tuple[str, str]:
    """Write the quantity and its unit; Ecuador trades cocoa in pounds."""
    product = row.lot.product
    if row.site.country == "EC" and product.unit == "kg":
        return f"{row.quantity / UNIT * _POUND:.1f}", "lb"
    return quantity_text(row.quantity), product.unit


def _weight(row: Row, dice: Dice) -> tuple[str, str]:
    """Write the scale's reading; a new American scale wrote pounds under "kg" for weeks."""
    if not row.weight_grams:
        return "", ""
    if not row.locked and dice.chance(0.008):
        return dice.pick(("N/A", "", f"See DN-{dice.whole(100, 999):06d}", "-")), ""
    kilos = row.weight_grams / 1000
    if not _SYSTEMS[row.site.system].pounds:
        return f"{kilos:.1f}", "kg"
    mixed_up = _NEW_SCALE[0] <= row.when < _NEW_SCALE[1] and row.site.system == "us-edi"
    return f"{kilos * _POUND:.1f}", "kg" if mixed_up else "lb"


def _inputs(row: Row) -> dict[str, str]:
    """Write a transform's inputs; `stitchline` gives quantities only for mixed batches."""
    lots = ";".join(lot for lot, _ in row.inputs)
    implied = row.site.system == "stitchline" and len(row.inputs) == 1
    if implied or row.site.country == "EC":
        return {"input_lots": lots}
    amounts = ";".join(quantity_text(quantity) for _, quantity in row.inputs)
    return {"input_lots": lots, "input_quantities": amounts}


def event_cells(row: Row, dice: Dice) -> dict[str, str]:
    """Write one scan as text, in its system's way.

    Args:
        row: The scan, with its `event_id` set.
        dice: The stream of this row's small accidents.

    Returns:
        The non-empty cells by column.
    """
    system = _SYSTEMS[_system(row)]
    amount, unit = _amount(row)
    weight, weight_unit = _weight(row, dice)
    cells = row.cells | {
        "event_id": row.event_id,
        "event_time": _clock_text(row, dice),
        "event_type": row.kind,
        "facility_id": row.site.id,
        "locode": row.site.locode,
        "product_id": row.lot.product.id,
        "lot_id": row.lot.id,
        "serial_ids": ";".join(row.serials),
        "quantity": amount,
        "quantity_unit": unit,
        "gross_weight": weight,
        "weight_unit": weight_unit,
        "source_system": _system(row),
        "gtin": row.lot.product.gtin,
    }
    if row.inputs:
        cells |= _inputs(row)
    if system.position:
        cells["latitude"] = f"{row.site.latitude + dice.between(-0.012, 0.012):.4f}"
        cells["longitude"] = f"{row.site.longitude + dice.between(-0.012, 0.012):.4f}"
    if cells.get("container_id") and row.kind == "ship":
        cells["seal_no"] = f"{dice.whole(10**6, 10**7 - 1)}"
    if not row.locked and dice.chance(0.006):
        blank = dice.pick(("declared_value_usd", "carrier"))
        cells |= {blank: "N/A"} if blank in cells else {}
    return {name: cells[name] for name in EVENT_COLUMNS if cells.get(name)}


def event_rows(world: World) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Write all scans of a world.

    Returns:
        The rows of the export in the order of their times, exact repeats
        included, and the rows of scans that were missed.
    """
    rows = [row for row in world.rows if row.when < END]
    rows.sort(key=lambda row: (row.when, row.order))
    counts: defaultdict[str, int] = defaultdict(lambda: 100_000)
    planted = [row for row in rows if row.locked]
    safe_bills = {row.cells.get("bill_of_lading", "") for row in planted}
    safe_lots = {row.lot.id for row in planted}
    written: list[dict[str, str]] = []
    missed: list[dict[str, str]] = []
    for row in rows:
        prefix = _SYSTEMS[_system(row)].prefix
        counts[prefix] += 1
        row.event_id = f"{prefix}-{counts[prefix]}"
        dice = world.dice("export", row.kind, row.site.id, row.lot.id, str(row.quantity))
        cells = event_cells(row, dice)
        planted_around = row.cells.get("bill_of_lading") in safe_bills or row.lot.id in safe_lots
        if row.kind in {"ship", "receive"} and not planted_around and dice.chance(_MISSED):
            missed.append(cells)
            continue
        written += [cells] * (1 + dice.chance(_REPEATED))
    return written, missed
