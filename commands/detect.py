"""`provenance detect`: ask every detector, and write its flags into the log."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import Data, Json
from commands.output import console, notice, print_json, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detectors.executors import Executor
    from detectors.run import RunResult
    from graph.frames import Frames
    from provenance.entries import Outcome
    from workspace.detecting import Detected
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)


class Where(StrEnum):
    """Where detectors are asked."""

    HERE = "here"
    DASK = "dask"


@app.command()
def detect(
    data: Data,
    q: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="False-discovery level. [default: from workspace.toml]"),
    ] = None,
    executor: Annotated[
        Where, typer.Option(help="Ask the detectors here, or on a Dask cluster.")
    ] = Where.HERE,
    scheduler: Annotated[
        str | None, typer.Option(help="Of the cluster, such as tcp://10.0.0.5:8786.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="POSITION",
            help="Go on from the run that stood at this log position, or from the `last` one: "
            "what has not changed since is not judged again. The flags are the same.",
        ),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; only say what would be flagged.")
    ] = False,
    json: Json = False,
) -> None:
    """Look for suspicious routes and labour anomalies; flags go into the log with evidence."""
    from commands.session import with_graph
    from provenance.errors import UsageError

    with with_graph(data) as workspace:
        level = workspace.settings.detect.q if q is None else q
        _check_since(since, workspace.reader.size)
        if executor is Where.HERE:
            if scheduler is not None:
                raise UsageError("--scheduler: only with --executor dask")
            summary = _here(workspace, level, since, dry_run=dry_run)
        else:
            if since is not None:
                raise UsageError("--since: not with --executor dask, where all is judged at once")
            summary = _on_cluster(workspace, level, scheduler, dry_run=dry_run)
    if json:
        print_json(summary)
    else:
        _print(summary)


def _check_since(since: str | None, size: int) -> None:
    from provenance.errors import UsageError

    if since is None or since == "last":
        return
    if not (since.isdecimal() and since.isascii()) or int(since) > size:
        raise UsageError(f"--since {since}: `last`, or a log position from 0 to {size:,}")


def _here(
    workspace: Workspace, level: float, since: str | None, *, dry_run: bool
) -> dict[str, Any]:
    from workspace.detecting import Watch, detect

    with progress("Detecting") as report:
        done = detect(
            workspace,
            level,
            onward=since is not None,
            rehearsal=dry_run,
            watch=Watch(detecting=report),
        )
    if since is not None:
        _tell_since(since, done)
    summary = _summary(done.onward.result, done.outcomes, done.problems)
    types = Counter(summary["by_type"]) + Counter(one.type for one in done.onward.standing)
    return summary | {
        "superseded": len(done.superseded),
        "flags": summary["flags"] + len(done.onward.standing),
        "by_type": dict(types.most_common()),
        "standing": len(done.onward.standing),
        "since": done.since,
        "position": done.position,
    }


def _tell_since(since: str, done: Detected) -> None:
    if done.since is None:
        notice("provenance: there is no run to go on from; everything is judged")
    elif since not in {"last", str(done.since)}:
        notice(f"provenance: the last run stood at {done.since}; this one went on from there")


def _on_cluster(
    workspace: Workspace, level: float, scheduler: str | None, *, dry_run: bool
) -> dict[str, Any]:
    from detectors.executors import Cluster
    from provenance.errors import UsageError

    if scheduler is None:
        raise UsageError("--executor dask: say where with --scheduler tcp://HOST:PORT")
    cluster = Cluster(scheduler)
    try:
        frames = _frames(workspace)
        result, problems = judge(workspace, level, frames, executor=cluster)
    finally:
        cluster.close()
    outcomes, superseded = _write(workspace, frames, level, result, dry_run=dry_run)
    return _summary(result, outcomes, problems) | {"superseded": len(superseded)}


def judge(
    workspace: Workspace,
    level: float,
    frames: Frames | None = None,
    executor: Executor | None = None,
) -> tuple[RunResult, tuple[str, ...]]:
    """Run every detector on the graph as it stands; returns what could not be loaded, too.

    Args:
        workspace: Whose graph.
        level: False-discovery level.
        frames: The graph's, where they have been read already.
        executor: Where to ask the detectors; in this process unless it says otherwise.
    """
    from detectors.registry import load
    from detectors.run import run

    detectors, problems = load()
    if frames is None:
        frames = _frames(workspace)
    with progress("Detecting") as report:
        asked = iter(range(len(detectors)))
        result = run(
            frames,
            detectors,
            tree_size=frames.position,
            root=workspace.reader.root_at(frames.position),
            level=level,
            progress=lambda _name: report(next(asked), len(detectors)),
            executor=executor,
        )
    return result, problems


def _frames(workspace: Workspace) -> Frames:
    from graph.frames import load_frames

    with progress("Reading the graph"):
        return load_frames(workspace.graph)


def _write(
    workspace: Workspace, frames: Frames, level: float, result: RunResult, *, dry_run: bool
) -> tuple[Sequence[Outcome], Sequence[Outcome]]:
    """Append what a run flags, and what it supersedes; returns what became of both."""
    from contextlib import nullcontext

    from detectors.registry import load
    from workspace.detecting import alone
    from workspace.superseding import append_flags, fall, of_result

    run = of_result(frames, level, load()[0], result)
    outcomes: Sequence[Outcome] = ()
    with nullcontext() if dry_run else alone(workspace.layout), progress("Projecting") as report:
        if not dry_run:
            outcomes = append_flags(workspace, result.flags)
            workspace.sync_graph(report)
        superseded = fall(workspace, run, rehearsal=dry_run)
        if not dry_run:
            workspace.sync_graph(report)
    return outcomes, superseded


def _summary(
    result: RunResult, outcomes: Sequence[Outcome], problems: Sequence[str]
) -> dict[str, Any]:
    written = Counter(outcome.kind for outcome in outcomes)
    return {
        "flags": len(result.flags),
        "by_type": dict(Counter(flag.type for flag in result.flags).most_common()),
        "appended": written["appended"],
        "known_already": written["duplicate"],
        "judged": result.judged,
        "expected_false": round(result.expected_false, 2),
        "not_judged": [
            {"detector": one.detector, "reason": one.reason, "subjects": one.count}
            for one in result.abstentions
        ],
        "errors": [f"{one.detector}: {one.message}" for one in result.errors] + list(problems),
    }


def _print(summary: dict[str, Any]) -> None:
    from rich.table import Table

    out = console()
    table = Table("type", "flags", box=None)
    for kind, count in summary["by_type"].items():
        table.add_row(kind, f"{count:,}")
    out.print(table)
    out.print(
        f"{summary['flags']:,} flags: {summary['appended']:,} new in the log, "
        f"{summary['known_already'] + summary.get('standing', 0):,} known already. "
        f"Of the statistical ones {summary['expected_false']} are expected to be chance."
    )
    if fallen := summary.get("superseded"):
        what = "open flag of an earlier run is" if fallen == 1 else "open flags of earlier runs are"
        told = "`provenance flags list --state superseded --explain` says why"
        out.print(f"{fallen:,} {what} not raised any more; {told}.")
    for one in summary["not_judged"]:
        out.print(f"not judged by {one['detector']}: {one['subjects']:,} ({one['reason']})")
    for error in summary["errors"]:
        notice(f"provenance: detector failed: {error}")
