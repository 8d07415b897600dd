"""One detection run over a workspace: one at a time, its flags in the log, its basis kept.

Runs wait for each other, so that two of them neither write the same flag twice
nor keep each other's basis. What a run keeps (see `detectors.onward`) is in the
directory `detection`, which an erasure throws away.

Next: workspace/superseding.py
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import StorageError, WorkspaceLocked
from provenance.files import locked
from workspace.superseding import append_flags, fall, of_onward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from detectors.base import Detector
    from detectors.onward.going import Onward
    from detectors.onward.reading import Read
    from detectors.onward.shelf import Shelf
    from provenance.entries import Outcome
    from workspace.layout import Layout
    from workspace.workspace import Workspace

__all__ = ["Detected", "Watch", "alone", "detect"]

_LOG: Final = logging.getLogger(__name__)
_WAIT_SECONDS: Final = 3_600.0
"""A whole run over a large record takes minutes; who waits longer than this is told."""


class Watch(NamedTuple):
    """Who is told how far a run is; each is given (done, of how many).

    Attributes:
        reading: Of projecting the log.
        detecting: Of asking detectors.
    """

    reading: Callable[[int, int], None] | None = None
    detecting: Callable[[int, int], None] | None = None


@dataclass(frozen=True, slots=True)
class Detected:
    """What came of a run.

    Attributes:
        onward: What it concluded.
        position: How many log entries it read.
        since: The position of the run that it went on from; None where it judged everything.
        outcomes: What became of each flag; none of a rehearsal.
        superseded: What became of saying so of each open flag that it does not raise; of a
            rehearsal, those flags.
        size: How many entries the log had afterwards, its own flags included.
        problems: Detectors that could not be loaded, and a basis that could not be kept.
    """

    onward: Onward
    position: int
    since: int | None
    outcomes: tuple[Outcome, ...]
    superseded: tuple[Outcome, ...]
    size: int
    problems: tuple[str, ...]


@contextmanager
def alone(layout: Layout, wait_seconds: float = _WAIT_SECONDS) -> Iterator[None]:
    """Keep other detection runs of the workspace out while the body runs.

    Raises:
        WorkspaceLocked: One was going on for all that time.
    """
    try:
        with locked(layout.detection_lock, wait_seconds):
            yield
    except WorkspaceLocked:
        raise WorkspaceLocked(
            f"{layout.directory}: a detection run is going on; wait for it or stop it"
        ) from None


def detect(
    workspace: Workspace,
    level: float,
    *,
    onward: bool = False,
    rehearsal: bool = False,
    watch: Watch = Watch(),  # noqa: B008 - immutable
) -> Detected:
    """Ask the detectors, and append what they flag.

    Args:
        workspace: Whose record.
        level: False-discovery level.
        onward: Go on from the run before, where that can be; else judge everything.
        rehearsal: Write nothing, neither flags nor what the next run could go on from.
        watch: Is told how far the run is.

    Raises:
        WorkspaceLocked: Another run was going on for an hour.
        WorkspaceError: The workspace cannot be written.
    """
    from detectors.onward.reading import open_shelf, read  # noqa: PLC0415 - heavy
    from detectors.registry import load  # noqa: PLC0415 - heavy

    # A rehearsal may be of a workspace on read-only media: it takes no lock.
    with nullcontext() if rehearsal else alone(workspace.layout):
        workspace.sync_graph(watch.reading)
        detectors, problems = load()
        shelf = open_shelf(workspace.layout.detection)
        found = read(workspace.graph, workspace.reader, shelf if onward else None)
        concluded = _ask(workspace, detectors, found, level, watch)
        outcomes: list[Outcome] = []
        if not rehearsal:
            outcomes = append_flags(workspace, concluded.result.flags)
            workspace.sync_graph(watch.reading)
        run = of_onward(found.frames, level, detectors, concluded)
        superseded = fall(workspace, run, rehearsal=rehearsal)
        if not rehearsal:
            workspace.sync_graph(watch.reading)
            problems = (*problems, *_keep(workspace, shelf, found, concluded))
    since = None if found.before is None else found.before.kept.position
    return Detected(
        concluded,
        found.frames.position,
        since,
        tuple(outcomes),
        tuple(superseded),
        workspace.reader.size,
        problems,
    )


def _ask(
    workspace: Workspace, detectors: Sequence[Detector], found: Read, level: float, watch: Watch
) -> Onward:
    from detectors.onward.going import go_on  # noqa: PLC0415 - heavy

    asked = iter(range(len(detectors)))

    def progress(_name: str) -> None:
        if watch.detecting is not None:
            watch.detecting(next(asked), len(detectors))

    position = found.frames.position
    return go_on(
        found.frames,
        detectors,
        tree_size=position,
        root=workspace.reader.root_at(position),
        level=level,
        before=found.before,
        progress=progress,
    )


def _keep(workspace: Workspace, shelf: Shelf, found: Read, concluded: Onward) -> list[str]:
    """Put the basis of the run on the shelf, now that its flags are in the log."""
    from detectors.onward.reading import adds  # noqa: PLC0415 - heavy

    reader, start = workspace.reader, found.frames.position
    try:
        if not adds(workspace.graph, reader, start, min(reader.size, workspace.graph.position())):
            # Something was erased while the run was going on: what it read must not stay.
            shelf.discard()
            return []
        shelf.write(concluded.kept, found.frames, found.held, found.later, concluded.fits)
    except StorageError as error:
        _LOG.warning("what the run read is not kept: %s", error)
        return [f"what the run read is not kept, so that the next one reads everything: {error}"]
    return []
