"""The graph in an SQLite file: the default store.

Many processes may read while one writes (WAL). One connection per object,
shared by threads one question at a time. Nodes have integer ids; edges lie
clustered by source and, in covering indexes, by target, both in log order, so
a step costs one lookup per item.

Next: graph/sync.py
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from graph.journey import Journey, travel
from graph.keys import NodeKind, entry_index, entry_key, is_unicode, kind_of, record_key
from graph.lineage import Lineage, trace
from graph.model import Edge, EdgeKind, Node, Record, RecordKind, Role
from graph.store import DEFAULT_DEPTH, DEFAULT_LIMIT
from graph.stores import sqlite_text as text
from graph.stores.sqlite_facts import facts_in, faults_in
from graph.stores.sqlite_file import (
    KINDS,
    RECORDS,
    ROLES,
    Turns,
    clear,
    open_graph,
    transaction,
    truncate,
)
from graph.stores.sqlite_rows import as_edge, as_edges, as_json, as_node, as_nodes, as_record
from graph.stores.sqlite_walk import Walker
from graph.stores.sqlite_write import read_position, write_changes, write_contents
from provenance.errors import NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from graph.changes import Changes
    from graph.held import Fact, FactKind
    from graph.model import EntryFact
    from graph.store import Direction
    from graph.walked import Walk
    from provenance.entries import Tier

__all__ = ["SqliteStore"]

_WAIT_MS: Final = 30_000
_PAGE: Final = 1_000
_ENTRIES: Final = (NodeKind.EVENT, NodeKind.FLAG, NodeKind.ENTRY)
_EDGES: Final = {
    ("upstream", True): text.EDGES_IN_ONE,
    ("upstream", False): text.EDGES_IN,
    ("downstream", True): text.EDGES_OUT_ONE,
    ("downstream", False): text.EDGES_OUT,
}
_FLAG: Final = RECORDS.index(RecordKind.FLAG)


class SqliteStore:
    """See `graph.store.GraphStore`."""

    def __init__(self, path: Path, *, readonly: bool = False, wait_ms: int = _WAIT_MS) -> None:
        """Open the file at `path`, making it unless `readonly`; see `sqlite_file.open_graph`."""
        self._path = path
        self._connection = open_graph(path, readonly=readonly, wait_ms=wait_ms)
        self._turn = Turns(self._connection, path)
        self._walker = Walker(self._connection)

    def address(self) -> str | None:
        """Return where the file is."""
        return f"sqlite:{self._path.resolve()}"

    def position(self) -> int:
        """Return the number of entries applied."""
        with self._turn:
            return read_position(self._connection)

    def apply(self, changes: Changes) -> int:
        """Unite with the changes of the entries that come next."""
        with self._turn.writing(), transaction(self._connection):
            self._walker.forget()
            return write_changes(self._connection, changes)

    def forget(self, entries: Sequence[EntryFact]) -> None:
        """Replace the content of entries; the bytes before are overwritten."""
        with self._turn.writing(), transaction(self._connection):
            write_contents(self._connection, entries)

    def reset(self) -> None:
        """Forget everything: tables are dropped, and their pages overwritten."""
        with self._turn.writing(), transaction(self._connection):
            self._walker.forget()
            clear(self._connection)

    def purge(self) -> bool:
        """Write the pages that were overwritten to the file, and cut the WAL."""
        with self._turn.writing():
            return truncate(self._connection)

    def close(self) -> None:
        """Close the connection."""
        with self._turn.writing():
            self._connection.close()

    def snapshot(self) -> Turns:
        """Hold the graph still within one read transaction."""
        return self._turn

    def _ask(self, statement: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        return self._connection.execute(statement, values)

    def skipped(self) -> dict[str, int]:
        """Return the counts of entries that brought nothing."""
        with self._turn:
            return dict(self._ask("SELECT reason, count FROM skipped"))

    def node(self, key: str, tier: Tier) -> Node:
        """Return one node."""
        found = self.fetch([key], tier).get(key)
        if found is None:
            raise NotFound(f"the graph knows no {key!r}, or it may not be shown at this tier")
        return found

    def fetch(self, keys: Collection[str], tier: Tier) -> dict[str, Node]:
        """Return many nodes."""
        numbers = {key: index for key in keys if (index := entry_index(key)) is not None}
        # In the order given, which is mostly that of the log: neighbours lie on one page.
        named = as_json([key for key in keys if key not in numbers] if numbers else keys)
        with self._turn:
            rows = list(self._ask(text.NODES, named, tier))
            found = {node.key: node for node in as_nodes(rows, tier)}
            rows = list(self._ask(text.ENTRIES, as_json(numbers.values()), tier)) if numbers else []
            nodes = as_nodes([(key or entry_key(at), at, *rest) for key, at, *rest in rows], tier)
            found |= {entry_key(row[1]): node for row, node in zip(rows, nodes, strict=True)}
        return {key: found[key] for key in keys if key in found}

    def nodes(self, kind: NodeKind, tier: Tier, after: str = "", limit: int = 100) -> list[Node]:
        """Return nodes of a kind in order of key."""
        if kind is NodeKind.ENTRY:
            raise UsageError("entries are not listed; ask for one, or for contents of a version")
        first, end = max(after, f"{kind}:"), f"{kind};"
        with self._turn:
            rows = self._ask(text.NODES_OF_KIND, first, end, tier, limit)
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
        with self._turn:
            node = self.node(key, tier)
            rows = {
                row
                for kind in wanted - {EdgeKind.NEXT}
                for way in ("upstream", "downstream")
                for row in self._edge_rows([node.key], tier, kind, way, limit=limit)
            }
            edges = [as_edge(row, tier) for row in sorted(rows, key=itemgetter(0, 1, 2, 3))]
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
        with self._turn:
            named = [key for key in dict.fromkeys(keys) if key.isascii()]
            rows = self._edge_rows(named, tier, kind, way, roles=roles, limit=limit)
            return as_edges(list(rows), tier)

    def _edge_rows(
        self,
        keys: Collection[str],
        tier: Tier,
        kind: EdgeKind,
        way: Direction,
        *,
        roles: Collection[Role] | None = None,
        limit: int | None = None,
    ) -> Iterator[tuple[Any, ...]]:
        named = next(iter(keys)) if len(keys) == 1 else as_json(keys)
        wanted = None if roles is None else as_json(ROLES.index(role) for role in roles)
        most = -1 if limit is None else limit
        statement = _EDGES[way, len(keys) == 1]
        return self._ask(statement, named, KINDS.index(kind), tier, wanted, most)

    def made_by(self, keys: Collection[str], tier: Tier, at: int | None = None) -> dict[str, Edge]:
        """Return the events that made items."""
        with self._turn:
            return self._walker.made_by(keys, tier, at)

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
        with self._turn:
            return self._walker.walk(starts, tier, direction, depth=depth, limit=limit, at=at)

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
        flags: dict[str, list[Node]] = {key: [] for key in keys}
        asked = (as_json(flags), KINDS.index(EdgeKind.FLAGS), tier, superseded, _FLAG)
        with self._turn:
            for subject, *row in self._ask(text.FLAGS, *asked):
                flags[subject].append(as_node(row, tier))
        return flags

    def find(self, field: str, value: str, tier: Tier, limit: int = 100) -> list[str]:
        """Return the keys of items by one of their names."""
        if not is_unicode(value):
            return []
        with self._turn:
            return [key for (key,) in self._ask(text.FIND, field, value, tier, limit)]

    def records(self, kind: RecordKind, tier: Tier, under: Sequence[str] = ()) -> list[Record]:
        """Return the latest versions of records."""
        prefix = record_key(*under)
        end = f"{prefix}0" if under else "~"
        with self._turn:
            rows = self._ask(text.RECORDS, RECORDS.index(kind), prefix, end, bool(under), tier)
            return [as_record(row, tier) for row in rows]

    def contents(
        self, version: str, tier: Tier, start: int = 0, stop: int | None = None
    ) -> Iterator[Record]:
        """Yield the contents of all entries of a version."""
        end = self.position() if stop is None else stop
        while True:
            with self._turn:
                rows = list(self._ask(text.CONTENTS, version, start, end, _PAGE))
            yield from (as_record(row, tier) for row in rows)
            if len(rows) < _PAGE:
                return
            start = rows[-1][0] + 1

    def facts(self, kind: FactKind) -> Iterator[Fact]:
        """Yield everything held of a kind."""
        with self._turn:
            yield from facts_in(self._connection, kind)

    def faults(self) -> Iterator[str]:
        """Yield what SQLite finds wrong with the file."""
        with self._turn:
            yield from faults_in(self._connection)
