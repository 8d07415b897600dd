"""The questions that the SQLite graph asks, as constants with bound values only.

Put together from constants at import (which is why S608 has nothing to warn of).

`CROSS JOIN` fixes the order of the tables: what is asked for outermost, then an
index lookup each. `INDEXED BY` makes a statement fail loudly rather than scan.

Next: graph/stores/sqlite_rows.py
"""

from __future__ import annotations

from typing import Final

from graph.model import EdgeKind, Role
from graph.stores.sqlite_file import KINDS, ROLES

__all__ = [
    "CONTENTS",
    "EDGES_IN",
    "EDGES_IN_ONE",
    "EDGES_OUT",
    "EDGES_OUT_ONE",
    "ENTRIES",
    "FIND",
    "FLAGS",
    "KEYS",
    "MADE_BY",
    "NODES",
    "NODES_OF_KIND",
    "NUMBERS",
    "RECORDS",
    "STARTS",
    "STEP_DOWN",
    "STEP_UP",
]

_BECAME: Final = KINDS.index(EdgeKind.BECAME)
_INVOLVES: Final = KINDS.index(EdgeKind.INVOLVES)
_PRODUCED: Final = ROLES.index(Role.PRODUCED)
_OUTPUT: Final = ROLES.index(Role.OUTPUT)

NODES: Final = """
SELECT n.key, n.idx, e.leaf_hash, e.layers
FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value LEFT JOIN entry e ON e.idx = n.idx
WHERE n.tier <= ?2
"""

ENTRIES: Final = """
SELECT n.key, e.idx, e.leaf_hash, e.layers
FROM json_each(?1) j CROSS JOIN entry e ON e.idx = j.value
LEFT JOIN node n ON n.id = e.node AND n.tier <= ?2
"""

NODES_OF_KIND: Final = """
SELECT n.key, n.idx, e.leaf_hash, e.layers FROM node n LEFT JOIN entry e ON e.idx = n.idx
WHERE n.key > ?1 AND n.key < ?2 AND n.tier <= ?3 ORDER BY n.key LIMIT ?4
"""

_EDGE: Final = "e.idx, e.seq, s.key, d.key, e.kind, e.role, e.time, e.attrs"
_MANY: Final = "json_each(?1) j CROSS JOIN node {n} ON {n}.key = j.value"
_ONE: Final = "(SELECT id, key FROM node WHERE key = ?1) {n}"
_IN: Final = """
CROSS JOIN edge e INDEXED BY edge_in ON e.dst = d.id AND e.kind = ?2
CROSS JOIN node s ON s.id = e.src
"""
_OUT: Final = """
CROSS JOIN edge e ON e.src = s.id AND e.kind = ?2
CROSS JOIN node d ON d.id = e.dst
"""
_WANTED: Final = """
WHERE e.tier <= ?3 AND (?4 IS NULL OR e.role IN (SELECT value FROM json_each(?4)))
ORDER BY e.idx, e.seq, s.key, d.key LIMIT ?5
"""

EDGES_IN: Final = f"SELECT {_EDGE} FROM {_MANY.format(n='d')} {_IN} {_WANTED}"  # noqa: S608
EDGES_OUT: Final = f"SELECT {_EDGE} FROM {_MANY.format(n='s')} {_OUT} {_WANTED}"  # noqa: S608

# Of a single node the edges lie in the order asked for, so a limit ends the search.
EDGES_IN_ONE: Final = f"SELECT {_EDGE} FROM {_ONE.format(n='d')} {_IN} {_WANTED}"  # noqa: S608
EDGES_OUT_ONE: Final = f"SELECT {_EDGE} FROM {_ONE.format(n='s')} {_OUT} {_WANTED}"  # noqa: S608

MADE_BY: Final = f"""
SELECT j.value, s.key, e.idx, e.role, e.time
FROM carray(?1) j
CROSS JOIN edge e INDEXED BY edge_in ON e.dst = j.value AND e.kind = {_INVOLVES}
CROSS JOIN node s ON s.id = e.src
WHERE e.tier <= ?2 AND e.role IN ({_PRODUCED}, {_OUTPUT})
  AND (?3 IS NULL OR e.time IS NULL OR e.time <= ?3)
ORDER BY j.value, e.role <> {_PRODUCED}, e.time IS NULL, e.time, s.key, e.seq
"""  # noqa: S608

NUMBERS: Final = "SELECT n.key, n.id FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value"

STARTS: Final = """
SELECT n.key, n.id FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value WHERE n.tier <= ?2
"""

_STEP: Final = """
SELECT n.id, n.key, e.idx, e.seq, e.{there}, e.time, e.attrs
FROM carray(?1) j CROSS JOIN node n ON n.id = j.value
LEFT JOIN edge e {index} ON e.{here} = n.id AND e.kind = {kind} AND e.tier <= ?2
"""
# A row for a node without edges too: its key is wanted.

STEP_UP: Final = _STEP.format(here="dst", there="src", kind=_BECAME, index="INDEXED BY became_in")
STEP_DOWN: Final = _STEP.format(here="src", there="dst", kind=_BECAME, index="")

KEYS: Final = "SELECT n.id, n.key FROM carray(?1) j CROSS JOIN node n ON n.id = j.value"

FLAGS: Final = """
SELECT j.value, s.key, e.idx, c.leaf_hash, c.layers
FROM json_each(?1) j CROSS JOIN node d ON d.key = j.value
CROSS JOIN edge e INDEXED BY edge_in ON e.dst = d.id AND e.kind = ?2
CROSS JOIN node s ON s.id = e.src CROSS JOIN entry c ON c.idx = e.idx
WHERE e.tier <= ?3 AND (?4 OR NOT EXISTS (
    SELECT 1 FROM record mine CROSS JOIN record newer
    ON newer.kind = mine.kind AND newer.key = mine.key AND newer.idx > mine.idx
    WHERE mine.idx = e.idx AND mine.kind = ?5
))
ORDER BY e.idx DESC
"""

FIND: Final = """
SELECT n.key FROM name f CROSS JOIN node n ON n.id = f.node
WHERE f.field = ?1 AND f.value = ?2 AND f.tier <= ?3 ORDER BY n.key LIMIT ?4
"""

RECORDS: Final = """
SELECT e.idx, e.leaf_hash, e.layers
FROM (
    SELECT key, max(idx) AS newest, tier FROM record
    WHERE kind = ?1 AND key >= ?2 AND key < ?3 AND (NOT ?4 OR key = ?2 OR key > ?2 || '/')
    GROUP BY key
) r CROSS JOIN entry e ON e.idx = r.newest
WHERE r.tier <= ?5 ORDER BY r.key
"""

CONTENTS: Final = """
SELECT idx, leaf_hash, layers FROM entry INDEXED BY entry_version
WHERE version = ?1 AND idx >= ?2 AND idx < ?3 ORDER BY idx LIMIT ?4
"""
