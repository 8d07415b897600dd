"""Which records are held against others by weight and value: ships, or receipts in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from frame_factories import HAMBURG, SHANGHAI, World

from detectors.features import Features
from detectors.routes.shipments import declared, shipments
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
    assert table["product_shipper"].nunique() == 1
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
