"""All rules on one row, in the order in which notes are listed.

A clean row must cost next to nothing: most rows are clean.

Next: provenance/ingest/drafts.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.ingest.quality.rules import as_float, is_far, value_note, weight_note

if TYPE_CHECKING:
    from collections.abc import Collection

    from provenance.entries import Content
    from provenance.ingest.quality.master import MasterData

__all__ = ["UTC_OFFSETS", "EventChecks"]

UTC_OFFSETS = frozenset({"", "+00:00", "-00:00"})
"""What many systems write wherever they stand: it says nothing about the place."""


class EventChecks:
    """Looks at the events of one file."""

    def __init__(self, master: MasterData | None, columns: Collection[str]) -> None:
        """Look at rows with these native `columns`; without master data, at the rows alone."""
        self._master = master
        self._has_unit = "quantity_unit" in columns
        self._has_weight_unit = "weight_unit" in columns

    def notes(self, found: Content, offset: str, *, decided: bool) -> list[str]:
        """Say what may be a slip.

        Args:
            found: The row's fields by native name, converted.
            offset: Of its time from UTC, as the row or the mapping has it; "" for UTC.
            decided: Other rows decided how its date is read.
        """
        notes = ["date-order-decided"] if decided else []
        if offset not in UTC_OFFSETS and self._is_elsewhere(found, offset):
            notes.append("time-zone-differs")
        weight, value = "gross_weight" in found, "declared_value_usd" in found
        if weight and self._has_weight_unit and "weight_unit" not in found:
            notes.append("weight-unit-missing")
        if "quantity" in found:
            if self._has_unit and "quantity_unit" not in found:
                notes.append("unit-missing")
            if weight or value:
                self._amounts(found, notes, weight=weight, value=value)
        return notes

    def _amounts(self, found: Content, notes: list[str], *, weight: bool, value: bool) -> None:
        name, master = found.get("product_id"), self._master
        product = master.product(name) if name is not None and master is not None else None
        quantity = as_float(found["quantity"])
        if weight and (note := weight_note(found, product, quantity)) is not None:
            notes.append(note)
        if value and product is not None:
            note = value_note(found, product, quantity)
            if note is not None:
                notes.append(note)

    def _is_elsewhere(self, found: Content, offset: str) -> bool:
        if "longitude" in found:
            return is_far(offset, as_float(found["longitude"]))
        if self._master is None or "facility_id" not in found:
            return False
        longitude = self._master.longitude(found["facility_id"])
        return longitude is not None and is_far(offset, longitude)
