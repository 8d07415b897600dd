"""The graph in ArangoDB: a single server, or a cluster.

Questions of several requests are asked within one read transaction, so that on a
single server, and in a database of one shard, they are answered from one state. In other
clusters a batch that lands meanwhile may be seen in part. Walks go level by level, each
item visited once whatever the shape of the graph.

Nothing is sent before the first question, so a server that is away holds up nobody
who does not ask.

Next: graph/sync.py
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from graph.journey import Journey, travel
from graph.keys import NodeKind, entry_index, entry_key, is_unicode, kind_of, record_key
from graph.lineage import Lineage, trace
from graph.model import AGGREGATED, Edge, EdgeKind, Node, Record, RecordKind, Role
from graph.store import DEFAULT_DEPTH, DEFAULT_LIMIT
from graph.stores.arango import text
from graph.stores.arango.ahead import Ahead
from graph.stores.arango.encoding import find_key, node_key, opened, padded, sortable
from graph.stores.arango.facts import facts_in, faults_in
from graph.stores.arango.schema import HEAD, Names, prepare, truncate
from graph.stores.arango.session import Session
from graph.stores.arango.writing import Writer, asked, give_up
from graph.walked import walked
from provenance.errors import NotFound, StorageError, UsageError, WorkspaceReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from arango.database import Database, TransactionDatabase

    from graph.held import Fact, FactKind
    from graph.model import Changes, EntryFact
    from graph.place import ArangoPlace
    from graph.store import Direction
    from graph.walked import Walk
    from provenance.entries import Tier

__all__ = ["ArangoStore"]

_T = TypeVar("_T")

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
        self._place = place
        self._names = Names(place.graph)
        self._writer = Writer(self._session.database, self._names)
        self._readonly = readonly
        self._prepared = False
        self._lock = threading.RLock()
        self._nested = 0
        self._reading: TransactionDatabase | None = None

    def _run(self, work: Callable[[], _T], *, again: bool = True) -> _T:
        """Do some work once everything is there, and again as `Session.run` says."""

        def whole() -> _T:
            if not self._prepared:
                prepare(self._session, self._place, self._names, readonly=self._readonly)
                self._prepared = True
            return work()

        with self._lock:
            return self._session.run(whole, within=self._reading is not None, again=again)

    @property
    def _database(self) -> Database:
        return self._reading or self._session.database

    def _ask(self, query: str, *collections: str, edges: str = "", **values: Any) -> list[Any]:
        named = {name: getattr(self._names, name) for name in collections}
        named |= {"edges": edges} if edges else {}
        return self._run(lambda: asked(self._database, query, named, **values))

    def _write(self, work: Callable[[], _T]) -> _T:
        with self._lock:
            if self._nested:
                raise StorageError(
                    f"{self._session.name}: cannot be written from inside a snapshot"
                )
            if self._readonly:
                raise WorkspaceReadOnly(f"{self._session.name}: was opened to be read")
            return self._run(work)

    def position(self) -> int:
        """Return the number of entries applied."""
        head = self._run(lambda: self._database.collection(self._names.head).get(HEAD))
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

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold the graph still within one read transaction."""
        with self._lock:
            if not self._nested:
                self._reading = self._run(
                    lambda: self._session.database.begin_transaction(read=self._names.all)
                )
            self._nested += 1
            try:
                yield
            finally:
                self._nested -= 1
                if not self._nested and self._reading is not None:
                    reading, self._reading = self._reading, None
                    give_up(reading)

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
        with self._together(bool(named) and bool(numbers)):
            if named:
                rows = self._ask(text.NODES, "nodes", "entries", keys=named, tier=tier)
                found |= {row[0]: _node(row, tier) for row in rows}
            if numbers:
                rows = self._ask(text.ENTRIES, "nodes", "entries", keys=numbers, tier=tier)
                for key, number, *rest in rows:
                    entry = entry_key(int(number))
                    found[entry] = _node((key or entry, number, *rest), tier)
        return {key: found[key] for key in keys if key in found}

    @contextmanager
    def _together(self, several: bool) -> Iterator[None]:
        if not several:
            yield
            return
        with self.snapshot():
            yield

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
        return [_node(row, tier) for row in rows]

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
            edges = [_edge(row, tier) for row in sorted(rows.values(), key=_place)]
            return edges + (self._chain(node, tier) if EdgeKind.NEXT in wanted else [])

    def _chain(self, node: Node, tier: Tier) -> list[Edge]:
        if kind_of(node.key) not in _ENTRIES or node.index is None:
            return []
        around = [entry_key(node.index + step) for step in (-1, 0, 1)]
        found = self.fetch(around, tier)
        return [
            Edge(found[src].key, EdgeKind.NEXT, found[dst].key, index, None, None, {})
            for src, dst, index in zip(
                around, around[1:], (node.index - 1, node.index), strict=False
            )
            if src in found and dst in found
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
        rows = self._ask(
            text.EDGES_IN if way == "upstream" else text.EDGES_OUT,
            edges=self._names.holding(kind),
            ids=self._ids(keys),
            kind=kind,
            tier=tier,
            roles=None if roles is None else list(roles),
            most=_NO_LIMIT if limit is None else limit,
        )
        return [_edge(row, tier) for row in rows]

    def _ids(self, keys: Collection[str]) -> list[str]:
        return [self._names.node_id(node_key(key)) for key in set(keys) if key.isascii()]

    def made_by(self, keys: Collection[str], tier: Tier, at: int | None = None) -> dict[str, Edge]:
        """Return the events that made items."""
        rows = self._ask(text.MADE_BY, "edges", ids=sorted(self._ids(keys)), tier=tier, at=at)
        return {row[2]: _edge([*row[:-1], "[]"], tier) for row in rows}

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
        other = 1 if direction == "upstream" else 2
        with self.snapshot():
            there = self.fetch([key for key in starts if entry_index(key) is None], tier)
            known = [key for key in dict.fromkeys(starts) if key in there]
            hops = dict.fromkeys(sorted(known[:limit]), 0)
            rows: list[list[Any]] = []
            level, truncated, distance = list(hops), len(known) > limit, 0
            ahead = Ahead(self._ask, direction)
            while level:
                ids = [self._names.node_id(node_key(key)) for key in level]
                here = ahead.rows_at(dict(zip(level, ids, strict=True)), tier, at)
                rows += here
                others = {row[other] for row in here} - hops.keys()
                found = sorted(key for key in others if kind_of(key) is not NodeKind.GAP)
                room = limit - len(hops) if distance < depth else 0
                truncated = truncated or len(found) > room
                level, distance = found[:room], distance + 1
                hops |= dict.fromkeys(level, distance)
        edges = [_edge(row, tier) for row in sorted(rows, key=_place)]
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
            flags[subject].append(_node(row, tier))
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
        return [_record(row, tier) for row in rows]

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
            yield from (_record(row, tier) for row in rows)
            if len(rows) < _PAGE:
                return
            start = int(rows[-1][0]) + 1

    def facts(self, kind: FactKind) -> Iterator[Fact]:
        """Yield everything held of a kind."""
        yield from self._page(facts_in(self._database, self._names, kind))

    def faults(self) -> Iterator[str]:
        """Yield the documents that do not say the same everywhere."""
        yield from self._page(faults_in(self._database, self._names))

    def _page(self, values: Iterator[_T]) -> Iterator[_T]:
        """Yield what is read page by page; what breaks off half-way cannot be gone on with."""
        self._run(lambda: None)
        while True:
            one = self._run(lambda: next(values, None), again=False)
            if one is None:
                return
            yield one


def _place(row: Sequence[Any]) -> tuple[int, int, str, str]:
    key = row[0]
    stated = key.startswith("e")
    return (int(key[1:17]), int(key[17:]), *row[1:3]) if stated else (AGGREGATED, 0, *row[1:3])


def _edge(row: Sequence[Any], tier: Tier) -> Edge:
    _, src, dst, kind, role, time_us, layers = row
    index, _, _, _ = _place(row)
    done = None if role is None else Role(role)
    return Edge(src, EdgeKind(kind), dst, index, done, time_us, opened(layers, tier))


def _node(row: Sequence[Any], tier: Tier) -> Node:
    key, number, leaf, layers = row
    if number is None:
        return Node(key, None, None, {})
    return Node(key, int(number), bytes.fromhex(leaf), opened(layers, tier))


def _record(row: Sequence[Any], tier: Tier) -> Record:
    number, leaf, layers = row
    return Record(int(number), bytes.fromhex(leaf), opened(layers, tier))
