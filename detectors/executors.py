"""Where detectors are asked: here, one after the other, or on a cluster, side by side.

A cluster is handed the frames once; each detector is a task of its own. A task
whose worker dies is given to another. The answers are the same wherever they
are made, because a detector's answer depends on the frames and the seed alone.

Next: detectors/run.py
"""

from __future__ import annotations

from asyncio import CancelledError
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from detectors.abreast import Plan, each
from detectors.base import EvidenceClass
from detectors.features import Features
from detectors.judging import Judgement, judge
from detectors.past import settle
from detectors.record import sources
from provenance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from detectors.base import Detector

__all__ = ["Answer", "Cluster", "Executor", "InProcess", "planned"]

_PAST: Final = settle.__module__

Answer = Judgement | Exception
"""What a detector made of the record, or what it raised."""

_TRIES = 3
"""How often a task is given to another worker when its worker dies."""


class Executor(Protocol):
    """Asks detectors; the answers come in the order of the detectors."""

    def ask(
        self,
        shared: Features,
        detectors: Sequence[Detector],
        level: float,
        progress: Callable[[str], None] | None,
    ) -> Iterator[Answer]:
        """Yield each detector's answer.

        Args:
            shared: The features of this run.
            detectors: Whom to ask.
            level: False-discovery level.
            progress: Called with a detector's name before its answer is waited for.
        """
        ...


class InProcess:
    """Asks them on features that they share: one after the other, or two at a time."""

    def ask(
        self,
        shared: Features,
        detectors: Sequence[Detector],
        level: float,
        progress: Callable[[str], None] | None,
    ) -> Iterator[Answer]:
        """Yield each detector's answer."""

        def begun(number: int) -> None:
            if progress is not None:
                progress(detectors[number].name)

        tasks = [partial(judge, detector, shared, level) for detector in detectors]
        yield from each(tasks, shared, begun=begun, plan=planned(detectors), held=detectors)


def planned(detectors: Sequence[Detector]) -> Plan:
    """Say which of two processes asks whom.

    What rests on the past is asked in this one, which makes the past's yardsticks while the other
    begins with the statistics: those take longest, general ones longest of all, which come last.

    Args:
        detectors: Who will be asked, in the order of the tasks.
    """
    numbers = range(len(detectors))
    own = [one for one in numbers if _rests_on_past(detectors[one])]
    others = [one for one in reversed(numbers) if one not in own]
    others.sort(key=lambda one: detectors[one].evidence_class is not EvidenceClass.STATISTICAL)
    return Plan(settle, own, others)


def _rests_on_past(detector: Detector) -> bool:
    with suppress(ImportError):  # somebody else's, from a place that cannot be looked into
        return _PAST in sources(type(detector).__module__)
    return False


class Cluster:
    """Asks detectors on the workers of a Dask scheduler; the extra `cluster` installs the client.

    Workers need this package in the same version; they see every value of the record.
    """

    def __init__(self, scheduler: str) -> None:
        """Connect to a scheduler.

        Args:
            scheduler: Its address, such as "tcp://10.0.0.5:8786".

        Raises:
            UsageError: The extra is missing, or nobody answers there.
        """
        try:
            from distributed import Client  # noqa: PLC0415 - an extra, and heavy
        except ImportError:
            raise UsageError("--executor dask: install the extra `cluster`") from None
        try:
            connect: Any = Client
            self._client = connect(scheduler, timeout="10s", set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError(f"--scheduler {scheduler}: nobody answers ({error})") from None

    def ask(
        self,
        shared: Features,
        detectors: Sequence[Detector],
        level: float,
        progress: Callable[[str], None] | None,
    ) -> Iterator[Answer]:
        """Yield each detector's answer, while the others are being worked on."""
        held = self._hand_out(shared)
        tasks = [self._submit(detector, held, shared, level) for detector in detectors]
        for detector, task in zip(detectors, tasks, strict=True):
            if progress is not None:
                progress(detector.name)
            yield self._wait(task, detector, shared, level)

    def _hand_out(self, shared: Features) -> Any:
        # On every worker, so that none of them takes the only copy with it.
        return self._client.scatter(shared.frames, broadcast=True, hash=False)

    def _submit(self, detector: Detector, held: Any, shared: Features, level: float) -> Any:
        return self._client.submit(
            _asked_remotely, detector, held, shared.seed, level, pure=False, retries=_TRIES
        )

    def _wait(self, task: Any, detector: Detector, shared: Features, level: float) -> Answer:
        """Wait for an answer; when all who held the frames are gone, hand them out again."""
        for _ in range(_TRIES):
            try:
                answer: Answer = task.result()
            except (Exception, CancelledError):  # noqa: BLE001 - what a detector raises is an answer
                task = self._submit(detector, self._hand_out(shared), shared, level)
            else:
                return answer
        return UsageError("the cluster lost its workers again and again; look at their logs")

    def close(self) -> None:
        """Leave the cluster."""
        self._client.close()


_last: Features | None = None
"""A worker's features of the frames it saw last: detectors of one run share them."""


def _asked_remotely(detector: Detector, frames: Any, seed: int, level: float) -> Answer:
    global _last  # noqa: PLW0603 - one slot in a worker process, replaced by the next run
    if _last is None or _last.frames is not frames or _last.seed != seed:
        _last = Features(frames, seed=seed)
    return _answer(detector, _last, level)


def _answer(detector: Detector, shared: Features, level: float) -> Answer:
    try:
        return judge(detector, shared, level)
    except Exception as error:  # noqa: BLE001 - one detector's fault must not cost the run
        return error
