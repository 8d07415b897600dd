"""`provenance mapping`: list, show, suggest and check mappings."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import Json
from commands.output import notice, print_json, progress, told

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Mappings: how other tables are read."
)


@app.command("list")
def list_mappings(*, json: Json = False) -> None:
    """Name the mappings that come with the program."""
    from provenance.ingest.mapping import about_mapping, load_mapping, shipped_mappings

    found = [
        {"name": name, "kind": load_mapping(name).kind, "about": about_mapping(name)}
        for name in shipped_mappings()
    ]
    if json:
        print_json(found)
        return
    for one in found:
        typer.echo(f"{one['name']:<17} {one['kind']:<8} {one['about']}")


@app.command()
def show(name: Annotated[str, typer.Argument(help="A shipped mapping.")]) -> None:
    """Print a shipped mapping, to begin one's own from."""
    from provenance.ingest.mapping import shipped_text

    typer.echo(shipped_text(name), nl=False)


@app.command()
def suggest(
    file: Annotated[str, typer.Argument(help="The file, BOOK.xlsx#SHEET, or -.")],
    encoding: Annotated[
        str | None, typer.Option(help="Of a file that is neither UTF-8 nor UTF-16.")
    ] = None,
) -> None:
    """Write a mapping for a file, to be looked at and corrected."""
    from provenance.clock import system_clock
    from provenance.ingest.inspecting.inspection import suggest_mapping
    from provenance.ingest.inspecting.trial import Conditions

    with progress("Reading") as report:
        given = Conditions("self", system_clock(), told(report))
        found = suggest_mapping(file, given, encoding)
    typer.echo(found.text, nl=False)
    trial = found.trial
    notice(
        f"provenance: {found.why_not}"
        if found.why_not
        else f"provenance: as it stands, {trial.taken:,} of {trial.rows:,} rows would be taken, "
        f"{trial.repeated:,} repeat others, {trial.set_aside:,} would be set aside"
    )


@app.command()
def check(
    mapping: Annotated[str, typer.Argument(help="A mapping file, or a shipped mapping.")],
    files: Annotated[list[str] | None, typer.Argument(help="Files to try it on.")] = None,
    *,
    json: Json = False,
) -> None:
    """Check a mapping, and try it on files; exit code 3 where rows would be set aside."""
    from provenance.clock import system_clock
    from provenance.ingest.inspecting.inspection import inspect_file
    from provenance.ingest.inspecting.trial import Conditions
    from provenance.ingest.mapping import load_mapping

    loaded = load_mapping(mapping)
    found = []
    for file in files or ():
        with progress("Reading") as report:
            given = Conditions("self", system_clock(), told(report))
            found.append(inspect_file(file, given, mapping=loaded))
    if json:
        print_json([one.to_dict() for one in found])
    else:
        typer.echo(f"mapping {loaded.name}: well-formed")
        for one in found:
            trial = one.trial
            typer.echo(
                f"  {one.file}: {trial.rows:,} rows, {trial.taken:,} taken, "
                f"{trial.repeated:,} repeated, {trial.set_aside:,} set aside"
            )
            for text, problem in trial.problems.items():
                lines = ", ".join(map(str, problem.lines))
                typer.echo(f"    {problem.rows:,}: {text} (lines {lines})")
    if any(one.trial.set_aside for one in found):
        raise typer.Exit(3)
