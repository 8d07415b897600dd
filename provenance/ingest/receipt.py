"""The answer to an ingest: what became of every row, countable and without its values.

Reasons are counted by their text and never quote a cell, so a receipt can be
shown to others; the cells are in the quarantine file.

Next: provenance/ingest/batches.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from provenance.ingest.quality.notes import meaning

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Noted", "Part", "Receipt", "Status"]

Status = Literal["SUCCESS", "PARTIAL", "FAILED"]
"""Of a delivery, as partners' systems read it."""

_EXAMPLES: Final = 3
_TOLD_AS: Final = {"warnings": "warning_texts"}
_MOST_REFUSED: Final = 1_000
_MOST_TOLD: Final = 50
"""Texts of one kind that a batch entry keeps, the most frequent ones."""


@dataclass(slots=True)
class Noted:
    """How many entries bear a note on their quality.

    Attributes:
        entries: So many.
        examples: Indexes of the first few.
    """

    entries: int = 0
    examples: list[int] = field(default_factory=list)

    def add(self, entries: int, examples: Iterable[int]) -> None:
        """Count more of them."""
        self.entries += entries
        self.examples = [*self.examples, *examples][:_EXAMPLES]


@dataclass
class Part:
    """What became of one file.

    Attributes:
        file: Its name as given.
        kind: The native format it was read as.
        mapping: The mapping that was used, or None.
        sheet: Which sheet of a workbook, where it was named or several are read.
        answer: This answer as a signed note, where there is no batch entry to prove it.
        rows: Rows after the header; accepted + duplicate + quarantined.
        accepted: Rows of which something was appended.
        duplicate: Rows that the log, or an earlier row, holds already.
        quarantined: Rows that were set aside, with their reasons in the quarantine file.
        appended: Entries appended for rows; the batch entry is not counted.
        corrected: How many of them correct an earlier labour month or timesheet.
        warnings: Text -> rows that were taken although something is odd.
        reasons: "column: reason" -> quarantined rows.
        not_made: Events that rows do not document, by what stands in place of a date.
        quarantine: Path of the quarantine file, or None.
        ranges: [first, last] index ranges of what the batch covers: what was appended, and what
            an attempt that died had appended before.
        batch: Index of the batch entry, or None when nothing was appended.
        quality: Code of a note -> the appended entries that bear it.
        payload: BLAKE3 of the file's bytes, in hexadecimal; who has none of them may guess them.
        settles: Which rows that were set aside this file brings again, or None.
        refused: Place and reason of events that were set aside, without what stood there; the
            first thousand of them.
    """

    file: str
    kind: str
    mapping: str | None = None
    rows: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    appended: int = 0
    corrected: int = 0
    warnings: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    not_made: Counter[str] = field(default_factory=Counter)
    quarantine: str | None = None
    ranges: list[list[int]] = field(default_factory=list)
    batch: int | None = None
    quality: dict[str, Noted] = field(default_factory=dict)
    payload: str = ""
    settles: dict[str, Any] | None = None
    sheet: str = ""
    answer: str | None = None
    refused: list[tuple[str, str]] = field(default_factory=list)

    @property
    def status(self) -> Status:
        """SUCCESS: all rows are in the log. FAILED: none is. PARTIAL: some are."""
        if not self.quarantined:
            return "SUCCESS"
        return "PARTIAL" if self.accepted or self.duplicate else "FAILED"

    def told(self) -> dict[str, Any]:
        """What the batch entry keeps of it, so that the answer can be given again."""
        told: dict[str, Any] = {
            "status": self.status,
            "kind": self.kind,
            **{name: getattr(self, name) for name in _NUMBERS},
            "warnings": self.warnings.total(),
        }
        if self.mapping:
            told["mapping"] = self.mapping
        for name in _COUNTERS:
            if counted := getattr(self, name).most_common(_MOST_TOLD):
                told[_TOLD_AS.get(name, name)] = [list(pair) for pair in counted]
        if self.quality:
            told["quality"] = {code: one.entries for code, one in self.quality.items()}
        return told

    def refuse(self, place: str, reason: str) -> None:
        """Remember an event that was set aside."""
        if len(self.refused) < _MOST_REFUSED:
            self.refused.append((place, reason))

    def note(self, codes: Iterable[str], index: int) -> None:
        """Count the notes that an appended entry bears."""
        for code in codes:
            self.quality.setdefault(code, Noted()).add(1, (index,))

    def to_dict(self) -> dict[str, Any]:
        """Everything, with counters ordered by count."""
        return {
            "file": self.file,
            "kind": self.kind,
            "mapping": self.mapping,
            "payload": self.payload,
            **_counts(self),
            "quarantine": self.quarantine,
            "ranges": self.ranges,
            "batch": self.batch,
            "answer": self.answer,
        }


@dataclass
class Receipt:
    """What became of all files of one ingest.

    Attributes:
        parts: Per file, in the order in which they were taken.
        notices: Files of a directory that were passed over, and why.
        size: Number of entries in the log after the ingest.
        checkpoint: The signed checkpoint that covers all that was appended.
    """

    parts: list[Part] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    size: int = 0
    checkpoint: str = ""

    @property
    def total(self) -> Part:
        """The parts added up."""
        whole = Part(file="", kind="")
        for part in self.parts:
            for name in _NUMBERS:
                setattr(whole, name, getattr(whole, name) + getattr(part, name))
            for name in _COUNTERS:
                getattr(whole, name).update(getattr(part, name))
            for code, noted in part.quality.items():
                whole.quality.setdefault(code, Noted()).add(noted.entries, noted.examples)
        return whole

    def to_dict(self) -> dict[str, Any]:
        """The receipt for `--json`: totals first, then the files."""
        return {
            **_counts(self.total),
            "size": self.size,
            "checkpoint": self.checkpoint,
            "notices": self.notices,
            "files": [part.to_dict() for part in self.parts],
        }


_NUMBERS = ("rows", "accepted", "duplicate", "quarantined", "appended", "corrected")
_COUNTERS = ("warnings", "reasons", "not_made")


def _counts(part: Part) -> dict[str, Any]:
    return {
        "status": part.status,
        "rows": part.rows,
        "accepted": part.accepted,
        "duplicate": part.duplicate,
        "quarantined": part.quarantined,
        "warnings": part.warnings.total(),
        "appended": part.appended,
        "corrected": part.corrected,
        "reasons": dict(part.reasons.most_common()),
        "not_made": dict(part.not_made.most_common()),
        "warning_texts": dict(part.warnings.most_common()),
        "quality": {
            code: {"entries": one.entries, "examples": one.examples, "means": meaning(code)}
            for code, one in sorted(part.quality.items(), key=_most_first)
        },
    }


def _most_first(found: tuple[str, Noted]) -> tuple[int, str]:
    return -found[1].entries, found[0]
