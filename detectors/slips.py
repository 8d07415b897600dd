"""Slips that ingest noted beside an event, as innocent causes of the flags they may explain.

A note says that one wrong word or digit would explain a row. Where undoing that
slip would make the flag disappear, the flag is probably one of data quality: it
stays, names the note, and ranks below all others. A date that the rest of its
file decided is a weaker reason: the flag keeps its rank and is a step less
severe. Where undoing it would not do, the note is named and changes nothing, so
that a careless unit covers up no more than what that unit explains.

Next: detectors/judging.py
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from detectors.base import Benign, Severity
from provenance.ingest.quality.notes import FIELD, meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from detectors.base import Account, Case, Finding
    from detectors.features import Features

__all__ = ["READS", "SLIPS", "checked", "concerned", "is_explained", "lowered"]

READS: Final = (f"event/1 /{FIELD}", f"epcis/1 /{FIELD}")
"""What is read of the events that a flag rests on."""
_POUND: Final = 0.45359237
_WEIGHTS: Final = (_POUND, 1 / _POUND)
_UNITS: Final = (*_WEIGHTS, 1e-3, 1e3)
_PLACES: Final = tuple(10.0**n for n in range(-4, 5) if n)
_ZONE_HOURS: Final = 14
_FITS: Final = ("likely", "possible")
_GRADES: Final[tuple[Severity, ...]] = ("info", "low", "medium", "high", "critical")
_MONTHS: Final = 12
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Undo = tuple[float, ...] | None
"""Factors that undo a slip of an amount; None where nothing known undoes it."""
_WEIGHT: Final[Mapping[str, Undo]] = {
    "unit-mixup-suspected": _WEIGHTS,
    "weight-unit-missing": _UNITS,
    "unit-missing": _UNITS,
    "weight-inconsistent": None,
}
_VALUE: Final[Mapping[str, Undo]] = {
    "value-decimal-suspected": _PLACES,
    "unit-missing": _UNITS,
    "value-price-differs": None,
}
_TIMES: Final = ("date-order-decided", "time-zone-differs")


class Question(NamedTuple):
    """What a detector's flags may owe to slips.

    Attributes:
        amounts: Notes on an amount, with the factors that undo them.
        other: Column of the sample that names the other event of a span of time.
        by_position: Whether it names it by its row rather than by its log index.
        span: Gives the observed value for a span that is so many hours longer.
    """

    amounts: Mapping[str, Undo] | None = None
    other: str = ""
    by_position: bool = False
    span: Callable[[Case, Account, float], float] | None = None


def _in_days(_case: Case, account: Account, hours: float) -> float:
    return account.observed.value + hours / 24


def _in_hours(_case: Case, account: Account, hours: float) -> float:
    return account.observed.value + hours


def _speed(case: Case, _account: Account, hours: float) -> float:
    left = float(case.row["allowed"]) + hours
    return float(case.row["km"]) / left if left > 0 else np.inf


def _early(_case: Case, account: Account, hours: float) -> float:
    return account.observed.value - hours


SLIPS: Final[Mapping[str, Question]] = {
    "weight_misdeclared": Question(_WEIGHT),
    "value_misdeclared": Question(_VALUE),
    "dwell_anomaly": Question(other="arrival", span=_in_days),
    "travel_time": Question(other="ship_index", span=_in_hours),
    "impossible_travel": Question(other="ship_index", span=_speed),
    "temporal_order": Question(other="cause", by_position=True, span=_early),
}
"""By detector. The others find slips of their own, or ask what no note is about."""


def _noted(shared: Features) -> dict[int, frozenset[str]]:
    """Return the notes on events, by log index."""
    events = shared.frames.events
    told = np.flatnonzero(events["quality"].notna())  # a list is; most events have none
    index, quality = (events[name].iloc[told].tolist() for name in ("index", "quality"))
    return {
        one: frozenset(notes)
        for one, notes in zip(index, quality, strict=True)
        if isinstance(notes, list) and notes
    }


def concerned(name: str, table: pd.DataFrame, shared: Features) -> NDArray[np.bool_]:
    """Mark the rows of a detector's sample that rest on an event with a note."""
    question = SLIPS.get(name)
    marked = np.zeros(len(table), bool)
    if question is None or not len(table):
        return marked
    noted = shared.lasting(_noted)
    if noted:
        bearing = np.fromiter(noted, np.int64, len(noted))
        marked |= np.isin(table["index"].to_numpy(np.int64), bearing)
        if question.other:
            marked |= np.isin(_others(question, table, shared), bearing)
    return marked


def _others(question: Question, table: pd.DataFrame, shared: Features) -> NDArray[np.int64]:
    other = table[question.other].to_numpy(np.int64)
    return shared.rows["index"].to_numpy(np.int64)[other] if question.by_position else other


def checked(name: str, case: Case, account: Account) -> tuple[Benign, ...]:
    """Return the slips noted on the events of a flagged case, and what became of each.

    Args:
        name: The detector's.
        case: What it flags.
        account: Its explanation.
    """
    question = SLIPS.get(name)
    noted = {} if question is None else case.shared.lasting(_noted)
    if question is None or not noted:
        return ()
    found: dict[str, Finding] = {}
    for code, outcome in _outcomes(question, noted, case, account):
        if found.get(code) not in _FITS:
            found[code] = outcome
    return tuple(
        Benign(f"noted when it was read in: {meaning(code)}", found[code]) for code in sorted(found)
    )


def is_explained(causes: Iterable[Benign]) -> bool:
    """Tell whether a slip that the row itself suggests would make the flag disappear."""
    return any(one.outcome == "likely" for one in causes)


def lowered(grade: Severity, causes: Iterable[Benign]) -> Severity:
    """Take a step off a flag's severity where a weaker reason explains it."""
    step = any(one.outcome == "possible" for one in causes)
    return _GRADES[max(_GRADES.index(grade) - step, 0)]


def _outcomes(
    question: Question, noted: Mapping[int, frozenset[str]], case: Case, account: Account
) -> Iterator[tuple[str, Finding]]:
    own = int(case.row["index"])
    for code in noted.get(own, ()):
        if question.amounts is not None and code in question.amounts:
            factors = question.amounts[code]
            if factors is None:
                yield code, "not checked"
            else:
                yield code, _found(account, (account.observed.value * one for one in factors))
    if question.span is None:
        return
    other = int(case.row[question.other])
    if question.by_position:
        other = int(case.shared.row(other)["index"])
    for index, sign in ((own, 1), (other, -1)):
        for code in noted.get(index, frozenset()).intersection(_TIMES):
            shifts = _shifts(code, _time(case.shared, index))
            undone = (question.span(case, account, sign * hours) for hours in shifts)
            found = _found(account, undone)
            # All dates of a file are read in one order: that it is wrong for one is far-fetched.
            weak = code == _TIMES[0] and found == "likely"
            yield code, "possible" if weak else found


def _found(account: Account, undone: Iterable[float]) -> Finding:
    low, high = account.expected.low, account.expected.high
    fits = any(
        (low is None or value >= low) and (high is None or value <= high) for value in undone
    )
    return "likely" if fits else "ruled out"


def _time(shared: Features, index: int) -> int:
    return int(shared.cells("at", shared.rows_of([index])[:1])[0])


def _shifts(code: str, at: int) -> Iterator[float]:
    """Yield by how many hours a time may be off: day and month exchanged, or any time zone."""
    if code == "time-zone-differs":
        yield from (quarter / 4 for quarter in range(-4 * _ZONE_HOURS, 4 * _ZONE_HOURS + 1))
        return
    when = _EPOCH + timedelta(microseconds=at)
    if when.day <= _MONTHS:
        other = when.replace(month=when.day, day=when.month)
        yield (other - when) / timedelta(hours=1)
