"""`provenance trace`: where an item came from, or where it went."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from commands.options import Data, Json
from commands.output import console, json_bytes, print_json
from commands.questions.asking import (
    At,
    Detail,
    Drawing,
    Form,
    Format,
    Item,
    Output,
    Through,
    micros_of,
    refuse_mixed,
    write_drawing,
)

if TYPE_CHECKING:
    from rich.tree import Tree

    from commands.items import Found
    from graph.lineage import Lineage
    from graph.model import Edge, Node
    from graph.store import Direction
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)

_MOST_LINES = 200


@app.command()
def trace(
    data: Data,
    item: Item,
    depth: Through = 100,
    at: At = None,
    form: Form = None,
    output: Output = None,
    detail: Detail = 40,
    *,
    down: Annotated[bool, typer.Option("--down", help="Where it went, as `track` shows.")] = False,
    events: Annotated[bool, typer.Option("--events", help="Its `journey` instead.")] = False,
    json: Json = False,
) -> None:
    """Show what an item was made from, with quantities and gaps; or its journey."""
    from commands.questions.journey import journey
    from provenance.errors import UsageError

    if events:
        if form:
            raise UsageError("--format goes with neither --events nor --json")
        journey(data, item, depth, at=at, json=json)
        return
    direction: Direction = "downstream" if down else "upstream"
    show(data, Asked(item, direction, depth, at), Drawing(form, output, detail), as_json=json)


class Asked(NamedTuple):
    """Which lineage is asked for."""

    item: str
    direction: Direction
    depth: int
    at: str | None


def show(data: Path, asked: Asked, drawing: Drawing, *, as_json: bool) -> None:
    """Print a lineage, or draw it.

    Raises:
        UsageError: What is asked for does not go together.
    """
    from commands.items import find_item
    from commands.session import with_graph
    from provenance.entries import Tier

    form, output, detail = drawing
    refuse_mixed(form, output, other=as_json)
    with with_graph(data) as workspace:
        found = find_item(workspace.graph, asked.item)
        graph = workspace.graph
        walk = graph.downstream if asked.direction == "downstream" else graph.upstream
        time = micros_of(asked.at)
        lineage = walk(found.node, Tier.PRIVATE, depth=asked.depth, at=time)
        drawn = _drawn(workspace, found, lineage, form, detail) if form else ""
    if form:
        write_drawing(drawn, output)
    elif as_json:
        print_json(_lineage_json(lineage))
    else:
        _print_lineage(lineage)


def _drawn(workspace: Workspace, found: Found, lineage: Lineage, form: Format, detail: int) -> str:
    from commands.items import item_words
    from graph.drawing.cards import cards
    from graph.drawing.formats import dot, graphml, html
    from graph.drawing.picture import picture
    from graph.drawing.svg import svg

    about = cards(workspace.graph, lineage)
    if form is Format.DOT:
        return dot(lineage, about)
    if form is Format.JSON:
        return json_bytes(_lineage_json(lineage)).decode()
    if form is Format.GRAPHML:
        return graphml(lineage, about)
    what = "What {} was made from" if lineage.direction == "upstream" else "Where {} went"
    drawing = picture(lineage, about, what.format(item_words(found.item)), detail=detail)
    return svg(drawing) if form is Format.SVG else html(drawing)


def _lineage_json(lineage: Lineage) -> dict[str, Any]:
    return {
        "item": lineage.start,
        "direction": lineage.direction,
        "position": lineage.position,
        "items": [{"item": key, "hops": hops} for key, hops in lineage.hops.items()],
        "edges": [
            {"from": e.src, "to": e.dst, "kind": e.kind, "index": e.index, **e.attrs}
            for e in lineage.edges
        ],
        "gaps": [
            {"item": gap.item, "reason": gap.reason, "missing": gap.missing or None}
            for gap in lineage.gaps
        ],
        "cycles": lineage.cycles(),
        "truncated": lineage.truncated,
    }


def _print_lineage(lineage: Lineage) -> None:
    from rich.tree import Tree

    onward = _onward(lineage)
    tree = Tree(_words(lineage.start))
    _grow(tree, lineage.start, onward, {lineage.start})
    out = console()
    out.print(tree)
    for gap in lineage.gaps:
        missing = f": {gap.missing}" if gap.missing else ""
        out.print(f"gap at {_words(gap.item)}: {gap.reason.replace('_', ' ')}{missing}")
    for ring in lineage.cycles():
        out.print(f"goes round: {', '.join(map(_words, ring))}")
    if lineage.truncated:
        out.print("cut short: raise --depth to see more")
    out.print(f"{len(lineage.hops) - 1} items, true for log position {lineage.position}")


def _onward(lineage: Lineage) -> dict[str, dict[str, list[Edge]]]:
    """Return, for each item, the items one step further, with the edges that lead there."""
    up = lineage.direction == "upstream"
    onward: dict[str, dict[str, list[Edge]]] = defaultdict(lambda: defaultdict(list))
    for edge in lineage.edges:
        here, there = (edge.dst, edge.src) if up else (edge.src, edge.dst)
        onward[here][there].append(edge)
    return onward


def _grow(tree: Tree, start: str, onward: dict[str, dict[str, list[Edge]]], seen: set[str]) -> None:
    """Hang the items under each other, nearest first; one shown already is only named again."""
    pending = [(tree, start)]
    lines = 0
    while pending:
        branch, key = pending.pop(0)
        for there, edges in onward[key].items():
            if (lines := lines + 1) > _MOST_LINES:
                branch.add("... more; --json shows all")
                return
            again = there in seen
            seen.add(there)
            grown = branch.add(_words(there) + _quantity(edges) + (" (see above)" if again else ""))
            if not again:
                pending.append((grown, there))


def _words(key: str) -> str:
    from commands.items import item_words
    from graph.keys import is_item, parse_item

    return item_words(parse_item(key)) if is_item(key) else key


def _quantity(edges: list[Edge]) -> str:
    """Say how much went in along parallel edges; nothing where one of them does not say."""
    from provenance.canonical import decimal

    amounts = [decimal(edge.attrs.get("consumed")) for edge in edges]
    if None in amounts:
        return ""
    return f"  {sum(amount for amount in amounts if amount is not None)} used"


def step_words(event: Node, hops: int) -> str:
    """Write one event of a journey as a line."""
    content = event.attrs
    where = content.get("facility_id") or "?"
    if content.get("to_facility_id"):
        where = f"{content.get('from_facility_id', '?')} -> {content['to_facility_id']}"
    time = str(content.get("event_time", "?"))[:16].replace("T", " ")
    kind = str(content.get("event_type", "?"))
    return f"{time}  {kind:<10} {where}  #{event.index}" + (f"  ({hops} up)" if hops else "")
