"""`provenance recall`: what has to be called back, and from whom."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from commands.options import Data, Json
from commands.output import json_bytes, print_json, write_result
from commands.questions.asking import (
    At,
    Detail,
    Drawing,
    Form,
    Format,
    MostItems,
    Output,
    amount,
    day,
    find,
    micros_of,
    plain,
    print_table,
    refuse_mixed,
    tell_limits,
    words,
    write_drawing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from graph.model import Node
    from graph.questions.custody import Stay
    from graph.questions.recall import Recall
    from graph.store import GraphStore

app = typer.Typer(add_completion=False)

_MOST_LINES: Final = 100
_COLUMNS: Final = (
    *("party", "product_id", "lot_id", "serial_id", "hops", "made", "made_unit"),
    *("state", "place", "place_name", "country", "shipment", "quantity", "unit", "since"),
    *("doubts", "log_index"),
)
_NOWHERE: Final = ("not held", *[""] * 9)


@app.command()
def recall(
    data: Data,
    subject: Annotated[
        str, typer.Argument(help="An item, container, facility or certificate, by id or key.")
    ],
    depth: Annotated[int, typer.Option(min=0, help="Transformations to look ahead.")] = 100,
    limit: MostItems = 10_000,
    at: At = None,
    export: Annotated[
        Path | None, typer.Option(help="Write the list to a .csv or .json file.")
    ] = None,
    form: Form = None,
    output: Output = None,
    detail: Detail = 40,
    *,
    json: Json = False,
) -> None:
    """List what came of goods, who holds it now, and who was sent it."""
    from commands.session import with_graph
    from graph.keys import NodeKind
    from graph.questions.recall import recall as ask
    from provenance.entries import Tier
    from provenance.errors import UsageError

    if export and export.suffix.lower() not in (".csv", ".json"):
        raise UsageError(f"--export {export}: the name ends in .csv or .json")
    refuse_mixed(form, output, other=json or export is not None)
    kinds = (NodeKind.ITEM, NodeKind.CONTAINER, NodeKind.FACILITY, NodeKind.CERTIFICATE)
    with with_graph(data) as workspace:
        key = find(workspace.graph, subject, *kinds)
        time = micros_of(at)
        answer = ask(workspace.graph, key, Tier.PRIVATE, depth=depth, limit=limit, at=time)
        sites = workspace.graph.fetch({stay.place for stay in answer.held}, Tier.PRIVATE)
        drawing = Drawing(form, output, detail)
        drawn = _drawn(workspace.graph, answer, sites, depth, drawing) if form else ""
    if form:
        write_drawing(drawn, output)
    elif export:
        write_result(_exported(answer, sites, export.suffix.lower()), export)
        typer.echo(f"Wrote {export}: {len(answer.affected):,} items, {len(answer.held):,} holdings")
    elif json:
        print_json(plain(answer))
    else:
        _print(answer)


def _drawn(
    graph: GraphStore, answer: Recall, sites: Mapping[str, Node], depth: int, drawing: Drawing
) -> str:
    from graph.drawing.cards import cards
    from graph.drawing.formats import dot, graphml, html
    from graph.drawing.recalled import lineage_of, recalled
    from graph.drawing.svg import svg

    form, _, detail = drawing
    if form is Format.JSON:
        return json_bytes(plain(answer)).decode()
    lineage = lineage_of(graph, answer, depth)
    about = cards(graph, lineage)
    if form in (Format.DOT, Format.GRAPHML):
        return dot(lineage, about) if form is Format.DOT else graphml(lineage, about)
    places = {key: node.attrs for key, node in sites.items()}
    title = f"What a recall of {words(answer.subject)} affects"
    made = recalled(answer, lineage, about, places, title, detail=detail)
    return svg(made) if form is Format.SVG else html(made)


def _print(answer: Recall) -> None:
    typer.echo(f"{len(answer.affected):,} items are affected by {words(answer.subject)}")
    typer.echo("Held now")
    print_table(
        ("where", "item", "quantity", "since", "doubts"),
        (
            [_where(s), words(s.item), amount(s.rest, s.unit), day(s.since_us), _doubts(s)]
            for s in answer.held
        ),
        _MOST_LINES,
    )
    typer.echo("Was sent to")
    print_table(
        ("where", "items", "quantity", "last"),
        (
            [words(c.place), f"{c.items:,}", _sums(c.quantities, c.unmeasured), day(c.last_us)]
            for c in answer.customers
        ),
        _MOST_LINES,
    )
    for gap in answer.gaps:
        missing = f": {gap.missing}" if gap.missing else ""
        typer.echo(f"gap at {words(gap.item)}: {gap.reason.replace('_', ' ')}{missing}")
    tell_limits(answer.position, truncated=answer.truncated)


def _where(stay: Stay) -> str:
    if not stay.shipment:
        return words(stay.place)
    to = f" to {words(stay.place)}" if stay.place else ""
    return f"under way{to}"


def _doubts(stay: Stay) -> str:
    return ", ".join(doubt.replace("_", " ") for doubt in stay.doubts)


def _sums(quantities: Any, unmeasured: int) -> str:
    known = [amount(quantity, unit) for unit, quantity in quantities]
    return ", ".join([*known, f"{unmeasured} unmeasured"] if unmeasured else known)


def _exported(answer: Recall, sites: Mapping[str, Node], form: str) -> bytes:
    """Write a line for each holding, and one for each affected item that nobody holds."""
    rows = list(_rows(answer, sites))
    if form == ".json":
        import orjson

        told = {"subject": answer.subject, "position": answer.position, "at": day(answer.at)}
        told |= {"truncated": answer.truncated, "gaps": len(answer.gaps)}
        return orjson.dumps({**told, "lines": rows}, option=orjson.OPT_INDENT_2) + b"\n"
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _harmless(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue().encode()


def _harmless(cell: Any) -> Any:
    """Keep a spreadsheet from taking a text for a formula."""
    from provenance.spreadsheet import guarded

    return guarded(cell) if isinstance(cell, str) else cell


def _rows(answer: Recall, sites: Mapping[str, Node]) -> Iterator[dict[str, Any]]:
    from graph.keys import parse_item

    held: dict[str, list[Stay]] = {}
    for stay in answer.held:
        held.setdefault(stay.item, []).append(stay)
    for one in answer.affected:
        item = parse_item(one.item)
        made = "" if one.quantity is None else f"{one.quantity:f}"
        about = (item.party, item.product_id, item.lot_id or "", item.serial_id or "")
        first = (*about, one.hops, made, one.unit or "")
        holdings = [_held(stay, sites) for stay in held.get(one.item, ())]
        for holding in holdings or [_NOWHERE]:
            yield dict(zip(_COLUMNS, (*first, *holding), strict=True))


def _held(stay: Stay, sites: Mapping[str, Node]) -> tuple[Any, ...]:
    site = sites[stay.place].attrs if stay.place in sites else {}
    return (
        "under way" if stay.shipment else "held",
        words(stay.place) if stay.place else "",
        str(site.get("name", "")),
        str(site.get("country", "")),
        words(stay.shipment) if stay.shipment else "",
        "" if stay.rest is None else f"{stay.rest:f}",
        stay.unit or "",
        day(stay.since_us),
        _doubts(stay),
        stay.index,
    )
