"""Time clocks: what some workers of some sites punched, week by week.

Clocks round to the quarter hour; people have habits, sick days, and leave.

Next: samples/writing.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from samples.dice import Dice

if TYPE_CHECKING:
    from samples.labour import Month, Workplace

__all__ = ["CLOCKED", "Punch", "timesheets"]

CLOCKED = ("ASH-SEW", "CGF-SEW", "TGF-SEW", "NAR-SPIN", "KMR-SPIN", "GNT-CHOC", "EDI-DC")
_SAMPLE = 8  # workers of a site whose sheets are kept
_LEAVES = 0.05
_ABSENT = 0.035
_WEEK = 45 * 4
_FIVE_WEEKS = frozenset((1, 3, 5, 8, 10))


@dataclass(frozen=True, slots=True)
class Punch:
    """One worker's week; hours in quarters, pay in hundredths of the currency."""

    site: str
    month: str
    worker: str
    week: int
    quarters: int
    pay: int


@dataclass(slots=True)
class _Worker:
    """A person on the sheet: a badge, a habit and a wage."""

    badge: str
    habit: float
    skill: float


class _Clock:
    """The time clock of one site."""

    def __init__(self, place: Workplace, seed: int) -> None:
        self._place = place
        self._dice = Dice(seed, "clock", place.site.id)
        self._badge = self._dice.whole(100, 900)
        self._crew = [self._hire() for _ in range(_SAMPLE)]
        self._last: dict[tuple[str, int], tuple[int, int]] = {}

    def _hire(self) -> _Worker:
        """Take on somebody with the next badge."""
        self._badge += self._dice.whole(1, 9)
        prefix = self._place.site.id.partition("-")[0]
        return _Worker(
            f"{prefix}-{self._badge:05d}",
            self._dice.bell(0, 1.1),
            max(0.97, self._dice.bell(1.02, 0.035)),
        )

    def month(self, entry: Month) -> list[Punch]:
        """Return the sheet of one month."""
        self._crew = [self._hire() if self._dice.chance(_LEAVES) else w for w in self._crew]
        weeks = 5 if int(entry.month[5:]) in _FIVE_WEEKS else 4
        punches = [
            self._punch(entry, worker, week)
            for worker in self._crew
            for week in range(1, weeks + 1)
        ]
        if entry.sheet_style == "ghosts":
            punches += self._ghosts(entry, punches)
        self._last = {(p.worker, p.week): (p.quarters, p.pay) for p in punches}
        return punches

    def _punch(self, entry: Month, worker: _Worker, week: int) -> Punch:
        """Write one worker's week, in the style of the month."""
        quarters = self._worked(entry, worker)
        limit = entry.law.max_hours * 4
        if entry.sheet_style == "flat":
            quarters = round(entry.sheet_weekly * 4)
        elif entry.sheet_style == "capped":
            quarters = min(quarters, limit)
        else:
            over = entry.sheet_weekly > entry.law.max_hours
            quarters = quarters if over else min(quarters, limit - 1)
        old = self._last.get((worker.badge, min(week, 4)))
        if entry.sheet_style == "copied" and old is not None:
            return Punch(entry.site.id, entry.month, worker.badge, week, *old)
        pay = self._pay(entry, worker, quarters)
        return Punch(entry.site.id, entry.month, worker.badge, week, quarters, pay)

    def _worked(self, entry: Month, worker: _Worker) -> int:
        """Draw the quarters a worker was there."""
        hours = entry.sheet_weekly + worker.habit + self._dice.bell(0, 1.3)
        if self._dice.chance(_ABSENT):
            hours *= self._dice.between(0.35, 0.85)
        return max(8, round(hours * 4))

    def _pay(self, entry: Month, worker: _Worker, quarters: int) -> int:
        """Pay a week: the site's average rate, a person's skill, overtime dearer."""
        normal = round(entry.sheet_weekly * 4)
        overtime = max(0, normal - _WEEK) / normal * 0.5
        base = entry.rate / (1 + overtime)
        paid = min(quarters, _WEEK) + 1.5 * max(0, quarters - _WEEK)
        floor = entry.law.minimum if entry.rate > entry.law.minimum else 0.0
        return round(max(paid * base * worker.skill, quarters * floor) / 4 * 100)

    def _ghosts(self, entry: Month, punches: list[Punch]) -> list[Punch]:
        """Copy some workers' weeks under badges that nobody wears."""
        models = sorted({punch.worker for punch in punches})[: _SAMPLE // 2]
        prefix = self._place.site.id.partition("-")[0]
        badge = {model: f"{prefix}-{9000 + n:05d}" for n, model in enumerate(models)}
        return [
            Punch(
                punch.site, entry.month, badge[punch.worker], punch.week, punch.quarters, punch.pay
            )
            for punch in punches
            if punch.worker in badge
        ]


def timesheets(places: list[Workplace], seed: int) -> list[Punch]:
    """Return the sheets of all sites with a clock, by site, month, worker and week."""
    punches: list[Punch] = []
    for place in places:
        if place.site.id in CLOCKED:
            clock = _Clock(place, seed)
            for entry in place.months:
                punches += clock.month(entry)
    return punches
