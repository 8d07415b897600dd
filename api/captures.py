"""`POST /capture` of the EPCIS 2.0 REST binding: documents into the log, and what became of them.

A document is taken before the answer goes out, so its job is always finished.
With `rollback` it is rehearsed first, and taken only when every event can be;
with `proceed` events that cannot be taken go into quarantine. Jobs are told of
by their files, which outlive the server; what was taken is in the log for good.

Next: api/epcis_events.py
"""

from __future__ import annotations

import logging
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from api.capture_jobs import Jobs
from provenance.errors import InputError, StorageError, WorkspaceLocked
from provenance.ingest.rehearsal import Rehearsal
from provenance.ingest.run import ingest
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from api.capture_jobs import Job
    from provenance.ingest.ports import LogWriter
    from provenance.ingest.receipt import Receipt

__all__ = ["LARGEST", "Captures", "behaviour_of"]

Behaviour = Literal["rollback", "proceed"]

LARGEST: Final = 16 << 20
"""Most bytes of one document."""
_LOG: Final = logging.getLogger(__name__)
_PATIENCE_SECONDS: Final = 5.0
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
        self.jobs = Jobs(workspace.layout.captures)

    def take(self, document: bytes, behaviour: Behaviour) -> Job:
        """Take the events of a document; returns the finished job.

        A crash while it is taken: the job says so when it is asked for, and the same
        document completes it.

        Raises:
            InputError: It is no EPCIS document; nothing was logged, and there is no job.
            StorageError: The disk refused; with the same document again it is completed.
            WorkspaceError: The log cannot be written.
        """
        with self._turn, tempfile.TemporaryDirectory() as place:
            path = Path(place) / "capture.jsonld"
            path.write_bytes(document)
            said = {"createdAt": self._now(), "captureErrorBehaviour": behaviour}
            name = self.jobs.begin(self._clock(), self._entropy(_ID_BYTES), said)
            try:
                errors = self._log(path, behaviour)
            except InputError as error:
                self.jobs.drop(name)
                raise InputError(str(error).removeprefix(f"{path}: ")) from None
            except BaseException:
                self.jobs.abandon(name)
                raise
            done = {"finishedAt": self._now(), "success": not errors, "errors": errors}
            return self.jobs.finish(name, done)

    def _log(self, path: Path, behaviour: Behaviour) -> list[dict[str, str]]:
        with Workspace(self._directory, self._clock, self._entropy) as workspace:
            if behaviour == "rollback":
                rehearsed = self._ingest(path, Rehearsal(workspace.log), path.parent, workspace)
                errors = _errors(rehearsed)
                if errors:
                    return errors
            receipt = self._ingest(path, workspace.log, workspace.layout.quarantine, workspace)
            self._let_graph_follow(workspace)
            return _errors(receipt)

    @staticmethod
    def _let_graph_follow(workspace: Workspace) -> None:
        """Let the graph catch up; what was sent is logged, whether its server is there or not."""
        workspace.patience = _PATIENCE_SECONDS
        try:
            workspace.sync_graph()
        except (StorageError, WorkspaceLocked) as error:
            _LOG.warning("the log is complete, the graph is behind: %s", error)

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
    """One problem per event that was not taken, with its place in the document.

    What stood there is not quoted: the sender has it, and a job outlives what is erased.
    """
    (part,) = receipt.parts
    errors = [
        {
            "type": "epcisException:ValidationException",
            "title": "The event is not valid, or contradicts one that is known",
            "detail": reason,
            "instance": place,
        }
        for place, reason in part.refused
    ]
    if len(errors) < part.quarantined:
        more = part.quarantined - len(errors)
        errors.append({**errors[-1], "instance": "", "detail": f"and {more} further events"})
    return errors
