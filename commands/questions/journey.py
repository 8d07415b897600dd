"""`provenance journey`: what happened to an item, event by event."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json
from commands.questions.asking import (
    At,
    Back,
    Item,
    find,
    micros_of,
    plain,
    tell_limits,
    words,
)

app = typer.Typer(add_completion=False)


@app.command()
def journey(
    data: Data,
    item: Item,
    depth: Back = 100,
    limit: Annotated[int, typer.Option(min=1, help="At most so many events.")] = 10_000,
    at: At = None,
    *,
    json: Json = False,
) -> None:
    """Show what happened to an item and to what it was made from, in order of time."""
    from commands.questions.trace import step_words
    from commands.session import with_graph
    from graph.journey import travel
    from graph.keys import NodeKind
    from provenance.entries import Tier

    with with_graph(data) as workspace:
        key = find(workspace.graph, item, NodeKind.ITEM, NodeKind.CONTAINER)
        time = micros_of(at)
        answer = travel(workspace.graph, key, Tier.PRIVATE, depth=depth, limit=limit, at=time)
    if json:
        print_json(
            {
                "item": key,
                "position": answer.position,
                "at": at,
                "events": [
                    {
                        "event": step.event.key,
                        "hops": step.hops,
                        "items": step.items,
                        "containers": step.containers,
                        "index": step.event.index,
                        **step.event.attrs,
                    }
                    for step in answer.steps
                ],
                "gaps": plain(answer.gaps),
                "truncated": answer.truncated,
            }
        )
        return
    for step in answer.steps:
        through = f"  in {', '.join(words(key) for key in step.containers)}"
        typer.echo(step_words(step.event, step.hops) + (through if step.containers else ""))
    for gap in answer.gaps:
        missing = f": {gap.missing}" if gap.missing else ""
        typer.echo(f"gap at {words(gap.item)}: {gap.reason.replace('_', ' ')}{missing}")
    tell_limits(answer.position, truncated=answer.truncated)
