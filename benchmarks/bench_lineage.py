"""Graph figures, each as a ratio to a calibration in the same run.

    python benchmarks/bench_lineage.py [--events N]

* projection: sealed entries to a graph in SQLite, against plain inserts of as many rows of
  the same average size into one table of one column
* lineage: `upstream` to depth 20 with keys, distances, quantities and gaps, against the bare
  set of ancestors that rustworkx finds in memory on the same graph

Times are of this process's CPU, so that a busy machine does not blur the ratios: nothing
here waits for a disk. One line a figure: name, ratio, what was measured.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import rustworkx as rx

from graph.keys import item_key
from graph.stores.sqlite import SqliteStore
from graph.sync import catch_up
from provenance.entries import Draft, Entry, EntryType, Opening, Tier
from provenance.privacy import seal
from provenance.tiers import DEFAULT_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAYERS = 20
QUESTIONS = 400
EVENTS_A_LOT = 3


class Log:
    """Sealed events: lots in layers, each made from a few of the layer before, and shipped."""

    def __init__(self, events: int) -> None:
        """Make about `events` entries."""
        self.rng = random.Random(1)
        lots = events // EVENTS_A_LOT
        self.width = max(10, lots // LAYERS)
        self.pairs: list[tuple[int, int]] = []
        self.held: list[Entry] = []
        for lot in range(self.width * LAYERS):
            for draft in self._drafts(lot):
                self._append(draft)

    @property
    def size(self) -> int:
        """Number of entries."""
        return len(self.held)

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """Yield entries."""
        yield from self.held[start:stop]

    def _drafts(self, lot: int) -> Iterator[Draft]:
        layer, place = divmod(lot, self.width)
        near = (layer - 1) * self.width + place // 10 * 10
        last = layer * self.width - 1
        sources = {
            min(last, near + self.rng.randrange(10)) for _ in range(self.rng.choice((1, 1, 2, 3)))
        }
        inputs = [{**_item(source), "quantity": 40} for source in sorted(sources)] if layer else []
        self.pairs += [(source, lot) for source in sources] if layer else []
        word = "transform" if layer else "produce"
        facility = f"F-{place % 97:03}"
        yield _event(
            lot, 0, word, {"facility_id": facility, **({"inputs": inputs} if inputs else {})}, lot
        )
        movement = {
            "shipment_id": f"S-{lot:07}",
            "from_facility_id": facility,
            "to_facility_id": f"F-{place % 89:03}",
            "transport_mode": "sea",
            "carrier": "Carrier & Sons",
            "declared_value_usd": {"_d": "1234.50"},
        }
        yield _event(lot, 1, "ship", movement, lot)
        yield _event(lot, 2, "receive", movement, lot)

    def _append(self, draft: Draft) -> None:
        sealed = seal(draft, DEFAULT_POLICY, self.rng.randbytes)
        openings = tuple(Opening(*plain) for plain in sealed.openings)
        digest = self.rng.randbytes(32)
        self.held.append(Entry(self.size, draft.type, 0, b"", digest, sealed.body, openings))


def _item(lot: int) -> dict[str, Any]:
    return {"party": f"party-{lot % 50}", "product_id": f"P-{lot % 97}", "lot_id": f"LOT-{lot:07}"}


def _event(lot: int, number: int, word: str, more: dict[str, Any], seed: int) -> Draft:
    content = {
        "party": f"party-{lot % 50}",
        "event_id": f"E-{lot:07}-{number}",
        "event_type": word,
        "type": "ObjectEvent",
        "biz_step": "shipping",
        "event_time": f"2024-{1 + seed % 12:02}-{1 + seed % 28:02}T{8 + number:02}:00:00Z",
        "time_text": "2024-01-01 08:00",
        "items": [{**_item(lot), "quantity": 100, "quantity_unit": "kg"}],
    }
    return Draft(EntryType.EVENT, "event/1", content | more)


def line(name: str, ratio: float, absolute: str) -> None:
    """Print one figure."""
    print(f"{name:<44} {ratio:8.2f}  ({absolute})", flush=True)


def projection(log: Log, store: SqliteStore, folder: Path) -> None:
    """Measure how fast the log becomes a graph."""
    begin = time.process_time()
    catch_up(log, store)
    taken = time.process_time() - begin
    store.close()
    connection = apsw.Connection(str(folder / "graph.db"))
    tables = ("entry", "node", "edge", "name", "record")
    rows = sum(connection.execute(f"SELECT count(*) FROM {name}").get for name in tables)
    size = connection.pragma("page_count") * 4096 // rows
    connection.close()
    raw = raw_inserts(rows, size, folder)
    rate = f"{log.size / taken:,.0f} events/s, {rows:,} rows, {size} bytes a row"
    line(
        "projection time / raw SQLite inserts", taken / raw, f"{rate}; raw {rows / raw:,.0f} rows/s"
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


def timed(ask: Callable[[int], object], lots: list[int]) -> tuple[float, float]:
    """Return median and 99th percentile in milliseconds."""
    taken = []
    for lot in lots:
        begin = time.process_time()
        ask(lot)
        taken.append((time.process_time() - begin) * 1e3)
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def lineage(log: Log, store: SqliteStore) -> None:
    """Measure how fast an item's origin is found."""
    memory: rx.PyDiGraph[None, None] = rx.PyDiGraph()
    memory.add_nodes_from([None] * (log.width * LAYERS))
    memory.add_edges_from_no_data(log.pairs)
    lots = [
        log.rng.randrange(log.width * (LAYERS - 1), log.width * LAYERS) for _ in range(QUESTIONS)
    ]
    keys = {lot: item_key(**_item(lot)) for lot in lots}

    def ask(lot: int) -> object:
        return store.upstream(keys[lot], Tier.PUBLIC, depth=LAYERS)

    timed(ask, lots[:50])
    far = [len(store.upstream(keys[lot], Tier.PUBLIC, depth=LAYERS).hops) for lot in lots]
    walked, _ = timed(lambda lot: rx.ancestors(memory, lot), lots)
    p50, p99 = timed(ask, lots)
    items = f"{statistics.median(far):.0f} items in the median"
    line(
        "lineage p50 / rustworkx ancestors p50",
        p50 / walked,
        f"{p50:.3f} ms to {walked:.3f} ms, {items}",
    )
    line("lineage p99 / rustworkx ancestors p50", p99 / walked, f"{p99:.3f} ms")
    p50, p99 = timed(lambda lot: store.journey(keys[lot], Tier.PUBLIC, depth=2), lots)
    line(
        "journey, 2 hops, p50 / rustworkx ancestors p50",
        p50 / walked,
        f"{p50:.3f} ms, p99 {p99:.3f} ms",
    )


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description="Graph figures as ratios")
    parser.add_argument("--events", type=int, default=60_000, help="entries in the log")
    log = Log(parser.parse_args().events)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        projection(log, SqliteStore(folder / "graph.db"), folder)
        store = SqliteStore(folder / "graph.db")
        lineage(log, store)
        store.close()


if __name__ == "__main__":
    main()
