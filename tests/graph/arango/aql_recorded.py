"""Recorded runs of a real server: their answers, and the graphs that they were run on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aql_values import AqlError

if TYPE_CHECKING:
    from pathlib import Path

Doc = dict[str, Any]
_LOADED = {
    "traversalGraph": ("graph_create_traversal_sample_single", ("circles", "edges")),
    "kShortestPathsGraph": (
        "graph_create_kshortestpaths_sample_single",
        ("places", "connections"),
    ),
}


class Recorded:
    """The documents of one recorded graph, as a query reads them."""

    def __init__(self, graph: str = "", held: dict[str, list[Doc]] | None = None) -> None:
        """Hold collections, the last of which has the edges of `graph`."""
        self._graph = graph
        self._held = held or {}

    def documents(self, collection: str) -> list[Doc]:
        """Return all documents."""
        if collection not in self._held:
            raise AqlError(1203, f"collection or view not found: {collection}")
        return self._held[collection]

    def document(self, id_: str) -> Doc | None:
        """Return a document by its id."""
        found = self._held.get(id_.partition("/")[0], [])
        return next((each for each in found if each["_id"] == id_), None)

    def edges_at(self, collection: str, end: str, id_: str) -> list[Doc]:
        """Return the edges at a vertex, oldest first."""
        return [edge for edge in self.documents(collection) if edge[end] == id_]

    def graph_edges(self, graph: str) -> list[str]:
        """Return the edge collections of the graph."""
        if graph != self._graph:
            raise AqlError(1924, f"graph '{graph}' not found")
        return [list(self._held)[-1]]


def runs(path: Path) -> list[Doc]:
    """Read all recorded runs."""
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def graphs(recorded: list[Doc]) -> dict[str, Recorded]:
    """Return the graphs whose contents were recorded, by name; "" is none."""
    found = {"": Recorded()}
    for graph, (run, names) in _LOADED.items():
        (output,) = (each["output"] for each in recorded if each["name"] == run)
        found[graph] = Recorded(graph, dict(zip(names, documents_in(output), strict=True)))
    return found


def documents_in(output: str) -> list[Any]:
    """Read the JSON documents that a run printed one after another."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(output):
        if output[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(output, at)
        found.append(value)
    return found
