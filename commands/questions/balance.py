"""`provenance balance`: what came in, what went out and what is left."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from commands.options import Data, Json
from commands.output import print_json
from commands.questions.asking import (
    At,
    amount,
    find,
    micros_of,
    plain,
    print_table,
    tell_limits,
    words,
)

app = typer.Typer(add_completion=False)

_COLUMNS: Final = (
    *("site", "material", "unit", "month"),
    *("made", "received", "used", "sent", "stock", "lacking"),
)


@app.command()
def balance(
    data: Data,
    subject: Annotated[str, typer.Argument(help="A facility or an item, by id or key.")],
    limit: Annotated[int, typer.Option(min=1, help="At most so many items and lines.")] = 10_000,
    at: At = None,
    *,
    json: Json = False,
) -> None:
    """Show inputs, outputs and stock by site, material and month."""
    from commands.session import with_graph
    from graph.keys import NodeKind
    from graph.questions.balance import balance as ask
    from provenance.entries import Tier

    with with_graph(data) as workspace:
        key = find(workspace.graph, subject, NodeKind.FACILITY, NodeKind.ITEM)
        answer = ask(workspace.graph, key, Tier.PRIVATE, at=micros_of(at), limit=limit)
    if json:
        print_json(plain(answer))
        return
    print_table(
        (
            "site",
            "material",
            "unit",
            "month",
            "made",
            "received",
            "used",
            "sent",
            "stock",
            "lacking",
        ),
        (
            [
                words(line.place),
                words(line.material),
                line.unit,
                line.month or "no time",
                *(amount(n) for n in (line.made, line.received, line.used, line.sent, line.stock)),
                str(line.unmeasured or ""),
            ]
            for line in answer.lines
        ),
    )
    tell_limits(answer.position, truncated=answer.truncated)
