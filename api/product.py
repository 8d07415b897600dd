"""One product as one viewer may see it: found, then read part by part.

`find` turns what a code says into an item, walking up from an unknown serial
to its lot and from an unknown lot to its product. `Product` then reads each
part once, when it is first asked for, each part in a fixed number of store
queries. The page, the JSON view and GraphQL all show these parts.

Next: api/story.py
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from api.reading import Journey, Lineage
from graph.keys import facility_key, item_key, shipment_key
from provenance.errors import InputError, NotFound
from provenance.identifiers import ItemKey, item_path

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from api.reading import Direction, Reading, Record
    from api.viewer import Viewer
    from provenance.entries import Content
    from provenance.identifiers import ItemReference

__all__ = ["MAX_DEPTH", "MAX_EVENTS", "MAX_ITEMS", "Product", "find"]

MAX_DEPTH = 20
MAX_EVENTS = 250
MAX_ITEMS = 250


def find(reference: ItemReference, reading: Reading, viewer: Viewer) -> Product:
    """Find the item that a code or a caller names.

    Args:
        reference: What the path, code or arguments say.
        reading: Where to look.
        viewer: For whom; what it may not see does not exist for it.

    Returns:
        The item, or the nearest coarser one; `Product.asked` says which was meant.

    Raises:
        InputError: The reference does not name a product in one of the two ways.
        NotFound: Not even the product is known.
    """
    party, product_id = _maker(reference, reading, viewer)
    asked = ItemKey(party, product_id, reference.lot_id, reference.serial_id)
    for key in _coarser(asked):
        if (found := reading.item(key, viewer.tier)) is not None:
            return Product(asked, found, reading, viewer, variant=reference.variant)
    raise NotFound(f"no product {product_id!r} of {party!r} is on record here")


def _maker(reference: ItemReference, reading: Reading, viewer: Viewer) -> tuple[str, str]:
    named = (reference.party is not None, reference.product_id is not None)
    if named != ((False, False) if reference.gtin is not None else (True, True)):
        raise InputError("name a product either by its GTIN or by its party and product id")
    if reference.gtin is not None:
        known = reading.with_gtin(reference.gtin, viewer.tier)
        if known is None:
            raise NotFound(f"no product with GTIN {reference.gtin} is on record here")
        return known
    return str(reference.party), str(reference.product_id)


def _coarser(key: ItemKey) -> Sequence[ItemKey]:
    ladder = (key, key._replace(serial_id=None), key._replace(serial_id=None, lot_id=None))
    return tuple(dict.fromkeys(ladder))


class Product:
    """An item and what is on record about it, cut to the viewer's tier."""

    def __init__(
        self,
        asked: ItemKey,
        key: ItemKey,
        reading: Reading,
        viewer: Viewer,
        *,
        variant: str | None = None,
    ) -> None:
        """Hold what `find` found; nothing else is read yet.

        Args:
            asked: The item that was meant.
            key: The item that is shown: the same, or a coarser one.
            reading: Where the parts are read; not used after the request.
            viewer: For whom.
            variant: The consumer product variant that was meant; variants are not recorded.
        """
        self._variant = variant
        self.asked = asked
        self.key = key
        self.reading = reading
        self.viewer = viewer

    @property
    def missing(self) -> str | None:
        """The part of the asked key that is not on record, in words; None when it was found."""
        if self.asked.serial_id is not None and self.key.serial_id is None:
            return "serial number"
        if self.asked.lot_id is not None and self.key.lot_id is None:
            return "lot"
        return None if self._variant is None else "variant"

    @cached_property
    def master(self) -> Content:
        """The product's master data; empty when there is none."""
        wanted = (self.key.party, self.key.product_id)
        return dict(self.reading.products([wanted], self.viewer.tier).get(wanted, {}))

    @property
    def gtin(self) -> str | None:
        """The product's GTIN, where it has one."""
        gtin = self.master.get("gtin")
        return gtin if isinstance(gtin, str) else None

    @property
    def title(self) -> str:
        """The product's name; its id when it has none."""
        return str(self.master.get("name") or self.key.product_id)

    @property
    def path(self) -> str:
        """The Digital Link path of the item that is shown."""
        return item_path(self.key, self.gtin)

    @property
    def closed(self) -> bool:
        """Whether following the item would list every lot of a product, which only some may."""
        return self.key[2:] == (None, None) and not self.viewer.may_list

    @cached_property
    def journey(self) -> Journey:
        """The events of the item and of what it came from, the earliest first."""
        if self.closed:
            return Journey((), truncated=False)
        return self.reading.journey(self.key, self.viewer.tier, MAX_DEPTH, MAX_EVENTS)

    @cached_property
    def upstream(self) -> Lineage:
        """What the item came from, at most MAX_ITEMS items, itself included."""
        return self.lineage("upstream", MAX_DEPTH)

    def lineage(self, direction: Direction, depth: int) -> Lineage:
        """Return what the item came from or went into.

        Args:
            direction: Which way.
            depth: How many transformations to follow, 1 to MAX_DEPTH.
        """
        if self.closed:
            return Lineage({self.key: 0}, (), (), truncated=False)
        return self.reading.lineage(self.key, direction, self.viewer.tier, depth, MAX_ITEMS)

    @cached_property
    def makings(self) -> Mapping[ItemKey, Record]:
        """The event that made each item of the upstream lineage."""
        return self.reading.made_by(self.upstream.depths, self.viewer.tier)

    @cached_property
    def flags(self) -> Sequence[Record]:
        """Open flags about the item, what it came from, and the steps of both.

        A flag on a facility's month counts when a step took place there in that month.
        """
        events = [step.event for step in self.journey.steps]
        nodes = [item_key(*key) for key in self.upstream.depths]
        nodes += [event.key for event in events]
        nodes += [shipment_key(name) for name in _values(events, "shipment_id")]
        nodes += [facility_key(name) for name in _values(events, "facility_id")]
        found = self.reading.flags_on(dict.fromkeys(nodes), self.viewer.tier)
        months = {
            f"{event.content.get('facility_id')}|{str(event.content.get('event_time'))[:7]}"
            for event in events
        }
        return [flag for flag in found if _concerns(flag.content, months)]

    @cached_property
    def flagged(self) -> frozenset[str]:
        """Node keys that an open flag names."""
        return frozenset(flag.about for flag in self.flags if flag.about is not None)

    @cached_property
    def facilities(self) -> Mapping[str, Content]:
        """Master data of every facility in the journey and at the upstream makings."""
        events = [*(step.event for step in self.journey.steps), *self.makings.values()]
        return self.reading.facilities(_values(events, "facility_id"), self.viewer.tier)

    @cached_property
    def materials(self) -> Mapping[tuple[str, str], Content]:
        """Master data of every product in the upstream lineage."""
        kinds = {(key.party, key.product_id) for key in self.upstream.depths}
        return self.reading.products(kinds, self.viewer.tier)

    @cached_property
    def goods(self) -> frozenset[tuple[str, str, str | None]]:
        """Maker, product and lot of everything in the upstream lineage."""
        return frozenset(key[:3] for key in self.upstream.depths)

    @property
    def certificates(self) -> list[str]:
        """Certificate ids that the steps of the journey name."""
        return _values([step.event for step in self.journey.steps], "certificate_id")


def _values(events: Sequence[Record], name: str) -> list[str]:
    """Return the different texts that events hold in a field, in their order."""
    found = (event.content.get(name) for event in events)
    return list(dict.fromkeys(each for each in found if isinstance(each, str)))


def _concerns(flag: Content, months: Collection[str]) -> bool:
    return flag.get("subject_kind") != "facility_month" or flag.get("subject_id") in months
