"""What a question about an item's origin or whereabouts is answered with.

An answer holds every item within reach, the edges among them, the gaps where
the records stop, whether a limit cut it short, and the log position that it is
true for. Lineage may go round in circles, by mistake or by design: the walk
ends and the circle is named.

Next: graph/journey.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from graph.containment import contents_at
from graph.keys import NodeKind, is_class, is_serial, kind_of, lot_of, parse_key
from graph.model import EdgeKind, Role
from graph.walked import Edges
from provenance.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import networkx as nx

    from graph.model import Edge
    from graph.store import Direction, GraphStore
    from graph.walked import Walk
    from provenance.entries import Tier

__all__ = ["Gap", "GapReason", "Lineage", "gaps_along", "same_goods", "trace"]


class GapReason(StrEnum):
    """Why a trail ends, or what is missing along it."""

    UNKNOWN_LOT = "unknown_lot"
    """A transformation names an input whose maker nobody documents, or whose lot was erased."""
    NO_INPUTS = "no_inputs"
    """A transformation made it, and what went in is not documented, or not to this viewer."""
    NO_OUTPUTS = "no_outputs"
    """It was used up, and what came out is not documented."""
    NO_ORIGIN = "no_origin"
    """No event says that it was made."""
    NO_LOT = "no_lot"
    """A record names the product without the lot, so the trail cannot be followed further."""
    NOT_RECEIVED = "not_received"
    """A shipment of it left and nobody recorded its arrival (it may be under way)."""
    NOT_SHIPPED = "not_shipped"
    """A shipment of it arrived and nobody recorded its departure."""


_TRACEABLE: Final = (NodeKind.ITEM, NodeKind.CONTAINER)
_ITEM: Final = f"{NodeKind.ITEM}:"
_ABSENCES: Final = (GapReason.NO_ORIGIN, GapReason.NO_LOT)


class Gap(Struct, frozen=True, order=True):
    """A place where the records stop short.

    Attributes:
        item: Key of the item (or event that stands for a large transformation) at the gap.
        reason: What is missing.
        missing: What the missing thing is called, a lot or shipment id, where it has a name.
        index: The log entry that shows the gap; -1 when the gap is the absence of any.
    """

    item: str
    reason: GapReason
    missing: str = ""
    index: int = -1


@dataclass(frozen=True, slots=True)
class Lineage:
    """What an item came from or went into.

    Attributes:
        start: Key of the item asked for.
        direction: Which way.
        tier: Whose view this is.
        position: The log position that the answer is true for.
        hops: Every item within reach, with its distance: nearest first, equal ones by key.
            The item asked for has 0, and so has what stands for the same goods: the lot of a
            serial, the lots of a class, the contents of a container.
        edges: The visible edges among them, in log order: `became`, and from the item asked
            for the `includes` and `contained` that lead to what stands for it.
        gaps: Where the records stop, in order of item.
        truncated: Whether the limits on depth or number left something out.
    """

    start: str
    direction: Direction
    tier: Tier
    position: int
    hops: dict[str, int]
    edges: Sequence[Edge]
    gaps: tuple[Gap, ...]
    truncated: bool

    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Return the sets of items that are made from each other, each sorted; usually none."""
        became = [(e.src, e.dst) for e in self.edges if e.kind is EdgeKind.BECAME]
        if not _goes_round(became):
            return ()
        import networkx as nx  # noqa: PLC0415 - loaded only where something goes round

        graph = nx.DiGraph(became)
        rings = [tuple(sorted(ring)) for ring in nx.strongly_connected_components(graph)]
        return tuple(
            sorted(ring for ring in rings if len(ring) > 1 or graph.has_edge(ring[0], ring[0]))
        )

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """Return the items and edges as a graph for algorithms.

        Nodes bear `hops`, edges `kind`, `index` and their attributes.
        """
        import networkx as nx  # noqa: PLC0415 - a heavy import that few questions need

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(start=self.start, position=self.position)
        for key, hops in self.hops.items():
            graph.add_node(key, hops=hops)
        for edge in self.edges:
            graph.add_edge(edge.src, edge.dst, kind=edge.kind, index=edge.index, **edge.attrs)
        return graph


def trace(
    store: GraphStore,
    key: str,
    direction: Direction,
    tier: Tier,
    *,
    depth: int,
    limit: int,
    at: int | None,
) -> Lineage:
    """Answer `GraphStore.upstream` and `downstream` from the store's walk.

    Raises:
        NotFound: There is no such item for this viewer.
        UsageError: The key names something that is neither item nor container, or a limit is
            out of range.
    """
    if kind_of(key) not in _TRACEABLE:
        raise UsageError(f"lineage is asked of an item or a container, not of {key!r}")
    if depth < 0 or limit < 1:
        raise UsageError(f"depth {depth}, limit {limit}: at least 0 hops and 1 item")
    with store.snapshot():
        same = same_goods(store, key, tier, limit, at)
        others = {end for edge in same for end in (edge.src, edge.dst)} - {key}
        starts = [key, *sorted(others)]
        walk = store.walk(starts, tier, direction, depth=depth, limit=limit, at=at)
        if key not in walk.hops:
            raise NotFound(f"the graph knows no {key!r}, or it may not be shown at this tier")
        gaps = sorted(set(gaps_along(store, walk, direction, tier, at)))
        position = store.position()
    return Lineage(
        start=key,
        direction=direction,
        tier=tier,
        position=position,
        hops=walk.hops,
        edges=Edges(lambda: _inside(same, walk)),
        gaps=tuple(gap for gap in gaps if not _speaks_for_others(gap, key, same)),
        truncated=walk.truncated,
    )


def _inside(same: list[Edge], walk: Walk) -> list[Edge]:
    hops = walk.hops
    return [edge for edge in (*same, *walk.edges) if edge.src in hops and edge.dst in hops]


def same_goods(store: GraphStore, key: str, tier: Tier, limit: int, at: int | None) -> list[Edge]:
    """Return the edges to what stands for the same goods as an item or a container.

    Those are the lot of a serial, the lots and serials of a class, what is inside a container.
    At most one more than `limit`, so that who asks notices what was left out.
    """
    if kind_of(key) is NodeKind.CONTAINER:
        return contents_at(store, key, tier, at, limit + 1)
    if lot_of(key) is not None:
        return store.edges([key], tier, EdgeKind.INCLUDES, "upstream")
    if is_class(key):
        return store.edges([key], tier, EdgeKind.INCLUDES, "downstream", limit=limit + 1)
    return []


def _speaks_for_others(gap: Gap, key: str, same: list[Edge]) -> bool:
    """Say whether a gap is only seen because the records speak of the lot, not of `key` itself."""
    return bool(same) and gap.item == key and (is_serial(key) or gap.reason in _ABSENCES)


def gaps_along(
    store: GraphStore, walk: Walk, direction: Direction, tier: Tier, at: int | None
) -> Iterator[Gap]:
    """Yield where the trail stops: at gap nodes, at products without lot, at undocumented ends."""
    upstream = direction == "upstream"
    for edge in walk.to_gaps:
        item, gap = (edge.dst, edge.src) if upstream else (edge.src, edge.dst)
        yield _gap_at(item, gap, edge.index, direction)
    classes = [key for key in walk.hops if is_class(key)]
    lotless = {key for key in classes if walk.hops[key] and key.startswith(_ITEM)}
    for key in lotless:
        yield Gap(key, GapReason.NO_LOT)
    if upstream:
        ends = [key for key in walk.ends if key.startswith(_ITEM) and key not in lotless]
        yield from _origins(store, ends, tier, at)


def _origins(store: GraphStore, ends: list[str], tier: Tier, at: int | None) -> Iterator[Gap]:
    """Yield a gap for each item at the end of the trail that was not made from nothing."""
    made = store.made_by(ends, tier, at)
    for item in ends:
        edge = made.get(item)
        if edge is None:
            yield Gap(item, GapReason.NO_ORIGIN)
        elif edge.role is Role.OUTPUT:
            yield Gap(item, GapReason.NO_INPUTS, index=edge.index)


def _gap_at(item: str, gap: str, index: int, direction: Direction) -> Gap:
    """Say what it means that a transformation connects `item` with the gap node `gap`."""
    _, (of, _, what) = parse_key(gap)
    if of == "lot":
        return Gap(item, GapReason.UNKNOWN_LOT, what or "", index)
    if what:
        return Gap(item, GapReason.UNKNOWN_LOT, index=index)
    side = GapReason.NO_INPUTS if direction == "upstream" else GapReason.NO_OUTPUTS
    return Gap(item, side, index=index)


def _goes_round(edges: Iterable[tuple[str, str]]) -> bool:
    """Say whether following edges can come back: peel off sources until none is left."""
    targets: dict[str, list[str]] = {}
    waiting: Counter[str] = Counter()
    for source, target in edges:
        targets.setdefault(source, []).append(target)
        waiting[target] += 1
    ready = [source for source in targets if not waiting[source]]
    while ready:
        for target in targets.get(ready.pop(), ()):
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return any(waiting.values())
