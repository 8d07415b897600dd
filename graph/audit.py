"""Comparing a graph with the log: every fact that it holds, and every one that it should.

The graph is not trusted: whoever can write it can make it answer anything. So
the log is projected again, into a temporary file, and both are gone through
side by side in one order. Memory stays flat however long the log is.

What differs is named by its place and by the fields that differ; contents, which
not everybody may see, are not repeated.

Next: commands/graph.py
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from graph.connect import open_store
from graph.held import FactKind, NameSeen, NodeSeen, place_of
from graph.model import AGGREGATED, EdgeFact, EntryFact
from graph.sync import catch_up
from provenance.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graph.held import Fact, Place
    from graph.store import GraphStore
    from graph.sync import EntrySource
    from provenance.entries import Entry

__all__ = ["GraphReport", "audit_graph"]

_MOST_TOLD: Final = 1_000
_TELL_EVERY: Final = 5_000
_LONGEST: Final = 200
_MOST_FIELDS: Final = 8
_END: Final[tuple[Place, None]] = ((), None)

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much (0: nobody knows)."""


@dataclass
class GraphReport:
    """What came of an audit.

    Attributes:
        position: How many entries the graph says it has applied.
        size: How many the log has.
        compared: Facts of the log that were looked for, by kind.
        differing: How many differences there are.
        problems: The first 1,000 of them, each with its place.
    """

    position: int
    size: int
    compared: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, problem: str) -> None:
        """Take down a difference."""
        self.differing += 1
        if self.differing <= _MOST_TOLD:
            self.problems.append(problem)


def audit_graph(
    log: EntrySource,
    store: GraphStore,
    progress: Progress | None = None,
    scratch: Path | None = None,
) -> GraphReport:
    """Compare everything that a graph holds with what the log says.

    The graph may be behind: it is compared with the entries that it has applied.

    Args:
        log: What is believed.
        store: What is compared; held still meanwhile where the store can do so.
        progress: Told (done, total) in entries while the log is projected, then in facts.
        scratch: A directory for the projection, about as large as the graph; it is removed
            afterwards. The system's for temporary files if None.

    Raises:
        StorageError: There is no room, or somebody wrote the graph meanwhile.
    """
    size, (position, held) = log.size, _standing(store)
    report = GraphReport(position, size)
    if position != held:
        report.add(f"position: is {position}, and entries up to {held} are held")
    if held > size:
        report.add(f"position: entries up to {held} are held, the log has {size}")
    # Projecting takes long, and servers end a snapshot that nobody reads from.
    with _projected(log, min(held, size), scratch, progress) as expected:
        with store.snapshot():
            still = _standing(store) == (position, held)
            for fault in store.faults() if still else ():
                report.add(fault)
            for kind in FactKind if still else ():
                _compare(kind, expected, store, report, progress)
            _compare_skipped(expected, store, report)
        if not still or store.position() != position:
            raise StorageError("the graph was written while it was audited; audit it again")
    return report


def _standing(store: GraphStore) -> tuple[int, int]:
    """Return the position, and one past the last entry held, whatever the position says."""
    with store.snapshot():
        held = (int(place_of(each)[0]) for each in store.facts(FactKind.ENTRY))
        return store.position(), 1 + max(held, default=-1)


class _Beginning:
    """The log up to a size."""

    def __init__(self, log: EntrySource, size: int) -> None:
        self._log = log
        self.size = size

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        return self._log.entries(start, stop)


@contextmanager
def _projected(
    log: EntrySource, size: int, scratch: Path | None, progress: Progress | None
) -> Iterator[GraphStore]:
    # Crash meanwhile: the directory stays, readable for its owner alone, as temporary files do.
    with tempfile.TemporaryDirectory(prefix="graph-audit-", dir=scratch) as place:
        expected = open_store(f"sqlite:{Path(place) / 'expected.db'}")
        try:
            catch_up(_Beginning(log, size), expected, progress)
            with expected.snapshot():
                yield expected
        finally:
            expected.close()


def _compare_skipped(expected: GraphStore, found: GraphStore, report: GraphReport) -> None:
    want, have = expected.skipped(), found.skipped()
    for reason in sorted(want.keys() | have.keys()):
        if want.get(reason, 0) != have.get(reason, 0):
            counts = f"{have.get(reason, 0)} entries, the log has {want.get(reason, 0)}"
            report.add(f"skipped ({reason}): {counts}")


def _compare(
    kind: FactKind,
    expected: GraphStore,
    found: GraphStore,
    report: GraphReport,
    progress: Progress | None,
) -> None:
    for want, have in _side_by_side(expected.facts(kind), found.facts(kind), report):
        if want is None and have is not None:
            report.add(f"{_words(have)}: is not in the log")
        elif want is not None:
            report.compared[kind.value] += 1
            if progress is not None and not report.compared[kind.value] % _TELL_EVERY:
                progress(report.compared.total(), 0)
            for text in ["is missing"] if have is None else _differences(want, have):
                report.add(f"{_words(want)}: {text}")


def _side_by_side(
    expected: Iterator[Fact], found: Iterator[Fact], report: GraphReport
) -> Iterator[tuple[Fact | None, Fact | None]]:
    """Pair the facts of two ordered streams by their places; one without a pair comes alone."""
    wanted, held = _placed(expected), _behind(_placed(found), report)
    (at, want), (there, have) = next(wanted, _END), next(held, _END)
    while want is not None or have is not None:
        if have is None or (want is not None and at < there):
            yield want, None
            at, want = next(wanted, _END)
        elif want is None or there < at:
            yield None, have
            there, have = next(held, _END)
        else:
            yield want, have
            (at, want), (there, have) = next(wanted, _END), next(held, _END)


def _placed(facts: Iterator[Fact]) -> Iterator[tuple[Place, Fact | None]]:
    return ((place_of(fact), fact) for fact in facts)


def _behind(
    placed: Iterator[tuple[Place, Fact | None]], report: GraphReport
) -> Iterator[tuple[Place, Fact | None]]:
    """Pass facts on in their order; one that does not come behind the last is told instead."""
    last: Place | None = None
    for place, fact in placed:
        if last is None or place > last:
            last = place
            yield place, fact
        elif fact is not None:
            report.add(f"{_words(fact)}: is held twice, or under another's key")


def _differences(want: Fact, have: Fact) -> Iterator[str]:
    for name in want.__struct_fields__:
        should, does = getattr(want, name), getattr(have, name)
        if name == "layers":
            differing = _contents(should, does)
            more = len(differing) - _MOST_FIELDS
            if differing:
                named = ", ".join(differing[:_MOST_FIELDS])
                yield f"its content differs in {named}{f' and {more} more' if more > 0 else ''}"
        elif should != does:
            yield f"{name} is {_shown(does)}, the log says {_shown(should)}"


def _contents(should: list[Any], does: list[Any]) -> list[str]:
    """Name the fields that differ in any layer."""
    if _json(should) == _json(does):
        return []
    names = set()
    for number in range(max(len(should), len(does))):
        layers = [each[number] if number < len(each) else {} for each in (should, does)]
        for name in layers[0].keys() | layers[1].keys():
            # Encoded, since Python takes true for 1.
            one, other = (_encoded(layer, name) for layer in layers)
            if one != other:
                names.add(name)
    return sorted(names)


def _encoded(layer: dict[str, Any], name: str) -> bytes | None:
    return _json(layer[name]) if name in layer else None


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _shown(value: object) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _words(fact: Fact) -> str:
    """Say where a fact is."""
    if isinstance(fact, EntryFact):
        return f"entry {fact.index}"
    if isinstance(fact, NodeSeen):
        return f"node {fact.key}"
    if isinstance(fact, EdgeFact):
        stated = "" if fact.index == AGGREGATED else f" of entry {fact.index}, number {fact.seq}"
        return f"edge {fact.src} {fact.kind} {fact.dst}{stated}"
    if isinstance(fact, NameSeen):
        return f"name {fact.field} of {fact.node}"
    return f"record {fact.kind} {fact.key} of entry {fact.index}"
