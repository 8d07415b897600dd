"""What the shape of a network says about its nodes and links. Pure.

Each function takes links as plain rows and returns plain rows, in an order that the
links alone decide. Chance, where an algorithm draws on it, comes from a fixed seed.

Next: graph/network/report.py
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import networkx as nx

    from graph.network.links import Link

__all__ = [
    "Central",
    "Cut",
    "Rare",
    "central_links",
    "central_nodes",
    "communities",
    "cuts",
    "rarity",
    "rings",
]

_SEED: Final = 20_240_229
_SOURCES: Final = 400
"""Nodes from which shortest paths are counted: of more, so many are drawn."""


class Rare(NamedTuple):
    """How unusual a link is for the node that it leaves.

    Attributes:
        source: Where from.
        target: Where to.
        times: How often.
        share: Of all that leaves the source.
        bits: How surprising: -log2 of the share as add-one smoothing estimates it.
    """

    source: str
    target: str
    times: int
    share: float
    bits: float


class Central(NamedTuple):
    """How much passes through a node, or along a link.

    Attributes:
        node: The node, or source and target.
        between: Share of the shortest paths between others that pass here, 0 to 1 (Freeman).
        incoming: How much comes in; 0 for a link.
        outgoing: How much goes out; of a link, how often.
    """

    node: tuple[str, ...]
    between: float
    incoming: int
    outgoing: int


class Cut(NamedTuple):
    """What the network falls apart without.

    Attributes:
        node: A node, or the two ends of a link.
        cut_off: How many nodes no longer hang together with most of the others.
    """

    node: tuple[str, ...]
    cut_off: int


def rarity(links: Iterable[Link]) -> list[Rare]:
    """Say how unusual each link is for its source, the most surprising first.

    Every target of the network counts as possible for every source, so that of a source of few
    shipments little is surprising.
    """
    links = list(links)
    out: Counter[str] = Counter()
    targets = {link.target for link in links}
    for link in links:
        out[link.source] += link.times
    found = [
        Rare(
            link.source,
            link.target,
            link.times,
            link.times / out[link.source],
            -math.log2((link.times + 1) / (out[link.source] + len(targets))),
        )
        for link in links
    ]
    return sorted(found, key=lambda rare: (-rare.bits, rare.source, rare.target))


def central_nodes(links: Sequence[Link]) -> list[Central]:
    """Say how much depends on each node, the most central first."""
    import networkx as nx  # noqa: PLC0415 - takes a while to load

    graph, names = _numbered(links)
    into: Counter[str] = Counter()
    out: Counter[str] = Counter()
    for link in links:
        into[link.target] += link.times
        out[link.source] += link.times
    between = nx.betweenness_centrality(graph, k=_sources(graph), seed=_SEED)
    found = [
        Central((name,), round(between[number], 12), into[name], out[name])
        for number, name in enumerate(names)
    ]
    return sorted(found, key=lambda each: (-each.between, -each.outgoing, each.node))


def central_links(links: Sequence[Link]) -> list[Central]:
    """Say how much depends on each link, the most central first."""
    import networkx as nx  # noqa: PLC0415 - as above

    graph, names = _numbered(links)
    counts = {(link.source, link.target): link.times for link in links}
    between = nx.edge_betweenness_centrality(graph, k=_sources(graph), seed=_SEED)
    found = [
        Central(ends, round(share, 12), 0, counts[ends])
        for (source, target), share in between.items()
        for ends in [(names[source], names[target])]
    ]
    return sorted(found, key=lambda each: (-each.between, -each.outgoing, each.node))


def communities(links: Sequence[Link]) -> list[tuple[str, ...]]:
    """Return groups that deal more with each other than with others, the largest first.

    By the method of Louvain, whichever way things go.
    """
    import networkx as nx  # noqa: PLC0415 - as above

    _, names = _numbered(links)
    number = {name: place for place, name in enumerate(names)}
    both: nx.Graph[int] = nx.Graph()
    both.add_nodes_from(range(len(names)))
    for link in sorted(links):
        ends = (number[link.source], number[link.target])
        known = both.get_edge_data(*ends, {"weight": 0})["weight"]
        both.add_edge(*ends, weight=known + link.times)
    parts = nx.community.louvain_communities(both, seed=_SEED) if names else []
    found = [tuple(sorted(names[number] for number in part)) for part in parts]
    return sorted(found, key=lambda part: (-len(part), part))


def rings(links: Sequence[Link], longest: int = 6, most: int = 1_000) -> list[tuple[str, ...]]:
    """Return the ways round: nodes that lead back to the first, the shortest first.

    Args:
        links: Of the network.
        longest: Nodes of a ring at most.
        most: Rings to look for; of more, which ones are left out is not said.
    """
    import networkx as nx  # noqa: PLC0415 - as above

    graph, names = _numbered(links)
    cycles = itertools.islice(nx.simple_cycles(graph, length_bound=longest), most)
    found = [_from_least([names[number] for number in cycle]) for cycle in cycles]
    return sorted(found, key=lambda ring: (len(ring), ring))


def _from_least(ring: list[str]) -> tuple[str, ...]:
    start = ring.index(min(ring))
    return tuple(ring[start:] + ring[:start])


def cuts(links: Sequence[Link]) -> tuple[list[Cut], list[Cut]]:
    """Return the nodes and the links without which the network falls apart, the worst first.

    Whichever way things go: a node is one that everything between two parts passes through
    (an articulation point), a link the only one between them (a bridge). By one search in
    depth, so the effort is that of reading the links.
    """
    graph, names = _numbered(links)
    points: dict[int, list[int]] = {}
    bridges: list[tuple[int, int, int]] = []
    for part in _parts(graph):
        _search(graph, part, points, bridges)
    nodes = [
        Cut((names[node],), sum(sizes) - max(sizes)) for node, sizes in points.items() if sizes
    ]
    ends = [Cut(tuple(sorted((names[a], names[b]))), size) for a, b, size in bridges]
    return sorted(nodes, key=_worst), sorted(ends, key=_worst)


def _worst(cut: Cut) -> tuple[int, tuple[str, ...]]:
    return -cut.cut_off, cut.node


def _parts(graph: nx.DiGraph[int]) -> list[list[int]]:
    import networkx as nx  # noqa: PLC0415 - as above

    return sorted(sorted(part) for part in nx.weakly_connected_components(graph))


def _search(
    graph: nx.DiGraph[int],
    part: list[int],
    points: dict[int, list[int]],
    bridges: list[tuple[int, int, int]],
) -> None:
    """Find where a part falls apart, with the sizes of what it falls into (Tarjan's low points)."""
    around = {n: sorted({*graph.successors(n), *graph.predecessors(n)} - {n}) for n in part}
    root = part[0]
    order, low, size = {root: 0}, {root: 0}, dict.fromkeys(part, 1)
    apart: dict[int, list[int]] = {node: [] for node in part}
    stack = [(root, -1, iter(around[root]))]
    while stack:
        node, parent, others = stack[-1]
        for other in others:
            if other not in order:
                order[other] = low[other] = len(order)
                stack.append((other, node, iter(around[other])))
                break
            if other != parent:
                low[node] = min(low[node], order[other])
        else:
            stack.pop()
            if parent >= 0:
                size[parent] += size[node]
                low[parent] = min(low[parent], low[node])
                if low[node] >= order[parent]:
                    apart[parent].append(size[node])
                if low[node] > order[parent]:
                    bridges.append((parent, node, min(size[node], len(part) - size[node])))
    for node, sizes in apart.items():
        rest = len(part) - 1 - sum(sizes)
        whole = sizes + ([rest] if rest else [])
        if len(whole) > 1:
            points[node] = whole


def _numbered(links: Iterable[Link]) -> tuple[nx.DiGraph[int], list[str]]:
    """Make a graph of numbers, in order of the names: sets of text have no order that stays."""
    import networkx as nx  # noqa: PLC0415 - as above

    links = sorted(links)
    names = sorted({end for link in links for end in (link.source, link.target)})
    number = {name: place for place, name in enumerate(names)}
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(names)))
    for link in links:
        graph.add_edge(number[link.source], number[link.target], weight=link.times)
    return graph, names


def _sources(graph: nx.DiGraph[int]) -> int | None:
    return _SOURCES if graph.number_of_nodes() > _SOURCES else None
