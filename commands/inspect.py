"""`provenance inspect`: what a file is, and what would become of it; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import Json
from commands.output import notice, print_json, progress, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.ingest.files import Sheets
    from provenance.ingest.inspecting.inspection import Inspection
    from provenance.ingest.inspecting.trial import Problem

app = typer.Typer(add_completion=False)


@app.command()
def inspect(
    files: Annotated[
        list[str], typer.Argument(help="Files, BOOK.xlsx#SHEET, or - for standard input.")
    ],
    mapping: Annotated[
        str | None, typer.Option(help="Read them with this mapping, shipped or a file.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of files that are neither UTF-8 nor UTF-16.")
    ] = None,
    *,
    profiles: Annotated[
        bool, typer.Option(help="Use a shipped mapping where its columns are all there.")
    ] = True,
    events: Annotated[int, typer.Option(min=0, max=5, help="How many first entries to show.")] = 2,
    json: Json = False,
) -> None:
    """Show how files would be read, their first events and every problem; nothing is written."""
    from provenance.clock import system_clock
    from provenance.ingest.inspecting.inspection import inspect_file, sheets_named
    from provenance.ingest.inspecting.trial import Conditions
    from provenance.ingest.mapping import load_mapping

    loaded = load_mapping(mapping) if mapping else None
    found: list[dict[str, Any]] = []
    for file in _sheets(files, lambda name: sheets_named(name, loaded)):
        with progress("Reading") as report:
            given = Conditions("self", system_clock(), told(report))
            one = inspect_file(file, given, mapping=loaded, encoding=encoding, profiles=profiles)
        if json:
            found.append(one.to_dict())
        else:
            _print(one, events)
    if json:
        print_json(found[0] if len(found) == 1 else found)


def _sheets(files: list[str], named: Callable[[str], Sheets]) -> Iterator[str]:
    """What an ingest would read of the files, each sheet by itself; says what it would not."""
    for file in files:
        found = named(file)
        if found.told:
            notice(f"provenance: {file}: {found.told}")
        yield from found.read


def _print(one: Inspection, events: int) -> None:
    table = one.table
    details = "; ".join(f"{name} {text}" for name, text in table.details.items())
    typer.echo(f"{one.file}: {table.form}; {details}")
    where = f"on line {table.header_line}" if table.header_line else "in each row"
    typer.echo(f"  {len(table.header)} columns, named {where}; {one.trial.rows:,} rows")
    for note in one.notes():
        typer.echo(f"  note: {note}")
    typer.echo(f"  read as {one.kind}: {_read_as(one)}")
    _print_columns(one)
    for time in one.times():
        typer.echo(
            f"  dates {time['form']}: {time['read']} ({time['day_first']:,} prove the day first, "
            f"{time['month_first']:,} the month; lines {', '.join(map(str, time['lines']))})"
        )
    if one.suggestion:
        for note in one.suggestion.plan.notes:
            typer.echo(f"  look: {note}")
    _print_outcome(one, events)


def _read_as(one: Inspection) -> str:
    if one.read_as == "suggestion":
        return "nothing known; worked out from headers and values, with how sure that is"
    return "a native file" if one.read_as == "native" else f"mapping {one.read_as}"


def _print_columns(one: Inspection) -> None:
    guessed = one.suggestion is not None
    wide = min(max((len(column["column"]) for column in one.columns), default=0), _NAME)
    for column in one.columns:
        parts = [f"{column['column'][:wide]:<{wide}}"]
        if guessed:
            sure = f"{column['confidence']:.2f}" if column["is"] else "    "
            parts += [f"{column['is'] or '-':<19}", sure]
        parts.append(f"{', '.join(column['fields']) or 'kept':<{_FIELDS}}")
        parts.append(", ".join(column["samples"])[:_SAMPLES])
        typer.echo(f"    {'  '.join(parts)}".rstrip())


_NAME, _FIELDS, _SAMPLES = 32, 29, 48


def _print_outcome(one: Inspection, events: int) -> None:
    trial = one.trial
    if one.suggestion and one.suggestion.why_not:
        typer.echo(f"  cannot be taken yet: {one.suggestion.why_not}")
        return
    made = ", ".join(f"{count:,} {word}" for word, count in trial.made.most_common())
    typer.echo(
        f"  of {trial.rows:,} rows {trial.taken:,} would be taken ({made or 'nothing'}), "
        f"{trial.repeated:,} repeat others, {trial.set_aside:,} would be set aside"
    )
    _print_reasons("set aside", trial.problems)
    _print_reasons("odd", trial.oddities)
    for text, count in trial.not_made.most_common():
        typer.echo(f"    {count:,} not made: {text}")
    for content in trial.first[:events]:
        typer.echo(f"  first: {_short(content)}")
    if one.suggestion:
        typer.echo(f"  next: provenance mapping suggest {one.file} > mapping.toml")


def _print_reasons(title: str, found: dict[str, Problem]) -> None:
    for text, problem in sorted(found.items(), key=lambda pair: -pair[1].rows):
        lines = ", ".join(map(str, problem.lines))
        more = ", ..." if problem.rows > len(problem.lines) else ""
        such = f", such as {problem.example!r}" if problem.example else ""
        typer.echo(f"    {problem.rows:,} {title}: {text}{such} (lines {lines}{more})")


def _short(content: dict[str, Any]) -> str:
    from orjson import dumps

    plain = {name: value for name, value in content.items() if name not in {"ext", "party"}}
    return dumps(plain).decode()
