"""What the graph in memory holds: facts by the nodes they connect.

Next: graph/stores/memory.py
"""

from __future__ import annotations

from collections import Counter, defaultdict
from copy import deepcopy
from typing import TYPE_CHECKING

from graph.changes import Mention
from graph.held import FactKind, NameSeen, NodeSeen
from graph.model import AGGREGATED, Edge, EdgeFact, EdgeKind, cut
from provenance.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graph.changes import Changes
    from graph.held import Fact
    from graph.model import EntryFact, RecordFact, RecordKind
    from graph.store import Direction
    from provenance.entries import Tier

__all__ = ["Held", "Place", "opened", "place"]

Place = tuple[int, int, str, str]
"""What tells an edge from all others, and orders them: index, seq, source, target."""

_Adjacent = dict[tuple[str, EdgeKind], dict[Place, EdgeFact]]


class Held:
    """All facts up to a position.

    Attributes:
        entries: One per log entry, by index.
        nodes: What is known of each node's existence.
        names: Nodes by field and value, with the lowest tier that may find them so.
        records: Versions of each record, the latest last.
        skipped: Counts of entries that brought nothing.
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self.entries: list[EntryFact] = []
        self.nodes: dict[str, Mention] = {}
        self.names: dict[tuple[str, str], dict[str, Tier]] = defaultdict(dict)
        self.records: dict[tuple[RecordKind, str], list[RecordFact]] = defaultdict(list)
        self.skipped: Counter[str] = Counter()
        self._out: _Adjacent = defaultdict(dict)
        self._in: _Adjacent = defaultdict(dict)

    def check(self, changes: Changes) -> None:
        """Find, before anything is touched, what would make a change fail half-way.

        Raises:
            StorageError: An entry is missing, or an edge or name refers to no node.
        """
        ends = {end for edge in changes.all_edges() for end in (edge.src, edge.dst)}
        ends |= {end for src, _, dst in changes.links for end in (src, dst)}
        ends |= {name.node for name in changes.names}
        indexes = [entry.index for entry in changes.entries]
        if indexes != list(range(changes.start, changes.stop)) or ends - changes.nodes.keys():
            raise StorageError(f"changes {changes.start} to {changes.stop} do not hang together")

    def unite(self, changes: Changes) -> None:
        """Add checked changes."""
        for key, mention in changes.nodes.items():
            known = self.nodes.get(key, mention)
            entries = [each for each in (known.newest, mention.newest) if each is not None]
            self.nodes[key] = Mention(min(known.tier, mention.tier), max(entries, default=None))
        for edge in changes.all_edges():
            self._put(edge)
        for edge in changes.retracted:
            self._out[edge.src, edge.kind].pop(place(edge), None)
            self._in[edge.dst, edge.kind].pop(place(edge), None)
        for (src, kind, dst), tier in changes.links.items():
            known_link = self._out[src, kind].get((AGGREGATED, 0, src, dst))
            seen_from = tier if known_link is None else min(tier, known_link.tier)
            self._put(EdgeFact(src, kind, dst, AGGREGATED, 0, None, seen_from, None, []))
        for name, tier in changes.names.items():
            nodes = self.names[name.field, name.value]
            nodes[name.node] = min(tier, nodes.get(name.node, tier))
        for record in changes.records:
            self.records[record.kind, record.key].append(record)
        self.skipped.update(changes.skipped)
        self.entries.extend(changes.entries)

    def _put(self, edge: EdgeFact) -> None:
        where = place(edge)
        self._out[edge.src, edge.kind][where] = edge
        self._in[edge.dst, edge.kind][where] = edge

    def shows(self, key: str, tier: Tier) -> bool:
        """Say whether a viewer may know of a node."""
        return key in self.nodes and self.nodes[key].tier <= tier

    def visible(
        self, keys: Iterable[str], kind: EdgeKind, way: Direction, tier: Tier
    ) -> Iterator[EdgeFact]:
        """Yield the edges that end (upstream) or begin (downstream) at nodes, as a viewer may."""
        adjacent = self._in if way == "upstream" else self._out
        for key in keys:
            for fact in adjacent.get((key, kind), {}).values():
                if fact.tier <= tier:
                    yield fact

    def facts(self, kind: FactKind) -> Iterable[Fact]:
        """Return everything held of a kind, in any order."""
        if kind is FactKind.ENTRY:
            return self.entries
        if kind is FactKind.NODE:
            return [NodeSeen(key, *mention) for key, mention in self.nodes.items()]
        if kind is FactKind.EDGE:
            return [edge for edges in self._out.values() for edge in edges.values()]
        if kind is FactKind.NAME:
            return [
                NameSeen(*name, node, tier)
                for name, nodes in self.names.items()
                for node, tier in nodes.items()
            ]
        return [record for versions in self.records.values() for record in versions]

    def faults(self) -> Iterator[str]:
        """Yield what only one end of an edge knows of."""
        out, into = (
            {(where, fact.kind): fact for edges in side.values() for where, fact in edges.items()}
            for side in (self._out, self._in)
        )
        for where, kind in sorted(out.keys() | into.keys()):
            if out.get((where, kind)) != into.get((where, kind)):
                yield f"edge {where[0]}/{where[1]}: its two ends differ"


def place(fact: EdgeFact) -> Place:
    """Return what identifies an edge."""
    return fact.index, fact.seq, fact.src, fact.dst


def opened(fact: EdgeFact, tier: Tier) -> Edge:
    """Cut an edge to a viewer; the answer shares nothing with the store."""
    attrs = deepcopy(cut(fact.layers, tier))
    return Edge(fact.src, fact.kind, fact.dst, fact.index, fact.role, fact.time_us, attrs)
