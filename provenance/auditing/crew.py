"""Openings checked by several processes, and told in the order of one.

The audit's own pass goes ahead over leaves and bodies and leaves the openings
behind, range after range. What it has to tell meanwhile waits until all before
it has been told, so a report reads the same whoever has checked what. How far
it goes ahead is limited, and so is what has to be kept.

Next: provenance/auditing/recompute.py
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import wait
from typing import TYPE_CHECKING, Final

from provenance.auditing.team import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from provenance.auditing.checker import Checker, Found
    from provenance.auditing.report import AuditReport
    from provenance.auditing.team import Team
    from provenance.store.register import Register

__all__ = ["Crew"]

_RANGE: Final = 2_000
_AHEAD: Final = 64
_PATIENCE_SECONDS: Final = 30.0
"""How long an answer is waited for when there is nothing else to be done: hundreds of times what a
piece of work takes. A process that was stopped would be waited for for ever."""


class Crew:
    """Does what `Openings` does, later and elsewhere.

    Attributes:
        missing: As there; complete after `settle`.
        locked: Likewise.
        miss: Judges what is missing; to be set before the pass.
    """

    def __init__(self, team: Team, checker: Checker, report: AuditReport) -> None:
        """Begin before entry 0.

        Args:
            team: Does the work.
            checker: Does what the team leaves undone, from the audit's own snapshot.
            report: Is told the lines, in order, and what was out of the ordinary with the team.
        """
        self.missing = 0
        self.locked = 0
        self.miss: Callable[[int, Collection[str]], None] = lambda _index, _paths: None
        self._team = team
        self._checker = checker
        self._add = report.add
        self._notes = report.notes
        self._told: deque[str | None] = deque()  # None for a range that is not told yet
        self._handed: deque[Work] = deque()
        self._work: Work | None = None
        self._settling = False

    def tell(self, line: str) -> None:
        """Add a line, after all that comes before it."""
        if self._told and not self._settling:
            self._told.append(line)
        else:
            self._add(line)

    def check(
        self, start: int, stop: int, _bodies: Mapping[int, object], register: Register | None
    ) -> None:
        """See to it that the openings of some entries are checked; as `Openings.check`."""
        governing = register.entries if register else ()
        if self._work is not None and self._work.governing != governing:
            self._hand()
        if self._work is None:
            self._work = Work(governing, start)
        self._told.append(None)
        self._work.bounds.append(stop)
        if stop - self._work.bounds[0] >= _RANGE:
            self._hand()
            self._settle(_AHEAD)

    def settle(self) -> None:
        """Wait until all is checked and told."""
        self._hand()
        self._settle(0)

    def _hand(self) -> None:
        if self._work is not None:
            self._team.hand(self._work)
            self._handed.append(self._work)
            self._work = None

    def _settle(self, ahead: int) -> None:
        """Tell what can be told, until no more than `ahead` pieces of work are not told."""
        while self._handed and (len(self._handed) > ahead or self._handed[0].answer.done()):
            for one in self._found(self._handed[0]):
                self._tell_waiting()
                self._told.popleft()
                self._replay(one)
            self._handed.popleft()
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        while self._told and (line := self._told[0]) is not None:
            self._add(line)
            self._told.popleft()

    def _replay(self, one: Found) -> None:
        self.missing += one.missing
        self.locked += one.locked
        self._settling = True
        for said in one.said:
            if isinstance(said, str):
                self._add(said)
            else:
                self.miss(*said)
        self._settling = False

    def _found(self, work: Work) -> list[Found]:
        """Return what was found, and do what nobody has begun while it is not there."""
        while work.found is None and not work.answer.done():
            # Of what was done here there is no answer to be cancelled any more.
            for other in self._handed:
                if other.found is None and other.answer.cancel():
                    other.found = self._checker.check(other.governing, other.bounds)
                    break
            else:
                self._await(work)
        if work.found is None:
            failed = work.answer.exception() is not None
            again = self._checker.check
            work.found = again(work.governing, work.bounds) if failed else work.answer.result()
        return work.found

    def _await(self, work: Work) -> None:
        """Wait for an answer, and do the work here where it does not come."""
        if not wait([work.answer], _PATIENCE_SECONDS).done:
            who = self._team.give_up(work)
            self._notes.append(
                f"{who} helped to check openings, gave no answer for {_PATIENCE_SECONDS:.0f} s and "
                "was ended; its share was checked here"
            )
            work.found = self._checker.check(work.governing, work.bounds)
