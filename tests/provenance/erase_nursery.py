"""Erasers that die: forked here, away from the test runner, before and after each step.

    python erase_nursery.py DIRECTORY

Exits with 0 when every erasure was completed afterwards; else a traceback says which was not.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crash_nursery import Step, dying, fork
from erase_tools import MARK, Rows, erase, follow, marked, raw
from log_factories import SECRET, Rig

from provenance import log
from provenance.auditing import audit
from provenance.forget import removal, run
from provenance.forget.run import state
from provenance.store import writing
from provenance.store.identity import Rows as RowKeys

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = [
    Step(run, "needles_of", 1, committed=False),
    Step(run, "write_marks", 1, committed=False),
    Step(writing, "insert_entries", 1, committed=False),
    Step(removal, "_delete", 1, committed=False),
    Step(RowKeys, "forget", 1, committed=False),
    Step(RowKeys, "forget_makers", 1, committed=False),
    Step(writing, "swap_head", 1, committed=False),
    Step(writing, "sign", 1, committed=False),
    Step(log, "publish", 1, committed=True),
    Step(log, "truncate", 1, committed=True),
    Step(Rows, "follow", 1, committed=True),
    Step(run, "write_marks", 2, committed=True),
]

PENDING = {
    ("needles_of", 1): (False, False),
    ("write_marks", 1): (False, True),
    ("write_marks", 2): (True, False),
}
"""Whether something is seen to be pending after a death before and after a step; else it is."""


def die() -> None:
    """Be killed, with no chance to tidy up."""
    os.kill(os.getpid(), signal.SIGKILL)


def erase_and_die(rig: Rig, step: Step, *, after: bool) -> None:
    """Open the log, then die at the step while erasing."""
    writer = rig.open()
    function: Callable[..., Any] = dying(step, after=after, death=die)
    setattr(step.owner, step.name, function)
    erase(rig, writer, whole=True)


def try_step(rig: Rig, step: Step, *, after: bool) -> None:
    """All is erased or nothing, the audit knows of no harm, and going on completes it."""
    process = fork(lambda: erase_and_die(rig, step, after=after))
    assert os.WIFSIGNALED(os.waitpid(process, 0)[1]), "the step was not reached"
    problems = rig.audit().problems
    assert all("the next writer mends it" in problem for problem in problems), problems
    reader = rig.reader()
    found = state(reader, rig.files)
    reader.close()
    assert found.logged == int(step.committed)
    assert bool(found.pending) is PENDING.get((step.name, step.call), (True, True))[after], found
    writer = rig.open()
    if not step.committed:
        erase(rig, writer, whole=True)
    assert follow(rig, writer).done
    writer.close()
    assert MARK not in raw(rig.directory)
    assert rig.audit().problems == []


def main() -> None:
    """Try all steps."""
    audit._LOOK_SECONDS = 0  # a crash between the two published files leaves them apart
    directory = Path(sys.argv[1])
    (directory / "whole").mkdir()
    rig = marked(Rig(directory / "whole"))
    assert MARK in raw(rig.directory)
    assert len(SECRET) == 32
    for number, step in enumerate(STEPS):
        for after in (False, True):
            sys.stdout.write(f"{step.name} {step.call} {'after' if after else 'before'}\n")
            sys.stdout.flush()
            try_step(rig.copied(directory / f"{number}-{after}"), step, after=after)


if __name__ == "__main__":
    main()
