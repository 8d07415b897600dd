"""What was set aside goes when its time is over, also while a server runs for months.

Next: workspace/backup.py
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from provenance.errors import ProvenanceError
from workspace.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.clock import Clock
    from workspace.layout import Layout

__all__ = ["expire", "keeping"]

_LOG: Final = logging.getLogger(__name__)
_END_SECONDS: Final = 5.0


def expire(layout: Layout, clock: Clock) -> list[str]:
    """Drop what was set aside for longer than `quarantine.keep_days` says.

    The settings are read anew: a server follows a change without being started again.

    Returns:
        A line for each file that went; whoever asked has to tell.

    Raises:
        ProvenanceError: The settings cannot be read, a file was edited meanwhile, or the disk
            refused.
    """
    from provenance.ingest.answers import Answers  # noqa: PLC0415 - heavy
    from provenance.ingest.shelf import Shelf, expiries  # noqa: PLC0415 - heavy

    days = read_settings(layout.settings).quarantine.keep_days
    gone = Shelf(layout.quarantine).expire(days, clock())
    Answers(layout.quarantine).expire(days, clock())
    return expiries(gone, days)


@contextmanager
def keeping(layout: Layout, clock: Clock, interval: float) -> Iterator[None]:
    """Let `expire` run at once, and again and again, while the body runs.

    Args:
        layout: Of the workspace.
        clock: Tells how old things are.
        interval: Seconds between two times.
    """
    ended = threading.Event()

    def run() -> None:
        while True:
            try:
                for line in expire(layout, clock):
                    _LOG.warning("quarantine: %s", line)
            except (ProvenanceError, OSError) as error:
                # The next time may find it well; a server does not stop for it.
                _LOG.warning("quarantine: nothing could be dropped: %s", error)
            if ended.wait(interval):
                return

    thread = threading.Thread(target=run, name="quarantine", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_END_SECONDS)
