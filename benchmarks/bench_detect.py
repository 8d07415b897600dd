"""Detection over a large record, against a bare isolation forest measured in the same run.

    PYTHONPATH=. python benchmarks/bench_detect.py [--events 1000000] [--months 10000]

The record is the sample world many times over, each copy with ids of its own: a tenth of it first,
which shows what growth costs, and is also asked part by part, in one process. Printed are the time
of a run, by the clock and of both processes together, the most memory that they held together, and
the ratio to fitting and scoring a forest of 200 trees on as many rows of twelve figures. Reading
frames from the store comes before a run: it is measured on a fifth of the record, which one process
reads, and then two.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from unittest import mock

import numpy as np
import pandas as pd
from lots import OWN
from memory import watched

from detectors.executors import InProcess
from detectors.registry import BUILT_IN
from detectors.run import run
from graph.changes import Changes
from graph.connect import open_store
from graph.frames import Frames, load_frames
from graph.framing import half
from graph.held import FactKind
from graph.model import EntryFact
from provenance.ingest.run import ingest
from samples import data_dir
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from detectors.base import Detector
    from detectors.executors import Answer
    from detectors.features import Features
    from graph.store import GraphStore

FIGURES: Final = 12
TREES: Final = 200
SEED: Final = 7
SHARED: Final = ("rows", "inputs", "legs", "consignments", "flows", "facility_months")
"""What is made once per run; a detector that is asked first would seem slow."""


def sample_frames(directory: Path, events: int) -> Frames:
    """Take the committed samples in, and read them as detectors do.

    Args:
        directory: Where there is room.
        events: How large a record is to be, of which reading is measured.
    """
    data = directory / "workspace"
    create_workspace(data, origin="bench.example/log", party="self", domain="https://b.example")
    files = [data_dir() / f"{name}.csv" for name in ("events", "facilities", "products")]
    files += [data_dir() / f"{name}.csv" for name in ("labour", "legal_limits", "locations")]
    files += [data_dir() / "watchlist.csv"]
    with Workspace(data) as workspace:
        ingest(
            [str(file) for file in files],
            workspace.log,
            party="self",
            quarantine=workspace.layout.quarantine,
            clock=workspace.clock,
            entropy=workspace.entropy,
        )
        workspace.sync_graph()
        frames = load_frames(workspace.graph)  # imports are paid once
        reading(workspace.graph, directory / "graph.db", events)
        return frames


def reading(samples: GraphStore, path: Path, events: int) -> None:
    """Print what reading the samples' entries takes, each repeated as often as is needed."""
    held = [fact for fact in samples.facts(FactKind.ENTRY) if isinstance(fact, EntryFact)]
    store = open_store(f"sqlite:{path}")
    while (start := store.position()) < events:
        copied = [
            EntryFact(index, one.leaf_hash, one.version, None, one.layers)
            for index, one in enumerate(held, start)
        ]
        store.apply(Changes(start, start + len(held), copied))
    for enough, who in ((store.position() + 1, "one process"), (0, "two processes")):
        with mock.patch.object(half, "_ENOUGH", enough):
            begun = Clock.now()
            count = len(load_frames(store).events)
            taken = Clock.now().since(begun)
        print(
            f"frames are read by {who} in {taken.wall / count * 1e6:.0f} microseconds an event, "
            f"{taken.processor / count * 1e6:.0f} of processor"
        )
    store.close()


def tiled(frames: Frames, events: int, months: int) -> Frames:
    """Repeat a record until it has as many events and facility-months."""
    copies = math.ceil(events / frames.events["event_id"].nunique())
    labour = math.ceil(months / max(len(frames.labour), 1))
    repeated = {"events": copies, "inputs": copies, "facilities": copies, "labour": labour}
    tables = {}
    for name in Frames.__dataclass_fields__:
        if name != "position":
            tables[name] = _copied(getattr(frames, name), repeated.get(name, 1), frames.position)
    return Frames(position=frames.position * copies, **tables)


def _copied(table: pd.DataFrame, copies: int, step: int) -> pd.DataFrame:
    if copies == 1:
        return table
    parts = []
    for number in range(copies):
        part = table.copy()
        for name in set(OWN) & set(part.columns):
            part[name] = part[name] + f"~{number}"
        if "serial_ids" in part:
            part["serial_ids"] = [
                [f"{serial}~{number}" for serial in ids] if isinstance(ids, list) else ids
                for ids in part["serial_ids"]
            ]
        part["index"] += number * step
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


class Clock(NamedTuple):
    """Seconds by the clock, and of the processors: others on the machine disturb those less."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Clock:
        """Read both."""
        spent = os.times()
        return cls(time.perf_counter(), sum(spent[:4]))

    def since(self, start: Clock) -> Clock:
        """Return what has passed."""
        return Clock(self.wall - start.wall, self.processor - start.processor)

    def __str__(self) -> str:
        """Write both, in columns."""
        return f"{self.wall:8.2f} s {self.processor:8.2f} s of processor"


class Watched(InProcess):
    """Asks detectors one after the other, and notes what each takes."""

    def __init__(self) -> None:
        """Begin with nothing noted."""
        self.parts: list[tuple[str, Clock]] = []

    def ask(
        self,
        shared: Features,
        detectors: Sequence[Detector],
        level: float,
        progress: Callable[[str], None] | None,
    ) -> Iterator[Answer]:
        """Yield each detector's answer; what they share is made first."""
        start = Clock.now()
        for name in SHARED:
            getattr(shared, name)
        self.parts.append(("what detectors share", Clock.now().since(start)))
        for detector in detectors:
            start = Clock.now()
            (answer,) = super().ask(shared, [detector], level, progress)
            self.parts.append((detector.name, Clock.now().since(start)))
            yield answer


def forest(rows: int) -> Clock:
    """Fit a bare forest to so many rows and score them; returns what it took."""
    from pyod.models.iforest import IForest  # noqa: PLC0415 - after the clock has started

    figures = np.random.default_rng(SEED).normal(size=(rows, FIGURES))
    start = Clock.now()
    IForest(n_estimators=TREES, random_state=SEED, n_jobs=1).fit(figures)
    return Clock.now().since(start)


def parts(frames: Frames) -> None:
    """Print what each part of a run over these frames takes, one after the other."""
    watched, start = Watched(), Clock.now()
    run(frames, BUILT_IN, tree_size=frames.position, root=bytes(32), executor=watched)
    whole = Clock.now().since(start)
    asked = [sum(part[at] for _, part in watched.parts) for at in (0, 1)]
    taken = [*watched.parts, ("flags and explanations", whole.since(Clock(*asked)))]
    for name, part in sorted(taken, key=lambda one: -one[1].processor):
        print(f"  {name:<28}{part}")


def measure(frames: Frames) -> None:
    """Print what one run over these frames takes."""
    with watched() as peak:
        start = Clock.now()
        found = run(frames, BUILT_IN, tree_size=frames.position, root=bytes(32))
        whole = Clock.now().since(start)
    for error in found.errors:
        print(f"  failed: {error.detector}: {error.message}")
    rows = frames.events["event_id"].nunique()
    bare = forest(rows)
    print(
        f"detect {rows:,} events and {len(frames.labour):,} facility-months {whole}: "
        f"{whole.wall / bare.wall:.1f} times a bare forest ({bare.wall:.1f} s), "
        f"{whole.processor / bare.processor:.1f} times of processor; {len(found.flags):,} flags; "
        f"at most {peak} of memory, both processes together"
    )


def main() -> None:
    """Print the times and ratios, for a tenth of the record and for all of it."""
    parser = argparse.ArgumentParser(description="All detectors over a large record.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--months", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        small = sample_frames(Path(name), options.events // 5)
    run(small, BUILT_IN, tree_size=small.position, root=bytes(32))  # imports are paid once
    for share in (10, 1):
        frames = tiled(small, options.events // share, options.months // share)
        if share > 1:
            parts(frames)
        measure(frames)


if __name__ == "__main__":
    main()
