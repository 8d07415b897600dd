"""The journey of an item: what happened to it and to what it was made from, in time order.

Events of a container hold for its contents while they are inside. What befell
an upstream lot counts until it was last used for this item: later events, and
transformations into something else, are about other goods of the same lot.

Next: graph/stores/memory_facts.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from graph.containment import enclosures, moments
from graph.keys import NodeKind, kind_of, parse_key
from graph.lineage import Gap, GapReason
from graph.model import EdgeKind, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graph.containment import Enclosure
    from graph.lineage import Lineage
    from graph.model import Edge, Node
    from graph.store import GraphStore
    from provenance.entries import Tier

__all__ = ["Journey", "Step", "travel"]

_MOST_EDGES: Final = 100_000
"""So many involvements are looked at; a journey of more is cut, and says so."""
_FOREVER: Final = 2**63 - 1


_ENDS: Final = (Role.SHIPPED, Role.RECEIVED)
_OTHER_END: Final = (
    (Role.SHIPPED, Role.RECEIVED, GapReason.NOT_RECEIVED),
    (Role.RECEIVED, Role.SHIPPED, GapReason.NOT_SHIPPED),
)


class Step(Struct, frozen=True):
    """One event of a journey.

    Attributes:
        event: The event, its attributes cut to the viewer's tier.
        hops: How many transformations upstream of the item asked for it took place.
        items: Keys of the items of the journey that it involves.
        containers: Keys of the containers through which it concerns them, where it does.
    """

    event: Node
    hops: int
    items: tuple[str, ...]
    containers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Journey:
    """The events of an item, of its lot and of the lots upstream.

    Attributes:
        start: Key of the item asked for.
        tier: Whose view this is.
        position: The log position that the answer is true for.
        steps: In order of time, equal times by event id; undated events last.
        gaps: The gaps of the item's lineage, and hand-overs with one end only.
        truncated: Whether a limit left something out.
    """

    start: str
    tier: Tier
    position: int
    steps: tuple[Step, ...]
    gaps: tuple[Gap, ...]
    truncated: bool


class _Part(NamedTuple):
    """That an event (the edge's source) befell an item, directly or through a container."""

    item: str
    edge: Edge
    container: str | None = None


@dataclass(slots=True)
class _Gathered:
    """What is known of one event while the journey is put together."""

    hops: int
    time_us: int | None
    items: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)


def travel(
    store: GraphStore, key: str, tier: Tier, *, depth: int, limit: int, at: int | None = None
) -> Journey:
    """Answer `GraphStore.journey`; `at` is a time after which nothing counts."""
    with store.snapshot():
        lineage = store.upstream(key, tier, depth=depth, limit=limit, at=at)
        direct = store.edges(lineage.hops, tier, EdgeKind.INVOLVES, "upstream", limit=_MOST_EDGES)
        parts = [_Part(edge.dst, edge) for edge in direct]
        parts += _through_containers(store, lineage, tier)
        parts = [each for each in parts if at is None or (each.edge.time_us or 0) <= at]
        events = _gather(parts, lineage)
        order = sorted(events, key=lambda event: _moment(event, events[event]))
        nodes = store.fetch(order[:limit], tier)
        gaps = [*lineage.gaps, *_hand_overs(store, events, order[:limit], tier)]
    return Journey(
        start=key,
        tier=tier,
        position=lineage.position,
        steps=tuple(_step(nodes[event], events[event]) for event in order[:limit]),
        gaps=tuple(sorted(set(gaps))),
        truncated=lineage.truncated or len(order) > limit or len(direct) == _MOST_EDGES,
    )


class _Uses:
    """How the items of a lineage were used in it."""

    def __init__(self, lineage: Lineage) -> None:
        self._hops = lineage.hops
        self._last: dict[str, int] = {}
        self._events: set[tuple[str, int]] = set()
        for use in lineage.edges:
            if use.kind is EdgeKind.BECAME:
                until = _FOREVER if use.time_us is None else use.time_us
                self._events.add((use.src, use.index))
                self._last[use.src] = max(until, self._last.get(use.src, until))

    def concern(self, item: str, event: Edge) -> bool:
        """Say whether what befell `item` came before, not beside, its use for this journey."""
        if not self._hops[item]:
            return True
        beside = event.role is Role.INPUT and (item, event.index) not in self._events
        after = event.time_us is not None and event.time_us > self._last.get(item, _FOREVER)
        return not (beside or after)


def _through_containers(store: GraphStore, lineage: Lineage, tier: Tier) -> Iterator[_Part]:
    """Yield the events of containers that took place while an item of the journey was inside."""
    inside: dict[str, list[Enclosure]] = defaultdict(list)
    for enclosure in enclosures(store, lineage.hops, tier):
        inside[enclosure.container].append(enclosure)
    roles = (Role.CARRIED,)
    carried = store.edges(inside, tier, EdgeKind.INVOLVES, "upstream", roles=roles)
    when = moments(store, carried, tier)
    for edge in carried:
        concerned = {
            each.item
            for each in inside[edge.dst]
            if edge.index in when and each.window.covers(when[edge.index])
        }
        for item in concerned:
            yield _Part(item, edge, edge.dst)


def _gather(parts: Iterable[_Part], lineage: Lineage) -> dict[str, _Gathered]:
    """Put together what concerns the same event, which counts as near as its nearest item."""
    events: dict[str, _Gathered] = {}
    uses = _Uses(lineage)
    for item, edge, container in parts:
        if uses.concern(item, edge):
            hops = lineage.hops[item]
            event = events.setdefault(edge.src, _Gathered(hops, edge.time_us))
            event.hops = min(hops, event.hops)
            event.items.add(item)
            if container is not None:
                event.containers.add(container)
    return events


def _moment(event: str, gathered: _Gathered) -> tuple[int, str, str]:
    party, event_id = (part or "" for part in parse_key(event)[1])
    return _FOREVER if gathered.time_us is None else gathered.time_us, event_id, party


def _step(event: Node, gathered: _Gathered) -> Step:
    items, containers = tuple(sorted(gathered.items)), tuple(sorted(gathered.containers))
    return Step(event, gathered.hops, items, containers)


def _hand_overs(
    store: GraphStore, events: dict[str, _Gathered], shown: list[str], tier: Tier
) -> Iterator[Gap]:
    """Yield a gap for each shipment of an item that has one end only: ship, or receive."""
    own = [
        edge
        for edge in store.edges(shown, tier, EdgeKind.INVOLVES, "downstream", roles=_ENDS)
        if kind_of(edge.dst) is NodeKind.SHIPMENT
        and edge.attrs.get("item") in events[edge.src].items
    ]
    shipments = {edge.dst for edge in own}
    ends = store.edges(shipments, tier, EdgeKind.INVOLVES, "upstream", roles=_ENDS)
    recorded = {(edge.dst, edge.attrs.get("item"), edge.role) for edge in ends}
    for edge in own:
        item, shipment = edge.attrs["item"], parse_key(edge.dst)[1][0] or ""
        for here, there, reason in _OTHER_END:
            if edge.role is here and (edge.dst, item, there) not in recorded:
                yield Gap(item, reason, shipment, edge.index)
