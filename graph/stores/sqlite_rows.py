"""Rows of the SQLite graph as what they stand for, cut to a viewer.

Next: graph/stores/sqlite_walk.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from graph.model import Edge, Node, Record
from graph.stores.sqlite_file import KINDS, ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provenance.entries import Content, Tier

__all__ = ["as_edge", "as_edges", "as_json", "as_node", "as_nodes", "as_record", "open_all"]


def as_json(given: Iterable[str | int]) -> str:
    """Write what a statement takes as `json_each`."""
    # A key is ASCII; other text names nothing, and may not even be encodable.
    named = [value for value in given if isinstance(value, int) or value.isascii()]
    return orjson.dumps(named).decode()


def _cut(layers: bytes | None, tier: Tier) -> Content:
    return {} if layers is None else _opened(orjson.loads(layers), tier)


def open_all(layers: list[bytes | None], tier: Tier) -> list[Content]:
    """Open the layers of many rows at once, in one go of the decoder."""
    decoded = orjson.loads(b"[%b]" % b",".join([each or b"[]" for each in layers]))
    return [_opened(each, tier) for each in decoded]


def _opened(layers: list[Content], tier: Tier) -> Content:
    """Cut layers that nobody else holds, as `cut` does those that somebody may."""
    if not layers:
        return {}
    seen = layers[0]
    for layer in layers[1 : tier + 1]:
        if layer:
            seen |= layer
    return seen


def as_nodes(rows: Sequence[Sequence[Any]], tier: Tier) -> list[Node]:
    """Read many nodes as `as_node` reads one."""
    contents = open_all([row[3] for row in rows], tier)
    return [
        Node(key, index, leaf_hash, attrs)
        for (key, index, leaf_hash, _), attrs in zip(rows, contents, strict=True)
    ]


def as_node(row: Sequence[Any], tier: Tier) -> Node:
    """Read key, index, leaf hash and layers."""
    key, index, leaf_hash, layers = row
    return Node(key, index, leaf_hash, _cut(layers, tier))


def as_record(row: Sequence[Any], tier: Tier) -> Record:
    """Read index, leaf hash and layers."""
    index, leaf_hash, layers = row
    return Record(index, leaf_hash, _cut(layers, tier))


def as_edges(rows: Sequence[Sequence[Any]], tier: Tier) -> list[Edge]:
    """Read many edges as `as_edge` reads one."""
    contents = open_all([row[7] for row in rows], tier)
    return [
        Edge(src, KINDS[kind], dst, index, None if role is None else ROLES[role], time_us, attrs)
        for (index, _, src, dst, kind, role, time_us, _), attrs in zip(rows, contents, strict=True)
    ]


def as_edge(row: Sequence[Any], tier: Tier) -> Edge:
    """Read index, number, source, target, kind, role, time and layers."""
    index, _, src, dst, kind, role, time_us, layers = row
    done = None if role is None else ROLES[role]
    return Edge(src, KINDS[kind], dst, index, done, time_us, _cut(layers, tier))
