"""Erasing, from the request to the last file; and going on after a crash or a hindrance.

The log is amended in one transaction. Then every place that may hold a copy
follows: the database's own files, the graph, the rows set aside. A place that
cannot follow now is pending, with a reason, and is gone to again by the next
command that writes.

Next: provenance/ingest/forgetting.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from provenance.disclosure.erased import erasure_drafts, read_erasure
from provenance.disclosure.privacy import open_entry
from provenance.entries import Tier
from provenance.errors import EncodingError, ProvenanceError, WorkspaceDamaged
from provenance.files import locked
from provenance.forget.marks import Marks, Needle, needles_of, read_marks, write_marks
from provenance.forget.removal import places_of, removal
from provenance.govern.acts import acts_of, count_acts
from provenance.govern.disclose import grants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provenance.entries import Draft
    from provenance.forget.survey import Survey
    from provenance.govern.disclose import Grant
    from provenance.log import Log, LogFiles
    from provenance.store.reading import LogReader
    from provenance.store.writing import Amend

__all__ = ["Followers", "Forgetter", "State", "receivers", "state"]

_KIND: Final = "erasure"
_LOG: Final = "log.db"
_LOCK_WAIT_SECONDS: Final = 120.0
_READ: Final = "somebody reads an older state of the log: end that, or wait"

Follower = Callable[["frozenset[Needle]"], str | None]
"""Lets one place forget; returns why it cannot, or None when it has. Done again it does nothing."""

Followers = dict[str, Follower]
"""Every place but the log's own files, by the name that a person knows it under."""


@dataclass(frozen=True)
class State:
    """How far erasing has come.

    Attributes:
        logged: Erasures in the log.
        finished: Of these, carried out in every place.
        pending: Place and reason; of a crash nobody had time to write down a reason.
    """

    logged: int
    finished: int
    pending: Mapping[str, str]

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return not self.pending


def state(reader: LogReader, files: LogFiles) -> State:
    """Say how far erasing has come, and change nothing."""
    logged, marks = count_acts(reader, _KIND), read_marks(files.erased, reader.origin)
    pending = dict(marks.pending)
    if marks.tried < logged or (marks.needles and not pending):
        pending.setdefault("all places", "it was interrupted, or this is a copy")
    return State(logged, min(marks.finished, logged), pending)


class Forgetter:
    """Erases from one workspace."""

    def __init__(self, log: Log, files: LogFiles, secret: bytes, followers: Followers) -> None:
        """Work on `log`; `followers` are all places that may hold what it has forgotten."""
        self._log = log
        self._files = files
        self._secret = secret
        self._followers = followers

    def erase(self, survey: Survey, *, party: str, basis: str = "") -> list[int]:
        """Take out of the log what was surveyed, and say so in it; then call `follow`.

        Args:
            survey: Of the request; completed here for what came meanwhile.
            party: Who erases.
            basis: Why; private.

        Returns:
            The indices of the erasure entries.

        Raises:
            ProvenanceError: As for `Log.append`; nothing was erased.
        """

        def decide() -> tuple[list[Draft], Amend]:
            survey.advance()
            first = count_acts(self._log, _KIND) + 1
            self._expect(needles_of(survey.wanted.looked, self._secret))
            places = places_of(survey.targets)
            drafts = erasure_drafts(self._log.origin, first, places, party, basis)
            if any(self._log.find(draft.identities[0].key) is not None for draft in drafts):
                # One of them would be a conflict, and what it names go without a word.
                raise WorkspaceDamaged(
                    "the log's erasures are not numbered one by one; run `verify`"
                )
            return drafts, removal(survey.targets)

        # A crash before COMMIT: nothing is erased, and nothing says so; ask again.
        outcomes = self._log.erase(decide)
        # A crash here: it is erased and logged. `state` sees that no place has followed
        # yet, and the next command that writes lets them.
        return [outcome.index for outcome in outcomes]

    def _expect(self, needles: frozenset[Needle]) -> None:
        """Note what rows set aside are to be looked through for, before it is forgotten.

        A crash after it: such rows are forgotten with the next erasure, or when one is
        resumed. Whoever asked has confirmed that.
        """
        marks = read_marks(self._files.erased, self._log.origin)
        write_marks(
            self._files.erased,
            self._log.origin,
            replace(marks, needles=marks.needles | needles),
        )

    def follow(self) -> State:
        """Let every place follow that has not yet; nothing to do costs one look-up.

        Raises:
            StorageError: The `erased` file cannot be written.
        """
        logged = count_acts(self._log, _KIND)
        marks = read_marks(self._files.erased, self._log.origin)
        if marks.finished >= logged and not marks.needles and not marks.pending:
            return State(logged, logged, {})
        again = marks.tried >= logged and bool(marks.pending)
        pending = {}
        for place, follower in self._places(marks.finished).items():
            if again and place not in marks.pending:
                continue
            # A crash at any place: the file still says so, and all of them are gone to again.
            why = _followed(follower, marks.needles)
            if why is not None:
                pending[place] = why
        self._note(logged, marks.needles, pending)
        return State(logged, marks.finished if pending else logged, pending)

    def _places(self, finished: int) -> Followers:
        """The places in the order to go to them; the log's own files come first."""
        return {_LOG: lambda _needles: self._scrub(finished), **self._followers}

    def _scrub(self, finished: int) -> str | None:
        bodies = any(path is None for _, path in _erased_since(self._log, finished))
        return None if self._log.scrub(rewrite=bodies) else _READ

    def _note(self, logged: int, needles: frozenset[Needle], pending: dict[str, str]) -> None:
        with locked(self._files.lock, _LOCK_WAIT_SECONDS):
            # Another process may have erased meanwhile: what it asks for stays.
            now = read_marks(self._files.erased, self._log.origin)
            left = now.needles if pending else now.needles - needles
            finished = now.finished if pending else max(now.finished, logged)
            tried = max(now.tried, logged)
            # A crash before it: everything is gone through again, which does no harm.
            write_marks(self._files.erased, self._log.origin, Marks(finished, tried, pending, left))


def receivers(reader: LogReader, survey: Survey) -> list[Grant]:
    """Return the logged grants of what is to be erased: who holds a copy, as far as is known."""
    return [
        grant
        for grant in grants(reader)
        if (target := survey.targets.get(grant.entry)) is not None
        and (target.whole or target.paths & set(grant.paths))
    ]


def _followed(follower: Follower, needles: frozenset[Needle]) -> str | None:
    try:
        return follower(needles)
    except ProvenanceError as error:
        return str(error)


def _erased_since(reader: LogReader, finished: int) -> Iterator[tuple[int, str | None]]:
    for number, entry in enumerate(acts_of(reader, _KIND), 1):
        if number > finished:
            try:
                yield from read_erasure(open_entry(entry, Tier.PUBLIC))
            except EncodingError:
                raise WorkspaceDamaged(
                    f"entry {entry.index}: not an erasure; run `verify`"
                ) from None
