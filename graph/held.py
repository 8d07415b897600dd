"""What a store holds, fact by fact, for whoever compares it with the log.

Stores keep facts in shapes of their own. Here they are named as they were stated,
each with a place: what tells it from all others of its kind and orders them, the
same in every store. So two stores are compared by going through both once.

Next: graph/walked.py
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from graph.model import EdgeFact, EntryFact, RecordFact

if TYPE_CHECKING:
    from provenance.entries import Tier

__all__ = ["Fact", "FactKind", "NameSeen", "NodeSeen", "Place", "place_of"]

Place = tuple[int | str, ...]
"""Text in it is ordered by code point."""


class FactKind(StrEnum):
    """The kinds of fact that a store holds."""

    ENTRY = "entry"
    NODE = "node"
    EDGE = "edge"
    NAME = "name"
    RECORD = "record"


class NodeSeen(Struct, frozen=True, gc=False):
    """That a node exists: the lowest tier that may know, the newest entry that defines it."""

    key: str
    tier: Tier
    newest: int | None


class NameSeen(Struct, frozen=True, gc=False):
    """That a node may be found by the value of a field, from a tier on."""

    field: str
    value: str
    node: str
    tier: Tier


Fact = EntryFact | NodeSeen | EdgeFact | NameSeen | RecordFact


def place_of(fact: Fact) -> Place:
    """Return what tells a fact from all others of its kind, and orders them."""
    if isinstance(fact, EdgeFact):
        return fact.index, fact.seq, fact.src, fact.dst, fact.kind
    if isinstance(fact, EntryFact):
        return (fact.index,)
    if isinstance(fact, NodeSeen):
        return (fact.key,)
    if isinstance(fact, NameSeen):
        return fact.node, fact.field, fact.value
    return fact.kind, fact.key, fact.index
