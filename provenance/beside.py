"""Processes of our own beside this one: how they are started, and that none is left behind.

Each is a fresh interpreter on a module of ours, not a copy of this process:
nothing of the caller's program is run twice, and no open database crosses a
fork. It is in a process group of its own, so that Ctrl-C reaches whoever started
it, and nobody else; it ends when its input does, so it never outlives that one,
whatever kills it.

Next: provenance/auditing/team.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["Companion", "end", "environment", "start", "usable_cpus"]


def usable_cpus() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment() -> dict[str, str]:
    """Return what a process needs to find the same modules as this one.

    With `-P`, none are taken from the directory that we happen to be in.
    """
    places = [place or os.getcwd() for place in sys.path]  # noqa: PTH109 - a text
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)}


def start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a module of ours; its input and output are pipes, and what it complains of is lost.

    Args:
        module: Its full name; it ends by itself when its input does.
        arguments: Not secret: other users of the machine can see them.

    Raises:
        OSError: The system has no room for another process.
    """
    return subprocess.Popen(  # noqa: S603 - a module of ours
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        process_group=0,
    )


def end(process: subprocess.Popen[bytes], patience: float = 0.0) -> None:
    """End a process by ending its input, by force if it takes longer than `patience` seconds."""
    with suppress(OSError):  # what was on its way was for a process that is gone
        if process.stdin is not None:
            process.stdin.close()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()


class Companion:
    """One process beside this one, while it is of use; a context manager: at its end it is gone.

    Attributes:
        process: What was started, if anything.
    """

    module: ClassVar[str]
    """What it runs; its one argument is the directory."""
    patience: ClassVar[float]
    """It has completed what it is at within these seconds of the end of its input."""

    def __init__(self, directory: Path) -> None:
        """Prepare for the workspace at `directory`; start nothing yet."""
        self._directory = directory
        self.process: subprocess.Popen[bytes] | None = None
        # With one processor it would only take time from whoever starts it.
        self._useful = usable_cpus() > 1

    def start(self) -> None:
        """Begin, if it has not begun and the machine has a processor to spare."""
        if self._useful and self.process is None:
            self._useful = False
            with suppress(OSError):  # there is no room for it; its work is done without it
                self.process = start(self.module, str(self._directory.resolve()))

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it complete what it is at, and end."""
        if self.process is not None:
            end(self.process, self.patience)
