"""The words of the schema: enums for closed vocabularies, and exact scalars.

A record may hold a word that is not in a vocabulary, because the log keeps what
it was given. Such a word becomes the enum's OTHER (or null where there is
none); it never makes an answer fail.

Next: api/fields.py
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NewType

import strawberry
from strawberry.scalars import JSON

from detectors.base import EvidenceClass, SubjectKind
from graph.lineage import GapReason

if TYPE_CHECKING:
    from strawberry.types.scalar import ScalarDefinition

__all__ = [
    "JSON",
    "SCALARS",
    "Action",
    "Certainty",
    "DateTime",
    "Decimal",
    "Direction",
    "EpcisType",
    "EventType",
    "EvidenceClass",
    "FlagState",
    "GapReason",
    "ItemLevel",
    "Severity",
    "SubjectKind",
    "TimePrecision",
    "TransportMode",
]

DateTime = NewType("DateTime", str)
Decimal = NewType("Decimal", str)

SCALARS: dict[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A time in ISO 8601, as it was recorded, in UTC: 2024-03-23T22:17:32Z.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
        serialize=str,
        parse_value=str,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number, as text: "26.50".',
        serialize=str,
        parse_value=str,
    ),
}

strawberry.enum(EvidenceClass, description="What kind of claim a flag makes.")
strawberry.enum(SubjectKind, description="What a flag names.")
strawberry.enum(GapReason, description="Why a trail ends, or what is missing along it.")


@strawberry.enum(description="How precisely an item is named.")
class ItemLevel(Enum):
    """How precisely an item is named."""

    PRODUCT = "product"
    LOT = "lot"
    SERIAL = "serial"


@strawberry.enum(description="What happened, in the project's own words.")
class EventType(Enum):
    """The native event types."""

    PRODUCE = "produce"
    TRANSFORM = "transform"
    SHIP = "ship"
    RECEIVE = "receive"
    PACK = "pack"
    UNPACK = "unpack"
    INSPECT = "inspect"
    STORE = "store"
    RECALL = "recall"
    DESTROY = "destroy"
    SELL = "sell"
    ORDER = "order"
    OTHER = "other"


@strawberry.enum(description="The EPCIS 2.0 event type.")
class EpcisType(Enum):
    """EPCIS 2.0 event types."""

    OBJECT_EVENT = "ObjectEvent"
    AGGREGATION_EVENT = "AggregationEvent"
    TRANSFORMATION_EVENT = "TransformationEvent"
    TRANSACTION_EVENT = "TransactionEvent"
    ASSOCIATION_EVENT = "AssociationEvent"


@strawberry.enum(description="The EPCIS 2.0 action.")
class Action(Enum):
    """EPCIS 2.0 actions."""

    ADD = "ADD"
    OBSERVE = "OBSERVE"
    DELETE = "DELETE"


@strawberry.enum(description="How goods travel.")
class TransportMode(Enum):
    """Modes of transport."""

    SEA = "sea"
    ROAD = "road"
    AIR = "air"
    RAIL = "rail"
    MULTIMODAL = "multimodal"
    OTHER = "other"


@strawberry.enum(description="How precisely a time was recorded.")
class TimePrecision(Enum):
    """Precision of a recorded time."""

    DAY = "day"
    INSTANT = "instant"


@strawberry.enum(description="How sure a step is.")
class Certainty(Enum):
    """How sure a step is; see `api.story.certainty`."""

    RECORDED = "recorded"
    APPROXIMATE = "approximate"
    QUESTIONED = "questioned"


@strawberry.enum(description="How serious a flag is.")
class Severity(Enum):
    """Severity of a flag."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@strawberry.enum(
    description="What people have decided on a flag, or that a later run superseded it."
)
class FlagState(Enum):
    """State of a flag."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    NEEDS_INFORMATION = "needs-information"
    SUPERSEDED = "superseded"


@strawberry.enum(description="Upstream is towards the origin, downstream towards the consumer.")
class Direction(Enum):
    """Direction of a trace."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
