"""`provenance subjects`: keys of data subjects, so that copies of the log forget too."""

from __future__ import annotations

import typer

from commands.options import Data, Json
from commands.output import print_json

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Keys of the persons that records are about."
)


@app.callback()
def _subjects() -> None:
    """Make this a group of commands, also while it has one."""


@app.command()
def on(data: Data, *, json: Json = False) -> None:
    """From now on store what is about a person under a key that erasure deletes."""
    from workspace.layout import Layout
    from workspace.subject_setting import keep_subject_keys

    changed = keep_subject_keys(data)
    keys = Layout(data).subject_keys
    if json:
        print_json({"keys": str(keys), "changed": changed})
    elif changed:
        typer.echo(f"Made {keys}: keep a copy of it apart from copies of the log")
    else:
        typer.echo(f"{keys} is kept already")
