"""`provenance replay`: recompute flags from the log alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import Data, Json
from commands.output import notice, print_json, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from detectors.base import Detector
    from detectors.replay import Replay
    from provenance.entries import Content, Entry
    from workspace.workspace import Workspace

app = typer.Typer(add_completion=False)


@app.command()
def replay(
    data: Data,
    flags: Annotated[
        list[str] | None,
        typer.Argument(
            help="Log indices of flags, as `flags list` shows them.", show_default=False
        ),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every flag in the log, superseded ones included.")
    ] = False,
    json: Json = False,
) -> None:
    """Recompute flags from the log alone: same, different, or impossible and why.

    Exit code 1 where one comes out different.
    """
    from detectors.registry import load
    from provenance.errors import UsageError
    from workspace.workspace import Workspace

    if everything == bool(flags):
        raise UsageError("name flags by their log index, or ask for --all")
    detectors, problems = load()
    for problem in problems:
        notice(f"provenance: detector not loaded: {problem}")
    with Workspace(data) as workspace:
        chosen = _named(workspace, flags) if flags else _all(workspace)
        found = _replay(workspace, chosen, detectors)
    if json:
        print_json(
            [
                {"index": entry.index, "verdict": one.verdict.value, "reasons": list(one.reasons)}
                for entry, one in found
            ]
        )
    else:
        _print(found)
    raise typer.Exit(int(any(one.verdict == "different" for _, one in found)))


def _named(workspace: Workspace, flags: Sequence[str]) -> list[Entry]:
    from provenance.errors import NotFound, UsageError

    entries = []
    for text in flags:
        plain = text.lstrip("#")
        if not plain.isdecimal():
            raise UsageError(f"{text}: not a log index, such as 293 or #293")
        entry = workspace.reader.entry(int(plain))
        if not _is_flag(entry):
            raise NotFound(f"entry {plain} is no flag; `provenance flags list` shows them")
        entries.append(entry)
    return entries


def _all(workspace: Workspace) -> list[Entry]:
    with progress("Reading the log") as report:
        total, found = workspace.reader.size, []
        for entry in workspace.reader.entries(0, total):
            if _is_flag(entry):
                found.append(entry)
            if entry.index % 1_000 == 0:
                report(entry.index, total)
    return found


def _is_flag(entry: Entry) -> bool:
    """Tell flags, the erased ones included, from what says of one that it was superseded."""
    from detectors.record import VERSION
    from provenance import canonical
    from provenance.entries import EntryType

    if entry.type != EntryType.FLAG:
        return False
    return entry.body is None or canonical.loads(entry.body)["_v"] == VERSION


def _replay(
    workspace: Workspace, entries: Sequence[Entry], detectors: Sequence[Detector]
) -> list[tuple[Entry, Replay]]:
    """Replay in the order of tree sizes: flags of one run share the state they are judged on."""
    from detectors.replay import Replayer
    from provenance.govern.succession import Former

    replayer = Replayer(workspace.reader, detectors)
    # Flags that were carried over name their evidence as it was in the log before this one.
    predecessor = workspace.reader.register.predecessor
    former = predecessor and Replayer(Former(workspace.reader, predecessor), detectors)
    carried = predecessor.said.size if predecessor else 0
    contents = sorted(
        ((entry, _content(entry)) for entry in entries),
        key=lambda pair: (pair[1].get("tree_size", 0), pair[0].index),
    )
    found = []
    with progress("Replaying") as report:
        for done, (entry, content) in enumerate(contents):
            report(done, len(contents))
            asked = former if former and entry.index < carried else replayer
            found.append((entry, asked.replay(content)))
    return found


def _content(entry: Entry) -> Content:
    from provenance.disclosure.privacy import open_entry
    from provenance.entries import Tier

    return open_entry(entry, Tier.PRIVATE)


def _print(found: Sequence[tuple[Entry, Replay]]) -> None:
    for entry, one in found:
        typer.echo(f"#{entry.index:<7} {one.verdict.value:<11} {'; '.join(one.reasons)}".rstrip())
    counts = Counter(one.verdict.value for _, one in found)
    told = ", ".join(f"{counts[word]:,} {word}" for word in ("same", "different", "impossible"))
    typer.echo(f"flags: {told}")
