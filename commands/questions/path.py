"""`provenance path`: how two things are connected."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json
from commands.questions.asking import At, find, micros_of, plain, tell_limits, words

app = typer.Typer(add_completion=False)


@app.command()
def path(
    data: Data,
    start: Annotated[str, typer.Argument(help="An item, facility, certificate, container or key.")],
    end: Annotated[str, typer.Argument(help="Another one.")],
    depth: Annotated[int, typer.Option(min=0, help="Edges that a way may have.")] = 20,
    at: At = None,
    *,
    goods: Annotated[bool, typer.Option("--goods", help="Only what became what.")] = False,
    json: Json = False,
) -> None:
    """Show a shortest way between two things through what the records state."""
    from commands.session import with_graph
    from graph.model import EdgeKind
    from graph.questions.paths import USUAL
    from graph.questions.paths import path as ask
    from provenance.entries import Tier

    kinds = (EdgeKind.BECAME,) if goods else USUAL
    with with_graph(data) as workspace:
        graph, time = workspace.graph, micros_of(at)
        first, last = find(graph, start), find(graph, end)
        answer = ask(graph, first, last, Tier.PRIVATE, kinds=kinds, depth=depth, at=time)
    if json:
        print_json(plain(answer))
        return
    for node, edge in zip(answer.nodes, (None, *answer.edges), strict=False):
        if edge is not None:
            way = "->" if edge.dst == node else "<-"
            typer.echo(
                f"  {way} {edge.kind}  #{edge.index}" if edge.index >= 0 else f"  {way} {edge.kind}"
            )
        typer.echo(words(node))
    if not answer.nodes:
        typer.echo(f"no way was found between {words(first)} and {words(last)}")
    tell_limits(answer.position, truncated=answer.truncated)
