"""`provenance lanes`: the lanes between sites, as a list or a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from commands.options import Data, Json
from commands.output import json_bytes, print_json
from commands.questions.asking import (
    At,
    Format,
    Output,
    amount,
    micros_of,
    plain,
    print_table,
    refuse_mixed,
    tell_limits,
    words,
    write_drawing,
)

if TYPE_CHECKING:
    from graph.questions.lanes import Lanes

app = typer.Typer(add_completion=False)

_MOST_LINES: Final = 200


@app.command()
def lanes(
    data: Data,
    at: At = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Draw them, or write them for programs.")
    ] = None,
    output: Output = None,
    detail: Annotated[
        int, typer.Option(min=1, help="About so many boxes; of more sites the busiest stand alone.")
    ] = 60,
    *,
    json: Json = False,
) -> None:
    """Show between which sites goods move, how much, and what is flagged."""
    from commands.session import with_graph
    from graph.questions.lanes import lanes as ask
    from provenance.entries import Tier

    refuse_mixed(form, output, other=json)
    with with_graph(data) as workspace:
        answer = ask(workspace.graph, Tier.PRIVATE, at=micros_of(at))
    if form:
        write_drawing(_drawn(answer, form, detail), output)
    elif json:
        print_json(plain(answer))
    else:
        _print(answer)


def _drawn(answer: Lanes, form: Format, detail: int) -> str:
    from graph.drawing.formats import html
    from graph.drawing.network import dot, graphml, network
    from graph.drawing.svg import svg

    if form is Format.JSON:
        return json_bytes(plain(answer)).decode()
    if form in (Format.DOT, Format.GRAPHML):
        return dot(answer) if form is Format.DOT else graphml(answer)
    drawing = network(answer, "Between which sites goods move", detail=detail)
    return svg(drawing) if form is Format.SVG else html(drawing)


def _print(answer: Lanes) -> None:
    print_table(
        ("from", "to", "shipments", "quantity", "flags"),
        (
            [
                words(lane.src),
                words(lane.dst),
                f"{lane.shipments:,}",
                ", ".join(amount(quantity, unit) for unit, quantity in lane.quantities),
                f"{lane.flags} {lane.severity}" if lane.flags else "",
            ]
            for lane in sorted(answer.lanes, key=lambda lane: -lane.shipments)
        ),
        _MOST_LINES,
    )
    typer.echo(f"{len(answer.sites):,} sites, {len(answer.lanes):,} lanes")
    tell_limits(answer.position, truncated=answer.truncated)
