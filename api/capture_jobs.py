"""Capture jobs on disk: what became of each document, for those who ask after a restart.

A job is a file, written before its document is touched and again when it is
done. One that says it is running, and is not, was cut off: the same document
again completes it. A job quotes no event, so an erasure has nothing to look for.

Next: api/captures.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from provenance.errors import InputError, NotFound
from provenance.files import replace_file
from provenance.store.storage import translated

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KEPT", "Job", "Jobs"]

Job = dict[str, Any]
"""As the standard's `EPCISCaptureJob` has it."""

KEPT: Final = 1_000
"""Jobs that are told of; the oldest finished ones go."""
_ID: Final = re.compile(r"[0-9a-f]{14}-[0-9a-f]{32}\Z")
_CUT_OFF: Final = {
    "type": "epcisException:ImplementationException",
    "title": "Something stopped the capture half-way",
    "detail": "send it again: what was taken is in the log, and nothing is doubled",
}


class Jobs:
    """The jobs of one workspace; ids rise with time."""

    def __init__(self, directory: Path) -> None:
        """Keep them in `directory`, which is made when needed."""
        self._directory = directory
        self._running: set[str] = set()

    def begin(self, time_us: int, random: bytes, job: Job) -> str:
        """Write down a job that is about to run; returns its id.

        Raises:
            StorageError: The disk refused.
        """
        name = f"{time_us:014x}-{random.hex()}"
        self._running.add(name)
        with translated(self._directory):
            self._directory.mkdir(mode=0o700, exist_ok=True)
        self._write(name, {"captureID": name, **job, "running": True})
        return name

    def finish(self, name: str, changes: Job) -> Job:
        """Write down what became of it; returns the job.

        Raises:
            StorageError: The disk refused.
        """
        done = {**self._read(name), **changes, "running": False}
        self._write(name, done)
        self._running.discard(name)
        self._forget_old()
        return done

    def abandon(self, name: str) -> None:
        """Let a job be told of as one that was cut off: it failed half-way."""
        self._running.discard(name)

    def drop(self, name: str) -> None:
        """Forget a job of which nothing came: its document was none."""
        self._running.discard(name)
        self._path(name).unlink(missing_ok=True)

    def get(self, name: str) -> Job:
        """Return a job.

        Raises:
            NotFound: There is none of this id.
        """
        if not _ID.match(name) or not self._path(name).exists():
            raise NotFound("no capture of this id is known here")
        return self._told(name)

    def page(self, size: int, before: str) -> tuple[list[Job], str]:
        """Return jobs, the newest first, and the token of the next page, "" at the end.

        Args:
            size: At most so many.
            before: The token of the page, "" for the first.

        Raises:
            InputError: The token is none.
        """
        if before and not _ID.match(before):
            raise InputError("nextPageToken: is not one that this server gave out")
        names = [name for name in reversed(self._names()) if not before or name < before]
        jobs = [self._told(name) for name in names[:size]]
        return jobs, names[size - 1] if len(names) > size else ""

    def _told(self, name: str) -> Job:
        job = self._read(name)
        if job["running"] and name not in self._running:
            return {**job, "running": False, "success": False, "errors": [_CUT_OFF]}
        return job

    def _names(self) -> list[str]:
        if not self._directory.is_dir():
            return []
        return sorted(path.stem for path in self._directory.glob("*.json") if _ID.match(path.stem))

    def _forget_old(self) -> None:
        names = [name for name in self._names() if name not in self._running]
        for name in names[: max(0, len(names) - KEPT)]:
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}.json"

    def _read(self, name: str) -> Job:
        try:
            found: Job = orjson.loads(self._path(name).read_bytes())
        except (OSError, ValueError):
            raise NotFound("no capture of this id is known here") from None
        return found

    def _write(self, name: str, job: Job) -> None:
        with translated(self._directory):
            replace_file(self._path(name), orjson.dumps(job), mode=0o600)
