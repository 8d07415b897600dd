"""Cases: flags that belong to one incident, so that a person looks at it once.

Two flags belong together when they have the same subject; when the entry that
one is about is evidence of the other; or when they are about the same site in
months that follow each other. What many incidents share (a law, a watchlist,
master data) joins nothing: only the entries that flags are about do.

Next: detectors/casework/precision.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from detectors.casework.reviews import State, latest
from detectors.casework.superseded import read_flags
from detectors.ranking import rank_of
from graph.keys import event_key
from graph.model import RecordKind
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from detectors.casework.reviews import Review
    from detectors.casework.superseded import Superseded
    from graph.model import Record
    from graph.store import GraphStore

__all__ = ["Board", "Case", "group", "read_board", "subject_keys"]

_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Case:
    """One incident.

    Attributes:
        id: Log index of its earliest flag: it stays when further flags join.
        flags: Its members, the most serious first, at least one.
        rank: Of the most serious one; see `detectors.ranking`.
        state: Open while one member is; else what was decided on the most serious one.
    """

    id: int
    flags: tuple[Record, ...]
    rank: float
    state: State


class Board(NamedTuple):
    """What is on record about flags: the current ones, decisions on them, and cases.

    Those that were superseded are in none of them.
    """

    flags: list[Record]
    reviews: Mapping[int, Review]
    cases: list[Case]
    superseded: Mapping[int, Superseded] = MappingProxyType({})


def read_board(graph: GraphStore) -> Board:
    """Read all current flags with what people decided, at the private tier."""
    flags, superseded = read_flags(graph)
    reviews = latest(graph.records(RecordKind.REVIEW, Tier.PRIVATE))
    nodes = graph.fetch(subject_keys(flags), Tier.PRIVATE)
    places = {key: node.index for key, node in nodes.items() if node.index is not None}
    return Board(flags, reviews, group(flags, places, reviews), superseded)


def subject_keys(flags: Iterable[Record]) -> set[str]:
    """Return the graph's keys of the events that flags are about."""
    return {key for flag in flags if (key := _event(flag)) is not None}


def group(
    flags: Sequence[Record], places: Mapping[str, int], reviews: Mapping[int, Review]
) -> list[Case]:
    """Put flags together into cases, the most serious first.

    Args:
        flags: Current flags, with their content at the private tier.
        places: Log index by key of the events among `subject_keys`.
        reviews: From `reviews.latest`.
    """
    sets = _Sets([flag.index for flag in flags])
    for one, other in _pairs(flags, places):
        sets.join(one, other)
    members: dict[int, list[Record]] = defaultdict(list)
    for flag in flags:
        members[sets.head(flag.index)].append(flag)
    return sorted(
        (_case(head, own, reviews) for head, own in members.items()),
        key=lambda case: (-case.rank, case.id),
    )


def _case(head: int, flags: list[Record], reviews: Mapping[int, Review]) -> Case:
    ranks = {flag.index: rank_of(flag.attrs) for flag in flags}
    ordered = sorted(flags, key=lambda flag: (-ranks[flag.index], flag.index))
    states = [
        reviews[flag.index].state if flag.index in reviews else State.OPEN for flag in ordered
    ]
    state = State.OPEN if State.OPEN in states else states[0]
    return Case(head, tuple(ordered), ranks[ordered[0].index], state)


def _pairs(flags: Sequence[Record], places: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """Yield the flags that belong together, by log index."""
    by_subject: dict[tuple[str, ...], int] = {}
    by_entry: dict[int, int] = {}
    for flag in flags:
        yield flag.index, by_subject.setdefault(_subject(flag), flag.index)
        place = places.get(_event(flag) or "")
        if place is not None:
            by_entry.setdefault(place, flag.index)
    for flag in flags:
        for entry, _leaf_hash in flag.attrs.get("evidence", ()):
            if entry in by_entry:
                yield flag.index, by_entry[entry]
        before = _month_before(flag)
        if before in by_subject:
            yield flag.index, by_subject[before]


def _subject(flag: Record) -> tuple[str, ...]:
    content = flag.attrs
    # Ids of months hold the site; whose detector said so does not matter to what it is about.
    return content["subject_kind"], content["subject_id"], content.get("subject_party", "")


def _event(flag: Record) -> str | None:
    kind, ident, party = _subject(flag)
    return event_key(party, ident) if kind == "event" else None


def _month_before(flag: Record) -> tuple[str, ...] | None:
    kind, ident, party = _subject(flag)
    site, _, month = ident.rpartition("|")
    year, _, number = month.partition("-")
    if kind != "facility_month" or not (year.isdecimal() and number.isdecimal()):
        return None
    years, months = divmod(int(year) * _MONTHS + int(number) - 2, _MONTHS)
    return kind, f"{site}|{years:04}-{months + 1:02}", party


class _Sets:
    """Disjoint sets of log indices; the head of each is its lowest."""

    def __init__(self, members: Iterable[int]) -> None:
        self._up = {member: member for member in members}

    def head(self, member: int) -> int:
        """Return the lowest member of the set that holds `member`."""
        path = []
        while self._up[member] != member:
            path.append(member)
            member = self._up[member]
        for passed in path:
            self._up[passed] = member
        return member

    def join(self, one: int, other: int) -> None:
        """Make one set of two."""
        low, high = sorted((self.head(one), self.head(other)))
        self._up[high] = low
