"""Those who grow and make: farms with their harvest, mills and factories with batches.

A mill collects what arrives, starts a batch when it has enough and its line is
free, and sends the output to its customers. Quantities are conserved here; a
batch never yields more than its process can.

Next: samples/selling.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from samples.freight import dispatch
from samples.goods import UNIT, feasible_output
from samples.places import SITES
from samples.workdays import START, months, next_open
from samples.world import Parcel

if TYPE_CHECKING:
    from samples.dice import Dice
    from samples.goods import Product
    from samples.places import Site
    from samples.world import Lot, Row, World

__all__ = ["Batch", "Customer", "Farm", "Mill", "choose_customer", "transform_scan"]

_PATIENCE = timedelta(days=50)
_SERIALS_PER_LOT = (10, 16)  # pieces of a lot that carry a readable tag
_INSPECTED = 0.05
_SPLIT = 0.16
_SHELF_DAYS = 365


@dataclass(frozen=True, slots=True)
class Customer:
    """A regular customer: how much of the trade, and from when on."""

    site: str
    weight: int
    since: datetime = START


@dataclass(slots=True, eq=False)
class Batch:
    """A batch before its scan: what went in, what comes out."""

    site: Site
    product: Product
    inputs: list[Parcel]
    output: int
    origin: str
    when: datetime
    touched: bool = False


def choose_customer(customers: tuple[Customer, ...], when: datetime, dice: Dice) -> Site:
    """Draw one of the customers that exist at this time."""
    known = [(each.site, each.weight) for each in customers if each.since <= when]
    return SITES[dice.weighted(known)]


def main_origin(inputs: list[Parcel]) -> str:
    """Return the origin of the larger part of the inputs; ties go to the first name."""
    totals: dict[str, int] = {}
    for parcel in inputs:
        totals[parcel.lot.origin] = totals.get(parcel.lot.origin, 0) + parcel.quantity
    return min(totals, key=lambda country: (-totals[country], country))


def transform_scan(world: World, batch: Batch, dice: Dice) -> tuple[Lot, list[str], Row]:
    """Write the transform scan of a batch and open its lot.

    Returns:
        The new lot, the serials on its pieces, and the scan.
    """
    lot = world.new_lot(batch.site, batch.product, batch.origin, batch.when)
    if batch.product.cold:
        lot.expiry = f"{batch.when + timedelta(days=_SHELF_DAYS):%Y-%m-%d}"
    lot.certificate = next((p.lot.certificate for p in batch.inputs if p.lot.certificate), "")
    serials = []
    if batch.product.serialised:
        stem = lot.id.replace("-", "")
        count = min(dice.whole(*_SERIALS_PER_LOT), batch.output // UNIT)
        serials = [f"{stem}{dice.whole(10, 99)}{number:02d}" for number in range(1, count + 1)]
    row = world.scan(
        batch.when,
        "transform",
        batch.site,
        Parcel(lot, batch.output, serials),
        declared_origin_country=lot.origin,
        batch_expiry_date=lot.expiry,
        certificate_id=lot.certificate,
    )
    row.inputs = [(parcel.lot.id, parcel.quantity) for parcel in batch.inputs]
    return lot, serials, row


@dataclass(slots=True)
class Farm:
    """Growers who pick, weigh and sell by the lorry load."""

    site: Site
    product: Product
    customers: tuple[Customer, ...]
    loads: dict[int, float]  # lorry loads by calendar month
    kilos: tuple[int, int]
    since: datetime = START
    certificate: str = ""

    def begin(self, world: World) -> None:
        """Put the harvest of the two years on the agenda."""
        for month in months():
            dice = world.dice("harvest", self.site.id, month)
            first = datetime(int(month[:4]), int(month[5:]), 1, tzinfo=UTC)
            for _ in range(dice.around(self.loads.get(first.month, 0.0) * world.scale)):
                when = first + timedelta(hours=dice.between(5, 27 * 24))
                if when >= self.since:
                    world.at(next_open(self.site, when, dice), self._picker(world, dice))

    def _picker(self, world: World, dice: Dice) -> Pick:
        """Prepare one lorry load; the draw is made now, not when it is picked."""
        kilos = dice.whole(*self.kilos)
        return Pick(world, self, kilos * UNIT + dice.whole(0, UNIT - 1), dice)


@dataclass(slots=True)
class Pick:
    """One lorry load on the agenda."""

    world: World
    farm: Farm
    quantity: int
    dice: Dice

    def __call__(self, when: datetime) -> None:
        """Weigh, write the scan, send it off."""
        farm, world = self.farm, self.world
        lot = world.new_lot(farm.site, farm.product, farm.site.country, when)
        lot.certificate = farm.certificate
        parcel = Parcel(lot, self.quantity)
        world.scan(
            when,
            "produce",
            farm.site,
            parcel,
            declared_origin_country=lot.origin,
            certificate_id=farm.certificate,
        )
        buyer = choose_customer(farm.customers, when, self.dice)
        dispatch(world, farm.site, [parcel], buyer, when + timedelta(hours=2))


@dataclass(slots=True)
class Mill:
    """A site that turns one product into another, batch by batch."""

    world: World
    site: Site
    products: tuple[Product, ...]  # all from one input; one of them per batch
    batch: tuple[int, int]  # units of input
    pause: tuple[int, int]  # days between two starts, at scale 1
    customers: tuple[Customer, ...]
    work_days: tuple[int, int] = (1, 4)
    stock: list[tuple[datetime, Parcel]] = field(default_factory=list)
    runs: int = 0
    free_at: datetime = START

    def receive(self, world: World, parcel: Parcel, when: datetime) -> None:
        """Put the parcel on the heap and look whether a batch can start."""
        dice = world.dice("quality", self.site.id, parcel.lot.id)
        if dice.chance(_INSPECTED):
            world.scan(when + timedelta(minutes=dice.whole(20, 90)), "inspect", self.site, parcel)
        self.stock.append((when, parcel))
        world.at(when + timedelta(hours=dice.whole(3, 9)), self.wake)
        world.at(when + _PATIENCE, self.wake)

    def wake(self, when: datetime) -> None:
        """Start a batch if there is enough to work on and nothing on the line."""
        dice = self.world.dice("batch", self.site.id, self.products[0].id, str(self.runs))
        wanted = dice.whole(*self.batch) * UNIT
        held = sum(parcel.quantity for _, parcel in self.stock)
        stale = any(when - since >= _PATIENCE for since, _ in self.stock)
        if when < self.free_at or not held or (held < wanted and not stale):
            return
        if held < wanted // 5:
            return
        self.runs += 1
        inputs = self._fetch(min(wanted, held))
        finish = next_open(self.site, when + timedelta(days=dice.between(*self.work_days)), dice)
        pause = timedelta(days=dice.between(*self.pause) / max(self.world.scale, 0.05))
        self.free_at = max(finish, when + pause)
        self.world.at(self.free_at, self.wake)
        self.world.at(finish, lambda now: self._finish(inputs, now, dice))

    def _fetch(self, wanted: int) -> list[Parcel]:
        """Take the oldest stock first, part of a lot where that is enough."""
        inputs: list[Parcel] = []
        while wanted > 0 and self.stock:
            since, parcel = self.stock[0]
            if parcel.quantity <= wanted:
                self.stock.pop(0)
                part = parcel
            else:
                part = parcel.take(wanted)
                self.stock[0] = (since, parcel)
            wanted -= part.quantity
            inputs.append(part)
        return inputs

    def _finish(self, inputs: list[Parcel], when: datetime, dice: Dice) -> None:
        """Scan the batch and send the goods to customers."""
        product = dice.pick(self.products)
        consumed = sum(parcel.quantity for parcel in inputs)
        made = feasible_output(product, consumed, dice.whole(962, 1000))
        origin = self.site.country if product.confers_origin else main_origin(inputs)
        batch = Batch(self.site, product, inputs, made, origin, when)
        for scheme in self.world.schemes:
            scheme.making(self.world, batch)
        if batch.output < UNIT:
            return
        lot, serials, row = transform_scan(self.world, batch, dice)
        for scheme in self.world.schemes:
            scheme.made(self.world, batch, row)
        self.send(Parcel(lot, batch.output, serials), when, dice)

    def send(self, parcel: Parcel, when: datetime, dice: Dice) -> None:
        """Send a lot whole, or in two parts to two customers."""
        parts = [parcel]
        if parcel.quantity > 20 * UNIT and dice.chance(_SPLIT):
            half = parcel.quantity * dice.whole(35, 65) // 100
            parts.append(parcel.take(half - half % UNIT))
        for part in parts:
            ready = when + timedelta(hours=dice.between(5, 50))
            dispatch(
                self.world, self.site, [part], choose_customer(self.customers, when, dice), ready
            )
