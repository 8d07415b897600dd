"""The changes that entries bring: facts on their way into a store, many of them at once.

Events that are alike state edges that are alike: those come in runs, a column for
what tells them apart, so that a store may write millions without an object for each.

Next: graph/facts.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from graph.model import EdgeFact, NameFact
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graph.model import EdgeKind, EntryFact, Layers, RecordFact, Role

__all__ = ["Changes", "EdgeRun", "Mention"]

_ABOVE_ALL: Final = len(Tier)
_PLACE: Final = attrgetter("index", "seq")


class Mention(NamedTuple):
    """That a node exists: the lowest tier that may know, and the newest entry that defines it."""

    tier: Tier
    newest: int | None


class EdgeRun(NamedTuple):
    """Edges that events alike state at the same place of each, in columns: one value an event.

    Attributes:
        src: Keys of the sources.
        kind: Of all.
        dst: Keys of the targets.
        indexes: The log entries, rising.
        seq: Number within each entry.
        role: Of all.
        tier: Of all.
        times: When, as in `EdgeFact`.
        layers: The attributes of each tier: their names, and a column for each of them.
    """

    src: Sequence[str]
    kind: EdgeKind
    dst: Sequence[str]
    indexes: Sequence[int]
    seq: int
    role: Role | None
    tier: Tier
    times: Sequence[int | None]
    layers: tuple[tuple[tuple[str, ...], tuple[Sequence[Any], ...]], ...]

    def facts(self) -> list[EdgeFact]:
        """Return them one by one."""
        same = self.seq, self.role, self.tier
        return [
            EdgeFact(src, self.kind, dst, index, *same, self.times[at], self._layers(at))
            for at, (src, dst, index) in enumerate(
                zip(self.src, self.dst, self.indexes, strict=True)
            )
        ]

    def _layers(self, at: int) -> Layers:
        return [
            {name: column[at] for name, column in zip(names, columns, strict=True)}
            for names, columns in self.layers
        ]


@dataclass(slots=True)
class Changes:
    """What the entries [start, stop) bring; applied as one.

    Attributes:
        start: First index.
        stop: One past the last index.
        entries: One per entry, in order.
        nodes: Every node that an edge or name refers to.
        edges: What entries state, one by one.
        runs: Edges beside those that entries alike state.
        links: Aggregated edges: (source, kind, target) -> lowest tier.
        names: Name -> lowest tier.
        records: Versions of records.
        skipped: How many entries brought nothing but their place, by reason.
        erased: Entries, of these or earlier ones, of which the log has forgotten something.
        withdrawn: Entries, of these or earlier ones, that an error declaration is about.
        retracted: What those said of goods, and no longer holds.
    """

    start: int
    stop: int
    entries: list[EntryFact] = field(default_factory=list)
    nodes: dict[str, Mention] = field(default_factory=dict)
    edges: list[EdgeFact] = field(default_factory=list)
    runs: list[EdgeRun] = field(default_factory=list)
    links: dict[tuple[str, EdgeKind, str], Tier] = field(default_factory=dict)
    names: dict[NameFact, Tier] = field(default_factory=dict)
    records: list[RecordFact] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    erased: set[int] = field(default_factory=set)
    withdrawn: set[int] = field(default_factory=set)
    retracted: list[EdgeFact] = field(default_factory=list)

    def all_edges(self) -> list[EdgeFact]:
        """Return the edges that the entries state, in the order of the log."""
        if not self.runs:
            return self.edges
        facts = [fact for run in self.runs for fact in run.facts()]
        return sorted([*self.edges, *facts], key=_PLACE)

    def mention(self, key: str, tier: Tier, index: int | None = None) -> None:
        """Note that a node exists, visible from `tier` on; `index` when the entry defines it."""
        known = self.nodes.get(key)
        if known is None:
            self.nodes[key] = Mention(tier, index)
        elif tier < known.tier or index is not None:
            entries = [each for each in (known.newest, index) if each is not None]
            self.nodes[key] = Mention(min(tier, known.tier), max(entries, default=None))

    def link(self, src: str, kind: EdgeKind, dst: str, tier: Tier) -> None:
        """State an aggregated edge."""
        if tier < self.links.get((src, kind, dst), _ABOVE_ALL):
            self.links[src, kind, dst] = tier

    def name(self, field_: str, value: str, node: str, tier: Tier) -> None:
        """Let a node be found by the value of a field."""
        # A plain tuple is found as the fact that it would make.
        if tier < self.names.get((field_, value, node), _ABOVE_ALL):  # type: ignore[call-overload]
            self.names[NameFact(field_, value, node)] = tier
