"""`provenance flags`: list, show, export and review what the detectors said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.casework import app as casework
from commands.options import Data, Json
from commands.output import print_json
from detectors.casework.reviews import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detectors.casework.reviews import Review
    from detectors.casework.superseded import Superseded
    from graph.model import Record
    from workspace.workspace import Workspace

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="List, show, export and review flags."
)
app.add_typer(casework)


@app.command("list")
def list_flags(
    data: Data,
    kind: Annotated[str | None, typer.Option("--type", help="Only flags of this type.")] = None,
    state: Annotated[
        State | None, typer.Option(help="Only flags in this state. [default: all that stand]")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 shows all.")] = 50,
    *,
    explain: Annotated[bool, typer.Option("--explain", help="With the explanations.")] = False,
    json: Json = False,
) -> None:
    """List flags, the most serious first."""
    from commands.session import with_graph

    with with_graph(data) as workspace:
        flags = _ranked(workspace, kind, state)
    shown = flags[:limit] if limit else flags
    if json:
        print_json([_plain(flag) for flag in shown])
        return
    for flag in shown:
        content = flag.attrs
        told = "" if content["state"] == State.OPEN else f"  {content['state']}"
        typer.echo(
            f"#{flag.index:<7} {content['severity']:<9} {content['type']:<20} "
            f"{content['subject_id']}{told}"
        )
        if explain:
            typer.echo(f"         {content.get('explanation', 'What it said was erased.')}")
            if (by := content.get("superseded")) is not None:
                typer.echo(f"         Superseded by entry {by['entry']}: {by['reason']}")
    if len(shown) < len(flags):
        typer.echo(f"... {len(flags) - len(shown):,} more; --limit 0 shows all")


@app.command()
def show(
    data: Data,
    flag: Annotated[str, typer.Argument(help="The flag's log index, as `list` shows it.")],
    *,
    json: Json = False,
) -> None:
    """Show one flag: what was observed and expected, the evidence, and what it does not say."""
    from commands.session import with_graph
    from provenance.errors import NotFound

    with with_graph(data) as workspace:
        every = _all(workspace, superseded=True)
    found = [one for one in every if str(one.index) == flag.lstrip("#")]
    if not found:
        raise NotFound(f"no flag at log index {flag}; `provenance flags list` shows them")
    plain = _plain(found[0])
    if json:
        print_json(plain)
        return
    typer.echo(plain.pop("explanation", ""))
    if (by := plain.get("superseded")) is not None:
        typer.echo(f"Superseded by entry {by['entry']}: {by['reason']}")
    for name, value in plain.items():
        typer.echo(f"  {name:<18}{_words(value)}")


@app.command()
def export(
    data: Data,
    file: Annotated[Path, typer.Argument(help="The CSV file; - for standard output.")],
    *,
    scores: Annotated[
        bool, typer.Option("--scores", help="Also what was judged and not flagged.")
    ] = False,
    json: Json = False,
) -> None:
    """Write flags as CSV, one row per subject and type, scores comparable."""
    import io

    from commands.session import with_graph
    from detectors.export import of_log, with_unflagged, write
    from provenance.files import replace_file
    from provenance.store.storage import translated

    with with_graph(data) as workspace:
        rows = of_log(one.attrs for one in _all(workspace))
        if scores:
            rows = with_unflagged(rows, _judged(workspace))
    text = io.StringIO()
    count = write(rows, text)
    if str(file) == "-":
        sys.stdout.write(text.getvalue())
        return
    with translated(file):
        replace_file(file, text.getvalue().encode())
    if json:
        print_json({"file": str(file), "rows": count})
    else:
        typer.echo(f"Wrote {file}: {count:,} rows")


def _all(workspace: Workspace, *, superseded: bool = False) -> list[Record]:
    """Read the last flag of each subject, each with its `state` and whatever led to it."""
    from detectors.casework.reviews import latest
    from detectors.casework.superseded import read_flags, whole
    from graph.model import Record, RecordKind
    from provenance.entries import Tier

    graph = workspace.graph
    current, fallen = read_flags(graph)
    reviews = latest(graph.records(RecordKind.REVIEW, Tier.PRIVATE))
    flags = [*current, *(whole(graph, fallen) if superseded else ())]
    return [
        Record(flag.index, flag.leaf_hash, flag.attrs | _state(flag.index, reviews, fallen))
        for flag in flags
    ]


def _state(
    index: int, reviews: Mapping[int, Review], fallen: Mapping[int, Superseded]
) -> dict[str, Any]:
    """Say what became of a flag."""
    if (by := fallen.get(index)) is not None:
        told = {"entry": by.entry, "cause": by.cause, "reason": by.reason}
        return {"state": State.SUPERSEDED.value, "superseded": told}
    if (review := reviews.get(index)) is None:
        return {"state": State.OPEN.value}
    told = {"entry": review.index, "reviewer": review.reviewer, "reason": review.reason}
    return {"state": review.state.value, "review": told}


def _ranked(workspace: Workspace, kind: str | None, state: State | None) -> list[Record]:
    from detectors.ranking import rank_of

    flags = [
        one
        for one in _all(workspace, superseded=state is State.SUPERSEDED)
        if (kind is None or one.attrs["type"] == kind)
        and (state is None or one.attrs["state"] == state)
    ]
    return sorted(flags, key=lambda one: (-rank_of(one.attrs), one.index))


def _judged(workspace: Workspace) -> Any:
    from commands.detect import judge

    return judge(workspace, workspace.settings.detect.q)[0].scores


def _plain(flag: Record) -> dict[str, Any]:
    return {"index": flag.index, **{k: _unwrapped(v) for k, v in flag.attrs.items()}}


def _unwrapped(value: Any) -> Any:
    """Show {"_d": "1.5"} as 1.5, at any depth."""
    if isinstance(value, dict):
        if list(value) == ["_d"]:
            return float(value["_d"])
        return {key: _unwrapped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unwrapped(item) for item in value]
    return value


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        return "; ".join(_words(item) for item in value)
    return str(value)
