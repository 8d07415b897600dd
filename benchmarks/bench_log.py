"""What the log costs, as ratios to bare work of the same size in the same run.

    python benchmarks/bench_log.py [--events N] [--directory DIR]

Append is measured against raw SQLite inserts of rows of the same size, batch by batch in turn, so
that a busy machine slows both; and once more with another process that prepares the drafts while
this one writes, between raw inserts before and after. Batches are as large as an ingest makes
them, drafts and rows are there before the clock starts. Batches are compared by their medians, and
by their means, which what happens now and then is part of. Verifying, by one process and by all,
is measured against hashing the same bytes and nothing else in one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import pickle
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import apsw

from provenance import hashing
from provenance.auditing.audit import audit
from provenance.clock import system_clock, system_entropy
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, EntryType, Identity
from provenance.ingest.sink import GROUP
from provenance.log import Instruments, Log, LogFiles
from provenance.notes import keys
from provenance.store.identity import Seals
from provenance.store.preparing import Preparer
from provenance.store.row_levels import row_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

SECRET: Final = bytes(32)
BATCH: Final = GROUP
ROUNDS: Final = 5

PRIVATE: Final[dict[str, Any]] = {
    "shipment_id": "S-2024-00017",
    "bill_of_lading": "MAEU-5501234",
    "carrier": "Maersk Line",
    "declared_value_usd": {"_d": "18250.50"},
    "source_system": "erp-west",
}


class Spent(NamedTuple):
    """Seconds for some work: by the clock on the wall, and of this process's CPU."""

    wall: float
    cpu: float


def event(number: int, private: int) -> Draft:
    """Make a shipment-sized event with the first `private` of its five committed fields."""
    content = {
        "party": "acme",
        "event_id": f"E-{number:08d}",
        "event_type": "ship",
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "biz_step": "shipping",
        "event_time": "2024-03-23T22:17:32Z",
        "time_text": "2024-03-23 22:17:32",
        "facility_id": f"FAC-{number % 50:03d}",
        "items": [
            {
                "party": "acme",
                "product_id": "TSHIRT-WHITE",
                "lot_id": f"LOT-{number // 10:06d}",
                "quantity": 120,
                "quantity_unit": "unit",
            }
        ],
        **dict(list(PRIVATE.items())[:private]),
    }
    return Draft(
        EntryType.EVENT, "event/1", content, (Identity(("event", "acme", content["event_id"])),)
    )


def spent(work: Callable[[], object]) -> Spent:
    """Do some work and say what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def create_log(directory: Path) -> tuple[LogFiles, str, Log]:
    """Begin a log; returns its files, its public key and itself."""
    files = LogFiles(directory)
    signer = keys.generate("bench.example/log", system_entropy)
    instruments = Instruments(signer, SECRET, system_clock, system_entropy)
    return files, signer.vkey, Log.create(files, signer.vkey, DEFAULT_POLICY, instruments)


def raw_database(path: Path) -> apsw.Connection:
    """Open a database as bare as can be, with the log's own pragmas."""
    connection = apsw.Connection(str(path))
    connection.pragma("page_size", 16384)
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "FULL")
    connection.pragma("secure_delete", "ON")
    connection.execute("CREATE TABLE row (data BLOB) STRICT")
    return connection


def insert_raw(connection: apsw.Connection, rows: Sequence[tuple[bytes]]) -> None:
    """Insert rows in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO row VALUES (?)", rows)
    connection.execute("COMMIT")


def bytes_per_event(database: Path) -> int:
    """Count what the log's tables hold of an event, on average."""
    ask = """
        SELECT (SELECT sum(length(leaf)) FROM leaf) + (SELECT sum(length(body)) FROM body)
             + (SELECT coalesce(sum(length(path) + length(salt) + length(preimage) + 2), 0)
                FROM opening)
             + (SELECT sum(length(key) + length(digest) + length(mac) + 4) FROM event_id),
             (SELECT count(*) FROM leaf)
    """
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    total, count = connection.execute(ask).fetchone() or (0, 1)
    connection.close()
    return int(total // count)


def compared(ours: Sequence[Spent], theirs: Sequence[Spent], size: int) -> str:
    """Say what our batches took, as against raw ones of rows of `size` bytes."""
    wall, raw_wall = median(one.wall for one in ours), median(one.wall for one in theirs)
    means = mean(one.wall for one in ours) / mean(one.wall for one in theirs)
    cpu, raw_cpu = median(one.cpu for one in ours), median(one.cpu for one in theirs)
    return (
        f"1/{wall / raw_wall:.1f} of raw inserts, 1/{means:.1f} by the means"
        f"   ({BATCH / wall:,.0f} events/s, {BATCH / raw_wall:,.0f} rows/s of {size} bytes;"
        f" by this process's CPU time 1/{cpu / raw_cpu:.1f}, {BATCH / cpu:,.0f} events/s)"
    )


def bench_append(directory: Path, events: int, private: int) -> tuple[LogFiles, str]:
    """Append and insert in turn, a batch each; print the ratio of the medians."""
    files, vkey, log = create_log(directory)
    raw = raw_database(directory / "raw.db")
    log.append([event(number, private) for number in range(-BATCH, 0)])
    size = bytes_per_event(files.database)
    ours: list[Spent] = []
    theirs: list[Spent] = []
    for start in range(0, events, BATCH):
        drafts = [event(number, private) for number in range(start, start + BATCH)]
        rows = [(system_entropy(size),) for _ in range(BATCH)]
        ours.append(spent(lambda drafts=drafts: log.append(drafts)))  # type: ignore[misc]
        theirs.append(spent(lambda rows=rows: insert_raw(raw, rows)))  # type: ignore[misc]
    raw.close()
    log.close()
    print(f"append, {private} private fields   {compared(ours, theirs, size)}")
    return files, vkey


def prepare_elsewhere(
    directory: Path, events: int, private: int, far: Connection, gate: Barrier
) -> None:
    """Be the other process: prepare drafts and hand them over a plain pipe, as an ingest does.

    The gate opens first when the drafts are there, and then when they are to be prepared.
    """
    reader = Log.open_readonly(LogFiles(directory), SECRET)
    preparer = Preparer(SECRET, reader.register, system_entropy)
    reader.close()
    batches = [
        [event(number, private) for number in range(start, start + BATCH)]
        for start in range(0, events, BATCH)
    ]
    gate.wait()
    with os.fdopen(far.fileno(), "wb", closefd=False) as pipe:
        gate.wait()
        for drafts in batches:
            data = pickle.dumps(preparer.prepare(drafts), pickle.HIGHEST_PROTOCOL)
            pipe.write(len(data).to_bytes(8))
            pipe.write(data)
            pipe.flush()


def bench_append_prepared(directory: Path, events: int, private: int) -> None:
    """Append what another process prepares, and insert raw rows before and after."""
    directory.mkdir()
    files, _, log = create_log(directory)
    log.append([event(number, private) for number in range(-BATCH, 0)])
    size = bytes_per_event(files.database)
    raw = raw_database(directory / "raw.db")
    context = multiprocessing.get_context("spawn")
    near, far = context.Pipe(duplex=False)
    gate = context.Barrier(2)
    asked = (directory, events, private, far, gate)
    context.Process(target=prepare_elsewhere, args=asked, daemon=True).start()
    far.close()
    pipe = os.fdopen(near.fileno(), "rb", closefd=False)
    gate.wait()
    batches = range(-(-events // BATCH))

    def append_next() -> None:
        data = pipe.read(int.from_bytes(pipe.read(8)))
        assert log.append_prepared(pickle.loads(data))

    def insert_all() -> list[Spent]:
        rows = [[(system_entropy(size),) for _ in range(BATCH)] for _ in batches]
        return [spent(lambda own=own: insert_raw(raw, own)) for own in rows]  # type: ignore[misc]

    theirs = insert_all()
    gate.wait()
    ours = [spent(append_next) for _ in batches]
    theirs += insert_all()
    pipe.close()
    raw.close()
    log.close()
    told = compared(ours, theirs, size)
    print(f"append, {private} private fields, prepared by another process   {told}")


class Stored(NamedTuple):
    """All bytes of a log that an audit hashes."""

    leaves: list[bytes]
    bodies: list[bytes]
    openings: list[tuple[bytes, bytes]]
    row_keys: list[tuple[bytes, bytes, int]]


def read_all(database: Path) -> Stored:
    """Read them into memory."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)

    def rows(ask: str) -> list[Any]:
        return connection.execute(ask).fetchall()

    stored = Stored(
        [leaf for (leaf,) in rows("SELECT leaf FROM leaf")],
        [body for (body,) in rows("SELECT body FROM body")],
        rows("SELECT salt, preimage FROM opening"),
        [
            row
            for table in row_tables(connection)
            for row in rows(f"SELECT key, digest, idx FROM {table}")
        ],
    )
    connection.close()
    return stored


def hash_all(stored: Stored) -> None:
    """Hash what an audit hashes, and compare nothing."""
    for body in stored.bodies:
        hashing.body_digest(body)
    for salt, preimage in stored.openings:
        hashing.field_commitment(salt, preimage)
    seal = Seals(SECRET).event_id
    for row in stored.row_keys:
        seal(*row)
    level = []
    for leaf in stored.leaves:
        hashing.chain_next(leaf)
        level.append(hashing.leaf_hash(leaf))
    while len(level) > 1:
        level = [hashing.node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]


def bench_audit(files: LogFiles, vkey: str, private: int) -> None:
    """Audit and hash in turn; print the ratio of the best."""
    stored = read_all(files.database)
    count = len(stored.leaves)
    took: dict[int | None, int] = {}
    ours: dict[int | None, list[float]] = {1: [], None: []}
    theirs = []
    for _ in range(ROUNDS):
        for asked, times in ours.items():
            began = time.perf_counter()
            took[asked] = check(files, vkey, asked)
            times.append(time.perf_counter() - began)
        theirs.append(spent(lambda: hash_all(stored)).wall)
    for asked, times in ours.items():
        print(
            f"verify, {private} private fields   {min(theirs) / min(times):.2f} of bare hashing in"
            f" one process, by {took[asked]} process{'es' if took[asked] > 1 else ''}"
            f"{'' if asked else ' (all processors, where the log is large enough)'}"
            f"   ({count / min(times):,.0f} and {count / min(theirs):,.0f} events per second)"
        )


def check(files: LogFiles, vkey: str, processes: int | None) -> int:
    """Audit a log that must be sound; returns how many processes took part."""
    report = audit(files, vkey, SECRET, processes=processes)
    assert not report.problems, report.problems
    return report.processes


def main() -> None:
    """Run all of it in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=20_000, help="events per figure")
    parser.add_argument("--directory", help="where the databases are made; default: the system's")
    asked = parser.parse_args()
    for private in (0, len(PRIVATE)):
        with tempfile.TemporaryDirectory(dir=asked.directory) as made:
            files, vkey = bench_append(Path(made), asked.events, private)
            bench_append_prepared(Path(made) / "beside", asked.events, private)
            bench_audit(files, vkey, private)


if __name__ == "__main__":
    main()
