"""The lanes along which goods move between sites, with what went over each and what is flagged.

A lane is a pair of facilities that one shipment or more went between. A
shipment counts once, by its departure where that is recorded, else by its
arrival.

Next: graph/drawing/cards.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from graph.keys import NodeKind, event_key, facility_key, parse_key
from graph.model import EdgeKind, Role
from provenance import canonical
from provenance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from graph.model import Edge, Node
    from graph.store import GraphStore
    from provenance.entries import Content, Tier

__all__ = ["Lane", "Lanes", "Site", "lanes"]

_PAGE: Final = 500
_MOST: Final = 500_000
_SEVERITIES: Final = ("info", "low", "medium", "high", "critical")


class Site(Struct, frozen=True):
    """A facility on a lane.

    Attributes:
        key: Its key.
        name: Its name, or its id.
        country: ISO 3166-1 alpha-2; "" where it is not recorded.
        tier: Steps from raw material, which is 0; None where it is not recorded.
    """

    key: str
    name: str
    country: str
    tier: int | None


class Lane(Struct, frozen=True):
    """What went from one facility to another.

    Attributes:
        src: Key of the facility that it left.
        dst: Key of the facility that it was for.
        shipments: How many shipments of an item.
        quantities: How much of it by unit, in order of unit.
        flags: How many flags there are on these movements and on the lane itself.
        severity: Of the worst of them; "" where there are none.
    """

    src: str
    dst: str
    shipments: int
    quantities: tuple[tuple[str, Decimal], ...]
    flags: int
    severity: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes of a network.

    Attributes:
        tier: Whose view this is.
        position: The log position that the answer is true for.
        at: The time that it was asked for; None for all that is recorded.
        sites: The facilities at either end of a lane, in order of key.
        lanes: In order of their ends.
        truncated: Whether a limit left movements out.
    """

    tier: Tier
    position: int
    at: int | None
    sites: tuple[Site, ...]
    lanes: tuple[Lane, ...]
    truncated: bool


def lanes(store: GraphStore, tier: Tier, *, at: int | None = None, limit: int = _MOST) -> Lanes:
    """Return the lanes between facilities.

    Args:
        store: Where to read.
        tier: The viewer's.
        at: Microseconds since the epoch: only movements up to then count.
        limit: At most so many movements are looked at.

    Raises:
        UsageError: The limit is not positive.
    """
    if limit < 1:
        raise UsageError(f"limit {limit}: at least 1 movement")
    with store.snapshot():
        nodes = list(_facilities(store, tier))
        moved, cut = _moved(store, [node.key for node in nodes], tier, at, limit)
        flags = _flags(store, tier)
        position = store.position()
    ends = {end for lane in moved for end in lane}
    return Lanes(
        tier=tier,
        position=position,
        at=at,
        sites=tuple(_site(node) for node in nodes if node.key in ends),
        lanes=tuple(
            _lane(lane, edges, flags.get(lane, [])) for lane, edges in sorted(moved.items())
        ),
        truncated=cut,
    )


def _facilities(store: GraphStore, tier: Tier) -> Iterator[Node]:
    after = ""
    while page := store.nodes(NodeKind.FACILITY, tier, after, _PAGE):
        yield from page
        after = page[-1].key


def _moved(
    store: GraphStore, keys: list[str], tier: Tier, at: int | None, limit: int
) -> tuple[dict[tuple[str, str], list[Edge]], bool]:
    """Return departures between facilities, and arrivals whose departure is not recorded."""
    found: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    announced: set[tuple[str, str, str, str]] = set()
    cut = False
    for role in (Role.SHIPPED, Role.RECEIVED):
        edges = store.edges(keys, tier, EdgeKind.MOVED, "downstream", roles=(role,), limit=limit)
        cut = cut or len(edges) == limit
        for edge in edges:
            if not edge.dst.startswith(_FACILITY) or (at is not None and (edge.time_us or 0) > at):
                continue
            shipment = str(edge.attrs.get("shipment_id", ""))
            name = (edge.src, edge.dst, shipment, str(edge.attrs.get("item", "")))
            if role is Role.SHIPPED or not shipment or name not in announced:
                found[edge.src, edge.dst].append(edge)
                announced.add(name)
    return found, cut


_FACILITY: Final = f"{NodeKind.FACILITY}:"


def _flags(store: GraphStore, tier: Tier) -> dict[tuple[str, str], list[str]]:
    """Return the severities of the flags on events that moved something, by lane."""
    after, subjects = "", set()
    while page := store.nodes(NodeKind.FLAG, tier, after, _PAGE):
        for flag in page:
            content = flag.attrs
            if content.get("subject_kind") == "event" and "subject_id" in content:
                party = str(content.get("subject_party", ""))
                subjects.add(event_key(party, str(content["subject_id"])))
        after = page[-1].key
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    events = store.fetch(subjects, tier)
    current = store.flags_for_many(list(events), tier)
    for key, event in events.items():
        ends = _ends(event.attrs)
        if ends is not None:
            found[ends] += [str(flag.attrs.get("severity", "")) for flag in current[key]]
    return found


def _ends(event: Content) -> tuple[str, str] | None:
    start = event.get("from_facility_id") or event.get("facility_id")
    end = event.get("to_facility_id")
    if event.get("event_type") == "receive":
        start, end = event.get("from_facility_id"), end or event.get("facility_id")
    return (facility_key(str(start)), facility_key(str(end))) if start and end else None


def _site(node: Node) -> Site:
    content = node.attrs
    step = content.get("tier")
    return Site(
        key=node.key,
        name=str(content.get("name") or parse_key(node.key)[1][0]),
        country=str(content.get("country", "")),
        tier=step if type(step) is int else None,
    )


def _lane(ends: tuple[str, str], edges: Iterable[Edge], severities: list[str]) -> Lane:
    sums: dict[str, Decimal] = {}
    count = 0
    for edge in edges:
        count += 1
        quantity = canonical.decimal(edge.attrs.get("quantity"))
        if quantity is not None:
            unit = str(edge.attrs.get("quantity_unit", ""))
            sums[unit] = sums.get(unit, 0) + quantity
    known = [severity for severity in severities if severity in _SEVERITIES]
    return Lane(
        src=ends[0],
        dst=ends[1],
        shipments=count,
        quantities=tuple(sorted(sums.items())),
        flags=len(severities),
        severity=max(known, key=_SEVERITIES.index, default=""),
    )
