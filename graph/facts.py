"""The facts of one entry while they are being stated.

Knows the tier of each path of the entry, numbers its edges, and hands all to
the changes of its batch at the end, so that an entry that turns out to be
malformed half-way leaves nothing behind.

Next: graph/project.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graph.model import Changes, EdgeFact, EdgeKind, RecordFact, RecordKind, Role, layered
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provenance.entries import Opening

__all__ = ["Facts"]

_NO_AMOUNTS: Mapping[str, tuple[Any, Tier]] = {}


class Facts:
    """What one entry states.

    Attributes:
        index: The entry's log index.
        changes: Nodes, aggregated edges and names are stated here.
    """

    def __init__(self, index: int, openings: Iterable[Opening]) -> None:
        """Begin with nothing stated; `openings` give the tiers."""
        self.index = index
        self._time_us: int | None = None
        self._time_tier = Tier.PUBLIC
        self.changes = Changes(index, index + 1)
        self._tiers = _tiers(openings)

    def tier(self, *paths: str) -> Tier:
        """Return the strictest tier of the fields at `paths`; a field never sealed is public.

        A field is at least as strict as the object or list that holds it. The items of a
        list count as strict as the strictest of them: an erased one shifts the others.
        """
        tiers = self._tiers
        strictest = Tier.PUBLIC
        for path in paths:
            here = path
            while here:
                strictest = max(strictest, tiers.get(here, Tier.PUBLIC))
                here = here[: here.rindex("/")]
        return strictest

    def node(self, key: str, tier: Tier, *, defines: bool = False) -> None:
        """State that a node exists; `defines` when its attributes are this entry's content."""
        self.changes.mention(key, tier, self.index if defines else None)

    def at(self, time_us: int, tier: Tier) -> None:
        """State when the entry took place: who may not see the time sees no edge that bears it."""
        self._time_us, self._time_tier = time_us, tier

    def edge(
        self,
        src: str,
        kind: EdgeKind,
        dst: str,
        tier: Tier,
        *,
        role: Role | None = None,
        amounts: Mapping[str, tuple[Any, Tier]] = _NO_AMOUNTS,
    ) -> None:
        """State an edge; each of its attributes comes with its own tier."""
        seq = len(self.changes.edges)
        tier, layers = max(tier, self._time_tier), layered(amounts)
        self.changes.edges.append(
            EdgeFact(src, kind, dst, self.index, seq, role, tier, self._time_us, layers)
        )

    def record(self, kind: RecordKind, key: str, tier: Tier) -> None:
        """State that this entry is a version of a record."""
        self.changes.records.append(RecordFact(kind, key, self.index, tier))

    def hand_over(self, batch: Changes) -> None:
        """Add everything stated to the changes of the batch."""
        for key, mention in self.changes.nodes.items():
            batch.mention(key, *mention)
        for (src, kind, dst), tier in self.changes.links.items():
            batch.link(src, kind, dst, tier)
        for name, tier in self.changes.names.items():
            batch.name(*name, tier)
        batch.edges.extend(self.changes.edges)
        batch.records.extend(self.changes.records)


def _tiers(openings: Iterable[Opening]) -> dict[str, Tier]:
    tiers: dict[str, Tier] = {}
    for opening in openings:
        tiers[opening.path] = max(opening.tier, tiers.get(opening.path, opening.tier))
        holder, _, last = opening.path.rpartition("/")
        if last.isdigit():
            tiers[holder] = max(opening.tier, tiers.get(holder, opening.tier))
    return tiers
