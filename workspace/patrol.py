"""The detectors go round whenever the log has grown, in a process of their own.

    serve ── pipe ── patrol: wait for new entries ─▶ wait until it is quiet ─▶ detect ─▶ …

The process is polite (it yields the processor to everybody else), goes on from
its last run, and is alone: a second one on the same workspace stands by until
the first is gone. It has no threads, so that a run over everything may be shared
with a copy of it (see `detectors.abreast`). What fails is reported in
`detection.state` and tried again, ever later; if the process itself dies, it is
started again. It ends when whoever started it does, whatever kills that; a run
cut off leaves nothing half-done.

Next: docs/operating.md
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import msgspec

from provenance import beside
from provenance.clock import monotonic, system_clock
from provenance.errors import ProvenanceError, WorkspaceLocked
from provenance.files import locked, replace_file
from workspace.detecting import Watch, detect
from workspace.layout import Layout
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workspace.detecting import Detected

__all__ = ["Patrol", "State", "patrolling", "read_state", "told"]

_LOG: Final = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 1.0
_QUIET_SECONDS: Final = 2.0
_LONGEST_SECONDS: Final = 60.0
"""New entries wait until none has come for a moment, and at most so long."""
_STANDBY_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 5.0
_LATEST_SECONDS: Final = 600.0
"""A failed run is tried again after so long, twice as long each time, up to the latter."""
_END_SECONDS: Final = 10.0
_POLITE: Final = 10


class State(msgspec.Struct, frozen=True):
    """What the patrol is doing.

    Attributes:
        state: "waiting" for new entries, "running", or "failed" and waiting to try again.
        position: How many log entries the last run that succeeded read.
        since: When this became so, seconds since the epoch.
        error: What the last run failed of, one line.
    """

    state: Literal["waiting", "running", "failed"]
    position: int
    since: int
    error: str | None = None


def read_state(layout: Layout) -> State | None:
    """Return what the patrol last said of itself; None where there never was one."""
    try:
        return msgspec.json.decode(layout.detection_state.read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError):
        return None


def told(layout: Layout, *, whole: bool) -> dict[str, Any] | None:
    """Return what the patrol last said, for a page about health.

    Args:
        layout: Of the workspace.
        whole: Also why it failed, which may name files.
    """
    state = read_state(layout)
    if state is None:
        return None
    said: dict[str, Any] = msgspec.to_builtins(state)
    return {name: value for name, value in said.items() if name != "error" or (whole and value)}


class _EndedError(Exception):
    """Nobody waits for the run any more."""


class Ending(Protocol):
    """As much of an event as a patrol asks."""

    def is_set(self) -> bool:
        """Tell whether it is time to end."""
        ...

    def wait(self, timeout: float) -> bool:
        """Wait for that; tell whether it has come."""
        ...


class Input:
    """Standard input, which ends with whoever started this process, whatever killed that."""

    def __init__(self, descriptor: int = 0) -> None:
        """Look at `descriptor`."""
        self._descriptor = descriptor
        self._over = False

    def is_set(self) -> bool:
        """Tell whether it has ended."""
        return self.wait(0.0)

    def wait(self, timeout: float) -> bool:
        """Wait for its end; tell whether it has come. Nobody sends anything."""
        if not self._over and select.select([self._descriptor], [], [], timeout)[0]:
            self._over = not os.read(self._descriptor, 1)
        return self._over


class Patrol:
    """One patrol; see the module."""

    def __init__(self, directory: Path, ended: Ending) -> None:
        """Prepare for the workspace at `directory`, until `ended` is set."""
        self._directory = directory
        self._layout = Layout(directory)
        self._ended = ended
        self._position = 0
        self._failures = 0

    def run(self) -> None:
        """Go round until ended; stands by while another patrol of the workspace does."""
        while not self._ended.is_set():
            try:
                with locked(self._layout.patrol_lock, 0.0):
                    self._go_round()
            except WorkspaceLocked:
                self._ended.wait(_STANDBY_SECONDS)
            except OSError as error:
                _LOG.warning("detection cannot be kept up: %s", error)
                self._ended.wait(_STANDBY_SECONDS)

    def _go_round(self) -> None:
        seen = -1
        while not self._ended.is_set():
            try:
                seen = self._look(seen)
            except _EndedError:
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told and tried again
                self._fail(error)
            else:
                self._failures = 0

    def _look(self, seen: int) -> int:
        """Run if the log has grown beyond `seen`; returns up to where there is nothing new."""
        self._wait_for_more(seen)
        self._say("running")
        done = self._detect()
        self._position = done.position
        self._say("waiting")
        said = (*done.outcomes, *done.superseded)
        own = sum(outcome.kind == "appended" for outcome in said)
        # What came while it ran is new to it; its own flags are not.
        return done.size if done.size == done.position + own else done.position

    def _wait_for_more(self, seen: int) -> None:
        with Workspace(self._directory) as workspace:
            reader = workspace.reader
            while reader.size <= seen:
                self._rest(_LOOK_SECONDS)
            size, first = -1, monotonic()
            while size != reader.size and monotonic() < first + _LONGEST_SECONDS:
                size = reader.size
                self._rest(_QUIET_SECONDS)

    def _rest(self, seconds: float) -> None:
        if self._ended.wait(seconds):
            raise _EndedError

    def _detect(self) -> Detected:
        def go_on(_done: int, _total: int) -> None:
            if self._ended.is_set():
                raise _EndedError

        with Workspace(self._directory) as workspace:
            level = workspace.settings.detect.q
            done = detect(workspace, level, onward=True, watch=Watch(go_on, go_on))
        for problem in done.problems:
            _LOG.warning("detection: %s", problem)
        return done

    def _fail(self, error: Exception) -> None:
        text = str(error) if isinstance(error, ProvenanceError) else repr(error)
        _LOG.warning("detection failed: %s", text)
        with suppress(OSError):  # the disk that refused the run may refuse this, too
            self._say("failed", " ".join(text.split()))
        delay = min(_AGAIN_SECONDS * 2**self._failures, _LATEST_SECONDS)
        self._failures += 1
        self._ended.wait(delay)

    def _say(
        self, state: Literal["waiting", "running", "failed"], error: str | None = None
    ) -> None:
        now = system_clock() // 1_000_000
        said = msgspec.json.encode(State(state, self._position, now, error))
        replace_file(self._layout.detection_state, said, mode=0o600, settle=False)


@contextmanager
def patrolling(directory: Path) -> Iterator[None]:
    """Keep a patrol going while the body runs, in a process of its own.

    Args:
        directory: Of the workspace.
    """
    ended = threading.Event()
    thread = threading.Thread(
        target=_keep_going, args=(directory, ended), name="patrol", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_END_SECONDS + 1.0)


def _keep_going(
    directory: Path, ended: threading.Event, start: Callable[..., Any] = beside.start
) -> None:
    delay = _AGAIN_SECONDS
    while not ended.is_set():
        began = monotonic()
        try:
            process = start("workspace.patrol", str(directory.resolve()))
        except OSError as error:
            _LOG.warning("detection cannot be started: %s", error)
        else:
            try:
                while process.poll() is None and not ended.wait(_LOOK_SECONDS / 4):
                    pass
            finally:
                beside.end(process, _END_SECONDS)
            if ended.is_set():
                return
            _LOG.warning("the detection process ended with code %s", process.returncode)
        lived = monotonic() - began
        delay = _AGAIN_SECONDS if lived > _LATEST_SECONDS else min(2 * delay, _LATEST_SECONDS)
        ended.wait(delay)


def main() -> None:
    """Go round until standard input ends."""
    os.nice(_POLITE)
    Patrol(Path(sys.argv[1]), Input()).run()


if __name__ == "__main__":
    main()
