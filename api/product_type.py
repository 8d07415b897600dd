"""The schema's types for a product, what it came from, and what it went into.

Next: api/schema.py
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import strawberry

from api import coverage as told
from api.fields import flag_field, global_id, number_field, text_field, whole_field
from api.flag_type import Flag
from api.paging import Connection, check_first, connection, position
from api.product import Product as Found
from api.reading import Lineage
from api.types import Event, EventPage, Item
from api.vocabulary import Decimal, Direction, GapReason
from provenance.entries import Content
from provenance.identifiers import item_path

if TYPE_CHECKING:
    from api.reading import Record

__all__ = ["Coverage", "Origin", "Product", "Trace"]


@strawberry.type(description="How much of an item's past is on record.")
class Coverage:
    """Figures and one sentence; missing data is said to be missing."""

    documented: int = strawberry.field(
        description="Items whose making is on record, itself included."
    )
    missing: int = strawberry.field(description="Places where the trail breaks off.")
    erased: int = strawberry.field(
        description="Events of the log that were erased; what is missing may be among them."
    )
    steps_back: int = strawberry.field(description="Transformations that the records go back.")
    truncated: bool = strawberry.field(description="Whether the figures are lower bounds.")
    sentence: str

    @classmethod
    def of(cls, found: told.Coverage) -> Coverage:
        """Wrap the figures."""
        return cls(
            documented=found.documented,
            missing=found.missing,
            erased=found.erased,
            steps_back=found.steps_back,
            truncated=found.truncated,
            sentence=found.sentence,
        )


@strawberry.type(description="A far end of what is documented: one material from one place.")
class Origin:
    """A far end of the upstream lineage."""

    item: Item = strawberry.field(description="Its earliest item.")
    lots: int = strawberry.field(description="How many items of it there are.")
    steps_back: int
    material: str
    place: str | None
    first_day: str | None
    last_day: str | None
    party: str

    @classmethod
    def of(cls, found: told.Origin) -> Origin:
        """Wrap a far end."""
        return cls(
            item=Item.of(found.key),
            lots=found.lots,
            steps_back=found.steps_back,
            material=found.material,
            place=found.where or None,
            first_day=found.first or None,
            last_day=found.last or None,
            party=found.who,
        )


@strawberry.type(description="A product, lot or instance, and what is on record about it.")
class Product:
    """What `product` and `productByQr` answer. Each part is read when it is asked for."""

    found: strawberry.Private[Found]
    base: strawberry.Private[str]
    gtin: str | None = text_field("gtin")
    brand: str | None = text_field("brand")
    hs_code: str | None = text_field("hs_code", "Customs code of the Harmonized System.")
    unit: str | None = text_field("unit")
    chain: str | None = text_field("chain")
    stage: int | None = whole_field("stage", "Steps from raw material, which is 0.")
    image_url: str | None = text_field("image_url")
    serialised: bool | None = flag_field("serialised")
    unit_weight_kg: Decimal | None = number_field("unit_weight_kg")
    input_product_id: str | None = text_field("input_product_id")
    input_units_per_output_unit: Decimal | None = number_field("input_units_per_output_unit")
    reference_value_usd: Decimal | None = number_field("reference_value_usd")
    min_temperature_c: Decimal | None = number_field(
        "min_temperature_c", "Degrees Celsius; goods must never be colder."
    )
    max_temperature_c: Decimal | None = number_field(
        "max_temperature_c", "Degrees Celsius; goods must never be warmer."
    )

    @property
    def content(self) -> Content:
        """What the viewer may see of the product's master data."""
        return self.found.master

    @strawberry.field
    def id(self) -> strawberry.ID:
        """Return the global id."""
        return global_id("Product", item_path(self.found.key))

    @strawberry.field
    def name(self) -> str:
        """Return the product's name; its id when it has none."""
        return self.found.title

    @strawberry.field
    def item(self) -> Item:
        """Return the key of what is shown."""
        return Item.of(self.found.key, self.found.gtin)

    @strawberry.field
    def asked(self) -> Item:
        """Return the key that was asked for."""
        return Item.of(self.found.asked, self.found.gtin)

    @strawberry.field
    def missing(self) -> str | None:
        """Name the part of the asked key that is not on record; null when it was found."""
        return self.found.missing

    @strawberry.field
    def digital_link(self) -> str:
        """Return the URI that the item's QR code holds."""
        return f"{self.base}{self.found.path}"

    @strawberry.field
    def coverage(self) -> Coverage:
        """Say how much of its past is on record."""
        return Coverage.of(told.coverage(self.found))

    @strawberry.field
    def origins(self) -> list[Origin]:
        """Return the far ends of what is documented."""
        return [Origin.of(each) for each in told.origins(self.found)]

    @strawberry.field
    def certificates(self) -> list[str]:
        """Return the certificates that the records name."""
        return self.found.certificates

    @strawberry.field
    def journey(
        self, first: int = 50, after: str | None = None, upstream: bool = True
    ) -> Connection[Event]:
        """Return the events of the item, and of what it came from, the earliest first."""
        size, start = check_first(first), position(after) or 0
        steps = [step for step in self.found.journey.steps if upstream or step.hops == 0]
        found = steps[start : start + size + 1]
        page = EventPage(
            self.found.reading,
            self.found.viewer.tier,
            [step.event for step in found],
            lambda: self.found.flagged,
        )
        events = [Event(record=step.event, page=page) for step in found]
        return connection(list(enumerate(events, start + 1)), size, later=start > 0)

    @strawberry.field
    def flags(self, first: int = 50, after: str | None = None) -> Connection[Flag]:
        """Return open flags about the item and what it came from, the most serious first."""
        size, start = check_first(first), position(after) or 0
        flags = [Flag(record=each) for each in self.found.flags[start : start + size + 1]]
        return connection(list(enumerate(flags, start + 1)), size, later=start > 0)


@strawberry.type(description="An item of a trace, and the event that made it.")
class TraceNode:
    """One item."""

    item: Item
    depth: int = strawberry.field(description="Steps from the item asked for, which is 0.")
    making: Event | None


@strawberry.type(description="Goods of `source` became part of `target`.")
class TraceLink:
    """One step between two items of a trace."""

    content: strawberry.Private[Content]
    source: Item
    target: Item
    consumed: Decimal | None = number_field("consumed", "How much of the source went in.")
    produced: Decimal | None = number_field("produced", "How much of the target came out.")
    produced_unit: str | None = text_field("produced_unit")


@strawberry.type(description="A place where the records stop short.")
class TraceGap:
    """Something that a record names but nothing documents."""

    item: Item | None
    reason: GapReason
    missing: str | None = strawberry.field(description="What the missing thing is called.")


@strawberry.type(description="What an item came from or went into.")
class Trace:
    """A lineage, at most 250 items."""

    found: strawberry.Private[Found]
    lineage: strawberry.Private[Lineage]
    direction: Direction

    @strawberry.field
    def root(self) -> Item:
        """Return the item that was asked for."""
        return Item.of(self.found.key, self.found.gtin)

    @strawberry.field
    def nodes(self) -> list[TraceNode]:
        """Return every item found, the nearest first, itself included."""
        keys = sorted(self.lineage.depths, key=lambda key: (self.lineage.depths[key], key[:2]))
        makings = self.found.reading.made_by(keys, self.found.viewer.tier)
        page = self._page(list(makings.values()))
        return [
            TraceNode(
                item=Item.of(key),
                depth=self.lineage.depths[key],
                making=Event(record=makings[key], page=page) if key in makings else None,
            )
            for key in keys
        ]

    @strawberry.field
    def links(self) -> list[TraceLink]:
        """Return the steps between the items."""
        return [
            TraceLink(
                content=link.content, source=Item.of(link.source), target=Item.of(link.target)
            )
            for link in self.lineage.links
        ]

    @strawberry.field
    def gaps(self) -> list[TraceGap]:
        """Return where records are missing."""
        return [
            TraceGap(
                item=None if gap.item is None else Item.of(gap.item),
                reason=gap.reason,
                missing=gap.missing or None,
            )
            for gap in self.lineage.gaps
        ]

    @strawberry.field
    def truncated(self) -> bool:
        """Say whether a limit cut the trace short."""
        return self.lineage.truncated

    def _page(self, events: list[Record]) -> EventPage:
        reading, tier = self.found.reading, self.found.viewer.tier

        @cache
        def flagged() -> frozenset[str | None]:
            keys = [event.key for event in events]
            return frozenset(flag.about for flag in reading.flags_on(keys, tier))

        return EventPage(reading, tier, events, flagged)
