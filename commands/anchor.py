"""`provenance log anchor`: what outsiders attest of the log, kept with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Keep what outsiders attest of the log: timestamps of its checkpoints.",
)

Size = Annotated[int | None, typer.Option(help="Of the tree. [default: the newest checkpoint's]")]


@app.command()
def text(
    data: Data,
    size: Size = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file. [default: standard output]")
    ] = None,
) -> None:
    """Write the text that is to be attested: origin, size and root hash."""
    from provenance.files import replace_file
    from provenance.govern.anchors import anchored_text
    from provenance.store.storage import translated
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        reader = workspace.reader
        chosen = reader.size if size is None else size
        said = anchored_text(reader.origin, chosen, reader.root_at(chosen))
    if output is None:
        typer.echo(said.decode(), nl=False)
        return
    with translated(output):
        replace_file(output, said)


@app.command()
def add(
    data: Data,
    file: Annotated[Path, typer.Argument(help="What the outsider gave for that text.")],
    kind: Annotated[str, typer.Option(help="What made it, such as opentimestamps.")],
    size: Size = None,
    *,
    json: Json = False,
) -> None:
    """Keep an attestation as an entry, and put it into the proofs that it covers."""
    from commands.kept import read_bytes
    from provenance.govern.anchors import record
    from workspace.workspace import Workspace

    given = read_bytes(file)
    with Workspace(data) as workspace:
        chosen = workspace.reader.size if size is None else size
        index = record(workspace.log, kind, given, chosen)
    if json:
        print_json({"index": index, "kind": kind, "size": chosen})
    else:
        typer.echo(f"Kept as entry {index}: {kind} for the first {chosen:,} entries")


@app.command("list")
def list_anchors(data: Data, *, json: Json = False) -> None:
    """List the attestations that the log keeps."""
    from provenance.govern.anchors import anchors_of
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        found = [one for one in anchors_of(workspace.reader) if one is not None]
    if json:
        print_json(
            [{**one._asdict(), "root": one.root.hex(), "data": one.data.hex()} for one in found]
        )
        return
    for one in found:
        typer.echo(
            f"#{one.entry:<7} {one.kind:<20} first {one.size:,} entries, {len(one.data):,} bytes"
        )
    if not found:
        typer.echo("The log keeps no anchors")
