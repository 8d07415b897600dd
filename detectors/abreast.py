"""Tasks side by side: this process and a copy of it take them in turn.

The copy is a fork, so it has the frames and all features without a second set of
them in memory, and what it reads is what this process read. It touches no
database, ends without tidying up what is not its own, and ends when this process
does, whatever ended that. An answer that does not arrive, because the copy died
or because it cannot be sent, or because nothing is heard of it for long, is made
here: the answers are the same either way.

A fork copies one thread only, so nothing is forked while there are others.

Next: detectors/executors.py
"""

from __future__ import annotations

import gc
import io
import mmap
import os
import pickle
import select
import signal
import struct
import sys
import threading
from contextlib import ExitStack, suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from detectors.heap import kept
from provenance.beside import usable_cpus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from detectors.features import Features

__all__ = ["Plan", "each"]

T = TypeVar("T")

_ENOUGH: Final = 20_000
"""With fewer rows than this, starting and asking the copy costs about what it saves."""
_PATIENCE_SECONDS: Final = 600.0
"""A task of ten million rows takes half of that; a copy that is silent for longer hangs."""
_TICKET: Final = struct.Struct("<H")
_AT_ONCE: Final = 1 << 16
_ALIGNED: Final = 64
"""What numpy and Arrow like their numbers to begin at a multiple of."""


class Plan(NamedTuple):
    """Who does what where there are two processes; with one, tasks are done as they are given.

    Attributes:
        first: Called in this process, with what is shared, before anything else is done in it.
        own: Numbers of tasks that this process does then, and the copy never: they need what
            `first` made, or have much in common that both would make.
        others: Numbers of tasks that either does. They are begun in this order: what takes long
            comes first, so that both are done at about the same time.
    """

    first: Callable[[Features], None] | None = None
    own: Sequence[int] = ()
    others: Sequence[int] = ()


def each(
    tasks: Sequence[Callable[[], T]],
    shared: Features,
    *,
    begun: Callable[[int], None] | None = None,
    plan: Plan | None = None,
    held: Collection[object] = (),
    here: bool = False,
) -> Iterator[T | Exception]:
    """Yield what each task returns or raises; over a large record two processes work on them.

    Args:
        tasks: Independent of each other.
        shared: What they read.
        begun: Called with each task's number before it is begun here, or its answer is read.
        plan: Who does what; either does any, the last first, unless it says otherwise.
        held: What answers may hold besides what is shared, and is not to be doubled.
        here: Do all of it in this process.
    """
    begun = begun or (lambda _: None)
    answers: dict[int, T | Exception] = {}
    if len(tasks) > 1 and not here and _is_useful(len(shared.frames.events)):
        shared.prepare()
        plan = plan or Plan(others=range(len(tasks))[::-1])
        answers = _by_two(tasks, shared, plan, [*shared.made(), *held], begun)
    for number, task in enumerate(tasks):
        if number not in answers:
            begun(number)
            answers[number] = _tried(task)
        yield answers.pop(number)


def _tried(task: Callable[[], T]) -> T | Exception:
    try:
        return task()
    except Exception as error:  # noqa: BLE001 - who asked decides what it means
        return error


def _is_useful(rows: int) -> bool:
    alone = sys.platform == "linux" and threading.active_count() == 1
    return alone and rows >= _ENOUGH and usable_cpus() > 1


def _by_two(
    tasks: Sequence[Callable[[], T]],
    shared: Features,
    plan: Plan,
    held: list[object],
    begun: Callable[[int], None],
) -> dict[int, T | Exception]:
    """Return the answers by the number of the task; some may be missing."""
    answers: dict[int, T | Exception] = {}
    with ExitStack() as ends, suppress(OSError):  # there is no room for another process
        ends.enter_context(kept())
        tickets = _Tickets(plan.others)
        ends.callback(tickets.close)
        # To look through what there is for garbage would copy its pages, in either process.
        gc.freeze()
        ends.callback(gc.unfreeze)
        other = _Copy(tasks, held, tickets)
        ends.callback(other.end)
        if plan.first is not None:
            plan.first(shared)
        for number in chain(plan.own, tickets):
            begun(number)
            answers[number] = _tried(tasks[number])
        for number, answer in other.answers():
            begun(number)
            answers[number] = answer
    return answers


class _Tickets:
    """Numbers in a pipe: whoever reads one has it, and nobody else."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._read, write = os.pipe()
        try:
            # A pipe holds 64 KiB: thirty thousand tickets.
            os.write(write, b"".join(map(_TICKET.pack, numbers)))
        finally:
            os.close(write)

    def __iter__(self) -> Iterator[int]:
        while ticket := os.read(self._read, _TICKET.size):
            yield _TICKET.unpack(ticket)[0]

    def close(self) -> None:
        os.close(self._read)


class _Sent(NamedTuple):
    """Where an answer lies in the memory between the two: its outline, then its columns."""

    number: int
    start: int
    sizes: tuple[int, ...]


class _Copy:
    """The copy of this process, from its start to its end."""

    def __init__(
        self, tasks: Sequence[Callable[[], Any]], held: list[object], tickets: _Tickets
    ) -> None:
        self._held = held
        self._memory = os.memfd_create("answers", os.MFD_CLOEXEC)
        self._reports, reports = os.pipe()
        life, self._life = os.pipe()
        self._process = os.fork()
        if not self._process:
            with suppress(BaseException):
                os.close(self._life)
                _work(tasks, held, tickets, _Sender(self._memory, reports), life)
            os._exit(0)
        os.close(reports)
        os.close(life)

    def answers(self) -> Iterator[tuple[int, Any]]:
        """Yield what the copy sent, once it has nothing left to do, or is silent for too long."""
        told = b""
        while select.select([self._reports], [], [], _PATIENCE_SECONDS)[0]:
            some = os.read(self._reports, _AT_ONCE)
            if not some:
                break
            told += some
        lines = told.split(b"\n")[:-1]
        size = os.fstat(self._memory).st_size
        if not size:
            return
        # Arrays lie in it for as long as they live; private, so that they may be written to.
        shared = memoryview(mmap.mmap(self._memory, size, flags=mmap.MAP_PRIVATE))
        for line in lines:
            sent = msgspec.json.decode(line, type=_Sent)
            with suppress(Exception):  # it is made here then
                yield sent.number, _received(shared, sent, self._held)

    def end(self) -> None:
        """End the copy; it is there no longer afterwards."""
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)
        for descriptor in (self._memory, self._reports, self._life):
            os.close(descriptor)


def _work(
    tasks: Sequence[Callable[[], Any]],
    held: list[object],
    tickets: _Tickets,
    sender: _Sender,
    life: int,
) -> None:
    """Be the copy: take tasks until there are none."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with scikit-learn

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()
    known = {id(value): number for number, value in enumerate(held)}
    # Pools of threads did not come along; with one thread nobody looks for them.
    with threadpool_limits(1):
        for number in tickets:
            with suppress(Exception):  # the other process does it then
                sender.send(number, _tried(tasks[number]), known)


def _end_with(life: int) -> None:
    """End this process when the one that it is a copy of has ended."""
    os.read(life, 1)
    os._exit(0)


class _Sender:
    """Writes answers into the memory between the two."""

    def __init__(self, memory: int, reports: int) -> None:
        self._memory = memory
        self._reports = reports
        self._end = 0

    def send(self, number: int, answer: object, known: dict[int, int]) -> None:
        columns: list[pickle.PickleBuffer] = []
        outline = io.BytesIO()
        _Writer(outline, known, columns).dump(answer)
        parts = [outline.getbuffer(), *(column.raw() for column in columns)]
        start = self._end
        for part in parts:
            self._write(part)
        sent = _Sent(number, start, tuple(part.nbytes for part in parts))
        # Said when all of it is there: what a death interrupts was never sent.
        os.write(self._reports, msgspec.json.encode(sent) + b"\n")

    def _write(self, part: memoryview) -> None:
        done = 0
        while done < part.nbytes:
            done += os.pwrite(self._memory, part[done:], self._end + done)
        self._end = _aligned(self._end + done)


class _Writer(pickle.Pickler):
    """Writes columns apart, and what both processes have as its number."""

    def __init__(
        self, file: io.BytesIO, known: dict[int, int], columns: list[pickle.PickleBuffer]
    ) -> None:
        super().__init__(file, protocol=5, buffer_callback=columns.append)
        self._known = known

    def reducer_override(self, value: Any) -> Any:
        number = self._known.get(id(value))
        return NotImplemented if number is None else (_held_here, (number,))


class _Reader(pickle.Unpickler):
    def __init__(self, outline: memoryview, held: list[object], columns: list[memoryview]) -> None:
        super().__init__(io.BytesIO(outline), buffers=columns)
        self._held = held

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (_held_here.__module__, _held_here.__name__):
            return self._held.__getitem__
        return super().find_class(module, name)


def _held_here(number: int) -> Any:
    """Stand for what both processes have; each reader has its own."""
    raise LookupError(number)


def _received(shared: memoryview, sent: _Sent, held: list[object]) -> Any:
    parts, start = [], sent.start
    for size in sent.sizes:
        parts.append(shared[start : start + size])
        start = _aligned(start + size)
    return _Reader(parts[0], held, parts[1:]).load()


def _aligned(place: int) -> int:
    return -(-place // _ALIGNED) * _ALIGNED
