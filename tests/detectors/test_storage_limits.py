"""Readings held against the temperatures that master data declare."""

from __future__ import annotations

from typing import Any

import pytest
from asking import ask, flagged, reasons
from frame_factories import HAMBURG, PARTY, World
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.routes.readings import FAHRENHEIT, LEAST_SLIPS
from detectors.routes.storage_limits import TOLERANCE

DEGREES = st.integers(-300, 300).map(lambda tenths: tenths / 10)


def store(*readings: float, **declared: float | None) -> World:
    """A store that reads temperatures of one product, of which that much is declared."""
    world = World()
    world.site("STORE", HAMBURG)
    world.product("P", **_given(declared))
    for n, degrees in enumerate(readings):
        world.event("inspect", 24.0 * n, "STORE", items=[item("P")], temperature_c=degrees)
    return world


def _given(declared: dict[str, float | None]) -> dict[str, Any]:
    return {name: one for name, one in declared.items() if one is not None}


def item(product: str) -> dict[str, object]:
    """Some of a product."""
    return {"party": PARTY, "product_id": product, "lot_id": f"L-{product}", "quantity": 1.0}


@settings(max_examples=12)
@given(DEGREES, st.one_of(st.none(), DEGREES), st.one_of(st.none(), DEGREES))
def test_flagged_is_what_no_thermometer_within_its_class_explains(
    degrees: float, low: float | None, high: float | None
) -> None:
    """Beyond a declared limit by more than the tolerance, and only then; one limit is enough."""
    world = store(degrees, min_temperature_c=low, max_temperature_c=high)
    if (low is None and high is None) or (low is not None and high is not None and low > high):
        assert flagged("storage_limits", world) == {}
        return
    far = max(low - degrees if low is not None else 0, degrees - high if high is not None else 0)
    assert len(flagged("storage_limits", world)) == (far / TOLERANCE > 1)


def test_what_is_not_declared_or_contradicts_itself_is_named() -> None:
    """No limits, and a lowest above the highest: the reading is not judged, and why is said."""
    assert "declare no limits" in " ".join(reasons("storage_limits", store(90.0)))
    odd = store(90.0, min_temperature_c=8, max_temperature_c=2)
    assert "contradict each other" in " ".join(reasons("storage_limits", odd))


def test_flag_names_the_declaration_and_the_nearest_value() -> None:
    """The product's entry is evidence; the limit and what is allowed beyond it are stated."""
    world = store(11.0, min_temperature_c=2, max_temperature_c=8)
    (flag,) = flagged("storage_limits", world).values()
    (entry,) = world.frames().products["index"]
    assert entry in flag.account.evidence
    assert (flag.account.expected.low, flag.account.expected.high) == (2, 8)
    assert "8.5 °C" in flag.account.counterfactual


@pytest.mark.parametrize("figures", [1, LEAST_SLIPS])
def test_several_figures_in_fahrenheit_at_one_site_are_its_thermometer(figures: int) -> None:
    """One such figure is a flag that says what it may be; several rank as likely innocent."""
    world = store(*[41.0] * figures, min_temperature_c=2, max_temperature_c=8)
    found = flagged("storage_limits", world).values()
    finding = "possible" if figures < LEAST_SLIPS else "likely"
    assert [dict(flag.account.benign)[FAHRENHEIT] for flag in found] == [finding] * figures


def test_goods_together_are_held_against_the_strictest_of_their_limits() -> None:
    """One reading of two products: the one that suffers speaks for the event."""
    for first, second in (("P", "FISH"), ("FISH", "P")):
        world = store(max_temperature_c=18)
        world.product("FISH", max_temperature_c=2)
        items = [item(first), item(second)]
        world.event("receive", 9.0, "STORE", items=items, temperature_c=6.0)
        (flag,) = flagged("storage_limits", world).values()
        assert flag.account.sentence.startswith("FISH was at 6 °C")


def test_later_declaration_counts() -> None:
    """Master data that are declared anew are judged by as they stand."""
    world = store(9.0, max_temperature_c=8)
    assert ask("storage_limits", world).flags
    world.product("P", max_temperature_c=10)
    assert not ask("storage_limits", world).flags
