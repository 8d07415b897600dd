"""What ingest needs of its surroundings: a log to append to, and somebody to tell.

Next: provenance/ingest/sink.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from provenance.entries import Draft, Entry, Identity, Known, Outcome
    from provenance.store.preparing import Preparer
    from provenance.store.register import Register

__all__ = ["LogWriter", "Progress"]


class LogWriter(Protocol):
    """A log as ingest sees it; `provenance.log.Log` is one."""

    origin: str

    @property
    def register(self) -> Register:
        """Which parties there are, and with which keys they sign."""
        ...

    def batch_of(self, index: int) -> int | None:
        """The entry of the signed batch that an entry is in, or None."""
        ...

    @property
    def size(self) -> int:
        """Number of entries."""
        ...

    def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Append what is new, in order, all or nothing; "appended" means durable and signed for.

        A draft is compared with the log and with the drafts before it in the same call.
        """
        ...

    def preparer(self) -> Preparer:
        """What prepares drafts for this log, as it is governed now."""
        ...

    def known(self, identities: Sequence[Identity]) -> list[Known | None]:
        """Say of each identity (with its content) what the log holds under its key."""
        ...

    def makers(self, lot_id: str) -> list[tuple[str, str]]:
        """The (party, product_id) pairs of `Draft.lots` under a lot id."""
        ...

    def makers_of(self, lot_ids: Sequence[str]) -> list[tuple[str, str, str]]:
        """The (lot_id, party, product_id) of `Draft.lots` under many lot ids."""
        ...

    def entries(self, start: int, stop: int | None = None) -> Iterator[Entry]:
        """The entries from `start` up to, not including, `stop`."""
        ...

    def indexes(self, types: Iterable[int], start: int, stop: int) -> list[int]:
        """The indexes of the entries of some types, start <= index < stop, in order."""
        ...

    def entry(self, index: int) -> Entry:
        """One entry."""
        ...

    def checkpoint(self) -> str:
        """The latest signed checkpoint."""
        ...


class Progress(Protocol):
    """Is told how far an ingest is; called about once per thousand rows."""

    def __call__(self, stage: str, file: str, done: int, total: int, rows: int) -> None:
        """Take note.

        Args:
            stage: "reading" or "logging".
            file: The file's name.
            done: Bytes of it that are done.
            total: Bytes in all.
            rows: Rows of it that were read, or while logging settled, so far.
        """
        ...
