"""`provenance ingest`: bring files into the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.ingesting import followed, project_rest, shown, stoppable
from commands.keys_from import PartyKey, party_signer
from commands.options import Data, Json
from commands.output import json_bytes, notice, print_json, progress, write_result

if TYPE_CHECKING:
    from provenance.ingest.receipt import Part, Receipt
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)


@app.command()
def ingest(
    data: Data,
    paths: Annotated[
        list[str], typer.Argument(help="Files, directories, or - for standard input.")
    ],
    party: Annotated[
        str | None, typer.Option(help="Whose events these are. [default: the workspace's party]")
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(help="A shipped mapping (scms) or a mapping file, for other columns."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of files that are neither UTF-8 nor UTF-16.")
    ] = None,
    sign_key: Annotated[
        Path | None, typer.Option(help="Sign the batch for the party, with this key file.")
    ] = None,
    sign_command: Annotated[
        str | None, typer.Option(help="Sign it with a program instead, which keeps the key.")
    ] = None,
    sign_vkey: Annotated[
        str | None,
        typer.Option(help="The program's public key. [default: the party's, if it has just one]"),
    ] = None,
    receipt_file: Annotated[
        Path | None,
        typer.Option("--receipt", help="Write the answer as JSON to this file too."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Bring shipment, labour and master data files into the log; nothing is lost or doubled."""
    key = PartyKey(sign_key, sign_command, sign_vkey)
    receipt = ingest_files(data, paths, party, mapping, encoding, key)
    total = receipt.total
    if receipt_file is not None:
        write_result(json_bytes(receipt.to_dict()), receipt_file)
    if json:
        print_json(receipt.to_dict())
    else:
        print_receipt(receipt)
    if total.quarantined:
        raise typer.Exit(3 if total.accepted or total.duplicate else 1)


def ingest_files(
    data: Path,
    paths: list[str],
    party: str | None = None,
    mapping: str | None = None,
    encoding: str | None = None,
    key: PartyKey = PartyKey(None, None, None),  # noqa: B008 - a tuple that nobody can change
) -> Receipt:
    """Bring files into the log and the graph, showing how far it is."""
    from provenance.ingest.known_names import KnownNames
    from provenance.ingest.mapping import load_mapping
    from provenance.ingest.quarantined import fingerprint
    from provenance.ingest.run import ingest as run
    from provenance.ingest.shelf import Closed, Shelf
    from workspace.appending import Appending
    from workspace.projecting import Projecting
    from workspace.workspace import Workspace

    with (
        Workspace(data) as workspace,
        Projecting(data) as graph,
        Appending(data) as writer,
        stoppable() as stop,
    ):
        whose = party or workspace.settings.party
        shelf = Shelf(workspace.layout.quarantine)
        set_aside = {path: fingerprint(path) for path in map(Path, paths) if shelf.holds(path)}
        with shown() as told:
            receipt = run(
                paths,
                workspace.log,
                party=whose,
                quarantine=workspace.layout.quarantine,
                clock=workspace.clock,
                entropy=workspace.entropy,
                mapping=load_mapping(mapping) if mapping else None,
                encoding=encoding,
                progress=followed(workspace, [graph, writer], told),
                signer=party_signer(workspace.log.register, whose, key),
                stop=stop,
                writer=writer,
                names=KnownNames(workspace.layout.names, workspace.secret),
            )
        _sign_answers(workspace, receipt, whose)
        for path, seen in set_aside.items():
            closing = Closed("settled", 0, workspace.clock(), _batch_of(receipt, path))
            shelf.take_out(path, None, closing, seen)
        _expire(workspace)
        with progress("Projecting") as projecting:
            project_rest(workspace, graph, projecting, stop)
    return receipt


def _batch_of(receipt: Receipt, path: Path) -> int | None:
    return next((part.batch for part in receipt.parts if part.file == str(path)), None)


def _sign_answers(workspace: Workspace, receipt: Receipt, party: str) -> None:
    """Sign what no batch entry proves, because nothing was appended; keep what was refused.

    A crash before it: nothing was appended, and the same command gives the answer again.
    """
    from provenance.ingest.answers import Answers, sign_answer

    unproved = [part for part in receipt.parts if part.batch is None]
    if not unproved:
        return
    log = workspace.log
    signer = workspace.key_ring.find(log.register.current[0])
    answers = Answers(workspace.layout.quarantine)
    for part in unproved:
        part.answer = sign_answer(part, party, log, signer, workspace.clock())
        if part.status == "FAILED":
            answers.keep(part.answer)


def _expire(workspace: Workspace) -> None:
    """Drop what was set aside too long ago, and say so."""
    from workspace.keeping import expire

    for line in expire(workspace.layout, workspace.clock):
        notice(f"provenance: quarantine: {line}")


def print_receipt(receipt: Receipt) -> None:
    """Print the answer to an ingest, for people."""
    from rich.table import Table

    from commands.output import console

    names = ("rows", "accepted", "duplicate", "quarantined", "appended")
    table = Table("file", "kind", *names, box=None)
    for part in receipt.parts:
        table.add_row(
            Path(part.file).name, part.kind, *(f"{getattr(part, name):,}" for name in names)
        )
    if len(receipt.parts) > 1:
        table.add_section()
        total = receipt.total
        table.add_row("all", "", *(f"{getattr(total, name):,}" for name in names))
    out = console()
    out.print(table)
    for part in receipt.parts:
        _print_reasons(part)
    out.print(f"Status: {receipt.total.status}")
    out.print(f"The log has {receipt.size:,} entries, all covered by its signed checkpoint.")
    for text in receipt.notices:
        notice(f"provenance: {text}")


def _print_reasons(part: Part) -> None:
    from provenance.ingest.quality.notes import meaning

    for title, counts in (
        ("quarantined", part.reasons),
        ("not made", part.not_made),
        ("warning", part.warnings),
    ):
        for reason, count in counts.most_common():
            typer.echo(f"  {Path(part.file).name}: {count:,} {title}: {reason}")
    for code, noted in part.quality.items():
        first = ", ".join(f"#{index}" for index in noted.examples)
        first += ", ..." if noted.entries > len(noted.examples) else ""
        typer.echo(f"  {Path(part.file).name}: {noted.entries:,} noted: {meaning(code)} ({first})")
    if part.batch is not None:
        name = Path(part.file).name
        typer.echo(f"  {name}: batch entry #{part.batch}, payload {part.payload}")
    elif part.status == "FAILED":
        typer.echo(
            f"  {Path(part.file).name}: nothing was appended, so no batch entry proves this "
            f"answer; `provenance receipt {Path(part.file).name}` gives it signed"
        )
    if part.quarantine:
        typer.echo(
            f"  {Path(part.file).name}: correct the rows in {part.quarantine}, then `provenance "
            f"quarantine ingest {Path(part.quarantine).name}`"
        )
