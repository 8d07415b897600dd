"""`provenance log export`: what others may have of the log, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json, progress


def export(
    data: Data,
    directory: Annotated[Path, typer.Argument(help="New, empty, or an earlier export.")],
    *,
    no_bodies: Annotated[
        bool, typer.Option("--no-bodies", help="Leave the bodies out: the tree alone.")
    ] = False,
    json: Json = False,
) -> None:
    """Write the log's public part as files for any static host, or only what is new of it."""
    from provenance.wire.static import export as run
    from workspace.workspace import Workspace

    with Workspace(data) as workspace, progress("Exporting") as report:
        done = run(workspace.reader, directory, report, bodies=not no_bodies)
    if json:
        print_json({"directory": str(directory), **done._asdict()})
        return
    typer.echo(f"Exported to {directory}: {done.size:,} entries, {done.written:,} new files")
    if done.removed:
        typer.echo(f"  removed     {done.removed:,} bodies that were erased")
