"""The report of an audit: what was recomputed, and what does not add up.

Next: provenance/auditing/audit.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["MOST_PROBLEMS", "AuditReport"]

MOST_PROBLEMS: Final = 100
"""How many lines are kept: beyond these nobody reads on."""


@dataclass
class AuditReport:
    """What `audit` found.

    Attributes:
        origin: The log that was audited.
        size: Entries that were recomputed.
        root: The root over them, 32 bytes.
        problems: One line each, what and where; empty means all adds up. At most 100 are kept.
        openings_locked: Openings under subject keys whose file is not here; they are not checked.
        openings_missing: Commitments whose opening is not stored (erased, or not ours to hold).
        openings_erased: How many of these the log's erasures name.
        bodies_erased: Bodies that are not stored, and that erasures name.
        processes: How many processes took part; says nothing about the log.
        notes: What a person may want to know of the run; nor does this.
    """

    origin: str
    size: int = 0
    root: bytes = b""
    problems: list[str] = field(default_factory=list)
    openings_missing: int = 0
    openings_locked: int = 0
    openings_erased: int = 0
    bodies_erased: int = 0
    processes: int = field(default=1, compare=False)
    notes: list[str] = field(default_factory=list, compare=False)

    def add(self, what: str) -> None:
        """Note one problem."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(what)
