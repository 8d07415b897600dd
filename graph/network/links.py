"""The links of a network, counted: between sites that goods move, between parties that deal.

A link is a plain row, so that whoever has a table of others can ask the same of it.

Next: graph/network/measures.py
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from graph.keys import NodeKind
from graph.model import EdgeKind, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graph.model import Edge
    from graph.store import GraphStore
    from provenance.entries import Tier

__all__ = ["Link", "dealings", "goods_on", "shipments"]

_PAGE: Final = 200
_FACILITY: Final = f"{NodeKind.FACILITY}:"


class Link(NamedTuple):
    """That something goes from one node to another.

    Attributes:
        source: Where from; any name.
        target: Where to.
        times: How often, at least 1.
    """

    source: str
    target: str
    times: int


def shipments(store: GraphStore, tier: Tier) -> list[Link]:
    """Count the movements between facilities, in order of their ends.

    A shipment of an item counts once: by its departure, or by its arrival where no departure
    is recorded.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for _, edges in _movements(store, tier):
        counts.update((edge.src, edge.dst) for edge in _once(edges))
    return [Link(*ends, count) for ends, count in sorted(counts.items())]


def dealings(store: GraphStore, tier: Tier) -> list[Link]:
    """Return which party supplies which, in order of their ends; how often is not kept."""
    found = set()
    for keys in _pages(store, NodeKind.PARTY, tier):
        edges = store.edges(keys, tier, EdgeKind.SUPPLIES, "downstream")
        found |= {Link(edge.src, edge.dst, 1) for edge in edges}
    return sorted(found)


def goods_on(
    store: GraphStore, tier: Tier, lanes: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], set[str]]:
    """Return the items that moved on some lanes between facilities."""
    found: dict[tuple[str, str], set[str]] = {lane: set() for lane in lanes}
    starts = sorted({source for source, _ in found})
    for start in range(0, len(starts), _PAGE):
        some = starts[start : start + _PAGE]
        for edge in store.edges(some, tier, EdgeKind.MOVED, "downstream"):
            if (edge.src, edge.dst) in found and "item" in edge.attrs:
                found[edge.src, edge.dst].add(str(edge.attrs["item"]))
    return found


def _pages(store: GraphStore, kind: NodeKind, tier: Tier) -> Iterator[list[str]]:
    after = ""
    while page := store.nodes(kind, tier, after, _PAGE):
        yield [node.key for node in page]
        after = page[-1].key


def _movements(store: GraphStore, tier: Tier) -> Iterator[tuple[list[str], list[Edge]]]:
    for keys in _pages(store, NodeKind.FACILITY, tier):
        edges = store.edges(keys, tier, EdgeKind.MOVED, "downstream")
        yield keys, [edge for edge in edges if edge.dst.startswith(_FACILITY)]


def _once(edges: list[Edge]) -> Iterator[Edge]:
    """Yield departures, and arrivals that no departure was recorded for."""
    named = {_name(edge) for edge in edges if edge.role is Role.SHIPPED}
    for edge in edges:
        if edge.role is Role.SHIPPED or _name(edge) not in named:
            yield edge


def _name(edge: Edge) -> tuple[str, str, str, str]:
    shipment = edge.attrs.get("shipment_id")
    alone = f"#{edge.index}" if shipment is None else str(shipment)
    return edge.src, edge.dst, alone, str(edge.attrs.get("item", ""))
