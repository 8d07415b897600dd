"""The facts of one entry while they are being stated.

Knows the tier of each path of the entry, numbers its edges, and hands all to
the changes of its batch at the end, so that an entry that turns out to be
malformed half-way leaves nothing behind.

Next: graph/event_parts.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graph.model import Changes, EdgeFact, EdgeKind, RecordFact, RecordKind, Role, layered
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from provenance.entries import Opening

__all__ = ["Facts"]

_PUBLIC = Tier.PUBLIC


def _public(*_names: str) -> Tier:
    return _PUBLIC


class Facts:
    """What one entry states.

    Attributes:
        index: The entry's log index.
    """

    def __init__(self, index: int, openings: Iterable[Opening]) -> None:
        """Begin with nothing stated; `openings` give the tiers."""
        self.index = index
        self._time_us: int | None = None
        self._time_tier = _PUBLIC
        self._tiers = _tiers(openings)
        self._holders = {path.split("/", 2)[1] for path in self._tiers} if self._tiers else ()
        self._nodes: list[tuple[str, Tier, int | None]] = []
        self._links: list[tuple[str, EdgeKind, str, Tier]] = []
        self._names: list[tuple[str, str, str, Tier]] = []
        self._edges: list[EdgeFact] = []
        self._records: list[RecordFact] = []
        self._erased: set[int] = set()
        self._withdrawn: set[int] = set()

    def tier(self, *paths: str) -> Tier:
        """Return the strictest tier of the fields at `paths`; a field never sealed is public.

        A field is at least as strict as the object or list that holds it. The items of a
        list count as strict as the strictest of them: an erased one shifts the others.
        """
        tiers = self._tiers
        strictest = _PUBLIC
        if tiers:
            for path in paths:
                here = path
                while here:
                    strictest = max(strictest, tiers.get(here, _PUBLIC))
                    here = here[: here.rindex("/")]
        return strictest

    def tiers_in(self, holder: str, number: int) -> Callable[..., Tier]:
        """Return what gives the strictest tier of some fields of `/holder/number`, by name."""
        if holder not in self._holders:
            return _public
        base = f"/{holder}/{number}/"
        return lambda *names: self.tier(*(base + name for name in names))

    def at(self, time_us: int, tier: Tier) -> None:
        """State when the entry took place: who may not see the time sees no edge that bears it."""
        self._time_us, self._time_tier = time_us, tier

    def node(self, key: str, tier: Tier, *, defines: bool = False) -> None:
        """State that a node exists; `defines` when its attributes are this entry's content."""
        self._nodes.append((key, tier, self.index if defines else None))

    def edge(
        self,
        src: str,
        kind: EdgeKind,
        dst: str,
        tier: Tier,
        *,
        role: Role | None = None,
        amounts: Mapping[str, tuple[Any, Tier]] | None = None,
    ) -> None:
        """State an edge; each of its attributes comes with its own tier."""
        tier = max(tier, self._time_tier)
        layers = layered(amounts) if amounts else []
        seq = len(self._edges)
        self._edges.append(
            EdgeFact(src, kind, dst, self.index, seq, role, tier, self._time_us, layers)
        )

    def link(self, src: str, kind: EdgeKind, dst: str, tier: Tier) -> None:
        """State an aggregated edge."""
        self._links.append((src, kind, dst, tier))

    def name(self, field: str, value: str, node: str, tier: Tier) -> None:
        """Let a node be found by the value of a field."""
        self._names.append((field, value, node, tier))

    def record(self, kind: RecordKind, key: str, tier: Tier) -> None:
        """State that this entry is a version of a record."""
        self._records.append(RecordFact(kind, key, self.index, tier))

    def erase(self, index: int) -> None:
        """State that the log has forgotten something of an entry."""
        self._erased.add(index)

    def withdraw(self, index: int) -> None:
        """State that what an earlier entry says of goods was declared wrong."""
        if 0 <= index < self.index:
            self._withdrawn.add(index)

    def hand_over(self, batch: Changes) -> None:
        """Add everything stated to the changes of the batch."""
        for node in self._nodes:
            batch.mention(*node)
        for link in self._links:
            batch.link(*link)
        for name in self._names:
            batch.name(*name)
        batch.edges.extend(self._edges)
        batch.records.extend(self._records)
        batch.erased |= self._erased
        batch.withdrawn |= self._withdrawn


def _tiers(openings: Iterable[Opening]) -> dict[str, Tier]:
    tiers: dict[str, Tier] = {}
    for opening in openings:
        path, tier = opening.path, opening.tier
        tiers[path] = max(tier, tiers.get(path, tier))
        holder, _, last = path.rpartition("/")
        if last.isdigit():
            tiers[holder] = max(tier, tiers.get(holder, tier))
    return tiers
