"""The notes that an event can bear, by code, and what each means.

Codes are permanent: they stand in the log. A new one is a line here, and a rule.

Next: provenance/ingest/quality/rules.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIELD", "NOTES", "meaning", "private"]

FIELD: Final = "quality"
"""Where the codes stand in a content."""

NOTES: Final = {
    "date-order-decided": "the date can be read in two ways; other dates of the file decided",
    "time-zone-differs": "the time's offset from UTC does not fit the longitude of the place",
    "unit-missing": "a quantity without a unit, in a file that has a column for it",
    "weight-unit-missing": "a weight without a unit, in a file that has a column for it",
    "unit-mixup-suspected": "weight and quantity fit each other if kg and lb were mixed up",
    "weight-inconsistent": "the gross weight is less than the goods weigh, or three times as much",
    "value-decimal-suspected": "the value fits the product's if the decimal point was moved",
    "value-price-differs": "quantity times the price that the row names is not its value",
    "gtin-repaired": "leading zeros that a spreadsheet took off the GTIN were put back",
    "id-alike": "an id differs from another only in case or Unicode form",
    "currency-missing": "wages without a currency",
    "member-twice": "a member stands twice in the event; the last one was taken",
    "event-id-not-hash": "the eventID is a hash, and not the event hash of CBV 2.0",
}
"""Code -> what it says."""


def meaning(code: str) -> str:
    """Say what a code means; a later version's code is as good as its name."""
    return NOTES.get(code, code.replace("-", " "))


def private(tiers: Mapping[str, Tier]) -> dict[str, Tier]:
    """Add to a draft's tiers that its notes are private, whatever the log's policy says."""
    return {**tiers, f"/{FIELD}": Tier.PRIVATE}
