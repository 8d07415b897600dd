"""The graph in this process's memory: for tests, demos and questions about small logs.

Lasts as long as the object. Plain dictionaries, and no cleverness: this store
is also what the others are compared with.

Next: graph/stores/sqlite_file.py
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from graph.held import place_of
from graph.journey import Journey, travel
from graph.keys import NodeKind, entry_index, entry_key, kind_of, record_key
from graph.lineage import Lineage, trace
from graph.model import (
    Edge,
    EdgeFact,
    EdgeKind,
    Node,
    Record,
    RecordKind,
    Role,
    cut,
)
from graph.store import DEFAULT_DEPTH, DEFAULT_LIMIT
from graph.stores.memory_facts import Held, Place, opened, place
from graph.walked import walked
from provenance.errors import NotFound, StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from graph.changes import Changes
    from graph.held import Fact, FactKind
    from graph.model import EntryFact
    from graph.store import Direction
    from graph.walked import Walk
    from provenance.entries import Tier

__all__ = ["MemoryStore"]

_LATE: Final = 2**63
_ENTRIES: Final = (NodeKind.EVENT, NodeKind.FLAG, NodeKind.ENTRY)
_WAYS: Final[tuple[Direction, ...]] = ("upstream", "downstream")
_MAKING: Final = (Role.PRODUCED, Role.OUTPUT)


class MemoryStore:
    """See `graph.store.GraphStore`."""

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = threading.RLock()
        self._held = Held()

    def address(self) -> str | None:
        """Return None: it lives in this process."""
        return None

    def position(self) -> int:
        """Return the number of entries applied."""
        return len(self._held.entries)

    def apply(self, changes: Changes) -> int:
        """Unite with the changes of the entries that come next."""
        with self._lock:
            if changes.start > self.position():
                raise StorageError(
                    f"the graph has applied {self.position()} entries, these begin at "
                    f"{changes.start}; catch up from there"
                )
            if changes.start == self.position():
                self._held.check(changes)
                self._held.unite(changes)
            return self.position()

    def forget(self, entries: Sequence[EntryFact]) -> None:
        """Replace the content of entries."""
        with self._lock:
            for fact in entries:
                self._held.entries[fact.index] = fact

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held = Held()

    def purge(self) -> bool:
        """Do nothing: what was replaced is in no file."""
        return True

    def close(self) -> None:
        """Do nothing: memory is given back with the object."""

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Keep other threads out."""
        with self._lock:
            yield

    def skipped(self) -> dict[str, int]:
        """Return the counts of entries that brought nothing."""
        with self._lock:
            return dict(self._held.skipped)

    def node(self, key: str, tier: Tier) -> Node:
        """Return one node."""
        found = self.fetch([key], tier).get(key)
        if found is None:
            raise NotFound(f"the graph knows no {key!r}, or it may not be shown at this tier")
        return found

    def fetch(self, keys: Collection[str], tier: Tier) -> dict[str, Node]:
        """Return many nodes."""
        with self._lock:
            found = ((key, self._node(key, tier)) for key in keys)
            return {key: node for key, node in found if node is not None}

    def _node(self, key: str, tier: Tier) -> Node | None:
        index = entry_index(key)
        if index is not None:
            return self._entry_node(index, tier) if index < len(self._held.entries) else None
        if not self._held.shows(key, tier):
            return None
        mention = self._held.nodes[key]
        if mention.newest is None:
            return Node(key, None, None, {})
        entry = self._held.entries[mention.newest]
        return Node(key, entry.index, entry.leaf_hash, deepcopy(cut(entry.layers, tier)))

    def _entry_node(self, index: int, tier: Tier) -> Node:
        entry = self._held.entries[index]
        attrs = deepcopy(cut(entry.layers, tier))
        return Node(self._chain_key(index, tier), index, entry.leaf_hash, attrs)

    def _chain_key(self, index: int, tier: Tier) -> str:
        node = self._held.entries[index].node
        hidden = node is None or self._held.nodes[node].tier > tier
        return entry_key(index) if hidden or node is None else node

    def nodes(self, kind: NodeKind, tier: Tier, after: str = "", limit: int = 100) -> list[Node]:
        """Return nodes of a kind in order of key."""
        if kind is NodeKind.ENTRY:
            raise UsageError("entries are not listed; ask for one, or for contents of a version")
        with self._lock:
            keys = sorted(
                key
                for key, mention in self._held.nodes.items()
                if kind_of(key) is kind and key > after and mention.tier <= tier
            )
            return list(self.fetch(keys[:limit], tier).values())

    def neighbours(
        self,
        key: str,
        tier: Tier,
        kinds: Collection[EdgeKind] | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> list[Edge]:
        """Return the edges from and to a node."""
        wanted = set(EdgeKind if kinds is None else kinds)
        with self._lock:
            node = self.node(key, tier)
            found: dict[Place, EdgeFact] = {}
            for kind in wanted:
                for way in _WAYS:
                    facts = sorted(self._held.visible([node.key], kind, way, tier), key=place)
                    found |= {place(fact): fact for fact in facts[:limit]}
            edges = [opened(found[each], tier) for each in sorted(found)]
            return edges + (self._chain(node, tier) if EdgeKind.NEXT in wanted else [])

    def _chain(self, node: Node, tier: Tier) -> list[Edge]:
        if kind_of(node.key) not in _ENTRIES or node.index is None:
            return []
        return [
            Edge(
                self._chain_key(first, tier),
                EdgeKind.NEXT,
                self._chain_key(first + 1, tier),
                first,
                None,
                None,
                {},
            )
            for first in (node.index - 1, node.index)
            if 0 <= first < self.position() - 1
        ]

    def edges(
        self,
        keys: Collection[str],
        tier: Tier,
        kind: EdgeKind,
        way: Direction,
        *,
        roles: Collection[Role] | None = None,
        limit: int | None = None,
    ) -> list[Edge]:
        """Return the edges of one kind at many nodes."""
        with self._lock:
            facts = [
                fact
                for fact in self._held.visible(set(keys), kind, way, tier)
                if roles is None or fact.role in roles
            ]
            return [opened(fact, tier) for fact in sorted(facts, key=place)[:limit]]

    def made_by(self, keys: Collection[str], tier: Tier, at: int | None = None) -> dict[str, Edge]:
        """Return the events that made items."""
        with self._lock:
            facts = [
                fact
                for fact in self._held.visible(set(keys), EdgeKind.INVOLVES, "upstream", tier)
                if fact.role in _MAKING and _in_time(fact, at)
            ]
            facts.sort(key=_making_order, reverse=True)
            return {fact.dst: replace(opened(fact, tier), attrs={}) for fact in facts}

    def walk(
        self,
        starts: Sequence[str],
        tier: Tier,
        direction: Direction,
        *,
        depth: int = DEFAULT_DEPTH,
        limit: int = DEFAULT_LIMIT,
        at: int | None = None,
    ) -> Walk:
        """Follow `became` edges breadth first."""
        with self._lock:
            known = [key for key in dict.fromkeys(starts) if self._held.shows(key, tier)]
            hops = dict.fromkeys(sorted(known[:limit]), 0)
            facts: list[EdgeFact] = []
            level, truncated, distance = list(hops), len(known) > limit, 0
            while level:
                here = [
                    f
                    for f in self._held.visible(level, EdgeKind.BECAME, direction, tier)
                    if _in_time(f, at)
                ]
                facts += here
                others = {f.src if direction == "upstream" else f.dst for f in here} - hops.keys()
                found = sorted(key for key in others if kind_of(key) is not NodeKind.GAP)
                room = limit - len(hops) if distance < depth else 0
                truncated = truncated or len(found) > room
                level, distance = found[:room], distance + 1
                hops |= dict.fromkeys(level, distance)
            edges = [opened(fact, tier) for fact in sorted(facts, key=place)]
            return walked(hops, edges, upstream=direction == "upstream", truncated=truncated)

    def upstream(
        self,
        key: str,
        tier: Tier,
        *,
        depth: int = DEFAULT_DEPTH,
        limit: int = DEFAULT_LIMIT,
        at: int | None = None,
    ) -> Lineage:
        """Return what an item was made from."""
        return trace(self, key, "upstream", tier, depth=depth, limit=limit, at=at)

    def downstream(
        self,
        key: str,
        tier: Tier,
        *,
        depth: int = DEFAULT_DEPTH,
        limit: int = DEFAULT_LIMIT,
        at: int | None = None,
    ) -> Lineage:
        """Return what was made from an item."""
        return trace(self, key, "downstream", tier, depth=depth, limit=limit, at=at)

    def journey(
        self, key: str, tier: Tier, *, depth: int = DEFAULT_DEPTH, limit: int = DEFAULT_LIMIT
    ) -> Journey:
        """Return the events of an item and of what it was made from."""
        return travel(self, key, tier, depth=depth, limit=limit)

    def flags_for(self, key: str, tier: Tier, *, superseded: bool = False) -> list[Node]:
        """Return the flags about a node."""
        return self.flags_for_many([key], tier, superseded=superseded)[key]

    def flags_for_many(
        self, keys: Collection[str], tier: Tier, *, superseded: bool = False
    ) -> dict[str, list[Node]]:
        """Return the flags about many nodes."""
        with self._lock:
            current = {
                versions[-1].index
                for (kind, _), versions in self._held.records.items()
                if kind is RecordKind.FLAG
            }
            answer: dict[str, list[Node]] = {}
            for key in keys:
                facts = self._held.visible([key], EdgeKind.FLAGS, "upstream", tier)
                wanted = {f.index: f.src for f in facts if superseded or f.index in current}
                nodes = self.fetch(list(wanted.values()), tier)
                answer[key] = sorted(nodes.values(), key=lambda node: -(node.index or 0))
            return answer

    def find(self, field: str, value: str, tier: Tier, limit: int = 100) -> list[str]:
        """Return the keys of items by one of their names."""
        with self._lock:
            nodes = self._held.names.get((field, value), {})
            return sorted(node for node, seen_from in nodes.items() if seen_from <= tier)[:limit]

    def records(self, kind: RecordKind, tier: Tier, under: Sequence[str] = ()) -> list[Record]:
        """Return the latest versions of records."""
        with self._lock:
            latest = sorted(
                (key, versions[-1])
                for (of, key), versions in self._held.records.items()
                if of is kind and _is_under(key, under)
            )
            return [self._record(fact.index, tier) for _, fact in latest if fact.tier <= tier]

    def _record(self, index: int, tier: Tier) -> Record:
        entry = self._held.entries[index]
        return Record(index, entry.leaf_hash, deepcopy(cut(entry.layers, tier)))

    def contents(
        self, version: str, tier: Tier, start: int = 0, stop: int | None = None
    ) -> Iterator[Record]:
        """Yield the contents of all entries of a version."""
        for index in range(start, self.position() if stop is None else stop):
            with self._lock:
                if index >= self.position():
                    return
                if self._held.entries[index].version == version:
                    record = self._record(index, tier)
                else:
                    continue
            yield record

    def facts(self, kind: FactKind) -> Iterator[Fact]:
        """Yield everything held of a kind."""
        with self._lock:
            yield from sorted(self._held.facts(kind), key=place_of)

    def faults(self) -> Iterator[str]:
        """Yield what only one end of an edge knows of."""
        with self._lock:
            yield from self._held.faults()


def _in_time(fact: EdgeFact, at: int | None) -> bool:
    return at is None or fact.time_us is None or fact.time_us <= at


def _making_order(fact: EdgeFact) -> tuple[bool, int, str, int]:
    time_us = _LATE if fact.time_us is None else fact.time_us
    return fact.role is not Role.PRODUCED, time_us, fact.src, fact.seq


def _is_under(key: str, under: Sequence[str]) -> bool:
    return not under or key == record_key(*under) or key.startswith(f"{record_key(*under)}/")
