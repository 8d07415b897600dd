"""Everything that the SQLite graph holds, in the order that an audit asks for.

The file may have been tampered with: what refers to nothing, or cannot be read,
is named as such instead of left out, so that it differs from what the log says.

Next: graph/stores/sqlite.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from graph.held import FactKind, NameSeen, NodeSeen
from graph.model import EdgeFact, EdgeKind, EntryFact, RecordFact, RecordKind, Role
from graph.stores.sqlite_file import KINDS, RECORDS, ROLES
from provenance.entries import Tier
from provenance.errors import WorkspaceDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    import apsw

    from graph.held import Fact
    from graph.model import Layers

__all__ = ["facts_in", "faults_in"]

_TIERS: Final = list(Tier)
_KIND_NAMES: Final = " ".join(f"WHEN {number} THEN '{kind}'" for number, kind in enumerate(KINDS))
_KIND: Final = f"CASE e.kind {_KIND_NAMES} ELSE '#' || e.kind END"
_RECORD_NAMES: Final = " ".join(
    f"WHEN {number} THEN '{kind}'" for number, kind in enumerate(RECORDS)
)
_NODE: Final = "CASE WHEN {name}.key IS NULL THEN '#' || {number} ELSE {name}.key END"

_TEXTS: Final = {
    FactKind.ENTRY: f"""
SELECT e.idx, e.leaf_hash, e.version,
    CASE WHEN e.node IS NULL THEN NULL ELSE {_NODE.format(name="n", number="e.node")} END, e.layers
FROM entry e LEFT JOIN node n ON n.id = e.node ORDER BY e.idx
""",  # noqa: S608 - put together from constants, as all of these
    FactKind.NODE: "SELECT key, tier, idx FROM node ORDER BY key",
    FactKind.EDGE: f"""
SELECT {_NODE.format(name="s", number="e.src")} AS src, {_KIND} AS kind,
    {_NODE.format(name="d", number="e.dst")} AS dst, e.idx, e.seq, e.role, e.tier, e.time, e.attrs
FROM edge e LEFT JOIN node s ON s.id = e.src LEFT JOIN node d ON d.id = e.dst
ORDER BY e.idx, e.seq, 1, 3, 2
""",  # noqa: S608
    FactKind.NAME: f"""
SELECT f.field, f.value, {_NODE.format(name="n", number="f.node")}, f.tier
FROM name f LEFT JOIN node n ON n.id = f.node ORDER BY 3, 1, 2
""",  # noqa: S608
    FactKind.RECORD: f"""
SELECT CASE r.kind {_RECORD_NAMES} ELSE '#' || r.kind END, r.key, r.idx, r.tier
FROM record r ORDER BY 1, 2, 3
""",  # noqa: S608
}
"""Sorting is SQLite's, which spills to disk what its cache does not hold."""


def facts_in(connection: apsw.Connection, kind: FactKind) -> Iterator[Fact]:
    """Yield all facts of a kind, in the order of their places.

    Raises:
        WorkspaceDamaged: A text in the file is none.
    """
    read = _READERS[kind]
    try:
        for row in connection.execute(_TEXTS[kind]):
            yield read(*row)
    except UnicodeDecodeError as error:
        raise WorkspaceDamaged(
            f"{connection.filename}: among the {kind} facts: {error}; delete it, "
            "`provenance graph rebuild` makes it again"
        ) from None


def faults_in(connection: apsw.Connection) -> Iterator[str]:
    """Yield what SQLite finds wrong: answers are read from indexes, which hold copies."""
    for (text,) in connection.execute("PRAGMA integrity_check"):
        if text != "ok":
            yield f"database: {text}"
    ends = connection.execute("SELECT count(*), min(id) FROM head").fetchall()
    if ends != [(1, 1)]:
        yield "database: the position is kept more than once, or not at all"


def _entry(index: int, leaf: bytes, version: str, node: str | None, layers: bytes) -> EntryFact:
    return EntryFact(index, leaf, version, node, _layers(layers))


def _node(key: str, tier: int, newest: int | None) -> NodeSeen:
    return NodeSeen(key, _tier(tier), newest)


def _edge(  # noqa: PLR0917 - a row of the table
    src: str,
    kind: str,
    dst: str,
    index: int,
    seq: int,
    role: int | None,
    tier: int,
    time_us: int | None,
    attrs: bytes | None,
) -> EdgeFact:
    done = None if role is None else _named(ROLES, role)
    opened = _layers(attrs) if attrs is not None else []
    known = cast("EdgeKind", kind)
    return EdgeFact(src, known, dst, index, seq, cast("Role", done), _tier(tier), time_us, opened)


def _name(field: str, value: str, node: str, tier: int) -> NameSeen:
    return NameSeen(field, value, node, _tier(tier))


def _record(kind: str, key: str, index: int, tier: int) -> RecordFact:
    return RecordFact(cast("RecordKind", kind), key, index, _tier(tier))


def _tier(number: int) -> Tier:
    return _TIERS[number] if 0 <= number < len(_TIERS) else cast("Tier", number)


def _named(names: list[Any], number: int) -> str:
    return str(names[number]) if 0 <= number < len(names) else f"#{number}"


def _layers(stored: bytes) -> Layers:
    try:
        read = orjson.loads(stored)
    except orjson.JSONDecodeError:
        read = None
    sound = isinstance(read, list) and all(isinstance(layer, dict) for layer in read)
    return cast("Layers", read) if sound else [{"(unreadable)": stored.hex()}]


_READERS: Final[dict[FactKind, Any]] = {
    FactKind.ENTRY: _entry,
    FactKind.NODE: _node,
    FactKind.EDGE: _edge,
    FactKind.NAME: _name,
    FactKind.RECORD: _record,
}
