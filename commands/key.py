"""`provenance key`: show the log's keys, hand the log over to a new one, make a party's key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.keys_from import KeyCommand, KeyEnv, KeyVkey, key_source
from commands.options import Data, Json
from commands.output import print_json

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The keys of the log and of parties."
)


@app.command()
def show(data: Data, *, json: Json = False) -> None:
    """Show which keys sign, or signed, for the log; never a private part."""
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        periods = workspace.reader.register.periods
        place = workspace.key_ring.describe()
    ends = [period.entry for period in periods[1:]]
    shown = [
        {"vkey": vkey, "from_entry": period.entry, "until_entry": end}
        for period, end in zip(periods, [*ends, None], strict=True)
        for vkey in period.vkeys
    ]
    if json:
        print_json({"place": place, "keys": shown})
        return
    for key in shown:
        end = key["until_entry"]
        typer.echo(
            f"{key['vkey']}  from entry {key['from_entry']}"
            + (f", retired by entry {end}" if end is not None else f", signs now, in {place}")
        )


@app.command()
def rotate(
    data: Data,
    key_env: KeyEnv = None,
    key_command: KeyCommand = None,
    key_vkey: KeyVkey = None,
    *,
    json: Json = False,
) -> None:
    """Hand the log over to a new key; the old one signs once more, together with it."""
    from provenance.govern.rotation import rotate as hand_over
    from workspace.workspace import Workspace

    source = key_source(key_env, key_command, key_vkey)
    with Workspace(data) as workspace:
        outcome = hand_over(workspace.log, workspace.key_ring, workspace.entropy, source)
        old, new = workspace.log.keys[-2:]
        place = workspace.key_ring.describe()
    if json:
        print_json({"entry": outcome.index, "retired": old, "vkey": new, "place": place})
        return
    typer.echo(f"Entry {outcome.index} hands the log over; its checkpoint is signed by both keys.")
    typer.echo(f"  retired  {old}")
    typer.echo(f"  signs    {new}  in {place}")
    typer.echo(f"  next     give {data / 'log.policy'} to whoever verifies")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The party's id, as it stands in its events.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The new key file.")],
    *,
    json: Json = False,
) -> None:
    """Make a key for a party: a file of mode 0600 that is never overwritten."""
    from provenance.clock import system_entropy
    from provenance.notes import keys

    key = keys.generate(name, system_entropy)
    keys.save(key, output)
    if json:
        print_json({"file": str(output), "vkey": key.vkey})
    else:
        typer.echo(f"Wrote {output}; keep it secret. Its public key, for `provenance party add`:")
        typer.echo(key.vkey)
