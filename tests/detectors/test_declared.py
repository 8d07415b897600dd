"""Which records are held against others by weight and value: ships, or receipts in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from frame_factories import HAMBURG, SHANGHAI, World

from detectors.features import Features
from detectors.routes.shipments import KG_PER_LB, declared, grain, shipments
from detectors.routes.value_misdeclared import ValueMisdeclared
from detectors.routes.weight_misdeclared import WeightMisdeclared

if TYPE_CHECKING:
    from collections.abc import Iterable

ITEM = {"party": "acme", "product_id": "P", "lot_id": "L", "quantity": 10.0, "quantity_unit": "kg"}


def world() -> World:
    """Two sites and a product."""
    made = World()
    made.site("A", HAMBURG)
    made.site("B", SHANGHAI)
    made.product("P")
    return made


def line(made: World, kind: str, hour: float, shipment: str | None, **more: Any) -> str:
    """A ship or a receipt from A to B that declares a weight and a value."""
    declaration = {"gross_weight": 11.0, "weight_unit": "kg", "declared_value_usd": 50.0} | more
    return made.event(
        kind,
        hour,
        "A" if kind == "ship" else "B",
        from_facility_id="A",
        to_facility_id="B",
        shipment_id=shipment,
        items=[ITEM],
        **declaration,
    )


def subjects(table: Iterable[str]) -> set[str]:
    """The ids as a set."""
    return set(table)


def test_a_receipt_speaks_only_where_no_ship_does() -> None:
    """Receipts are judged where nobody recorded the shipment, by its sender; else the ship is."""
    made = world()
    shipped = line(made, "ship", 0, "S1")
    line(made, "receive", 50, "S1")
    alone = line(made, "receive", 60, "S2")
    line(made, "receive", 70, None)
    shared = Features(made.frames())

    table, several = declared(shared)
    assert subjects(table["subject_id"]) == {shipped, alone}
    assert subjects(table["shipper"]) == {"A"}
    assert len(set(table["product_shipper"])) == 1
    assert several.empty
    assert subjects(shipments(shared)[0]["subject_id"]) == {shipped}


def test_a_history_of_deliveries_alone_is_judged_whole() -> None:
    """Without any ship event in the record, receipts without a shipment id count as well."""
    made = world()
    named = [line(made, "receive", hour, None) for hour in range(3)]

    assert subjects(declared(Features(made.frames()))[0]["subject_id"]) == set(named)


@pytest.mark.parametrize("kind", ["ship", "receive"])
def test_the_only_weight_of_several_lines_is_nobodys_own(kind: str) -> None:
    """It may be that of all of them; two lines with a weight each, or a line alone, are judged."""
    made = world()
    only = line(made, kind, 0, "S1")
    bare = line(made, kind, 1, "S1", gross_weight=None)
    judged = {line(made, kind, 2, "S2"), line(made, kind, 3, "S2"), line(made, kind, 4, "S3")}
    shared = Features(made.frames())

    table, left_out = WeightMisdeclared().cases(shared)
    assert subjects(table["subject_id"]) == judged
    assert sum(one.count for one in left_out) == len({only, bare})
    values, _ = ValueMisdeclared().cases(shared)
    assert subjects(values["subject_id"]) == judged | {only, bare}


def loads(seed: int, size: int = 900) -> pd.DataFrame:
    """Loads of one product from three shippers: pieces of 0.4 kg, a carton of 0.9 for each 30."""
    dice = np.random.default_rng(seed)
    amount = dice.integers(2, 31, size).astype(float)
    shipper = dice.integers(0, 3, size)
    kg = (0.4 * amount + 0.9) * np.exp(dice.normal(0, 0.008, size))
    return pd.DataFrame(
        {
            "product": 0,
            "product_shipper": shipper,
            "product_lane": shipper,
            "month": dice.integers(0, 24, size),
            "amount": amount,
            "figure": np.round(kg, 1),
            "pounds": False,
            "shipper": shipper,
        }
    )


def standing_of(table: pd.DataFrame) -> pd.DataFrame:
    """Where each load stands by its weight, as it was written."""
    exact = grain(table["figure"], table["shipper"])
    ratio = np.log(table["figure"] / table["amount"])
    return WeightMisdeclared().standing(table.assign(ratio=ratio, kg_grain=exact))


def test_what_a_carton_weighs_is_no_false_weight() -> None:
    """Few pieces weigh more each, packing included, and are not far from usual; a tenth less is."""
    table = loads(1)
    assert np.abs(standing_of(table)["z"]).max() < 5
    wrong = int(table.index[table["amount"] > 20][0])
    table["figure"] = np.where(table.index == wrong, 0.9, 1.0) * table["figure"]
    z = np.abs(standing_of(table)["z"])
    assert z.idxmax() == wrong
    assert z[wrong] > 6


def test_whole_pounds_written_as_kilograms_are_still_a_slip() -> None:
    """Somebody who writes whole pounds as kilograms for weeks is recognised, rounding and all."""
    table = loads(2)
    slipped = (table["shipper"] == 1) & (table["month"] == 7)
    pounds = np.round(table["figure"] / KG_PER_LB)
    table.loc[slipped, "figure"] = pounds[slipped]
    found = standing_of(table)
    assert (found["benign"][slipped] != "").mean() > 0.8
    assert (np.abs(found["z"]) > 6).sum() <= 1
    assert (found["benign"][~slipped] != "").sum() <= 1


def test_what_samples_weigh_strays_further_than_what_loads_do() -> None:
    """Box and ice of a few pieces differ more than those of a load: so does what is odd of them."""
    table, dice = loads(2), np.random.default_rng(3)
    load = table.index >= 60
    strays = np.exp(np.where(load, 0, dice.normal(0, 0.08, len(table))))
    table["amount"] = np.where(load, 20 * table["amount"], 1)
    table["figure"] = np.round(0.4 * table["amount"] * strays * dice.normal(1, 0.01, len(table)), 3)
    sample, whole = 0, 100
    for odd in (sample, whole):
        table.loc[odd, "figure"] = 0.4 * table["amount"][odd] * 1.15
    z = np.abs(standing_of(table)["z"])
    assert z[sample] < 0.6 * z[whole]


def test_parcels_that_stray_many_times_as_far_as_loads_are_ordinary() -> None:
    """Boxes and ice of what was at hand: the parcels themselves tell how far they stray.

    What weighs wrong among loads stands out as before.
    """
    table, dice = loads(4), np.random.default_rng(5)
    load = table.index >= 60
    table["amount"] = np.where(load, 200 * table["amount"], dice.integers(1, 9, len(table)))
    box = np.where(load, 0.0, dice.uniform(0.5, 2, len(table)))
    table["figure"] = np.round(0.4 * table["amount"] * dice.normal(1, 0.01, len(table)) + box, 3)
    table.loc[100, "figure"] *= 1.15
    z = np.abs(standing_of(table)["z"].to_numpy())
    assert np.quantile(z[~load], 0.9) < 2.5
    assert z[100] > 6
