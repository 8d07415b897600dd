"""Schemes on the way: detours, odd buyers, long waits, forged receipts, lost hands.

Next: samples/doubles.py
"""

# ruff: noqa: ARG002 - a hook's arguments are what the world offers, not what each scheme needs

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from samples.freight import dispatch
from samples.goods import UNIT
from samples.places import SITES, distance_km
from samples.routes import Leg, continent
from samples.scheme import Scheme
from samples.strength import SPREADS

if TYPE_CHECKING:
    from datetime import datetime

    from samples.freight import Consignment
    from samples.places import Site
    from samples.strength import Strength
    from samples.world import Parcel, Row, World

__all__ = ["Backdated", "Detour", "ForgedReceipt", "LongWait", "LostHands", "OddBuyer", "SideSale"]
__all__ += ["TopUp"]

_FAR_KM = 700
_NEAR_KM = 60
_FASTEST = {"sea": 50, "road": 110, "rail": 140, "air": 950}  # km/h, door to door
_STAYS = {"distribution_centre": "stock", "exporter": "collecting", "trader": "collecting"}
_STOPS = frozenset(("port", "distribution_centre", "trader", "exporter", "grinder"))


class Detour(Scheme):
    """A lorry calls at a yard far off its way, to swap or hide part of the load."""

    deeds = 4

    def plan(self, world: World, load: Consignment) -> None:
        """Insert a stop that nobody needs."""
        leg = load.legs[0]
        stops = [stop for stop in SITES.values() if _far_off(leg, stop, world.strength)]
        if leg.mode != "road" or load.touched or not stops or not self.occasion():
            return
        load.touched = True
        stop = world.dice("detour", load.bill, load.start.id).pick(stops)
        load.legs[:1] = [
            Leg(leg.start, stop, "road", round(distance_km(leg.start, stop) * 1.27)),
            Leg(stop, leg.end, "road", round(distance_km(stop, leg.end) * 1.27)),
        ]
        self.mine[load] = 2

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the legs into and out of the stop."""
        if self.mine.get(load, 0) > load.leg:
            note = ("leaves for a yard far off its way", "leaves the yard far off its way")
            for row in rows:
                world.label(row, "route_detour", note[load.leg])


def _far_off(leg: Leg, stop: Site, strength: Strength | None) -> bool:
    """Whether a stop makes the leg much longer (by so much, given a strength), overland."""
    if stop.kind not in _STOPS or stop.id in {leg.start.id, leg.end.id}:
        return False
    if {continent(leg.start), continent(leg.end)} != {continent(stop)}:
        return False
    around = distance_km(leg.start, stop) + distance_km(stop, leg.end)
    if strength is None:
        return around > 1.7 * distance_km(leg.start, leg.end) + 350
    spread = SPREADS["detour"][0] * distance_km(leg.start, leg.end)
    extra = around - distance_km(leg.start, leg.end)
    return extra > _NEAR_KM and strength.low * spread <= extra <= strength.high * spread


class OddBuyer(Scheme):
    """A manager sells one load to somebody who never bought here, and never will again."""

    deeds = 6

    def plan(self, world: World, load: Consignment) -> None:
        """Send a load to another site that can use it."""
        product = load.parcels[0].lot.product.id
        options = [
            ident
            for ident, handled in world.handlers
            if handled == product
            and not _acquainted(world, load.start.id, ident)
            and ident != load.start.id
            and continent(world.site(ident)) == continent(load.start)
        ]
        if load.touched or not options or not self.occasion():
            return
        load.touched = True
        buyer = world.dice("odd buyer", load.start.id, load.bill).pick(options)
        world.partners.add((load.start.id, buyer, product))  # nobody does it twice
        load.redirect(world.site(buyer))
        self.mine[load] = load.leg

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the first scans."""
        if load in self.mine and not load.leg:
            for row in rows:
                world.label(row, "lane_novelty", "one load to a buyer without a history")


def _acquainted(world: World, seller: str, buyer: str) -> bool:
    """Whether two sites trade with each other, in whatever and either way."""
    return any({seller, buyer} == {one, other} for one, other, _ in world.partners)


class LongWait(Scheme):
    """A load is held back for weeks: for a price, a bribe or a stamp."""

    deeds = 8

    def plan(self, world: World, load: Consignment) -> None:
        """Put weeks before one of the legs."""
        if load.touched or not self.occasion():
            return
        load.touched = True
        dice = world.dice("long wait", load.start.id, load.bill)
        place = dice.whole(0, len(load.legs) - 1)
        figure = _STAYS.get(load.legs[place].start.kind, "dwell")
        far = world.strength.draw(figure, dice) if world.strength else 24 * dice.between(32, 95)
        load.legs[place].hold_hours = far
        self.mine[load] = place

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the departure after the wait."""
        if self.mine.get(load) == load.leg:
            days = round(load.here.hold_hours / 24)
            for row in rows:
                world.label(row, "dwell_anomaly", f"held back for {days} days")


class ForgedReceipt(Scheme):
    """A clerk confirms the delivery at once, so that the bank pays; the goods are at sea."""

    deeds = 7

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Choose long legs."""
        far = distance_km(load.here.start, load.here.end) >= _FAR_KM and load.here.mode != "air"
        if far and len(rows) == 1 and not load.touched and self.occasion():
            load.touched = True
            self.mine[load] = load.leg

    def received(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Write the receipt long before any lorry or ship could be there."""
        if self.mine.get(load) != load.leg or rows[0].locked:
            return
        dice = world.dice("forged receipt", rows[0].lot.id, load.bill)
        km = distance_km(load.here.start, load.here.end)
        hours = max(1.5, km / dice.between(240, 2600))
        if world.strength:
            fastest = _FASTEST[load.here.mode]
            hours = km / fastest / (1 + world.strength.draw("speed", dice))
        rows[0].when = load.left[-1] + timedelta(hours=hours)
        note = f"receipt signed {hours:.1f} h after departure, {km} km away"
        world.label(rows[0], "impossible_travel", note)


class Backdated(Scheme):
    """Receipts are dated back into the last quarter, before the goods had left."""

    deeds = 5

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Choose any last leg."""
        if load.last and len(rows) == 1 and not load.touched and self.occasion():
            load.touched = True
            self.mine[load] = load.leg

    def received(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Write a date before the departure."""
        if self.mine.get(load) == load.leg and not rows[0].locked:
            dice = world.dice("backdated", rows[0].lot.id, load.bill)
            far = world.strength.draw("clock", dice) if world.strength else dice.between(5, 190)
            rows[0].when = load.left[-1] - timedelta(hours=far)
            world.label(rows[0], "temporal_order", "receipt dated before the goods left")


class SideSale(Scheme):
    """A storekeeper sells part of a delivery off the books; it turns up at a rival's."""

    deeds = 4
    fewest = 2

    def arrived(self, world: World, site: Site, parcel: Parcel, when: datetime) -> None:
        """Take part of a delivery away, without a scan."""
        lanes = sorted(
            (seller, buyer)
            for seller, buyer, product in world.partners
            if product == parcel.lot.product.id
            and site.id not in {seller, buyer}
            and seller != parcel.lot.maker.id
            and continent(world.site(seller)) == continent(site)
        )
        if site.kind == "retailer" or parcel.quantity < 60 * UNIT or not lanes:
            return
        if not self.occasion():
            return
        dice = world.dice("side sale", site.id, parcel.lot.id)
        quantity = parcel.quantity * dice.whole(30, 60) // 100
        stolen = parcel.take(quantity - quantity % UNIT)
        seller, buyer = dice.pick(lanes)
        later = when + timedelta(days=dice.between(4, 24))
        fence, customer = world.site(seller), world.site(buyer)
        load = dispatch(world, fence, [stolen], customer, later, touched=True)
        self.mine[load] = load.leg

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the fence's shipment."""
        if load in self.mine and not load.leg:
            for row in rows:
                note = "shipped by a site that never received it: sold off the books elsewhere"
                world.label(row, "custody_gap", note)


class TopUp(Scheme):
    """A terminal hand adds unknown goods to a load while it changes vehicles."""

    deeds = 2

    def load(self, world: World, load: Consignment) -> None:
        """Let more leave the terminal than came in."""
        if load.leg and len(load.parcels) == 1 and not load.touched and self.occasion():
            load.touched = True
            parcel = load.parcels[0]
            dice = world.dice("top up", parcel.lot.id, load.bill)
            more = parcel.quantity * dice.whole(1090, 1450) // 1000
            if world.strength:
                more = int(parcel.quantity * (1 + world.strength.draw("quantity", dice)))
            parcel.quantity = more - more % UNIT
            self.mine[load] = load.leg

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the first departure with too much on board."""
        if self.mine.get(load) == load.leg:
            world.label(rows[0], "custody_gap", "more left the terminal than had come in")


class LostHands(Scheme):
    """A container vanishes in one port and sails on from another, without papers between."""

    deeds = 2

    def plan(self, world: World, load: Consignment) -> None:
        """Let the second leg start somewhere else than the first ended."""
        ports = [site for site in SITES.values() if site.kind == "port"]
        used = {leg.start.id for leg in load.legs} | {leg.end.id for leg in load.legs}
        if load.touched or [leg.mode for leg in load.legs[1:2]] != ["sea"]:
            return
        if not self.occasion():
            return
        load.touched = True
        others = [port for port in ports if port.id not in used]
        near = sorted(others, key=lambda port: (distance_km(load.legs[1].start, port), port.id))
        port = world.dice("lost hands", load.start.id, load.bill).pick(near[:3])
        old = load.legs[1]
        more = distance_km(old.start, port)
        load.legs[1] = Leg(port, old.end, "sea", old.km + more, hold_hours=72 + more / 20)
        self.mine[load] = load.leg

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the departure from the other port."""
        if load in self.mine and load.leg == 1:
            for row in rows:
                note = "leaves from a port where it never arrived; the hand-over is missing"
                world.label(row, "custody_gap", note)
