"""`provenance subjects`: keys of data subjects, so that copies of the log forget too."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Data, Json
from commands.output import notice, print_json

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Keys of the persons that records are about."
)


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


@app.command()
def settle(
    data: Data,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Erase what is stored under keys that are gone, as after an old copy was put back."""
    from provenance.forget.closed import erase_closed
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        _confirm(workspace.reader.closed(), yes=yes)
        entries = erase_closed(workspace.log, workspace.settings.party)
        pending = dict(workspace.forgetter(workspace.log).follow().pending)
    if json:
        print_json({"erasures": entries, "pending": pending})
        return
    if entries:
        typer.echo(f"Erased, and logged in entry {', '.join(map(str, entries))}")
    else:
        typer.echo("Nothing is stored under a key that is gone")
    for place, why in pending.items():
        notice(f"PENDING  {place}: {why}")


def _confirm(closed: dict[int, set[str]], *, yes: bool) -> None:
    """Ask first: with another file of keys in place, right ones would be thought gone."""
    import sys

    from provenance.errors import UsageError

    if yes or not closed:
        return
    if not sys.stdin.isatty():
        raise UsageError("nothing was erased: nobody can be asked here, so say --yes")
    count = sum(map(len, closed.values()))
    if not typer.confirm(
        f"{count:,} fields of {len(closed):,} entries have no key in this file. If another copy of "
        "it has, put that back instead. Erase them for ever?"
    ):
        raise UsageError("nothing was erased")
