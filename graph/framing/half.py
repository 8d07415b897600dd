"""The later half of a large record's events, read by a process of its own.

It is a fresh interpreter that opens the graph by itself: no open database crosses a
fork, and the caller may have threads. What it reads is fixed by the caller's position.
It sends columns; if it sends less than all of them, for whatever reason, the caller
reads that half too. It ends when its input does, so it never outlives the caller.

Next: graph/frames.py
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Final

from graph.connect import open_store
from graph.framing.events import declared, read_events
from provenance import beside
from provenance.store.preparing import collector_at_rest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from graph.framing.events import Events
    from graph.store import GraphStore

__all__ = ["Half", "reading_beside"]

_ENOUGH: Final = 50_000
"""With fewer entries than this, a process takes longer to start than it saves."""
_HERE: Final = 0.55
"""The caller's share: it need not start first."""


class Half:
    """Events of the entries [first, stop), read by somebody else in the meantime.

    Attributes:
        first: The caller reads the entries before this one.
    """

    def __init__(self, first: int, process: subprocess.Popen[bytes] | None) -> None:
        """Take what `process` sends; None sends nothing."""
        self.first = first
        self._process = process

    def add_to(self, made: Events) -> bool:
        """Add all of them behind what was read before; False where they have to be read here."""
        from pyarrow import ArrowException  # noqa: PLC0415 - heavy, and loaded by now

        if self._process is None or self._process.stdout is None:
            return False
        try:
            parts = [one.received(self._process.stdout) for one in made]
        except (ArrowException, OSError, ValueError):
            return False  # it died, or could not read
        for one, part in zip(made, parts, strict=True):
            one.take(part)
        return True


@contextmanager
def reading_beside(store: GraphStore, start: int, stop: int) -> Iterator[Half]:
    """Have the later half of the entries [start, stop) read while the body runs.

    Args:
        store: The graph; where another process cannot open it, nobody else reads.
        start: The first entry.
        stop: Up to where the caller reads.
    """
    address = store.address()
    process = None
    if address is not None and stop - start >= _ENOUGH and beside.usable_cpus() > 1:
        first = start + int((stop - start) * _HERE)
        with suppress(OSError):  # there is no room for it
            process = beside.start(__name__, address, str(start), str(first), str(stop))
    try:
        yield Half(stop if process is None else first, process)
    finally:
        if process is not None:
            beside.end(process)


def send(address: str, start: int, first: int, stop: int, sink: IO[bytes]) -> None:
    """Read the events of [first, stop) of a record that is read from `start` on, and send them."""
    store = open_store(address, readonly=True)
    with collector_at_rest():
        made = read_events(store, first, stop, declared(store, start, stop))
    store.close()
    for one in made:
        one.send(sink)


def main() -> None:
    """Send what the arguments say."""
    address, *bounds = sys.argv[1:]
    threading.Thread(target=_end_with_input, daemon=True).start()
    start, first, stop = map(int, bounds)
    send(address, start, first, stop, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
