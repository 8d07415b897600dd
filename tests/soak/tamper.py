"""A thousand single bytes changed in a log's files and a graph's; run by `make tamper`.

    python tests/soak/tamper.py --changes 1000

Every change of what a SELECT over any table of the log, the checkpoint file or high-water says
must be told by the audit, with its place; none may crash it. A fifth as many are made in a
graph's file, where `graph audit` must tell them. Exits with 1 where one is not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "provenance"), str(ROOT / "tests" / "graph")]

from graph_tampering import GraphTampering  # noqa: E402 - as below
from tamper_tools import Tampering, build, without_waiting  # noqa: E402 - as in soak.py


def main() -> None:
    """Run it, in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = parser.parse_args()
    without_waiting()
    dice = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as place:
        tampering = Tampering(build(Path(place)), Path(place) / "hit")
        for _ in range(chosen.changes):
            tampering.change(dice)
        graphs = GraphTampering(Path(place))
        for _ in range(chosen.changes // 5):
            graphs.change(dice)
    tally, graph = tampering.tally, graphs.tally
    faults = tally.faults + [f"graph: {fault}" for fault in graph.faults]
    sys.stdout.write(
        f"seed {chosen.seed}: {tally.seen.total()} changes of what is read, all told and located "
        f"({dict(tally.seen)}); {tally.idle.total()} of what is not read, of which "
        f"{tally.told_all_the_same} were told; {graph.seen} changes of the graph were told, "
        f"{graph.idle} change nothing that it says; {len(faults)} faults\n"
        if not faults
        else "".join(f"FAILED: {fault}\n" for fault in faults) + f"seed {chosen.seed}\n"
    )
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
