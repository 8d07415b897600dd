"""Custody, recall and exposure as the schema has them.

Each is asked of one item and bounded like a trace. What a viewer may not see is
missing from the answer, and an exposure that rests on less says "unknown"
sooner, never "no".

Next: api/schema.py
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

import strawberry

from api.product_type import TraceGap
from api.types import Facility, Item
from api.vocabulary import DateTime, Decimal
from graph.keys import is_item, parse_item, parse_key
from graph.questions import custody, exposure, recall

if TYPE_CHECKING:
    import decimal
    from collections.abc import Mapping, Sequence

    from api.reading import Reading
    from graph import lineage
    from provenance.entries import Content, Tier

__all__ = ["Custody", "Exposure", "Recall"]


@strawberry.enum(description="What the records leave open about a stay.")
class CustodyDoubt(Enum):
    """See `graph.questions.custody.Doubt`."""

    NO_ARRIVAL = "no_arrival"
    NOT_RECEIVED = "not_received"
    NOT_SHIPPED = "not_shipped"
    SHORT = "short"
    OVERDRAWN = "overdrawn"


@strawberry.enum(description="What can be said of an exposure.")
class ExposureVerdict(Enum):
    """See `graph.questions.exposure.Verdict`."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class _Places:
    """The facilities of one answer, read once, when the first is asked for."""

    def __init__(self, reading: Reading, tier: Tier, keys: Sequence[str]) -> None:
        self._reading, self._tier = reading, tier
        ids = (_facility_id(key) for key in keys)
        self._ids = list(dict.fromkeys(each for each in ids if each))

    @cached_property
    def _found(self) -> Mapping[str, Content]:
        return self._reading.facilities(self._ids, self._tier)

    def of(self, key: str) -> Facility | None:
        """Return the facility with a key; None for a location, and where none is known."""
        id_ = _facility_id(key)
        return Facility(content=self._found.get(id_, {}), facility_id=id_) if id_ else None


def _facility_id(key: str) -> str:
    return (parse_key(key)[1][0] or "") if key.startswith("facility:") else ""


@strawberry.type(description="Some of an item in one place, or under way, for a time.")
class Stay:
    """One stay."""

    told: strawberry.Private[custody.Stay]
    places: strawberry.Private[_Places]

    @strawberry.field
    def item(self) -> Item:
        """Return the item."""
        return Item.of(parse_item(self.told.item))

    @strawberry.field
    def facility(self) -> Facility | None:
        """Return where it is; of goods under way, where they are to go."""
        return self.places.of(self.told.place)

    @strawberry.field
    def under_way(self) -> bool:
        """Say whether it is a shipment under way, not a stay in a place."""
        return bool(self.told.shipment)

    @strawberry.field
    def party(self) -> str | None:
        """Return who recorded it."""
        return self.told.party or None

    @strawberry.field
    def since(self) -> DateTime | None:
        """Return when it began."""
        return _time(self.told.since_us)

    @strawberry.field
    def until(self) -> DateTime | None:
        """Return when it ended; null while it lasts."""
        return _time(self.told.until_us)

    @strawberry.field
    def ended(self) -> bool:
        """Say whether it has ended."""
        return self.told.ended

    @strawberry.field
    def quantity(self) -> Decimal | None:
        """Return how much came, or was sent, in all."""
        return _decimal(self.told.quantity)

    @strawberry.field
    def rest(self) -> Decimal | None:
        """Return how much is there still."""
        return _decimal(self.told.rest)

    @strawberry.field
    def unit(self) -> str | None:
        """Return the unit of the quantities."""
        return self.told.unit

    @strawberry.field
    def doubts(self) -> list[CustodyDoubt]:
        """Return what the records leave open."""
        return [CustodyDoubt(doubt) for doubt in self.told.doubts]

    @strawberry.field
    def index(self) -> int:
        """Return the log entry of the event that it begins with."""
        return self.told.index


@strawberry.type(description="Who held an item, where and when; at most 250 stays.")
class Custody:
    """A custody."""

    told: strawberry.Private[custody.Custody]
    places: strawberry.Private[_Places]
    position: int = strawberry.field(description="The log position that this is true for.")
    truncated: bool

    @classmethod
    def of(cls, told: custody.Custody, reading: Reading) -> Custody:
        """Wrap an answer."""
        places = _Places(reading, told.tier, [stay.place for stay in told.stays])
        return cls(told=told, places=places, position=told.position, truncated=told.truncated)

    @strawberry.field
    def stays(self) -> list[Stay]:
        """Return the stays in the order in which they began."""
        return [Stay(told=stay, places=self.places) for stay in self.told.stays]


@strawberry.type(description="An item that has to be called back.")
class RecallItem:
    """One affected item."""

    item: Item
    depth: int = strawberry.field(description="Transformations after what the recall is of.")
    quantity: Decimal | None = strawberry.field(description="How much was made of it.")
    unit: str | None


@strawberry.type(description="A place that affected goods were sent to, or arrived at.")
class RecallCustomer:
    """Somebody to be told."""

    facility: Facility | None
    items: int
    last: DateTime | None


@strawberry.type(description="What has to be called back, and from whom; at most 250 items.")
class Recall:
    """A recall."""

    told: strawberry.Private[recall.Recall]
    places: strawberry.Private[_Places]
    position: int = strawberry.field(description="The log position that this is true for.")
    truncated: bool

    @classmethod
    def of(cls, told: recall.Recall, reading: Reading) -> Recall:
        """Wrap an answer."""
        keys = [*(stay.place for stay in told.held), *(one.place for one in told.customers)]
        places = _Places(reading, told.tier, keys)
        return cls(told=told, places=places, position=told.position, truncated=told.truncated)

    @strawberry.field
    def items(self) -> list[RecallItem]:
        """Return what is affected, nearest first."""
        return [
            RecallItem(
                item=Item.of(parse_item(one.item)),
                depth=one.hops,
                quantity=_decimal(one.quantity),
                unit=one.unit,
            )
            for one in self.told.affected
        ]

    @strawberry.field
    def held(self) -> list[Stay]:
        """Return where some of it is now, or under way to."""
        return [Stay(told=stay, places=self.places) for stay in self.told.held[:_MOST]]

    @strawberry.field
    def customers(self) -> list[RecallCustomer]:
        """Return who was sent some of it."""
        return [
            RecallCustomer(
                facility=self.places.of(one.place), items=one.items, last=_time(one.last_us)
            )
            for one in self.told.customers[:_MOST]
        ]

    @strawberry.field
    def gaps(self) -> list[TraceGap]:
        """Return where records are missing, so that more may be affected."""
        return [_gap(gap) for gap in self.told.gaps]


@strawberry.type(description="Something upstream that is on a watch list.")
class ExposureHit:
    """One hit."""

    item: Item
    depth: int
    facility: Facility | None
    list_name: str
    kind: str
    value: str
    index: int = strawberry.field(description="The log entry that puts the item there.")


@strawberry.type(description="Something without which nobody can say no.")
class ExposureMissing:
    """One thing that is missing."""

    item: Item | None
    depth: int
    reason: str
    what: str | None


@strawberry.type(description="Whether an item comes from what watch lists name.")
class Exposure:
    """An exposure."""

    told: strawberry.Private[exposure.Exposure]
    places: strawberry.Private[_Places]
    verdict: ExposureVerdict
    position: int = strawberry.field(description="The log position that this is true for.")
    items: int = strawberry.field(description="How many items were compared.")
    truncated: bool

    @classmethod
    def of(cls, told: exposure.Exposure, reading: Reading) -> Exposure:
        """Wrap an answer."""
        return cls(
            told=told,
            places=_Places(reading, told.tier, [hit.place for hit in told.hits]),
            verdict=ExposureVerdict(told.verdict),
            position=told.position,
            items=told.items,
            truncated=told.truncated,
        )

    @strawberry.field
    def hits(self) -> list[ExposureHit]:
        """Return what is listed, nearest first."""
        return [
            ExposureHit(
                item=Item.of(parse_item(hit.item)),
                depth=hit.hops,
                facility=self.places.of(hit.place),
                list_name=hit.list_name,
                kind=hit.kind,
                value=hit.value,
                index=hit.index,
            )
            for hit in self.told.hits[:_MOST]
        ]

    @strawberry.field
    def missing(self) -> list[ExposureMissing]:
        """Return what stands against a no."""
        return [
            ExposureMissing(
                item=Item.of(parse_item(one.item)) if is_item(one.item) else None,
                depth=one.hops,
                reason=one.reason,
                what=one.what or None,
            )
            for one in self.told.missing[:_MOST]
        ]


_MOST = 250


def _time(time_us: int | None) -> DateTime | None:
    if time_us is None:
        return None
    return DateTime(f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}")


def _decimal(number: decimal.Decimal | None) -> Decimal | None:
    return None if number is None else Decimal(f"{number:f}")


def _gap(gap: lineage.Gap) -> TraceGap:
    item = Item.of(parse_item(gap.item)) if is_item(gap.item) else None
    return TraceGap(item=item, reason=gap.reason, missing=gap.missing or None)
