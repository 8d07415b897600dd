"""Writing to the graph in ArangoDB: one batch of changes in one stream transaction.

The head is locked for the transaction alone, so writers come one after another and
the position cannot move between being read and being written. On a single server,
and in a database of one shard, the transaction is whole. In other clusters a crash
during the commit may leave part of a batch without its position: the batch is then
applied again, and every document replaces itself.

Documents go by the document interface: the bulk import knows no transactions.

Next: graph/stores/arango/facts.py
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from arango.exceptions import ArangoServerError

from graph.held import NameSeen
from graph.model import AGGREGATED, EdgeFact
from graph.stores.arango import text
from graph.stores.arango.encoding import (
    edge_document,
    entry_document,
    name_document,
    node_document,
    node_key,
    padded,
    record_document,
)
from graph.stores.arango.schema import HEAD
from provenance.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arango.database import Database, StandardDatabase, TransactionDatabase

    from graph.changes import Changes
    from graph.model import EntryFact
    from graph.stores.arango.encoding import Document
    from graph.stores.arango.schema import Names

__all__ = ["Writer", "asked", "give_up"]

_AT_ONCE: Final = 1_000
"""Documents a request: about a megabyte."""
_LOCK_SECONDS: Final = 10


def asked(database: Database, query: str, collections: dict[str, str], **values: Any) -> list[Any]:
    """Run a query and return all its answers.

    Args:
        database: Or a transaction of it.
        query: One of `text`.
        collections: What its `@@name` stand for, by name.
        values: What its `@name` stand for.
    """
    bound = {f"@{name}": collection for name, collection in collections.items()} | values
    return list(database.aql.execute(query, bind_vars=bound, batch_size=_AT_ONCE))  # type: ignore[arg-type]


def _check(changes: Changes) -> None:
    """Find, before anything is sent, what would not hang together.

    Raises:
        StorageError: An entry is missing, or an edge or name refers to no node.
    """
    ends = {end for edge in changes.all_edges() for end in (edge.src, edge.dst)}
    ends |= {end for src, _, dst in changes.links for end in (src, dst)}
    ends |= {name.node for name in changes.names}
    indexes = [entry.index for entry in changes.entries]
    if indexes != list(range(changes.start, changes.stop)) or ends - changes.nodes.keys():
        raise StorageError(f"changes {changes.start} to {changes.stop} do not hang together")


class Writer:
    """Writes batches into one database."""

    def __init__(self, database: StandardDatabase, names: Names) -> None:
        """Write to the collections of `names`."""
        self._database = database
        self._names = names

    def apply(self, changes: Changes) -> int:
        """Unite the graph with `changes` if they start at the position; return the new position.

        Raises:
            StorageError: They start beyond it, or do not hang together.
        """
        with self._transaction() as transaction:
            head: Any = transaction.collection(self._names.head).get(HEAD)
            position = int(head["position"])
            if changes.start > position:
                raise StorageError(
                    f"the graph has applied {position} entries, these begin at {changes.start}; "
                    "catch up from there"
                )
            if changes.start < position:
                return position
            _check(changes)
            self._write(transaction, changes)
            # Crash before the commit: the server forgets all of it. During it: see above.
            self._put(transaction, self._names.head, [head | {"position": changes.stop}])
        return changes.stop

    def forget(self, entries: Sequence[EntryFact]) -> None:
        """Replace the content of entries that have been applied."""
        with self._transaction() as transaction:
            documents = [
                {"_key": padded(entry.index), "layers": entry_document(entry)["layers"]}
                for entry in entries
            ]
            for some in _portions(documents):
                transaction.collection(self._names.entries).insert_many(
                    some, overwrite_mode="update", raise_on_document_error=True
                )

    @contextmanager
    def _transaction(self) -> Iterator[TransactionDatabase]:
        transaction = self._database.begin_transaction(
            write=self._names.written,
            exclusive=[self._names.head],
            lock_timeout=_LOCK_SECONDS,
        )
        try:
            yield transaction
            transaction.commit_transaction()
        except BaseException:
            # Left alone it would keep the lock until the server ends it.
            give_up(transaction)
            raise

    def _write(self, transaction: Database, changes: Changes) -> None:
        names = self._names
        self._put(transaction, names.nodes, self._nodes(transaction, changes))
        for name in (names.became, names.edges):
            stated = [edge for edge in changes.all_edges() if names.holding(edge.kind) == name]
            self._put(transaction, name, [edge_document(edge, names.nodes) for edge in stated])
        self._put(transaction, names.edges, self._links(transaction, changes))
        self._take_back(transaction, changes)
        self._put(transaction, names.names, self._found_by(transaction, changes))
        self._put(
            transaction,
            names.records,
            [record_document(each) for each in changes.records],
        )
        self._put(
            transaction,
            names.entries,
            [entry_document(each) for each in changes.entries],
        )
        if changes.skipped:
            counts = {"_key": padded(changes.start), "counts": dict(changes.skipped)}
            self._put(transaction, names.skipped, [counts])

    @staticmethod
    def _put(transaction: Database, name: str, documents: Sequence[Document]) -> None:
        """Write documents, each in the place of one of its key."""
        for some in _portions(documents):
            transaction.collection(name).insert_many(
                some, overwrite_mode="replace", raise_on_document_error=True
            )

    def _nodes(self, transaction: Database, changes: Changes) -> list[Document]:
        """Return the nodes mentioned, united with what is known of them already."""
        known = self._known(
            transaction, self._names.nodes, [node_key(key) for key in changes.nodes]
        )
        documents = []
        for key, (tier, newest) in changes.nodes.items():
            document = node_document(key, tier, newest)
            held = known.get(document["_key"])
            if held is not None:
                seen_from, entry = held
                document["tier"] = min(document["tier"], seen_from)
                document["entry"] = entry if newest is None else max(document["entry"], entry or "")
                if [document["tier"], document["entry"]] == held:
                    continue
            documents.append(document)
        return documents

    def _links(self, transaction: Database, changes: Changes) -> list[Document]:
        documents = [
            edge_document(
                EdgeFact(src, kind, dst, AGGREGATED, 0, None, tier, None, []),
                self._names.nodes,
            )
            for (src, kind, dst), tier in changes.links.items()
        ]
        return self._lowered(transaction, self._names.edges, documents)

    def _found_by(self, transaction: Database, changes: Changes) -> list[Document]:
        documents = [name_document(NameSeen(*name, tier)) for name, tier in changes.names.items()]
        return self._lowered(transaction, self._names.names, documents)

    def _lowered(
        self, transaction: Database, name: str, documents: list[Document]
    ) -> list[Document]:
        """Return the documents that are new, or seen from a lower tier than was known."""
        known = self._known(transaction, name, [each["_key"] for each in documents])
        return [
            each
            for each in documents
            if each["_key"] not in known or each["tier"] < known[each["_key"]][0]
        ]

    @staticmethod
    def _known(transaction: Database, name: str, keys: list[str]) -> dict[str, list[Any]]:
        known: dict[str, list[Any]] = {}
        for some in _portions(keys):
            rows = asked(transaction, text.KNOWN, {"documents": name}, keys=some)
            known |= {key: [tier, entry] for key, tier, entry in rows}
        return known

    def _take_back(self, transaction: Database, changes: Changes) -> None:
        """Remove what an entry said of goods before it was declared wrong."""
        names = self._names
        for source, kind, index in sorted({(e.src, e.kind, e.index) for e in changes.retracted}):
            asked(
                transaction,
                text.TAKE_BACK,
                {"edges": names.holding(kind)},
                source=names.node_id(node_key(source)),
                kind=kind,
                first=f"e{padded(index)}",
                end=f"e{padded(index + 1)}",
            )


def give_up(transaction: TransactionDatabase) -> None:
    """Abort a transaction, if it is still there: what is left over ends by itself in a minute."""
    try:
        transaction.abort_transaction()
    except (ArangoServerError, OSError):
        return


def _portions(documents: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(documents), _AT_ONCE):
        yield list(documents[start : start + _AT_ONCE])
