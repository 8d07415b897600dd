"""What the whole way in costs: a CSV file to logged, signed and projected events.

    PYTHONPATH=. python benchmarks/bench_ingest.py [--rows N] [--directory DIR]

Measured in one run, on the wall clock, against raw SQLite inserts of as many rows of the same
size as the events take in the log, and against a bare `csv` read of the same file. "To the
log" is one process alone; "to the graph" is the `provenance ingest` that a user runs: one
process reads and prepares, and where there is a second processor one writes the log and one
lets the graph follow. Their memory is the most that all of them held at one time, pages that
they share counted once (PSS; where the system does not tell, resident), and the most that
each held resident; it must not grow with the file. On a machine whose processors others use,
believe the processor times. A million rows need 4 GB of disk and, undisturbed, some minutes.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw

from provenance.ingest.run import ingest
from workspace.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH: Final = 1_000
HEADER: Final = (
    "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity,quantity_unit,"
    "shipment_id,bill_of_lading,from_facility_id,to_facility_id,carrier,declared_value_usd"
)


def write_rows(path: Path, rows: int) -> None:
    """Write a native event file: every tenth row makes a lot, the others ship it."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for number in range(rows):
            day, lot = 1 + number // 10 % 28, f"LOT-{number // 10:07d}"
            head = f"E-{number:08d},2024-03-{day:02d}T08:{number % 60:02d}:00Z"
            if number % 10 == 0:
                file.write(f"{head},produce,FAC-{number % 50},SHIRT,{lot},120,unit,,,,,,\n")
            else:
                ends = f"FAC-{number % 50},DC-{number % 7}"
                file.write(
                    f"{head},ship,FAC-{number % 50},SHIRT,{lot},12,unit,"
                    f"S-{number},BL-{number},{ends},Maersk,{number % 900}.50\n"
                )


def seconds(work: Callable[[], object]) -> float:
    """Do some work and say how long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def insert_raw(path: Path, rows: int, size: int) -> None:
    """Insert rows in batches, each a durable transaction, as bare as can be."""
    connection = apsw.Connection(str(path))
    connection.pragma("page_size", 16384)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, data BLOB) STRICT")
    data = bytes(size)
    for start in range(0, rows, BATCH):
        connection.execute("BEGIN IMMEDIATE")
        batch = ((number, data) for number in range(start, min(start + BATCH, rows)))
        connection.executemany("INSERT INTO row VALUES (?, ?)", batch)
        connection.execute("COMMIT")
    connection.close()


@dataclass
class Watched:
    """A command while it runs, and its children: what they hold, and what time they take.

    Attributes:
        names: What each process does, by its id.
        each: Most bytes that it held resident.
        together: Most that all held at one time.
        cpu: Seconds of processor time of each.
    """

    names: dict[int, str] = field(default_factory=dict)
    each: dict[int, int] = field(default_factory=dict)
    together: int = 0
    cpu: dict[int, float] = field(default_factory=dict)

    def run(self, command: list[str], environment: dict[str, str]) -> float:
        """Run it to its end; returns the seconds that it took."""
        begin = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            self._look(process.pid)
            time.sleep(0.1)
        taken = time.perf_counter() - begin
        assert process.returncode == 0, process.returncode
        return taken

    def _look(self, pid: int) -> None:
        together = 0
        for one in (pid, *children(pid)):
            place = Path(f"/proc/{one}")
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                words = (place / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue  # it has just ended
            held = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
            if any(words):  # one that has just ended has no words left
                self.names[one] = next((w for w in words if w.startswith("workspace.")), "reading")
            self.each[one] = max(held, self.each.get(one, 0))
            self.cpu[one] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            together += share_of(place, held)
        self.together = max(self.together, together)

    def spent(self, rows: int) -> dict[str, float]:
        """Return microseconds of processor time a row, by what the process does."""
        return {
            name.removeprefix("workspace."): self.cpu[pid] / rows * 1e6
            for pid, name in self.names.items()
        }


def share_of(place: Path, otherwise: int) -> int:
    """Return the bytes that a process holds, its part of what it shares included."""
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", (place / "smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return otherwise
    return int(found[1]) * 1024 if found else otherwise


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, listed.read_text().split())
        except OSError:
            continue
    return found


def to_log(source: Path, data: Path) -> float:
    """Ingest a file in this process, without the graph; returns the seconds."""
    create_workspace(data, origin="bench.example/log", party="b", domain="https://b.example")
    with Workspace(data) as workspace:
        log = workspace.log
        return seconds(
            lambda: ingest(
                [str(source)],
                log,
                party="b",
                quarantine=workspace.layout.quarantine,
                clock=workspace.clock,
                entropy=workspace.entropy,
            )
        )


def to_graph(source: Path, data: Path, watched: Watched) -> float:
    """Ingest a file as a user does; returns the seconds."""
    create_workspace(data, origin="bench.example/log", party="b", domain="https://b.example")
    program = [sys.executable, "-P", "-c", "from cli import main; main()"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    taken = watched.run([*program, "ingest", "--data", str(data), str(source)], environment)
    with Workspace(data) as workspace:
        assert workspace.graph.position() == workspace.reader.size
    return taken


def main() -> None:
    """Run the benchmark and print its ratios."""
    parser = argparse.ArgumentParser(description="Ingest against raw inserts and a bare read.")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--directory", help="where the files are made; default: the system's")
    asked = parser.parse_args()
    rows = asked.rows
    with tempfile.TemporaryDirectory(dir=asked.directory) as name:
        directory, watched = Path(name), Watched()
        source = directory / "events.csv"
        write_rows(source, rows)
        with source.open(encoding="utf-8", newline="") as file:
            read = seconds(lambda: sum(1 for _ in csv.reader(file)))
        logged = to_log(source, directory / "first")
        size = (directory / "first" / "log.db").stat().st_size // rows
        raw = seconds(lambda: insert_raw(directory / "raw.db", rows, size))
        whole = to_graph(source, directory / "second", watched)
        raw = (raw + seconds(lambda: insert_raw(directory / "again.db", rows, size))) / 2
    print(
        f"ingest, file to log     1/{logged / raw:.1f} of raw inserts   "
        f"({rows / logged:,.0f} events/s; raw {rows / raw:,.0f} rows/s of {size} bytes)"
    )
    print(
        f"ingest, file to graph   1/{whole / raw:.1f} of raw inserts   "
        f"({rows / whole:,.0f} events/s; 1/{whole / read:.0f} of a bare csv read)"
    )
    spent, taken = watched.spent(rows), whole / rows * 1e6
    told = ", ".join(f"{name} {cpu:.0f}" for name, cpu in spent.items())
    print(f"  processor time an event: {told}; {sum(spent.values()):.0f} microseconds together")
    held = ", ".join(f"{most / 1e6:.0f}" for most in watched.each.values())
    print(f"  memory at most: {watched.together / 1e6:.0f} MB together ({held} MB each, resident)")
    print(f"  next bottleneck: {bottleneck(spent, taken)}")


def bottleneck(spent: dict[str, float], taken: float) -> str:
    """Say what keeps an ingest from being faster.

    Args:
        spent: Microseconds of processor time an event, by process.
        taken: Microseconds an event took on the wall clock.
    """
    processors = len(os.sched_getaffinity(0))
    name, longest = max(spent.items(), key=lambda one: one[1])
    if sum(spent.values()) > 0.85 * taken * min(processors, len(spent)):
        return f"the processors: {processors} of them were busy all the time"
    if longest > 0.85 * taken:
        return f"{name}, which was busy {longest / taken:.0%} of the time"
    return f"waiting, for the disk or for others: {name} was busy {longest / taken:.0%} of the time"


if __name__ == "__main__":
    main()
