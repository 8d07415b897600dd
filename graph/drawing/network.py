"""Lanes as a picture: sites by tier from left to right, lanes as wide as what goes over them.

Where there are more sites than a person can take in, the busiest stand alone,
and the others of one tier and country share a box.

Next: graph/drawing/layout.py
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from graph.drawing.cards import SEVERITIES
from graph.drawing.formats import quoted
from graph.drawing.picture import Arrow, Box, Picture
from graph.keys import parse_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graph.questions.lanes import Lane, Lanes, Site

__all__ = ["dot", "graphml", "network"]

_FEW_LABELS: Final = 60


def network(answer: Lanes, title: str, *, detail: int) -> Picture:
    """Make the picture of a network's lanes.

    Args:
        answer: The lanes.
        title: The heading.
        detail: About so many boxes are drawn; of more sites the busiest stand alone.
    """
    columns = _columns(answer)
    groups = _groups(answer, columns, detail)
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
        "A lane is as wide as it has shipments.",
    ]
    if answer.truncated:
        notes.append("Cut short by a limit: there is more than is drawn.")
    return Picture(title, tuple(notes), tuple(_boxes(groups, columns)), tuple(arrows))


def _groups(answer: Lanes, columns: Mapping[str, int], detail: int) -> list[list[Site]]:
    """Gather what shares a box: the busiest sites stand alone, as many as there is room for."""
    sites = {site.key: site for site in answer.sites}
    if len(sites) <= detail:
        return [[site] for site in answer.sites]
    busy: Counter[str] = Counter()
    for lane in answer.lanes:
        busy[lane.src] += lane.shipments
        busy[lane.dst] += lane.shipments
    shared = {(columns[site.key], site.country) for site in answer.sites}
    room = max(0, detail - len(shared))
    alone = set(sorted(sites, key=lambda key: (-busy[key], key))[:room])
    found: dict[object, list[Site]] = defaultdict(list)
    for site in answer.sites:
        found[site.key if site.key in alone else (columns[site.key], site.country)].append(site)
    return list(found.values())


def _columns(answer: Lanes) -> dict[str, int]:
    """Put each site into the column of its tier, one without a tier by what it does.

    What only sends stands on the left, what only receives on the right.
    """
    known = [site.tier for site in answer.sites if site.tier is not None]
    first, last = (min(known), max(known) + 1) if known else (0, 2)
    sends = {lane.src for lane in answer.lanes}
    receives = {lane.dst for lane in answer.lanes}
    found = {}
    for site in answer.sites:
        if site.tier is not None:
            found[site.key] = site.tier
        elif site.key not in receives:
            found[site.key] = first
        else:
            found[site.key] = last if site.key not in sends else max(first, last - 1)
    return found


def _boxes(groups: list[list[Site]], columns: Mapping[str, int]) -> list[Box]:
    boxes = []
    for sites in groups:
        first = sites[0]
        id_ = parse_key(first.key)[1][0] or ""
        name = first.name if len(sites) == 1 else f"{len(sites)} sites"
        where = ", ".join(
            word for word in (id_ if name == first.name else "", first.country) if word
        )
        step = "tier not known" if first.tier is None else f"tier {first.tier}"
        lines = tuple(word for word in (name, where if where != name else "", step) if word)
        keys = tuple(site.key for site in sites)
        boxes.append(Box(keys, lines, column=columns[first.key], place=True))
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
