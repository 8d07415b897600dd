"""Quantities in the unit of their product, or unknown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from frame_factories import World

from detectors.features import Features


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
