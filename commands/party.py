"""`provenance party`: who delivers records, and with which keys they sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import Data, Json
from commands.output import print_json

if TYPE_CHECKING:
    from provenance.notes.parties import Party
    from provenance.store.register import Register

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The parties in the log's register."
)


@app.command()
def add(
    data: Data,
    party: Annotated[str, typer.Argument(help="The party's id, as it stands in its events.")],
    name: Annotated[str, typer.Option(help="What it is called.")],
    role: Annotated[str, typer.Option(help="What it does in the chain.")],
    key: Annotated[
        list[str] | None, typer.Option(help="A public key (vkey) it signs with; may be repeated.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="First valid day, YYYY-MM-DD. [default: today]")
    ] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last valid day.")] = None,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="State anew what is registered already.")
    ] = False,
    json: Json = False,
) -> None:
    """Register a party, as an entry of the log that everybody can read."""
    from provenance.errors import UsageError
    from provenance.notes.parties import Party, day_of
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        first = since or day_of(workspace.clock())
        said = Party(0, party, name, role, tuple(key or ()), first, until)

        def statement(register: Register) -> Party:
            before = register.party(party)
            if before is not None and not replace:
                raise UsageError(
                    f"{party}: is registered by entry {before.entry}; --replace states it anew"
                )
            return said

        outcome = workspace.log.govern(lambda register: register.statement(statement(register)))
    _told(said._replace(entry=outcome.index), as_json=json)


@app.command("list")
def list_parties(data: Data, *, json: Json = False) -> None:
    """List the parties, each as it was last registered."""
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        parties = workspace.reader.register.parties
    if json:
        print_json([one._asdict() for one in parties])
        return
    for one in parties:
        typer.echo(
            f"{one.id:<16} {one.role:<16} {one.valid_from} to {one.valid_to or 'open':<10} "
            f"#{one.entry:<7} {one.name}"
        )
        for vkey in one.keys:
            typer.echo(f"                 {vkey}")


@app.command()
def retire(
    data: Data,
    party: Annotated[str, typer.Argument(help="The party's id.")],
    until: Annotated[
        str | None, typer.Option("--until", help="Last valid day, YYYY-MM-DD. [default: today]")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """End the time in which a party's keys count; what it signed before stays good."""
    from provenance.errors import NotFound
    from provenance.notes.parties import day_of
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        last = until or day_of(workspace.clock())

        def statement(register: Register) -> Party:
            before = register.party(party)
            if before is None:
                raise NotFound(f"{party}: no such party is registered")
            return before._replace(valid_to=last)

        outcome = workspace.log.govern(lambda register: register.statement(statement(register)))
        said = workspace.log.register.party(party)
    assert said is not None
    assert said.entry == outcome.index
    _told(said, as_json=json)


def _told(said: Party, *, as_json: bool) -> None:
    if as_json:
        print_json(said._asdict())
        return
    typer.echo(f"Entry {said.entry} registers {said.id}: {said.name}, {said.role},")
    typer.echo(f"  valid from {said.valid_from} to {said.valid_to or 'further notice'},")
    typer.echo(f"  with {len(said.keys)} keys" if len(said.keys) != 1 else f"  with {said.keys[0]}")
