"""Graph figures, each as a ratio to a calibration in the same run.

    python benchmarks/bench_lineage.py [--events N] [--small N]

* projection: sealed entries to a graph in SQLite, against plain inserts of as many rows of
  the same average size into one table of one column
* lineage: `upstream` to depth 20 with keys, distances, quantities and gaps, against the bare
  set of ancestors that rustworkx finds in memory on the same graph; once for items that nobody
  has asked for yet, and once for the same items again
* recall: a lot that reached 10,000 items: the items alone, and with who holds them
* growth: the same local questions on a graph of a tenth of the size

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
from graph.model import Changes, EdgeFact, EdgeKind, EntryFact, Mention, Role
from graph.questions.custody import custody
from graph.questions.recall import recall
from graph.stores.sqlite import SqliteStore
from graph.sync import catch_up
from provenance.entries import Draft, Entry, EntryType, Opening, Tier
from provenance.privacy import seal
from provenance.tiers import DEFAULT_POLICY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAYERS = 20
QUESTIONS = 400
REACHED = 10_000
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
            min(last, near + self.rng.randrange(10)) for _ in range(self.rng.choice((1, 2, 2, 3)))
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


def lineage(log: Log, store: SqliteStore) -> dict[str, float]:
    """Measure how fast an item's origin is found; return the medians by name."""
    memory: rx.PyDiGraph[None, None] = rx.PyDiGraph()
    memory.add_nodes_from([None] * (log.width * LAYERS))
    memory.add_edges_from_no_data(log.pairs)
    lots = [
        log.rng.randrange(log.width * (LAYERS - 1), log.width * LAYERS) for _ in range(QUESTIONS)
    ]
    keys = {lot: item_key(**_item(lot)) for lot in lots}

    def ask(lot: int) -> object:
        return store.upstream(keys[lot], Tier.PUBLIC, depth=LAYERS)

    walked, _ = timed(lambda lot: rx.ancestors(memory, lot), lots)
    medians = {"rustworkx": walked}
    far = [len(rx.ancestors(memory, lot)) for lot in lots]
    items = f"{statistics.median(far):.0f} items in the median"
    for when in ("asked first", "asked again"):
        p50, p99 = timed(ask, lots)
        told = f"{p50:.3f} ms to {walked:.3f} ms, {items}"
        line(f"lineage p50, {when} / rustworkx ancestors", p50 / walked, told)
        line(f"lineage p99, {when} / rustworkx ancestors", p99 / walked, f"{p99:.3f} ms")
        medians[f"lineage, {when}"] = p50
    p50, p99 = timed(lambda lot: store.journey(keys[lot], Tier.PUBLIC, depth=2), lots)
    told = f"{p50:.3f} ms, p99 {p99:.3f} ms"
    line("journey, 2 hops, p50 / rustworkx ancestors", p50 / walked, told)
    medians["journey, 2 hops"] = p50
    near = lots[: QUESTIONS // 4]
    p50, p99 = timed(lambda lot: custody(store, keys[lot], Tier.PRIVATE), near)
    line("custody p50 / rustworkx ancestors", p50 / walked, f"{p50:.3f} ms, p99 {p99:.3f} ms")
    return medians | {"custody": p50}


def recalls(folder: Path) -> None:
    """Measure a recall of a lot that reached 10,000 items, in layers of 2,500, each shipped."""
    store = SqliteStore(folder / "recall.db")
    store.apply(_spread())
    key = "item:a/P/10/0"
    for what, ask in (
        ("the items", lambda _: store.downstream(key, Tier.PRIVATE, limit=2 * REACHED)),
        ("with who holds them", lambda _: recall(store, key, Tier.PRIVATE, limit=2 * REACHED)),
    ):
        begin = time.process_time()
        ask(0)
        first = (time.process_time() - begin) * 1e3
        p50, _ = timed(ask, [0] * 5)
        line(
            f"recall of {REACHED:,}, {what} / 250 ms",
            first / 250,
            f"{first:.0f} ms, again {p50:.0f} ms",
        )
    store.close()


def _spread() -> Changes:
    """A lot, 10,000 made of it in four layers, and the event that made each."""
    rng = random.Random(2)
    changes = Changes(0, 1)
    changes.entries.append(EntryFact(0, bytes(32), "event/1", None, []))
    amounts = [{"consumed": 40, "produced": 100, "quantity": 100, "quantity_unit": "kg"}]

    def state(src: str, kind: EdgeKind, dst: str, role: Role | None = None) -> None:
        for key in (src, dst):
            changes.nodes[key] = Mention(Tier.PUBLIC, None)
        number = len(changes.edges)
        changes.edges.append(
            EdgeFact(src, kind, dst, 0, number, role, Tier.PUBLIC, number, amounts)
        )

    for at in range(1, REACHED + 1):
        layer = (at - 1) // 2_500
        below = 0 if not layer else rng.randrange(1 + 2_500 * (layer - 1), 1 + 2_500 * layer)
        item = f"item:a/P/10/{at}"
        state(f"item:a/P/10/{below}", EdgeKind.BECAME, item)
        state(f"event:a/{at}", EdgeKind.INVOLVES, item, Role.OUTPUT)
    return changes


def growth(small: int, large: dict[str, float]) -> None:
    """Ask the same of a small graph: local questions cost the same on a large one."""
    with tempfile.TemporaryDirectory() as name:
        log = Log(small)
        store = SqliteStore(Path(name) / "graph.db")
        catch_up(log, store)
        print(f"the same on {log.size:,} events", flush=True)
        few = lineage(log, store)
        store.close()
    for what, taken in large.items():
        line(f"growth of {what}", taken / few[what], f"{few[what]:.3f} ms to {taken:.3f} ms")


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description="Graph figures as ratios")
    parser.add_argument("--events", type=int, default=60_000, help="entries in the log")
    parser.add_argument("--small", type=int, default=0, help="entries of the small log, 0 a tenth")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = Log(given.events)
        projection(log, SqliteStore(folder / "graph.db"), folder)
        log.held.clear()
        store = SqliteStore(folder / "graph.db")
        large = lineage(log, store)
        store.close()
        recalls(folder)
    growth(given.small or given.events // 10, large)


if __name__ == "__main__":
    main()
