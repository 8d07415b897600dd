"""Features that note which tables every answer rests on, and know what is settled.

Nobody declares what it reads: whatever a detector asks of the features is
followed down to the tables of the frames, also through features that were
computed for somebody else. So an answer can stand while its tables do, for
detectors of other packages too.

Next: detectors/onward/kept.py
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from detectors.features import Features

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from graph.frames import Frames

__all__ = ["Watched"]

T = TypeVar("T")
_SHARED: Final = frozenset(
    name
    for kind in Features.__mro__
    for name, value in vars(kind).items()
    if isinstance(value, cached_property)
)


class _Tables:
    """Frames that tell who is asked for a table."""

    def __init__(self, frames: Frames, note: Callable[[str], None]) -> None:
        self._frames = frames
        self._note = note

    def __getattr__(self, name: str) -> Any:
        self._note(name)
        return getattr(self._frames, name)


class Watched(Features):
    """The features of one run. For one thread: what is read is booked to whoever asked last."""

    def __init__(self, frames: Frames, *, seed: int) -> None:
        """Take the frames of one run; nothing is computed yet."""
        self._readers: list[set[str]] = [set()]
        self._behind: dict[Any, frozenset[str]] = {}
        self._settled: Mapping[str, Mapping[str, str]] = {}
        tables = _Tables(frames, self._note)
        super().__init__(cast("Frames", tables), seed=seed)

    def _note(self, table: str) -> None:
        self._readers[-1].add(table)

    def __getattribute__(self, name: str) -> Any:
        """Book a shared feature, and the tables behind it, to whoever asks."""
        if name not in _SHARED:
            return super().__getattribute__(name)
        return self._booked(name, lambda: super(Watched, self).__getattribute__(name))

    def once(self, make: Callable[[Features], T]) -> T:
        """Return what a function makes of these features, booked like a feature."""
        return self._booked(make, lambda: super(Watched, self).once(make))

    def _booked(self, what: object, found: Callable[[], T]) -> T:
        behind = self._behind.get(what)
        if behind is not None:
            self._readers[-1] |= behind
            return found()
        with self.reading() as read:
            value = found()
        self._behind[what] = frozenset(read)
        self._readers[-1] |= read
        return value

    @contextmanager
    def reading(self) -> Iterator[set[str]]:
        """Collect the names of the tables that the body reads; who is outside has read none."""
        read: set[str] = set()
        self._readers.append(read)
        try:
            yield read
        finally:
            self._readers.pop()

    @contextmanager
    def knowing(self, detector: str, settled: Mapping[str, str]) -> Iterator[None]:
        """Let a detector leave out, inside the body, the families judged on these inputs."""
        self._settled = {detector: settled}
        try:
            yield
        finally:
            self._settled = {}

    def is_settled(self, detector: str, family: str, inputs: str) -> bool:
        """Tell whether the run before judged a family on the same inputs."""
        return self._settled.get(detector, {}).get(family) == inputs

    def leaf_hashes(self, indices: Collection[int]) -> dict[int, bytes]:
        """Return leaf hashes; they never change, so whoever asks has read nothing."""
        with self.reading():
            return super().leaf_hashes(indices)
