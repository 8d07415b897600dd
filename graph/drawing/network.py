"""Lanes as a picture: sites by tier from left to right, lanes as wide as what goes over them.

Where there are more sites than a person can take in, those of one tier and
country share a box.

Next: graph/drawing/layout.py
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from graph.drawing.cards import SEVERITIES
from graph.drawing.formats import quoted
from graph.drawing.picture import Arrow, Box, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graph.questions.lanes import Lane, Lanes, Site

__all__ = ["dot", "graphml", "network"]

_FEW_LABELS: Final = 60


def network(answer: Lanes, title: str, *, detail: int) -> Picture:
    """Make the picture of a network's lanes.

    Args:
        answer: The lanes.
        title: The heading.
        detail: How many sites are drawn one by one before those of one tier and country
            share a box.
    """
    groups = _groups(answer.sites, single=len(answer.sites) <= detail)
    place = {site.key: at for at, sites in enumerate(groups) for site in sites}
    flows: dict[tuple[int, int], list[Lane]] = defaultdict(list)
    for lane in answer.lanes:
        if lane.src in place and lane.dst in place:
            flows[place[lane.src], place[lane.dst]].append(lane)
    most = max((_shipments(own) for own in flows.values()), default=1)
    arrows = [
        _arrow(ends, own, most, labelled=len(flows) <= _FEW_LABELS)
        for ends, own in sorted(flows.items(), key=lambda flow: (_worst(flow[1]), flow[0]))
    ]
    flagged = sum(lane.flags > 0 for lane in answer.lanes)
    sites = f"{len(answer.sites):,} sites by their tier, raw material on the left"
    found = f"{len(answer.lanes):,} lanes, {flagged:,} of them flagged"
    notes = [
        f"{sites}; {found}. True for log position {answer.position:,}.",
        "A lane is as wide as it has shipments; without a tier on record a site stands right.",
    ]
    if answer.truncated:
        notes.append("Cut short by a limit: there is more than is drawn.")
    return Picture(title, tuple(notes), tuple(_boxes(groups)), tuple(arrows))


def _groups(sites: Sequence[Site], *, single: bool) -> list[list[Site]]:
    found: dict[object, list[Site]] = defaultdict(list)
    for site in sites:
        found[site.key if single else (site.tier is None, site.tier, site.country)].append(site)
    return list(found.values())


def _boxes(groups: list[list[Site]]) -> list[Box]:
    last = 1 + max(
        (site.tier for sites in groups for site in sites if site.tier is not None), default=-1
    )
    boxes = []
    for sites in groups:
        first = sites[0]
        id_ = first.key.partition(":")[2]
        name = first.name if len(sites) == 1 else f"{len(sites)} sites"
        where = ", ".join(word for word in (id_ if len(sites) == 1 else "", first.country) if word)
        step = "tier not known" if first.tier is None else f"tier {first.tier}"
        lines = tuple(word for word in (name, where, step) if word)
        column = last if first.tier is None else first.tier
        keys = tuple(site.key for site in sites)
        boxes.append(Box(keys, lines, column=column, place=True))
    return boxes


def _arrow(ends: tuple[int, int], own: list[Lane], most: int, *, labelled: bool) -> Arrow:
    count, worst = _shipments(own), _worst(own)
    return Arrow(
        *ends,
        label=f"{count:,}" if labelled else "",
        weight=max(0.02, (count / most) ** 0.5),
        severity=SEVERITIES[worst] if worst >= 0 else "",
    )


def _shipments(own: list[Lane]) -> int:
    return sum(lane.shipments for lane in own)


def _worst(own: list[Lane]) -> int:
    return max((SEVERITIES.index(lane.severity) for lane in own if lane.severity), default=-1)


def dot(answer: Lanes) -> str:
    """Write lanes in Graphviz' language (graphviz.org/doc/info/lang.html), site by site."""
    lines = ["digraph lanes {", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  {quoted(site.key)} [label={quoted(site.name)}];" for site in answer.sites]
    for lane in answer.lanes:
        label = quoted(f"{lane.shipments}")
        colour = ", color=red" if lane.flags else ""
        lines.append(f"  {quoted(lane.src)} -> {quoted(lane.dst)} [label={label}{colour}];")
    return "\n".join([*lines, "}\n"])


def graphml(answer: Lanes) -> str:
    """Write lanes as GraphML (graphml.graphdrawing.org), site by site."""
    import networkx as nx  # noqa: PLC0415 - only this format needs it

    graph: nx.DiGraph[str] = nx.DiGraph()
    for site in answer.sites:
        step = {} if site.tier is None else {"tier": site.tier}
        graph.add_node(site.key, name=site.name, country=site.country, **step)
    for lane in answer.lanes:
        told = {"shipments": lane.shipments, "flags": lane.flags, "severity": lane.severity}
        graph.add_edge(lane.src, lane.dst, **told)
    return "\n".join(nx.generate_graphml(graph)) + "\n"
