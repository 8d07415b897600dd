"""One event's content as facts of the graph. Pure.

Every fact takes the strictest tier of the fields it is made from: a viewer who
may not see the lot does not see the edge that names it.

Next: graph/transformations.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graph.event_parts import Event, Item, Parts, checked, instances, involve, mention, supplies
from graph.keys import (
    certificate_key,
    class_of,
    event_key,
    facility_key,
    item_key,
    location_key,
    party_key,
)
from graph.model import EdgeKind, Role, micros
from graph.movements import state_container, state_containers, state_movement
from graph.transformations import state_transformation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graph.facts import Facts
    from provenance.entries import Content

__all__ = ["project_event"]

_ROLES: Final = {
    "produce": Role.PRODUCED,
    "transform": Role.OUTPUT,
    "ship": Role.SHIPPED,
    "receive": Role.RECEIVED,
    "pack": Role.PACKED,
    "unpack": Role.UNPACKED,
}


def project_event(content: Content, facts: Facts) -> str:
    """State what an event says.

    Args:
        content: Body content of version event/1 or epcis/1 with every field that still opens.
        facts: Takes the facts; knows the tier of each path.

    Returns:
        The event's key.

    Raises:
        KeyError, TypeError, ValueError, AttributeError, EncodingError: It is no such event.
    """
    party = content["party"]
    key, by = event_key(party, content["event_id"]), party_key(party)
    if "event_time" in content:
        facts.at(micros(content["event_time"]), facts.tier("/event_time"))
    tier = facts.tier("/party", "/event_id")
    facts.node(key, tier, defines=True)
    # Every edge says something of the kind of event.
    event = Event(key, max(tier, facts.tier("/event_type")), party, content, facts)
    facts.node(by, facts.tier("/party"))
    facts.edge(key, EdgeKind.BY, by, event.tier)
    _place(event)
    role = _ROLES.get(content.get("event_type", ""), Role.OBSERVED)
    if "errorDeclaration" in content.get("epcis", {}):
        role = Role.OBSERVED  # it says of these goods only that something was wrong
        if "corrects" in content:
            facts.withdraw(content["corrects"]["index"])
    if "declared" in content:
        facts.withdraw(facts.index)  # the declaration came first
    named = [
        _item(event, number, item, role) for number, item in enumerate(content.get("items", ()))
    ]
    items = [item for item in named if item is not None]
    if role is Role.OUTPUT or (role is Role.PRODUCED and content.get("inputs")):
        # A native row's serials may be a part of its quantity; an EPC is what was made.
        made = [one for item in items for one in instances(item)] if "epcis" in content else items
        state_transformation(event, made)
    if "container_id" in content:
        state_container(event, items, role)
    if "container_ids" in content:
        state_containers(event, role)
    state_movement(event, items, role)
    if "certificate_id" in content:
        _certificate(event, items)
    if "gtin" in content and len(items) == 1:
        whole, seen_from = class_of(items[0].key), facts.tier("/gtin")
        facts.name("gtin", content["gtin"], whole, max(items[0].tier, seen_from))
    return key


def _place(event: Event) -> None:
    for name, build in (("facility_id", facility_key), ("locode", location_key)):
        if name in event.content:
            place, seen_from = build(event.content[name]), event.facts.tier(f"/{name}")
            event.facts.node(place, seen_from)
            event.facts.edge(event.key, EdgeKind.AT, place, max(event.tier, seen_from))


def _item(event: Event, number: int, item: Content, role: Role) -> Item | None:
    """State that the event involves an item and those of its serials that it names."""
    if "party" not in item or "product_id" not in item:
        return None
    facts, tiers = event.facts, event.facts.tiers_in("items", number)
    parts = Parts(item["party"], item["product_id"], item.get("lot_id"))
    tier = mention(facts, parts, tiers)
    serials = item.get("serial_ids", ())
    found = Item(
        item_key(*parts),
        tier,
        (checked(item.get("quantity")), tiers("quantity")),
        (item.get("quantity_unit"), tiers("quantity_unit")),
        tuple(item_key(*parts, serial) for serial in serials),
        max(tier, tiers("serial_ids")) if serials else tier,
    )
    involve(event, found, role)
    if "gtin" in item:
        facts.name("gtin", item["gtin"], class_of(found.key), max(tier, tiers("gtin")))
    for serial, instance in zip(serials, found.serials, strict=True):
        facts.node(instance, found.serials_tier)
        facts.name("serial", serial, instance, found.serials_tier)
        facts.link(found.key, EdgeKind.INCLUDES, instance, found.serials_tier)
        seen_from = max(event.tier, found.serials_tier)
        facts.edge(event.key, EdgeKind.INVOLVES, instance, seen_from, role=role)
    if role is Role.RECEIVED and parts.party != event.party:
        supplies(event, parts.party, tier)
    return found


def _certificate(event: Event, items: Sequence[Item]) -> None:
    facts = event.facts
    tier = facts.tier("/certificate_id")
    certificate = certificate_key(event.content["certificate_id"])
    facts.node(certificate, tier)
    for item in items:
        seen_from = max(event.tier, tier, item.tier)
        facts.edge(certificate, EdgeKind.CERTIFIES, item.key, seen_from)
