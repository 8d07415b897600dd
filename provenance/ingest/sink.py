"""Where rows end up: appended, known already, or in quarantine; each is counted once.

Drafts are appended a thousand at a time, because the log makes each append
durable. After a crash between two appends the same file completes: what was
appended is known by its row keys and counts as duplicate.

Next: provenance/ingest/timesheets.py
"""

from __future__ import annotations

from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance import canonical
from provenance.entries import EntryType
from provenance.ingest.batches import Batched, Claim, batch_draft
from provenance.ingest.drafts import correction, reference
from provenance.ingest.lane import Lane
from provenance.ingest.quality.notes import FIELD
from provenance.ingest.quarantine import Rejected
from provenance.ingest.values import Unacceptable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provenance.entries import Content, Draft, Outcome
    from provenance.ingest.batches import BatchSigner
    from provenance.ingest.lane import Writer
    from provenance.ingest.ports import LogWriter
    from provenance.ingest.quarantine import Quarantine
    from provenance.ingest.receipt import Part
    from provenance.ingest.rows import RowReader
    from provenance.ingest.scratch import Scratch

__all__ = ["Pending", "Sink"]

GROUP: Final = 1_500
"""Drafts per append: the cost of one durable write is shared by this many."""


class Pending(NamedTuple):
    """A draft on its way, and the row that it came from.

    Attributes:
        line: Where the row starts; drafts of one row follow each other.
        cells: The row, for the quarantine.
        reader: What read it, for the quarantine.
        draft: For the log.
    """

    line: int
    cells: list[str]
    reader: RowReader
    draft: Draft

    def rejected(self, reason: str, detail: str) -> Rejected:
        """Say that the row's key is taken."""
        label = self.reader.label[self.reader.recipe.kind.key[0]]
        why = Unacceptable(reason, column=label, detail=detail)
        order = self.reader.date_order(self.cells)
        return Rejected(self.line, self.cells, why, date_order=order)


class Sink:
    """Settles the rows of one file."""

    def __init__(
        self,
        log: LogWriter,
        part: Part,
        quarantine: Quarantine,
        scratch: Scratch,
        *,
        signer: BatchSigner | None = None,
        writer: Writer | None = None,
    ) -> None:
        """Append to `log`, count in `part`, set rejected rows aside in `quarantine`.

        With a `signer`, the batch entry is signed for the capturing party. A `writer` appends
        while further rows are read.
        """
        self.log = log
        self._lane = Lane(log, writer)
        self.part = part
        self._quarantine = quarantine
        self._scratch = scratch
        self._signer = signer
        self._claim = Claim()
        self._batched = Batched(log)
        self._group: list[Pending] = []

    def reject(self, row: Rejected) -> None:
        """Set a row aside."""
        self.part.quarantined += 1
        field = row.field or row.why.column
        self.part.reasons[f"{field}: {row.why.reason}" if field else row.why.reason] += 1
        if row.origin:
            self.part.refuse(row.why.column, row.why.reason)
        self._quarantine.add(row)

    def put(self, row: Sequence[Pending]) -> None:
        """Take all drafts of one row; they are appended when enough have come.

        Master data, reference data and labour months are compared with the rows before
        them first: two versions in one delivery contradict each other.
        """
        first = row[0]
        if first.draft.type != EntryType.EVENT:
            seen = self._seen(first)
            if seen is not None:
                self._settle_seen(first, seen)
                return
        self._group.extend(row)
        if len(self._group) >= GROUP:
            self.flush()

    def _seen(self, row: Pending) -> tuple[bool, str] | None:
        key, content = row.draft.identities[0]
        place = f"line {row.line} of {self.part.file}"
        return self._scratch.seen(canonical.encode(list(key)), canonical.encode(content), place)

    def _settle_seen(self, row: Pending, seen: tuple[bool, str]) -> None:
        same, place = seen
        if same:
            self.part.duplicate += 1
            return
        reason = "conflict: an earlier row has this key with other content"
        self.reject(row.rejected(reason, place))

    def flush(self) -> None:
        """Append what is waiting; its rows are counted when it is known what became of them."""
        group, self._group = self._group, []
        if not group:
            return

        def settle(drafts: Sequence[Draft], outcomes: list[Outcome]) -> None:
            self._note(drafts, outcomes)
            if all(outcome[0] == "appended" for outcome in outcomes):
                self.part.accepted += len({pending.line for pending in group})
                return
            pairs = zip(group, outcomes, strict=True)
            for _line, row in groupby(pairs, key=lambda pair: pair[0].line):
                self._settle([(pending, outcome) for pending, outcome in row])

        self._lane.put(self._corrected([pending.draft for pending in group]), settle)

    def drain(self) -> None:
        """Wait until all that was flushed is in the log, and count it."""
        self._lane.drain()

    def _settle(self, row: list[tuple[Pending, Outcome]]) -> None:
        for pending, outcome in row:
            if outcome.kind == "conflict":
                reason = "conflict: the log holds this id with other content"
                self.reject(pending.rejected(reason, f"entry {outcome.index}"))
                return
        if any(outcome.kind == "appended" for _, outcome in row):
            self.part.accepted += 1
        else:
            self.part.duplicate += 1

    def _corrected(self, drafts: list[Draft]) -> list[Draft]:
        """Make corrections of the labour months that the log holds with other content."""
        labour = [at for at, draft in enumerate(drafts) if draft.type == EntryType.LABOUR]
        if not labour:
            return drafts
        known = self.log.known([drafts[at].identities[0] for at in labour])
        for at, found in zip(labour, known, strict=True):
            if found is not None and not found.same:
                corrected = reference(self.log.origin, self.log.entry(found.index))
                drafts[at] = correction(drafts[at], corrected)
        return drafts

    def append(self, drafts: list[Draft]) -> list[Outcome]:
        """Append drafts, and note the entries for the batch entry."""
        if not drafts:
            return []
        self.drain()
        outcomes = self.log.append(drafts)
        self._note(drafts, outcomes)
        return outcomes

    def _note(self, drafts: Sequence[Draft], outcomes: list[Outcome]) -> None:
        pairs = [pair for pair in zip(outcomes, drafts, strict=True) if pair[0].kind == "appended"]
        indexes = [outcome.index for outcome, _ in pairs]
        for outcome, draft in pairs:
            if FIELD in draft.content:
                self.part.note(draft.content[FIELD], outcome.index)
        self.part.appended += len(indexes)
        self.part.corrected += sum(draft.type == EntryType.CORRECTION for _, draft in pairs)
        self._claim.take((one for one in outcomes if self._is_claimed(one)), self.log)

    def _is_claimed(self, outcome: Outcome) -> bool:
        """Say whether an entry is part of this delivery.

        What an earlier attempt has brought, and died before its batch entry, is.
        """
        if outcome.kind != "duplicate":
            return outcome.kind == "appended"
        if self._signer is not None:
            return self.log.batch_of(outcome.index) is None
        return outcome.index not in self._batched

    def close(self, party: str, name: str, digest: bytes) -> None:
        """Append the batch entry over everything that this file brought.

        A crash before it: the entries are in the log, only the claim that they came
        together is missing, until the same file comes again.
        """
        self.flush()
        self.drain()
        self.part.ranges = self._claim.ranges
        self.part.payload = digest.hex()
        if self._claim.stream.count:
            source: Content = {"name": name}
            if self.part.sheet:
                source["sheet"] = self.part.sheet
            if self.part.settles:
                source["settles"] = self.part.settles
            if self.part.quarantine:
                source["quarantine"] = PurePath(self.part.quarantine).name
            draft = batch_draft(party, self._claim, source, digest, self.part.told())
            if self._signer is not None:
                draft = self._signer.sign(draft, self.log)
            self.part.batch = self.log.append([draft])[0].index
