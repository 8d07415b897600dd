"""What goes on around an ingest: how far it is, Ctrl-C, and the graph that follows.

Next: commands/ingest.py
"""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, Protocol

from commands.output import notice
from provenance.clock import monotonic
from provenance.errors import Interrupted, StorageError, WorkspaceLocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from provenance.ingest.ports import Progress
    from workspace.projecting import Projecting
    from workspace.workspace import Workspace

__all__ = ["Beside", "followed", "project_rest", "shown", "stoppable"]

_LINE_SECONDS: Final = 30.0
_WORTH_A_PROCESS: Final = 5_000
"""Entries: fewer are projected sooner than a process has started."""
_LARGE: Final = 20_000
"""Rows of a file: with as many, helpers start while it is looked through, when a processor is free.
If all of them are known already, that was for nothing, and took nobody's time."""
_PATIENCE_SECONDS: Final = 5.0


class Beside(Protocol):
    """A process that can help."""

    def start(self) -> None:
        """Start it, unless it has been started."""
        ...


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C, or SIGTERM, ask for an end; asked twice, it is the end at once.

    Yields:
        Says whether it was asked for.
    """
    asked = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, before[number])
        notice("provenance: stopping after the batch at hand; once more stops at once")
        asked.set()

    # Only the main thread may set them; whoever calls from another minds them itself.
    numbers: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
    ours = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, ask) for number in numbers} if ours else {}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def shown() -> Iterator[Progress]:
    """Show on standard error how far an ingest is, how fast, and how long it will take.

    A bar on a terminal; elsewhere a line now and then, and none for what is done soon.
    """
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    rate = TextColumn("{task.fields[rate]}")
    with Progress(*columns, rate, Remaining(), console=Console(stderr=True), transient=True) as bar:
        task, pace = bar.add_task("", total=None, rate=""), _Pace()

        def report(stage: str, file: str, done: int, total: int, rows: int) -> None:
            if pace.begins(stage, file):
                bar.reset(task, description=f"{stage} {PurePath(file).name}", rate="")
            bar.update(task, completed=done, total=total or None, rate=pace.said(rows))

        yield report


class _Pace:
    """How fast the present pass over the present file is."""

    def __init__(self) -> None:
        self._work = ("", "")
        self._begun = (0.0, 0)
        self._rows: int | None = None

    def begins(self, stage: str, file: str) -> bool:
        """Say whether this is another pass than before."""
        if (stage, file) == self._work:
            return False
        self._work, self._rows = (stage, file), None
        return True

    def said(self, rows: int) -> str:
        """Say how many rows a second there were since the first report of the pass."""
        now = monotonic()
        if self._rows is None:
            self._begun = now, rows
        self._rows = rows
        seconds, new = now - self._begun[0], rows - self._begun[1]
        return f"{new / seconds:,.0f} rows/s" if seconds > 0 else ""

    def left(self, done: int, total: int) -> str:
        """Say how long the rest of the pass will take."""
        seconds = (monotonic() - self._begun[0]) * (total - done) / max(done, 1)
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s left"


class _Lines:
    """Progress for a log file."""

    def __init__(self) -> None:
        self._pace = _Pace()
        self._told = monotonic()

    def __call__(self, stage: str, file: str, done: int, total: int, rows: int) -> None:
        """Print a line when the last one is some time ago."""
        pace, now = self._pace, monotonic()
        pace.begins(stage, file)
        rate = pace.said(rows)
        if now - self._told >= _LINE_SECONDS and total:
            self._told = now
            name, left = PurePath(file).name, pace.left(done, total)
            notice(f"provenance: {stage} {name}: {done / total:.0%}, {rate}, {left}")


def followed(workspace: Workspace, beside: Sequence[Beside], report: Progress) -> Progress:
    """Return what an ingest is to report to, so that one that is large is helped with."""
    begun = workspace.log.size

    def watch(stage: str, file: str, done: int, total: int, rows: int) -> None:
        report(stage, file, done, total, rows)
        large = rows >= _LARGE and stage == "reading"
        many = rows >= _WORTH_A_PROCESS and workspace.log.size - begun >= _WORTH_A_PROCESS
        if large or many:
            for helper in beside:
                helper.start()

    return watch


def project_rest(
    workspace: Workspace,
    graph: Projecting,
    report: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> None:
    """Let the graph come up with the log; where it cannot, say so and leave it to later.

    Raises:
        Interrupted: It was asked to stop before.
    """

    def watch(done: int, total: int) -> None:
        report(done, total)
        if stop() and done < total:
            raise Interrupted(
                f"stopped as asked: the log is complete, and the graph has {done:,} of its "
                f"{total:,} entries; `provenance graph sync` goes on from there"
            )

    # What was asked for is done; a server that is away is not waited for long.
    workspace.patience = _PATIENCE_SECONDS
    try:
        graph.finish(workspace.graph.position, workspace.log.size, watch)
        workspace.sync_graph(watch)
    except (StorageError, WorkspaceLocked) as error:
        notice(f"The log is complete, the graph is behind: {error}")
