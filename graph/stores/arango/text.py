"""The questions that the graph asks ArangoDB, as constants with bound values only.

`@@nodes` and the like are the collections. Text is compared with < and sorted only
where it is spelled for that: keys of digits, `spelled`, `order` and `making`.

Next: graph/stores/arango/schema.py
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CONTENTS",
    "EDGES_IN",
    "EDGES_OUT",
    "ENTRIES",
    "FACTS",
    "FIND",
    "FLAGS",
    "KNOWN",
    "MADE_BY",
    "NEIGHBOURS",
    "NODES",
    "NODES_BETWEEN",
    "REACH_DOWN",
    "REACH_UP",
    "RECORDS",
    "SKIPPED",
    "STEP_DOWN",
    "STEP_UP",
    "TAKE_BACK",
]

NODES: Final = """
FOR n IN @@nodes
  FILTER n._key IN @keys AND n.tier <= @tier
  LET e = FIRST(FOR x IN @@entries FILTER x._key == n.entry RETURN x)
  RETURN [n.key, n.entry, e.leaf, e.layers]
"""

ENTRIES: Final = """
FOR e IN @@entries
  FILTER e._key IN @keys
  LET n = FIRST(
    FOR x IN @@nodes FILTER x._key == e.node_key AND x.tier <= @tier RETURN x.key
  )
  RETURN [n, e._key, e.leaf, e.layers]
"""

NODES_BETWEEN: Final = """
FOR n IN @@nodes
  FILTER n.spelled > @after AND n.spelled < @end AND n.tier <= @tier
  SORT n.spelled
  LIMIT @most
  LET e = FIRST(FOR x IN @@entries FILTER x._key == n.entry RETURN x)
  RETURN [n.key, n.entry, e.leaf, e.layers]
"""

_EDGE: Final = "[e._key, e.src, e.dst, e.kind, e.role, e.time, e.layers]"

EDGES_IN: Final = f"""
FOR id IN @ids
  FOR e IN @@edges
    FILTER e._to == id AND e.kind == @kind AND e.tier <= @tier
    FILTER @roles == null OR e.role IN @roles
    SORT e.order
    LIMIT @most
    RETURN {_EDGE}
"""

EDGES_OUT: Final = f"""
FOR id IN @ids
  FOR e IN @@edges
    FILTER e._from == id AND e.kind == @kind AND e.tier <= @tier
    FILTER @roles == null OR e.role IN @roles
    SORT e.order
    LIMIT @most
    RETURN {_EDGE}
"""

NEIGHBOURS: Final = f"""
FOR some IN [
  (
    FOR e IN @@became
      FILTER e._to == @id AND @became_too AND e.tier <= @tier
      SORT e.order
      LIMIT @most
      RETURN {_EDGE}
  ),
  (
    FOR e IN @@became
      FILTER e._from == @id AND @became_too AND e.tier <= @tier
      SORT e.order
      LIMIT @most
      RETURN {_EDGE}
  ),
  (
    FOR kind IN @kinds
      LET mine = (
        FOR e IN @@edges
          FILTER e._to == @id AND e.kind == kind AND e.tier <= @tier
          SORT e.order
          LIMIT @most
          RETURN {_EDGE}
      )
      FOR one IN mine
        RETURN one
  ),
  (
    FOR kind IN @kinds
      LET mine = (
        FOR e IN @@edges
          FILTER e._from == @id AND e.kind == kind AND e.tier <= @tier
          SORT e.order
          LIMIT @most
          RETURN {_EDGE}
      )
      FOR one IN mine
        RETURN one
  )
]
  FOR one IN some
    RETURN one
"""

MADE_BY: Final = f"""
FOR id IN @ids
  LET first = FIRST(
    FOR e IN @@edges
      FILTER e._to == id AND e.kind == "involves" AND e.role IN ["produced", "output"]
      FILTER e.tier <= @tier AND (@at == null OR e.time == null OR e.time <= @at)
      SORT e.making
      LIMIT 1
      RETURN {_EDGE}
  )
  FILTER first != null
  RETURN first
"""

STEP_UP: Final = """
FOR id IN @ids
  FOR e IN @@became
    FILTER e._to == id AND e.tier <= @tier
    FILTER @at == null OR e.time == null OR e.time <= @at
    RETURN [e._key, e.src, e.dst, e.kind, e.role, e.time, e.layers]
"""

STEP_DOWN: Final = """
FOR id IN @ids
  FOR e IN @@became
    FILTER e._from == id AND e.tier <= @tier
    FILTER @at == null OR e.time == null OR e.time <= @at
    RETURN [e._key, e.src, e.dst, e.kind, e.role, e.time, e.layers]
"""

REACH_UP: Final = """
WITH @@nodes
FOR id IN @ids
  FOR v, e IN 1..@hops INBOUND id @@became
    OPTIONS { order: "bfs", uniqueVertices: "global" }
    LIMIT @most
    RETURN DISTINCT e._from
"""
"""What is within reach, to be read ahead; who may see it is judged when it gets there.

A cluster has to be told before which collections the traversal ends in.
"""

REACH_DOWN: Final = """
WITH @@nodes
FOR id IN @ids
  FOR v, e IN 1..@hops OUTBOUND id @@became
    OPTIONS { order: "bfs", uniqueVertices: "global" }
    LIMIT @most
    RETURN DISTINCT e._to
"""

FLAGS: Final = """
FOR id IN @ids
  FOR e IN @@edges
    FILTER e._to == id AND e.kind == "flags" AND e.tier <= @tier
    LET c = FIRST(FOR x IN @@entries FILTER x._key == SUBSTRING(e._key, 1, 16) RETURN x)
    LET mine = FIRST(
      FOR r IN @@records FILTER r.kind == "flag" AND r.entry == c._key RETURN r.spelled
    )
    LET newer = FIRST(
      FOR r IN @@records
        FILTER r.kind == "flag" AND r.spelled == mine AND r.entry > c._key
        LIMIT 1
        RETURN r.entry
    )
    FILTER @superseded OR newer == null
    RETURN [e.dst, e.src, c._key, c.leaf, c.layers]
"""

FIND: Final = """
FOR f IN @@names
  FILTER f.find == @find AND f.tier <= @tier
  SORT f.spelled
  LIMIT @most
  RETURN f.node
"""

RECORDS: Final = """
FOR r IN @@records
  FILTER r.kind == @kind AND r.spelled >= @first AND r.spelled < @end
  FILTER @whole == null OR r.spelled == @whole OR r.spelled >= @inside
  COLLECT spelled = r.spelled AGGREGATE newest = MAX(r.entry)
  LET tier = FIRST(
    FOR x IN @@records
      FILTER x.kind == @kind AND x.spelled == spelled AND x.entry == newest
      RETURN x.tier
  )
  FILTER tier <= @tier
  SORT spelled
  FOR e IN @@entries
    FILTER e._key == newest
    RETURN [e._key, e.leaf, e.layers]
"""

CONTENTS: Final = """
FOR e IN @@entries
  FILTER e.version == @version AND e.index >= @start AND e.index < @stop
  SORT e.index
  LIMIT @most
  RETURN [e._key, e.leaf, e.layers]
"""

SKIPPED: Final = """
FOR s IN @@skipped
  RETURN s.counts
"""

KNOWN: Final = """
FOR d IN @@documents
  FILTER d._key IN @keys
  RETURN [d._key, d.tier, d.entry]
"""

TAKE_BACK: Final = """
FOR e IN @@edges
  FILTER e._from == @source AND e.kind == @kind AND e._key >= @first AND e._key < @end
  REMOVE e IN @@edges
"""

FACTS: Final = {
    "entry": "FOR d IN @@documents SORT d._key RETURN d",
    "node": "FOR d IN @@documents SORT d.spelled RETURN d",
    "edge": "FOR d IN @@documents SORT d.order RETURN d",
    "name": "FOR d IN @@documents SORT d.spelled RETURN d",
    "record": "FOR d IN @@documents SORT d.kind, d.spelled, d.entry RETURN d",
}
"""Everything that a collection holds, in the order of `graph.held.place_of`."""
