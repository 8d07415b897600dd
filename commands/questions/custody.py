"""`provenance custody`: who held an item, where and when."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json
from commands.questions.asking import (
    At,
    Item,
    amount,
    day,
    find,
    micros_of,
    plain,
    print_table,
    tell_limits,
    words,
)

app = typer.Typer(add_completion=False)


@app.command()
def custody(
    data: Data,
    item: Item,
    limit: Annotated[int, typer.Option(min=1, help="At most so many stays.")] = 10_000,
    at: At = None,
    *,
    json: Json = False,
) -> None:
    """Show where an item was, from when to when, and what the records leave open."""
    from commands.session import with_graph
    from graph.keys import NodeKind
    from graph.questions.custody import custody as ask
    from provenance.entries import Tier

    with with_graph(data) as workspace:
        key = find(workspace.graph, item, NodeKind.ITEM)
        answer = ask(workspace.graph, key, Tier.PRIVATE, at=micros_of(at), limit=limit)
    if json:
        print_json(plain(answer))
        return
    print_table(
        ("from", "to", "where", "recorded by", "came", "there still", "doubts"),
        (
            [
                day(stay.since_us),
                day(stay.until_us) if stay.ended else "now",
                f"under way to {words(stay.place)}" if stay.shipment else words(stay.place),
                stay.party,
                amount(stay.quantity, stay.unit),
                "" if stay.ended and not stay.rest else amount(stay.rest, stay.unit),
                ", ".join(doubt.replace("_", " ") for doubt in stay.doubts),
            ]
            for stay in answer.stays
        ),
    )
    if not answer.stays:
        typer.echo(f"no event says where {words(key)} was")
    tell_limits(answer.position, truncated=answer.truncated)
