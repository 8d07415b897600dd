"""What the whole way in costs: a CSV file to logged, signed and projected events.

    PYTHONPATH=. python benchmarks/bench_ingest.py [--rows N]

Measured in one run against raw SQLite inserts of as many rows of the same size
as the events take in the log, and against a bare `csv` read of the same file.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
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


def main() -> None:
    """Run the benchmark and print its ratios."""
    parser = argparse.ArgumentParser(description="Ingest against raw inserts and a bare read.")
    parser.add_argument("--rows", type=int, default=10_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        source, data = directory / "events.csv", directory / "workspace"
        write_rows(source, rows)
        create_workspace(data, origin="bench.example/log", party="b", domain="https://b.example")
        with Workspace(data) as workspace:
            log = workspace.log
            logged = seconds(
                lambda: ingest(
                    [str(source)],
                    log,
                    party="b",
                    quarantine=workspace.layout.quarantine,
                    clock=workspace.clock,
                    entropy=workspace.entropy,
                )
            )
            projected = seconds(workspace.sync_graph)
        size = (data / "log.db").stat().st_size // rows
        raw = seconds(lambda: insert_raw(directory / "raw.db", rows, size))
        with source.open(encoding="utf-8", newline="") as file:
            read = seconds(lambda: sum(1 for _ in csv.reader(file)))
    whole = logged + projected
    print(
        f"ingest, file to log   1/{logged / raw:.1f} of raw inserts   "
        f"({rows / logged:,.0f} events/s; raw {rows / raw:,.0f} rows/s of {size} bytes)"
    )
    print(
        f"ingest, file to graph   1/{whole / raw:.1f} of raw inserts   "
        f"({rows / whole:,.0f} events/s; 1/{whole / read:.0f} of a bare csv read)"
    )


if __name__ == "__main__":
    main()
