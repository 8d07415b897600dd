"""Quantities in the unit of their product, or unknown.

A quantity is only compared with another one of the same thing. Masses and
lengths convert among themselves; a mass of a counted product converts through
its unit weight; everything else stays unknown rather than guessed.

Next: detectors/geo.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.columns import codes, firsts, positive, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MIX_UPS",
    "PIECE",
    "amounts",
    "declared_unit",
    "is_measure",
    "mix_up",
    "unit_names",
    "unit_of",
]

_KG: Final = {"kg": 1.0, "g": 1e-3, "mg": 1e-6, "t": 1e3, "lb": 0.45359237, "oz": 0.028349523125}
_M: Final = {"m": 1.0, "mm": 1e-3, "cm": 1e-2, "km": 1e3, "yd": 0.9144, "ft": 0.3048}
_L: Final = {"l": 1.0, "ml": 1e-3, "gal": 3.785411784}
_DIMENSIONS: Final = (_KG, _M, _L)
_SPELLINGS: Final = {
    "kgs": "kg", "kilogram": "kg", "kilograms": "kg", "gram": "g", "grams": "g",
    "lbs": "lb", "pound": "lb", "pounds": "lb", "tonne": "t", "tonnes": "t",
    "metre": "m", "metres": "m", "meter": "m", "meters": "m", "litre": "l", "litres": "l",
    "units": "unit", "pc": "unit", "pcs": "unit", "piece": "unit", "pieces": "unit",
    "ea": "unit", "each": "unit", "cases": "case",
}  # fmt: skip

PIECE: Final = "unit"
"""What single pieces are counted in."""
MIX_UPS: Final = {
    "pounds recorded as kilograms": 1 / _KG["lb"],
    "kilograms recorded as pounds": _KG["lb"],
    "grams recorded as kilograms": 1e3,
    "kilograms recorded as grams": 1e-3,
}
"""Clerical slips by the factor they put on a quantity."""
_MIX_UP_WIDTH: Final = 0.03
_MOST: Final = 1e10
"""Kilograms, litres, metres or pieces: ten times the largest ships and mines move at once."""


def mix_up(ratio: float) -> str | None:
    """Name the clerical slip that would explain a quantity `ratio` times too large.

    Args:
        ratio: Recorded over expected quantity, above 0.
    """
    for cause, factor in MIX_UPS.items():
        if abs(ratio / factor - 1) <= _MIX_UP_WIDTH:
            return cause
    return None


def amounts(rows: pd.DataFrame, products: pd.DataFrame) -> NDArray[np.float64]:
    """Return each row's quantity in its product's unit; NaN where missing, absurd or unlike.

    Args:
        rows: With `product` (row in `products`, -1 for none), `product_id`, `quantity` and
            `quantity_unit`.
        products: A `products.catalogue`.
    """
    if rows.empty:
        return np.empty(0)
    names = ["product", "product_id", "quantity_unit"]
    group = codes(rows, names)
    kinds = rows[names].iloc[firsts(group)].reset_index(drop=True)
    kinds["recorded"] = unit_names(texts(kinds, "quantity_unit"))
    kinds["product_id"] = texts(kinds, "product_id")
    kinds["declared"] = kinds["product"].map(unit_names(products["unit"])).astype("str")
    # A product nobody declared is measured in one of its own units; rows in an unlike one
    # stay unknown.
    own = kinds.groupby("product_id")["recorded"].transform("min")
    kinds["declared"] = kinds["declared"].fillna(own.astype("str"))
    weights = kinds["product"].map(products["unit_weight_kg"])
    factors = [
        _factor(recorded, declared, float(weight))
        for recorded, declared, weight in zip(
            kinds["recorded"], kinds["declared"], weights, strict=True
        )
    ]
    found = positive(rows, "quantity") * np.asarray(factors, np.float64)[group]
    most = np.array([_most(one) for one in kinds["declared"]])
    return np.where(found <= most[group], found, np.nan)


def _most(unit: object) -> float:
    """Return more of a unit than any event can be about."""
    return next((_MOST / scale[unit] for scale in _DIMENSIONS if unit in scale), _MOST)


def is_measure(unit: object) -> bool:
    """Tell whether a unit measures a mass, length or volume: what it says is rounded, not counted.

    Args:
        unit: One of `unit_names`; anything else measures nothing.
    """
    return any(unit in scale for scale in _DIMENSIONS)


def unit_names(names: pd.Series) -> pd.Series:
    """Return one spelling of every unit of measure.

    Args:
        names: As they were recorded, missing where they are.
    """
    return pd.Series([_spelt(one) for one in names], names.index, dtype="str", name=names.name)


def _spelt(name: object) -> object:
    """Return the one spelling of a unit; what is no text as it is."""
    if not isinstance(name, str):
        return name
    plain = name.strip().lower()
    return _SPELLINGS.get(plain, plain)


def unit_of(product: int, recorded: object, products: pd.DataFrame) -> object:
    """Return the unit that one of `amounts` is in; missing where nobody said.

    Args:
        product: Its row in `products`, -1 for none.
        recorded: The unit that the row itself names.
        products: A `products.catalogue`.
    """
    declared = products["unit"].iloc[product] if product >= 0 else None
    return _spelt(declared if isinstance(declared, str) else recorded)


def declared_unit(product_id: str, products: pd.DataFrame) -> object:
    """Return the unit that a product was last declared in, by anybody; missing where it was not.

    Args:
        product_id: Of the product.
        products: A `products.catalogue`.
    """
    declared = products["unit"][products["product_id"] == product_id].dropna()
    return _spelt(declared.iloc[-1]) if len(declared) else None


def _factor(recorded: object, declared: object, unit_weight_kg: float) -> float:
    """Return what a recorded quantity is multiplied with; NaN where units are unlike."""
    if not isinstance(recorded, str) or recorded == declared:
        return 1.0
    if not isinstance(declared, str):
        return 1.0
    for scale in _DIMENSIONS:
        if recorded in scale and declared in scale:
            return scale[recorded] / scale[declared]
    if recorded in _KG and not any(declared in scale for scale in _DIMENSIONS):
        return _KG[recorded] / unit_weight_kg
    return float("nan")
