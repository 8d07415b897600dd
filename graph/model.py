"""What the graph is made of: nodes, edges, names and records, stated and seen.

A fact that an entry states is stored once, under (log index, number within the
entry), with the lowest tier that may see it. Facts are never edited: stores
unite them, and what is derived (pairs of ship and receive, the time something
was inside a container, the newest version of a record) is derived when asked.
So the order of entries cannot change an answer, and rebuilding equals catching
up. Only an error declaration takes facts of an earlier entry back.

Content is kept in layers, one per tier: each holds what becomes visible there.
`cut` is the one place where it is opened for a viewer.

Facts and answers hold no cycles, so the garbage collector need not look at them
(`gc=False`): millions pass through a projection.

Next: graph/changes.py
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from provenance.entries import Content, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "AGGREGATED",
    "Amount",
    "Edge",
    "EdgeFact",
    "EdgeKind",
    "EntryFact",
    "Layers",
    "NameFact",
    "Node",
    "Record",
    "RecordFact",
    "RecordKind",
    "Role",
    "cut",
    "layered",
    "micros",
]

Amount = tuple[str, object, Tier]
"""An attribute of an edge: its name, its value or None, and who may see it."""

Layers = list[Content]
"""What becomes visible at each tier, from public up; trailing empty layers may be missing."""

AGGREGATED: Final = -1
"""Index of an edge that many entries state and that is kept once (`includes`, `supplies`)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class _Word(StrEnum):
    """A word of the vocabulary, hashed as the text that it is: millions are looked up."""

    __hash__ = str.__hash__


class EdgeKind(_Word):
    """How two nodes are related; goods flow from source to target where they flow."""

    BECAME = "became"
    """Input -> output of a transformation, through the event when there are very many of both."""
    CONTAINED = "contained"
    """Container -> item, by a pack or unpack event; `graph.containment` pairs them."""
    MOVED = "moved"
    """Facility -> facility, per ship or receive event; the shipment stands for an end not named."""
    INVOLVES = "involves"
    """Event -> item, container or shipment, with a role."""
    AT = "at"
    """Event -> facility or location; facility -> location."""
    BY = "by"
    """Event -> the party that captured it; facility -> party."""
    NEXT = "next"
    """Entry -> the following entry. Follows from the index and is not stored."""
    FLAGS = "flags"
    """Flag -> its subject; a facility-month's flag points to the facility."""
    CERTIFIES = "certifies"
    """Certificate -> item."""
    SUPPLIES = "supplies"
    """Party -> party whose records name receiving or using the first one's goods."""
    INCLUDES = "includes"
    """Class -> lot -> serial: what is true of the lot is true of the serial."""


class Role(_Word):
    """What an event has to do with what it involves."""

    PRODUCED = "produced"
    INPUT = "input"
    OUTPUT = "output"
    SHIPPED = "shipped"
    RECEIVED = "received"
    PACKED = "packed"
    UNPACKED = "unpacked"
    EMPTIED = "emptied"
    """A container that was unpacked without saying what: nothing is left inside."""
    CARRIED = "carried"
    """A container that an event other than packing is about: it holds for what is inside."""
    OBSERVED = "observed"


class RecordKind(_Word):
    """Kinds of record that are kept apart: master, labour and reference data, flags, reviews."""

    FACILITY = "facility"
    PRODUCT = "product"
    LOCATION = "location"
    LABOUR = "labour"
    TIMESHEET = "timesheet"
    LEGAL_LIMIT = "legal_limit"
    WATCHLIST = "watchlist"
    FLAG = "flag"
    REVIEW = "review"
    """A person's decision on one flag; a later one takes its place."""


class Node(Struct, frozen=True, gc=False):
    """A node as a viewer sees it.

    Attributes:
        key: Its key; see `graph.keys`.
        index: The log entry that its attributes come from (the newest); None when it is only
            mentioned.
        leaf_hash: That entry's leaf hash: a proof can be asked for.
        attrs: The content of that entry, cut to the viewer's tier.
    """

    key: str
    index: int | None
    leaf_hash: bytes | None
    attrs: Content


class Edge(Struct, frozen=True, gc=False):
    """An edge as a viewer sees it.

    Attributes:
        src: Key of the source.
        kind: How the two are related.
        dst: Key of the target.
        index: The log entry that states it (`entry_key(index)` names its node), or `AGGREGATED`.
        role: For `involves`, `contained` and `moved`: what the event did.
        time_us: When, microseconds since the epoch; None where the entry does not say.
        attrs: Quantities and the like in canonical form, cut to the viewer's tier.
    """

    src: str
    kind: EdgeKind
    dst: str
    index: int
    role: Role | None
    time_us: int | None
    attrs: Content


class Record(Struct, frozen=True, gc=False):
    """The content of one entry as a viewer sees it."""

    index: int
    leaf_hash: bytes
    attrs: Content


class EntryFact(Struct, frozen=True, gc=False):
    """One entry's place in the chain; version and content only if it brought something.

    `node` is the key of the event or flag that it is.
    """

    index: int
    leaf_hash: bytes
    version: str
    node: str | None
    layers: Layers


class EdgeFact(Struct, frozen=True, gc=False):
    """An edge as an entry states it; (index, seq) is its identity, with both ends if aggregated.

    Attributes:
        src: Key of the source, mentioned in the same changes.
        kind: How the two are related.
        dst: Key of the target, mentioned in the same changes.
        index: The log entry, or `AGGREGATED`.
        seq: Number within the entry, from 0.
        role: What the event did.
        tier: The lowest tier that may see it.
        time_us: When, microseconds since the epoch; None when the entry does not say.
        layers: Its attributes.
    """

    src: str
    kind: EdgeKind
    dst: str
    index: int
    seq: int
    role: Role | None
    tier: Tier
    time_us: int | None
    layers: Layers


class RecordFact(Struct, frozen=True, gc=False):
    """An entry is a version of the record `key`; the highest index is the latest version."""

    kind: RecordKind
    key: str
    index: int
    tier: Tier


class NameFact(NamedTuple):
    """A node may be found by the value of a field: `lot`, `serial`, `product` or `gtin`."""

    field: str
    value: str
    node: str


def cut(layers: Sequence[Content], tier: Tier) -> Content:
    """Return what a viewer of `tier` sees: the layers up to it, later ones over earlier ones."""
    if not layers:
        return {}
    seen = dict(layers[0])
    for layer in layers[1 : tier + 1]:
        seen.update(layer)
    return seen


def layered(amounts: Iterable[Amount]) -> Layers:
    """Put values into the layer of their tier; values that are None are left out."""
    layers: Layers = []
    for name, value, tier in amounts:
        if value is not None:
            while len(layers) <= tier:
                layers.append({})
            layers[tier][name] = value
    return layers


def micros(time: str) -> int:
    """Return an event time's microseconds since the epoch.

    Args:
        time: ISO 8601 with an offset or Z.

    Raises:
        ValueError: It is no such time.
    """
    moment = datetime.fromisoformat(time)
    if moment.tzinfo is None:
        raise ValueError(f"{time!r} has no offset from UTC")
    return (moment - _EPOCH) // _MICROSECOND
