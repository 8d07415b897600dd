"""`provenance track`: where an item went."""

from __future__ import annotations

import typer

from commands.options import Data, Json
from commands.questions.asking import (
    At,
    Detail,
    Drawing,
    Form,
    Item,
    Output,
    Through,
)
from commands.questions.trace import Asked, show

app = typer.Typer(add_completion=False)


@app.command()
def track(
    data: Data,
    item: Item,
    depth: Through = 100,
    at: At = None,
    form: Form = None,
    output: Output = None,
    detail: Detail = 40,
    *,
    json: Json = False,
) -> None:
    """Show what was made from an item, with quantities and gaps."""
    asked = Asked(item, "downstream", depth, at)
    show(data, asked, Drawing(form, output, detail), as_json=json)
