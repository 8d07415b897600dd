"""The network's measures: laws on random networks, twins from networkx, and a report of a chain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from graph_factories import ListLog, event, item, record
from hypothesis import given
from hypothesis import strategies as st

from graph.network.links import Link, dealings, goods_on, shipments
from graph.network.measures import (
    central_links,
    central_nodes,
    communities,
    cuts,
    rarity,
    rings,
)
from graph.network.report import Ring, network_report
from graph.sync import catch_up
from provenance.entries import Tier

if TYPE_CHECKING:
    import random

    from graph.store import GraphStore

ENDS = st.tuples(st.sampled_from("abcdefghij"), st.sampled_from("abcdefghij"))
NETWORKS = st.dictionaries(ENDS, st.integers(1, 9), max_size=25).map(
    lambda ends: [Link(*each, times) for each, times in ends.items()]
)
SITES = {name: f"facility:{name}" for name in ("F1", "F2", "F3", "F4")}


@given(NETWORKS)
def test_what_falls_apart_is_what_networkx_says(links: list[Link]) -> None:
    """Points and bridges are networkx's, and what they cut off is what counting parts gives."""
    graph = nx.Graph((link.source, link.target) for link in links if link.source != link.target)
    graph.add_nodes_from(end for link in links for end in link[:2])
    points, bridges = cuts(links)
    assert {point.node for point in points} == {(n,) for n in nx.articulation_points(graph)}
    assert {cut.node for cut in bridges} == {tuple(sorted(each)) for each in nx.bridges(graph)}
    for cut in [*points, *bridges]:
        around = nx.node_connected_component(graph, cut.node[0])
        rest = graph.subgraph(around).copy()
        if len(cut.node) == 1:
            rest.remove_node(cut.node[0])
        else:
            rest.remove_edge(*cut.node)
        parts = sorted(map(len, nx.connected_components(rest)))
        assert cut.cut_off == sum(parts[:-1])


@given(NETWORKS, st.randoms())
def test_the_order_of_links_and_the_run_change_nothing(
    links: list[Link], dice: random.Random
) -> None:
    """Every measure depends on the links alone."""
    shuffled = list(links)
    dice.shuffle(shuffled)
    for measure in (rarity, central_nodes, central_links, communities, rings, cuts):
        assert measure(links) == measure(shuffled)


@given(NETWORKS)
def test_rings_lead_back(links: list[Link]) -> None:
    """Each ring is one once, begins with its least node, and every step of it is a link."""
    ends = {link[:2] for link in links}
    found = rings(links)
    assert len(set(found)) == len(found)
    for ring in found:
        assert ring[0] == min(ring)
        assert all(step in ends for step in zip(ring, (*ring[1:], ring[0]), strict=True))
    graph = nx.DiGraph(ends)
    cyclic = {n for part in nx.strongly_connected_components(graph) if len(part) > 1 for n in part}
    cyclic |= {source for source, target in ends if source == target}
    assert bool(found) == bool(cyclic) or max(map(len, nx.simple_cycles(graph))) > 6


@given(NETWORKS)
def test_communities_share_the_nodes_among_them(links: list[Link]) -> None:
    """Each node is in one of them."""
    members = [node for part in communities(links) for node in part]
    assert sorted(members) == sorted({end for link in links for end in link[:2]})


@given(NETWORKS)
def test_rarity_orders_by_surprise(links: list[Link]) -> None:
    """Shares of a source add up to one, and of two links of a source the rarer surprises more."""
    found = rarity(links)
    for source in {link.source for link in links}:
        own = [rare for rare in found if rare.source == source]
        assert math.isclose(sum(rare.share for rare in own), 1)
        assert [r.times for r in own] == sorted(r.times for r in own)
    assert all(rare.bits >= 0 for rare in found)


def test_many_nodes_are_sampled_the_same_each_time() -> None:
    """Of more nodes than paths are counted from, the same ones are drawn."""
    links = [Link(f"n{n}", f"n{(n * 7 + 1) % 500}", 1) for n in range(500)]
    assert central_nodes(links) == central_nodes(links[::-1])


def ring_log() -> ListLog:
    """Goods of one lot that go F1, F2, F3 and back to F1, and others that end at F4."""
    ways = [("F1", "F2"), ("F2", "F3"), ("F3", "F1"), ("F3", "F4")]
    moves = []
    for number, (start, end) in enumerate(ways):
        ends = {"from_facility_id": start, "to_facility_id": end, "shipment_id": f"S{number}"}
        lot = "R" if end != "F4" else "X"
        moves += [
            event(10 + number, "ship", item("P", lot, 5), facility_id=start, **ends),
            event(20 + number, "receive", item("P", lot, 5), facility_id=end, **ends),
        ]
    moves.append(
        event(
            *(30, "receive", item("P", "Y", 1)),
            from_facility_id="F1",
            to_facility_id="F2",
            shipment_id="late",
        )
    )
    return ListLog([*(record("facility", facility_id=name) for name in SITES), *moves])


def test_a_shipment_counts_once(store: GraphStore) -> None:
    """By its departure, or by its arrival where no departure is recorded."""
    catch_up(ring_log(), store)
    assert shipments(store, Tier.PRIVATE) == [
        Link(SITES["F1"], SITES["F2"], 2),
        Link(SITES["F2"], SITES["F3"], 1),
        Link(SITES["F3"], SITES["F1"], 1),
        Link(SITES["F3"], SITES["F4"], 1),
    ]
    lane = (SITES["F3"], SITES["F4"])
    assert goods_on(store, Tier.PRIVATE, [lane]) == {lane: {"item:acme/P/10/X"}}


def test_the_report_says_what_goes_round_and_what_hangs_on_one(store: GraphStore) -> None:
    """The lot that comes back, the site behind which another hangs, and the lane to it."""
    catch_up(ring_log(), store)
    report = network_report(store, Tier.PRIVATE)
    around = tuple(SITES[name] for name in ("F1", "F2", "F3"))
    assert report.rings == [Ring(around, ("item:acme/P/10/R",))]
    assert [(cut.node, cut.cut_off) for cut in report.points] == [((SITES["F3"],), 1)]
    assert [cut.node for cut in report.bridges] == [(SITES["F3"], SITES["F4"])]
    assert (report.nodes, report.links, report.position) == (4, 4, store.position())
    assert report.central[0].node == (SITES["F3"],)


def test_an_empty_network_is_reported(store: GraphStore) -> None:
    """Nothing moves: every list is empty."""
    report = network_report(store, Tier.PRIVATE)
    assert (report.nodes, report.links, report.rings, report.points) == (0, 0, [], [])
    assert network_report(store, Tier.PRIVATE, "parties").communities == []


def test_parties_that_deal(full: GraphStore) -> None:
    """A party that uses another's goods is supplied by it."""
    assert dealings(full, Tier.PRIVATE) == [Link("party:acme", "party:bolt", 1)]
    report = network_report(full, Tier.PRIVATE, "parties")
    assert report.bridges[0].node == ("party:acme", "party:bolt")


@pytest.mark.parametrize("tier", list(Tier))
def test_who_may_not_see_a_movement_is_told_of_none(full: GraphStore, tier: Tier) -> None:
    """A viewer's network is made of what that viewer sees."""
    seen = set(shipments(full, tier))
    assert {link[:2] for link in seen} <= {link[:2] for link in shipments(full, Tier.PRIVATE)}
