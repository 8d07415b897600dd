"""`provenance coverage`: how much of an item's past is documented."""

from __future__ import annotations

import typer

from commands.options import Data, Json
from commands.output import print_json
from commands.questions.asking import (
    At,
    Back,
    Item,
    MostItems,
    find,
    micros_of,
    plain,
    print_table,
    tell_limits,
    words,
)

app = typer.Typer(add_completion=False)


@app.command()
def coverage(
    data: Data,
    item: Item,
    depth: Back = 100,
    limit: MostItems = 10_000,
    at: At = None,
    *,
    json: Json = False,
) -> None:
    """Show the share of quantity and of each tier that is documented."""
    from commands.session import with_graph
    from graph.keys import NodeKind
    from graph.questions.coverage import coverage as ask
    from provenance.entries import Tier

    with with_graph(data) as workspace:
        key = find(workspace.graph, item, NodeKind.ITEM, NodeKind.CONTAINER)
        time = micros_of(at)
        answer = ask(workspace.graph, key, Tier.PRIVATE, depth=depth, limit=limit, at=time)
    if json:
        print_json(plain(answer))
        return
    about = "about " if answer.estimated else ""
    typer.echo(f"{about}{float(answer.share):.1%} of {words(key)} is documented down to its origin")
    print_table(
        ("steps back", "items", "documented", "origins"),
        (
            [str(one.hops), f"{one.items:,}", f"{one.documented:,}", f"{one.origins:,}"]
            for one in answer.levels
        ),
    )
    for gap in answer.gaps:
        missing = f": {gap.missing}" if gap.missing else ""
        typer.echo(f"gap at {words(gap.item)}: {gap.reason.replace('_', ' ')}{missing}")
    tell_limits(answer.position, truncated=answer.truncated)
