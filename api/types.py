"""The schema's types about what was recorded: items, facilities, events.

Every type wraps content that the store has already cut to the viewer's tier, so
a resolver has nothing to decide. The facilities of a page of events are read
together, when the first one is asked for.

Next: api/flag_type.py
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import strawberry

from api import words
from api.fields import (
    global_id,
    json_field,
    number_field,
    text,
    text_field,
    time_field,
    whole_field,
    word_field,
)
from api.reading import Record
from api.story import certainty
from api.vocabulary import (
    JSON,
    Action,
    Certainty,
    DateTime,
    Decimal,
    EpcisType,
    EventType,
    ItemLevel,
    TimePrecision,
    TransportMode,
)
from provenance.disclosure.privacy import b64
from provenance.entries import Content
from provenance.identifiers import ItemKey, item_path
from provenance.ingest.quality.notes import FIELD, meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from api.reading import Reading
    from provenance.entries import Tier

__all__ = ["Event", "EventItem", "EventPage", "Facility", "Item", "QualityNote"]


@strawberry.type(description="An item's key: a product, one of its lots, or one instance.")
class Item:
    """An item's key."""

    party: str
    product_id: str
    lot: str | None
    serial: str | None
    level: ItemLevel
    path: str = strawberry.field(description="Its path on this server.")

    @classmethod
    def of(cls, key: ItemKey, gtin: str | None = None) -> Item:
        """Wrap an item's key; with its product's GTIN the path is a GS1 path."""
        level = ItemLevel.PRODUCT if key.lot_id is None else ItemLevel.LOT
        return cls(
            party=key.party,
            product_id=key.product_id,
            lot=key.lot_id,
            serial=key.serial_id,
            level=level if key.serial_id is None else ItemLevel.SERIAL,
            path=item_path(key, gtin),
        )


@strawberry.type(description="A site, from its master data. Fields above your tier are null.")
class Facility:
    """A site; one without master data has only its id."""

    content: strawberry.Private[Content]
    facility_id: str
    party: str | None = text_field("party")
    name: str | None = text_field("name")
    facility_type: str | None = text_field("facility_type")
    tier: int | None = whole_field("tier", "Steps from raw material, which is 0.")
    country: str | None = text_field("country", "ISO 3166-1 alpha-2.")
    region: str | None = text_field("region", "ISO 3166-2 where known.")
    locode: str | None = text_field("locode", "UN/LOCODE.")
    latitude: Decimal | None = number_field("latitude")
    longitude: Decimal | None = number_field("longitude")
    opened_year: int | None = whole_field("opened_year")
    declared_capacity_per_month: Decimal | None = number_field("declared_capacity_per_month")
    source_system: str | None = text_field("source_system")

    @strawberry.field
    def id(self) -> strawberry.ID:
        """Return the global id."""
        return global_id("Facility", self.facility_id)


class EventPage:
    """What the events of one page share: their facilities and the flags that name them.

    Each is read when the first event needs it, for all events of the page.
    """

    def __init__(
        self,
        reading: Reading,
        tier: Tier,
        events: Sequence[Record],
        flagged: Callable[[], Collection[str | None]],
    ) -> None:
        """Note what the events name; read nothing yet.

        Args:
            reading: Where to read.
            tier: The viewer's tier.
            events: The events of the page.
            flagged: Finds the node keys that open flags name.
        """
        self._reading = reading
        self._tier = tier
        self._flagged = flagged
        self._ids = list(
            dict.fromkeys(
                str(event.content[name])
                for event in events
                for name in ("facility_id", "from_facility_id", "to_facility_id")
                if name in event.content
            )
        )

    @cached_property
    def _found(self) -> Mapping[str, Content]:
        return self._reading.facilities(self._ids, self._tier)

    def is_flagged(self, key: str) -> bool:
        """Say whether an open flag names an event."""
        return key in self._flagged()

    def site(self, content: Content, name: str) -> Facility | None:
        """Return the facility that a field of an event names."""
        facility_id = text(content, name)
        if facility_id is None:
            return None
        return Facility(content=self._found.get(facility_id, {}), facility_id=facility_id)


@strawberry.type(description="What an event says about one item; what it leaves out is null.")
class EventItem:
    """One entry of an event's items or inputs."""

    content: strawberry.Private[Content]
    party: str | None = text_field("party", "The item's maker.")
    product_id: str | None = text_field("product_id")
    lot: str | None = text_field("lot_id")
    quantity: Decimal | None = number_field("quantity")
    quantity_unit: str | None = text_field("quantity_unit")

    @strawberry.field
    def serials(self) -> list[str]:
        """Return the serial numbers that the viewer may see."""
        found = self.content.get("serial_ids")
        return [str(each) for each in found] if isinstance(found, list) else []


@strawberry.type(description="What looks like a slip of the pen in a row that was taken.")
class QualityNote:
    """A note on the quality of an event."""

    code: str = strawberry.field(description="A word that does not change.")
    means: str = strawberry.field(description="What it says.")


@strawberry.type(description="One event of the log. Fields above your tier are null.")
class Event:
    """One event of the log."""

    record: strawberry.Private[Record]
    page: strawberry.Private[EventPage]
    party: str | None = text_field("party", "Who recorded it.")
    event_id: str | None = text_field("event_id")
    event_type: EventType | None = word_field(EventType, "event_type")
    type: EpcisType | None = word_field(EpcisType, "type")
    action: Action | None = word_field(Action, "action")
    biz_step: str | None = text_field("biz_step", "CBV 2.0 business step.")
    disposition: str | None = text_field("disposition", "CBV 2.0 disposition.")
    event_time: DateTime | None = time_field("event_time")
    time_text: str | None = text_field("time_text", "The time as it stood in the source.")
    locode: str | None = text_field("locode")
    latitude: Decimal | None = number_field("latitude")
    longitude: Decimal | None = number_field("longitude")
    container_id: str | None = text_field("container_id")
    shipment_id: str | None = text_field("shipment_id")
    bill_of_lading: str | None = text_field("bill_of_lading")
    transport_mode: TransportMode | None = word_field(TransportMode, "transport_mode")
    carrier: str | None = text_field("carrier")
    gross_weight: Decimal | None = number_field("gross_weight")
    weight_unit: str | None = text_field("weight_unit")
    declared_value_usd: Decimal | None = number_field("declared_value_usd")
    declared_origin_country: str | None = text_field("declared_origin_country")
    source_system: str | None = text_field("source_system")
    temperature_c: Decimal | None = number_field("temperature_c")
    certificate_id: str | None = text_field("certificate_id")
    batch_expiry_date: str | None = text_field("batch_expiry_date")
    ext: JSON | None = json_field("ext", "Columns of the source that are not ours.")

    @property
    def content(self) -> Content:
        """What the viewer may see of the event."""
        return self.record.content

    @strawberry.field
    def id(self) -> strawberry.ID:
        """Return the global id."""
        return global_id("Event", self.record.key)

    @strawberry.field
    def index(self) -> int | None:
        """Return the event's place in the log."""
        return self.record.index

    @strawberry.field
    def leaf_hash(self) -> str | None:
        """Return the leaf hash in base64url."""
        return None if self.record.leaf_hash is None else b64(self.record.leaf_hash)

    @strawberry.field
    def what(self) -> str:
        """Say in plain words what happened."""
        return words.event_words(str(self.content.get("event_type", "")))

    @strawberry.field
    def certainty(self) -> Certainty:
        """Say how sure the event is."""
        return Certainty(certainty(self.content, flagged=self.page.is_flagged(self.record.key)))

    @strawberry.field
    def time_precision(self) -> TimePrecision:
        """Say how precisely the time was recorded."""
        day = self.content.get("time_precision") == "day"
        return TimePrecision.DAY if day else TimePrecision.INSTANT

    @strawberry.field
    def items(self) -> list[EventItem]:
        """Return what the event is about, or what came out of it."""
        return [EventItem(content=each) for each in self.content.get("items", ())]

    @strawberry.field
    def inputs(self) -> list[EventItem]:
        """Return what went into a transformation."""
        return [EventItem(content=each) for each in self.content.get("inputs", ())]

    @strawberry.field
    def quality(self) -> list[QualityNote] | None:
        """Return what of it looks like a slip of the pen; null where nothing does."""
        found = self.content.get(FIELD)
        if not isinstance(found, list):
            return None
        return [QualityNote(code=str(code), means=meaning(str(code))) for code in found]

    @strawberry.field
    def facility(self) -> Facility | None:
        """Return the site of the event."""
        return self.page.site(self.content, "facility_id")

    @strawberry.field
    def from_facility(self) -> Facility | None:
        """Return the site that the goods left."""
        return self.page.site(self.content, "from_facility_id")

    @strawberry.field
    def to_facility(self) -> Facility | None:
        """Return the site that the goods are for."""
        return self.page.site(self.content, "to_facility_id")
