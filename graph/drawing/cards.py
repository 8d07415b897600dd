"""What a picture says of each item: its product, its lot, where and when it was made, its flags.

Everything is read from the store in a handful of queries, and cut to the
viewer's tier like any other answer.

Next: graph/drawing/picture.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from graph.keys import class_of, is_item, parse_item
from graph.model import EdgeKind, RecordKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from graph.lineage import Lineage
    from graph.store import GraphStore
    from provenance.entries import Content, Tier

__all__ = ["SEVERITIES", "Card", "cards"]

SEVERITIES: Final = ("info", "low", "medium", "high", "critical")
"""What a flag can be, the mildest first."""
_MOST_INVOLVEMENTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Card:
    """What is written on an item's box.

    Attributes:
        product: The product's name, or its id.
        lot: Lot and serial, as far as there are any.
        place: Name and country of the facility that made it; "" where that is not known.
        day: When it was made, YYYY-MM-DD; "" where that is not known.
        flags: How many flags there are on the events that it took part in.
        severity: Of the worst of them; "" where there are none.
    """

    product: str
    lot: str
    place: str = ""
    day: str = ""
    flags: int = 0
    severity: str = ""


def cards(store: GraphStore, lineage: Lineage) -> dict[str, Card]:
    """Describe every item of a lineage, for the tier that it was answered for."""
    tier = lineage.tier
    with store.snapshot():
        items = [key for key in lineage.hops if is_item(key)]
        names = _names(store, items, tier)
        makings = _makings(store, items, tier)
        flags = _flags(store, items, tier)
    return {key: _card(key, names, makings, flags) for key in lineage.hops}


def _names(store: GraphStore, items: Collection[str], tier: Tier) -> dict[str, str]:
    classes = {class_of(key) for key in items}
    found = store.fetch(classes, tier)
    return {key: node.attrs["name"] for key, node in found.items() if node.attrs.get("name")}


def _makings(
    store: GraphStore, items: Collection[str], tier: Tier
) -> dict[str, tuple[Content, Content]]:
    """Return for each item the event that made it, and the facility where that was."""
    made = store.made_by(items, tier)
    events = store.fetch({edge.src for edge in made.values()}, tier)
    sites = {
        one.attrs["facility_id"]: one.attrs for one in store.records(RecordKind.FACILITY, tier)
    }
    found = {}
    for key, edge in made.items():
        event = events[edge.src].attrs if edge.src in events else {}
        found[key] = event, sites.get(event.get("facility_id"), {})
    return found


def _flags(store: GraphStore, items: Collection[str], tier: Tier) -> dict[str, list[str]]:
    """Return the severities of the flags on each item's events; a flag counts once an item."""
    parts = store.edges(items, tier, EdgeKind.INVOLVES, "upstream", limit=_MOST_INVOLVEMENTS)
    flagged = store.flags_for_many({edge.src for edge in parts}, tier)
    found: dict[str, dict[int | None, str]] = defaultdict(dict)
    for edge in parts:
        for flag in flagged[edge.src]:
            found[edge.dst][flag.index] = str(flag.attrs.get("severity", SEVERITIES[0]))
    return {key: list(flags.values()) for key, flags in found.items()}


def _card(
    key: str,
    names: Mapping[str, str],
    makings: Mapping[str, tuple[Content, Content]],
    flags: Mapping[str, list[str]],
) -> Card:
    if not is_item(key):
        return Card(product=key, lot="")
    item = parse_item(key)
    event, site = makings.get(key, ({}, {}))
    lot = [word for word in (item.lot_id, item.serial_id) if word]
    severities = flags.get(key, [])
    return Card(
        product=names.get(class_of(key), item.product_id),
        lot=" · ".join(lot),
        place=_place(event, site),
        day=str(event.get("event_time", ""))[:10],
        flags=len(severities),
        severity=max(severities, key=_seriousness, default=""),
    )


def _seriousness(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def _place(event: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    name = site.get("name") or event.get("facility_id") or ""
    country = site.get("country", "")
    return f"{name}, {country}" if name and country else str(name)
