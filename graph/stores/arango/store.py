"""The graph in ArangoDB: a single server, or a cluster.

Walks go level by level, each item visited once whatever the shape of the graph.

Nothing is sent before the first question, so a server that is away holds up nobody
who does not ask.

Next: graph/sync.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from graph.journey import Journey, travel
from graph.keys import NodeKind, entry_index, entry_key, is_unicode, kind_of, record_key
from graph.lineage import Lineage, trace
from graph.model import Edge, EdgeKind, Node, Record, RecordKind, Role
from graph.store import DEFAULT_DEPTH, DEFAULT_LIMIT
from graph.stores.arango import text
from graph.stores.arango.ahead import Ahead
from graph.stores.arango.asking import Asking
from graph.stores.arango.encoding import find_key, node_key, padded, sortable
from graph.stores.arango.facts import facts_in, faults_in
from graph.stores.arango.rows import as_edge, as_node, as_record, chained, order_of
from graph.stores.arango.schema import HEAD, Names, truncate
from graph.stores.arango.session import Session
from graph.stores.arango.writing import Writer
from provenance.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    from graph.changes import Changes
    from graph.held import Fact, FactKind
    from graph.model import EntryFact
    from graph.place import ArangoPlace
    from graph.store import Direction
    from graph.walked import Walk
    from provenance.entries import Tier

__all__ = ["ArangoStore"]

_NO_LIMIT: Final = 2**52
_PAGE: Final = 1_000
_ENTRIES: Final = (NodeKind.EVENT, NodeKind.FLAG, NodeKind.ENTRY)


class ArangoStore:
    """See `graph.store.GraphStore`."""

    def __init__(
        self,
        hosts: str,
        place: ArangoPlace,
        *,
        readonly: bool = False,
        session: Session | None = None,
    ) -> None:
        """Prepare to ask the server at `hosts`; see `session.Session`."""
        self._session = session or Session(hosts, place)
        self._names = Names(place.graph)
        self._writer = Writer(self._session.database, self._names)
        self._asking = Asking(self._session, place, self._names, readonly=readonly)
        self._ask = self._asking.ask
        self._write = self._asking.write

    def address(self) -> str | None:
        """Return None: it needs more than a URL."""
        return None

    def position(self) -> int:
        """Return the number of entries applied."""
        name, asking = self._names.head, self._asking
        head = asking.run(lambda: asking.database.collection(name).get(HEAD))
        return int(head["position"])  # type: ignore[index]

    def apply(self, changes: Changes) -> int:
        """Unite with the changes of the entries that come next."""
        return self._write(lambda: self._writer.apply(changes))

    def forget(self, entries: Sequence[EntryFact]) -> None:
        """Replace the content of entries."""
        self._write(lambda: self._writer.forget(entries))

    def reset(self) -> None:
        """Forget everything."""
        self._write(lambda: truncate(self._session.database, self._names))

    def purge(self) -> bool:
        """Let the server rewrite its files without what was replaced."""
        for name in (self._names.entries, self._names.became, self._names.edges):
            self._write(self._session.database.collection(name).compact)
        return True

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def snapshot(self) -> AbstractContextManager[None]:
        """Hold the graph still within one read transaction."""
        return self._asking.snapshot()

    def skipped(self) -> dict[str, int]:
        """Return the counts of entries that brought nothing."""
        total: dict[str, int] = {}
        for counts in self._ask(text.SKIPPED, "skipped"):
            for reason, count in counts.items():
                total[reason] = total.get(reason, 0) + count
        return total

    def node(self, key: str, tier: Tier) -> Node:
        """Return one node."""
        found = self.fetch([key], tier).get(key)
        if found is None:
            raise NotFound(f"the graph knows no {key!r}, or it may not be shown at this tier")
        return found

    def fetch(self, keys: Collection[str], tier: Tier) -> dict[str, Node]:
        """Return many nodes."""
        indexes = {key: entry_index(key) for key in keys}
        named = [node_key(key) for key, index in indexes.items() if index is None and key.isascii()]
        numbers = [padded(index) for index in indexes.values() if index is not None]
        found: dict[str, Node] = {}
        with self._asking.together(bool(named) and bool(numbers)):
            if named:
                rows = self._ask(text.NODES, "nodes", "entries", keys=named, tier=tier)
                found |= {row[0]: as_node(row, tier) for row in rows}
            if numbers:
                rows = self._ask(text.ENTRIES, "nodes", "entries", keys=numbers, tier=tier)
                for key, number, *rest in rows:
                    entry = entry_key(int(number))
                    found[entry] = as_node((key or entry, number, *rest), tier)
        return {key: found[key] for key in keys if key in found}

    def nodes(self, kind: NodeKind, tier: Tier, after: str = "", limit: int = 100) -> list[Node]:
        """Return nodes of a kind in order of key."""
        if kind is NodeKind.ENTRY:
            raise UsageError("entries are not listed; ask for one, or for contents of a version")
        first, end = sortable(max(after, f"{kind}:")), sortable(f"{kind};")
        rows = self._ask(
            *(text.NODES_BETWEEN, "nodes", "entries"),
            after=first,
            end=end,
            tier=tier,
            most=limit,
        )
        return [as_node(row, tier) for row in rows]

    def neighbours(
        self,
        key: str,
        tier: Tier,
        kinds: Collection[EdgeKind] | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> list[Edge]:
        """Return the edges from and to a node."""
        wanted = set(EdgeKind if kinds is None else kinds)
        with self.snapshot():
            node = self.node(key, tier)
            found = self._ask(
                *(text.NEIGHBOURS, "became", "edges"),
                id=self._names.node_id(node_key(node.key)),
                kinds=sorted(wanted - {EdgeKind.NEXT, EdgeKind.BECAME}),
                became_too=EdgeKind.BECAME in wanted,
                tier=tier,
                most=limit,
            )
            rows = {row[0]: row for row in found}
            edges = [as_edge(row, tier) for row in sorted(rows.values(), key=order_of)]
            return edges + (self._chain(node, tier) if EdgeKind.NEXT in wanted else [])

    def _chain(self, node: Node, tier: Tier) -> list[Edge]:
        if kind_of(node.key) not in _ENTRIES or node.index is None:
            return []
        around = [entry_key(node.index + step) for step in (-1, 0, 1)]
        return chained(around, self.fetch(around, tier), node.index - 1)

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
        rows = self._ask(
            text.EDGES_IN if way == "upstream" else text.EDGES_OUT,
            edges=self._names.holding(kind),
            ids=self._ids(keys),
            kind=kind,
            tier=tier,
            roles=None if roles is None else list(roles),
            most=_NO_LIMIT if limit is None else limit,
        )
        return [as_edge(row, tier) for row in rows]

    def _ids(self, keys: Collection[str]) -> list[str]:
        return [self._names.node_id(node_key(key)) for key in set(keys) if key.isascii()]

    def made_by(self, keys: Collection[str], tier: Tier, at: int | None = None) -> dict[str, Edge]:
        """Return the events that made items."""
        rows = self._ask(text.MADE_BY, "edges", ids=sorted(self._ids(keys)), tier=tier, at=at)
        return {row[2]: as_edge([*row[:-1], "[]"], tier) for row in rows}

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
        with self.snapshot():
            there = self.fetch([key for key in starts if entry_index(key) is None], tier)
            known = [key for key in dict.fromkeys(starts) if key in there]
            ahead = Ahead(self._ask, self._names, direction)
            return ahead.walk(known, tier, depth=depth, limit=limit, at=at)

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
        self,
        key: str,
        tier: Tier,
        *,
        depth: int = DEFAULT_DEPTH,
        limit: int = DEFAULT_LIMIT,
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
        flags: dict[str, list[Node]] = {key: [] for key in keys}
        rows = self._ask(
            *(text.FLAGS, "edges", "entries", "records"),
            ids=self._ids(keys),
            tier=tier,
            superseded=superseded,
        )
        for subject, *row in sorted(rows, key=lambda row: str(row[2]), reverse=True):
            flags[subject].append(as_node(row, tier))
        return flags

    def find(self, field: str, value: str, tier: Tier, limit: int = 100) -> list[str]:
        """Return the keys of items by one of their names."""
        if not is_unicode(value):
            return []
        return self._ask(text.FIND, "names", find=find_key(field, value), tier=tier, most=limit)

    def records(self, kind: RecordKind, tier: Tier, under: Sequence[str] = ()) -> list[Record]:
        """Return the latest versions of records."""
        prefix = record_key(*under)
        rows = self._ask(
            *(text.RECORDS, "records", "entries"),
            kind=kind,
            tier=tier,
            first=sortable(prefix),
            end=sortable(f"{prefix}0") if under else "8",
            whole=sortable(prefix) if under else None,
            inside=sortable(f"{prefix}/"),
        )
        return [as_record(row, tier) for row in rows]

    def contents(
        self, version: str, tier: Tier, start: int = 0, stop: int | None = None
    ) -> Iterator[Record]:
        """Yield the contents of all entries of a version."""
        end = self.position() if stop is None else stop
        while True:
            rows = self._ask(
                *(text.CONTENTS, "entries"),
                version=version,
                start=start,
                stop=end,
                most=_PAGE,
            )
            yield from (as_record(row, tier) for row in rows)
            if len(rows) < _PAGE:
                return
            start = int(rows[-1][0]) + 1

    def facts(self, kind: FactKind) -> Iterator[Fact]:
        """Yield everything held of a kind."""
        yield from self._asking.page(facts_in(self._asking.database, self._names, kind))

    def faults(self) -> Iterator[str]:
        """Yield the documents that do not say the same everywhere."""
        yield from self._asking.page(faults_in(self._asking.database, self._names))
