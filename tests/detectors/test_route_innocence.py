"""What looks wrong on a route and is not: slips, returns, other units, names of other firms."""

from __future__ import annotations

import pytest
from asking import flagged, reasons
from frame_factories import PARTY
from planted_routes import WRONG, Trade

from detectors.names import MIN_SIMILARITY, essence, similarity


def test_pounds_written_as_kilograms_are_no_misdeclared_weight() -> None:
    """A number of pounds under "kg" is a note on data quality; the same factor down is not."""
    trade = Trade(onward=lambda given: {"gross_weight": given["gross_weight"] * 2.2046})
    assert flagged("weight_misdeclared", trade.world) == {}
    lower = Trade(onward=lambda given: {"gross_weight": given["gross_weight"] / 2.2046})
    assert set(flagged("weight_misdeclared", lower.world)) == {lower.lots[WRONG]["onward"]}


def test_piece_brought_back_and_sold_again_is_no_clone() -> None:
    """Received at the shop that sold it, and sold there once more."""
    trade = Trade()
    hour, piece = 48.0 * WRONG + 600, [f"{WRONG}-0"]
    trade.tell("receive", hour, "CITY", f"L{WRONG}", pieces=piece)
    trade.tell("sell", hour + 50, "CITY", f"L{WRONG}", pieces=piece)
    assert flagged("cloned_serial", trade.world) == {}


def test_one_forgotten_scan_makes_no_clone() -> None:
    """A piece whose arrival at the hub nobody scanned is still the same piece."""
    trade = Trade(hub=lambda _: {"pieces": None})
    assert flagged("cloned_serial", trade.world) == {}


def test_degrees_fahrenheit_of_a_site_are_told_apart() -> None:
    """39.2 °F are 4 °C: where a site writes several such figures, it is the thermometer's scale."""
    trade = Trade()
    for n in range(3):
        item = {"party": PARTY, "product_id": "P", "lot_id": f"L{n}", "quantity": 1.0}
        trade.world.event("inspect", 48.0 * n + 900, "FAR", items=[item], temperature_c=39.2)
    assert flagged("cold_chain_breach", trade.world) == {}


def test_one_figure_that_could_be_fahrenheit_is_a_flag_that_says_so() -> None:
    """A single reading of 39.2 may be a slip as well as goods that got warm."""
    trade = Trade(hub=lambda _: {"temperature_c": 39.2})
    (flag,) = flagged("cold_chain_breach", trade.world).values()
    assert ("degrees Fahrenheit written as Celsius", "possible") in flag.account.benign


def test_goods_sent_back_make_no_detour_and_no_new_lane() -> None:
    """A buyer returns a lot to the hub, which returns it to the works."""
    trade = Trade()
    hour = 48.0 * WRONG + 800
    for n, (start, end) in enumerate((("CITY", "HUB"), ("HUB", "WEST"))):
        ends = {"from_facility_id": start, "to_facility_id": end, "shipment_id": f"R{n}"}
        trade.tell("ship", hour + 60 * n, start, f"L{WRONG}", **ends)
        trade.tell("receive", hour + 60 * n + 24, end, f"L{WRONG}", **ends)
    assert flagged("route_detour", trade.world) == {}
    assert flagged("lane_novelty", trade.world) == {}


def test_young_lane_is_not_judged() -> None:
    """A first load a week before the record ends may be the first of many."""
    trade = Trade()
    hour = 48.0 * 108
    trade.tell("produce", hour, "NORTH", "LX")
    ends = {"from_facility_id": "NORTH", "to_facility_id": "FAR", "shipment_id": "X1"}
    first = trade.tell("ship", hour + 9, "NORTH", "LX", **ends)
    assert flagged("lane_novelty", trade.world) == {}
    assert first not in {
        one for some in reasons("lane_novelty", Trade().world).values() for one in some
    }


@pytest.mark.parametrize(
    ("name", "other", "alike"),
    [
        ("Sahel Beans Trading Sarl", "SAHEL BEAN TRADERS SARL", True),
        ("Shandong Weihai Fishery", "Shandong Weihei Fisheries Co., Ltd.", True),
        ("Anatolia Leather", "Anatolian Leather Ind.", True),
        ("Pacific Cotton Export", "Pacific Copper Export", False),
        ("Bengal Jute Works", "Bengal Jute Industries of Dhaka", False),
        ("North River Farm 12", "North River Farm 13", False),
        ("Kelani Consolidation", "Kelani Maritime Holdings", False),
    ],
)
def test_names_are_compared_word_by_word(name: str, other: str, *, alike: bool) -> None:
    """Stems and a slip of the pen make no other firm; another word or number does."""
    assert (similarity(essence(name), essence(other)) >= MIN_SIMILARITY) is alike
