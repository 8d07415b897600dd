"""A picture in the formats of other programs: an HTML page, Graphviz DOT, GraphML.

The page holds the drawing and the same content as tables, for whoever cannot
see it or wants to copy from it. DOT and GraphML hold the lineage as it is,
item by item, for programs that draw or compute themselves.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from graph.drawing.svg import svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graph.drawing.cards import Card
    from graph.drawing.picture import Box, Picture
    from graph.lineage import Lineage

__all__ = ["dot", "graphml", "html", "quoted"]

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root{{color-scheme:light dark}}body{{font:14px/1.45 system-ui,sans-serif;margin:1.5rem}}
.drawing{{overflow-x:auto}}table{{border-collapse:collapse;margin:1rem 0}}
th,td{{border-bottom:1px solid #8b95a8;padding:.3rem .8rem .3rem 0;text-align:left}}
@media print{{.drawing svg{{width:100%;height:auto}}}}
</style>
</head>
<body>
<div class="drawing">
{drawing}</div>
<h2>Items</h2>
<table><thead><tr><th>Item</th><th>Lot</th><th>Made</th><th>Flags</th></tr></thead>
<tbody>
{items}
</tbody></table>
<h2>What went into what</h2>
<table><thead><tr><th>From</th><th>To</th><th>Quantity</th></tr></thead>
<tbody>
{arrows}
</tbody></table>
</body>
</html>
"""


def html(picture: Picture) -> str:
    """Write a picture as a page that needs nothing from elsewhere."""
    return _PAGE.format(
        title=escape(picture.title),
        drawing=svg(picture),
        items="\n".join(_item_row(box) for box in picture.boxes),
        arrows="\n".join(_arrow_rows(picture)),
    )


def _item_row(box: Box) -> str:
    first, second, *rest = (*box.lines, "", "")
    flags = f"{box.flags}, the worst {box.severity}" if box.flags else ""
    return _row(first, second, ", ".join(word for word in rest if word), flags)


def _arrow_rows(picture: Picture) -> Iterator[str]:
    for arrow in picture.arrows:
        ends = (picture.boxes[arrow.src], picture.boxes[arrow.dst])
        yield _row(*(" ".join(box.lines[:2]) for box in ends), arrow.label)


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def dot(lineage: Lineage, about: Mapping[str, Card]) -> str:
    """Write a lineage in Graphviz' language (graphviz.org/doc/info/lang.html)."""
    lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
    for key in lineage.hops:
        card = about[key]
        words = [card.product, card.lot, card.place, card.day]
        label = "\n".join(word for word in words if word)
        lines.append(f"  {quoted(key)} [label={quoted(label)}];")
    lines += [
        f"  {quoted(edge.src)} -> {quoted(edge.dst)} [tooltip={quoted(edge.kind)}];"
        for edge in lineage.edges
    ]
    for at, gap in enumerate(lineage.gaps):
        node = quoted(f"gap {at}")
        label = quoted(f"{gap.reason.replace('_', ' ')} {gap.missing}".strip())
        ends = (node, quoted(gap.item))
        src, dst = ends if lineage.direction == "upstream" else ends[::-1]
        lines += [f"  {node} [label={label}, style=dashed];", f"  {src} -> {dst} [style=dashed];"]
    return "\n".join([*lines, "}\n"])


def quoted(text: str) -> str:
    """Write a text as Graphviz does."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain}"'


def graphml(lineage: Lineage, about: Mapping[str, Card]) -> str:
    """Write a lineage as GraphML (graphml.graphdrawing.org), attributes as text and numbers."""
    import networkx as nx  # noqa: PLC0415 - only this format needs it

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for key, hops in lineage.hops.items():
        card = about[key]
        told = {"product": card.product, "lot": card.lot, "place": card.place, "day": card.day}
        graph.add_node(key, hops=hops, flags=card.flags, severity=card.severity, **told)
    for edge in lineage.edges:
        attrs = json.dumps(edge.attrs, ensure_ascii=False, sort_keys=True)
        graph.add_edge(edge.src, edge.dst, kind=str(edge.kind), index=edge.index, attributes=attrs)
    return "\n".join(nx.generate_graphml(graph)) + "\n"
