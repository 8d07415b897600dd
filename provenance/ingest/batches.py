"""The batch entry: one claim about everything that one file brought into the log.

It names how many entries, at which indexes, and the RFC 6962 root over their
body digests in file order, so that a sender can later show that a row was, or
was not, part of what it delivered.

A party that signs, signs that. An ingest that died before its batch entry is
completed by the same command: rows that are in the log already, and in no batch
yet, go into the new one; of a party that signs, those in no signed batch.

Next: provenance/ingest/sink.py
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from provenance.disclosure.privacy import b64, open_entry
from provenance.entries import Draft, EntryType, Identity, Tier
from provenance.errors import ProvenanceError, UsageError
from provenance.hashing import EMPTY_ROOT, leaf_hashes, node_hash, node_hashes
from provenance.notes.checkpoint import sign_note
from provenance.proving.leaf import LEAF_DIGEST
from provenance.store.signed_batch import batch_keys, batch_text, check_batch, unfit_signer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provenance.clock import Clock
    from provenance.entries import Content, Outcome
    from provenance.ingest.ports import LogWriter
    from provenance.notes.keys import Signer
    from provenance.store.register import Register

__all__ = [
    "RECEIPT",
    "BatchSigner",
    "Batched",
    "Claim",
    "RootStream",
    "batch_draft",
    "batch_of_file",
    "ranges_of",
]

RECEIPT: Final = "receipt"
"""Where a batch entry keeps the answer that was given."""


class RootStream:
    """An RFC 6962 root over a stream, with memory for one hash per tree level."""

    def __init__(self) -> None:
        """Begin with the empty tree."""
        self.count = 0
        self._peaks: list[bytes | None] = []  # by level, where the count has that bit

    def extend(self, entries: Sequence[bytes]) -> None:
        """Append leaves, here body digests."""
        self.count += len(entries)
        row, level = leaf_hashes(entries), 0
        while row:
            if level == len(self._peaks):
                self._peaks.append(None)
            peak = self._peaks[level]
            if peak is not None:
                row.insert(0, peak)
            self._peaks[level] = row[-1] if len(row) % 2 else None
            row, level = node_hashes(row), level + 1

    def root(self) -> bytes:
        """The root over the leaves so far."""
        root: bytes | None = None
        for peak in self._peaks:
            if peak is not None:
                root = peak if root is None else node_hash(peak, root)
        return EMPTY_ROOT if root is None else root


def ranges_of(indexes: Iterable[int], ranges: list[list[int]]) -> None:
    """Add rising indexes to [first, last] ranges; other writers may sit between them."""
    for index in indexes:
        if ranges and ranges[-1][1] + 1 == index:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])


class _Spans:
    """A set of indexes, kept as spans in order; neighbours are joined."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __contains__(self, index: int) -> bool:
        at = bisect_left(self._lasts, index)
        return at < len(self._firsts) and self._firsts[at] <= index

    def add(self, first: int, last: int) -> None:
        """Add all indexes from the first to the last."""
        begin = bisect_left(self._lasts, first - 1)
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first, last = min(first, self._firsts[begin]), max(last, self._lasts[end - 1])
        self._firsts[begin:end], self._lasts[begin:end] = [first], [last]


class Batched:
    """Which entries of a log are in a batch, signed or not."""

    def __init__(self, log: LogWriter) -> None:
        """Look at `log` when asked, and later only at what has come since."""
        self._log = log
        self._looked = 0
        self._spans = _Spans()

    def __contains__(self, index: int) -> bool:
        """Say whether an entry is in one."""
        size = self._log.size
        if index not in self._spans and self._looked < size:
            for batch in self._log.indexes([EntryType.BATCH], self._looked, size):
                content = open_entry(self._log.entry(batch), Tier.PRIVATE)
                for first, last in content.get("ranges", ()):  # an erased one has none
                    self._spans.add(first, last)
            self._looked = size
        return index in self._spans


class Claim:
    """The entries of one file, each once, in file order."""

    def __init__(self) -> None:
        """Begin with none."""
        self.stream = RootStream()
        self.ranges: list[list[int]] = []
        self._held = _Spans()

    def take(self, outcomes: Iterable[Outcome], log: LogWriter) -> None:
        """Add the entries of `outcomes` that are not in it yet."""
        outcomes = list(outcomes)
        if self._take_run(outcomes):
            return
        runs: list[list[int]] = []
        digests: dict[int, bytes | None] = {}
        for outcome in outcomes:
            if outcome.index not in self._held:
                ranges_of([outcome.index], runs)
                self._held.add(outcome.index, outcome.index)
                digests[outcome.index] = outcome.digest
        for first, last in runs:
            run = range(first, last + 1)
            told = [digest for index in run if (digest := digests[index]) is not None]
            # What was appended just now need not be read again.
            if len(told) < len(run):
                told = [entry.leaf[LEAF_DIGEST] for entry in log.entries(first, last + 1)]
            self.stream.extend(told)
            ranges_of(run, self.ranges)

    def _take_run(self, outcomes: list[Outcome]) -> bool:
        """Add a run of entries that were appended just now, as nearly all are; else add none."""
        if not outcomes:
            return True
        first, last = outcomes[0].index, outcomes[-1].index
        digests = [digest for _kind, _index, digest in outcomes if digest is not None]
        # Indexes rise, so a run has no gaps where its length says so; those appended are new.
        if last - first != len(outcomes) - 1 or len(digests) != len(outcomes):
            return False
        if any(kind != "appended" for kind, _index, _digest in outcomes):
            return False
        self._held.add(first, last)
        self.stream.extend(digests)
        ranges_of((first,), self.ranges)
        self.ranges[-1][1] = last
        return True


@dataclass(frozen=True)
class BatchSigner:
    """The capturing party's hand.

    Attributes:
        party: The party.
        signer: Signs with one of its registered keys.
        clock: For when the key counts.
    """

    party: str
    signer: Signer
    clock: Clock

    def refuse_unfit(self, register: Register) -> None:
        """Refuse a key that cannot sign for the party now.

        Raises:
            UsageError: The reason.
        """
        unfit = unfit_signer(register, self.party, self.signer.vkey, self.clock())
        if unfit:
            raise UsageError(f"the batch cannot be signed: {unfit}; see `provenance party list`")

    def sign(self, draft: Draft, log: LogWriter) -> Draft:
        """Return the batch entry with the party's note, once its signature has been verified.

        Raises:
            ProvenanceError: The key does not count any more, or there is no good signature of it.
        """
        batch = draft.content
        try:
            register = log.register
            self.refuse_unfit(register)
            text = batch_text(self.party, batch["count"], batch["root"])
            signed = {**batch, "note": sign_note(text, [self.signer])}
            check_batch(signed, register, log.size, self.clock())
        except ProvenanceError as error:
            raise type(error)(
                f"{error}. The rows are in the log; the same command completes their batch"
            ) from None
        # The newest batch takes the one row key over that all have: hence "version".
        keys = batch_keys(batch["ranges"])
        names = tuple(Identity(key, batch["root"]) for key in keys)
        # The same entries may have a batch that nobody signed: this is another one.
        files = tuple(Identity(key, signed["note"]) for key, _root in draft.identities)
        return replace(draft, content=signed, identities=(*files, *names))


def batch_draft(party: str, claim: Claim, source: Content, digest: bytes, told: Content) -> Draft:
    """Make the batch entry of one file.

    Args:
        party: The capturing party.
        claim: Its entries.
        source: The file's name, and what else it can be told by; private.
        digest: BLAKE3 of its bytes, private.
        told: What became of its rows, private whatever the log's policy says.
    """
    root = b64(claim.stream.root())
    return Draft(
        type=EntryType.BATCH,
        version="batch/1",
        content={
            "party": party,
            "count": claim.stream.count,
            "ranges": claim.ranges,
            "root": root,
            "source": {**source, "digest": b64(digest)},
            RECEIPT: told,
        },
        identities=(Identity(batch_of_file(digest, source.get("sheet", "")), root),),
        on_change="version",
        tiers={f"/{RECEIPT}": Tier.PRIVATE},
    )


def batch_of_file(digest: bytes, sheet: str = "") -> tuple[str, str]:
    """Return the row key of the newest batch of a file with these bytes, or of a sheet of it."""
    return ("batch_file", f"{b64(digest)}#{sheet}" if sheet else b64(digest))
