"""What proofs cost, as ratios to hashing the same paths and nothing else.

    python benchmarks/bench_proofs.py [--leaves N] [--proofs N] [--directory DIR]

Paths come from a stored tree of a million leaves, at random places: first from
an empty memory, then with all tiles remembered. Bundles, and files of many
proofs, come from a small log. Times are CPU, so that a busy machine slows
nothing but the run.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from provenance import hashing
from provenance.clock import system_clock, system_entropy
from provenance.disclosure.tiers import DEFAULT_POLICY
from provenance.entries import Draft, EntryType
from provenance.log import Instruments, Log, LogFiles
from provenance.notes import keys
from provenance.proving import merkle, proof
from provenance.proving.proof_batch import expanded, shared
from provenance.store.storage import connect, create, transaction
from provenance.store.writing import read_tile
from provenance.verify import check_bundle, parse_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ORIGIN: Final = "bench.example/proofs"
SECRET: Final = bytes(32)
ENTRIES: Final = 5_000
MOST_MS: Final = 5.0
LEAST_RATE: Final = 3_000


def timed(work: Callable[[Any], object], each: Sequence[Any]) -> tuple[float, float]:
    """Do some work for each; returns how many a CPU-second, and the 99th percentile in ms."""
    spent = []
    for one in each:
        start = time.process_time()
        work(one)
        spent.append(time.process_time() - start)
    return len(spent) / sum(spent), sorted(spent)[len(spent) * 99 // 100] * 1_000


def store_tree(path: Path, count: int) -> None:
    """Put the tiles of a tree of `count` leaves into a log's database."""
    connection = create(path)
    edge = merkle.EMPTY_EDGE
    add = "INSERT INTO tile VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET hashes = excluded.hashes"
    for start in range(0, count, 100_000):
        stop = min(start + 100_000, count)
        leaves = [hashlib.sha256(n.to_bytes(8)).digest() for n in range(start, stop)]
        edge, tiles = merkle.append(edge, leaves)
        with transaction(connection):
            connection.executemany(add, tiles)
    connection.close()


def bench_paths(path: Path, size: int, count: int) -> None:
    """Make paths at random places of a stored tree, and hash the same paths."""
    connection = connect(path, readonly=True)
    dice = random.Random(1)
    tree = merkle.TileTree(read_tile(connection))
    places = [dice.randrange(size) for _ in range(count)]

    def make(index: int) -> None:
        tree.inclusion_path(index, size)

    def climb(path: list[bytes]) -> None:
        node = path[0]
        for sibling in path:
            node = hashing.node_hash(node, sibling)

    cold = timed(make, places)
    warm = timed(make, places)
    paths = [tree.inclusion_path(index, size) for index in places[:2_000]]
    bare, _ = timed(climb, paths)
    for name, (rate, slowest) in (("from nothing", cold), ("remembered", warm)):
        good = "met" if rate >= LEAST_RATE and slowest < MOST_MS else "NOT MET"
        print(
            f"inclusion paths at {size:,} leaves, {name}: {rate:,.0f}/s, p99 {slowest:.2f} ms; "
            f"{rate / bare:.2f} of hashing them ({bare:,.0f}/s)"
            f"   wanted {LEAST_RATE:,}/s, {MOST_MS:g} ms: {good}"
        )
    sizes = [(dice.randrange(1, size), size) for _ in range(2_000)]
    rate, slowest = timed(lambda pair: tree.consistency_path(*pair), sizes)
    print(f"consistency proofs to {size:,}: {rate:,.0f}/s, p99 {slowest:.2f} ms")
    connection.close()


def bench_bundles(files: LogFiles) -> None:
    """Make bundles and files of many, read them back, and verify them."""
    key = keys.generate(ORIGIN, system_entropy)
    instruments = Instruments(key, SECRET, system_clock, system_entropy)
    log = Log.create(files, key.vkey, DEFAULT_POLICY, instruments)
    for start in range(0, ENTRIES, 1_000):
        log.append([_event(number) for number in range(start, start + 1_000)])
    places = [number * 7919 % log.size for number in range(1_000)]
    rate, slowest = timed(log.prove, places)
    print(f"whole bundles: {rate:,.0f}/s, p99 {slowest:.2f} ms")
    policy = parse_policy(f"log {key.vkey}\nquorum none\n".encode())
    texts = [proof.bundle_text(log.prove(index)) for index in places]
    rate, _ = timed(lambda text: check_bundle(text, policy), texts)
    print(f"bundles verified: {rate:,.0f}/s")
    bundles = log.prove_all(places)
    document = shared(bundles)
    whole = sum(map(len, texts))
    alone = sum(len(bundle["path"]) for bundle in bundles)
    nodes = document.count(b'",', document.index(b'"nodes"'))
    print(
        f"1,000 proofs in one file: {len(document) / whole:.2f} of their bytes alone "
        f"({len(document):,} of {whole:,}), {nodes:,} nodes of {alone:,}"
    )
    for name, work in (("made", lambda _: shared(bundles)), ("read", lambda _: expanded(document))):
        rate, _ = timed(work, range(5))
        print(f"  {name}: {rate * len(places):,.0f} proofs/s")
    log.close()


def _event(number: int) -> Draft:
    content = {"party": "acme", "event_id": f"E-{number}", "event_type": "ship"}
    return Draft(EntryType.EVENT, "event/1", content)


def main() -> None:
    """Run all of it in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--leaves", type=int, default=1_000_000, help="leaves of the large tree")
    parser.add_argument("--proofs", type=int, default=20_000, help="paths a figure")
    parser.add_argument("--directory", help="where the databases are made; default: the system's")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.directory) as made:
        store_tree(Path(made) / "tree.db", asked.leaves)
        bench_paths(Path(made) / "tree.db", asked.leaves, asked.proofs)
        bench_bundles(LogFiles(Path(made)))


if __name__ == "__main__":
    main()
