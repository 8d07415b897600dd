"""What the facts of an event are put together from: the event, its items, how much of them.

Next: graph/events.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from graph.keys import is_class, item_key, party_key
from graph.model import EdgeKind
from provenance import canonical
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Callable

    from graph.facts import Facts
    from graph.model import Amount, Role
    from provenance.entries import Content

__all__ = [
    "Event",
    "Item",
    "Parts",
    "amounts_of",
    "checked",
    "instances",
    "involve",
    "mention",
    "supplies",
]

_UNKNOWN: Final = (None, Tier.PUBLIC)
_PUBLIC: Final = Tier.PUBLIC
_INCLUDES: Final = EdgeKind.INCLUDES
_INVOLVES: Final = EdgeKind.INVOLVES


class Event(NamedTuple):
    """What every fact of an event needs.

    Attributes:
        key: The event's node.
        tier: The lowest tier that may see its edges.
        party: Who captured it.
        content: Its content.
        facts: Takes its facts.
    """

    key: str
    tier: Tier
    party: str
    content: Content
    facts: Facts


class Parts(NamedTuple):
    """What names a class (no lot) or a lot."""

    party: str
    product_id: str
    lot_id: str | None


class Item(NamedTuple):
    """One item or input of an event.

    Attributes:
        key: Its node.
        tier: The lowest tier that may know that the event names it.
        quantity: How much of it in canonical form, and who may see that.
        unit: In which unit.
        serials: Nodes of its instances that the event names.
        serials_tier: Who may see those.
    """

    key: str
    tier: Tier
    quantity: tuple[Any, Tier] = _UNKNOWN
    unit: tuple[Any, Tier] = _UNKNOWN
    serials: tuple[str, ...] = ()
    serials_tier: Tier = Tier.PUBLIC


def instances(item: Item) -> list[Item]:
    """Return the serials that an item names without a lot, else the item itself."""
    if not item.serials or not is_class(item.key):
        return [item]
    return [Item(serial, item.serials_tier) for serial in item.serials]


def checked(number: Any) -> Any:
    """Return a number in canonical form, or None, as it is.

    Raises:
        EncodingError: It is neither.
    """
    if number is not None and type(number) is not int:
        canonical.decimal(number)
    return number


def amounts_of(item: Item) -> tuple[Amount, ...]:
    """Return an item's quantity and unit as attributes of an edge."""
    return ("quantity", *item.quantity), ("quantity_unit", *item.unit)


def mention(facts: Facts, parts: Parts, tiers: Callable[..., Tier], also: Tier = _PUBLIC) -> Tier:
    """State that a lot and its class exist, and under which names.

    Args:
        facts: Takes the facts.
        parts: The lot or class.
        tiers: Gives the tiers of the fields that name it.
        also: Tier of other fields without which it would not be mentioned.

    Returns:
        The lowest tier that may know of the lot (or of the class, without a lot).
    """
    whole = item_key(parts.party, parts.product_id)
    tier = max(also, tiers("party", "product_id"))
    facts.node(whole, tier)
    facts.name("product", parts.product_id, whole, tier)
    if parts.lot_id is None:
        return tier
    lot, lot_tier = item_key(*parts), max(tier, tiers("lot_id"))
    facts.node(lot, lot_tier)
    facts.name("lot", parts.lot_id, lot, lot_tier)
    facts.link(whole, _INCLUDES, lot, lot_tier)
    return lot_tier


def involve(event: Event, item: Item, role: Role) -> None:
    """State that the event involves an item."""
    tier = max(event.tier, item.tier)
    event.facts.edge(event.key, _INVOLVES, item.key, tier, role=role, amounts=amounts_of(item))


def supplies(event: Event, supplier: str, tier: Tier) -> None:
    """State that the event's party has goods of another; `tier` may know of the goods."""
    own, other = party_key(event.party), party_key(supplier)
    event.facts.node(other, tier)
    event.facts.link(other, EdgeKind.SUPPLIES, own, max(tier, event.tier))
