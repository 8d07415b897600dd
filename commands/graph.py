"""`provenance graph`: care of the projection."""

from __future__ import annotations

import typer

from commands.options import Data, Json
from commands.output import print_json, progress

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Look after the graph, which the log can remake.",
)


@app.command()
def rebuild(data: Data, *, json: Json = False) -> None:
    """Forget the graph and project the whole log again."""
    from graph.sync import rebuild as run
    from workspace.workspace import Workspace

    with Workspace(data) as workspace, progress("Projecting") as report:
        applied = run(workspace.reader, workspace.graph, report)
    _tell(applied, applied, as_json=json)


@app.command()
def sync(data: Data, *, json: Json = False) -> None:
    """Let the graph catch up with the log."""
    from workspace.workspace import Workspace

    with Workspace(data) as workspace, progress("Projecting") as report:
        applied = workspace.sync_graph(report)
        position = workspace.graph.position()
    _tell(applied, position, as_json=json)


def _tell(applied: int, position: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"applied": applied, "position": position})
    else:
        typer.echo(f"Applied {applied:,} entries; the graph is at log position {position:,}")
