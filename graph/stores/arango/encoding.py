"""Facts as ArangoDB's documents.

A document's key says which fact it is, so writing a fact again replaces it: a
batch may be repeated any number of times, whole or in part.

The server orders text as the words of its language are ordered, which is not the
order of the port. `sortable` spells text so that every language orders it by its
bytes: digits, and letters of which no alphabet makes another one by pairing them.

Contents are kept as the text of their JSON: a number beyond the server's range or
an empty name comes back as it was.

Next: graph/stores/arango/text.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from graph.held import NameSeen, place_of
from graph.keys import kind_of
from graph.model import AGGREGATED, EdgeFact, EntryFact, RecordFact, Role, cut
from provenance.hashing import keyer

if TYPE_CHECKING:
    from provenance.entries import Content, Tier

__all__ = [
    "Document",
    "edge_document",
    "edge_key",
    "entry_document",
    "find_key",
    "name_document",
    "node_document",
    "node_key",
    "opened",
    "padded",
    "record_document",
    "sortable",
]

Document = dict[str, Any]

_NIBBLES: Final = bytes.maketrans(b"0123456789abcdef", b"0123456789bfkmpt")
_END: Final = "00"
_MAKING: Final = (Role.PRODUCED, Role.OUTPUT)
_NEVER: Final = "9" * 20
_SHIFT: Final = 2**63
_name_of: Final = keyer(b"\0" * 32, "graph document", 20)


def sortable(text: str) -> str:
    """Spell text so that any collation orders it by code point; longer texts come behind."""
    return text.encode().hex().encode().translate(_NIBBLES).decode()


def padded(number: int) -> str:
    """Spell a number from 0 so that text is ordered as numbers are."""
    return f"{number:016d}"


def _hashed(*parts: str) -> str:
    """Name something by parts of any length: keys of documents are short and plain."""
    return _name_of("\0".join(f"{len(part)}:{part}" for part in parts).encode()).hex()


def node_key(key: str) -> str:
    """Name a node's document."""
    return _hashed("node", key)


def find_key(field: str, value: str) -> str:
    """Name what a node is found by."""
    return _hashed("find", field, value)


def edge_key(edge: EdgeFact) -> str:
    """Name an edge's document: by its number in the log, or by its ends if it is aggregated."""
    if edge.index == AGGREGATED:
        return "a" + _hashed("edge", edge.src, edge.kind, edge.dst)
    return f"e{padded(edge.index)}{edge.seq:08d}"


def node_document(key: str, tier: int, newest: int | None) -> Document:
    """Write a node."""
    return {
        "_key": node_key(key),
        "key": key,
        "kind": str(kind_of(key)),
        "spelled": sortable(key),
        "tier": int(tier),
        "entry": None if newest is None else padded(newest),
    }


def edge_document(edge: EdgeFact, nodes: str) -> Document:
    """Write an edge between documents of the collection `nodes`."""
    document = {
        "_key": edge_key(edge),
        "_from": f"{nodes}/{node_key(edge.src)}",
        "_to": f"{nodes}/{node_key(edge.dst)}",
        "src": edge.src,
        "dst": edge.dst,
        "kind": str(edge.kind),
        "role": None if edge.role is None else str(edge.role),
        "tier": int(edge.tier),
        "time": edge.time_us,
        "order": _edge_order(edge),
        "layers": orjson.dumps(edge.layers).decode() if edge.layers else None,
    }
    return document | ({"making": _making(edge)} if edge.role in _MAKING else {})


def _edge_order(edge: EdgeFact) -> str:
    if edge.index != AGGREGATED:
        return edge_key(edge)
    return f"a{_END.join(map(sortable, (edge.src, edge.dst, edge.kind)))}"


def _making(edge: EdgeFact) -> str:
    """Spell which of several makings of an item goes before the others."""
    first = "0" if edge.role == Role.PRODUCED else "1"
    when = _NEVER if edge.time_us is None else f"{edge.time_us + _SHIFT:020d}"
    return f"{first}{when}{sortable(edge.src)}{_END}{edge.seq:08d}"


def entry_document(entry: EntryFact) -> Document:
    """Write an entry's place in the chain."""
    return {
        "_key": padded(entry.index),
        "index": entry.index,
        "leaf": entry.leaf_hash.hex(),
        "version": entry.version,
        "node": entry.node,
        "node_key": None if entry.node is None else node_key(entry.node),
        "layers": orjson.dumps(entry.layers).decode(),
    }


def name_document(fact: NameSeen) -> Document:
    """Write what a node is found by."""
    node, field, value = (str(part) for part in place_of(fact))
    return {
        "_key": _hashed("name", node, field, value),
        "find": find_key(field, value),
        "field": field,
        "value": value,
        "node": node,
        "spelled": _END.join(map(sortable, (node, field, value))),
        "tier": int(fact.tier),
    }


def record_document(fact: RecordFact) -> Document:
    """Write that an entry is a version of a record."""
    return {
        "_key": _hashed("record", fact.kind, fact.key, str(fact.index)),
        "kind": str(fact.kind),
        "key": fact.key,
        "spelled": sortable(fact.key),
        "entry": padded(fact.index),
        "tier": int(fact.tier),
    }


def opened(layers: str | None, tier: Tier) -> Content:
    """Read contents as a viewer sees them."""
    return {} if layers is None else cut(orjson.loads(layers), tier)
