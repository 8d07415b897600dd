"""Schemes on paper: false weights, values and origins, and more out than went in.

Somebody saves freight or duty, sells the same goods dearer, or stretches
certified goods with others. The goods move as ever; what is written is wrong.

Next: samples/ways.py
"""

# ruff: noqa: ARG002 - a hook's arguments are what the world offers, not what each scheme needs

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from samples.goods import UNIT
from samples.making import Batch, Mill, transform_scan
from samples.scheme import Scheme
from samples.world import Parcel

if TYPE_CHECKING:
    from datetime import datetime

    from samples.freight import Consignment
    from samples.places import Site
    from samples.world import Row, World

__all__ = ["BeanSmuggler", "DoubleUse", "FalseValue", "FalseWeight", "HubRelabel", "ShamFactory"]
__all__ += ["Stretch"]


_OTHER_WAY = 3  # every third deed errs upwards
_EVEN = 1000  # per mille


class FalseWeight(Scheme):
    """Under-declares to save freight and dodge axle limits, or sells water and stones."""

    deeds = 8

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Write another weight than the scale showed."""
        if load.leg or load.touched or len(rows) > 1 or not self.occasion():
            return
        dice = world.dice("weight scheme", rows[0].lot.id)
        load.touched = True
        self.mine[load] = len(self.mine)
        if self.mine[load] % _OTHER_WAY:
            per_mille, note = dice.whole(420, 850), "declared lighter than loaded, to save freight"
        else:
            per_mille, note = dice.whole(1240, 1950), "paid by weight: declared heavier than loaded"
        if world.strength:
            far = world.strength.draw("weight", dice)
            per_mille = round(1000 * (1 - far if per_mille < _EVEN else 1 + far))
        rows[0].weight_grams = rows[0].weight_grams * per_mille // 1000
        world.label(rows[0], "weight_misdeclared", f"{note} (x {per_mille / 1000:.2f})")


class FalseValue(Scheme):
    """Invoices below value for the customs, or above it to move money abroad."""

    deeds = 8

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Write another value into the export papers."""
        abroad = _customs_area(load.start) != _customs_area(load.target)
        if load.leg or load.touched or len(rows) > 1 or not abroad or not self.occasion():
            return
        dice = world.dice("value scheme", rows[0].lot.id)
        load.touched = True
        self.mine[load] = len(self.mine)
        if self.mine[load] % _OTHER_WAY:
            factor, note = dice.between(0.2, 0.55), "invoiced below value, to save duty"
        else:
            factor, note = dice.between(2.1, 3.8), "invoiced above value, to move money out"
        if world.strength:
            far = world.strength.draw("value", dice)
            factor = 1 - far if factor < 1 else 1 + far
        value = float(rows[0].cells["declared_value_usd"]) * factor
        rows[0].cells["declared_value_usd"] = f"{value:.2f}"
        world.label(rows[0], "value_misdeclared", f"{note} (x {factor:.2f})")


def _customs_area(site: Site) -> str:
    """Return the area inside which no duty is due."""
    return "EU" if site.country in {"NL", "DE", "BE", "FR"} else site.country


class HubRelabel(Scheme):
    """A forwarder at a transshipment hub issues new papers with a better origin."""

    deeds = 4
    _better = {"IN": "BD", "BD": "LK"}  # noqa: RUF012 - a constant table

    def load(self, world: World, load: Consignment) -> None:
        """Swap the origin of garments while they change ships."""
        origin = load.parcels[0].lot.origin
        garment = load.parcels[0].lot.product.id.startswith("GAR")
        hub = load.leg > 0 and load.here.mode == "sea" and load.here.start.country != origin
        if hub and garment and origin in self._better and not load.touched and self.occasion():
            load.touched = True
            self.mine[load] = load.leg
            for parcel in load.parcels:
                parcel.lot = replace(parcel.lot, origin=self._better[origin])

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the first scans with the new origin."""
        if self.mine.get(load) == load.leg:
            for row in rows:
                world.label(row, "origin_laundering", "new origin on new papers at the hub")


class BeanSmuggler(Scheme):
    """Ivorian beans cross the border by night: Ghana's price is better this season."""

    deeds = 2
    fewest = 1

    def __init__(self) -> None:
        """Start with nothing across the border."""
        super().__init__()
        self._lots: set[str] = set()

    def plan(self, world: World, load: Consignment) -> None:
        """Send a load of an Ivorian cooperative to the exporter next door."""
        if load.start.id == "GAG-COOP" and not load.touched and self.occasion():
            load.touched = True
            load.redirect(world.site("TEM-EXP"))
            self.mine[load] = len(self.mine)  # the second time, the two know each other
            self._lots.update(parcel.lot.id for parcel in load.parcels)

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the crossing, and the first export under the new flag."""
        for row in rows:
            if load in self.mine and self.mine[load] == 0:
                world.label(row, "lane_novelty", "smuggled across the border to another exporter")
            elif row.lot.id in self._lots and row.lot.origin == "GH":
                self._lots.discard(row.lot.id)
                world.label(row, "origin_laundering", "Ivorian beans exported as Ghanaian")

    def arrived(self, world: World, site: Site, parcel: Parcel, when: datetime) -> None:
        """Fill the beans into other sacks."""
        if parcel.lot.id in self._lots and site.id == "TEM-EXP":
            parcel.lot = replace(parcel.lot, origin="GH")

    def made(self, world: World, batch: Batch, row: Row) -> None:
        """Label a blend that hides them."""
        hidden = {part.lot.id for part in batch.inputs if part.lot.origin == "GH"} & self._lots
        if hidden:
            self._lots -= hidden
            world.label(row, "origin_laundering", "Ivorian beans blended into a Ghanaian lot")


class ShamFactory(Scheme):
    """The consolidator "finishes" garments on paper and calls them its own make."""

    deeds = 4
    fewest = 2

    def __init__(self) -> None:
        """Start with nothing finished on paper."""
        super().__init__()
        self._lots: set[str] = set()

    def arrived(self, world: World, site: Site, parcel: Parcel, when: datetime) -> None:
        """Write a transform that changes nothing but the country."""
        if site.id != "CMB-CONS" or parcel.lot.product.unit != "unit" or not self.occasion():
            return
        dice = world.dice("sham", parcel.lot.id, str(parcel.quantity))
        inputs = [Parcel(parcel.lot, parcel.quantity)]
        later = when + timedelta(hours=dice.between(2, 9))
        batch = Batch(site, parcel.lot.product, inputs, parcel.quantity, site.country, later)
        parcel.lot, _, row = transform_scan(world, batch, dice)
        note = "the same garments under a new lot and a new country; nothing was sewn"
        world.label(row, "origin_laundering", note)
        self._lots.add(parcel.lot.id)

    def shipped(self, world: World, load: Consignment, rows: list[Row]) -> None:
        """Label the first shipment under the new country."""
        for row in rows:
            if row.lot.id in self._lots:
                self._lots.discard(row.lot.id)
                world.label(row, "origin_laundering", "leaves under its new lot and country")


class Stretch(Scheme):
    """A gin or cooperative stretches its own goods with bought-in ones nobody recorded."""

    deeds = 7
    _kinds = frozenset(("gin", "cooperative", "spinner", "garment_factory", "grinder"))

    def making(self, world: World, batch: Batch) -> None:
        """Let more come out than the recorded inputs can make."""
        if batch.site.kind not in self._kinds or batch.touched or not self.occasion():
            return
        dice = world.dice("stretch", batch.site.id, batch.when.isoformat())
        batch.touched = True
        made = batch.output * dice.whole(1130, 1720) // 1000
        if world.strength:
            made = int(batch.output * (1 + world.strength.draw("quantity", dice)))
        batch.output = made - made % UNIT

    def made(self, world: World, batch: Batch, row: Row) -> None:
        """Label the scan of a stretched batch."""
        if batch.touched and not row.locked:
            world.label(row, "mass_balance", "unrecorded goods mixed in: more out than can be")


class DoubleUse(Scheme):
    """Books the same certified inputs a second time, for goods made of something else."""

    deeds = 3
    fewest = 2

    def made(self, world: World, batch: Batch, row: Row) -> None:
        """Make another lot from the inputs that are used up already."""
        mill = world.handlers.get((batch.site.id, batch.product.input))
        if not isinstance(mill, Mill) or batch.touched or row.locked:
            return
        if _left_over(mill, batch) or not self.occasion():
            return
        dice = world.dice("double", row.lot.id)
        later = batch.when + timedelta(days=dice.whole(8, 20), minutes=dice.whole(1, 200))
        again = replace(batch, when=later)
        world.at(later, lambda now: self._again(world, mill, again, now))

    def _again(self, world: World, mill: Mill, batch: Batch, when: datetime) -> None:
        """Scan the second lot and sell it; not while some of the inputs are really there."""
        if _left_over(mill, batch):
            return
        dice = world.dice("again", batch.site.id, when.isoformat())
        lot, serials, row = transform_scan(world, batch, dice)
        world.label(row, "mass_balance", "the same inputs used a second time")
        mill.send(Parcel(lot, batch.output, serials), when, dice)


def _left_over(mill: Mill, batch: Batch) -> bool:
    """Whether some of a batch's input lots is still on the heap."""
    used = {parcel.lot.id for parcel in batch.inputs}
    return any(parcel.lot.id in used for _, parcel in mill.stock)
