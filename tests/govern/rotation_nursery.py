"""Rotations that die, forked here away from the test runner, and processes that rotate at once.

    python rotation_nursery.py steps DIRECTORY
    python rotation_nursery.py together DIRECTORY

Exits with 0 when every log was sound afterwards and its keys were where they belong.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from crash_nursery import Step, dying, fork
from log_factories import event
from rings import Ringed, other_key

from provenance import log
from provenance.auditing import audit
from provenance.govern import keyring
from provenance.govern.sources import KeySource
from provenance.notes import keys
from provenance.store import writing

VARIABLE = "ROTATION_NURSERY_KEY"

COMMON = [
    Step(writing, "continued_head", 1, committed=False),
    Step(writing, "sign", 1, committed=False),
    Step(log, "publish", 1, committed=True),
    Step(keyring.KeyRing, "_announce", 1, committed=True),
    Step(keyring.KeyRing, "_retire", 1, committed=True),
    Step(Path, "unlink", 1, committed=False),
]
TO_FILE = [
    *COMMON,
    Step(keyring.keys, "generate", 1, committed=False),
    Step(keyring.keys, "save", 1, committed=False),
    Step(keyring, "replace_file", 1, committed=True),
    Step(keyring, "replace_file", 2, committed=True),
    Step(keyring, "replace_file", 3, committed=True),
    Step(Path, "unlink", 3, committed=True),
    Step(keys.os, "fsync", 1, committed=False),
    Step(keys.os, "fsync", 2, committed=False),
]
ELSEWHERE = [
    *COMMON,
    Step(keyring, "replace_file", 1, committed=False),
    Step(keyring, "replace_file", 2, committed=True),
    Step(keyring, "replace_file", 3, committed=True),
    Step(Path, "unlink", 2, committed=True),
    Step(Path, "unlink", 3, committed=True),
]


def rotate_and_die(ringed: Ringed, source: KeySource, step: Step, *, after: bool) -> None:
    """Die at the step while handing the log over."""
    opened = ringed.open()
    setattr(step.owner, step.name, dying(step, after=after, death=lambda: os._exit(9)))
    keyring_rotate(opened, ringed, source)


def keyring_rotate(opened: log.Log, ringed: Ringed, source: KeySource) -> None:
    """Hand over an open log."""
    from provenance.clock import system_entropy  # noqa: PLC0415 - beside its one use
    from provenance.govern.rotation import rotate  # noqa: PLC0415 - as above

    rotate(opened, ringed.ring, system_entropy, source)


def try_step(ringed: Ringed, source: KeySource, step: Step, *, after: bool) -> None:
    """The log has the old key or the new one, knows which, and can be handed over again."""
    process = fork(lambda: rotate_and_die(ringed, source, step, after=after))
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9, "the step was not reached"
    problems = ringed.audit().problems
    assert all("the next writer mends it" in problem for problem in problems), problems
    assert len(ringed.vkeys()) == 1 + step.committed
    ringed.check(10)
    if step.committed:
        assert not {"next.key", "next.json"} & set(ringed.names())
    ringed.rotate()
    ringed.check(11)
    assert not {"next.key", "next.json"} & set(ringed.names())
    assert len(ringed.vkeys()) == 2 + step.committed


def steps(directory: Path) -> None:
    """Die before and after every step, towards a file and towards a variable."""
    key = other_key(500)
    os.environ[VARIABLE] = key.secret_text()
    whole = Ringed.made(directory / "whole")
    for name, source, listed in (
        ("file", KeySource(), TO_FILE),
        ("variable", KeySource(env=VARIABLE), ELSEWHERE),
    ):
        for number, step in enumerate(listed):
            for after in (False, True):
                sys.stdout.write(f"{name} {step.name} {step.call} {after}\n")
                sys.stdout.flush()
                copy = directory / f"{name}-{number}-{after}"
                shutil.copytree(whole.directory, copy)
                try_step(Ringed(copy), source, step, after=after)


def together(directory: Path) -> None:
    """Three processes rotate while two others append, all on one log."""
    ringed = Ringed.made(directory / "shared")
    processes = [fork(ringed.rotate) for _ in range(3)]
    processes += [fork(lambda n=n: append_some(ringed, n)) for n in (100, 200)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    assert codes == [0] * 5, codes
    assert len(ringed.vkeys()) == 4
    ringed.check(10)
    assert len(ringed.names()) == 4
    reader = ringed.rig.reader()
    for number in (*range(100, 115), *range(200, 215)):
        assert reader.find(("event", "acme", f"E-{number}")) is not None
    reader.close()


def append_some(ringed: Ringed, first: int) -> None:
    """Append fifteen events with one open log, one call each."""
    opened = ringed.open()
    for number in range(first, first + 15):
        opened.append([event(number)])


def main() -> None:
    """Do what the command line says."""
    audit._LOOK_SECONDS = 0  # a crash between the two published files leaves them apart
    {"steps": steps, "together": together}[sys.argv[1]](Path(sys.argv[2]))


if __name__ == "__main__":
    main()
