"""Rows of answers as what they stand for, cut to a viewer.

Next: graph/stores/arango/asking.py
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from graph.model import AGGREGATED, Edge, EdgeKind, Node, Record, Role
from graph.stores.arango.encoding import opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provenance.entries import Tier

__all__ = ["as_edge", "as_node", "as_record", "chained", "order_of"]


def order_of(row: Sequence[Any]) -> tuple[int, int, str, str]:
    """Return what orders an edge: its entry, its number within it, and both its ends."""
    key = row[0]
    stated = key.startswith("e")
    return (int(key[1:17]), int(key[17:]), *row[1:3]) if stated else (AGGREGATED, 0, *row[1:3])


def as_edge(row: Sequence[Any], tier: Tier) -> Edge:
    """Read document key, source, target, kind, role, time and layers."""
    _, src, dst, kind, role, time_us, layers = row
    index, _, _, _ = order_of(row)
    done = None if role is None else Role(role)
    return Edge(src, EdgeKind(kind), dst, index, done, time_us, opened(layers, tier))


def as_node(row: Sequence[Any], tier: Tier) -> Node:
    """Read key, entry, leaf hash and layers."""
    key, number, leaf, layers = row
    if number is None:
        return Node(key, None, None, {})
    return Node(key, int(number), bytes.fromhex(leaf), opened(layers, tier))


def as_record(row: Sequence[Any], tier: Tier) -> Record:
    """Read entry, leaf hash and layers."""
    number, leaf, layers = row
    return Record(int(number), bytes.fromhex(leaf), opened(layers, tier))


def chained(around: Sequence[str], found: Mapping[str, Node], first: int) -> list[Edge]:
    """Return the `next` edges between neighbouring entries, as far as they were found.

    Args:
        around: Keys of entries that follow each other.
        found: By these keys.
        first: The index of the first of them.
    """
    return [
        Edge(found[src].key, EdgeKind.NEXT, found[dst].key, first + step, None, None, {})
        for step, (src, dst) in enumerate(pairwise(around))
        if src in found and dst in found
    ]
