"""`provenance quarantine`: rows that were not taken: look, correct, bring again, or give up."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import Data, Json
from commands.output import notice, print_json, progress

if TYPE_CHECKING:
    from provenance.entries import Content
    from provenance.ingest.receipt import Receipt
    from provenance.ingest.shelf import Shelf, Waiting
    from workspace.workspace import Workspace

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Rows that were not taken, and the way back."
)

Name = Annotated[str, typer.Argument(help="A quarantine file, as `list` names it.")]


@app.callback()
def quarantine() -> None:
    """Rows that were not taken, and the way back."""


@app.command("list")
def listing(
    data: Data,
    *,
    closed: Annotated[
        bool, typer.Option("--all", help="Those whose rows have all left as well.")
    ] = False,
    json: Json = False,
) -> None:
    """List what waits: how many rows, why, of which file and batch, and until when."""
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        found = _shelf(workspace).waiting(closed=closed)
        days = workspace.settings.quarantine.keep_days
    told = [_told(one, days) for one in found]
    if json:
        print_json(told)
        return
    for one in told:
        until = f", kept until {one['until'][:10]}" if one["until"] else ""
        batch = f"batch #{one['batch']}" if one["batch"] is not None else "no batch entry"
        typer.echo(f"{one['name']}: {one['rows']:,} rows, since {one['since'][:10]}{until}")
        typer.echo(f"  of {one['source'] or 'a file that nobody noted'}, {batch}")
        for reason, rows in one["reasons"].items():
            typer.echo(f"  {rows:,} {reason}")
        for gone in one["closed"]:
            again = f" in batch #{gone['batch']}" if gone["batch"] is not None else ""
            typer.echo(f"  {gone['rows']:,} {gone['how']} {gone['time'][:10]}{again}")
    if not told:
        typer.echo("Nothing is set aside")


@app.command()
def show(
    data: Data,
    name: Name,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 20,
    *,
    json: Json = False,
) -> None:
    """Show rows of a quarantine file, with their place, what is wrong, and their text."""
    from itertools import islice

    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        shelf = _shelf(workspace)
        rows = list(islice(shelf.rows(shelf.find(name)), limit + 1))
    shown = rows[:limit]
    if json:
        print_json([row._asdict() for row in shown])
        return
    for row in shown:
        typer.echo(f"{_place(row.place)}: {row.column}: {row.reason}")
        for column, text in row.cells.items():
            if text:
                typer.echo(f"    {column:<24}{_printable(text)}")
    if len(rows) > limit:
        notice("provenance: there are more; --limit shows them")


@app.command()
def export(
    data: Data,
    name: Name,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file.")],
) -> None:
    """Copy a quarantine file, to be corrected elsewhere; no cell of it runs in a spreadsheet."""
    from commands.output import write_result
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        path = _shelf(workspace).find(name)
        write_result(path.read_bytes(), output)
    output.chmod(0o600)
    typer.echo(
        f"Wrote {output}; correct it, then: provenance quarantine ingest {path.name} {output}"
    )


@app.command()
def ingest(
    data: Data,
    name: Name,
    corrected: Annotated[
        Path | None, typer.Argument(help="The corrected copy. [default: the file itself]")
    ] = None,
    mapping: Annotated[
        str | None, typer.Option(help="The mapping, where the file was read with one of your own.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Bring corrected rows again; those that are taken have left the quarantine."""
    from commands.ingest import print_receipt
    from provenance.ingest.quarantined import fingerprint
    from provenance.ingest.shelf import Closed
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        shelf = _shelf(workspace)
        path = shelf.find(name)
        seen, places = fingerprint(path), _places(shelf, path, corrected)
        receipt = _bring(workspace, shelf, path, corrected, mapping, places)
        (part,) = receipt.parts
        closing = Closed("settled", 0, workspace.clock(), part.batch)
        left = shelf.take_out(path, None if corrected is None else places, closing, seen)
        with progress("Projecting") as report:
            workspace.sync_graph(report)
    if json:
        print_json({**receipt.to_dict(), "left": left})
    else:
        print_receipt(receipt)
        typer.echo(f"{left:,} rows have left {path.name}; refused again: {part.quarantined:,}")
    if part.quarantined:
        raise typer.Exit(3 if part.accepted or part.duplicate else 1)


@app.command()
def drop(
    data: Data,
    name: Name,
    row: Annotated[
        list[str] | None, typer.Option(help="Only the row of this line or pointer. Repeatable.")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give rows up: they are deleted, and `list --all` says how many and when."""
    from provenance.ingest.quarantined import fingerprint
    from provenance.ingest.shelf import Closed
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        shelf = _shelf(workspace)
        path = shelf.find(name)
        what = f"{len(row):,} rows" if row else "all rows"
        if not yes:
            typer.confirm(f"Delete {what} of {path.name} for good?", abort=True)
        closing = Closed("dropped", 0, workspace.clock())
        gone = shelf.take_out(path, row, closing, fingerprint(path))
    typer.echo(f"Dropped {gone:,} rows of {path.name}")


@app.command()
def purge(data: Data, *, json: Json = False) -> None:
    """Drop what was kept for longer than `keep_days` of the settings, and say what it was."""
    from provenance.ingest.shelf import expiries
    from workspace.workspace import Workspace

    with Workspace(data) as workspace:
        days = workspace.settings.quarantine.keep_days
        gone = _shelf(workspace).expire(days, workspace.clock())
    if json:
        print_json([_told(one, days) for one in gone])
        return
    for line in expiries(gone, days):
        typer.echo(line)
    if not gone:
        kept = f"of more than {days} days" if days else "that is not kept for ever"
        typer.echo(f"Nothing {kept} is set aside")


def _shelf(workspace: Workspace) -> Shelf:
    from provenance.ingest.shelf import Shelf

    return Shelf(workspace.layout.quarantine)


def _places(shelf: Shelf, path: Path, corrected: Path | None) -> list[str]:
    """The rows that come again, by their place in the first delivery."""
    from provenance.errors import UsageError

    if corrected is not None and corrected.suffix != path.suffix:
        raise UsageError(f"{corrected}: is not called {path.suffix}, as {path.name} is")
    places = [row.place for row in shelf.rows(corrected or path)]
    if corrected is not None and not all(places):
        raise UsageError(
            f"{corrected}: rows without quarantine_line, so nobody can say which they were; keep "
            "that column, or bring the file with `provenance ingest`"
        )
    return [place for place in places if place]


def _bring(
    workspace: Workspace,
    shelf: Shelf,
    path: Path,
    corrected: Path | None,
    mapping: str | None,
    places: list[str],
) -> Receipt:
    from provenance.ingest.mapping import load_mapping
    from provenance.ingest.run import ingest as run

    about = shelf.about(path)
    named = mapping or _shipped(about.mapping if about else None)
    of: Content = {"of": path.name, "rows": places[:_MOST_NAMED]}
    if about is not None and about.batch is not None:
        of["batch"] = about.batch
    return run(
        [str(corrected or path)],
        workspace.log,
        party=about.party if about else workspace.settings.party,
        quarantine=workspace.layout.quarantine,
        clock=workspace.clock,
        entropy=workspace.entropy,
        mapping=load_mapping(named) if named else None,
        settles=of,
    )


def _shipped(name: str | None) -> str | None:
    from provenance.errors import UsageError
    from provenance.ingest.mapping import shipped_mappings

    if name is None or name in shipped_mappings():
        return name
    raise UsageError(f"the file was read with the mapping {name!r}; name its file with --mapping")


def _told(one: Waiting, days: int) -> dict[str, Any]:
    about = one.about
    until = _time(one.since_us + days * 86_400 * 1_000_000) if days else None
    return {
        "name": one.name,
        "rows": one.rows,
        "reasons": dict(one.reasons.most_common()),
        "since": _time(one.since_us),
        "until": until,
        "source": about.source if about else None,
        "kind": about.kind if about else None,
        "party": about.party if about else None,
        "mapping": about.mapping if about else None,
        "batch": about.batch if about else None,
        "of": about.of if about else None,
        "closed": [
            {"how": each.how, "rows": each.rows, "time": _time(each.time_us), "batch": each.batch}
            for each in (about.closed if about else ())
        ],
    }


def _time(time_us: int) -> str:
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).isoformat()


def _place(place: str) -> str:
    return f"line {place}" if place.isdecimal() else place or "somewhere"


def _printable(text: str) -> str:
    """A cell may hold what a terminal would carry out."""
    return text if text.isprintable() else ascii(text)[1:-1]


_MOST_NAMED = 10_000
"""Places that a batch entry names at most."""
