"""`provenance upgrade`: bring an old workspace to the newest format."""

from __future__ import annotations

import typer

from commands.options import Data, Json
from commands.output import print_json

app = typer.Typer(add_completion=False)


@app.command()
def upgrade(data: Data, *, json: Json = False) -> None:
    """Bring an old workspace to the newest format; entries and proofs stay as they are."""
    from workspace.settings import FORMAT
    from workspace.upgrade import upgrade as run

    left = run(data)
    if json:
        print_json({"format": FORMAT, "upgraded_from": left[0] if left else None})
    elif left:
        typer.echo(f"Upgraded {data} from format {left[0]} to {FORMAT}")
    else:
        typer.echo(f"{data} has the newest format, {FORMAT}")
