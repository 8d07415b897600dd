"""The places besides the log that may hold what it has erased, and how each forgets it.

    graph.db      forgets when it catches up, and leaves no trace in its files
    quarantine/   loses the rows that hold what was asked to be forgotten
    detection/    goes; the next detection run reads everything

Next: workspace/workspace.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Final

from provenance.errors import WorkspaceLocked
from provenance.files import locked

if TYPE_CHECKING:
    from collections.abc import Callable

    from graph.store import GraphStore
    from provenance.forget.marks import Needle
    from provenance.forget.run import Followers
    from provenance.store.reading import LogReader
    from workspace.layout import Layout

__all__ = ["Places"]

_READ: Final = "somebody reads an older state of the graph: end that, or wait"


@dataclass(frozen=True)
class Places:
    """What the places are made of.

    Attributes:
        layout: Where the files lie.
        secret: The workspace's.
        graph_place: Scheme and place of the graph.
        graph: Opens it.
    """

    layout: Layout
    secret: bytes
    graph_place: tuple[str, str]
    graph: Callable[[], GraphStore]

    def followers(self, reader: LogReader) -> Followers:
        """Name the places, each with what lets it follow the log that `reader` reads."""
        places: Followers = {"quarantine": self._rows_set_aside}
        if self.layout.detection.exists():
            places["detection"] = lambda _needles: self._detection()
        scheme, place = self.graph_place
        # A graph in memory ends with its process, and one that was never made holds nothing.
        if scheme != "memory" and (scheme != "sqlite" or Path(place).exists()):
            places["graph"] = lambda _needles: self._graph(reader)
        return places

    def _graph(self, reader: LogReader) -> str | None:
        from graph.sync import catch_up  # noqa: PLC0415 - a log without a graph needs none

        store = self.graph()
        try:
            catch_up(reader, store)
            return None if store.purge() else _READ
        finally:
            store.close()

    def _detection(self) -> str | None:
        try:
            # A run that is going on would put it back, with what it read before the erasure.
            with locked(self.layout.detection_lock, 0.0):
                if self.layout.detection.exists():
                    rmtree(self.layout.detection)
        except WorkspaceLocked:
            return "a detection run is going on, and throws it away when it ends"
        except OSError as error:
            return f"{self.layout.detection}: {error.strerror}"
        return None

    def _rows_set_aside(self, needles: frozenset[Needle]) -> str | None:
        from provenance.forget.marks import needle_digest  # noqa: PLC0415 - as above
        from provenance.ingest.forgetting import Sought, forget_rows  # noqa: PLC0415 - as above

        return forget_rows(self.layout.quarantine, Sought(needles, needle_digest(self.secret)))
