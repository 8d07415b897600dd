"""The log is written by a process of its own, while this one reads files and prepares batches.

Batches go there and outcomes come back, one after the other, over pipes. What came
back is acknowledged: durable and signed for. A batch that was cut off on its way is
not appended; one that arrived whole may be, and is then known when it comes again.
After a failure nothing more is appended. It ends when its input does.

Next: workspace/projecting.py
"""

from __future__ import annotations

import gc
import pickle
import select
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import orjson

from provenance import errors
from provenance.beside import Companion, end
from provenance.entries import Outcome
from provenance.errors import ProvenanceError, StorageError
from provenance.store.storage import hold_little
from workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from provenance.log import Log
    from provenance.store.preparing import Prepared

__all__ = ["Appending", "serve"]

_HELD: Final = 48 << 20
_HELD_HERE: Final = 24 << 20
_NO_LIMIT: Final = 0
_LENGTH: Final = struct.Struct(">Q")
_LONGEST: Final = 4_000
_READY: Final = b"ready"
_KINDS: Final = ("appended", "duplicate", "conflict", "stale")


class Appending(Companion):
    """Lets the log be written beside; where there is no room for a process, it is written here."""

    module = "workspace.appending"
    patience = 130.0  # a batch is appended within this: other writers have two minutes before it

    def __init__(self, directory: Path) -> None:
        """Prepare for the workspace at `directory`; start nothing yet."""
        super().__init__(directory)
        self._is_ready = False

    def is_ready(self) -> bool:
        """Say whether it has opened the log; one that cannot is not asked again."""
        if self._is_ready or self.process is None:
            return self._is_ready
        assert self.process.stdout is not None
        if select.select([self.process.stdout], [], [], 0)[0]:
            self._is_ready = _read(self.process.stdout) == _READY
            if self._is_ready:
                hold_little(_HELD_HERE)  # from now on things are only looked up here
            else:
                end(self.process)
                self.process = None
        return self._is_ready

    def send(self, prepared: Prepared) -> None:
        """Hand a batch over; see `provenance.ingest.lane.Writer`."""
        assert self.process is not None
        assert self.process.stdin is not None
        try:
            _write(self.process.stdin, pickle.dumps(prepared, protocol=5))
        except OSError:
            raise self._ended() from None

    def receive(self, digests: Sequence[bytes]) -> list[Outcome] | None:
        """Wait for what became of a batch; see `provenance.ingest.lane.Writer`."""
        assert self.process is not None
        assert self.process.stdout is not None
        try:
            told = _read(self.process.stdout)
        except OSError:
            told = None
        if told is None:
            raise self._ended()
        kinds, indexes, failure = orjson.loads(told)
        if failure is not None:
            raise _error(*failure)
        if kinds is None:
            return None
        # Of what was appended the digest is known here.
        return [
            Outcome("appended", index, digest) if not kind else Outcome(_KINDS[kind], index)
            for kind, index, digest in zip(kinds, indexes, digests, strict=True)
        ]

    @staticmethod
    def _ended() -> StorageError:
        return StorageError(
            "the process that writes the log has ended before its time (was it killed, or is "
            "memory short?); what was acknowledged is in the log, and the same command goes on "
            "from there"
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it append what has reached it, and end."""
        super().__exit__(kind, error, trace)
        if self._is_ready:
            hold_little(_NO_LIMIT)


def serve(log: Log, batches: IO[bytes], answers: IO[bytes]) -> None:
    """Append batches until there are no more; after a failure only say so.

    A crash at any point: the log is as `Log.append` leaves it then.
    """
    failure: tuple[str, str] | None = None
    while (sent := _read(batches)) is not None:
        outcomes: list[Outcome] | None = []
        if failure is None:
            try:
                prepared: Prepared = pickle.loads(sent)  # noqa: S301 - from whoever started this
                outcomes = log.append_prepared(prepared)
            except Exception as error:  # noqa: BLE001 - whoever waits for it has to know
                failure = (type(error).__name__, str(error)[:_LONGEST])
        _write(answers, _answer(outcomes, failure))


def _answer(outcomes: list[Outcome] | None, failure: tuple[str, str] | None) -> bytes:
    """Write what became of a batch: kinds as numbers, and indexes, or a failure.

    A few bytes a draft: they fit into the pipe, so nobody waits for somebody who waits.
    """
    if outcomes is None or failure is not None:
        return orjson.dumps([None, None, failure])
    kinds = [_KINDS.index(outcome.kind) for outcome in outcomes]
    return orjson.dumps([kinds, [outcome.index for outcome in outcomes], None])


def _error(name: str, text: str) -> ProvenanceError:
    """Give an error of the other process the class that it had there."""
    known = getattr(errors, name, None)
    if isinstance(known, type) and issubclass(known, ProvenanceError):
        return known(text)
    return StorageError(f"the process that writes the log has failed: {name}: {text}")


def _write(pipe: IO[bytes], data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes | None:
    """Read what `_write` wrote; None at the end, and where it was cut off."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    data = pipe.read(size)
    return data if len(data) == size else None


def main() -> None:
    """Append to the log of a workspace what comes over standard input."""
    hold_little(_HELD)
    try:
        with Workspace(Path(sys.argv[1])) as workspace, suppress(BrokenPipeError):
            log = workspace.log
            gc.freeze()
            gc.disable()  # a batch leaves no cycles: there is nothing to be found
            _write(sys.stdout.buffer, _READY)
            serve(log, sys.stdin.buffer, sys.stdout.buffer)
    except ProvenanceError:
        sys.exit(1)


if __name__ == "__main__":
    main()
