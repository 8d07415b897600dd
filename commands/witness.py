"""`provenance witness`: be a witness of other people's logs, or ask the witnesses of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from commands.options import Data, Json
from commands.output import notice, print_json

if TYPE_CHECKING:
    from provenance.wire.cosign import Round
    from provenance.wire.witness_state import Witness

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Be a witness of other people's logs, or ask the witnesses of one's own.",
)

Place = Annotated[Path, typer.Argument(metavar="DIR", help="The witness's directory.")]

_WORDS: Final = {
    "cosigned": "COSIGNED",
    "known": "KNOWN",
    "later": "LATER",
    "failed": "FAILED",
    "disputed": "DISPUTED",
}


@app.command()
def init(
    directory: Place,
    name: Annotated[
        str, typer.Option(help="The witness's name for ever: an address without scheme.")
    ],
    *,
    json: Json = False,
) -> None:
    """Make a witness: a key, and no logs yet."""
    from provenance.clock import system_clock, system_entropy
    from provenance.wire.witness_state import create_witness

    witness = create_witness(directory, name, system_clock, system_entropy)
    if json:
        print_json({"witness": str(directory), "name": name, "vkey": witness.key.vkey})
        return
    typer.echo(f"Made a witness in {directory}")
    typer.echo(f"  public key  {witness.key.vkey}")
    typer.echo(f"  next        provenance witness follow {directory} VKEY")


@app.command()
def follow(
    directory: Place,
    vkey: Annotated[str, typer.Argument(help="A log's public key; its owner tells it to you.")],
) -> None:
    """Follow a log, or one more key of a log that has changed its key."""
    witness = _open(directory)
    witness.follow(vkey)
    for origin, keys in sorted(witness.followed().items()):
        last, _ = witness.last(origin)
        typer.echo(f"follows {origin} (keys: {len(keys)}), cosigned up to {last.size} entries")


@app.command()
def serve(
    directory: Place,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8766,
    *,
    public: Annotated[
        bool, typer.Option("--public", help="Allow an address that others can reach.")
    ] = False,
) -> None:
    """Cosign what the followed logs send, as long as each goes on as it began."""
    from api.server import Listening, serve_app
    from api.witness_app import create_witness_app

    witness = _open(directory)
    for origin in witness.followed():
        witness.last(origin)  # a witness without its memory does not begin

    def announce(address: str) -> None:
        typer.echo(f"Witness on {address}; stop with Ctrl-C")
        typer.echo(f"For the logs' policies: witness NAME {witness.key.vkey} {address}")

    serve_app(create_witness_app(witness), Listening(host, port, public), announce)


@app.command()
def collect(
    data: Data,
    watch: Annotated[
        float | None,
        typer.Option(min=0.1, help="Keep going: look for new entries every so many seconds."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Ask the policy's witnesses to cosign the newest checkpoint.

    Exit code 1 when the quorum is not reached, or a witness has seen another history.
    """
    import asyncio

    from provenance.errors import UsageError
    from provenance.wire.cosign import Collector
    from provenance.wire.watch import keep_collecting
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        log = workspace.reader
        collector = Collector(log, workspace.layout.log, workspace.clock)
        if not collector.has_witnesses:
            raise UsageError(
                f"{workspace.layout.policy}: names no witness with an address; add a line "
                "`witness NAME VKEY URL`"
            )
        if watch is not None:
            asyncio.run(keep_collecting(collector, watch, lambda done: _tell(done, as_json=json)))
            return
        done = asyncio.run(collector.round())
        _tell(done, as_json=json)
        standing = log.witnesses.standing(log.checkpoint(done.size))
    disputed = any(answer.status == "disputed" for answer in done.answers)
    raise typer.Exit(1 if disputed or standing.witnessed < done.size else 0)


def _open(directory: Path) -> Witness:
    from provenance.clock import system_clock
    from provenance.wire.witness_state import Witness as Opened

    return Opened(directory, system_clock)


def _tell(done: Round, *, as_json: bool) -> None:
    if as_json:
        answers = [answer._asdict() for answer in done.answers]
        print_json({"size": done.size, "answers": answers})
        return
    for answer in done.answers:
        typer.echo(f"{_WORDS[answer.status]:<9} {answer.name}: {answer.text}")
    if any(answer.status == "disputed" for answer in done.answers):
        notice(
            "provenance: a witness has seen another history of this log. Stop writing, keep the "
            "directory as it is, and compare with a backup"
        )
