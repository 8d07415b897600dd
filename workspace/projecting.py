"""The graph follows the log in a process of its own, while this one appends.

It only saves time: what it leaves undone, whoever needs the graph does. So its
troubles are not reported here; whoever catches up next meets them, and tells.

Next: graph/sync.py
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from graph.sync import catch_up
from provenance.beside import Companion
from provenance.errors import ProvenanceError
from provenance.store.storage import hold_little
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from graph.store import GraphStore
    from provenance.store.reading import LogReader

__all__ = ["Projecting", "follow"]

_HELD: Final = 32 << 20
_PAUSE_SECONDS: Final = 0.05
_STUCK_SECONDS: Final = 10.0


class Projecting(Companion):
    """Lets the graph follow; at its end what is left undone is left to others."""

    module = "workspace.projecting"
    patience = 30.0  # one batch is completed, or taken back by SQLite, within this

    def finish(
        self, position: Callable[[], int], size: int, progress: Callable[[int, int], None]
    ) -> None:
        """Wait until the graph has come so far; not longer than the process lives and gets on.

        Args:
            position: Where the graph is.
            size: Where it is to be.
            progress: Told (position, size) now and then; what it raises ends the waiting.
        """
        before, waits = -1, 0
        while self.process is not None and self.process.poll() is None:
            at = position()
            progress(at, size)
            # A graph in memory is another one in each process, and never gets on.
            waits = waits + 1 if at == before else 0
            if at >= size or waits * _PAUSE_SECONDS > _STUCK_SECONDS:
                return
            before = at
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_PAUSE_SECONDS)


class _EndedError(Exception):
    """Nobody waits for the rest."""


def follow(log: LogReader, store: GraphStore, ended: Event) -> None:
    """Keep `store` up with `log` until `ended`."""

    def go_on(_done: int, _total: int) -> None:
        if ended.is_set():
            raise _EndedError

    while not ended.wait(_PAUSE_SECONDS):
        try:
            catch_up(log, store, go_on)
        except _EndedError:
            return


def main() -> None:
    """Follow until standard input ends."""
    ended = Event()

    def wait() -> None:
        sys.stdin.buffer.read()
        ended.set()

    Thread(target=wait, daemon=True).start()
    hold_little(_HELD)
    try:
        with Workspace(Path(sys.argv[1])) as workspace:
            follow(workspace.reader, workspace.graph, ended)
    except ProvenanceError:
        sys.exit(1)


if __name__ == "__main__":
    main()
