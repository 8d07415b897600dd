"""Mirrors that die: pulls from a static export, in processes that end at a chosen step.

    python mirror_nursery.py DIRECTORY

Exits with 0 when after each death the next pull completed the mirror; else a traceback says where.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "provenance"))

from crash_nursery import Step, dying, fork
from log_factories import Rig, seeded

from provenance.wire import mirror, replica
from provenance.wire.remote import RemoteLog
from provenance.wire.replica import Replica
from provenance.wire.static import export
from workspace.mirror import Source, make_mirror, pull_into
from workspace.workspace import Workspace

EVENTS, CHUNK = 40, 16
STEPS = [
    Step(Replica, "note_target", 1, committed=False),
    Step(Replica, "take", 1, committed=False),
    Step(Replica, "take", 2, committed=False),
    Step(Replica, "_insert", 2, committed=False),
    Step(Replica, "_write_keys", 2, committed=False),
    Step(replica, "swap_head", 2, committed=False),
    Step(Replica, "forget", 1, committed=False),
    Step(Replica, "show", 1, committed=False),
    Step(replica, "publish", 1, committed=False),
    Step(Path, "replace", 2, committed=False),
    Step(Path, "replace", 3, committed=False),
    Step(Path, "unlink", 1, committed=False),
]


def pull(place: Path, source: Path) -> int:
    """Pull once; returns how many entries the mirror has."""
    with RemoteLog(source.as_uri()) as remote:
        return pull_into(place, Source(remote, None), lambda _done, _total: None)[0].size


def pull_and_die(place: Path, source: Path, step: Step, *, after: bool) -> None:
    """Die at the step."""
    setattr(step.owner, step.name, dying(step, after=after, death=lambda: os._exit(9)))
    pull(place, source)


def try_step(place: Path, source: Path, step: Step, *, after: bool) -> None:
    """Whatever is there after the death is a beginning; the next pull completes it."""
    process = fork(lambda: pull_and_die(place, source, step, after=after))
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9, "the step was not reached"
    assert pull(place, source) == 1 + EVENTS
    with Workspace(place) as workspace:
        assert workspace.audit(lambda _done, _total: None).problems == []
    assert not (place / "pulling").exists()


def main() -> None:
    """Try every step, before and after."""
    directory = Path(sys.argv[1])
    mirror._CHUNK = CHUNK
    (directory / "log").mkdir()
    rig = Rig(directory / "log").filled(EVENTS)
    reader = rig.reader()
    export(reader, directory / "export")
    reader.close()
    policy = f"log {rig.key.vkey}\nquorum none\n".encode()
    for number, step in enumerate(STEPS):
        for after in (False, True):
            sys.stdout.write(f"{step.name} {step.call} {'after' if after else 'before'}\n")
            sys.stdout.flush()
            place = directory / f"{number}-{after}"
            with RemoteLog((directory / "export").as_uri()) as remote:
                make_mirror(place, Source(remote, policy), seeded(number))
            try_step(place, directory / "export", step, after=after)


if __name__ == "__main__":
    main()
