"""A few open views of the workspace, each used by one thread at a time.

An apsw connection that two threads use at once raises ThreadingViolationError,
and a connection behind one lock would make readers queue although SQLite's WAL
lets them read side by side. So each request borrows a whole view (a log and a
graph connection), uses it in one worker thread, and gives it back. Views are
opened when they are first needed, never more than `size`, and closed together
when the server stops; connections per worker thread could not be closed from
outside their thread.

Next: api/store_reading.py
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING, TypeVar

import anyio.to_thread

from provenance.errors import StorageError, WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from api.reading import Reading

__all__ = ["Readers"]

T = TypeVar("T")

_WAIT_SECONDS = 30.0


class Readers:
    """A bounded pool of views.

    The free list is used from its end, so that under light load the same warm
    view serves every request.
    """

    def __init__(self, open_view: Callable[[], Reading], size: int = 4) -> None:
        """Make an empty pool.

        Args:
            open_view: Opens one more view; called in a worker thread.
            size: How many may be open at once, at least 1.
        """
        self._open_view = open_view
        self._size = size
        self._free: list[Reading] = []
        self._opened = 0
        self._closed = False
        self._changed = Condition()
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, work: Callable[[Reading], T]) -> T:
        """Do `work` with a view in a worker thread, on one state of the graph.

        No more worker threads than views: a request that must wait waits in the
        event loop, where waiting costs nothing.
        """
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._size)
        return await anyio.to_thread.run_sync(self._borrowed, work, limiter=self._limiter)

    def _borrowed(self, work: Callable[[Reading], T]) -> T:
        with self.borrow() as view, view.snapshot():
            return work(view)

    @contextmanager
    def borrow(self) -> Iterator[Reading]:
        """Lend a view to the calling thread; one that fails it is not lent again.

        The file behind a failing view may have been replaced; the next one opens it anew.

        Raises:
            StorageError: All views stayed lent for half a minute, or the pool is closed.
        """
        view, broken = self._take(), False
        try:
            yield view
        except (StorageError, WorkspaceError):
            broken = True
            raise
        finally:
            self._give_back(view, broken)

    def _take(self) -> Reading:
        with self._changed:
            free = self._changed.wait_for(
                lambda: self._closed or self._free or self._opened < self._size, _WAIT_SECONDS
            )
            if self._closed or not free:
                raise StorageError("no view of the workspace is free; try again")
            if self._free:
                return self._free.pop()
            self._opened += 1
        try:
            return self._open_view()
        except BaseException:
            with self._changed:
                self._opened -= 1
                self._changed.notify()
            raise

    def _give_back(self, view: Reading, broken: bool) -> None:
        with self._changed:
            if broken:
                self._opened -= 1
            elif not self._closed:
                self._free.append(view)
            self._changed.notify()
        if broken or self._closed:
            view.close()

    def close(self) -> None:
        """Close the free views now and the lent ones as they come back; lend none any more."""
        with self._changed:
            self._closed = True
            while self._free:
                self._free.pop().close()
            self._changed.notify_all()
