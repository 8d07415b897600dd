"""A consignment on its way: papers, legs, scans at both ends, partial deliveries.

Next: samples/making.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from samples.goods import UNIT, gs1_check_digit
from samples.prices import price_factor
from samples.routes import Leg, congestion_hours, continent, legs_between, transit_hours
from samples.workdays import next_open

if TYPE_CHECKING:
    from datetime import datetime

    from samples.dice import Dice
    from samples.places import Site
    from samples.world import Parcel, Row, World

__all__ = ["Consignment", "bill_number", "dispatch", "gross_grams", "temperature"]

_CARRIERS = {
    "sea": ("Meridian Lines", "Bluewater Container", "Orient Feeder"),
    "air": ("Skybridge Cargo",),
    "rail": ("Steppe Rail",),
    "asia": ("Deccan Roadways", "Padma Haulage"),
    "africa": ("Volta Haulage", "Transit Lagune"),
    "ecuador": ("Carga Costa",),
    "america": ("Garden State Trucking",),
    "europe": ("Rheintrans", "Anadolu Nakliyat", "Van Aken Vervoer"),
}
_PARTIAL = 0.06
_AIR = 0.05
_DOOR_OPEN = 0.03


@dataclass(slots=True, eq=False)
class Consignment:
    """Parcels that travel together under one bill, leg by leg."""

    world: World
    start: Site
    target: Site
    parcels: list[Parcel]
    legs: list[Leg]
    bill: str
    dice: Dice
    ready: datetime
    leg: int = 0
    shipment: str = ""
    container: str = ""
    carrier: str = ""
    touched: bool = False
    left: list[datetime] = field(default_factory=list)

    @property
    def here(self) -> Leg:
        """The leg it is on or waits for."""
        return self.legs[self.leg]

    @property
    def last(self) -> bool:
        """Whether this leg ends at the target."""
        return self.leg == len(self.legs) - 1

    def redirect(self, target: Site) -> None:
        """Send it somewhere else; only before it leaves."""
        self.target = target
        self.legs = legs_between(self.start, target, self.ready)

    def cells(self) -> dict[str, str]:
        """Return the cells that both scans of a leg share."""
        return {
            "shipment_id": self.shipment,
            "bill_of_lading": self.bill,
            "from_facility_id": self.here.start.id,
            "to_facility_id": self.here.end.id,
            "transport_mode": self.here.mode,
            "carrier": self.carrier,
            "container_id": self.container,
        }

    def depart(self, when: datetime) -> None:
        """Load, write the ship scans, travel."""
        world, leg = self.world, self.here
        for scheme in world.schemes:
            scheme.load(world, self)
        number = world.number(f"shipment {leg.start.id}")
        self.shipment = f"{leg.start.id.replace('-', '')}{when:%y}{number:04d}"
        kind = leg.mode if leg.mode in _CARRIERS else continent(leg.start)
        self.carrier = self.dice.pick(_CARRIERS.get(kind, _CARRIERS["europe"]))
        self._pack(when)
        rows = [self._ship_scan(parcel, when) for parcel in self.parcels]
        self.left.append(when)
        for scheme in world.schemes:
            scheme.shipped(world, self, rows)
        hours = transit_hours(leg, self.dice)
        world.at(next_open(leg.end, when + timedelta(hours=hours), self.dice), self.arrive)

    def arrive(self, when: datetime) -> None:
        """Write the receive scans, then hand over or wait for the next leg."""
        world, leg = self.world, self.here
        parts = [part for parcel in self.parcels for part in self._unload(parcel, when)]
        rows = [self._receive_scan(parcel, moment) for parcel, moment in parts]
        for scheme in world.schemes:
            scheme.received(world, self, rows)
        if self.last:
            self._unpack(parts[-1][1])
            for (parcel, moment), row in zip(parts, rows, strict=True):
                self._hand_over(parcel, max(moment, row.when))
            return
        self.leg += 1
        wait = self.dice.between(16, 80) + congestion_hours(leg.end, when, self.dice)
        wait += self.here.hold_hours
        world.at(next_open(leg.end, when + timedelta(hours=wait), self.dice), self.depart)

    def _hand_over(self, parcel: Parcel, when: datetime) -> None:
        """Give a delivered parcel to the site, an hour or so after the scan."""
        target = self.here.end
        later = when + timedelta(minutes=self.dice.whole(35, 150))
        self.world.at(later, lambda now: self.world.deliver(target, parcel, now))

    def _unload(self, parcel: Parcel, when: datetime) -> list[tuple[Parcel, datetime]]:
        """Weigh a parcel in: losses in transit, and sometimes two or three lorries."""
        product = parcel.lot.product
        if product.unit == "kg" and self.last and self.dice.chance(0.4):
            parcel.quantity -= parcel.quantity * self.dice.whole(0, 35) // 10_000
        splits = self.last and self.here.mode == "road" and not self.touched
        if not splits or parcel.quantity < 40 * UNIT or not self.dice.chance(_PARTIAL):
            return [(parcel, when)]
        parts, moment = [], when
        for share in ((45, 50), (50, 100))[: self.dice.whole(1, 2)]:
            quantity = parcel.quantity * self.dice.whole(*share) // 100
            quantity -= quantity % UNIT
            if 0 < quantity < parcel.quantity:
                parts.append((parcel.take(quantity), moment))
                later = moment + timedelta(hours=self.dice.between(5, 70))
                moment = next_open(self.here.end, later, self.dice)
        return [*parts, (parcel, moment)]

    def _ship_scan(self, parcel: Parcel, when: datetime) -> Row:
        """Write one ship scan; the first leg's papers declare the value."""
        world, lot = self.world, parcel.lot
        cells = self.cells() | {
            "declared_origin_country": lot.origin,
            "certificate_id": lot.certificate,
            "batch_expiry_date": lot.expiry,
        }
        if self.leg == 0:
            factor = price_factor(lot.product, self.target, when) * self.dice.bell(1.0, 0.035)
            value = parcel.quantity / UNIT * lot.product.cents / 100 * factor
            cells["declared_value_usd"] = f"{value:.2f}"
        row = world.scan(when, "ship", self.here.start, parcel, **cells)
        row.weight_grams = gross_grams(parcel, self.dice)
        return row

    def _receive_scan(self, parcel: Parcel, when: datetime) -> Row:
        """Write one receive scan; half of the sites weigh, cold stores measure."""
        lot = parcel.lot
        cells = self.cells() | {"declared_origin_country": lot.origin}
        if lot.product.cold:
            cells["temperature_c"] = temperature(self.dice)
        row = self.world.scan(when, "receive", self.here.end, parcel, **cells)
        if self.dice.chance(0.5):
            row.weight_grams = gross_grams(parcel, self.dice)
        if lot.product.cold:
            for scheme in self.world.schemes:
                scheme.measured(self.world, row)
        return row

    def _pack(self, when: datetime) -> None:
        """Stuff a container before a sea voyage; some shippers scan that."""
        sails = any(leg.mode == "sea" for leg in self.legs)
        if self.leg or not sails or not self.dice.chance(0.35):
            return
        self.container = _sscc(self.world.number("container"))
        early = when - timedelta(minutes=self.dice.whole(50, 200))
        for parcel in self.parcels:
            self.world.scan(early, "pack", self.start, parcel, container_id=self.container)

    def _unpack(self, when: datetime) -> None:
        """Empty the container at the end of the way."""
        if not self.container:
            return
        later = when + timedelta(minutes=self.dice.whole(3, 30))
        for parcel in self.parcels:
            self.world.scan(later, "unpack", self.target, parcel, container_id=self.container)


def _sscc(number: int) -> str:
    """Return the number of a container: a GS1 SSCC."""
    body = f"09521234{number:09d}"
    return body + gs1_check_digit(body)


def bill_number(world: World) -> str:
    """Return the next bill of lading's number."""
    return f"BL{world.number('bill') + 40_000:07d}"


def gross_grams(parcel: Parcel, dice: Dice) -> int:
    """Weigh a parcel with its packaging: two to six per cent over the goods."""
    net = parcel.quantity * parcel.lot.product.grams // UNIT
    return net * dice.whole(1020, 1062) // 1000


def temperature(dice: Dice) -> str:
    """Read a working cold store's thermometer, in degrees Celsius; doors do open at times."""
    if dice.chance(_DOOR_OPEN):
        return f"{dice.between(18.0, 19.3):.1f}"
    return f"{max(12.2, min(17.8, dice.bell(15.2, 0.9))):.1f}"


def dispatch(
    world: World,
    start: Site,
    parcels: list[Parcel],
    target: Site,
    ready: datetime,
    *,
    touched: bool = False,
) -> Consignment:
    """Send parcels off: choose the way, let schemes plan, put the departure on the agenda.

    Args:
        world: The world.
        start: Where the parcels lie; they leave its stock with this call.
        parcels: What is sent; the consignment owns them from now on.
        target: Where to.
        ready: From when on they can leave.
        touched: Whether it is already part of a scheme; each is part of one at most.

    Returns:
        The consignment, already on the agenda.
    """
    series = "extra consignment" if touched else "consignment"
    number = world.number(f"{series} {start.id}")
    dice = world.dice(series, start.id, str(number))
    legs = legs_between(start, target, ready)
    finished = all(parcel.lot.product.id.startswith("GAR") for parcel in parcels)
    if finished and len(legs) > 1 and dice.chance(_AIR):
        legs = [Leg(start, target, "air", sum(leg.km for leg in legs[:1]) + 7400)]
    load = Consignment(world, start, target, parcels, legs, bill_number(world), dice, ready)
    load.touched = touched
    for scheme in world.schemes:
        scheme.plan(world, load)
    wait = timedelta(hours=dice.between(4, 60) + load.legs[0].hold_hours)
    world.at(next_open(start, ready + wait, dice), load.depart)
    return load
