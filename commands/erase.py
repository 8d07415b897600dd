"""`provenance erase`: forget a field, an event, or everything about somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from commands.options import Data, Json
from commands.output import notice, print_json, progress

if TYPE_CHECKING:
    from pathlib import Path

    from provenance.forget.run import State
    from provenance.forget.survey import Survey, Target
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)

_SHOWN: Final = 20
_PENDING: Final = 3
_AGAIN: Final = {"facility", "product", "location", "labour", "legal_limit", "watchlist"}
"""Records of which the log takes new versions, and so also old ones that come again."""
_WHY: Final = {"asked": "", "flag": "a flag that cites it", "batch": "the file it came with"}


@app.command()
def erase(
    data: Data,
    event: Annotated[
        str | None, typer.Argument(help="An event id, or #INDEX for any entry.")
    ] = None,
    party: Annotated[
        str | None, typer.Option(help="Whose event id it is. [default: the workspace's party]")
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(help="Only these, such as declared_value_usd,ext/driver,items/*/serial_ids/*"),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="In place of an event: KIND|KEY, such as 'labour|F1|2024-01'."),
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="In place of an event: whoever or whatever is so called.")
    ] = None,
    field: Annotated[
        str | None, typer.Option(help="With --subject: only where this field or column says it.")
    ] = None,
    basis: Annotated[
        str, typer.Option(help="Why, for the record; private, and no place for names.")
    ] = "",
    *,
    whole: Annotated[
        bool, typer.Option("--whole", help="The whole event or record, public fields too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Show what is pending, and why.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish what is pending.")] = False,
    json: Json = False,
) -> None:
    """Erase for ever, in every file of the workspace; all proofs go on verifying."""
    from provenance.errors import UsageError
    from workspace.workspace import Workspace

    names = tuple(name for name in (fields or "").split(",") if name)
    if [status, resume, event is not None, record is not None, subject is not None].count(
        True
    ) != 1:
        raise UsageError("name one of: EVENT, --record, --subject, --resume, --status")
    if (event or record) and bool(names) is whole:
        raise UsageError("say --fields for some fields, or --whole for all of it")
    if (subject is None and field is not None) or subject == "" or (subject and (names or whole)):
        raise UsageError("--subject takes a text and --field alone; --field goes with it only")
    with Workspace(data) as workspace:
        if status or resume:
            _tell_state(_state(workspace, resume=resume), as_json=json)
            return
        survey = _survey(workspace, (event, party), record, (subject, field), names)
        plan = _plan(workspace, survey)
        if not json:
            _print_plan(plan, data)
        if dry_run:
            if json:
                print_json({"plan": plan, "erasures": [], "pending": {}})
            return
        _confirm(yes=yes)
        with progress("Erasing"):
            forgetter = workspace.forgetter(workspace.log)
            entries = forgetter.erase(survey, party=workspace.settings.party, basis=basis)
            state = forgetter.follow()
        kept = workspace.settings.privacy.subject_keys
    _end(plan, entries, dict(state.pending), as_json=json, subject_keys=kept)


def _survey(
    workspace: Workspace,
    event: tuple[str | None, str | None],
    record: str | None,
    subject: tuple[str | None, str | None],
    names: tuple[str, ...],
) -> Survey:
    """Find everything that has to go."""
    from commands.session import index_of
    from provenance.errors import NotFound
    from provenance.forget.survey import Survey
    from provenance.forget.wanted import Subject, Wanted, record_named, record_of

    reader, alone = workspace.reader, None
    if event[0] is not None:
        entry = reader.entry(index_of(workspace, event[0], event[1] or workspace.settings.party))
        found = record_of(entry, names)
        wanted: Wanted = found
        alone = entry.index if found.version == "event/1" or not found.key else None
    elif record is not None:
        wanted = record_named(record, names)
    else:
        wanted = Subject(subject[0] or "", subject[1] or "")
    survey = Survey(reader, wanted)
    with progress("Looking") as report:
        if alone is not None:
            survey.skip_to(alone)
        survey.advance(report)
    if not survey.targets and not _set_aside(workspace, survey):
        raise NotFound("nothing here is so called; what was erased already is not found")
    return survey


def _set_aside(workspace: Workspace, survey: Survey) -> dict[str, int]:
    """Count the rows in quarantine that go as well, by file."""
    from provenance.forget.marks import needle_digest, needles_of
    from provenance.ingest.forgetting import Sought, count_rows

    needles = needles_of(survey.wanted.looked, workspace.secret)
    sought = Sought(needles, needle_digest(workspace.secret))
    return count_rows(workspace.layout.quarantine, sought)


def _plan(workspace: Workspace, survey: Survey) -> dict[str, Any]:
    from provenance.forget.run import receivers

    targets = survey.targets.values()
    return {
        "entries": [_target(target) for target in targets],
        "bodies": sum(target.whole for target in targets),
        "openings": sum(len(_paths(target)) for target in targets),
        "set_aside": _set_aside(workspace, survey),
        "mentioned": survey.mentioned,
        "kept": survey.kept,
        "given": [
            {"to": one.to, "index": one.entry, "fields": list(one.paths), "grant": one.index}
            for one in receivers(workspace.reader, survey)
        ],
    }


def _target(target: Target) -> dict[str, Any]:
    return {
        "index": target.entry.index,
        "version": target.version,
        "why": target.why,
        "whole": target.whole,
        "fields": _paths(target),
        "public": list(target.public),
    }


def _paths(target: Target) -> list[str]:
    if target.whole:
        return [opening.path for opening in target.entry.openings]
    return sorted(target.paths)


def _print_plan(plan: dict[str, Any], data: Path) -> None:
    typer.echo(f"To be erased for ever from {data}:")
    for one in plan["entries"][:_SHOWN]:
        what = "all of it" if one["whole"] else ", ".join(one["fields"][:3])
        more = len(one["fields"]) - 3
        rest = f" and {more} more" if more > 0 and not one["whole"] else ""
        typer.echo(
            f"  #{one['index']:<8}{one['version']:<14}{what}{rest}  {_WHY[one['why']]}".rstrip()
        )
    if len(plan["entries"]) > _SHOWN:
        typer.echo(f"  ... {len(plan['entries']) - _SHOWN:,} more; --json shows all")
    typer.echo(
        f"{len(plan['entries']):,} entries: {plan['openings']:,} fields, {plan['bodies']:,} bodies"
    )
    for name, count in plan["set_aside"].items():
        typer.echo(f"{count:,} rows set aside in quarantine/{name}")
    public = sorted({name for one in plan["entries"] for name in one["public"]})
    if public:
        typer.echo(f"Public so far, so anybody may have a copy: {', '.join(public)}")
    for one in plan["given"]:
        typer.echo(f"{one['to'] or 'Somebody'} was given fields of #{one['index']}: tell them")
    _print_left(plan)


def _print_left(plan: dict[str, Any]) -> None:
    """Say what is not erased although one might think so."""
    for name, text in (
        ("mentioned", "Named within a longer text, which stays"),
        ("kept", "Never erased, as the log rests on it"),
    ):
        if plan[name]:
            shown = ", ".join(f"#{index}" for index in plan[name][:_SHOWN])
            typer.echo(f"{text}: {shown}{' ...' if len(plan[name]) > _SHOWN else ''}")
    again = {one["version"].split("/")[0] for one in plan["entries"]} & _AGAIN
    if again:
        typer.echo(
            f"A file that brings the {' or '.join(sorted(again))} again brings it again as a new "
            "version: correct the file first"
        )


def _confirm(*, yes: bool) -> None:
    import sys

    from provenance.errors import UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nothing was erased: nobody can be asked here, so say --yes")
    if not typer.confirm("Erase it? Nobody can bring it back"):
        raise UsageError("nothing was erased")


def _end(
    plan: dict[str, Any],
    entries: list[int],
    pending: dict[str, str],
    *,
    as_json: bool,
    subject_keys: bool,
) -> None:
    if as_json:
        print_json({"plan": plan, "erasures": entries, "pending": pending})
    else:
        named = ", ".join(str(index) for index in entries)
        if entries:
            typer.echo(f"Erased, and logged in entry {named}; every proof goes on verifying")
        if not pending:
            exempt = ", but for persons whose key is gone" if subject_keys else ""
            typer.echo(
                f"It is gone from every file of this workspace, not from copies made before{exempt}"
            )
    _end_pending(pending)


def _end_pending(pending: dict[str, str]) -> None:
    for place, why in pending.items():
        notice(f"PENDING  {place}: {why}")
    if pending:
        notice("provenance erase --resume finishes it, and so does the next command that writes")
        raise typer.Exit(_PENDING)


def _state(workspace: Workspace, *, resume: bool) -> State:
    from provenance.forget.run import state

    if resume:
        _ = workspace.log  # opening it finishes what can be finished
    return state(workspace.reader, workspace.layout.log)


def _tell_state(state: State, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"logged": state.logged, "finished": state.finished, "pending": dict(state.pending)}
        )
    elif state.done:
        typer.echo(f"{state.logged:,} erasures in the log, all carried out in every file")
    _end_pending(dict(state.pending))
