"""Writers that die: forked here, away from the test runner, at chosen and at random moments.

    python crash_nursery.py steps DIRECTORY
    python crash_nursery.py kills DIRECTORY ROUNDS SEED

Exits with 0 when every log was sound and complete afterwards; else a traceback says which was not.
"""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from log_factories import Rig, check_log, event, settling

from provenance import files, log
from provenance.auditing import audit
from provenance.clock import system_entropy
from provenance.store import identity, published, writing
from provenance.store.identity import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

OLD, NEW = 5, 10  # events before and after the append that dies


class Step(NamedTuple):
    """A function of the write path, which of its calls, and whether its work lasts."""

    owner: Any
    name: str
    call: int
    committed: bool


STEPS = [
    Step(log, "prepare", 1, committed=False),
    Step(log, "locked", 1, committed=False),
    Step(writing, "transaction", 1, committed=False),
    Step(writing, "continued_head", 1, committed=False),
    Step(writing, "_settle", 1, committed=False),
    Step(writing, "_ingest_time", 1, committed=False),
    Step(writing, "encode_leaves", 1, committed=False),
    Step(writing, "_grow", 1, committed=False),
    Step(writing, "insert_entries", 1, committed=False),
    Step(Rows, "write_run", 1, committed=False),
    Step(identity, "move_on", 1, committed=False),
    Step(Rows, "write_makers", 1, committed=False),
    Step(writing, "_move_sums", 1, committed=False),
    Step(writing, "swap_head", 1, committed=False),
    Step(writing, "sign", 1, committed=False),
    Step(log, "publish", 1, committed=True),
    Step(published, "replace_file", 1, committed=True),
    Step(published, "replace_file", 2, committed=True),
    Step(files.os, "fsync", 1, committed=True),
    Step(files.os, "fsync", 2, committed=True),
    Step(files.os, "fsync", 3, committed=True),
    Step(Path, "replace", 1, committed=True),
    Step(Path, "replace", 2, committed=True),
]


def dying(step: Step, *, after: bool, death: Callable[[], object]) -> Callable[..., Any]:
    """The step's function, dying at its nth call: before its work or after it."""
    real = getattr(step.owner, step.name)
    calls = 0

    def function(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == step.call and not after:
            death()
        result = real(*arguments, **named)
        if calls == step.call and after:
            death()
        return result

    return function


def fork(work: Callable[[], object]) -> int:
    """Run `work` in a process of its own; returns its id."""
    process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(0)
    return process


def append_and_die(rig: Rig, step: Step, *, after: bool) -> None:
    """Open the log, then die at the step while appending."""
    writer = rig.open()
    setattr(step.owner, step.name, dying(step, after=after, death=lambda: os._exit(9)))
    with settling(2, 2):  # row keys move through several tables on the way
        writer.append([event(number) for number in range(OLD, NEW)])


def append_and_die_at_commit(rig: Rig, *, after: bool) -> None:
    """Append, and die inside SQLite: when it is to commit, or when the commit is in the WAL."""
    writer = rig.open()
    if after:
        writer._connection.set_wal_hook(lambda *_: os._exit(9))
    else:
        writer._connection.set_commit_hook(lambda: os._exit(9))
    writer.append([event(number) for number in range(OLD, NEW)])


def try_commit(rig: Rig, *, after: bool) -> None:
    """The one moment at which nothing becomes all."""
    process = fork(lambda: append_and_die_at_commit(rig, after=after))
    examine(rig, process, committed=after)


def try_step(rig: Rig, step: Step, *, after: bool) -> None:
    """A step of the write path, in a process that dies there."""
    process = fork(lambda: append_and_die(rig, step, after=after))
    examine(rig, process, committed=step.committed)


def examine(rig: Rig, process: int, *, committed: bool) -> None:
    """All or nothing is there, the audit knows of no harm, and the same call completes it."""
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9, "the step was not reached"
    problems = rig.audit().problems
    assert all("the next writer mends it" in problem for problem in problems), problems
    reader = rig.reader()
    assert reader.size == 1 + (NEW if committed else OLD)
    reader.close()
    check_log(rig, acknowledged=OLD, drafts=NEW)


def append_for_ever(rig: Rig, first: int, acknowledge: int) -> None:
    """Append three events at a time, and tell the last one that was acknowledged."""
    writer = rig.open()
    for number in range(first, first + 3000, 3):
        writer.append([event(each) for each in range(number, number + 3)])
        os.write(acknowledge, f"{number + 3}\n".encode())


def kill_one(rig: Rig, first: int, seconds: float, *, writing: bool) -> int:
    """Start a writer, kill it after some time; returns how many events it acknowledged.

    With `writing`, the time begins with its first acknowledgement, however slow the machine is.
    """
    ours, theirs = os.pipe()
    process = fork(lambda: append_for_ever(rig, first, theirs))
    os.close(theirs)
    if writing:
        select.select([ours], [], [], 30)
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(process, 0)[1])
    with os.fdopen(ours) as pipe:
        lines = pipe.read().splitlines()
    return int(lines[-1]) if lines else first


def kills(directory: Path, rounds: int, seed: int) -> None:
    """Kill writer after writer on one log, each going over some known events first."""
    rng = random.Random(seed)
    rig = Rig(directory, entropy=system_entropy)
    rig.create().close()
    acknowledged = 0
    for number in range(rounds):
        first = max(0, acknowledged - rng.randrange(9))
        done = kill_one(rig, first, rng.uniform(0.005, 0.12), writing=number % 2 == 0)
        acknowledged = max(acknowledged, done)
        check_log(rig, acknowledged, drafts=acknowledged)
        acknowledged = rig.audit().size - 1
    assert acknowledged > rounds, "the writers hardly wrote"
    sys.stdout.write(f"{acknowledged} events in {rounds} rounds\n")


def main() -> None:
    """Do what the command line says."""
    what, directory, *numbers = sys.argv[1:]
    if what == "kills":
        kills(Path(directory), *map(int, numbers))
        return
    audit._LOOK_SECONDS = 0  # a crash between the two published files leaves them apart
    whole = Path(directory) / "whole"
    whole.mkdir()
    rig = Rig(whole).filled(OLD)
    for after in (False, True):
        sys.stdout.write(f"commit 1 {'after' if after else 'before'}\n")
        try_commit(rig.copied(Path(directory) / f"commit-{after}"), after=after)
    for number, step in enumerate(STEPS):
        for after in (False, True):
            sys.stdout.write(f"{step.name} {step.call} {'after' if after else 'before'}\n")
            sys.stdout.flush()
            try_step(rig.copied(Path(directory) / f"{number}-{after}"), step, after=after)


if __name__ == "__main__":
    main()
