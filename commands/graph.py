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

_MOST_LINES = 100


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


@app.command()
def status(data: Data, *, json: Json = False) -> None:
    """Say where the graph is, how far it has come, and what brought nothing."""
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        url, size = workspace.settings.graph.url, workspace.reader.size
        with workspace.graph.snapshot():
            position, skipped = workspace.graph.position(), workspace.graph.skipped()
    if json:
        print_json({"url": url, "position": position, "size": size, "skipped": skipped})
        return
    behind = size - position
    typer.echo(f"{url}: at log position {position:,} of {size:,}")
    if behind > 0:
        typer.echo(f"    {behind:,} entries behind; `provenance graph sync` catches up")
    elif behind < 0:
        typer.echo("    beyond the log; `provenance graph audit` says what differs")
    for reason, count in sorted(skipped.items()):
        typer.echo(f"    {count:,} entries brought only their place: {reason}")


@app.command()
def audit(data: Data, *, json: Json = False) -> None:
    """Compare every fact of the graph with the log, and say what differs and where."""
    from graph.audit import audit_graph
    from workspace.workspace import Workspace

    with Workspace(data) as workspace, progress("Comparing") as report_progress:
        report = audit_graph(workspace.reader, workspace.graph, report_progress)
    if json:
        print_json(
            {
                "ok": not report.differing,
                "position": report.position,
                "size": report.size,
                "compared": dict(report.compared),
                "differing": report.differing,
                "problems": report.problems,
            }
        )
        raise typer.Exit(1 if report.differing else 0)
    for problem in report.problems[:_MOST_LINES]:
        typer.echo(f"FAILED  {problem}")
    if report.differing:
        if report.differing > _MOST_LINES:
            typer.echo(f"... {report.differing - _MOST_LINES:,} more; --json names up to 1,000")
        typer.echo("    `provenance graph rebuild` makes the graph anew from the log")
        raise typer.Exit(1)
    total = ", ".join(f"{count:,} {kind} facts" for kind, count in report.compared.items())
    typer.echo(f"OK  the graph says what the log says up to position {report.position:,}: {total}")
    if report.position < report.size:
        behind = report.size - report.position
        typer.echo(f"    {behind:,} entries behind; `provenance graph sync` catches up")


def _tell(applied: int, position: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"applied": applied, "position": position})
    else:
        typer.echo(f"Applied {applied:,} entries; the graph is at log position {position:,}")
