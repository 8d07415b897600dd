"""What to look at next: open cases by seriousness, and some drawn whatever their rank.

Next: docs/detection.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from detectors.casework.precision import EXPLORED, draw
from detectors.casework.reviews import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from detectors.casework.cases import Case

__all__ = ["Suggestion", "suggest"]

_EVERY: Final = round(1 / EXPLORED)
"""One suggestion in so many was drawn."""


class Suggestion(NamedTuple):
    """A case to look at, and whether it was drawn rather than ranked."""

    case: Case
    drawn: bool


def suggest(cases: Iterable[Case]) -> Iterator[Suggestion]:
    """Yield the open cases, each once: the most serious first, every so often a drawn one.

    Args:
        cases: From `cases.group`, the most serious first.
    """
    waiting = [case for case in cases if case.state is State.OPEN]
    lots = sorted((place, case.id, case) for case in waiting if (place := _draw(case)) < EXPLORED)
    drawn = iter([case for _, _, case in lots])
    given: set[int] = set()
    ranked = iter(waiting)
    for number in range(len(waiting)):
        # The first of them comes in the middle of the first round: few people look at a hundred.
        due = number % _EVERY == _EVERY // 2
        case = (_next(drawn, given) if due else None) or _next(ranked, given)
        if case is not None:
            given.add(case.id)
            yield Suggestion(case, _draw(case) < EXPLORED)


def _draw(case: Case) -> float:
    return min(draw(flag.leaf_hash) for flag in case.flags)


def _next(cases: Iterator[Case], given: set[int]) -> Case | None:
    return next((case for case in cases if case.id not in given), None)
