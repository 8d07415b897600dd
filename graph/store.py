"""The port to a graph store. The docstrings are the contract; one suite tests every store.

A store holds facts and a position, nothing else. Whatever it answers is cut to
the viewer's tier: a node, edge, name or record above the tier does not exist
for that viewer, and neither does anything derived from it.

Adding a store takes one file in `graph/stores/` that fulfils this, one line in
`graph/connect.py`, and one in the list of the conformance suite.

Next: graph/containment.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    from graph.changes import Changes
    from graph.held import Fact, FactKind
    from graph.journey import Journey
    from graph.keys import NodeKind
    from graph.lineage import Lineage
    from graph.model import Edge, EdgeKind, EntryFact, Node, Record, RecordKind, Role
    from graph.walked import Walk
    from provenance.entries import Tier

__all__ = ["DEFAULT_DEPTH", "DEFAULT_LIMIT", "Direction", "GraphStore"]

DEFAULT_DEPTH: Final = 100
DEFAULT_LIMIT: Final = 10_000

Direction = Literal["upstream", "downstream"]
"""Upstream is towards the origin, downstream towards the consumer."""


class GraphStore(Protocol):
    """One open graph; safe to share between threads.

    Every answer is taken from one state of the graph, also while another process
    writes. Any method may raise:
        StorageError: The disk or database refused; nothing was half-written.
        WorkspaceLocked: Another process held the database for too long.
        WorkspaceDamaged: The database is malformed; it can be deleted and rebuilt.
        WorkspaceReadOnly: A write to a store that may only be read.
    """

    def address(self) -> str | None:
        """Return the URL at which another process can open this graph, as `connect` reads it.

        None where it has none, or where more than a URL is needed (a password).
        """
        ...

    def position(self) -> int:
        """Return how many log entries have been applied: the index of the next one."""
        ...

    def apply(self, changes: Changes) -> int:
        """Unite the graph with `changes` and move the position, all of it or nothing.

        Changes that do not start at the position are not applied when the position is
        beyond their start (another process was faster: go on from the answer).

        Returns:
            The position afterwards.

        Raises:
            StorageError: They start beyond the position, which would leave a gap.
        """
        ...

    def forget(self, entries: Sequence[EntryFact]) -> None:
        """Replace the content of entries below the position by what is left of it, all or nothing.

        Their version, node, edges, names and records stay as they are.
        """
        ...

    def reset(self) -> None:
        """Forget everything, back to position 0."""
        ...

    def purge(self) -> bool:
        """Leave no trace, in any file, of what was forgotten or reset.

        Returns:
            False while somebody still reads an older state of the graph; ask again later.
        """
        ...

    def close(self) -> None:
        """Give the store up; it is not used afterwards."""
        ...

    def snapshot(self) -> AbstractContextManager[None]:
        """Hold the graph still: inside, this thread's answers are all from one state of it.

        May be nested. Other threads wait; other processes do not. Do not write inside.
        """
        ...

    def skipped(self) -> dict[str, int]:
        """Return how many entries brought nothing but their place in the chain, by reason."""
        ...

    def node(self, key: str, tier: Tier) -> Node:
        """Return one node; `entry:{index}` gives the node that stands for that log entry.

        Raises:
            NotFound: There is none that this viewer may know of.
        """
        ...

    def fetch(self, keys: Collection[str], tier: Tier) -> dict[str, Node]:
        """Return the nodes of many keys in a bounded number of queries; unknown keys are absent."""
        ...

    def nodes(self, kind: NodeKind, tier: Tier, after: str = "", limit: int = 100) -> list[Node]:
        """Return nodes of a kind in order of key, from behind the key `after`."""
        ...

    def neighbours(
        self,
        key: str,
        tier: Tier,
        kinds: Collection[EdgeKind] | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> list[Edge]:
        """Return the edges from and to a node, of some kinds or of all, `next` included.

        In order of log entry, aggregated ones first, at most `limit` of each kind and way.

        Raises:
            NotFound: There is no such node for this viewer.
        """
        ...

    def edges(
        self,
        keys: Collection[str],
        tier: Tier,
        kind: EdgeKind,
        way: Direction,
        *,
        roles: Collection[Role] | None = None,
        limit: int | None = None,
    ) -> list[Edge]:
        """Return the edges of one kind at many nodes in a bounded number of queries.

        Args:
            keys: The nodes; unknown ones have no edges.
            tier: The viewer's.
            kind: Which edges; not `next`.
            way: "upstream" for the edges that end at these nodes, "downstream" for those that
                begin there.
            roles: Only edges with one of these roles.
            limit: At most so many, the first in log order (equal ones by source, then target).
        """
        ...

    def made_by(self, keys: Collection[str], tier: Tier, at: int | None = None) -> dict[str, Edge]:
        """Return for each item the `involves` edge of the event that made it, without attributes.

        One that produced it goes before one that put it out of a transformation, then the
        earlier before the later (undated ones last), then by the event's key. Items that no
        event made up to the time `at` (microseconds; None for ever) are absent.
        """
        ...

    def walk(
        self,
        starts: Sequence[str],
        tier: Tier,
        direction: Direction,
        *,
        depth: int = DEFAULT_DEPTH,
        limit: int = DEFAULT_LIMIT,
        at: int | None = None,
    ) -> Walk:
        """Follow `became` edges breadth first; each node is visited once, so circles end.

        Args:
            starts: The nodes at distance 0, the more important first; unknown ones are left out.
            tier: The viewer's.
            direction: "upstream" from outputs to inputs, "downstream" the other way.
            depth: How many edges away to go, from 0.
            limit: How many items to find at most: of the starts the first ones, then the nearest,
                equal ones by key.
            at: Only edges up to this time count, microseconds since the epoch, and undated ones.
        """
        ...

    def upstream(
        self,
        key: str,
        tier: Tier,
        *,
        depth: int = DEFAULT_DEPTH,
        limit: int = DEFAULT_LIMIT,
        at: int | None = None,
    ) -> Lineage:
        """Return what an item was made from, as `graph.lineage.Lineage` describes.

        Args:
            key: An item or a container; a container's question is asked of its contents.
            tier: The viewer's.
            depth: How many transformations away to look, from 0.
            limit: How many items to return at most, the nearest, equal ones by key.
            at: Microseconds since the epoch: only events up to then count, and only what was
                inside a container then; None counts all.

        Raises:
            NotFound: There is no such item for this viewer.
            UsageError: The key names something that is neither item nor container.
        """
        ...

    def downstream(
        self,
        key: str,
        tier: Tier,
        *,
        depth: int = DEFAULT_DEPTH,
        limit: int = DEFAULT_LIMIT,
        at: int | None = None,
    ) -> Lineage:
        """Return what was made from an item; as `upstream`, the other way."""
        ...

    def journey(
        self,
        key: str,
        tier: Tier,
        *,
        depth: int = DEFAULT_DEPTH,
        limit: int = DEFAULT_LIMIT,
    ) -> Journey:
        """Return the events of an item and of what it was made from, in order of time.

        Args:
            key: An item or a container.
            tier: The viewer's.
            depth: How many transformations upstream to look.
            limit: How many items, and how many events, to return at most; the earliest events.

        Raises:
            NotFound: There is no such item for this viewer.
            UsageError: The key names something that is neither item nor container.
        """
        ...

    def flags_for(self, key: str, tier: Tier, *, superseded: bool = False) -> list[Node]:
        """Return the flags about a node, newest first; none for an unknown node.

        A newer flag of the same detector, type and subject supersedes the older ones, which
        are returned only with `superseded`.
        """
        ...

    def flags_for_many(
        self, keys: Collection[str], tier: Tier, *, superseded: bool = False
    ) -> dict[str, list[Node]]:
        """Return `flags_for` of many nodes in a bounded number of queries; all keys present."""
        ...

    def find(self, field: str, value: str, tier: Tier, limit: int = 100) -> list[str]:
        """Return, in order, the keys of items by `lot`, `serial`, `product` or `gtin`."""
        ...

    def records(self, kind: RecordKind, tier: Tier, under: Sequence[str] = ()) -> list[Record]:
        """Return the latest version of each record of a kind, in order of its row key.

        Args:
            kind: Which records; timesheets are one record per entry.
            tier: The viewer's.
            under: The first parts of the row key, to ask for some only: a facility's months.
        """
        ...

    def contents(
        self, version: str, tier: Tier, start: int = 0, stop: int | None = None
    ) -> Iterator[Record]:
        """Yield the contents of all entries of a body version in log order, start <= index < stop.

        Reads piece by piece without holding a lock; with a fixed `stop` up to the position the
        answer is the same whatever is applied meanwhile.
        """
        ...

    def facts(self, kind: FactKind) -> Iterator[Fact]:
        """Yield everything held of a kind, as it was stated, in the order of `held.place_of`.

        For comparing with the log, so nothing is cut or left out: what cannot be read or refers
        to nothing is yielded as something that no entry can have stated. Flat in memory. Take
        it to its end inside one `snapshot`.
        """
        ...

    def faults(self) -> Iterator[str]:
        """Yield what is wrong with how the facts are kept, such as an index that lacks some."""
        ...
