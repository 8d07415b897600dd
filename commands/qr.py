"""`provenance qr`: the QR code of an item, for a label or the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json

app = typer.Typer(add_completion=False)


@app.command()
def qr(
    data: Data,
    item: Annotated[str, typer.Argument(help="A lot, serial or product id, a URL or a GTIN.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="An .svg or .png file. [default: the terminal]"),
    ] = None,
    scale: Annotated[int, typer.Option(min=1, max=40, help="Pixels per module.")] = 8,
    *,
    json: Json = False,
) -> None:
    """Draw the QR code that leads to an item's page."""
    from api.qr import terminal
    from commands.items import find_item
    from commands.session import with_graph

    with with_graph(data) as workspace:
        found = find_item(workspace.graph, item)
        url = workspace.settings.domain.rstrip("/") + found.path
    if output is not None:
        _write(output, url, scale)
    if json:
        print_json({"item": found.node, "url": url, "file": str(output) if output else None})
    elif output is None:
        typer.echo(terminal(url))
        typer.echo(url)
    else:
        typer.echo(f"Wrote {output}: {url}")


def _write(output: Path, url: str, scale: int) -> None:
    from api.qr import png, svg
    from provenance.errors import UsageError
    from provenance.files import replace_file
    from provenance.store.storage import translated

    match output.suffix.lower():
        case ".svg":
            data = svg(url, scale=scale).encode()
        case ".png":
            data = png(url, scale=scale)
        case other:
            raise UsageError(f"{output}: {other or 'no suffix'}: write to a .svg or .png file")
    with translated(output):
        replace_file(output, data)
