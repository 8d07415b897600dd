"""Writing to the SQLite graph: one batch of changes in one transaction.

Rows are added and, where several entries speak of the same node, edge or name,
its tier is lowered or its newest entry raised. Both can be done in any order
and any number of times, which is what makes replaying a batch harmless.

Next: graph/stores/sqlite_text.py
"""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final

import orjson

from graph.model import AGGREGATED
from graph.stores.sqlite_file import KINDS, RECORDS, ROLES
from provenance import canonical
from provenance.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import apsw

    from graph.changes import Changes, EdgeRun
    from graph.model import EdgeFact, EntryFact, Role

__all__ = ["read_position", "write_changes", "write_contents"]

_KIND: Final = {kind: number for number, kind in enumerate(KINDS)}
_ROLE: Final[dict[Role | None, int | None]] = {
    None: None,
    **{role: number for number, role in enumerate(ROLES)},
}
_Written = dict[int, list[bytes]]
"""Columns as JSON, by the number of the column."""
_RECORD: Final = {kind: number for number, kind in enumerate(RECORDS)}

_KNOWN_NODES: Final = (
    "SELECT n.key, n.id, n.tier, n.idx FROM json_each(?) j CROSS JOIN node n ON n.key = j.value"
)
_ADD_EDGE: Final = "INSERT INTO edge VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TAKE_BACK: Final = (
    "DELETE FROM edge WHERE src = (SELECT id FROM node WHERE key = ?) AND kind = ? AND idx = ?"
)
_ADD_LINK: Final = (
    "INSERT INTO edge VALUES (?, ?, ?, 0, ?, NULL, ?, NULL, NULL) "
    "ON CONFLICT DO UPDATE SET tier = excluded.tier WHERE excluded.tier < tier"
)
_ADD_NAME: Final = (
    "INSERT INTO name VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET tier = excluded.tier WHERE excluded.tier < tier"
)
_ADD_SKIPPED: Final = (
    "INSERT INTO skipped VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count"
)


def read_position(connection: apsw.Connection) -> int:
    """Return how many entries have been applied."""
    return int(connection.execute("SELECT position FROM head").get)


def write_changes(connection: apsw.Connection, changes: Changes) -> int:
    """Unite the graph with `changes` if they start at the position; return the new position.

    The caller's transaction holds the write lock, so the position cannot move
    between being read and being written. A crash before its COMMIT leaves
    position and facts as they were; after it, both are there.

    Raises:
        StorageError: The changes start beyond the position, or do not hang together.
    """
    position = read_position(connection)
    if changes.start > position:
        raise StorageError(
            f"the graph has applied {position} entries, these begin at {changes.start}; "
            "catch up from there"
        )
    if changes.start < position:
        return position
    if [entry.index for entry in changes.entries] != list(range(changes.start, changes.stop)):
        raise _loose(changes)
    try:
        _write_facts(connection, changes, _write_nodes(connection, changes))
    except KeyError:  # an edge, a link, a name or an entry refers to a node that is not among them
        raise _loose(changes) from None
    connection.executemany(_ADD_SKIPPED, list(changes.skipped.items()))
    connection.execute("UPDATE head SET position = ?", (changes.stop,))
    return changes.stop


def _loose(changes: Changes) -> StorageError:
    return StorageError(f"changes {changes.start} to {changes.stop} do not hang together")


def _write_facts(connection: apsw.Connection, changes: Changes, ids: dict[str, int]) -> None:
    connection.executemany(_ADD_EDGE, _edge_rows(changes.edges, ids))
    written: _Written = {}
    for run in changes.runs:
        connection.executemany(_ADD_EDGE, _run_rows(run, ids, written))
    taken_back = {(edge.src, _KIND[edge.kind], edge.index) for edge in changes.retracted}
    connection.executemany(_TAKE_BACK, sorted(taken_back))
    connection.executemany(
        _ADD_LINK,
        [
            (ids[src], _KIND[kind], AGGREGATED, ids[dst], tier)
            for (src, kind, dst), tier in changes.links.items()
        ],
    )
    connection.executemany(
        _ADD_NAME,
        [(name.field, name.value, ids[name.node], tier) for name, tier in changes.names.items()],
    )
    connection.executemany(
        "INSERT INTO record VALUES (?, ?, ?, ?)",
        [(_RECORD[fact.kind], fact.key, fact.index, fact.tier) for fact in changes.records],
    )
    connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", _entry_rows(changes, ids))


def write_contents(connection: apsw.Connection, entries: Sequence[EntryFact]) -> None:
    """Replace the content of entries that have been applied."""
    connection.executemany(
        "UPDATE entry SET layers = ? WHERE idx = ?",
        [(orjson.dumps(entry.layers), entry.index) for entry in entries],
    )


def _write_nodes(connection: apsw.Connection, changes: Changes) -> dict[str, int]:
    """Write the nodes mentioned; return the number of each."""
    wanted = orjson.dumps(list(changes.nodes)).decode()
    known = {row[0]: row[1:] for row in connection.execute(_KNOWN_NODES, (wanted,))}
    ids: dict[str, int] = {}
    new: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    following = 1 + int(connection.execute("SELECT ifnull(max(id), 0) FROM node").get)
    for key, (tier, newest) in changes.nodes.items():
        if key not in known:
            ids[key] = following + len(new)
            new.append((ids[key], key, tier, newest))
            continue
        ids[key], known_tier, known_newest = known[key]
        if newest is not None or tier < known_tier:
            changed.append(
                (min(tier, known_tier), known_newest if newest is None else newest, ids[key])
            )
    connection.executemany("INSERT INTO node VALUES (?, ?, ?, ?)", new)
    connection.executemany("UPDATE node SET tier = ?, idx = ? WHERE id = ?", changed)
    return ids


def _edge_rows(edges: Sequence[EdgeFact], ids: dict[str, int]) -> list[tuple[Any, ...]]:
    kinds, roles, dumps = _KIND, _ROLE, orjson.dumps
    return [
        (
            ids[edge.src],
            kinds[edge.kind],
            edge.index,
            edge.seq,
            ids[edge.dst],
            roles[edge.role],
            edge.tier,
            edge.time_us,
            dumps(edge.layers) if edge.layers else None,
        )
        for edge in edges
    ]


def _run_rows(run: EdgeRun, ids: dict[str, int], written: _Written) -> Iterator[tuple[Any, ...]]:
    return zip(
        map(ids.__getitem__, run.src),
        repeat(_KIND[run.kind]),
        run.indexes,
        repeat(run.seq),
        map(ids.__getitem__, run.dst),
        repeat(_ROLE[run.role]),
        repeat(run.tier),
        run.times,
        _attrs(run, written) if run.layers else repeat(None),
        strict=False,
    )


def _attrs(run: EdgeRun, written: _Written) -> Iterator[bytes]:
    """Write the attributes of a run as JSON: what all have in common once, and each column once."""
    pieces: list[bytes] = [b"["]
    columns: list[list[bytes]] = []
    for names, values in run.layers:
        pieces[-1] += b"{"
        for name, column in zip(names, values, strict=True):
            # The column lives as long as the run: no other can have its number meanwhile.
            if id(column) not in written:
                written[id(column)] = canonical.dump_each(column)
            columns.append(written[id(column)])
            pieces[-1] += orjson.dumps(name) + b":"
            pieces.append(b",")
        pieces[-1] = pieces[-1].removesuffix(b",") + b"},"
    pieces[-1] = pieces[-1].removesuffix(b",") + b"]"
    filled = zip(map(repeat, pieces), columns, strict=False)
    begun = zip(*chain.from_iterable(filled), repeat(pieces[-1]), strict=False)
    return map(b"".join, begun)


def _entry_rows(changes: Changes, ids: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    for entry in changes.entries:
        node = None if entry.node is None else ids[entry.node]
        yield entry.index, entry.leaf_hash, entry.version, node, orjson.dumps(entry.layers)
