"""Graph figures, each as a ratio to a calibration in the same run.

    python benchmarks/bench_lineage.py [--events N] [--small N]

* projection: sealed entries to a graph in SQLite, against plain inserts of as many rows of
  the same average size into one table of one column
* lineage: `upstream` to depth 20 with keys, distances and gaps, against the bare set of
  ancestors that rustworkx finds in memory on the same graph, one question of each in turn; once
  for items that nobody has asked for yet, nor for any of their ancestors, and once again
* growth: the same questions of a graph of a tenth of the size, in turn with the large one
* recall: a lot that reached 10,000 items: the items alone, with who holds them, and where each
  was also shipped and received

A million events are about five million edges; that takes ten minutes. Times are of this process's
CPU, so that a busy machine does not blur the ratios: nothing here waits for a disk. One line a
figure: name, ratio, what was measured.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import rustworkx as rx
from lots import LAYERS, REACHED, Log, Spread, item_of, plain_spread

from graph.keys import item_key
from graph.questions.custody import custody
from graph.questions.recall import recall
from graph.stores.sqlite import SqliteStore
from graph.sync import catch_up
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Callable

QUESTIONS = 150
EVENTS = 1_000_000
SHARE = 10
"""The small graph has so many times fewer events."""


def line(name: str, ratio: float, absolute: str) -> None:
    """Print one figure."""
    print(f"{name:<44} {ratio:8.2f}  ({absolute})", flush=True)


def projection(log: Log, store: SqliteStore, folder: Path) -> None:
    """Measure how fast the log becomes a graph."""
    begin = time.process_time()
    catch_up(log, store)
    taken = time.process_time() - begin - log.spent
    store.close()
    connection = apsw.Connection(str(folder / "graph.db"))
    counts = {
        name: connection.execute(f"SELECT count(*) FROM {name}").get
        for name in ("entry", "node", "edge", "name", "record")
    }
    rows = sum(counts.values())
    size = connection.pragma("page_count") * 4096 // rows
    connection.close()
    raw = raw_inserts(rows, size, folder)
    rate = f"{log.size / taken:,.0f} events/s, {counts['edge']:,} edges, {rows:,} rows"
    line(
        "projection time / raw SQLite inserts",
        taken / raw,
        f"{rate} of {size} bytes; raw {rows / raw:,.0f} rows/s",
    )


def raw_inserts(rows: int, size: int, folder: Path) -> float:
    """Time plain inserts: one table, one column, 10,000 rows a transaction."""
    connection = apsw.Connection(str(folder / "raw.db"))
    connection.pragma("journal_mode", "WAL")
    connection.pragma("synchronous", "NORMAL")
    connection.execute("CREATE TABLE raw (body BLOB) STRICT")
    body = bytes(size)
    begin = time.process_time()
    for start in range(0, rows, 10_000):
        with connection:
            batch = [(body,)] * min(10_000, rows - start)
            connection.executemany("INSERT INTO raw VALUES (?)", batch)
    taken = time.process_time() - begin
    connection.close()
    return taken


class Asked:
    """A graph to ask, the same in memory, and lots that share no ancestors."""

    def __init__(self, log: Log, store: SqliteStore) -> None:
        """Take the lots from as many parts of the last layer as there are questions."""
        self.store = store
        self.memory: rx.PyDiGraph[None, None] = rx.PyDiGraph()
        self.memory.add_nodes_from([None] * (log.width * LAYERS))
        self.memory.add_edges_from_no_data(log.pairs)
        first = log.width * (LAYERS - 1)
        blocks = log.rng.sample(range(log.width // 10), min(QUESTIONS, log.width // 10))
        self.lots = [first + block * 10 + log.rng.randrange(10) for block in blocks]
        self.keys = {lot: item_key(**item_of(lot)) for lot in self.lots}

    def walked(self, lot: int) -> object:
        """Ask the one in memory."""
        return rx.ancestors(self.memory, lot)


Question = tuple[str, "Callable[[SqliteStore, str], object]"]

QUESTIONS_ASKED: list[Question] = [
    ("lineage, asked first", lambda s, key: s.upstream(key, Tier.PUBLIC, depth=LAYERS)),
    ("lineage, asked again", lambda s, key: s.upstream(key, Tier.PUBLIC, depth=LAYERS)),
    ("lineage, its edges too", lambda s, key: len(s.upstream(key, Tier.PUBLIC).edges)),
    ("journey, 2 hops", lambda s, key: s.journey(key, Tier.PUBLIC, depth=2)),
    ("custody", lambda s, key: custody(s, key, Tier.PRIVATE)),
]


def spent(ask: Callable[[], object]) -> float:
    """Return the milliseconds that a question takes."""
    begin = time.process_time()
    ask()
    return (time.process_time() - begin) * 1e3


def questions(large: Asked, small: Asked) -> None:
    """Ask the large graph, the same in memory, and the small graph, in turn."""
    far = statistics.median(len(rx.ancestors(large.memory, lot)) for lot in large.lots)
    print(f"{far:.0f} items in the median lineage", flush=True)
    for name, ask in QUESTIONS_ASKED:
        walked: list[float] = []
        taken: list[float] = []
        few: list[float] = []
        for lot, other in zip(large.lots, itertools.cycle(small.lots), strict=False):
            walked.append(spent(partial(large.walked, lot)))
            taken.append(spent(partial(ask, large.store, large.keys[lot])))
            if len(few) < len(small.lots):
                few.append(spent(partial(ask, small.store, small.keys[other])))
        p50, p99 = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
        memory, near = statistics.median(walked), statistics.median(few)
        told = f"p50 {p50:.3f} ms, p99 {p99:.3f} ms; in memory {memory:.3f} ms"
        line(f"{name}, p50 / rustworkx ancestors", p50 / memory, told)
        line(f"{name}, growth", p50 / near, f"{near:.3f} ms on the small graph")


def recalls(folder: Path) -> None:
    """Measure recalls of a lot that reached 10,000 items in layers of 2,500."""
    made = SqliteStore(folder / "made.db")
    made.apply(plain_spread())
    _recalled(made, "item:a/P/10/0", "")
    moved = SqliteStore(folder / "moved.db")
    catch_up(Spread(), moved)
    _recalled(moved, item_key(**item_of(0)), ", each shipped and received")


def _recalled(store: SqliteStore, key: str, how: str) -> None:
    for what, ask in (
        ("items", lambda: store.downstream(key, Tier.PRIVATE, limit=2 * REACHED)),
        ("who holds them", lambda: recall(store, key, Tier.PRIVATE, limit=2 * REACHED)),
    ):
        first, again = spent(ask), statistics.median(spent(ask) for _ in range(5))
        name = f"recall of {REACHED:,}{how}: {what} / 250 ms"
        line(name, first / 250, f"{first:.0f} ms, again {again:.0f} ms")
    store.close()


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description="Graph figures as ratios")
    parser.add_argument("--events", type=int, default=EVENTS, help="entries in the log")
    parser.add_argument("--small", type=int, default=0, help="entries of the small log, 0 a tenth")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = Log(given.events)
        projection(log, SqliteStore(folder / "graph.db"), folder)
        few, small = Log(given.small or given.events // SHARE), SqliteStore(folder / "small.db")
        catch_up(few, small)
        large = SqliteStore(folder / "graph.db")
        questions(Asked(log, large), Asked(few, small))
        large.close()
        small.close()
        recalls(folder)


if __name__ == "__main__":
    main()
