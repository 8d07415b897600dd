"""Schemes with goods that should not be there: clones, phantoms, listed sources, heat.

Next: samples/papertrail.py
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from samples.freight import Consignment, bill_number, dispatch, gross_grams
from samples.goods import PRODUCTS, UNIT
from samples.places import SITES, distance_km
from samples.routes import Leg, transit_hours
from samples.scheme import Scheme
from samples.workdays import END, START, next_open
from samples.world import Lot, Parcel

if TYPE_CHECKING:
    from collections.abc import Callable

    from samples.dice import Dice
    from samples.places import Site
    from samples.world import Row, World

__all__ = ["CopiedTags", "EarlySale", "GreyImport", "ListedSource", "PaperTrade", "WarmTruck"]


_TAGS = 2  # a counterfeiter wants a choice
_COLDEST, _WARMEST = 12.0, 18.0  # where honest cold stores stay, doors apart


def _other_shops(site: Site) -> list[Site]:
    """Return the shops in other countries."""
    shops = [other for other in SITES.values() if other.kind == "retailer"]
    return [other for other in shops if other.country != site.country and other.opened < START.year]


class CopiedTags(Scheme):
    """A counterfeiter copies tags off a shelf; the fakes are sold under them elsewhere."""

    deeds = 4

    def arrived(self, world: World, site: Site, parcel: Parcel, when: datetime) -> None:
        """Sell fakes with genuine serials in another country, at about the same time."""
        if site.kind != "retailer" or len(parcel.serials) < _TAGS or not self.occasion():
            return
        dice = world.dice("copied tags", site.id, parcel.lot.id)
        copied = dice.some(parcel.serials, dice.whole(1, 3))
        shop = dice.pick(_other_shops(site))
        later = next_open(shop, when + timedelta(days=dice.between(0.2, 12)), dice)
        fake = Parcel(parcel.lot, len(copied) * UNIT, copied)
        world.at(later, lambda now: self._sell(world, shop, fake, now))

    def _sell(self, world: World, shop: Site, fake: Parcel, when: datetime) -> None:
        """Scan the sale of a fake."""
        row = world.scan(when, "sell", shop, fake)
        world.label(row, "cloned_serial", "a fake sold under a serial that is on another shelf")


class GreyImport(Scheme):
    """A whole box of fakes, with copied tags, is slipped into a depot's regular run."""

    deeds = 2

    def arrived(self, world: World, site: Site, parcel: Parcel, when: datetime) -> None:
        """Send fakes from another depot to another shop."""
        if site.kind != "retailer" or len(parcel.serials) < _TAGS or not self.occasion():
            return
        dice = world.dice("grey import", site.id, parcel.lot.id)
        depot = world.site("EDI-DC" if site.country != "US" else "VEN-DC")
        shops = [
            shop for shop in _other_shops(site) if (shop.country == "US") == (depot.id[0] == "E")
        ]
        copied = dice.some(parcel.serials, dice.whole(2, 4))
        fake = Parcel(parcel.lot, dice.whole(20, 60) * UNIT, copied)
        shop = dice.pick(shops)
        leg = Leg(depot, shop, "road", distance_km(depot, shop))
        _paper_scans(world, fake, leg, when + timedelta(days=dice.between(1, 9)), dice, self._label)

    def _label(self, world: World, row: Row) -> None:
        """Label one scan of the fakes."""
        world.label(row, "cloned_serial", "a box of fakes with copied tags")


class PaperTrade(Scheme):
    """The same goods are sold to the bank twice, or goods that never were."""

    deeds = 4

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Repeat a genuine shipment on paper, or invent one in its image."""
        direct = len(load.legs) == 1 and len(rows) == 1 and rows[0].quantity > 50 * UNIT
        if not direct or load.touched or not self.occasion():
            return
        load.touched = True
        dice = world.dice("paper trade", rows[0].lot.id)
        lot, quantity = rows[0].lot, rows[0].quantity
        if dice.chance(0.5):
            name = f"{lot.maker.id}-{lot.made:%y}0{dice.whole(100, 999)}"  # a number never given
            lot = Lot(name, lot.product, lot.origin, lot.maker, lot.made, lot.certificate)
            step = 500 * UNIT if quantity > 1000 * UNIT else 50 * UNIT
            quantity = max(step, quantity // step * step)
        later = rows[0].when + timedelta(days=dice.between(3, 21))
        goods = Parcel(lot, quantity)
        _paper_scans(world, goods, load.here, later, dice, self._label)

    def _label(self, world: World, row: Row) -> None:
        """Label one scan of goods that exist on paper only."""
        world.label(row, "phantom_shipment", "financed on paper: no such goods moved")


def _paper_scans(  # noqa: PLR0917
    world: World,
    goods: Parcel,
    leg: Leg,
    when: datetime,
    dice: Dice,
    label: Callable[[World, Row], None],
) -> None:
    """Write a ship and a receive scan as the terminal would, for goods nobody loaded."""
    leave = next_open(leg.start, when, dice)
    hours = transit_hours(leg, dice)
    arrive = next_open(leg.end, leave + timedelta(hours=hours), dice)
    if arrive >= END:
        return
    load = Consignment(world, leg.start, leg.end, [goods], [leg], bill_number(world), dice, when)
    load.touched = True
    number = world.number(f"shipment {leg.start.id}")
    load.shipment = f"{leg.start.id.replace('-', '')}{when:%y}{number:04d}"
    load.carrier = dice.pick(("Rheintrans", "Padma Haulage", "Volta Haulage"))
    cells = load.cells() | {"declared_origin_country": goods.lot.origin}
    value = goods.quantity / UNIT * goods.lot.product.cents / 100 * dice.bell(1.05, 0.04)
    ship = world.scan(leave, "ship", leg.start, goods, declared_value_usd=f"{value:.2f}", **cells)
    ship.weight_grams = gross_grams(goods, dice)
    receive = world.scan(arrive, "receive", leg.end, goods, **cells)
    label(world, ship)
    label(world, receive)


class ListedSource(Scheme):
    """In a short season cheap goods come from places that a watch list names."""

    deeds = 3
    _lanes = (
        ("AKS-GIN", "COT-LINT", "NAR-SPIN", (11, 12, 1, 2, 3, 4), (9000, 14000)),
        ("MRY-GIN", "COT-LINT", "KMR-SPIN", (10, 11, 12, 1, 2, 3), (8000, 13000)),
        ("MAN-PIST", "COC-DRY", "ABJ-EXP", (10, 11, 12, 1, 2, 5), (2500, 5200)),
    )

    def begin(self, world: World) -> None:
        """Put the purchases on the agenda, at least one from each source."""
        if self.taken is None:
            return
        each = max(1, round(self.deeds * world.scale))
        for seller, product, buyer, seasons, kilos in self._lanes:
            dice = world.dice("listed source", seller)
            for _ in range(each):
                month = dice.pick(seasons)
                year = dice.whole(2022, 2023) + (month < START.month)
                when = datetime(year, month, dice.whole(1, 27), dice.whole(6, 12), tzinfo=UTC)
                quantity = dice.whole(*kilos) * UNIT
                deed = _Purchase(self, world, (seller, product, buyer), quantity)
                world.at(when, deed)

    def buy(self, world: World, lane: tuple[str, str, str], quantity: int, when: datetime) -> None:
        """Buy one lot: it is weighed at the source and sent to the mill."""
        seller, buyer = world.site(lane[0]), world.site(lane[2])
        lot = world.new_lot(seller, PRODUCTS[lane[1]], seller.country, when)
        parcel = Parcel(lot, quantity)
        world.scan(when, "produce", seller, parcel, declared_origin_country=lot.origin)
        later = when + timedelta(days=2)
        self.mine[dispatch(world, seller, [parcel], buyer, later, touched=True)] = 0

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the departure from the listed place."""
        if load in self.mine and not load.leg:
            for row in rows:
                world.label(row, "listed_source", f"bought from {row.site.name}")


class WarmTruck(Scheme):
    """A cooling unit fails, or is switched off to save fuel."""

    deeds = 7

    def measured(self, world: World, row: Row) -> None:
        """Let the thermometer show it."""
        if row.locked or not self.occasion():
            return
        dice = world.dice("warm", row.site.id, row.lot.id, row.kind)
        kind = dice.weighted((("broken", 5), ("creeping", 3), ("frozen", 1)))
        low, high = {"broken": (25, 34), "creeping": (21.5, 24), "frozen": (-6, 1)}[kind]
        degrees = dice.between(low, high)
        if world.strength:
            far = world.strength.draw("warmth", dice)
            degrees = _COLDEST - far if kind == "frozen" else _WARMEST + far
        row.cells["temperature_c"] = f"{degrees:.1f}"
        world.label(row, "cold_chain_breach", f"cooling unit {kind}")


class EarlySale(Scheme):
    """A shop books sales into the last season, before the goods were made."""

    deeds = 3

    def sold(self, world: World, row: Row) -> None:
        """Write an earlier date."""
        known = row.lot.made - timedelta(days=45) > START
        if row.locked or not known or not self.occasion():
            return
        dice = world.dice("early sale", row.site.id, row.lot.id)
        far = world.strength.draw("booking", dice) if world.strength else dice.between(2, 40)
        row.when = row.lot.made - timedelta(days=far)
        world.label(row, "temporal_order", "sale dated before the goods were made")


class _Purchase:
    """One purchase of a listed source on the agenda."""

    def __init__(
        self, scheme: ListedSource, world: World, lane: tuple[str, str, str], quantity: int
    ) -> None:
        self._scheme, self._world, self._lane, self._quantity = scheme, world, lane, quantity

    def __call__(self, when: datetime) -> None:
        """Buy."""
        self._scheme.buy(self._world, self._lane, self._quantity, when)
