"""`provenance report`: everything a compliance team forwards, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.options import Data, Json

app = typer.Typer(add_completion=False)


@app.command()
def report(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML file.")],
    q: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="False-discovery level. [default: from workspace.toml]"),
    ] = None,
    cases: Annotated[int, typer.Option(min=0, help="Cases told in full.")] = 50,
    sites: Annotated[int, typer.Option(min=0, help="Sites drawn, flagged ones first.")] = 24,
    *,
    json: Json = False,
) -> None:
    """Write cases, lanes, sites, detectors and method as one page that needs no network.

    It holds values of every tier: forward it as what it is, a private document.
    """
    from api.report import write_report
    from api.report.gather import Head, gather
    from commands.detect import judge
    from commands.output import print_json, progress, write_result
    from commands.session import with_graph
    from graph.frames import load_frames

    with with_graph(data) as workspace:
        level = workspace.settings.detect.q if q is None else q
        with progress("Reading the graph"):
            frames = load_frames(workspace.graph)
        result, _ = judge(workspace, level, frames)
        head = Head(
            workspace.settings.origin,
            frames.position,
            workspace.reader.root_at(frames.position).hex(),
            _now(workspace.clock()),
        )
        found = gather(workspace.graph, frames, result, head, level=level, cases=cases, sites=sites)
    write_result(write_report(found).encode(), output)
    told = {"file": str(output), "position": head.position, "flags": found.flags}
    if json:
        print_json(told)
    else:
        typer.echo(f"Wrote {output}: {found.flags:,} flags, true for position {head.position:,}")


def _now(clock_us: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(clock_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
