"""What the API reads: a narrow port over the log and the graph.

Each method that takes many keys answers them in a number of store queries that
does not grow with their number; this is what keeps a GraphQL request bounded.
Each takes the viewer's tier and answers with content that is already cut to it.

Next: api/readers.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from graph.lineage import GapReason
    from graph.questions.custody import Custody
    from graph.questions.exposure import Exposure
    from graph.questions.recall import Recall
    from provenance.entries import Content, Tier
    from provenance.identifiers import ItemKey
    from provenance.store.witnessed import Standing

__all__ = [
    "Direction",
    "FlagFilter",
    "Gap",
    "Head",
    "Journey",
    "Lineage",
    "Link",
    "Reading",
    "Record",
    "Step",
]

Direction = Literal["upstream", "downstream"]
"""Upstream is towards the origin, downstream towards the consumer."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a viewer may see of one node.

    Attributes:
        key: The node's key in the graph.
        content: Its attributes, cut to the viewer's tier.
        index: The log entry that it comes from; None where no single entry stands behind it.
        leaf_hash: That entry's leaf hash.
        about: For a flag that was found by what it names, that node's key.
    """

    key: str
    content: Content
    index: int | None = None
    leaf_hash: bytes | None = None
    about: str | None = None


class Head(NamedTuple):
    """The log's present state.

    Attributes:
        origin: The log's name.
        size: Number of entries.
        root: The root hash, 32 bytes.
        checkpoint: The signed note, with the cosignatures that have come in for it.
        vkey: The log's verifier key, the newest of those that signed the checkpoint.
        standing: How far witnesses have seen the log.
    """

    origin: str
    size: int
    root: bytes
    checkpoint: str
    vkey: str
    standing: Standing


class Link(NamedTuple):
    """One step of a lineage: goods of `source` became part of `target`, with what amounts."""

    source: ItemKey
    target: ItemKey
    content: Content


class Gap(NamedTuple):
    """A place where the records stop short.

    Attributes:
        item: Where; None when it is no item's place.
        reason: Why.
        missing: What the missing thing is called; empty when it has no name.
    """

    item: ItemKey | None
    reason: GapReason
    missing: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """The items that an item came from or went into.

    Attributes:
        depths: Every item found, with its distance from the one asked for. That one has 0, and
            so has what stands for the same goods: the lot of a serial, the lots of a product.
        links: The steps between them.
        gaps: Where a record is missing.
        truncated: Whether a limit on depth or number cut it short.
    """

    depths: Mapping[ItemKey, int]
    links: Sequence[Link]
    gaps: Sequence[Gap]
    truncated: bool


class Step(NamedTuple):
    """One event of a journey, and how many transformations upstream it took place."""

    event: Record
    hops: int


@dataclass(frozen=True, slots=True)
class Journey:
    """The events of an item and of what it was made from, in order of time.

    Attributes:
        steps: The events, the earliest first; undated ones last.
        truncated: Whether a limit left something out.
    """

    steps: Sequence[Step]
    truncated: bool


@dataclass(frozen=True, slots=True)
class FlagFilter:
    """Which flags to list; None does not restrict.

    Attributes:
        type: The flag's type, for example "custody_gap".
        severity: Its severity.
        evidence_class: "rule", "statistical" or "learned".
        subject_kind: What kind of thing it names.
        subject_id: The thing it names.
        state: What people have decided; None lists what they have not dismissed.
    """

    type: str | None = None
    severity: str | None = None
    evidence_class: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    state: str | None = None


class Reading(Protocol):
    """One open view of a workspace. It belongs to one thread at a time.

    Raises on any method: StorageError when the store refuses, WorkspaceError when the
    workspace cannot be used.
    """

    def snapshot(self) -> AbstractContextManager[None]:
        """Hold the graph still: what is read inside is all from one state of it."""
        ...

    def position(self) -> int:
        """Return how many log entries the graph has applied."""
        ...

    def head(self) -> Head:
        """Return the log's state under its latest signed checkpoint."""
        ...

    def item(self, key: ItemKey, tier: Tier) -> ItemKey | None:
        """Return the key of an item on record, None when unknown or not to be shown at this tier.

        A serial without a lot finds the one item of the product that carries it, so the
        key that comes back may say more than the one that went in.
        """
        ...

    def with_gtin(self, gtin: str, tier: Tier) -> tuple[str, str] | None:
        """Return (party, product_id) of the product that carries a GTIN, None when unknown."""
        ...

    def products(
        self, keys: Collection[tuple[str, str]], tier: Tier
    ) -> Mapping[tuple[str, str], Content]:
        """Return product master data by (party, product_id); the unknown are absent."""
        ...

    def facilities(self, ids: Collection[str], tier: Tier) -> Mapping[str, Content]:
        """Return facility master data by facility_id; the unknown are absent."""
        ...

    def journey(self, key: ItemKey, tier: Tier, depth: int, limit: int) -> Journey:
        """Return the events of an item and of what it came from.

        Args:
            key: An item on record.
            tier: The viewer's.
            depth: How many transformations upstream to look; 0 for the item's own events.
            limit: At most so many events, the earliest.
        """
        ...

    def lineage(
        self, key: ItemKey, direction: Direction, tier: Tier, depth: int, limit: int
    ) -> Lineage:
        """Return what an item on record came from or went into, at most `limit` items."""
        ...

    def custody(self, key: ItemKey, tier: Tier, limit: int) -> Custody:
        """Return who held an item on record, at most `limit` stays."""
        ...

    def recall(self, key: ItemKey, tier: Tier, depth: int, limit: int) -> Recall:
        """Return what a recall of an item on record affects, at most `limit` items."""
        ...

    def exposure(
        self, key: ItemKey, tier: Tier, watchlist: str, depth: int, limit: int
    ) -> Exposure:
        """Return whether an item comes from what a list in the log names; "" for all lists.

        Raises:
            NotFound: There is no such list.
        """
        ...

    def made_by(self, keys: Collection[ItemKey], tier: Tier) -> Mapping[ItemKey, Record]:
        """Return for each item the earliest event that made it; those without one are absent."""
        ...

    def flags_on(self, keys: Collection[str], tier: Tier) -> Sequence[Record]:
        """Return the open flags that name one of the nodes, with `about`, most serious first."""
        ...

    def flags(
        self, wanted: FlagFilter, below: int | None, limit: int, tier: Tier
    ) -> Sequence[Record]:
        """Return open flags with an index under `below`, the newest first, at most `limit`."""
        ...

    def prove(self, party: str, event_id: str, tier: Tier) -> Content:
        """Return the proof bundle of an event, disclosing the fields up to this tier.

        Raises:
            NotFound: There is no such event.
        """
        ...

    def events(self, start: int, stop: int, tier: Tier) -> Iterator[tuple[int, str, Content]]:
        """Yield the events among the entries [start, stop): index, version, content for a tier."""
        ...

    def event_named(
        self, event_id: str, parties: Collection[str], tier: Tier
    ) -> tuple[int, str, Content] | None:
        """Return an event as `events` does, by its EPCIS id or, for the operator, its event hash.

        Args:
            event_id: As an EPCIS document has it.
            parties: Whose events may be meant where the id does not say; the first counts first.
            tier: Whose view it is.

        Raises:
            Erased: There was one.
        """

    def erased_events(self) -> int:
        """Count the events that were erased whole; what they were about nobody knows any more."""
        ...

    def signer_of(self, index: int) -> str | None:
        """Return the public key that signed the batch of an entry, if one did."""
        ...

    def tile(self, level: int, number: int, width: int) -> bytes:
        """Return the first `width` hashes of a tile of the log's tree."""
        ...

    def leaves(self, start: int, stop: int) -> Sequence[bytes]:
        """Return the leaves from `start` up to, not including, `stop`."""
        ...

    def body(self, index: int) -> bytes | None:
        """Return the exact bytes of an entry's body, None when it was erased."""
        ...

    def close(self) -> None:
        """Give up the connections; the view is not used afterwards."""
        ...
