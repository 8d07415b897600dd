"""How the ArangoDB graph is asked: prepared first, again after a fault, in one state if need be.

Questions of several requests are asked within one read transaction, so that on a
single server, and in a database of one shard, they are answered from one state. In other
clusters a batch that lands meanwhile may be seen in part.

Next: graph/stores/arango/writing.py
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from graph.stores.arango.schema import Names, prepare
from graph.stores.arango.writing import asked, give_up
from provenance.errors import StorageError, WorkspaceReadOnly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arango.database import Database, TransactionDatabase

    from graph.place import ArangoPlace
    from graph.stores.arango.session import Session

__all__ = ["Asking"]

_T = TypeVar("_T")


class Asking:
    """Requests to one graph, by one thread at a time."""

    def __init__(
        self, session: Session, place: ArangoPlace, names: Names, *, readonly: bool
    ) -> None:
        """Send nothing yet."""
        self._session = session
        self._place = place
        self._names = names
        self._readonly = readonly
        self._prepared = False
        self._lock = threading.RLock()
        self._nested = 0
        self._reading: TransactionDatabase | None = None

    def run(self, work: Callable[[], _T], *, again: bool = True) -> _T:
        """Do some work once everything is there, and again as `Session.run` says."""

        def whole() -> _T:
            if not self._prepared:
                prepare(self._session, self._place, self._names, readonly=self._readonly)
                self._prepared = True
            return work()

        with self._lock:
            return self._session.run(whole, within=self._reading is not None, again=again)

    @property
    def database(self) -> Database:
        """What to ask: within a snapshot its transaction."""
        return self._reading or self._session.database

    def ask(self, query: str, *collections: str, edges: str = "", **values: Any) -> list[Any]:
        """Ask a query of some collections, named as `Names` does; returns all rows.

        Args:
            query: One of `text`.
            collections: Those that it binds by their own names.
            edges: The collection that it binds as `@@edges`, where it takes several.
            values: The other values that it binds.
        """
        named = {name: getattr(self._names, name) for name in collections}
        named |= {"edges": edges} if edges else {}
        return self.run(lambda: asked(self.database, query, named, **values))

    def write(self, work: Callable[[], _T]) -> _T:
        """Do some work that writes.

        Raises:
            StorageError: This is in the middle of a snapshot.
            WorkspaceReadOnly: The store was opened to be read.
        """
        with self._lock:
            if self._nested:
                raise StorageError(
                    f"{self._session.name}: cannot be written from inside a snapshot"
                )
            if self._readonly:
                raise WorkspaceReadOnly(f"{self._session.name}: was opened to be read")
            return self.run(work)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold the graph still within one read transaction."""
        with self._lock:
            if not self._nested:
                self._reading = self.run(
                    lambda: self._session.database.begin_transaction(read=self._names.all)
                )
            self._nested += 1
            try:
                yield
            finally:
                self._nested -= 1
                if not self._nested and self._reading is not None:
                    reading, self._reading = self._reading, None
                    give_up(reading)

    @contextmanager
    def together(self, several: bool) -> Iterator[None]:
        """Hold the graph still where several requests are to be made."""
        if not several:
            yield
            return
        with self.snapshot():
            yield

    def page(self, values: Iterator[_T]) -> Iterator[_T]:
        """Yield what is read page by page; what breaks off half-way cannot be gone on with."""
        self.run(lambda: None)
        while True:
            one = self.run(lambda: next(values, None), again=False)
            if one is None:
                return
            yield one
