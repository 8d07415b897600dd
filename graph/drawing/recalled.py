"""A recall as a picture: what was affected, from left to right, and where some of it is now.

Next: graph/drawing/network.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from graph.drawing.picture import DETAIL, Arrow, Box, picture
from graph.keys import NodeKind, kind_of, parse_key
from graph.lineage import Lineage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from graph.drawing.cards import Card
    from graph.drawing.picture import Picture
    from graph.questions.custody import Stay
    from graph.questions.recall import Recall
    from graph.store import GraphStore
    from provenance.entries import Content

__all__ = ["lineage_of", "recalled"]

_MOST_PLACES: Final = 40
_OTHERS: Final = ""


def lineage_of(store: GraphStore, recall: Recall, depth: int) -> Lineage:
    """Return how the affected items hang together, for `cards` and `recalled`."""
    hops = {one.item: one.hops for one in recall.affected}
    starts = [item for item, far in hops.items() if not far]
    walk = store.walk(
        starts, recall.tier, "downstream", depth=depth, limit=max(1, len(hops)), at=recall.at
    )
    if kind_of(recall.subject) is NodeKind.ITEM:
        start = recall.subject
    else:
        start = starts[0] if starts else recall.subject
    edges = tuple(e for e in walk.edges if e.src in walk.hops and e.dst in walk.hops)
    gaps = tuple(gap for gap in recall.gaps if gap.item in walk.hops)
    return Lineage(
        start, "downstream", recall.tier, recall.position, walk.hops, edges, gaps, recall.truncated
    )


def recalled(
    recall: Recall,
    lineage: Lineage,
    about: Mapping[str, Card],
    sites: Mapping[str, Content],
    title: str,
    *,
    detail: int = DETAIL,
) -> Picture:
    """Make the picture of a recall.

    Args:
        recall: What to draw.
        lineage: From `lineage_of`.
        about: What to write on each item, from `cards`.
        sites: What is recorded of the places where goods are held, by key.
        title: The heading.
        detail: How many items are drawn one by one before alike ones share a box.
    """
    base = picture(lineage, about, title, detail=detail)
    where = {key: at for at, box in enumerate(base.boxes) for key in box.keys}
    flows, shown = _flows(recall.held, where)
    # What is asked for is an item only where one was named.
    named = kind_of(recall.subject) is NodeKind.ITEM
    boxes = [box if named else replace(box, asked=False) for box in base.boxes]
    arrows = list(base.arrows)
    number: dict[str, int] = {}
    for (at, place), stays in sorted(flows.items()):
        if place not in number:
            number[place] = len(boxes)
            boxes.append(
                _place_box(place, [s for s in recall.held if _named(s, shown) == place], sites)
            )
        arrows.append(
            Arrow(at, number[place], label=_sum(stays), dashed=any(s.shipment for s in stays))
        )
    notes = [note for note in base.notes if "true for log position" not in note]
    first = (
        f"{len(recall.affected):,} items are affected; {len(number):,} places hold some of them "
        f"or await it. True for log position {recall.position:,}."
    )
    return replace(base, notes=(first, *notes), boxes=tuple(boxes), arrows=tuple(arrows))


def _flows(
    held: tuple[Stay, ...], where: Mapping[str, int]
) -> tuple[dict[tuple[int, str], list[Stay]], set[str]]:
    """Gather what is held by box and place; the places with least share one box."""
    counts: dict[str, int] = defaultdict(int)
    for stay in held:
        counts[stay.place] += 1
    shown = set(sorted(counts, key=lambda place: (-counts[place], place))[:_MOST_PLACES])
    flows: dict[tuple[int, str], list[Stay]] = defaultdict(list)
    for stay in held:
        if stay.item in where:
            flows[where[stay.item], _named(stay, shown)].append(stay)
    return flows, shown


def _named(stay: Stay, shown: set[str]) -> str:
    return stay.place if stay.place in shown else _OTHERS


def _place_box(place: str, stays: list[Stay], sites: Mapping[str, Content]) -> Box:
    site: Mapping[str, Any] = sites.get(place, {})
    id_ = (parse_key(place)[1][0] or "") if place else ""
    others = len({stay.place for stay in stays})
    name = str(site.get("name") or id_) if place else f"{others} other places"
    country = str(site.get("country", ""))
    lines = [name, f"{id_}, {country}" if country else id_ if site.get("name") else ""]
    does = "awaits" if all(stay.shipment for stay in stays) else "holds"
    lines.append(f"{does} {_sum(stays) or f'some of {len(stays)} lots'}")
    doubts = {doubt.replace("_", " ") for stay in stays for doubt in stay.doubts}
    return Box((), tuple(line for line in [*lines, ", ".join(sorted(doubts))] if line), place=True)


def _sum(stays: list[Stay]) -> str:
    """Say how much it is; nothing where a part of it is not known, or units differ."""
    units = {stay.unit for stay in stays}
    if len(units) != 1 or any(stay.rest is None for stay in stays):
        return ""
    total: Decimal | int = sum(stay.rest or 0 for stay in stays)
    return f"{total:,f} {units.pop() or ''}".strip()
