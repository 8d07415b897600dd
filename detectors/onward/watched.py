"""Features that note which tables every answer rests on, and know what is settled.

Nobody declares what it reads: whatever a detector asks of the features is
followed down to the tables of the frames, also through features that were
computed for somebody else. So an answer can stand while its tables do, for
detectors of other packages too. What an explanation reads is noted more finely: a row of
the record stays what it is while the log grows, and what moved a lot is compared.

Next: detectors/onward/kept.py
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec
import numpy as np
import pandas as pd

from detectors.features import Features
from detectors.onward.kept import Basis, Yardstick
from detectors.past import READ, before, is_past
from detectors.record import code_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from detectors.base import Case, Sample
    from detectors.custody import Flows
    from detectors.features import Row
    from graph.frames import Frames

__all__ = ["Watched"]

C = TypeVar("C")
T = TypeVar("T")
_SHARED: Final = frozenset(
    name
    for kind in Features.__mro__
    for name, value in vars(kind).items()
    if isinstance(value, cached_property)
)
_GROWING: Final = frozenset(("events", "inputs"))
"""Tables that rows are only added to: what is said of a row does not change by that."""
_SAMPLE: Final = "sample"
"""Stands for all that a detector judged, and no table."""


class _Looked:
    """A sample that tells when an explanation looks at it: it knows other cases."""

    def __init__(self, sample: Sample, note: Callable[[str], None]) -> None:
        self._sample = sample
        self._note = note

    def __getattr__(self, name: str) -> Any:
        self._note(_SAMPLE)
        return getattr(self._sample, name)


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
        self._measured_with: dict[Any, dict[str, Yardstick]] = {}
        self._settled: Mapping[str, Mapping[str, str]] = {}
        self._explains = False
        self._by_row: set[str] = set()
        self._lots: dict[int, str] = {}
        self.told: list[Basis] = []
        """What each explanation rested on, in the order in which they were given."""
        self.yardsticks: dict[str, Yardstick] = {}
        """Each yardstick that was asked for, by the name of what makes it."""
        self._earlier: Mapping[str, Yardstick] = {}
        self._fitted_before: Mapping[str, Callable[[], bytes | None]] = {}
        self.fits: dict[str, bytes] = {}
        """What was fitted, or had been in the run before, for whoever asked last; by name."""
        self.grows: Callable[[Callable[[Features], Any], Any], Any] | None = None
        """Makes a table of rows that rest each on something apart, where somebody knows how."""
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

    def lasting(self, make: Callable[[Features], T]) -> T:
        """Return what a function makes of single entries: they stay, so nothing has been read."""
        with self.reading():
            return self.once(make)

    def goes_on(
        self, yardsticks: Mapping[str, Yardstick], since: int, changed: Collection[str]
    ) -> None:
        """Take over what was made of the past, where nothing came in that happened then.

        Args:
            yardsticks: Those of the run before, by name.
            since: The first entry that is new since.
            changed: Tables of the frames that have other rows since.
        """
        with self.reading():
            end = self.once(before)
            at = self.rows["at"].to_numpy(np.int64)[self.rows["timed"].to_numpy(bool)]
            entries = self.rows["index"].to_numpy(np.int64)[self.rows["timed"].to_numpy(bool)]
        late = end is None or bool((at[entries >= since] < end).any())
        self._earlier = {
            name: one
            for name, one in yardsticks.items()
            if not late and one.before == end and not (one.tables & set(changed)) - _GROWING
        }

    def measured(self, make: Callable[[Features], T]) -> tuple[T, str, Yardstick]:
        """Return a yardstick, its name, and what there is to know of it."""
        name = f"{make.__module__}.{make.__qualname__}"
        if is_past(make):
            known = self._of_the_past(name, make)
            self._readers[-1] |= known.tables
            value: T = msgspec.msgpack.decode(known.made)
            return value, name, known
        value = self.once(make)
        return value, name, Yardstick(_digest(_ENCODER.encode(value)))

    def _of_the_past(self, name: str, make: Callable[[Features], Any]) -> Yardstick:
        known, code = self._earlier.get(name), code_digest(make.__module__)
        if known is None or known.code != code:
            with self.reading():
                made = _ENCODER.encode(self.once(make))
            known = Yardstick(_digest(made), made, self.once(before) or 0, READ, code)
        return known

    def yardstick(self, make: Callable[[Features], T]) -> T:
        """Return what a function makes of the whole record, and note what that is."""
        value, name, known = self.measured(make)
        self.yardsticks[name] = known
        return value

    def _booked(self, what: object, found: Callable[[], T]) -> T:
        behind = self._behind.get(what)
        if behind is not None:
            self._readers[-1] |= behind
            self.yardsticks |= self._measured_with[what]
            return found()
        others, self.yardsticks = self.yardsticks, {}
        try:
            with self.reading() as read:
                value = found()
        finally:
            own, self.yardsticks = self.yardsticks, others
        self._behind[what], self._measured_with[what] = frozenset(read), own
        self._readers[-1] |= read
        self.yardsticks |= own
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
    def knowing(
        self,
        detector: str,
        settled: Mapping[str, str],
        fits: Mapping[str, Callable[[], bytes | None]],
    ) -> Iterator[None]:
        """Let a detector leave out, inside the body, the families judged on these inputs.

        Args:
            detector: Whom.
            settled: By label, inputs of its families.
            fits: By name, what reads a fit of the run before; None where it cannot be read.
        """
        self._settled, self._fitted_before, self.fits = {detector: settled}, fits, {}
        try:
            yield
        finally:
            self._settled, self._fitted_before = {}, {}

    def fitted(self, name: str, fit: Callable[[], bytes]) -> bytes:
        """Return what fitting to what is so named gives, as the run before kept it or anew."""
        name = f"{self.seed}-{name}"
        kept = self.kept_fit(name)
        self.fits[name] = fit() if kept is None else kept
        return self.fits[name]

    def kept_fit(self, name: str) -> bytes | None:
        """Return what the run before fitted, or None."""
        return self._fitted_before[name]() if name in self._fitted_before else None

    def grown(self, make: Callable[[Features], T], apart: object) -> T:
        """Return a table that a function makes: of what moved anew, of the rest as it was."""
        if self.grows is None:
            return make(self)
        found: T = self.grows(make, apart)
        return found

    def is_settled(self, detector: str, family: str, inputs: str) -> bool:
        """Tell whether the run before judged a family on the same inputs."""
        return self._settled.get(detector, {}).get(family) == inputs

    def leaf_hashes(self, indices: Collection[int]) -> dict[int, bytes]:
        """Return leaf hashes; they never change, so whoever asks has read nothing."""
        with self.reading():
            return super().leaf_hashes(indices)

    def explained(self, explain: Callable[[C], T], case: C) -> T:
        """Put one flagged case into words, and note in `told` what that read."""
        self._by_row, self._lots = set(), {}
        asked = cast("Case", case)
        sample = cast("Sample", _Looked(asked.sample, self._note))
        self._explains = True
        try:
            with self.reading() as read:
                account = super().explained(explain, cast("C", asked._replace(sample=sample)))
        finally:
            self._explains = False
        tables = frozenset(read | (self._by_row - _GROWING))
        self.told.append(Basis("", tables, self._lots))
        self._readers[-1] |= (tables if not self._lots else tables | self._by_row) - {_SAMPLE}
        return account

    def _row_by_row(self, found: Callable[[], T]) -> T:
        if not self._explains:
            return found()
        with self.reading() as read:
            value = found()
        self._by_row |= read
        return value

    def row(self, position: int) -> Row:
        """Return one of `rows`."""
        if position < 0:  # the last of all is another one tomorrow
            return super().row(position)
        return self._row_by_row(lambda: super(Watched, self).row(position))

    def cells(self, column: str, positions: NDArray[Any]) -> NDArray[Any]:
        """Return what some of `rows` hold in a column."""
        return self._row_by_row(lambda: super(Watched, self).cells(column, positions))

    def rows_of(self, entries: Collection[int]) -> NDArray[Any]:
        """Return the positions in `rows` of what some log entries say."""
        return self._row_by_row(lambda: super(Watched, self).rows_of(entries))

    def flows_of(self, lot: int) -> Flows:
        """Return the flows of one lot."""
        flows = self._row_by_row(lambda: super(Watched, self).flows_of(lot))
        if self._explains:
            self._lots[lot] = _named(flows)
        return flows

    def is_told(self, basis: Basis, changed: Collection[str]) -> bool:
        """Tell whether an explanation of an earlier run would be the same now, for the same case.

        Args:
            basis: What it rested on.
            changed: The tables of the frames that have other rows since.
        """
        if _SAMPLE in basis.tables or not basis.tables.isdisjoint(changed):
            return False
        return all(_named(super(Watched, self).flows_of(x)) == y for x, y in basis.lots.items())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _named(flows: Flows) -> str:
    """Name flows by what they hold."""
    return hashlib.sha256(b"".join(column.tobytes() for column in flows)).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Write what yardsticks are made of besides texts and numbers."""
    if isinstance(value, pd.Series):
        return [value.index.tolist(), value.tolist()]
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"no yardstick: {type(value).__name__}")


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=_plain, order="deterministic")
