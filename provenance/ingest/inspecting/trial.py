"""What would become of a file's rows: both passes of an ingest, and nothing written.

Next: provenance/ingest/inspecting/inspection.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from provenance import canonical
from provenance.ingest.columns import EVENTS, TIMESHEETS
from provenance.ingest.decisions import Evidence, TimeReader, TimeSettings
from provenance.ingest.drafts import DraftBuilder
from provenance.ingest.quality.notes import FIELD, meaning
from provenance.ingest.quarantine import is_quarantine, unguarded
from provenance.ingest.rows import RowReader, Scanner, in_groups
from provenance.ingest.scratch import KnownMakers, Scratch
from provenance.ingest.values import Unacceptable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.entries import Content, Draft
    from provenance.ingest.layout import Recipe
    from provenance.ingest.table import Position, Row, Table

__all__ = ["Conditions", "Problem", "Trial", "try_rows"]

_LINES: Final = 5
_EVENTS: Final = 5
_REASONS: Final = 200


@dataclass
class Problem:
    """A reason why rows would be set aside, or why they are odd.

    Attributes:
        rows: How many.
        lines: The first few.
        example: What stood there in the first of them.
    """

    rows: int = 0
    lines: list[int] = field(default_factory=list)
    example: str = ""

    def add(self, line: int, example: str = "") -> None:
        """Count one more row."""
        self.rows += 1
        if len(self.lines) < _LINES:
            self.lines.append(line)
        self.example = self.example or example[:80]

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {"rows": self.rows, "lines": self.lines, "example": self.example}


@dataclass
class Trial:
    """The outcome.

    Attributes:
        rows: In the file.
        taken: That would be accepted.
        repeated: That say the same as an earlier row.
        set_aside: That would be quarantined.
        problems: Reason -> rows that would be quarantined for it.
        oddities: Warning or note -> rows that would be taken all the same.
        not_made: Events that rows do not document.
        made: Event type, or kind -> entries.
        first: The first entries, as they would be logged.
        evidence: What the times of the file prove.
    """

    rows: int = 0
    taken: int = 0
    repeated: int = 0
    set_aside: int = 0
    problems: dict[str, Problem] = field(default_factory=dict)
    oddities: dict[str, Problem] = field(default_factory=dict)
    not_made: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    first: list[Content] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)

    def reject(self, line: int, why: Unacceptable) -> None:
        """Count a row that would be set aside."""
        self.set_aside += 1
        reason = f"{why.column}: {why.reason}" if why.column else why.reason
        _note(self.problems, reason, line, why.value)

    def odd(self, line: int, text: str) -> None:
        """Count a row that is taken although something is odd."""
        _note(self.oddities, text, line, "")


def _note(found: dict[str, Problem], text: str, line: int, example: str) -> None:
    if text not in found and len(found) >= _REASONS:
        text = "other reasons"
    found.setdefault(text, Problem()).add(line, example)


class Conditions(NamedTuple):
    """What is taken for granted when rows are tried.

    Attributes:
        party: Whose rows they would be.
        now_us: For what lies in the future.
        progress: Is told how far it is.
    """

    party: str
    now_us: int
    progress: Callable[[Position], None] | None = None


def try_rows(
    table: Table, recipes: list[Recipe], settings: TimeSettings, given: Conditions
) -> Trial:
    """Read a whole table as an ingest would, against an empty log.

    Args:
        table: The file.
        recipes: What is made of each row.
        settings: What the mapping says about times.
        given: The party and so on.

    Raises:
        InputError: The file cannot be read to its end.
    """
    trial = Trial()
    scratch = Scratch()
    try:
        scanners = [Scanner(recipe, table.header, trial.evidence) for recipe in recipes]
        for some in in_groups(_rows(table, given.progress)):
            trial.rows += len(some)
            sound = [row for row in some if not row.problem]
            for lot, product in (made for scanner in scanners for made in scanner.scan(sound)):
                scratch.add_lot(lot, given.party, product)
        times = TimeReader(trial.evidence, settings, given.now_us)
        makers = KnownMakers(scratch.makers_of)
        builders = [
            DraftBuilder(RowReader(recipe, times), given.party, makers) for recipe in recipes
        ]
        for row in _rows(table, given.progress):
            _try(row, builders, trial, scratch)
    finally:
        scratch.close()
    return trial


def _rows(table: Table, progress: Callable[[Position], None] | None) -> Iterator[Row]:
    guarded = is_quarantine(table.header)
    for row in table.rows(progress):
        yield row._replace(cells=unguarded(row.cells)) if guarded else row


def _try(row: Row, builders: list[DraftBuilder], trial: Trial, scratch: Scratch) -> None:
    if row.problem:
        trial.reject(row.line, Unacceptable(row.problem, row.raw[:80]))
        return
    try:
        drafts, warnings, not_made = _drafts(row, builders)
        fresh = [_is_fresh(draft, row, scratch) for draft in drafts]
    except Unacceptable as why:
        trial.reject(row.line, why)
        return
    trial.not_made.update(not_made)
    for text in warnings:
        trial.odd(row.line, text)
    if drafts and not any(fresh):
        trial.repeated += 1
        return
    trial.taken += 1
    for draft in drafts:
        trial.made[str(draft.content.get("event_type", builders[0].reader.recipe.kind.name))] += 1
        for code in draft.content.get(FIELD, ()):
            trial.odd(row.line, f"noted: {meaning(code)}")
        if len(trial.first) < _EVENTS:
            trial.first.append(draft.content)
    if not drafts:
        trial.made[TIMESHEETS.name] += 1


def _drafts(row: Row, builders: list[DraftBuilder]) -> tuple[list[Draft], list[str], list[str]]:
    """What an ingest would make of a row."""
    drafts: list[Draft] = []
    warnings: list[str] = []
    not_made: list[str] = []
    for builder in builders:
        reader = builder.reader
        if reader.recipe.kind is TIMESHEETS:
            reader.read(row.cells)
            return [], [], []
        if not reader.recipe.applies(row.cells):
            continue
        undated = reader.undated(row.cells)
        if undated:
            not_made.append(undated)
            continue
        made = builder.build(row.cells)
        drafts.append(made.draft)
        warnings += made.warnings
    if not drafts:
        raise Unacceptable("documents no event with a date")
    return drafts, warnings, not_made


def _is_fresh(draft: Draft, row: Row, scratch: Scratch) -> bool:
    """Whether the file has not said this before; contradictions are refused as in an ingest."""
    key, content = draft.identities[0]
    said = canonical.encode(draft.content if content is None else content)
    before = scratch.seen(canonical.encode(list(key)), said, f"line {row.line}")
    if before is None:
        return True
    if not before[0]:
        word = "id" if draft.version == EVENTS.version else "key"
        reason = f"conflict: an earlier row has this {word} with other content"
        raise Unacceptable(reason, before[1])
    return False
