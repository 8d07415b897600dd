"""The reading port on a workspace: one log reader and one graph connection.

Next: api/words.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.erased_events import ErasedEvents
from api.flag_states import all_flags, fits, is_dismissed, reviewed
from api.reading import Gap, Head, Journey, Lineage, Link, Record, Step
from detectors.casework.reviews import latest
from graph.keys import NodeKind, facility_key, is_class, is_item, item_key, kind_of
from graph.keys import parse_item as parse_item_key
from graph.model import EdgeKind, RecordKind, Role
from graph.questions.custody import custody
from graph.questions.exposure import exposure
from graph.questions.lists import entries_on_record
from graph.questions.recall import recall
from provenance import canonical
from provenance.disclosure.privacy import open_entry
from provenance.entries import EntryType, Tier
from provenance.epcis.export import EVENT_VERSIONS
from provenance.errors import Erased, NotFound
from provenance.govern.anchors import Anchors
from provenance.govern.delivered import signer_of
from provenance.ingest.same_event import index_of
from provenance.notes import checkpoint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from api.reading import Direction, FlagFilter
    from detectors.casework.reviews import Review
    from graph.lineage import Lineage as StoredLineage
    from graph.model import Edge, Node
    from graph.questions.custody import Custody
    from graph.questions.exposure import Exposure
    from graph.questions.recall import Recall
    from graph.store import GraphStore
    from provenance.entries import Content
    from provenance.identifiers import ItemKey
    from provenance.store.reading import LogReader
    from workspace.workspace import Workspace

__all__ = ["StoreReading", "open_reading"]

_EVENTS = (EntryType.EVENT, EntryType.CORRECTION)
_MADE = (Role.PRODUCED, Role.OUTPUT)
_SEVERITY = ("critical", "high", "medium", "low", "info")


def open_reading(workspace: Workspace) -> StoreReading:
    """Open one more view of a workspace; the caller closes it."""
    return StoreReading(workspace.new_reader(), workspace.new_graph())


class StoreReading:
    """`Reading` on a log reader and a graph store that are this object's own."""

    def __init__(self, log: LogReader, graph: GraphStore) -> None:
        """Read `log` and `graph`, which nobody else uses."""
        self._log = log
        self._anchors = Anchors(log)
        self.erased_events = ErasedEvents(log).count
        self._graph = graph
        self._listed: tuple[tuple[int, Tier], list[Record]] | None = None
        self._decided: tuple[tuple[int, Tier], Mapping[int, Review]] | None = None

    def snapshot(self) -> AbstractContextManager[None]:
        """Hold the graph still; see the port."""
        return self._graph.snapshot()

    def position(self) -> int:
        """Return how many entries the graph has applied."""
        return self._graph.position()

    def head(self) -> Head:
        """Return the log's state under its latest checkpoint."""
        note = self._log.cosigned()
        said, _ = checkpoint.parse(note)
        standing = self._log.witnesses.standing(note)
        vkey = self._log.register.signers_at(said.size)[-1]
        return Head(said.origin, said.size, said.root, note, vkey, standing)

    def item(self, key: ItemKey, tier: Tier) -> ItemKey | None:
        """Return the key under which an item is on record."""
        if item_key(*key) in self._graph.fetch([item_key(*key)], tier):
            return key
        if key.serial_id is None or key.lot_id is not None:
            return None
        named = map(parse_item_key, self._graph.find("serial", key.serial_id, tier))
        same = [found for found in named if found[:2] == key[:2]]
        return same[0] if len(same) == 1 else None

    def with_gtin(self, gtin: str, tier: Tier) -> tuple[str, str] | None:
        """Return (party, product_id) of the product that carries a GTIN."""
        found = next(map(parse_item_key, self._graph.find("gtin", gtin, tier)), None)
        return None if found is None else (found.party, found.product_id)

    def products(
        self, keys: Collection[tuple[str, str]], tier: Tier
    ) -> Mapping[tuple[str, str], Content]:
        """Return product master data by (party, product_id)."""
        wanted = {item_key(*key): key for key in keys}
        nodes = self._graph.fetch(wanted, tier)
        return {wanted[key]: node.attrs for key, node in nodes.items() if node.index is not None}

    def facilities(self, ids: Collection[str], tier: Tier) -> Mapping[str, Content]:
        """Return facility master data by facility_id."""
        wanted = {facility_key(each): each for each in ids}
        nodes = self._graph.fetch(wanted, tier)
        return {wanted[key]: node.attrs for key, node in nodes.items() if node.index is not None}

    def journey(self, key: ItemKey, tier: Tier, depth: int, limit: int) -> Journey:
        """Return the events of an item and of what it came from."""
        found = self._graph.journey(item_key(*key), tier, depth=depth, limit=limit)
        steps = [Step(_record(step.event), step.hops) for step in found.steps]
        return Journey(steps, found.truncated)

    def lineage(
        self, key: ItemKey, direction: Direction, tier: Tier, depth: int, limit: int
    ) -> Lineage:
        """Return what an item came from or went into."""
        walk = self._graph.upstream if direction == "upstream" else self._graph.downstream
        found = walk(item_key(*key), tier, depth=depth, limit=limit)
        return Lineage(
            depths={
                parse_item_key(name): hops for name, hops in found.hops.items() if is_item(name)
            },
            links=list(_links(found)),
            gaps=[
                Gap(
                    parse_item_key(gap.item) if is_item(gap.item) else None,
                    gap.reason,
                    gap.missing,
                )
                for gap in found.gaps
            ],
            truncated=found.truncated,
        )

    def custody(self, key: ItemKey, tier: Tier, limit: int) -> Custody:
        """Return who held an item."""
        return custody(self._graph, item_key(*key), tier, limit=limit)

    def recall(self, key: ItemKey, tier: Tier, depth: int, limit: int) -> Recall:
        """Return what a recall of an item affects."""
        return recall(self._graph, item_key(*key), tier, depth=depth, limit=limit)

    def exposure(
        self, key: ItemKey, tier: Tier, watchlist: str, depth: int, limit: int
    ) -> Exposure:
        """Return whether an item comes from what a list names."""
        listed = entries_on_record(self._graph, tier, watchlist)
        if not listed:
            raise NotFound(f"no watch list {watchlist!r} is on record here")
        return exposure(self._graph, item_key(*key), tier, listed, depth=depth, limit=limit)

    def made_by(self, keys: Collection[ItemKey], tier: Tier) -> Mapping[ItemKey, Record]:
        """Return for each item the earliest event that made it."""
        wanted = {item_key(*key): key for key in keys}
        edges = self._graph.edges(wanted, tier, EdgeKind.INVOLVES, "upstream")
        making = [edge for edge in edges if edge.role in _MADE]
        events = self._graph.fetch({edge.src for edge in making}, tier)
        earliest: dict[ItemKey, Node] = {}
        for edge in making:
            key, event = wanted[edge.dst], events.get(edge.src)
            if event is not None and (key not in earliest or _when(event) < _when(earliest[key])):
                earliest[key] = event
        return {key: _record(event) for key, event in earliest.items()}

    def flags_on(self, keys: Collection[str], tier: Tier) -> Sequence[Record]:
        """Return the open flags that name one of the nodes, the most serious first."""
        found = self._graph.flags_for_many(keys, tier)
        reviews = self._reviews(tier)
        flags = [
            reviewed(_record(flag, about), reviews)
            for about, named in found.items()
            for flag in named
        ]
        return sorted((flag for flag in flags if not is_dismissed(flag)), key=_rank)

    def _reviews(self, tier: Tier) -> Mapping[int, Review]:
        """Return the decisions on flags, read once until the graph moves on."""
        at = (self.position(), tier)
        if self._decided is None or self._decided[0] != at:
            self._decided = (at, latest(self._graph.records(RecordKind.REVIEW, tier)))
        return self._decided[1]

    def flags(
        self, wanted: FlagFilter, below: int | None, limit: int, tier: Tier
    ) -> Sequence[Record]:
        """Return open flags, the newest first.

        One query brings all of them; the list is kept until the graph moves on, so
        that paging through it does not read it again for each page.
        """
        at = (self.position(), tier)
        if self._listed is None or self._listed[0] != at:
            self._listed = (at, all_flags(self._graph, tier, self._reviews(tier)))
        page = []
        for flag in self._listed[1]:
            if (below is None or (flag.index or 0) < below) and fits(flag.content, wanted):
                page.append(flag)
                if len(page) == limit:
                    break
        return page

    def prove(self, party: str, event_id: str, tier: Tier) -> Content:
        """Return the proof bundle of an event."""
        index = self._log.find(("event", party, event_id))
        if index is None:
            raise NotFound(f"no event {event_id!r} of {party!r} is on record here")
        return self._anchors.put_into(self._log.prove(index, lambda opening: opening.tier <= tier))

    def events(self, start: int, stop: int, tier: Tier) -> Iterator[tuple[int, str, Content]]:
        """Yield the events among some entries."""
        for entry in self._log.entries(start, stop):
            if entry.type in _EVENTS and entry.body is not None:
                version = canonical.loads(entry.body)["_v"]
                if version in EVENT_VERSIONS:
                    yield entry.index, version, open_entry(entry, tier)

    def event_named(
        self, event_id: str, parties: Collection[str], tier: Tier
    ) -> tuple[int, str, Content] | None:
        """Return an event by its EPCIS id."""
        index = index_of(self._log, event_id, parties, by_hash=tier >= Tier.PRIVATE)
        if index is not None and self.body(index) is None:
            raise Erased(f"the event of this id was erased; entry {index} still proves that it was")
        return None if index is None else next(self.events(index, index + 1, tier), None)

    def signer_of(self, index: int) -> str | None:
        """Return who signed the batch of an entry."""
        return signer_of(self._log, index)

    def tile(self, level: int, number: int, width: int) -> bytes:
        """Return a tile of the log's tree."""
        return self._log.tile(level, number, width)

    def leaves(self, start: int, stop: int) -> Sequence[bytes]:
        """Return leaves of the log."""
        return self._log.leaves(start, stop)

    def body(self, index: int) -> bytes | None:
        """Return the exact bytes of a body."""
        return self._log.bodies(index, index + 1)[0]

    def close(self) -> None:
        """Close both connections."""
        self._log.close()
        self._graph.close()


def _record(node: Node, about: str | None = None) -> Record:
    return Record(node.key, node.attrs, node.index, node.leaf_hash, about)


def _when(event: Node) -> tuple[bool, str, int]:
    time = event.attrs.get("event_time")
    return (time is None, str(time), event.index or 0)


def _rank(flag: Record) -> tuple[int, bool, int]:
    severity = flag.content.get("severity")
    place = _SEVERITY.index(severity) if severity in _SEVERITY else len(_SEVERITY)
    return (place, flag.content.get("evidence_class") != "rule", -(flag.index or 0))


def _links(found: StoredLineage) -> Iterable[Link]:
    """Yield the steps between items; a large transformation's go through its event."""
    into: dict[str, list[Edge]] = {}
    out_of: list[Edge] = []
    for edge in found.edges:
        if is_item(edge.src) and is_item(edge.dst):
            if edge.kind is EdgeKind.BECAME or not is_class(edge.src):
                yield _link(edge.src, edge.dst, edge.attrs)
        elif kind_of(edge.dst) is NodeKind.EVENT:
            into.setdefault(edge.dst, []).append(edge)
        elif kind_of(edge.src) is NodeKind.EVENT:
            out_of.append(edge)
    for made in out_of:
        for given in into.get(made.src, ()):
            if is_item(given.src) and is_item(made.dst):
                yield _link(given.src, made.dst, given.attrs | made.attrs)


def _link(source: str, target: str, content: Content) -> Link:
    return Link(parse_item_key(source), parse_item_key(target), content)
