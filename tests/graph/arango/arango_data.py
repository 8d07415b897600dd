"""What the double of an ArangoDB server holds: databases, documents, transactions.

Documents are replaced, never changed, so a transaction's view is a copy of the
tables that name them. Who writes what somebody else wrote since is in conflict.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from aql_values import AqlError

if TYPE_CHECKING:
    from collections.abc import Iterable

Doc = dict[str, Any]
_KEY = re.compile(r"[A-Za-z0-9_\-:.@()+,=;$!*'%]{1,254}\Z")
_ID = re.compile(r"[^/]+/[^/]+\Z")
NOT_FOUND, CONFLICT = 404, 409
IDLE_SECONDS = 0.5
"""A server has a minute of patience."""


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """What a server answers instead: HTTP status, error number, message."""

    def __init__(self, status: int, number: int, message: str) -> None:
        """Say what is wrong."""
        super().__init__(message)
        self.status, self.number = status, number


class Collection:
    """Documents by key, in the order in which they came; edges can be asked for by their ends."""

    def __init__(self, *, edges: bool) -> None:
        """Hold nothing."""
        self.edges = edges
        self.held: dict[str, Doc] = {}
        self._ends: dict[str, dict[str, list[Doc]]] | None = None

    def copy(self) -> Collection:
        """Return a view that later writes do not change."""
        twin = Collection(edges=self.edges)
        twin.held, twin._ends = dict(self.held), self._ends
        return twin

    def put(self, key: str, document: Doc | None) -> None:
        """Hold a document, or none, under a key."""
        self._ends = None
        if document is None:
            self.held.pop(key, None)
        else:
            self.held[key] = document

    def at(self, end: str, id_: str) -> list[Doc]:
        """Return the edges of which `_from` or `_to` is a vertex."""
        if self._ends is None:
            self._ends = {"_from": {}, "_to": {}}
            for edge in self.held.values():
                for name, found in self._ends.items():
                    found.setdefault(edge[name], []).append(edge)
        return self._ends[end].get(id_, [])


class View:
    """Collections as one query or transaction sees them."""

    def __init__(self, collections: dict[str, Collection], graphs: dict[str, Doc]) -> None:
        """See these."""
        self.collections = collections
        self._graphs = graphs

    def collection(self, name: str) -> Collection:
        """Return a collection."""
        if name not in self.collections:
            raise Refused(NOT_FOUND, 1203, f"collection or view not found: {name}")
        return self.collections[name]

    def documents(self, collection: str) -> list[Doc]:
        """Return all documents, as queries ask for them."""
        if collection not in self.collections:
            raise AqlError(1203, f"AQL: collection or view not found: {collection}")
        return list(self.collections[collection].held.values())

    def lookup(self, collection: str, name: str, values: list[Any]) -> list[Doc] | None:
        """Return what an index finds; None where none serves."""
        held = self.collections.get(collection)
        if held is None:
            return None
        if name == "_key":
            return [held.held[each] for each in dict.fromkeys(values) if each in held.held]
        if held.edges and name in {"_from", "_to"}:
            return [edge for each in dict.fromkeys(values) for edge in held.at(name, each)]
        return None

    def remove(self, collection: str, key: str) -> None:
        """Take a document away, as a query does."""
        self.collection(collection).put(key, None)

    def document(self, id_: str) -> Doc | None:
        """Return a document by its id."""
        name, _, key = id_.partition("/")
        return self.collections[name].held.get(key) if name in self.collections else None

    def edges_at(self, collection: str, end: str, id_: str) -> list[Doc]:
        """Return the edges at a vertex."""
        return self.collection(collection).at(end, id_)

    def graph_edges(self, graph: str) -> list[str]:
        """Return the edge collections of a named graph."""
        if graph not in self._graphs:
            raise AqlError(1924, f"graph '{graph}' not found")
        return [each["collection"] for each in self._graphs[graph]["edgeDefinitions"]]


class Transaction(View):
    """A stream transaction: a view, and what was written in it."""

    def __init__(self, base: Database, names: dict[str, list[str]]) -> None:
        """Begin now."""
        copies = {name: each.copy() for name, each in base.collections.items()}
        super().__init__(copies, base.graphs)
        self.before = {name: dict(each.held) for name, each in copies.items()}
        self.writable = {*names.get("write", ()), *names.get("exclusive", ())}
        self.exclusive = set(names.get("exclusive", ()))
        self.written: dict[str, dict[str, Doc | None]] = {}
        self.used = time.monotonic()

    def remove(self, collection: str, key: str) -> None:
        """Take a document away, once this is committed."""
        if collection not in self.writable:
            raise AqlError(1652, f"unregistered collection used in transaction: {collection}")
        super().remove(collection, key)
        self.written.setdefault(collection, {})[key] = None


class Database(View):
    """One database."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.graphs: dict[str, Doc] = {}
        super().__init__({}, self.graphs)
        self.transactions: dict[str, Transaction] = {}
        self.cursors: dict[str, list[Any]] = {}
        self._numbers = itertools.count(1)
        self.freed = threading.Condition(threading.RLock())

    def number(self) -> str:
        """Return a number that was not used before."""
        return str(next(self._numbers))

    def begin(self, names: dict[str, list[str]], patience: float) -> str:
        """Begin a stream transaction, waiting for those that hold what it wants alone."""
        wanted = set(names.get("exclusive", ()))
        for name in itertools.chain.from_iterable(names.values()):
            self.collection(name)
        self._expire()
        if not self.freed.wait_for(lambda: not self._held_alone(wanted), timeout=patience):
            raise Refused(500, 18, "timeout while waiting for a lock")
        id_ = self.number()
        self.transactions[id_] = Transaction(self, names)
        return id_

    def _expire(self) -> None:
        """End the transactions in which nothing has been done for long."""
        now = time.monotonic()
        for id_, each in list(self.transactions.items()):
            if now - each.used > IDLE_SECONDS:
                self.end(id_)

    def _held_alone(self, wanted: set[str]) -> bool:
        return any(wanted & each.exclusive for each in self.transactions.values())

    def transaction(self, id_: str) -> Transaction:
        """Return a transaction that is under way."""
        if id_ not in self.transactions:
            raise Refused(NOT_FOUND, 1655, f"transaction '{id_}' not found")
        self.transactions[id_].used = time.monotonic()
        return self.transactions[id_]

    def end(self, id_: str) -> Transaction:
        """End a transaction: it is no longer known."""
        found = self.transaction(id_)
        del self.transactions[id_]
        self.freed.notify_all()
        return found

    def commit(self, id_: str) -> None:
        """Let all see what was written, all of it or nothing."""
        transaction = self.end(id_)
        for name, keys in transaction.written.items():
            for key in keys:
                if self.collections[name].held.get(key) is not transaction.before[name].get(key):
                    raise Refused(CONFLICT, 1200, f"write-write conflict; key: {key}")
        for name, documents in transaction.written.items():
            for key, document in documents.items():
                self.collections[name].put(key, document)

    def forget_transactions(self) -> None:
        """Lose what a restart loses."""
        self.transactions.clear()
        self.cursors.clear()
        self.freed.notify_all()


def write(
    base: Database, transaction: Transaction | None, name: str, key: str, document: Doc | None
) -> None:
    """Write one document, or take it away."""
    if transaction is None:
        base.collection(name).put(key, document)
        return
    if name not in transaction.writable:
        raise Refused(400, 1652, f"unregistered collection used in transaction: {name}")
    transaction.collection(name).put(key, document)
    transaction.written.setdefault(name, {})[key] = document


def checked(collection: Collection, given: Any) -> Doc:
    """Return a document that may be stored."""
    if not isinstance(given, dict):
        raise Refused(400, 1227, "invalid document type")
    if not isinstance(given.get("_key"), str) or not _KEY.match(given["_key"]):
        raise Refused(400, 1221, "illegal document key")
    if collection.edges and not all(
        isinstance(given.get(end), str) and _ID.match(given[end]) for end in ("_from", "_to")
    ):
        raise Refused(400, 1233, "edge attribute missing or invalid")
    return _numbers_as_held(given)


def _numbers_as_held(value: Any) -> Any:
    """Return a value as it comes back: a whole number beyond 64 bits is no longer exact."""
    if isinstance(value, dict):
        return {name: _numbers_as_held(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_numbers_as_held(one) for one in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value)
    return value


def stored(documents: Iterable[Doc]) -> list[Doc]:
    """Return documents without what the server adds."""
    own = {"_id", "_rev"}
    return [{name: one for name, one in each.items() if name not in own} for each in documents]
