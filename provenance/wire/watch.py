"""Keeping on asking witnesses: a round for each new checkpoint, and for who has not answered.

Nothing else waits for it: it reads the log like any reader, and stores what comes.

Next: provenance/wire/evidence.py
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from provenance.errors import ProvenanceError
from provenance.wire.cosign import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provenance.clock import Clock
    from provenance.store.published import LogFiles
    from provenance.store.reading import LogReader
    from provenance.wire.cosign import Round

__all__ = ["collecting", "keep_collecting"]

_LOG: Final = logging.getLogger(__name__)
_END_SECONDS: Final = 5.0


async def keep_collecting(
    collector: Collector, interval: float, told: Callable[[Round], object]
) -> None:
    """Collect for ever: whenever the newest checkpoint lacks a witness.

    Args:
        collector: For one log.
        interval: Seconds between looks at the log.
        told: Is told of each round in which somebody was asked.
    """
    while True:
        try:
            done = await collector.round()
        except ProvenanceError as error:
            # The database may be busy or being mended; the next look may find it well.
            _LOG.warning("witnesses cannot be asked: %s", error)
        else:
            if any(answer.status not in {"known", "later"} for answer in done.answers):
                told(done)
        await asyncio.sleep(interval)


@contextmanager
def collecting(
    open_log: Callable[[], LogReader], files: LogFiles, clock: Clock, interval: float
) -> Iterator[None]:
    """Collect in a thread of its own while the body runs.

    Args:
        open_log: Called in that thread, which needs a reader of its own.
        files: Where cosignatures are stored.
        clock: Judges the times that witnesses claim.
        interval: Seconds between looks at the log.
    """
    loop = asyncio.new_event_loop()

    def run() -> None:
        try:
            with closing(open_log()) as log:
                collector = Collector(log, files, clock)
                if collector.has_witnesses:
                    loop.run_until_complete(keep_collecting(collector, interval, _logged))
        except asyncio.CancelledError:
            pass
        except ProvenanceError as error:
            _LOG.warning("witnesses are not asked: %s", error)
        finally:
            loop.close()

    # A daemon: a witness that hangs keeps nobody from ending the program.
    thread = threading.Thread(target=run, name="witnesses", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(RuntimeError):  # the loop is closed already: there was nobody to ask
            loop.call_soon_threadsafe(_cancel_all, loop)
        thread.join(_END_SECONDS)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


def _logged(done: Round) -> None:
    for name, status, text in done.answers:
        level = logging.WARNING if status in {"failed", "disputed"} else logging.INFO
        _LOG.log(level, "witness %s: %s at %d: %s", name, status, done.size, text)
