"""The collections of a graph in ArangoDB, its named graph and its indexes.

    {graph}_nodes    {graph}_became    {graph}_edges     the named graph {graph}
    {graph}_entries  {graph}_names     {graph}_records   {graph}_skipped
    {graph}_head     one document: the position, and by which rules it was reached

What became what is apart from the other edges: walks follow it and nothing else.

Each is made where it is missing; two processes may do so at once. Beginning anew is
several requests, so the head says first that it is going on: after a crash, whoever
writes next goes on with it.

Next: graph/stores/arango/writing.py
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from arango.errno import (
    DATA_SOURCE_NOT_FOUND,
    DATABASE_NOT_FOUND,
    DOCUMENT_NOT_FOUND,
    DUPLICATE_NAME,
    GRAPH_DUPLICATE,
    UNIQUE_CONSTRAINT_VIOLATED,
)
from arango.exceptions import (
    ArangoServerError,
    DatabaseCreateError,
    DocumentGetError,
)

from graph.model import EdgeKind, RecordKind, Role
from graph.project import PROJECTION
from provenance.errors import StorageError, WorkspaceMissing

if TYPE_CHECKING:
    from arango.database import Database

    from graph.place import ArangoPlace
    from graph.stores.arango.session import Session

__all__ = ["HEAD", "Names", "prepare", "truncate"]

HEAD: Final = "head"
_LAYOUT: Final = 1
"""Number of the documents' shape."""

_RULES: Final = zlib.crc32(
    repr((PROJECTION, _LAYOUT, list(EdgeKind), list(Role), list(RecordKind))).encode()
)
_INDEXES: Final = {
    "nodes": (["spelled"],),
    "became": (["order"],),
    "edges": (["_from", "kind"], ["_to", "kind"], ["order"]),
    "entries": (["version", "index"],),
    "names": (["find", "spelled"], ["spelled"]),
    "records": (["kind", "spelled", "entry"], ["kind", "entry"]),
}
_THERE: Final = frozenset([DUPLICATE_NAME, GRAPH_DUPLICATE, UNIQUE_CONSTRAINT_VIOLATED])
"""Somebody else made it meanwhile."""
_ABSENT: Final = frozenset([DATA_SOURCE_NOT_FOUND, DOCUMENT_NOT_FOUND, DATABASE_NOT_FOUND])


class Names:
    """The names of a graph's collections.

    Attributes:
        nodes: And so on: one for each collection.
        written: Those that a batch writes, besides the head.
        all: All of them.
    """

    def __init__(self, graph: str) -> None:
        """Name the collections of a graph."""
        self.nodes = f"{graph}_nodes"
        self.became = f"{graph}_became"
        self.edges = f"{graph}_edges"
        self.entries = f"{graph}_entries"
        self.names = f"{graph}_names"
        self.records = f"{graph}_records"
        self.skipped = f"{graph}_skipped"
        self.head = f"{graph}_head"
        self.written = [self.nodes, self.became, self.edges, self.entries, self.names]
        self.written += [self.records, self.skipped]
        self.all = [*self.written, self.head]

    def holding(self, kind: EdgeKind) -> str:
        """Name the collection with the edges of a kind."""
        return self.became if kind == EdgeKind.BECAME else self.edges

    def node_id(self, key: str) -> str:
        """Name the document of a node by the key of the document."""
        return f"{self.nodes}/{key}"


def prepare(session: Session, place: ArangoPlace, names: Names, *, readonly: bool) -> None:
    """See that everything is there, and was filled by the present rules.

    Raises:
        WorkspaceMissing: It is not, and `readonly` forbids making it.
        StorageError: Other rules filled it, and `readonly` forbids beginning anew.
    """
    head = _head(session, names)
    if readonly:
        if head is None:
            raise WorkspaceMissing(
                f"{session.name}: no graph here; `provenance graph rebuild` makes it"
            )
        if head["rules"] != _RULES:
            raise StorageError(
                f"{session.name}: made by another version of the program; "
                "`provenance graph rebuild` renews it"
            )
        return
    if head is None:
        _make(session, place, names)
        head = _head(session, names) or {}
    if head.get("rules") != _RULES or head.get("clearing"):
        truncate(session.database, names)


def truncate(database: Database, names: Names) -> None:
    """Forget everything; a crash on the way leaves a head that says so."""
    document = {"_key": HEAD, "position": 0, "rules": _RULES}
    _put(database, names, document | {"clearing": True})
    for name in names.written:
        database.collection(name).truncate()
    _put(database, names, document | {"clearing": False})


def _put(database: Database, names: Names, document: dict[str, Any]) -> None:
    database.collection(names.head).insert_many(
        [document], overwrite_mode="replace", raise_on_document_error=True
    )


def _head(session: Session, names: Names) -> dict[str, Any] | None:
    try:
        found = session.database.collection(names.head).get(HEAD)
    except DocumentGetError as error:
        if error.error_code in _ABSENT:
            return None
        raise
    return found  # type: ignore[return-value]


def _make(session: Session, place: ArangoPlace, names: Names) -> None:
    _make_database(session, place)
    database = session.database
    cluster: dict[str, Any] = {
        "shard_count": place.shard_count,
        "replication_factor": "satellite" if place.satellite else place.replication_factor,
        "write_concern": None if place.satellite else place.write_concern,
    }
    edges = [
        {
            "edge_collection": name,
            "from_vertex_collections": [names.nodes],
            "to_vertex_collections": [names.nodes],
        }
        for name in (names.became, names.edges)
    ]
    graph_options = cluster | ({"shard_count": None} if place.satellite else {})
    _unless_there(lambda: database.create_graph(place.graph, edges, **graph_options))
    for name in names.all[3:]:
        _unless_there(lambda name=name: database.create_collection(name, **graph_options))
    for part, fields in _INDEXES.items():
        collection = database.collection(getattr(names, part))
        for each in fields:
            collection.add_index({"type": "persistent", "fields": each})
    head = {"_key": HEAD, "position": 0, "rules": _RULES, "clearing": False}
    database.collection(names.head).insert_many(
        [head], overwrite_mode="ignore", raise_on_document_error=True
    )


def _make_database(session: Session, place: ArangoPlace) -> None:
    """Make the database if it is missing; who may not make it is told by the next request."""
    sharding = "single" if place.one_shard else None
    try:
        session.sign_in("_system").create_database(
            session.database_name,
            replication_factor="satellite" if place.satellite else place.replication_factor,
            write_concern=None if place.satellite else place.write_concern,
            sharding=sharding,
        )
    except DatabaseCreateError as error:
        refused = error.http_code in (401, 403)
        if error.error_code not in _THERE and not refused:
            raise


def _unless_there(make: Any) -> None:
    try:
        make()
    except ArangoServerError as error:
        if error.error_code not in _THERE:
            raise
