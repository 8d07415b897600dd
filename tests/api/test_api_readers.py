"""The pool of views: never two threads on one, never more than allowed, all closed at the end."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from api.readers import Readers
from provenance.errors import StorageError, WorkspaceDamaged

if TYPE_CHECKING:
    from collections.abc import Iterator


class View:
    """A view that notices two users at once, and remembers being closed."""

    opened: list[View]

    def __init__(self) -> None:
        """Be free, open and not held."""
        self.busy = threading.Lock()
        self.closed = False
        self.held = False
        View.opened.append(self)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Held while it is read."""
        self.held = True
        yield
        self.held = False

    def read(self) -> bool:
        """Take a moment, alone."""
        assert self.busy.acquire(blocking=False), "two threads on one view"
        time.sleep(0.005)
        self.busy.release()
        return self.held

    def close(self) -> None:
        """Be closed once."""
        assert not self.closed
        self.closed = True


@pytest.fixture(autouse=True)
def _fresh() -> None:
    View.opened = []


def test_a_view_has_one_user_and_a_snapshot() -> None:
    """Forty requests at once share three views, one at a time each, on a held snapshot."""
    readers = Readers(View, 3)

    async def many() -> list[bool]:
        return await asyncio.gather(*(readers.run(View.read) for _ in range(40)))

    assert all(asyncio.run(many()))
    assert len(View.opened) == 3
    readers.close()
    assert all(view.closed for view in View.opened)


def test_one_request_after_the_other_uses_one_view() -> None:
    """Without a crowd the same view is used again, also after a failure."""
    readers = Readers(View, 3)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), readers.borrow():
            _ = 1 / 0
    assert len(View.opened) == 1


def test_a_view_that_fails_is_replaced() -> None:
    """After an error of storage or workspace the view is closed, and the next one is new."""
    readers = Readers(View, 1)
    for error in (StorageError("disk"), WorkspaceDamaged("graph")):
        with pytest.raises(type(error)), readers.borrow():
            raise error
    with readers.borrow():
        pass
    assert [view.closed for view in View.opened] == [True, True, False]


def test_a_view_that_cannot_be_opened_takes_no_place() -> None:
    """A failed opening is the caller's error, and the next caller may try again."""
    failing = iter([StorageError("disk"), None])

    def open_view() -> View:
        if (error := next(failing)) is not None:
            raise error
        return View()

    readers = Readers(open_view, 1)
    with pytest.raises(StorageError, match="disk"), readers.borrow():
        pass
    with readers.borrow() as view:
        assert view.read() is False


def test_a_closed_pool_lends_nothing_and_closes_what_comes_back() -> None:
    """Closing does not wait for a lent view; it is closed when its user is done."""
    readers = Readers(View, 1)
    with readers.borrow() as view:
        readers.close()
        assert not view.closed
        with pytest.raises(StorageError), readers.borrow():
            pass
    assert view.closed
