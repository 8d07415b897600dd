"""`provenance init`: make a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.keys_from import KeyCommand, KeyEnv, KeyVkey, key_source
from commands.options import Data, Json
from commands.output import notice, print_json

if TYPE_CHECKING:
    from provenance.disclosure.tiers import TierPolicy

app = typer.Typer(add_completion=False)


@app.command()
def init(
    data: Data,
    origin: Annotated[
        str | None,
        typer.Option(help="The log's identity for ever: a domain and path that you control."),
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="Where QR codes lead, such as https://example.org.")
    ] = None,
    party: Annotated[str, typer.Option(help="Whose events these are, by default.")] = "self",
    tiers: Annotated[
        Path | None,
        typer.Option(help="A file that says which fields are public, partner or private."),
    ] = None,
    key_env: KeyEnv = None,
    key_command: KeyCommand = None,
    key_vkey: KeyVkey = None,
    *,
    subject_keys: Annotated[
        bool,
        typer.Option(
            "--subject-keys", help="Store what is about a person under a key that can be deleted."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Make a workspace: a signing key, an empty log and a settings file."""
    from provenance.clock import system_entropy
    from provenance.disclosure.tiers import DEFAULT_POLICY
    from workspace.workspace import Workspace, create_workspace, random_origin

    chosen = origin or random_origin(system_entropy)
    policy = DEFAULT_POLICY if tiers is None else _tiers(tiers)
    create_workspace(
        data,
        origin=chosen,
        party=party,
        domain=domain or f"https://{chosen.split('/')[0]}",
        tiers=policy,
        key=key_source(key_env, key_command, key_vkey),
        subject_keys=subject_keys,
    )
    if origin is None:
        notice(
            f"provenance: no --origin given, so the log is called {chosen}; others can check it, "
            "but it belongs to no domain of yours"
        )
    with Workspace(data) as workspace:
        result = {
            "workspace": str(data),
            "origin": chosen,
            "party": party,
            "domain": workspace.settings.domain,
            "vkey": workspace.vkey,
        }
    if json:
        print_json(result)
    else:
        typer.echo(f"Made a workspace in {data}")
        typer.echo(f"  log         {chosen}")
        typer.echo(f"  public key  {result['vkey']}")
        typer.echo(f"  next        provenance ingest --data {data} FILE.csv ...")


def _tiers(file: Path) -> TierPolicy:
    from provenance.disclosure.tiers import DEFAULT_POLICY
    from workspace.tier_file import read_tiers

    return read_tiers(file, DEFAULT_POLICY)
