"""`provenance disclose`: open chosen fields of events for one party, and remember that."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import Data, Json
from commands.output import notice, print_json, progress

if TYPE_CHECKING:
    from provenance.govern.disclose import Chosen
    from provenance.store.reading import LogReader
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)


class UpTo(StrEnum):
    """The tier up to which all fields are opened."""

    PARTNER = "partner"
    PRIVATE = "private"


@app.command()
def disclose(
    data: Data,
    events: Annotated[
        list[str] | None, typer.Argument(help="Event ids, or #INDEX for any entry.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Who is given them: a party's id.")] = None,
    fields: Annotated[
        str | None,
        typer.Option(help="Which fields, such as carrier,items/0/serial_ids/*; no others."),
    ] = None,
    tier: Annotated[
        UpTo | None, typer.Option(help="All fields up to this tier, in place of --fields.")
    ] = None,
    party: Annotated[
        str | None, typer.Option(help="Whose event ids these are. [default: the workspace's party]")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The file; of several events a directory. [default: standard output]",
        ),
    ] = None,
    *,
    record: Annotated[
        bool,
        typer.Option("--record/--no-record", help="Log who is given what, as a grant entry."),
    ] = True,
    listing: Annotated[
        bool, typer.Option("--list", help="Show who was given what, and disclose nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Make bundles that open just the named fields of events for one party."""
    from provenance.errors import UsageError
    from workspace.workspace import Workspace

    if listing:
        with Workspace(data) as workspace:
            _list(workspace.reader, to, as_json=json)
        return
    names = [name for name in (fields or "").split(",") if name]
    if not events or not to or bool(names) is (tier is not None):
        raise UsageError("disclose needs events, --to PARTY, and either --fields or --tier")
    if len(events) > 1 and output is None:
        raise UsageError("several events make several files; name a directory with --output")
    with Workspace(data) as workspace:
        _known_party(workspace.reader, to)
        whose = party or workspace.settings.party
        chosen = _chosen(workspace, events, whose, names, tier)
        _refuse_unwritable(output, several=len(events) > 1)
        granted = _record(workspace, chosen, to) if record else []
        files = _write(workspace.reader, chosen, output, several=len(events) > 1)
    if output is None:
        return
    if json:
        print_json(
            [
                {"file": str(file), "index": one.entry.index, "opened": list(one.paths)}
                | ({"grant": granted[at]} if granted else {})
                for at, (file, one) in enumerate(zip(files, chosen, strict=True))
            ]
        )
        return
    for file, one in zip(files, chosen, strict=True):
        typer.echo(f"Wrote {file}: entry {one.entry.index}, opens {', '.join(one.paths)}")
    if granted:
        typer.echo(f"Logged that {to} has them: grant entries {granted[0]} to {granted[-1]}")


def _known_party(reader: LogReader, to: str) -> None:
    from provenance.errors import UsageError

    known = [one.id for one in reader.register.parties]
    if not known:
        notice(f"provenance: the register names no parties, so {to} is taken as it is written")
    elif to not in known:
        raise UsageError(f"--to {to}: not in the register, which has {', '.join(known)}")


def _chosen(
    workspace: Workspace, events: list[str], party: str, names: list[str], tier: UpTo | None
) -> list[Chosen]:
    from commands.session import index_of
    from provenance.entries import Tier
    from provenance.errors import UsageError
    from provenance.govern.disclose import choose, choose_tier

    found = []
    for event in dict.fromkeys(events):
        entry = workspace.reader.entry(index_of(workspace, event, party))
        one = choose(entry, names) if tier is None else choose_tier(entry, Tier[tier.name])
        if not one.paths:
            raise UsageError(f"entry {entry.index}: has no field to disclose that is not public")
        found.append(one)
    return found


def _refuse_unwritable(output: Path | None, *, several: bool) -> None:
    """Before anything is logged: a grant for what was never written would stand for ever."""
    from provenance.errors import UsageError
    from provenance.store.storage import translated

    if output is None:
        return
    with translated(output):
        if several:
            output.mkdir(parents=True, exist_ok=True)
        elif output.is_dir() or not output.parent.is_dir():
            raise UsageError(f"{output}: is a directory, or lies in none")


def _record(workspace: Workspace, chosen: list[Chosen], to: str) -> list[int]:
    from provenance.govern.disclose import record

    return record(workspace.log, chosen, party=workspace.settings.party, to=to)


def _write(
    reader: LogReader, chosen: list[Chosen], output: Path | None, *, several: bool
) -> list[Path]:
    from provenance.files import replace_file
    from provenance.govern.disclose import disclose
    from provenance.proving.proof import bundle_text
    from provenance.store.storage import translated

    files = []
    with progress("Disclosing") as report:
        for at, one in enumerate(chosen):
            report(at, len(chosen))
            text = bundle_text(disclose(reader, one))
            if output is None:
                typer.echo(text.decode(), nl=False)
                continue
            file = output / f"entry-{one.entry.index}.json" if several else output
            with translated(file):
                replace_file(file, text)
            files.append(file)
    return files


def _list(reader: LogReader, to: str | None, *, as_json: bool) -> None:
    from datetime import UTC, datetime

    from provenance.govern.disclose import grants

    listed: list[dict[str, Any]] = [
        {
            "grant": one.index,
            "time": datetime.fromtimestamp(one.time_us // 1_000_000, UTC).isoformat(),
            "party": one.party,
            "to": one.to,
            "index": one.entry,
            "fields": list(one.paths),
        }
        for one in grants(reader, to)
    ]
    if as_json:
        print_json(listed)
        return
    for one in listed:
        typer.echo(
            f"#{one['grant']:<7} {one['time']}  {one['to'] or '(erased)'}: "
            f"entry {one['index']}, {', '.join(one['fields'])}"
        )
    if not listed:
        typer.echo("Nothing was disclosed" + (f" to {to}" if to else ""))
