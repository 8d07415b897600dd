"""What a large log costs in memory, time and storage; each part in a process of its own.

    python benchmarks/bench_scale.py [--events N] [--private N] [--directory DIR]

Memory is the most that the process ever held resident, its imports included: it
must not grow with the log. Five million events need about 5 GB of disk and,
undisturbed, ten minutes. The projection's processor time for the last tenth of the
events is given as a ratio to that for the first, which shows what growth costs, and
for all of them to plain inserts of as many rows of the same average size.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw
import bench_lineage
import bench_log

from graph.stores.sqlite import SqliteStore
from graph.sync import catch_up
from provenance.auditing.audit import audit
from provenance.log import Log, LogFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS: Final = ("append", "verify", "project")
VKEY: Final = "bench-vkey"
"""The file between the parts that holds the log's public key."""


def append(directory: Path, events: int, private: int) -> str:
    """Append so many events; returns how large the file is for each."""
    files, vkey, log = bench_log.create_log(directory)
    (directory / VKEY).write_text(vkey)
    for start in range(0, events, bench_log.BATCH):
        stop = min(start + bench_log.BATCH, events)
        log.append([bench_log.event(number, private) for number in range(start, stop)])
    log.close()
    stored = files.database.stat().st_size // events
    return f"{stored} bytes of file each"


def verify(directory: Path) -> str:
    """Audit the log; it must be sound."""
    report = audit(LogFiles(directory), (directory / VKEY).read_text(), bench_log.SECRET)
    assert not report.problems, report.problems
    return "all sound"


def project(directory: Path) -> str:
    """Make the graph; says what it costs, and whether the last events cost more than the first."""
    log = Log.open_readonly(LogFiles(directory), bench_log.SECRET)
    store = SqliteStore(directory / "graph.db")
    begin = time.process_time()
    done: list[tuple[int, float]] = [(0, begin)]
    catch_up(log, store, lambda position, _size: done.append((position, time.process_time())))
    spent = done[-1][1] - begin
    store.close()
    tenth = log.size // 10
    first = next(at for position, at in done if position >= tenth) - begin
    last = done[-1][1] - next(at for position, at in done if position >= log.size - tenth)
    connection = apsw.Connection(str(directory / "graph.db"))
    tables = ("entry", "node", "edge", "name", "record")
    rows = sum(connection.execute(f"SELECT count(*) FROM {name}").get for name in tables)
    stored = connection.pragma("page_count") * connection.pragma("page_size")
    connection.close()
    raw = bench_lineage.raw_inserts(rows, stored // rows, directory)
    return (
        f"{spent / raw:.1f} x raw inserts of {rows:,} rows, {stored // rows} bytes each; "
        f"{spent / log.size * 1e6:.0f} microseconds of processor time each, "
        f"the last tenth {last / first:.2f} x the first"
    )


def part(name: str, directory: Path, events: int, private: int) -> None:
    """Do one part, and say what it took."""
    begun = time.perf_counter()
    if name == "append":
        said = append(directory, events, private)
    else:
        said = verify(directory) if name == "verify" else project(directory)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:7} {events:,} events   at most {peak:.0f} MB of memory"
        f"   ({seconds:,.0f} s, {events / seconds:,.0f} events/s; {said})",
        flush=True,
    )


def main(arguments: Sequence[str]) -> None:
    """Run all parts in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=50_000, help="events in the log")
    parser.add_argument("--private", type=int, default=1, help="committed fields each, up to 5")
    parser.add_argument("--directory", help="where the log is made; default: the system's")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.part:
        part(asked.part, Path(asked.directory), asked.events, asked.private)
        return
    with tempfile.TemporaryDirectory(dir=asked.directory) as made:
        for name in PARTS:
            subprocess.run(
                [sys.executable, __file__, *arguments, "--directory", made, "--part", name],
                check=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
