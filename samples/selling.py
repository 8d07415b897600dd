"""Those who pass goods on: exporters who gather, depots that split, shops that sell.

Next: samples/chains.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from samples.freight import dispatch, temperature
from samples.goods import UNIT
from samples.making import Batch, choose_customer, main_origin, transform_scan
from samples.workdays import next_open
from samples.world import Parcel

if TYPE_CHECKING:
    from datetime import datetime

    from samples.dice import Dice
    from samples.making import Customer
    from samples.places import Site
    from samples.world import World

__all__ = ["Depot", "Exporter", "Shop"]

_BLENDED = 0.2  # of the shipments with several lots of one bulk product
_PUT_AWAY = 0.35
_SAMPLED = 0.05
_RECALLED = 0.03


@dataclass(slots=True)
class Exporter:
    """Gathers lots until a container is worth its freight; blends some of them."""

    world: World
    site: Site
    customers: tuple[Customer, ...]
    lots: tuple[int, int]
    days: int
    waiting: list[tuple[datetime, Parcel]] = field(default_factory=list)
    sent: int = 0

    def receive(self, world: World, parcel: Parcel, when: datetime) -> None:
        """Put the lot into the warehouse, next to what is there of it."""
        for _, other in self.waiting:
            if other.lot is parcel.lot:
                other.quantity += parcel.quantity
                other.serials += parcel.serials
                break
        else:
            self.waiting.append((when, parcel))
        world.at(when + timedelta(hours=2), self.wake)
        world.at(when + timedelta(days=self.days), self.wake)

    def wake(self, when: datetime) -> None:
        """Ship when there are enough lots, or when the oldest waited long enough."""
        dice = self.world.dice("export", self.site.id, str(self.sent))
        enough = dice.whole(*self.lots)
        patience = timedelta(days=self.days)
        old = any(when - since >= patience for since, _ in self.waiting)
        if not self.waiting or (len(self.waiting) < enough and not old):
            return
        self.sent += 1
        parcels = [parcel for _, parcel in self.waiting[:enough]]
        del self.waiting[:enough]
        ready = when
        alike = len({parcel.lot.product.id for parcel in parcels}) == 1
        metric = (
            self.site.country != "EC"
        )  # the yard in Guayaquil weighs in pounds, and never mixes
        if (
            metric
            and len(parcels) > 1
            and alike
            and not parcels[0].lot.product.gtin
            and dice.chance(_BLENDED)
        ):
            ready = next_open(self.site, when + timedelta(hours=dice.between(8, 40)), dice)
            parcels = [self._blend(parcels, ready, dice)]
        buyer = choose_customer(self.customers, when, dice)
        dispatch(self.world, self.site, parcels, buyer, ready)

    def _blend(self, parcels: list[Parcel], when: datetime, dice: Dice) -> Parcel:
        """Mix lots of one product into a new one, kilo for kilo."""
        total = sum(parcel.quantity for parcel in parcels)
        product = parcels[0].lot.product
        batch = Batch(self.site, product, parcels, total, main_origin(parcels), when)
        lot, _, row = transform_scan(self.world, batch, dice)
        for scheme in self.world.schemes:
            scheme.made(self.world, batch, row)
        return Parcel(lot, total)


@dataclass(slots=True)
class Depot:
    """A distribution centre: takes in production lots, sends shop consignments out."""

    world: World
    site: Site
    customers: tuple[Customer, ...]
    parts: tuple[int, int]
    hold_days: tuple[int, int]

    def receive(self, world: World, parcel: Parcel, when: datetime) -> None:
        """Put away, then send in parts over the following days."""
        dice = world.dice("depot", self.site.id, parcel.lot.id, str(parcel.quantity))
        if dice.chance(_PUT_AWAY):
            self._put_away(parcel, when, dice)
        count = dice.whole(*self.parts)
        for left in range(count, 0, -1):
            share = parcel.quantity // left
            if left > 1:
                share = share * dice.whole(80, 120) // 100
            quantity = min(share - share % UNIT, parcel.quantity)
            if quantity < UNIT:
                continue
            part = parcel.take(quantity)
            ready = when + timedelta(days=dice.between(*self.hold_days))
            shop = choose_customer(self.customers, when, dice)
            dispatch(world, self.site, [part], shop, ready)

    def _put_away(self, parcel: Parcel, when: datetime, dice: Dice) -> None:
        """Scan the parcel into its bay, with the bay's temperature for cold goods."""
        cells = {"temperature_c": temperature(dice)} if parcel.lot.product.cold else {}
        later = when + timedelta(minutes=dice.whole(15, 120))
        row = self.world.scan(later, "store", self.site, parcel, **cells)
        if cells:
            for scheme in self.world.schemes:
                scheme.measured(self.world, row)
        if dice.chance(_SAMPLED):
            self.world.scan(later + timedelta(hours=2), "inspect", self.site, parcel)


@dataclass(slots=True)
class Shop:
    """A shop: sells a consignment over weeks; recalled lots are pulled and destroyed."""

    site: Site

    def receive(self, world: World, parcel: Parcel, when: datetime) -> None:
        """Put the sales of this parcel on the agenda."""
        dice = world.dice("shop", self.site.id, parcel.lot.id, str(parcel.quantity))
        recall = self._recall_date(world, parcel)
        total, moment = parcel.quantity, when
        for _ in range(dice.whole(1, 2)):
            moment = next_open(self.site, moment + timedelta(days=dice.between(1.5, 30)), dice)
            sold = total * dice.whole(28, 45) // 100
            sold -= sold % UNIT
            if sold >= UNIT and (recall is None or moment < recall):
                sale = parcel.take(sold)
                world.at(moment, _Sale(world, self.site, sale))
        if recall is not None:
            world.at(max(recall, when), lambda now: self._pull(world, parcel, now, dice))

    def _recall_date(self, world: World, parcel: Parcel) -> datetime | None:
        """Return when the maker calls this lot back, if ever; the same for every shop."""
        dice = world.dice("recall", parcel.lot.id)
        if not parcel.lot.product.cold or not dice.chance(_RECALLED):
            return None
        return parcel.lot.made + timedelta(days=dice.between(35, 90))

    def _pull(self, world: World, parcel: Parcel, when: datetime, dice: Dice) -> None:
        """Take what is left off the shelf and have it destroyed."""
        if parcel.quantity < UNIT:
            return
        moment = next_open(self.site, when, dice)
        world.scan(moment, "recall", self.site, parcel)
        later = moment + timedelta(days=dice.between(2, 9))
        world.scan(next_open(self.site, later, dice), "destroy", self.site, parcel)


@dataclass(slots=True)
class _Sale:
    """One line of a shop's takings on the agenda."""

    world: World
    site: Site
    parcel: Parcel

    def __call__(self, when: datetime) -> None:
        """Write the sale."""
        row = self.world.scan(when, "sell", self.site, self.parcel)
        for scheme in self.world.schemes:
            scheme.sold(self.world, row)
