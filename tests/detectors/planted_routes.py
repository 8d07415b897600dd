"""A trade with everything a route detector looks at, and one wrong planted in it at a time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from frame_factories import BREMEN, HAMBURG, PARTY, World

if TYPE_CHECKING:
    from collections.abc import Callable

SITES = {
    "NORTH": HAMBURG,
    "WEST": BREMEN,
    "HUB": (52.5, 13.4),
    "CITY": (48.1, 11.6),
    "TOWN": (50.1, 8.7),
    "FAR": (40.4, -3.7),
}
STAGES = {
    "made": "produce",
    "out": "ship",
    "hub": "receive",
    "onward": "ship",
    "arrived": "receive",
    "sold": "sell",
}
WRONG = 41
"""The lot that a planted world changes."""


class Trade:
    """Lots made at two works go through a hub to two buyers, who sell them piece by piece.

    Attributes:
        world: The world being told.
        lots: Each lot's events by what they are: made, out, hub, onward, arrived, sold.
    """

    def __init__(self, lots: int = 110, seed: int = 5, **changes: Callable[..., Any]) -> None:
        """Tell the whole trade.

        Args:
            lots: How many lots there are.
            seed: Names the world.
            changes: By stage, what changes the keywords of lot `WRONG`: a function of them.
        """
        self.world, self._dice = World(), random.Random(seed)
        self.lots: list[dict[str, str]] = []
        self._changes = changes
        for name, at in SITES.items():
            self.world.site(name, at)
        self.world.product("P", unit_weight_kg=1.0, min_temperature_c=2.0, max_temperature_c=8.0)
        for n in range(lots):
            self.lots.append(self._lot(n))

    def _lot(self, n: int) -> dict[str, str]:
        dice, maker, buyer = self._dice, ("NORTH", "WEST")[n % 2], ("CITY", "TOWN")[n // 2 % 2]
        pieces = [f"{n}-{piece}" for piece in range(3)]
        hour, done = 48.0 * n, {}
        done["made"] = self._event(n, "made", hour, maker)
        hour += 40 * dice.lognormvariate(0, 0.3)
        more = {"from_facility_id": maker, "to_facility_id": "HUB", "shipment_id": f"S{n}"}
        done["out"] = self._event(n, "out", hour, maker, pieces=pieces, **more)
        hour += 12 * dice.lognormvariate(0, 0.15)
        done["hub"] = self._event(n, "hub", hour, "HUB", pieces=pieces, **more)
        hour += 60 * dice.lognormvariate(0, 0.3)
        if n == WRONG and "held" in self._changes:
            hour += self._changes["held"]()
        more = {"from_facility_id": "HUB", "to_facility_id": buyer, "shipment_id": f"T{n}"}
        done["onward"] = self._event(n, "onward", hour, "HUB", pieces=pieces, **more)
        hour += 24 * dice.lognormvariate(0, 0.15)
        done["arrived"] = self._event(n, "arrived", hour, buyer, pieces=pieces, **more)
        hour += 100 * dice.lognormvariate(0, 0.3)
        done["sold"] = self._event(n, "sold", hour, buyer, pieces=pieces[:1])
        return done

    def _event(self, n: int, stage: str, hour: float, site: str, **more: Any) -> str:
        dice, kind = self._dice, STAGES[stage]
        given = {"hour": hour, "site": site, "lot": f"L{n}", **more}
        given["temperature_c"] = round(4 + dice.gauss(0, 0.5), 1)
        given["declared_origin_country"] = "DE"
        given["bill_of_lading"] = f"B{n}" if kind == "ship" else None
        given["transport_mode"] = "road" if kind in ("ship", "receive") else None
        if kind == "ship":
            given["gross_weight"] = round(104 * dice.lognormvariate(0, 0.03), 2)
            given["weight_unit"] = "kg"
            given["declared_value_usd"] = round(1200 * dice.lognormvariate(0, 0.06), 2)
        if n == WRONG and stage in self._changes:
            given = given | self._changes[stage](given)
        return self.tell(kind, **given)

    def tell(self, kind: str, hour: float, site: str, lot: str, **more: Any) -> str:
        """Add one event of a lot, with the serials of its pieces."""
        item = {
            "party": PARTY,
            "product_id": "P",
            "lot_id": lot,
            "quantity": 1.0 if kind == "sell" else 100.0,
            "serial_ids": more.pop("pieces", None),
        }
        item = {name: value for name, value in item.items() if value is not None}
        return self.world.event(kind, hour, site, items=[item], **more)


def clean_trade() -> World:
    """A trade with nothing wrong in it."""
    return Trade().world


def lighter() -> tuple[World, str]:
    """A shipment declared at six tenths of its weight."""
    trade = Trade(onward=lambda given: {"gross_weight": given["gross_weight"] * 0.6})
    return trade.world, trade.lots[WRONG]["onward"]


def cheaper() -> tuple[World, str]:
    """A shipment declared at a third of its price."""
    trade = Trade(onward=lambda given: {"declared_value_usd": given["declared_value_usd"] / 3})
    return trade.world, trade.lots[WRONG]["onward"]


def held_back() -> tuple[World, str]:
    """Goods that stay at the hub for six weeks more."""
    trade = Trade(held=lambda: 24 * 42.0)
    return trade.world, trade.lots[WRONG]["onward"]


def hurried() -> tuple[World, str]:
    """A trip of a day done in five hours: no vehicle is too slow for that, but none does it."""
    left: list[float] = []

    def leaving(given: dict[str, Any]) -> dict[str, Any]:
        left.append(given["hour"])
        return {}

    trade = Trade(onward=leaving, arrived=lambda _: {"hour": left[0] + 5})
    return trade.world, trade.lots[WRONG]["arrived"]


def round_about() -> tuple[World, str]:
    """A lot that goes from its works to the hub by way of Madrid."""
    trade = Trade(out=lambda _: {"to_facility_id": "FAR", "shipment_id": "X1"})
    hour = 48.0 * WRONG + 120
    more = {"from_facility_id": "FAR", "to_facility_id": "HUB", "shipment_id": f"S{WRONG}"}
    trade.tell("ship", hour, "FAR", f"L{WRONG}", **more)
    return trade.world, trade.lots[WRONG]["out"]


def once_only() -> tuple[World, str]:
    """One load from a works to a firm that neither bought before nor does again."""
    trade = Trade(lots=150)
    trade.tell("produce", 500, "NORTH", "LX")
    more = {"from_facility_id": "NORTH", "to_facility_id": "FAR", "shipment_id": "X1"}
    return trade.world, trade.tell("ship", 540, "NORTH", "LX", **more)


def relabelled() -> tuple[World, str]:
    """A lot that comes to the hub as German goods and leaves it as Dutch ones."""
    dutch = {"declared_origin_country": "NL"}
    trade = Trade(onward=lambda _: dutch, arrived=lambda _: dutch)
    return trade.world, trade.lots[WRONG]["onward"]


def copied() -> tuple[World, str]:
    """A piece that one buyer holds, sold by the other."""
    trade = Trade()
    hour = 48.0 * WRONG + 400
    return trade.world, trade.tell("sell", hour, "TOWN", f"L{WRONG}", pieces=[f"{WRONG - 1}-2"])


def on_paper() -> tuple[World, str]:
    """A shipment of a lot that nobody made and that never came."""
    trade = Trade()
    more = {"from_facility_id": "NORTH", "to_facility_id": "HUB", "shipment_id": "X1"}
    return trade.world, trade.tell("ship", 2000, "NORTH", "LX", **more)


def backwards() -> tuple[World, str]:
    """A receipt two days before the goods left."""
    trade = Trade(arrived=lambda given: {"hour": given["hour"] - 72})
    return trade.world, trade.lots[WRONG]["arrived"]


def too_warm() -> tuple[World, str]:
    """A reading of 14 degrees where 4 are kept."""
    trade = Trade(hub=lambda _: {"temperature_c": 14.0})
    return trade.world, trade.lots[WRONG]["hub"]


def beyond_limits() -> tuple[World, str]:
    """A reading of 8.6 degrees of goods that must never be warmer than 8."""
    trade = Trade(hub=lambda _: {"temperature_c": 8.6})
    return trade.world, trade.lots[WRONG]["hub"]


ROUTES: dict[str, Callable[[], tuple[World, str]]] = {
    "cloned_serial": copied,
    "cold_chain_breach": too_warm,
    "dwell_anomaly": held_back,
    "lane_novelty": once_only,
    "origin_laundering": relabelled,
    "phantom_shipment": on_paper,
    "route_detour": round_about,
    "storage_limits": beyond_limits,
    "temporal_order": backwards,
    "travel_time": hurried,
    "value_misdeclared": cheaper,
    "weight_misdeclared": lighter,
}
