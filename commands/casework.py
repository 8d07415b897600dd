"""`provenance flags review|cases|queue|precision`: decide on flags, one incident at a time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import Data, Json
from commands.output import console, print_json
from detectors.casework.reviews import DECISIONS, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detectors.casework.cases import Board, Case
    from detectors.casework.precision import Precision
    from graph.model import Record
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)


class Decision(StrEnum):
    """The states that a person can give; to supersede is for a run."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    NEEDS_INFORMATION = "needs-information"


Limit = Annotated[int, typer.Option(min=0, help="At most so many; 0 shows all.")]


@app.command()
def review(
    data: Data,
    flags: Annotated[list[str], typer.Argument(help="Log indices of flags, as `list` shows them.")],
    state: Annotated[Decision, typer.Option(help="What you decide; `open` takes a decision back.")],
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")],
    reviewer: Annotated[
        str, typer.Option(envvar="PROVENANCE_REVIEWER", help="Who decides.", show_default=False)
    ],
    *,
    case: Annotated[bool, typer.Option("--case", help="And on all flags of their cases.")] = False,
    json: Json = False,
) -> None:
    """Decide on flags; the decision goes into the log and is never changed, only followed."""
    from commands.session import with_graph
    from detectors.casework.reviews import draft

    with with_graph(data) as workspace:
        board = _board(workspace)
        chosen = _named(board, flags)
        if case:
            chosen = _whole_cases(board, chosen)
        party = workspace.settings.party
        drafts = [
            draft(flag, State(state), reason=reason, reviewer=reviewer, party=party)
            for flag in chosen
        ]
        outcomes = workspace.log.append(drafts)
        workspace.sync_graph()
    if json:
        print_json(
            [
                {"flag": flag.index, "state": state.value, "review": one.index, "outcome": one.kind}
                for flag, one in zip(chosen, outcomes, strict=True)
            ]
        )
        return
    for flag, one in zip(chosen, outcomes, strict=True):
        known = "" if one.kind == "appended" else ", as it was"
        typer.echo(f"#{flag.index:<7} {state.value}{known}  (entry {one.index})")


@app.command()
def cases(
    data: Data,
    state: Annotated[Decision | None, typer.Option(help="Only cases in this state.")] = None,
    limit: Limit = 50,
    *,
    json: Json = False,
) -> None:
    """List cases: flags that belong to one incident, the most serious first."""
    from commands.session import with_graph

    wanted = None if state is None else State(state)
    with with_graph(data) as workspace:
        cases_ = _board(workspace).cases
    found = [case for case in cases_ if wanted in {None, case.state}]
    shown = found[:limit] if limit else found
    if json:
        print_json([_plain(case) for case in shown])
        return
    for case in shown:
        _print_case(case)
    _print_more(found, shown)


@app.command()
def queue(data: Data, limit: Limit = 10, *, json: Json = False) -> None:
    """Suggest what to look at next; some are drawn whatever their rank, for honest estimates."""
    from commands.session import with_graph
    from detectors.casework.queue import suggest

    with with_graph(data) as workspace:
        found = list(suggest(_board(workspace).cases))
    shown = found[:limit] if limit else found
    if json:
        print_json([{**_plain(one.case), "drawn": one.drawn} for one in shown])
        return
    for one in shown:
        _print_case(one.case, "drawn" if one.drawn else "")
    _print_more(found, shown)


@app.command()
def precision(data: Data, *, json: Json = False) -> None:
    """Say how often each detector's flags held, with 95 % intervals."""
    from commands.session import with_graph
    from detectors.casework.precision import precisions

    with with_graph(data) as workspace:
        board = _board(workspace)
    found = precisions(board.flags, board.reviews)
    if json:
        print_json([_precision(one) for one in found])
        return
    from rich.table import Table

    table = Table("detector", "flags", "confirmed", "dismissed", "held", "of those drawn", box=None)
    for one in found:
        table.add_row(
            one.detector,
            f"{one.flags:,}",
            f"{one.states.get(State.CONFIRMED, 0):,}",
            f"{one.states.get(State.DISMISSED, 0):,}",
            _interval(one.states.get(State.CONFIRMED, 0), one.decided, one.low, one.high),
            _interval(one.drawn_confirmed, one.drawn_decided, one.drawn_low, one.drawn_high),
        )
    console().print(table)


def _board(workspace: Workspace) -> Board:
    from detectors.casework.cases import read_board

    return read_board(workspace.graph)


def _named(board: Board, names: Sequence[str]) -> list[Record]:
    """Return the current flags that a person names.

    Raises:
        NotFound: A name is not the log index of a current flag.
    """
    from provenance.errors import NotFound

    known = {str(flag.index): flag for flag in board.flags}
    superseded = {str(index): one.entry for index, one in board.superseded.items()}
    for name in names:
        plain = name.lstrip("#")
        if plain in superseded:
            raise NotFound(f"{name}: superseded by entry {superseded[plain]}, nothing to decide")
        if plain not in known:
            raise NotFound(f"{name}: no current flag; `provenance flags list` shows them")
    return [known[name] for name in dict.fromkeys(name.lstrip("#") for name in names)]


def _whole_cases(board: Board, flags: Sequence[Record]) -> list[Record]:
    wanted = {flag.index for flag in flags}
    return [
        flag
        for case in board.cases
        if wanted & {member.index for member in case.flags}
        for flag in case.flags
    ]


def _plain(case: Case) -> dict[str, Any]:
    return {
        "case": case.id,
        "state": case.state.value,
        "rank": round(case.rank, 4),
        "flags": [
            {"index": flag.index, **{name: flag.attrs[name] for name in ("type", "subject_id")}}
            for flag in case.flags
        ],
    }


def _print_case(case: Case, note: str = "") -> None:
    first = case.flags[0]
    more = f"  and {len(case.flags) - 1} more" if len(case.flags) > 1 else ""
    told = f"  ({note})" if note else ""
    typer.echo(
        f"case {case.id:<7} {case.state.value:<17} #{first.index} {first.attrs['severity']} "
        f"{first.attrs['type']} {first.attrs['subject_id']}{more}{told}"
    )


def _print_more(found: Sequence[object], shown: Sequence[object]) -> None:
    if len(shown) < len(found):
        typer.echo(f"... {len(found) - len(shown):,} more; --limit 0 shows all")


def _interval(confirmed: int, decided: int, low: float, high: float) -> str:
    return f"{confirmed} of {decided} ({low:.0%} to {high:.0%})" if decided else "none decided"


def _precision(one: Precision) -> dict[str, Any]:
    return {
        "detector": one.detector,
        "flags": one.flags,
        **{state.value: one.states.get(state, 0) for state in DECISIONS},
        "precision": one.share,
        "interval": [round(one.low, 6), round(one.high, 6)],
        "drawn": {
            "confirmed": one.drawn_confirmed,
            "decided": one.drawn_decided,
            "interval": [round(one.drawn_low, 6), round(one.drawn_high, 6)],
        },
    }
