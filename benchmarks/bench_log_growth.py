"""Whether appending gets dearer as the log grows.

    python benchmarks/bench_log_growth.py [--events N] [--directory DIR]

Appends prepared events and tells what the first tenth and the last took of this process's CPU and
wrote to files, and what both are to hashing as many bodies in the same run. A log begins to need
most of what it will ever need for an entry at some 300,000 entries.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import mean

from bench_log import BATCH, create_log, event, spent

from provenance import hashing


def bench_growth(directory: Path, events: int) -> None:
    """Append many events; print what the last tenth took and wrote, and the first."""
    files, _, log = create_log(directory)
    preparer = log.preparer()
    cpu, bare, written = [], [], []
    for start in range(0, events, BATCH):
        prepared = preparer.prepare([event(number, 0) for number in range(start, start + BATCH)])
        before = bytes_written()
        cpu.append(spent(lambda prepared=prepared: log.append_prepared(prepared)).cpu)  # type: ignore[misc]
        written.append(bytes_written() - before)
        bodies = prepared.bodies
        bare.append(spent(lambda bodies=bodies: hashing.body_digests(bodies)).cpu)  # type: ignore[misc]
    log.close()
    tenth = max(1, len(cpu) // 10)
    for name, at in (("first", slice(tenth)), ("last", slice(-tenth, None))):
        print(
            f"the {name} {tenth * BATCH:,} of {len(cpu) * BATCH:,} events   "
            f"{1e6 * mean(cpu[at]) / BATCH:.1f} us of CPU each, "
            f"{mean(cpu[at]) / mean(bare[at]):.1f} times hashing their bodies; "
            f"{mean(written[at]) / BATCH:,.0f} bytes written each"
        )
    size = files.database.stat().st_size
    print(f"in the database   {size / len(cpu) / BATCH:,.0f} bytes an event")


def bytes_written() -> int:
    """Count what this process has handed to files so far; nothing where the system does not say."""
    try:
        counts = Path("/proc/self/io").read_text().split()
    except OSError:
        return 0
    return int(counts[counts.index("wchar:") + 1])


def main() -> None:
    """Run it in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=100_000, help="how far the log grows")
    parser.add_argument("--directory", help="where the log is made; default: the system's")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.directory) as made:
        bench_growth(Path(made), asked.events)


if __name__ == "__main__":
    main()
