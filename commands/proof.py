"""`provenance proof`: write the proof of one entry, for anybody to check offline."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json

app = typer.Typer(add_completion=False)


class Disclose(StrEnum):
    """Up to which tier fields are opened in the bundle."""

    PUBLIC = "public"
    PARTNER = "partner"
    PRIVATE = "private"


class Form(StrEnum):
    """The file's format."""

    JSON = "json"
    TLOG = "tlog-proof"


@app.command()
def proof(
    data: Data,
    event: Annotated[str, typer.Argument(help="An event id, or #INDEX for any entry.")],
    party: Annotated[
        str | None, typer.Option(help="Whose event id it is. [default: the workspace's party]")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file. [default: standard output]")
    ] = None,
    disclose: Annotated[
        Disclose, typer.Option(help="Open committed fields up to this tier.")
    ] = Disclose.PUBLIC,
    form: Annotated[Form, typer.Option("--format", help="The file's format.")] = Form.JSON,
    *,
    json: Json = False,
) -> None:
    """Write the proof that an event is in the log, with nothing disclosed but what is public."""
    from commands.session import index_of
    from provenance.entries import Tier
    from provenance.files import replace_file
    from provenance.proof import bundle_text, tlog_proof
    from provenance.storage import translated
    from workspace.workspace import Workspace

    tier = Tier[disclose.name]
    with Workspace(data) as workspace:
        index = index_of(workspace, event, party or workspace.settings.party)
        bundle = workspace.reader.prove(index, lambda opening: opening.tier <= tier)
    text = bundle_text(bundle) if form is Form.JSON else tlog_proof(bundle).encode()
    if output is None:
        typer.echo(text.decode(), nl=False)
        return
    with translated(output):
        replace_file(output, text)
    if json:
        print_json({"file": str(output), "index": index, "opened": len(bundle["disclosed"])})
    else:
        typer.echo(f"Wrote {output}: entry {index}, {len(bundle['disclosed'])} fields opened")
