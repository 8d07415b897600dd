"""Erasers of a whole workspace that die while its files follow: forked here, without threads.

    python erase_crash.py DIRECTORY WORKSPACE

WORKSPACE is copied for each step. Exits with 0 when every erasure was completed by the next writer.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from graph.stores import sqlite
from graph.stores.sqlite import SqliteStore
from provenance.forget.run import state
from provenance.forget.survey import Survey
from provenance.forget.wanted import Subject, Wanted, record_of
from provenance.ingest import forgetting
from workspace.followers import Places
from workspace.workspace import Workspace

SUBJECT = "Ana Belén"
LOT = "LOT-MARKED"

BOTH = [
    (Places, "_rows_set_aside"),
    (forgetting, "replace_file"),
    (Places, "_graph"),
    (SqliteStore, "purge"),
    (sqlite, "truncate"),
]
STEPS: list[tuple[bool, Any, str]] = [
    *((False, owner, name) for owner, name in [*BOTH, (SqliteStore, "forget")]),
    *((True, owner, name) for owner, name in [*BOTH[2:], (SqliteStore, "reset")]),
]


def erase(data: Path, *, whole: bool) -> None:
    """Erase the event that made a lot, or all about somebody."""
    with Workspace(data) as workspace:
        wanted: Wanted = Subject(SUBJECT)
        if whole:
            index = workspace.reader.find(("event", "self", "E-4"))
            wanted = record_of(workspace.reader.entry(index or 0), ())
        survey = Survey(workspace.reader, wanted)
        survey.advance()
        forgetter = workspace.forgetter(workspace.log)
        forgetter.erase(survey, party="self")
        forgetter.follow()


def die(data: Path, owner: Any, name: str, *, after: bool, whole: bool) -> None:
    """Erase, and be killed before or after a step."""
    real = getattr(owner, name)

    def step(*arguments: Any, **named: Any) -> Any:
        if after:
            real(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, step)
    erase(data, whole=whole)


def killed(data: Path, owner: Any, name: str, *, after: bool, whole: bool) -> bool:
    """Do it in another process; says whether it was killed."""
    process = os.fork()
    if process == 0:
        try:
            die(data, owner, name, after=after, whole=whole)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


def holds(data: Path, mark: str) -> list[str]:
    """Files of the workspace that hold a text."""
    files = [path for path in data.rglob("*") if path.is_file()]
    return [str(path) for path in files if mark.encode() in path.read_bytes()]


def main() -> None:
    """Try all steps."""
    directory, made = map(Path, sys.argv[1:])
    for number, (whole, owner, name) in enumerate(STEPS):
        mark = LOT if whole else SUBJECT
        for after in (False, True):
            sys.stdout.write(f"{name} {'after' if after else 'before'} {mark}\n")
            data = directory / f"{number}-{after}"
            shutil.copytree(made, data)
            assert holds(data, mark)
            assert killed(data, owner, name, after=after, whole=whole), "the step was not reached"
            with Workspace(data) as workspace:
                assert not state(workspace.reader, workspace.layout.log).done
                assert workspace.log.size
                assert state(workspace.reader, workspace.layout.log).done
                assert workspace.audit(lambda _done, _total: None).problems == []
            assert holds(data, mark) == []
            shutil.rmtree(data)


if __name__ == "__main__":
    main()
