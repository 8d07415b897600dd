"""`provenance serve`: GraphQL for apps, pages for those who scan a code."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Final

import typer

from commands.options import Data

if TYPE_CHECKING:
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)

_WITNESS_SECONDS: Final = 1.0
"""How often the log is looked at for entries that no witness has seen."""
_KEEPING_SECONDS: Final = 3_600.0
"""How often it is looked for rows that were set aside too long ago."""


@app.command()
def serve(
    data: Data,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [default: from workspace.toml]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port; 0 takes a free one. [default: as above]"),
    ] = None,
    *,
    public: Annotated[
        bool, typer.Option("--public", help="Allow an address that others can reach.")
    ] = False,
    introspection: Annotated[
        bool, typer.Option("--introspection", help="Let callers read the GraphQL schema.")
    ] = False,
    partners: Annotated[
        bool, typer.Option("--partners", help="Also make a token for partners, and show it.")
    ] = False,
    capture: Annotated[
        bool,
        typer.Option("--capture", help="Take EPCIS documents, with the operator's token."),
    ] = False,
    detect: Annotated[
        bool,
        typer.Option("--detect", help="Let the detectors look at new entries as they come."),
    ] = False,
) -> None:
    """Serve GraphQL, product pages, checkpoints and proofs."""
    from api.server import Listening
    from api.server import serve as run
    from commands.session import with_graph
    from provenance.wire.watch import collecting
    from workspace.keeping import keeping
    from workspace.patrol import patrolling

    with (
        with_graph(data) as workspace,
        collecting(workspace.new_reader, workspace.layout.log, workspace.clock, _WITNESS_SECONDS),
        keeping(workspace.layout, workspace.clock, _KEEPING_SECONDS),
        patrolling(data) if _detecting(workspace, detect) else nullcontext(),
    ):
        settings = workspace.settings.serve
        listening = Listening(
            host or settings.host, settings.port if port is None else port, public
        )
        run(
            workspace,
            listening,
            lambda told: _announce(told.address, told.token, told.partner_token),
            introspection=introspection,
            partners=partners,
            capture=capture,
            detecting=_detecting(workspace, detect),
        )


def _detecting(workspace: Workspace, asked: bool) -> bool:
    """Tell whether detection is to follow the log, which only a log's own directory can."""
    from provenance.errors import UsageError

    if asked and workspace.settings.role != "log":
        raise UsageError(f"--detect: a {workspace.settings.role} is only read; flags go to its log")
    return asked or (workspace.settings.detect.follow and workspace.settings.role == "log")


def _announce(address: str, token: str, partner_token: str | None) -> None:
    typer.echo(f"Serving on {address} (GraphQL at {address}/graphql); stop with Ctrl-C")
    typer.echo(f"Operator's token, shown only now: {token}")
    if partner_token is not None:
        typer.echo(f"Partners' token, shown only now: {partner_token}")
