"""The survey: one pass over the log that finds everything an erasure has to take out.

What was made from an entry comes after it: flags that cite it, the batch entry
that covers it. So one pass in the order of the log finds them all, and it can go
on under the writers' lock for the few entries that came meanwhile.

Next: provenance/forget/removal.py
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal

from provenance import canonical
from provenance.disclosure.erased import NEVER
from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Tier
from provenance.errors import EncodingError, WorkspaceDamaged
from provenance.forget.wanted import clear_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from provenance.entries import Content, Entry
    from provenance.forget.wanted import Wanted
    from provenance.store.reading import LogReader

__all__ = ["Survey", "Target"]

_DERIVED: Final = (EntryType.FLAG, EntryType.BATCH)
_REPORT: Final = 1_000

Why = Literal["asked", "flag", "batch"]


@dataclass
class Target:
    """What of one entry is to be taken out.

    Attributes:
        entry: As it was when it was surveyed.
        version: Of its body.
        why: It was asked for, or it is a flag that cites such an entry, or the batch entry that
            covers one.
        whole: The body, with all its openings.
        paths: Else, of these openings.
        public: Names of the fields that stand in the body in clear: anybody may have read them.
    """

    entry: Entry
    version: str
    why: Why
    whole: bool = False
    paths: set[str] = field(default_factory=set)
    public: tuple[str, ...] = ()


class Survey:
    """What is found so far.

    Attributes:
        wanted: The request.
        targets: By index.
        mentioned: Entries that hold the text within a longer one, which stays.
        kept: Entries that would be targets and are never erased.
    """

    def __init__(self, log: LogReader, wanted: Wanted) -> None:
        """Begin at entry 0 of `log`."""
        self.wanted = wanted
        self.targets: dict[int, Target] = {}
        self.mentioned: list[int] = []
        self.kept: list[int] = []
        self._log = log
        self._position = 0
        self._indexes: list[int] = []

    def skip_to(self, index: int) -> None:
        """Look at one entry, and of the later ones only at those made from others.

        For a request that can be about no other entry.
        """
        size = self._log.size
        self._look(self._log.entry(index))
        for first, last in _runs(self._log.indexes(_DERIVED, index + 1, size)):
            for entry in self._log.entries(first, last + 1):
                self._look(entry)
        self._position = size

    def advance(self, progress: Callable[[int, int], None] = lambda _done, _total: None) -> None:
        """Look at all entries that were not looked at yet."""
        size = self._log.size
        for entry in self._log.entries(self._position, size):
            self._look(entry)
            if entry.index % _REPORT == 0:
                progress(entry.index, size)
        self._position = max(self._position, size)

    def _look(self, entry: Entry) -> None:
        if entry.body is None:
            return  # the whole of it is erased
        pick = self.wanted.pick(entry)
        if entry.type in NEVER:
            if pick.whole or pick.paths:
                self.kept.append(entry.index)
        elif pick.whole:
            self._add(entry, "asked", whole=True)
        elif pick.paths:
            self._add(entry, "asked", pick.paths)
        elif entry.type in _DERIVED:
            self._look_at_derived(entry)
        if pick.mentioned:
            self.mentioned.append(entry.index)

    def _look_at_derived(self, entry: Entry) -> None:
        content = open_entry(entry, Tier.PRIVATE)
        try:
            if entry.type == EntryType.FLAG and self._cites(content):
                self._add(entry, "flag", [opening.path for opening in entry.openings])
            elif entry.type == EntryType.BATCH and self._covers(content):
                paths = [o.path for o in entry.openings if o.path.split("/")[1] == "source"]
                self._add(entry, "batch", paths)
        except (LookupError, TypeError, ValueError):
            raise WorkspaceDamaged(
                f"entry {entry.index}: not what its version says; run `verify`"
            ) from None

    def _cites(self, content: Content) -> bool:
        return any(index in self.targets for index, _ in content.get("evidence", ()))

    def _covers(self, content: Content) -> bool:
        asked = self._indexes
        return any(
            bisect_left(asked, first) < bisect_left(asked, last + 1)
            for first, last in content["ranges"]
        )

    def _add(
        self, entry: Entry, why: Why, paths: Iterable[str] = (), *, whole: bool = False
    ) -> None:
        wanted = set(paths)
        if not wanted and not whole:
            return
        body = _body(entry)
        public = tuple(clear_names(body)) if whole else ()
        self.targets[entry.index] = Target(entry, body["_v"], why, whole, wanted, public)
        self._indexes.append(entry.index)


def _runs(indexes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Join rising indexes to (first, last) of those that follow each other."""
    for _, run in groupby(enumerate(indexes), lambda pair: pair[1] - pair[0]):
        joined = [index for _, index in run]
        yield joined[0], joined[-1]


def _body(entry: Entry) -> Content:
    try:
        content: Content = canonical.loads(entry.body or b"")
    except EncodingError as error:
        raise WorkspaceDamaged(f"entry {entry.index}: {error}; run `verify`") from None
    return content
