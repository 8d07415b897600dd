"""`POST /capture` of the EPCIS 2.0 REST binding: documents into the log, and what became of them.

A document is taken before the answer goes out, so its job is always finished.
With `rollback` it is rehearsed first, and taken only when every event can be;
with `proceed` events that cannot be taken go into quarantine. Jobs are told of
as long as the server runs; what was taken is in the log for good.

Next: api/epcis_events.py
"""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from provenance.errors import InputError, NotFound
from provenance.ingest.rehearsal import Rehearsal
from provenance.ingest.run import ingest
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from provenance.ingest.ports import LogWriter
    from provenance.ingest.receipt import Receipt

__all__ = ["LARGEST", "Captures", "behaviour_of"]

Behaviour = Literal["rollback", "proceed"]

LARGEST: Final = 16 << 20
"""Most bytes of one document."""
_JOBS_KEPT: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ID_BYTES: Final = 16


def behaviour_of(header: str | None) -> Behaviour:
    """Read `GS1-Capture-Error-Behaviour`.

    Raises:
        InputError: It is neither rollback nor proceed.
    """
    if header in {None, "rollback"}:
        return "rollback"
    if header == "proceed":
        return "proceed"
    raise InputError("GS1-Capture-Error-Behaviour: is neither rollback nor proceed")


class Captures:
    """Takes documents into one workspace, one after the other."""

    def __init__(self, workspace: Workspace) -> None:
        """Take into `workspace`, whose log is opened anew for each document."""
        self._directory = workspace.layout.directory
        self._clock = workspace.clock
        self._entropy = workspace.entropy
        self._turn = threading.Lock()
        self._jobs: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def take(self, document: bytes, behaviour: Behaviour) -> dict[str, Any]:
        """Take the events of a document; returns the finished job.

        Raises:
            InputError: It is no EPCIS document; nothing was logged.
            StorageError: The disk refused; with the same document again it is completed.
            WorkspaceError: The log cannot be written.
        """
        created = self._now()
        with self._turn, tempfile.TemporaryDirectory() as place:
            path = Path(place) / "capture.jsonld"
            path.write_bytes(document)
            try:
                errors = self._log(path, behaviour)
            except InputError as error:
                raise InputError(str(error).removeprefix(f"{path}: ")) from None
            job: dict[str, Any] = {
                "captureID": self._entropy(_ID_BYTES).hex(),
                "createdAt": created,
                "finishedAt": self._now(),
                "running": False,
                "success": not errors,
                "captureErrorBehaviour": behaviour,
                "errors": errors,
            }
            self._jobs[job["captureID"]] = job
            if len(self._jobs) > _JOBS_KEPT:
                self._jobs.popitem(last=False)
        return job

    def job(self, capture_id: str) -> dict[str, Any]:
        """Return a job of this server.

        Raises:
            NotFound: There is none of this id.
        """
        found = self._jobs.get(capture_id)
        if found is None:
            raise NotFound("no capture of this id since the server was started")
        return found

    def _log(self, path: Path, behaviour: Behaviour) -> list[dict[str, str]]:
        with Workspace(self._directory, self._clock, self._entropy) as workspace:
            if behaviour == "rollback":
                rehearsed = self._ingest(path, Rehearsal(workspace.log), path.parent, workspace)
                errors = _errors(rehearsed)
                if errors:
                    return errors
            receipt = self._ingest(path, workspace.log, workspace.layout.quarantine, workspace)
            workspace.sync_graph()
            return _errors(receipt)

    def _ingest(
        self, path: Path, log: LogWriter, quarantine: Path, workspace: Workspace
    ) -> Receipt:
        return ingest(
            [str(path)],
            log,
            party=workspace.settings.party,
            quarantine=quarantine,
            clock=self._clock,
            entropy=self._entropy,
        )

    def _now(self) -> str:
        time = _EPOCH + timedelta(microseconds=self._clock())
        return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _errors(receipt: Receipt) -> list[dict[str, str]]:
    """One problem per event that was not taken, with its place in the document."""
    (part,) = receipt.parts
    if part.quarantine is None:
        return []
    kept = orjson.loads(Path(part.quarantine).read_bytes())
    return [
        {
            "type": "epcisException:ValidationException",
            "title": "The event is not valid, or contradicts one that is known",
            "detail": entry["reason"],
            "instance": entry["place"],
        }
        for entry in kept["epcisBody"]["quarantine"]
    ]
