"""How much of an item's past is documented: by tier, and by quantity.

A lot is documented as far as what went into it is: one that was made from
nothing recorded as origin counts whole, one with a gap counts nothing, one made
of others counts as they do, weighed by how much of each went in. Where those
amounts are not all known, or not in one unit, each input weighs the same and
the share is marked as estimated. Goods that go round count nothing: a circle
documents no origin.

Next: graph/questions/paths.py
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from graph.keys import class_of, is_item
from graph.lineage import Gap, GapReason
from graph.model import EdgeKind
from graph.store import DEFAULT_DEPTH, DEFAULT_LIMIT
from provenance import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graph.lineage import Lineage
    from graph.model import Edge
    from graph.store import GraphStore
    from graph.walked import Walk
    from provenance.entries import Tier

__all__ = ["Coverage", "Level", "coverage"]

_BREAKS: Final = frozenset(
    {GapReason.UNKNOWN_LOT, GapReason.NO_INPUTS, GapReason.NO_ORIGIN, GapReason.NO_LOT}
)


class Level(Struct, frozen=True):
    """One distance from the item asked for.

    Attributes:
        hops: The distance.
        items: How many items there are.
        documented: How many of them have no gap.
        origins: How many of them are where the goods began.
    """

    hops: int
    items: int
    documented: int
    origins: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of an item's past is documented.

    Attributes:
        item: Key of the item asked for.
        tier: Whose view this is.
        position: The log position that the answer is true for.
        at: The time that it was asked for; None for all that is recorded.
        share: Of the quantity, from 0 to 1, what is documented down to its origin.
        estimated: Whether amounts were missing, so that inputs were weighed alike.
        levels: By distance.
        gaps: Where the trail to the origin breaks off.
        truncated: Whether a limit ended the search: what lies behind counts as undocumented.
    """

    item: str
    tier: Tier
    position: int
    at: int | None
    share: Fraction
    estimated: bool
    levels: tuple[Level, ...]
    gaps: tuple[Gap, ...]
    truncated: bool


def coverage(
    store: GraphStore,
    key: str,
    tier: Tier,
    *,
    depth: int = DEFAULT_DEPTH,
    limit: int = DEFAULT_LIMIT,
    at: int | None = None,
) -> Coverage:
    """Say how much of an item's past is documented.

    Args:
        store: Where to read.
        key: An item or a container.
        tier: The viewer's.
        depth: How many transformations to look back.
        limit: How many items to look at, at most.
        at: Microseconds since the epoch: only events up to then count.

    Raises:
        NotFound: There is no such item for this viewer.
        UsageError: The key names something that is neither item nor container.
    """
    with store.snapshot():
        lineage = store.upstream(key, tier, depth=depth, limit=limit, at=at)
        # Once more, for what leads to gaps: that is not part of a lineage.
        starts = [key for key, hops in lineage.hops.items() if not hops]
        walk = store.walk(starts, tier, "upstream", depth=depth, limit=limit, at=at)
    gaps = tuple(gap for gap in lineage.gaps if gap.reason in _BREAKS)
    shares = _Shares(lineage, walk)
    return Coverage(
        item=key,
        tier=tier,
        position=lineage.position,
        at=at,
        share=shares.of_start(),
        estimated=shares.estimated,
        levels=_levels(lineage, gaps),
        gaps=gaps,
        truncated=lineage.truncated,
    )


def _levels(lineage: Lineage, gaps: Sequence[Gap]) -> tuple[Level, ...]:
    broken = {gap.item for gap in gaps}
    made = {edge.dst for edge in lineage.edges if edge.kind is EdgeKind.BECAME}
    by_hops: dict[int, list[str]] = defaultdict(list)
    told = _told_through(lineage)
    for key, hops in lineage.hops.items():
        if is_item(key) and key not in told:
            by_hops[hops].append(key)
    return tuple(
        Level(
            hops=hops,
            items=len(keys),
            documented=sum(key not in broken for key in keys),
            origins=sum(key not in broken and key not in made for key in keys),
        )
        for hops, keys in sorted(by_hops.items())
    )


def _told_through(lineage: Lineage) -> set[str]:
    """Return the item asked for where others stand for it: a class's lots, a serial's lot."""
    same = any(edge.kind is not EdgeKind.BECAME for edge in lineage.edges)
    return {lineage.start} if same else set()


class _Shares:
    """The documented share of each node, computed from the origins on."""

    def __init__(self, lineage: Lineage, walk: Walk) -> None:
        self.estimated = False
        self._lineage = lineage
        self._broken = {gap.item for gap in lineage.gaps if gap.reason in _BREAKS}
        self._inputs: dict[str, list[Edge]] = defaultdict(list)
        for edge in walk.edges:
            self._inputs[edge.dst].append(edge)
        self._shares = self._all()

    def of_start(self) -> Fraction:
        """Return the share of the item asked for: the mean of what stands for it."""
        told = _told_through(self._lineage)
        nearest = [key for key, hops in self._lineage.hops.items() if not hops and key not in told]
        own = [self._shares.get(key, Fraction(0)) for key in nearest if is_item(key)]
        self.estimated = self.estimated or len(own) > 1
        return sum(own, Fraction(0)) / len(own) if own else Fraction(0)

    def _all(self) -> dict[str, Fraction]:
        """Go from the origins towards the item; what waits for itself is never reached."""
        waiting: dict[str, set[str]] = {}
        onward: dict[str, set[str]] = defaultdict(set)
        for key in self._lineage.hops:
            waiting[key] = {edge.src for edge in self._inputs[key]} & self._lineage.hops.keys()
            for source in waiting[key]:
                onward[source].add(key)
        shares: dict[str, Fraction] = {}
        ready = [key for key, sources in waiting.items() if not sources]
        while ready:
            key = ready.pop()
            shares[key] = self._share(key, shares)
            for other in onward[key]:
                waiting[other].discard(key)
                if not waiting[other]:
                    ready.append(other)
        return shares

    def _share(self, key: str, shares: Mapping[str, Fraction]) -> Fraction:
        inputs = self._inputs[key]
        if not inputs:
            return Fraction(0 if key in self._broken else 1)
        weights = self._weights(inputs)
        parts = [w * shares.get(e.src, Fraction(0)) for w, e in zip(weights, inputs, strict=True)]
        return sum(parts, Fraction(0)) / sum(weights)

    def _weights(self, inputs: Sequence[Edge]) -> list[Fraction]:
        """Weigh inputs by what went in, where that is known of all and they are one material."""
        if len(inputs) == 1:
            return [Fraction(1)]
        amounts = [canonical.decimal(edge.attrs.get("consumed")) for edge in inputs]
        known = [Fraction(amount) for amount in amounts if amount is not None and amount > 0]
        materials = {class_of(edge.src) for edge in inputs if is_item(edge.src)}
        if len(known) == len(inputs) and len(materials) <= 1:
            return known
        self.estimated = True
        return [Fraction(1)] * len(inputs)
