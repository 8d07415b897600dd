"""`provenance track`: where an item went."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.options import Data, Json
from commands.questions.asking import At, Drawing, Format
from commands.questions.trace import Asked, show

app = typer.Typer(add_completion=False)


@app.command()
def track(
    data: Data,
    item: Annotated[str, typer.Argument(help="A lot, serial or product id, a URL or a GTIN.")],
    depth: Annotated[int, typer.Option(min=0, help="Transformations to look through.")] = 100,
    at: At = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Draw it, or write it for other programs.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="The file for --format. [default: standard output]")
    ] = None,
    detail: Annotated[
        int, typer.Option(min=1, help="Items drawn one by one before alike ones share a box.")
    ] = 40,
    *,
    json: Json = False,
) -> None:
    """Show what was made from an item, with quantities and gaps."""
    asked = Asked(item, "downstream", depth, at)
    show(data, asked, Drawing(form, output, detail), as_json=json)
