"""A detection run that goes on over 1 % new events, against a run over everything, in one go.

    PYTHONPATH=. python benchmarks/bench_incremental.py [--events 200000] [--months 4000]

The record is the sample world many times over, each copy with ids of its own, in the order of
time. All but the last events are taken in and judged; then the last ones are, and the run goes on.
A whole run over the same log follows and must add nothing. Both are the real command in a process
of its own. Printed are their processor seconds and the share that going on takes, once with
starting the program and loading its libraries, which no record makes longer, and once without; and
the share by the clock, which others on the machine disturb more.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from lots import OWN

from samples import data_dir

_LISTS: Final = ("serial_ids", "input_lots")
_SHARED: Final = ("products", "legal_limits", "locations", "watchlist")
_LIBRARIES: Final = (
    "cli, detectors.registry, pandas, pyarrow, scipy.sparse.csgraph, scipy.spatial, scipy.special"
)
"""What any run loads."""
_ROOT: Final = Path(__file__).resolve().parent.parent


def copied(name: str, copies: int) -> tuple[list[str], list[dict[str, str]]]:
    """Repeat a table of the samples, each time with ids of its own; returns header and rows.

    The samples are in the order of time, whatever form their times have, and so are the copies.
    """
    with (data_dir() / f"{name}.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        rows, header = list(reader), list(reader.fieldnames or ())
    return header, [_renamed(row, number) for row in rows for number in range(copies)]


def _renamed(row: dict[str, str], number: int) -> dict[str, str]:
    changed = dict(row)
    for name in (*OWN, *_LISTS):
        if row.get(name):
            parts = row[name].split(";") if name in _LISTS else [row[name]]
            changed[name] = ";".join(f"{part}~{number}" for part in parts)
    return changed


def written(path: Path, header: list[str], rows: list[dict[str, str]]) -> str:
    """Write a table; returns where it is."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


class Spent(NamedTuple):
    """Seconds that a process took: of the processors, and by the clock."""

    processor: float
    clock: float


def provenance(*words: str) -> tuple[str, Spent]:
    """Run the command; returns what it printed, and what it took."""
    return ran("-m", "cli", *words)


def ran(*words: str) -> tuple[str, Spent]:
    """Run a Python process; returns what it printed, and what it took."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *words],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, Spent(spent, time.perf_counter() - start)


def detect(data: str, *words: str) -> tuple[dict[str, Any], Spent]:
    """Ask the detectors; returns the summary, and what it took."""
    text, spent = provenance("detect", "--data", data, "--json", *words)
    summary: dict[str, Any] = json.loads(text)
    return summary, spent


def main() -> None:
    """Print the times and the ratio."""
    parser = argparse.ArgumentParser(description="Going on over new events, against a whole run.")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--months", type=int, default=4_000)
    parser.add_argument("--new", type=float, default=0.01, help="Share of events that are new.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        compare(Path(name), options.events, options.months, options.new)


def compare(place: Path, events: int, months: int, new: float) -> None:
    """Take a record in, in two parts, and detect after each."""
    one = len(copied("events", 1)[1])
    header, rows = copied("events", math.ceil(events / one))
    files = [str(data_dir() / f"{table}.csv") for table in _SHARED]
    files.append(written(place / "facilities.csv", *copied("facilities", math.ceil(events / one))))
    labour = math.ceil(months / len(copied("labour", 1)[1]))
    files.append(written(place / "labour.csv", *copied("labour", labour)))
    first = len(rows) - round(len(rows) * new)
    early = written(place / "early.csv", header, rows[:first])
    late = written(place / "late.csv", header, rows[first:])
    data = str(place / "workspace")
    provenance("init", "--data", data, "--origin", "bench.example/log", "--party", "self")
    provenance("ingest", *files, early, "--data", data)
    before, _ = detect(data)
    provenance("ingest", late, "--data", data)
    onward, short = detect(data, "--since", "last")
    whole, long = detect(data)
    if whole["appended"] or whole["flags"] != onward["flags"]:
        raise SystemExit(
            f"the runs differ: {onward['flags']} flags and {whole['flags']}, of which "
            f"{whole['appended']} were not in the log"
        )
    _, start = ran("-c", f"import {_LIBRARIES}")
    own, all_ = short.processor - start.processor, long.processor - start.processor
    print(
        f"detect {len(rows):,} events, {len(rows) - first:,} of them new: "
        f"{short.processor:.1f} s going on, {long.processor:.1f} s over everything, a share of "
        f"{short.processor / long.processor:.3f}; without the {start.processor:.1f} s that "
        f"starting and loading libraries takes, {own / all_:.3f}; by the clock "
        f"{short.clock / long.clock:.3f}; {before['flags']:,} flags before, {whole['flags']:,} "
        f"after, {onward['standing']:,} of them neither judged nor written again"
    )


if __name__ == "__main__":
    main()
