"""The movements of items: made, used, sent, received, seen, in the order in which that happened.

Read from the events that involve the items, and from those about containers
while the items were inside. What an event does not say stays unknown: a
quantity is None, a place "".

Next: graph/questions/custody.py
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from graph.containment import enclosures, moments
from graph.keys import (
    NodeKind,
    class_of,
    entry_key,
    facility_key,
    is_serial,
    location_key,
    lot_of,
    shipment_key,
)
from graph.model import EdgeKind, Role
from provenance import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from graph.containment import Enclosure, Moment
    from graph.model import Edge
    from graph.store import GraphStore
    from provenance.entries import Content, Tier

__all__ = ["MOST_MOVES", "Act", "Ledger", "Move", "ledger"]

MOST_MOVES: Final = 200_000
"""So many involvements are looked at; a ledger of more is cut, and says so."""
_ITEM: Final = f"{NodeKind.ITEM}:"
_LAST: Final = 2**63 - 1


class Act(StrEnum):
    """What befell an item in an event; at equal times in this order."""

    MADE = "made"
    RECEIVED = "received"
    SEEN = "seen"
    """It was there, and nothing of it came or went."""
    SENT = "sent"
    USED = "used"

    __hash__ = str.__hash__


_ACTS: Final[dict[Role | None, Act]] = {
    Role.PRODUCED: Act.MADE,
    Role.OUTPUT: Act.MADE,
    Role.INPUT: Act.USED,
    Role.SHIPPED: Act.SENT,
    Role.RECEIVED: Act.RECEIVED,
}
_RANKS: Final = {act: rank for rank, act in enumerate(Act)}
_ENDS: Final = {
    Act.SENT: ("from_facility_id", "to_facility_id"),
    Act.RECEIVED: ("to_facility_id", "from_facility_id"),
}
"""The fields with the place of what leaves or arrives, and with the one at the other end."""
_BY_WORD: Final = {"ship": Act.SENT, "receive": Act.RECEIVED}


class Move(Struct, frozen=True, gc=False):
    """One event's effect on one item.

    Attributes:
        time_us: When, microseconds since the epoch; None where the event does not say.
        event: Key of the event.
        index: Its log entry.
        item: Key of the item.
        act: What befell it.
        place: Key of the facility, else of the location; "" where neither is known.
        other: For `sent` the facility it is for, for `received` the one it came from; or "".
        party: Who recorded it.
        shipment: Key of the shipment; "" without one.
        quantity: How much; None where that is not known.
        unit: Of the quantity; where the event names none, the one of the item's other movements.
        container: The container through which it concerns the item; "" where it names it.
    """

    time_us: int | None
    event: str
    index: int
    item: str
    act: Act
    place: str
    other: str
    party: str
    shipment: str
    quantity: Decimal | None
    unit: str | None
    container: str


class Ledger(NamedTuple):
    """Movements in order of time, undated ones last.

    At equal times what comes goes before what leaves, since dates without a time of day make
    a whole day one moment; then event ids decide.

    Attributes:
        moves: The movements.
        truncated: Whether there were more than are looked at.
    """

    moves: list[Move]
    truncated: bool


class _Part(NamedTuple):
    """That an event befell so much of an item."""

    event: str
    edge: Edge
    item: str
    quantity: Decimal | None
    unit: str | None
    container: str


def ledger(store: GraphStore, items: Collection[str], tier: Tier, at: int | None = None) -> Ledger:
    """Return the movements of items, up to a time.

    Args:
        store: Where to read; the caller holds a snapshot.
        items: Keys of the items.
        tier: The viewer's.
        at: Microseconds since the epoch: later events do not count, undated ones do.
    """
    edges = store.edges(items, tier, EdgeKind.INVOLVES, "upstream", limit=MOST_MOVES)
    direct = [edge for edge in edges if edge.dst.startswith(_ITEM)]
    parts = [*_named(direct), *_carried(store, items, direct, tier)]
    counted = [part for part in parts if at is None or (part.edge.time_us or 0) <= at]
    entries = [entry_key(part.edge.index) for part in counted]
    said = store.fetch(dict.fromkeys(entries), tier)
    moves = [
        _move(part, said[entry].attrs)
        for part, entry in zip(counted, entries, strict=True)
        if entry in said
    ]
    return Ledger(sorted(_with_units(moves), key=_order), len(edges) == MOST_MOVES)


def _named(edges: Sequence[Edge]) -> Iterator[_Part]:
    """Yield what events say of the items that they name; an instance is part of its lot there."""
    serials = {edge.dst for edge in edges if is_serial(edge.dst)}
    whole = {(edge.src, edge.dst) for edge in edges if edge.role is not Role.INPUT and serials}
    for edge in edges:
        event, key, attrs = edge.src, edge.dst, edge.attrs
        quantity = _quantity(attrs.get("quantity"))
        if serials and key in serials:
            if (event, lot_of(key) or class_of(key)) in whole:
                continue
            quantity = Decimal(1) if quantity is None else quantity
        unit = attrs.get("quantity_unit")
        yield _Part(event, edge, key, quantity, None if unit is None else str(unit), "")


def _quantity(value: object) -> Decimal | None:
    """Read a number; those of many records are few, and most are plain integers."""
    return _whole(value) if type(value) is int else canonical.decimal(value)


@lru_cache(maxsize=4_096)
def _whole(value: int) -> Decimal:
    return Decimal(value)


def _carried(
    store: GraphStore, items: Collection[str], direct: Iterable[Edge], tier: Tier
) -> Iterator[_Part]:
    """Yield what befell containers while the items were inside; what an event names it names."""
    named = {(edge.src, edge.dst) for edge in direct}
    inside: dict[str, list[Enclosure]] = defaultdict(list)
    for enclosure in enclosures(store, items, tier):
        inside[enclosure.container].append(enclosure)
    roles = (Role.CARRIED,)
    edges = store.edges(inside, tier, EdgeKind.INVOLVES, "upstream", roles=roles)
    when = moments(store, edges, tier)
    told: set[tuple[str, str, str]] = set()
    for edge in sorted(edges, key=lambda edge: (edge.index, edge.dst)):
        for item, _, holder, window in sorted(inside[edge.dst], key=_by_time):
            known = (edge.src, item) in named or (edge.src, item, holder) in told
            if known or edge.index not in when or not window.covers(when[edge.index]):
                continue
            told.add((edge.src, item, holder))
            quantity, unit = window.amount
            if quantity is None and is_serial(item):
                quantity = Decimal(1)
            yield _Part(edge.src, edge, item, quantity, unit, edge.dst)


def _by_time(enclosure: Enclosure) -> tuple[str, str, Moment]:
    return enclosure.item, enclosure.holder, enclosure.window.start


def _move(part: _Part, event: Content) -> Move:
    name, edge, item, quantity, unit, container = part
    act = _ACTS.get(edge.role, Act.SEEN)
    if container:
        # A declaration that an event was wrong repeats its words, and takes nobody anywhere.
        wrong = "errorDeclaration" in event.get("epcis", ())
        act = Act.SEEN if wrong else _BY_WORD.get(str(event.get("event_type")), Act.SEEN)
    place = other = ""
    if act in _ENDS:
        here, there = _ENDS[act]
        place, other = _facility(event, here), _facility(event, there)
    shipment = event.get("shipment_id")
    return Move(
        edge.time_us,
        name,
        edge.index,
        item,
        act,
        place or _facility(event, "facility_id") or _location(event),
        other,
        str(event.get("party", "")),
        "" if shipment is None else shipment_key(str(shipment)),
        quantity,
        unit,
        container,
    )


def _with_units(moves: Sequence[Move]) -> Iterator[Move]:
    """Yield movements, those without a unit in the one in which all else of the item is measured.

    What a transformation uses has none in most records. Of an item measured in several units
    it stays unknown.
    """
    lacking = {move.item for move in moves if move.unit is None}
    units: dict[str, set[str]] = defaultdict(set)
    for move in moves if lacking else ():
        if move.unit is not None and move.item in lacking:
            units[move.item].add(move.unit)
    for move in moves:
        if move.unit is None and len(units[move.item]) == 1:
            yield replace(move, unit=next(iter(units[move.item])))
        else:
            yield move


def _facility(event: Content, name: str) -> str:
    return facility_key(str(event[name])) if event.get(name) else ""


def _location(event: Content) -> str:
    return location_key(str(event["locode"])) if event.get("locode") else ""


def _order(move: Move) -> tuple[int, int, str, str, int, str, str]:
    party, _, event_id = move.event.partition("/")
    time = _LAST if move.time_us is None else move.time_us
    rank = _RANKS[move.act]
    return time, rank, event_id, party, move.index, move.item, str(move.quantity)
