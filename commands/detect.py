"""`provenance detect`: ask every detector, and write its flags into the log."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import Data, Json
from commands.output import console, notice, print_json, progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from detectors.base import Flag
    from detectors.executors import Executor
    from detectors.run import RunResult
    from graph.frames import Frames
    from provenance.entries import Outcome
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
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; only say what would be flagged.")
    ] = False,
    json: Json = False,
) -> None:
    """Look for suspicious routes and labour anomalies; flags go into the log with evidence."""
    from commands.session import with_graph

    with with_graph(data) as workspace:
        level = workspace.settings.detect.q if q is None else q
        with _executor(executor, scheduler) as place:
            result, problems = judge(workspace, level, executor=place)
        outcomes = [] if dry_run else _append(workspace, result.flags)
    summary = _summary(result, outcomes, problems)
    if json:
        print_json(summary)
    else:
        _print(summary)


@contextmanager
def _executor(where: Where, scheduler: str | None) -> Iterator[Executor]:
    from detectors.executors import Cluster, InProcess
    from provenance.errors import UsageError

    if where is Where.HERE:
        if scheduler is not None:
            raise UsageError("--scheduler: only with --executor dask")
        yield InProcess()
        return
    if scheduler is None:
        raise UsageError("--executor dask: say where with --scheduler tcp://HOST:PORT")
    cluster = Cluster(scheduler)
    try:
        yield cluster
    finally:
        cluster.close()


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
    from graph.frames import load_frames

    detectors, problems = load()
    if frames is None:
        with progress("Reading the graph"):
            frames = load_frames(workspace.graph)
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


def _append(workspace: Workspace, flags: Sequence[Flag]) -> list[Outcome]:
    from detectors.record import draft

    policy, party = workspace.log.policy, workspace.settings.party
    outcomes = workspace.log.append([draft(flag, party=party, policy=policy) for flag in flags])
    with progress("Projecting") as report:
        workspace.sync_graph(report)
    return outcomes


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
        f"{summary['known_already']:,} known already. Of the statistical ones "
        f"{summary['expected_false']} are expected to be chance."
    )
    for one in summary["not_judged"]:
        out.print(f"not judged by {one['detector']}: {one['subjects']:,} ({one['reason']})")
    for error in summary["errors"]:
        notice(f"provenance: detector failed: {error}")
