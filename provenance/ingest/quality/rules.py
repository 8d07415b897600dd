"""Rules on converted rows: each looks for one kind of slip. Pure.

A slip is something that one wrong word or digit explains. Whether goods are
really lighter or cheaper than they should be is for the detectors; a note only
tells them that there is a harmless explanation.

Next: provenance/ingest/quality/master.py
"""

from __future__ import annotations

import re
from math import log10
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from provenance.entries import Content

__all__ = [
    "Product",
    "as_float",
    "is_far",
    "labour_notes",
    "price_note",
    "value_note",
    "weight_note",
]

_KG: Final = {"kg": 1.0, "g": 0.001, "lb": 0.45359237, "t": 1000.0}
_LIGHTEST: Final = 1.0
"""Below so many kg a rounded weight says nothing."""
_POUND: Final = _KG["lb"]
_LEAST, _USUAL = 0.97, 2.1
"""Gross over net weight: packaging up to as much again, and scales that round."""
_MIXED_UP: Final = ((0.43, 0.545), (2.1, 2.65))
"""The same after a mix-up of kg and lb, with packaging of up to a fifth."""
_HEAVIEST: Final = 3.0
_CHEAP, _DEAR = 0.2, 5.0
"""Value over what the product is worth: prices move, and grades differ."""
_PLACES: Final = 4
_NEAR: Final = 0.1
_PRICE: Final = re.compile(r"\d{1,15}(?:\.\d{1,15})?\Z", re.ASCII)
_SMALL_CHANGE: Final = 0.01
_SLACK: Final = 0.005
"""A sum may be rounded too, and bear a small charge."""
_HOURS_APART: Final = 3.5
"""Further than any legal time is from the sun's: western China keeps 3 hours, Spain 2.6."""


class Product(NamedTuple):
    """What master data say of a product; None where they say nothing.

    Attributes:
        unit: What it is counted in.
        weight: Kilograms of one unit.
        price: US dollars of one unit.
    """

    unit: str | None = None
    weight: float | None = None
    price: float | None = None


def as_float(value: Any) -> float:
    """Return a number of a content, near enough to compare."""
    return value if type(value) is int else float(value["_d"])


def weight_note(found: Content, product: Product | None, quantity: float) -> str | None:
    """Compare the gross weight of a row with what its goods weigh."""
    unit = found.get("quantity_unit") or (product.unit if product else None)
    each = _KG.get(unit or "")
    if each is None:
        if product is None or product.weight is None or unit != product.unit:
            return None
        each = product.weight
    net = quantity * each
    if net < _LIGHTEST:
        return None
    gross = as_float(found["gross_weight"])
    ratio = (gross * _POUND if found.get("weight_unit") == "lb" else gross) / net
    if _LEAST <= ratio < _USUAL:
        return None
    if any(low <= ratio <= high for low, high in _MIXED_UP):
        return "unit-mixup-suspected"
    return None if _USUAL <= ratio <= _HEAVIEST else "weight-inconsistent"


def value_note(found: Content, product: Product, quantity: float) -> str | None:
    """Say whether moving the decimal point brings the value near to the product's."""
    if product.price is None:
        return None
    worth, unit = quantity * product.price, found.get("quantity_unit")
    value = as_float(found["declared_value_usd"])
    if worth * _CHEAP < value < worth * _DEAR or not worth or not value:
        return None
    if unit is not None and unit != product.unit:
        return None
    places = log10(value / worth)
    near = abs(places - round(places)) <= _NEAR and abs(round(places)) <= _PLACES
    return "value-decimal-suspected" if near else None


def price_note(found: Content, price: str) -> str | None:
    """Compare quantity times the price that the row itself names with the row's value.

    A price is rounded, so half of its last digit is allowed for each unit.
    """
    if not _PRICE.match(price) or "quantity" not in found or "declared_value_usd" not in found:
        return None
    quantity, value = as_float(found["quantity"]), as_float(found["declared_value_usd"])
    rounded = quantity * 0.5 * 10.0 ** -len(price.partition(".")[2])
    allowed = _SMALL_CHANGE + rounded + value * _SLACK
    return "value-price-differs" if abs(quantity * float(price) - value) > allowed else None


def is_far(offset: str, longitude: float) -> bool:
    """Say whether an offset such as "+02:00" cannot be the legal time at a longitude."""
    hours = int(offset[:3]) + int(offset[0] + offset[4:6]) / 60
    apart = abs(hours - longitude / 15) % 24
    return min(apart, 24 - apart) > _HOURS_APART


def labour_notes(found: Content) -> list[str]:
    """Look at a labour month."""
    unsaid = "gross_wages" in found and "currency" not in found
    return ["currency-missing"] if unsaid else []
