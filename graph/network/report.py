"""All that is asked of a network at once, for the report and for whoever compares two of them.

Next: commands/network.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from graph.network.links import dealings, goods_on, shipments
from graph.network.measures import (
    Central,
    Cut,
    Rare,
    central_links,
    central_nodes,
    communities,
    cuts,
    rarity,
    rings,
)

if TYPE_CHECKING:
    from graph.network.links import Link
    from graph.store import GraphStore
    from provenance.entries import Tier

__all__ = ["Kind", "NetworkReport", "Ring", "network_report"]

Kind = Literal["sites", "parties"]


class Ring(NamedTuple):
    """A way round.

    Attributes:
        nodes: Along it; the last leads to the first.
        goods: Items that moved on every link of it, in order; of parties it is not known.
    """

    nodes: tuple[str, ...]
    goods: tuple[str, ...]


@dataclass(frozen=True)
class NetworkReport:
    """What the shape of a network says.

    Attributes:
        kind: Of what.
        position: The log position that it is true for.
        nodes: How many there are.
        links: How many.
        central: Nodes, the most central first.
        lanes: Links, the most central first.
        rare: Links, the most surprising first.
        communities: Groups, the largest first.
        rings: Ways round, those that goods went first, then the shortest.
        points: Nodes that it falls apart without, the worst first.
        bridges: Links that it falls apart without.
    """

    kind: Kind
    position: int
    nodes: int
    links: int
    central: list[Central]
    lanes: list[Central]
    rare: list[Rare]
    communities: list[tuple[str, ...]]
    rings: list[Ring]
    points: list[Cut]
    bridges: list[Cut]


def network_report(store: GraphStore, tier: Tier, kind: Kind = "sites") -> NetworkReport:
    """Ask everything of the network of sites, or of that of parties.

    Args:
        store: Where to read.
        tier: The viewer's.
        kind: "sites" between which goods move, or "parties" that supply each other.
    """
    with store.snapshot():
        position = store.position()
        links = shipments(store, tier) if kind == "sites" else dealings(store, tier)
        found = _rings(store, tier, links, kind)
    points, bridges = cuts(links)
    return NetworkReport(
        kind=kind,
        position=position,
        nodes=len({end for link in links for end in link[:2]}),
        links=len(links),
        central=central_nodes(links),
        lanes=central_links(links),
        rare=rarity(links),
        communities=communities(links),
        rings=found,
        points=points,
        bridges=bridges,
    )


def _rings(store: GraphStore, tier: Tier, links: list[Link], kind: Kind) -> list[Ring]:
    ways = rings(links)
    if kind == "parties":
        return [Ring(way, ()) for way in ways]
    steps = {way: list(zip(way, (*way[1:], way[0]), strict=True)) for way in ways}
    goods = goods_on(store, tier, {step for each in steps.values() for step in each})
    found = [
        Ring(way, tuple(sorted(set.intersection(*(goods[step] for step in steps[way])))))
        for way in ways
    ]
    return sorted(found, key=lambda ring: (-len(ring.goods), len(ring.nodes), ring.nodes))
