"""`provenance log export` and `consistency`: what others may have of the log, and may ask of it."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json, progress


def consistency(
    data: Data,
    old: Annotated[str, typer.Argument(help="A size, or the file of a checkpoint.")],
    new: Annotated[
        str | None,
        typer.Argument(help="A size, or the file of a later checkpoint. [default: the latest]"),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Prove that the log has only grown from OLD to NEW; a kept checkpoint is held against it."""
    from commands.kept import size_or_kept
    from provenance.govern.consistency import consistency as prove
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        begin = size_or_kept(workspace, old)
        end = workspace.reader.size if new is None else size_or_kept(workspace, new)
        found = prove(workspace.reader, begin, end)
    if json:
        print_json(found.to_content())
        return
    typer.echo(f"OK  {found.new.origin}: the first {begin:,} entries begin the {end:,}")
    for said in (found.old, found.new):
        typer.echo(f"    root hash at {said.size}: {b64encode(said.root).decode()}")
    typer.echo(f"    proof, {len(found.path)} hashes:")
    for node in found.path:
        typer.echo(f"      {b64encode(node).decode()}")


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
