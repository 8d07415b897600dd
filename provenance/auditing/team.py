"""The processes beside an audit, each with a thread that hands it work and takes its answers.

Each is a fresh interpreter on `provenance.auditing.checker`, not a copy of this process:
nothing of the caller's program is run twice, whatever it is. A process is only
used if it reads just what the audit's own snapshot holds: it names the head it
sees, and no commit may have come between the two. Where one cannot be used, or
dies, or is given up because it does not answer, its work comes back, and the
audit does it itself.

Next: provenance/auditing/crew.py
"""

from __future__ import annotations

import json
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Self

from provenance.auditing.checker import Found, state_of
from provenance.beside import start, usable_cpus
from provenance.store.storage import connect

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    import apsw

__all__ = ["Team", "Work", "usable_cpus"]


class Work:
    """Some ranges, and what is found there.

    Attributes:
        governing: As for `Checker.check`.
        bounds: Likewise; more may come until it is handed over.
        answer: Pending until a process takes it up; whoever cancels it before has it back.
        found: The answer of whoever has it back; None until then.
        process: Who has taken it up, if anybody has.
    """

    def __init__(self, governing: Sequence[int], start: int) -> None:
        """Begin with the entry at `start`, and none."""
        self.governing = governing
        self.bounds = [start]
        self.answer: Future[list[Found]] = Future()
        self.found: list[Found] | None = None
        self.process: subprocess.Popen[bytes] | None = None


class Team:
    """Some processes. Use as a context manager: at its end none of them is left.

    Attributes:
        joined: How many of them see what the audit sees, and take part.
    """

    def __init__(self, database: Path, subjects: Path | None) -> None:
        """Prepare for the log's database and its file of subject keys; start nothing yet."""
        self.joined = 0
        self._database = database
        self._subjects = subjects
        # Sees a commit of anybody else between two questions.
        self._watch = connect(database, readonly=True)
        self._commits = self._version()
        self._lock = Lock()
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[Thread] = []
        self._state = ""

    def __enter__(self) -> Self:
        """Be closed at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all processes, whatever they are doing."""
        for process in self._processes:
            process.kill()
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                _close(pipe)
        self._watch.close()

    def start(self, connection: apsw.Connection, count: int) -> None:
        """Start `count` of them; `connection` has its snapshot, taken since the team was made."""
        self._state = state_of(connection)
        for _ in range(count):
            try:
                process = self._started()
            except OSError:
                break  # there is no room for more; the audit gets by with fewer
            self._processes.append(process)
            thread = Thread(target=self._attend, args=(process,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def hand(self, work: Work) -> None:
        """Give some work to whoever is free."""
        self._work.put(work)

    @staticmethod
    def give_up(work: Work) -> str:
        """End the process that has taken some work up; returns what it was called."""
        process = work.process
        assert process is not None
        process.kill()  # its thread sees the end of its answers, and ends too
        return f"process {process.pid}"

    def _started(self) -> subprocess.Popen[bytes]:
        return start("provenance.auditing.checker")

    def _attend(self, process: subprocess.Popen[bytes]) -> None:
        """Hand work to one process until it ends, or the team does."""
        try:
            subjects = str(self._subjects.resolve()) if self._subjects else None
            given = {"database": str(self._database.resolve()), "subjects": subjects}
            if _ask(process, given) != self._state or not self._joins():
                return
        except (OSError, ValueError):
            return
        while (work := self._work.get()) is not None:
            work.process = process
            if not work.answer.set_running_or_notify_cancel():
                continue
            try:
                found = _ask(process, [work.governing, work.bounds])
                work.answer.set_result([Found(*found[at]) for at, _ in enumerate(work.bounds[1:])])
            except (OSError, ValueError, TypeError, LookupError) as error:
                work.answer.set_exception(error)
                return

    def _joins(self) -> bool:
        """Count a process in, unless somebody has committed something since the team was made."""
        with self._lock:
            if self._version() != self._commits:
                return False
            self.joined += 1
            return True

    def _version(self) -> int:
        version: int = self._watch.pragma("data_version")
        return version


def _ask(process: subprocess.Popen[bytes], what: object) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(what).encode() + b"\n")
    process.stdin.flush()
    # What a process that died has left is no line of JSON.
    return json.loads(process.stdout.readline())


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        return  # what was in it was for a process that is gone
