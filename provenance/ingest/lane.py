"""Batches on their way into the log: appended here, or beside while this process reads on.

Appended beside, a batch is prepared here and handed over, and what became of it
is heard when the next one has been handed over. Batches are appended in the order
in which they were put, whoever does it.

Next: provenance/ingest/sink.py
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provenance.entries import Draft, Outcome
    from provenance.ingest.ports import LogWriter
    from provenance.store.preparing import Prepared, Preparer

    Settle = Callable[[Sequence[Draft], list[Outcome]], None]
    """Is told the drafts of a batch, and what became of each."""

__all__ = ["Lane", "Writer"]

_AHEAD: Final = 1
"""Batches that may be on their way while another one is prepared."""


class Writer(Protocol):
    """Somebody beside this process who appends to the same log."""

    def is_ready(self) -> bool:
        """Say whether batches can be sent."""
        ...

    def send(self, prepared: Prepared) -> None:
        """Hand a batch over, to be appended after those that were handed over before.

        Raises:
            ProvenanceError: It has failed; nothing of this batch will be appended.
        """
        ...

    def receive(self, digests: Sequence[bytes]) -> list[Outcome] | None:
        """Wait for what became of the batch that was sent first, of those not heard of yet.

        Args:
            digests: Of its bodies.

        Returns:
            As `Log.append_prepared`.

        Raises:
            ProvenanceError: It could not be appended, and no later one will be.
        """
        ...


class _Sent(NamedTuple):
    drafts: Sequence[Draft]
    digests: list[bytes]
    settle: Settle


class Lane:
    """The way of one ingest into the log."""

    def __init__(self, log: LogWriter, writer: Writer | None = None) -> None:
        """Append to `log`, or let `writer` do so when it is ready."""
        self._log = log
        self._writer = writer
        self._sent: deque[_Sent] = deque()
        self._preparer: Preparer | None = None
        self._is_new = True

    def put(self, drafts: Sequence[Draft], settle: Settle) -> None:
        """Append a batch; `settle` is called before the next but one is put, or by `drain`.

        Raises:
            ProvenanceError: As for `Log.append`, of this batch or of one before it.
        """
        # What the log holds already is best looked up where it need not be sealed before.
        if self._writer is None or not self._is_new or not self._writer.is_ready():
            self.drain()
            self._append(drafts, settle)
            return
        # Batches on their way share one preparer, so that all or none of them are refused.
        if self._preparer is None or not self._sent:
            self._preparer = self._log.preparer()
        prepared = self._preparer.prepare(drafts)
        self._writer.send(prepared)
        self._sent.append(_Sent(drafts, prepared.digests, settle))
        while len(self._sent) > _AHEAD:
            self._hear()

    def drain(self) -> None:
        """Wait until all batches are in the log.

        Raises:
            ProvenanceError: As for `put`.
        """
        while self._sent:
            self._hear()

    def _append(self, drafts: Sequence[Draft], settle: Settle) -> None:
        self._settle(drafts, self._log.append(drafts), settle)

    def _hear(self) -> None:
        assert self._writer is not None
        outcomes = self._writer.receive(self._sent[0].digests)
        if outcomes is None:
            self._append_again()
            return
        first = self._sent.popleft()
        self._settle(first.drafts, outcomes, first.settle)

    def _append_again(self) -> None:
        """The log's policy has changed: what is on its way is sealed anew, here and in order."""
        assert self._writer is not None
        again = list(self._sent)
        self._sent.clear()
        for one in again[1:]:
            assert self._writer.receive(one.digests) is None
        for one in again:
            self._append(one.drafts, one.settle)

    def _settle(self, drafts: Sequence[Draft], outcomes: list[Outcome], settle: Settle) -> None:
        self._is_new = any(outcome.kind == "appended" for outcome in outcomes)
        settle(drafts, outcomes)
