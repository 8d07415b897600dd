"""One event's content as facts of the graph. Pure.

Every fact takes the strictest tier of the fields it is made from: a viewer who
may not see the lot does not see the edge that names it.

Next: graph/project.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from graph.keys import (
    certificate_key,
    class_of,
    container_key,
    event_gap_key,
    event_key,
    facility_key,
    item_key,
    location_key,
    lot_gap_key,
    party_key,
    shipment_key,
)
from graph.model import EdgeKind, Role, micros
from provenance import canonical
from provenance.entries import Tier

if TYPE_CHECKING:
    from graph.facts import Facts
    from provenance.entries import Content

__all__ = ["MOST_PAIRS", "project_event"]

MOST_PAIRS: Final = 1_024
"""A transformation with more input-output pairs than this goes through its event, one hop more."""

_ROLES: Final = {
    "produce": Role.PRODUCED,
    "transform": Role.OUTPUT,
    "ship": Role.SHIPPED,
    "receive": Role.RECEIVED,
    "pack": Role.PACKED,
    "unpack": Role.UNPACKED,
}


_UNKNOWN: Final = (None, Tier.PUBLIC)


class _Parts(NamedTuple):
    """What names a class (no lot) or a lot."""

    party: str
    product_id: str
    lot_id: str | None


class _Item(NamedTuple):
    """One of the items or inputs of an event: its node, its tier, how much of it, and which."""

    key: str
    tier: Tier
    quantity: tuple[Any, Tier] = _UNKNOWN
    unit: tuple[Any, Tier] = _UNKNOWN
    serials: tuple[str, ...] = ()
    serials_tier: Tier = Tier.PUBLIC


class _Event(NamedTuple):
    """What every fact of an event needs."""

    key: str
    tier: Tier
    party: str
    content: Content
    facts: Facts


def project_event(content: Content, facts: Facts) -> str:
    """State what an event says.

    Args:
        content: Body content of version event/1 with every field that still opens.
        facts: Takes the facts; knows the tier of each path.

    Returns:
        The event's key.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, EncodingError: It is not an event/1.
    """
    party = content["party"]
    key = event_key(party, content["event_id"])
    if "event_time" in content:
        facts.at(micros(content["event_time"]), facts.tier("/event_time"))
    tier = facts.tier("/party", "/event_id")
    facts.node(key, tier, defines=True)
    # Every edge says something of the kind of event.
    event = _Event(key, max(tier, facts.tier("/event_type")), party, content, facts)
    facts.node(party_key(party), facts.tier("/party"))
    facts.edge(key, EdgeKind.BY, party_key(party), event.tier)
    _place(event)
    role = _ROLES.get(content.get("event_type", ""), Role.OBSERVED)
    named = [_item(event, number, item, role) for number, item in _numbered(content, "items")]
    items = [item for item in named if item is not None]
    if role is Role.OUTPUT or (role is Role.PRODUCED and content.get("inputs")):
        _transformation(event, items)
    _container(event, items, role)
    _shipment(event, items, role)
    _certificate(event, items)
    if "gtin" in content and len(items) == 1:
        whole, seen_from = class_of(items[0].key), facts.tier("/gtin")
        facts.changes.name("gtin", content["gtin"], whole, max(items[0].tier, seen_from))
    return key


def _numbered(content: Content, name: str) -> list[tuple[int, Content]]:
    return list(enumerate(content.get(name, ())))


def _place(event: _Event) -> None:
    for name, build in (("facility_id", facility_key), ("locode", location_key)):
        if name in event.content:
            place, seen_from = build(event.content[name]), event.facts.tier(f"/{name}")
            event.facts.node(place, seen_from)
            event.facts.edge(event.key, EdgeKind.AT, place, max(event.tier, seen_from))


def _item(event: _Event, number: int, item: Content, role: Role) -> _Item | None:
    """State that the event involves an item and those of its serials that it names."""
    facts, base = event.facts, f"/items/{number}"
    if "party" not in item or "product_id" not in item:
        return None
    key = _Parts(item["party"], item["product_id"], item.get("lot_id"))
    tier = _mention(event, key, base)
    serials = item.get("serial_ids", ())
    found = _Item(
        item_key(*key),
        tier,
        (_checked(item.get("quantity")), facts.tier(f"{base}/quantity")),
        (item.get("quantity_unit"), facts.tier(f"{base}/quantity_unit")),
        tuple(item_key(*key, serial) for serial in serials),
        max(tier, facts.tier(f"{base}/serial_ids")),
    )
    _involve(event, found, role)
    for serial, instance in zip(serials, found.serials, strict=True):
        facts.node(instance, found.serials_tier)
        facts.changes.name("serial", serial, instance, found.serials_tier)
        facts.changes.link(found.key, EdgeKind.INCLUDES, instance, found.serials_tier)
        seen_from = max(event.tier, found.serials_tier)
        facts.edge(event.key, EdgeKind.INVOLVES, instance, seen_from, role=role)
    if role is Role.RECEIVED and key.party != event.party:
        _supplies(event, key.party, tier)
    return found


def _checked(number: Any) -> Any:
    canonical.decimal(number)
    return number


def _mention(event: _Event, key: _Parts, base: str, *also: str) -> Tier:
    """State that a lot and its class exist, and under which names; return the lot's tier.

    Args:
        event: The event.
        key: The lot or class.
        base: Path of the object that names it.
        also: Paths of other fields without which it would not be mentioned.
    """
    facts = event.facts
    whole = item_key(key.party, key.product_id)
    tier = facts.tier(f"{base}/party", f"{base}/product_id", *also)
    facts.node(whole, tier)
    facts.changes.name("product", key.product_id, whole, tier)
    if key.lot_id is None:
        return tier
    lot, lot_tier = item_key(*key), max(tier, facts.tier(f"{base}/lot_id"))
    facts.node(lot, lot_tier)
    facts.changes.name("lot", key.lot_id, lot, lot_tier)
    facts.changes.link(whole, EdgeKind.INCLUDES, lot, lot_tier)
    return lot_tier


def _involve(event: _Event, item: _Item, role: Role) -> None:
    tier = max(event.tier, item.tier)
    event.facts.edge(event.key, EdgeKind.INVOLVES, item.key, tier, role=role, amounts=_amount(item))


def _amount(item: _Item) -> dict[str, tuple[Any, Tier]]:
    return {"quantity": item.quantity, "quantity_unit": item.unit}


def _supplies(event: _Event, supplier: str, tier: Tier) -> None:
    facts = event.facts
    seen_from = max(tier, event.tier)
    facts.node(party_key(supplier), tier)
    facts.changes.link(party_key(supplier), EdgeKind.SUPPLIES, party_key(event.party), seen_from)


def _input(event: _Event, number: int, given: Content) -> _Item:
    """State an input; one whose maker or lot is not known becomes a gap."""
    facts, base = event.facts, f"/inputs/{number}"
    quantity = (_checked(given.get("quantity")), facts.tier(f"{base}/quantity"))
    key = _Parts(given.get("party", ""), given.get("product_id", ""), given.get("lot_id"))
    if key.lot_id is None:
        gap = _Item(event_gap_key(event.key, number), event.tier, quantity)
    elif not (key.party and key.product_id):
        tier = facts.tier("/party", "/event_type", f"{base}/lot_id")
        gap = _Item(lot_gap_key(event.party, key.lot_id), tier, quantity)
    else:
        return _known_input(event, key, base, quantity)
    facts.node(gap.key, gap.tier)
    return gap


def _known_input(event: _Event, key: _Parts, base: str, quantity: tuple[Any, Tier]) -> _Item:
    found = _Item(item_key(*key), _mention(event, key, base, "/event_type"), quantity)
    _involve(event, found, Role.INPUT)
    if key.party != event.party:
        _supplies(event, key.party, found.tier)
    return found


def _transformation(event: _Event, outputs: list[_Item]) -> None:
    inputs = [_input(event, number, given) for number, given in _numbered(event.content, "inputs")]
    if not inputs and not outputs:
        return
    if not inputs or not outputs:
        # What came in, or out, is not documented: the trail ends at a gap instead of nowhere.
        tier = max(event.tier, min(known.tier for known in inputs or outputs))
        nothing = _Item(event_gap_key(event.key), tier)
        event.facts.node(nothing.key, tier)
        inputs, outputs = inputs or [nothing], outputs or [nothing]
    if len(inputs) * len(outputs) > MOST_PAIRS:
        through = _Item(event.key, event.tier)
        pairs = [(given, through) for given in inputs] + [(through, made) for made in outputs]
    else:
        pairs = [(given, made) for given in inputs for made in outputs]
    for given, made in pairs:
        amounts = {
            "consumed": given.quantity,
            "produced": made.quantity,
            "produced_unit": made.unit,
        }
        tier = max(event.tier, given.tier, made.tier)
        event.facts.edge(given.key, EdgeKind.BECAME, made.key, tier, amounts=amounts)


def _container(event: _Event, items: list[_Item], role: Role) -> None:
    if "container_id" not in event.content:
        return
    facts = event.facts
    container, tier = container_key(event.content["container_id"]), facts.tier("/container_id")
    packing = role in (Role.PACKED, Role.UNPACKED)
    own_role = role if packing else Role.CARRIED
    if role is Role.UNPACKED and not items:
        own_role = Role.EMPTIED
    seen_from = max(event.tier, tier)
    facts.node(container, tier)
    # Being unpacked, not emptied, says that there are items.
    known_from = max([seen_from, *(item.tier for item in items if role is Role.UNPACKED)])
    facts.edge(event.key, EdgeKind.INVOLVES, container, known_from, role=own_role)
    for item in items if packing else ():
        inside = max(seen_from, item.tier)
        amounts = _amount(item)
        facts.edge(container, EdgeKind.CONTAINED, item.key, inside, role=role, amounts=amounts)
        for serial in item.serials:
            inside = max(seen_from, item.serials_tier)
            facts.edge(container, EdgeKind.CONTAINED, serial, inside, role=role)


def _shipment(event: _Event, items: list[_Item], role: Role) -> None:
    """State both ends of a movement; pairs of ship and receive are made when asked."""
    if "shipment_id" not in event.content and role not in (Role.SHIPPED, Role.RECEIVED):
        return
    start, end = _end(event, "from", role is Role.SHIPPED), _end(event, "to", role is Role.RECEIVED)
    shipment = event.content.get("shipment_id")
    if shipment is not None:
        _involve_shipment(event, items, role, end if role is Role.RECEIVED else start)
    between = shipment and (shipment_key(shipment), event.facts.tier("/shipment_id"))
    source, target = start or between, end or between
    if role not in (Role.SHIPPED, Role.RECEIVED) or not (start or end) or not (source and target):
        return
    for item in items:
        amounts = _amount(item) | {"item": (item.key, item.tier)}
        if shipment is not None:
            amounts["shipment_id"] = (shipment, event.facts.tier("/shipment_id"))
        tier = max(event.tier, source[1], target[1], item.tier)
        event.facts.edge(source[0], EdgeKind.MOVED, target[0], tier, role=role, amounts=amounts)


def _end(event: _Event, name: str, here: bool) -> tuple[str, Tier] | None:
    """Return the facility at one end: the one stated, else, at the party's own end, the event's."""
    field = f"{name}_facility_id"
    if field not in event.content and here:
        field = "facility_id"
    if field not in event.content:
        return None
    key, tier = facility_key(event.content[field]), event.facts.tier(f"/{field}")
    event.facts.node(key, tier)
    return key, tier


def _involve_shipment(
    event: _Event, items: list[_Item], role: Role, end: tuple[str, Tier] | None
) -> None:
    facts = event.facts
    tier = facts.tier("/shipment_id")
    key = shipment_key(event.content["shipment_id"])
    facts.node(key, tier)
    seen_from = max(event.tier, tier)
    facility = {"facility": end} if end else {}
    for item in items:
        amounts = _amount(item) | {"item": (item.key, item.tier)} | facility
        known_from = max(seen_from, item.tier)
        facts.edge(event.key, EdgeKind.INVOLVES, key, known_from, role=role, amounts=amounts)
    if not items:
        facts.edge(event.key, EdgeKind.INVOLVES, key, seen_from, role=role, amounts=facility)


def _certificate(event: _Event, items: list[_Item]) -> None:
    if "certificate_id" not in event.content:
        return
    facts = event.facts
    tier = facts.tier("/certificate_id")
    certificate = certificate_key(event.content["certificate_id"])
    facts.node(certificate, tier)
    for item in items:
        seen_from = max(event.tier, tier, item.tier)
        facts.edge(certificate, EdgeKind.CERTIFIES, item.key, seen_from)
