"""Quantities in the unit of their product, or unknown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from frame_factories import World

from detectors.features import Features
from detectors.rules import much, unit_in_words
from detectors.units import unit_of


@pytest.mark.parametrize(
    ("unit", "quantity", "known"),
    [("kg", 9e9, True), ("kg", 1e12, False), ("t", 9e6, True), ("t", 1e9, False),
     ("unit", 9e9, True), ("unit", 1e12, False), ("case", 1e12, False)],
)  # fmt: skip
def test_more_than_any_vessel_carries_is_no_quantity(
    unit: str, quantity: float, *, known: bool
) -> None:
    """A figure that no event can be about is a slip: what was meant is unknown."""
    world = World()
    world.site("A")
    world.product("P", unit=unit)
    world.make(0, "A", "L", quantity)
    amount = Features(world.frames()).rows["amount"].to_numpy()
    assert np.array_equal(amount, [quantity if known else np.nan], equal_nan=True)


def test_a_limit_is_one_in_every_unit() -> None:
    """Twenty million tonnes are as unknown in grams as in kilograms."""
    world = World()
    world.site("A")
    world.product("P")
    world.make(0, "A", "L", 2e13)
    world.make(0, "A", "M", 8e12)
    for (_, content), unit in zip(world.entries[-2:], "gg", strict=True):
        content["items"][0]["quantity_unit"] = unit
    assert pd.isna(Features(world.frames()).rows["amount"]).tolist() == [True, False]


@pytest.mark.parametrize(
    ("amount", "unit", "words"),
    [(1440.0, "kg", "1,440 kg"), (1.0, "unit", "1 piece"), (12.0, "unit", "12 pieces"),
     (0.0, "case", "0 cases"), (0.5, "t", "0.5 t"), (12.0, None, "12"), (12.0, "", "12")],
)  # fmt: skip
def test_a_quantity_is_written_with_its_unit(amount: float, unit: str | None, words: str) -> None:
    """What is counted has a plural, what is measured has not, what is unknown is left out."""
    assert much(amount, unit) == words


@pytest.mark.parametrize(
    ("unit", "words"), [("kg", "kg"), ("unit", "pieces"), ("case", "cases"), (None, "units")]
)
def test_what_was_observed_names_the_unit_of_the_sentence(unit: str | None, words: str) -> None:
    """A figure that stands beside its unit has the unit of the sentence, and never none."""
    assert unit_in_words(unit) == words


def test_the_unit_of_a_row_is_the_one_its_amount_is_in() -> None:
    """Grams of a product declared in kilograms count as kilograms; undeclared, as they came."""
    world = World()
    world.site("A")
    world.product("P", unit="KGS")
    world.make(0, "A", "L", 10.0)
    world.make(0, "A", "M", 10.0, "Q")
    for _, content in world.entries[-2:]:
        content["items"][0]["quantity_unit"] = "g"
    shared = Features(world.frames())
    found = [
        unit_of(int(row["product"]), row["quantity_unit"], shared.products)
        for row in map(shared.row, (0, 1))
    ]
    assert found == ["kg", "g"]
