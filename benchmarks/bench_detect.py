"""Detection over a large record, against a bare isolation forest measured in the same run.

    PYTHONPATH=. python benchmarks/bench_detect.py [--events 1000000] [--months 10000]

The record is the sample world many times over, each copy with ids of its own. Printed are the time
of each detector, of all, the peak of memory, and the ratio to fitting and scoring a forest of 200
trees on as many rows of twelve figures.
"""

from __future__ import annotations

import argparse
import math
import resource
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from detectors.registry import BUILT_IN
from detectors.run import run
from graph.frames import Frames, load_frames
from provenance.ingest.run import ingest
from samples import data_dir
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Callable

FIGURES: Final = 12
TREES: Final = 200
SEED: Final = 7
_OWN: Final = (
    "event_id",
    "lot_id",
    "shipment_id",
    "bill_of_lading",
    "facility_id",
    "from_facility_id",
    "to_facility_id",
    "container_id",
    "certificate_id",
)
"""What each copy has its own of; products, places and laws are shared."""


def sample_frames(directory: Path) -> Frames:
    """Take the committed samples in, and read them as detectors do."""
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
        return load_frames(workspace.graph)


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
        for name in set(_OWN) & set(part.columns):
            part[name] = part[name] + f"~{number}"
        if "serial_ids" in part:
            part["serial_ids"] = [
                [f"{serial}~{number}" for serial in ids] if isinstance(ids, list) else ids
                for ids in part["serial_ids"]
            ]
        part["index"] += number * step
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def seconds(work: Callable[[], object]) -> float:
    """Do some work and say how long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def forest(rows: int) -> None:
    """Fit and score a bare forest."""
    from pyod.models.iforest import IForest  # noqa: PLC0415 - after the clock has started

    figures = np.random.default_rng(SEED).normal(size=(rows, FIGURES))
    IForest(n_estimators=TREES, random_state=SEED, n_jobs=1).fit(figures)


def main() -> None:
    """Print the times and ratios."""
    parser = argparse.ArgumentParser(description="All detectors over a large record.")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=2_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        small = sample_frames(Path(name))
    frames = tiled(small, options.events, options.months)
    run(small, BUILT_IN, tree_size=small.position, root=bytes(32))  # imports are paid once
    began: list[tuple[str, float]] = []
    start = time.perf_counter()
    found = run(
        frames,
        BUILT_IN,
        tree_size=frames.position,
        root=bytes(32),
        progress=lambda name: began.append((name, time.perf_counter())),
    )
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    stops = [*(at for _, at in began[1:]), end]
    for (name, at), stop in sorted(
        zip(began, stops, strict=True), key=lambda one: one[0][1] - one[1]
    ):
        print(f"  {name:<28}{stop - at:7.2f} s")
    whole, rows = end - start, frames.events["event_id"].nunique()
    bare = seconds(lambda: forest(rows))
    for error in found.errors:
        print(f"  failed: {error.detector}: {error.message}")
    print(
        f"detect {rows:,} events and {len(frames.labour):,} facility-months   {whole:.1f} s, "
        f"{whole / bare:.1f} times a bare forest ({bare:.1f} s); {len(found.flags):,} flags; "
        f"peak {peak:,.0f} MB"
    )


if __name__ == "__main__":
    main()
