"""Movements and packing as facts: each event states what it says, nothing is paired here.

Ship and receive of a shipment, pack and unpack of a container come in any
order; `graph.journey` and `graph.containment` pair them when a question is asked.

Next: graph/marked.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graph.event_parts import amounts_of
from graph.keys import container_key, facility_key, shipment_key
from graph.model import EdgeKind, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graph.event_parts import Event, Item
    from graph.model import Amount
    from provenance.entries import Tier

__all__ = ["state_container", "state_containers", "state_movement"]

_Place = tuple[str, "Tier"]
"""A node and who may know that the event names it."""


def state_container(event: Event, items: Sequence[Item], role: Role) -> None:
    """State what an event means for the container that it names."""
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
        amounts = amounts_of(item)
        facts.edge(container, EdgeKind.CONTAINED, item.key, inside, role=role, amounts=amounts)
        for serial in item.serials:
            inside = max(seen_from, item.serials_tier)
            facts.edge(container, EdgeKind.CONTAINED, serial, inside, role=role)


def state_containers(event: Event, role: Role) -> None:
    """State the containers that an event is about beside its parent.

    Packed into the parent they are inside it like any item.
    """
    facts, tier = event.facts, event.facts.tier("/container_ids")
    packing = role in (Role.PACKED, Role.UNPACKED) and "container_id" in event.content
    for name in event.content["container_ids"]:
        key, seen_from = container_key(name), max(event.tier, tier)
        facts.node(key, tier)
        facts.edge(event.key, EdgeKind.INVOLVES, key, seen_from, role=Role.CARRIED)
        if packing:
            parent = container_key(event.content["container_id"])
            inside = max(seen_from, facts.tier("/container_id"))
            facts.edge(parent, EdgeKind.CONTAINED, key, inside, role=role)


def state_movement(event: Event, items: Sequence[Item], role: Role) -> None:
    """State a shipment's part in an event, and for ship and receive from where to where.

    The shipment stands for an end that the event does not name.
    """
    moving = role in (Role.SHIPPED, Role.RECEIVED)
    shipment = event.content.get("shipment_id")
    if shipment is None and not moving:
        return
    start = _end(event, "from_facility_id", here=role is Role.SHIPPED)
    end = _end(event, "to_facility_id", here=role is Role.RECEIVED)
    between = None
    if shipment is not None:
        between = (shipment_key(shipment), event.facts.tier("/shipment_id"))
        _involve_shipment(event, items, role, between, end if role is Role.RECEIVED else start)
    source, target = start or between, end or between
    if not moving or not (start or end) or source is None or target is None:
        return
    for item in items:
        amounts = (*amounts_of(item), ("item", item.key, item.tier))
        if between is not None:
            amounts = (*amounts, ("shipment_id", shipment, between[1]))
        tier = max(event.tier, source[1], target[1], item.tier)
        event.facts.edge(source[0], EdgeKind.MOVED, target[0], tier, role=role, amounts=amounts)


def _end(event: Event, field: str, *, here: bool) -> _Place | None:
    """Return the facility at one end: the one stated, else at the party's own end the event's."""
    if field not in event.content and here:
        field = "facility_id"
    if field not in event.content:
        return None
    key, tier = facility_key(event.content[field]), event.facts.tier(f"/{field}")
    event.facts.node(key, tier)
    return key, tier


def _involve_shipment(
    event: Event, items: Sequence[Item], role: Role, shipment: _Place, end: _Place | None
) -> None:
    """State that the event involves a shipment: once for each item, with the end where it was."""
    facts, (key, tier) = event.facts, shipment
    facts.node(key, tier)
    seen_from = max(event.tier, tier)
    facility: tuple[Amount, ...] = (("facility", *end),) if end else ()
    for item in items:
        amounts = (*amounts_of(item), ("item", item.key, item.tier), *facility)
        known_from = max(seen_from, item.tier)
        facts.edge(event.key, EdgeKind.INVOLVES, key, known_from, role=role, amounts=amounts)
    if not items:
        facts.edge(event.key, EdgeKind.INVOLVES, key, seen_from, role=role, amounts=facility)
