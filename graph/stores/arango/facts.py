"""Everything that the graph in ArangoDB holds, in the order that an audit asks for.

Anybody with the password can write the documents. A document that does not say the
same everywhere (its key, its ends, what it is ordered by) is named as such.

Next: graph/stores/arango/store.py
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from graph.held import FactKind, NameSeen, NodeSeen, place_of
from graph.model import AGGREGATED, EdgeFact, EntryFact, RecordFact
from graph.stores.arango import text
from graph.stores.arango.encoding import (
    edge_document,
    entry_document,
    name_document,
    node_document,
    padded,
    record_document,
)
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arango.database import Database

    from graph.held import Fact
    from graph.model import EdgeKind, Layers, RecordKind, Role
    from graph.stores.arango.encoding import Document
    from graph.stores.arango.schema import Names

__all__ = ["facts_in", "faults_in"]

_PAGE: Final = 1_000
_SECONDS: Final = 600
"""How long the server keeps the rest of an answer between two pages."""
_OWN: Final = frozenset(["_id", "_rev"])


def facts_in(database: Database, names: Names, kind: FactKind) -> Iterator[Fact]:
    """Yield all facts of a kind, in the order of their places."""
    streams = [
        map(_READERS[kind], _documents(database, name, kind)) for name in _collections(names, kind)
    ]
    yield from streams[0] if len(streams) == 1 else heapq.merge(*streams, key=place_of)


def faults_in(database: Database, names: Names) -> Iterator[str]:
    """Yield the documents that are not what their facts are written as."""
    places = [(kind, name) for kind in FactKind for name in _collections(names, kind)]
    for kind, collection in places:
        for document in _documents(database, collection, kind):
            held = {name: value for name, value in document.items() if name not in _OWN}
            wanted = _written(kind, document, names)
            if kind is FactKind.EDGE and wanted and collection != names.holding(document["kind"]):
                yield f"document {document['_id']}: is in the collection of other edges"
            if wanted != held:
                differing = sorted(
                    name
                    for name in held.keys() | (wanted or {}).keys()
                    if wanted is None or wanted.get(name, ...) != held.get(name, ...)
                )
                yield f"document {document['_id']}: {', '.join(differing)} and the rest differ"


def _collections(names: Names, kind: FactKind) -> list[str]:
    return {
        FactKind.ENTRY: [names.entries],
        FactKind.NODE: [names.nodes],
        FactKind.EDGE: [names.became, names.edges],
        FactKind.NAME: [names.names],
        FactKind.RECORD: [names.records],
    }[kind]


def _documents(database: Database, collection: str, kind: FactKind) -> Iterator[Document]:
    cursor = database.aql.execute(
        text.FACTS[kind],
        bind_vars={"@documents": collection},
        batch_size=_PAGE,
        stream=True,
        ttl=_SECONDS,  # type: ignore[arg-type]
    )
    yield from cursor  # type: ignore[misc]


def _written(kind: FactKind, document: Document, names: Names) -> Document | None:
    """Return the document that the fact of this one is written as; None if it is no fact."""
    try:
        fact: Any = _READERS[kind](document)
        if kind is FactKind.ENTRY:
            return entry_document(fact)
        if kind is FactKind.NODE:
            newest = None if fact.newest is None else int(fact.newest)
            return node_document(fact.key, fact.tier, newest)
        if kind is FactKind.EDGE:
            return edge_document(fact, names.nodes)
        return name_document(fact) if kind is FactKind.NAME else record_document(fact)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _entry(document: Document) -> EntryFact:
    return EntryFact(
        _number(document.get("index")),
        _bytes(document.get("leaf")),
        cast("str", document.get("version")),
        document.get("node"),
        _layers(document.get("layers")),
    )


def _node(document: Document) -> NodeSeen:
    newest = document.get("entry")
    return NodeSeen(
        str(document.get("key")),
        _tier(document.get("tier")),
        None if newest is None else _number(newest),
    )


def _edge(document: Document) -> EdgeFact:
    index, seq = _place(str(document["_key"]))
    layers = document.get("layers")
    return EdgeFact(
        str(document.get("src")),
        cast("EdgeKind", str(document.get("kind"))),
        str(document.get("dst")),
        index,
        seq,
        cast("Role", document.get("role")),
        _tier(document.get("tier")),
        document.get("time"),
        [] if layers is None else _layers(layers),
    )


def _place(key: str) -> tuple[int, int]:
    return (_number(key[1:17]), _number(key[17:])) if key.startswith("e") else (AGGREGATED, 0)


def _name(document: Document) -> NameSeen:
    field, value, node = (str(document.get(name)) for name in ("field", "value", "node"))
    return NameSeen(field, value, node, _tier(document.get("tier")))


def _record(document: Document) -> RecordFact:
    return RecordFact(
        cast("RecordKind", str(document.get("kind"))),
        str(document.get("key")),
        _number(document.get("entry")),
        _tier(document.get("tier")),
    )


def _number(value: Any) -> int:
    """Read a number or a padded one; what is none lies beyond every log."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return int(padded(10**16 - 1))


def _bytes(value: Any) -> bytes:
    try:
        return bytes.fromhex(value)
    except (TypeError, ValueError):
        return b""


def _tier(value: Any) -> Tier:
    known = isinstance(value, int) and 0 <= value < len(Tier)
    return Tier(value) if known else cast("Tier", value)


def _layers(value: Any) -> Layers:
    try:
        read = orjson.loads(value)
    except orjson.JSONDecodeError:
        read = None
    sound = isinstance(read, list) and all(isinstance(layer, dict) for layer in read)
    return cast("Layers", read) if sound else [{"(unreadable)": str(value)}]


_READERS: Final[dict[FactKind, Any]] = {
    FactKind.ENTRY: _entry,
    FactKind.NODE: _node,
    FactKind.EDGE: _edge,
    FactKind.NAME: _name,
    FactKind.RECORD: _record,
}
