"""Witnesses that die at chosen steps of cosigning, away from the test runner.

    python witness_nursery.py steps DIRECTORY              all steps, each in a forked process
    python witness_nursery.py serve DIRECTORY STEP WHEN    one step, over HTTP, by SIGKILL

`steps` exits with 0 when every witness kept its word; else a traceback says which did not.
`serve` tells its address and serves until it reaches the step.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from witness_tools import ORIGIN, Operator, new_witness

from api.server import Listening, serve_app
from api.witness_app import create_witness_app
from provenance import files
from provenance.clock import system_clock
from provenance.wire import witness_state
from provenance.wire.witness_state import Witness

if TYPE_CHECKING:
    from collections.abc import Callable

LOG = Operator()
STEPS: dict[str, tuple[Any, str, bool]] = {  # where it is, and whether its work lasts
    "judge": (witness_state, "judge", False),
    "cosign": (witness_state, "cosign", False),
    "write": (witness_state, "replace_file", True),
    "fsync": (files.os, "fsync", False),
    "rename": (Path, "replace", True),
    "settle": (files, "sync_directory", True),
    "reply": (witness_state, "Reply", True),
}


def lasts(step: str, when: str) -> bool:
    """Whether a death at this moment leaves the new checkpoint remembered."""
    return STEPS[step][2] and (when == "after" or step in {"settle", "reply"})


def arm(step: str, when: str, death: Callable[[], object]) -> None:
    """Make this process die at a step: before its work or after it."""
    owner, name, _ = STEPS[step]
    real = getattr(owner, name)

    def dying(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            death()
        result = real(*arguments, **named)
        death()
        return result

    setattr(owner, name, dying)


def prepare(directory: Path) -> Witness:
    """Make a witness that has cosigned five entries."""
    witness = new_witness(directory, LOG.key.vkey, clock=system_clock)
    assert witness.add_checkpoint(LOG.request(0, 5)).status == 200
    return witness


def check(directory: Path, step: str, when: str) -> None:
    """See that what is remembered is the old or the new state, and that no other is cosigned."""
    witness = Witness(directory, system_clock)
    size = witness.last(ORIGIN)[0].size
    assert size == (9 if lasts(step, when) else 5)
    if size == 9:
        assert witness.add_checkpoint(LOG.request(5, 9)).text == "9\n"
        assert witness.add_checkpoint(LOG.request(9, 9, fork=7)).status == 409
        assert witness.add_checkpoint(LOG.request(9, 10, fork=7)).status == 422
    assert witness.add_checkpoint(LOG.request(size, 9)).status == 200


def steps(directory: Path) -> None:
    """Die at every step, before and after it."""
    prepare(directory / "whole")
    for step in STEPS:
        for when in ("before", "after"):
            sys.stdout.write(f"{step} {when}\n")
            sys.stdout.flush()
            place = directory / f"{step}-{when}"
            shutil.copytree(directory / "whole", place)
            process = os.fork()
            if process == 0:
                arm(step, when, lambda: os._exit(9))
                Witness(place, system_clock).add_checkpoint(LOG.request(5, 9))
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            assert status == 9, "the step was not reached"
            check(place, step, when)


def serve(directory: Path, step: str, when: str) -> None:
    """Serve until the step is reached."""
    witness = Witness(directory, system_clock)
    arm(step, when, lambda: os.kill(os.getpid(), signal.SIGKILL))

    def tell(address: str) -> None:
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()

    serve_app(create_witness_app(witness), Listening(port=0), tell)


if __name__ == "__main__":
    what, place, *more = sys.argv[1:]
    {"steps": steps, "serve": serve}[what](Path(place), *more)  # type: ignore[operator]
