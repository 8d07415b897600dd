"""A transformation as facts: every input became every output.

An input whose maker nobody knows is a gap that bears its lot; a side that is
not documented at all is a gap of the event. So a trail ends at a gap, never
at nothing.

Next: graph/movements.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from graph.event_parts import Item, Parts, checked, involve, mention, supplies
from graph.keys import event_gap_key, item_key, lot_gap_key
from graph.model import EdgeKind, Role

if TYPE_CHECKING:
    from graph.event_parts import Event
    from provenance.entries import Content, Tier

__all__ = ["MOST_PAIRS", "state_transformation"]

MOST_PAIRS: Final = 1_024
"""A transformation with more input-output pairs than this goes through its event, one hop more."""


def state_transformation(event: Event, outputs: list[Item]) -> None:
    """State what became what, with the quantities used and made.

    Args:
        event: The event, whose inputs are in its content.
        outputs: Its items.
    """
    given = enumerate(event.content.get("inputs", ()))
    inputs = [one for number, content in given for one in _inputs(event, number, content)]
    if not inputs and not outputs:
        return
    if not inputs or not outputs:
        tier = max(event.tier, min(known.tier for known in inputs or outputs))
        nothing = Item(event_gap_key(event.key), tier)
        event.facts.node(nothing.key, tier)
        inputs, outputs = inputs or [nothing], outputs or [nothing]
    if len(inputs) * len(outputs) <= MOST_PAIRS:
        pairs = [(used, made) for used in inputs for made in outputs]
    else:
        through = Item(event.key, event.tier)
        pairs = [(used, through) for used in inputs] + [(through, made) for made in outputs]
    for used, made in pairs:
        amounts = (
            ("consumed", *used.quantity),
            ("produced", *made.quantity),
            ("produced_unit", *made.unit),
        )
        tier = max(event.tier, used.tier, made.tier)
        event.facts.edge(used.key, EdgeKind.BECAME, made.key, tier, amounts=amounts)


def _inputs(event: Event, number: int, given: Content) -> list[Item]:
    """Return what one input stands for: itself, or the serials that it names without a lot."""
    serials = given.get("serial_ids", ())
    if not serials or "lot_id" in given or "party" not in given:
        return [_input(event, number, given)]
    facts, tiers = event.facts, event.facts.tiers_in("inputs", number)
    parts = Parts(given["party"], given["product_id"], None)
    whole = mention(facts, parts, tiers, facts.tier("/event_type"))
    tier = max(whole, tiers("serial_ids"))
    found = [Item(item_key(*parts, serial), tier) for serial in serials]
    for serial, one in zip(serials, found, strict=True):
        facts.node(one.key, tier)
        facts.name("serial", serial, one.key, tier)
        facts.link(item_key(*parts), EdgeKind.INCLUDES, one.key, tier)
        involve(event, one, Role.INPUT)
    if parts.party != event.party:
        supplies(event, parts.party, whole)
    return found


def _input(event: Event, number: int, given: Content) -> Item:
    facts, tiers = event.facts, event.facts.tiers_in("inputs", number)
    quantity = (checked(given.get("quantity")), tiers("quantity"))
    parts = Parts(given.get("party", ""), given.get("product_id", ""), given.get("lot_id"))
    kind = facts.tier("/event_type")
    if parts.lot_id is None:
        gap = Item(event_gap_key(event.key, number), event.tier, quantity)
    elif not (parts.party and parts.product_id):
        tier = max(kind, facts.tier("/party"), tiers("lot_id"))
        gap = Item(lot_gap_key(event.party, parts.lot_id), tier, quantity)
    else:
        return _known(event, parts, mention(facts, parts, tiers, kind), quantity)
    facts.node(gap.key, gap.tier)
    return gap


def _known(event: Event, parts: Parts, tier: Tier, quantity: tuple[Any, Tier]) -> Item:
    found = Item(item_key(*parts), tier, quantity)
    involve(event, found, Role.INPUT)
    if parts.party != event.party:
        supplies(event, parts.party, tier)
    return found
