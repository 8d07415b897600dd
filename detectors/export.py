"""Flags as a table: one row per subject and type, scores comparable within one export.

Next: detectors/replay.py
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from detectors.ranking import rank_of
from provenance import canonical
from provenance.spreadsheet import guarded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    import pandas as pd

    from detectors.base import Flag
    from provenance.entries import Content

__all__ = ["COLUMNS", "Row", "of_flags", "of_log", "with_unflagged", "write"]


class Row(NamedTuple):
    """One line of an export; `score` is the common rank of `detectors.ranking`."""

    subject_id: str
    type: str
    score: float
    flagged: int
    p_value: float | None
    q_value: float | None
    detector: str
    explanation: str


COLUMNS: Final = Row._fields


def of_flags(flags: Iterable[Flag]) -> list[Row]:
    """Return the rows of a run's flags."""
    return _once(
        Row(
            flag.subject_id,
            flag.type,
            flag.rank,
            1,
            flag.p,
            flag.q,
            flag.detector,
            flag.account.sentence,
        )
        for flag in flags
    )


def of_log(contents: Iterable[Content]) -> list[Row]:
    """Return the rows of flags as the log holds them, version `flag/1`.

    Args:
        contents: What the reader may see of each; superseded flags left out.
    """
    return _once(
        Row(
            content["subject_id"],
            content["type"],
            rank_of(content),
            1,
            _float(content.get("p")),
            _float(content.get("q")),
            content["detector"],
            content.get("explanation", ""),
        )
        for content in contents
    )


def with_unflagged(rows: Iterable[Row], scores: pd.DataFrame) -> list[Row]:
    """Add the subjects that were judged and not flagged, so that rankings can be evaluated.

    Args:
        rows: Of the flags.
        scores: `RunResult.scores` of the same log position.
    """
    held = list(rows)
    flagged = {(row.subject_id, row.type) for row in held}
    columns = ("subject_id", "type", "score", "p_value", "q_value", "detector")
    judged = (
        Row(subject, kind, _below(score), 0, _known(p), _known(q), detector, "")
        for subject, kind, score, p, q, detector in zip(
            *(scores[name].tolist() for name in columns), strict=True
        )
        if (subject, kind) not in flagged
    )
    return _once([*held, *judged])


def write(rows: Iterable[Row], out: TextIO) -> int:
    """Write rows as CSV with a header, lines ending in a newline alone; return how many.

    Numbers have ten significant digits; what is missing is empty. A text that a spreadsheet
    would run has an apostrophe in front.
    """
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        writer.writerow(_text(value) for value in row)
        count += 1
    return count


def _once(rows: Iterable[Row]) -> list[Row]:
    """Keep the highest row of each subject and type, the most serious first."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        known = best.get((row.subject_id, row.type))
        if known is None or (row.flagged, row.score) > (known.flagged, known.score):
            best[row.subject_id, row.type] = row
    return sorted(best.values(), key=lambda row: (-row.score, row.type, row.subject_id))


def _below(score: Any) -> float:
    """Keep a subject below every flag: its flag may have been withdrawn across detectors."""
    return min(float(score), 1.0)


def _known(value: Any) -> float | None:
    return None if value != value else float(value)  # noqa: PLR0124 - NaN


def _float(value: Any) -> float | None:
    number = canonical.decimal(value)
    return None if number is None else float(number)


def _text(value: float | str | None) -> str:
    if value is None:
        return ""
    return guarded(value) if isinstance(value, str) else f"{value:.10g}"
