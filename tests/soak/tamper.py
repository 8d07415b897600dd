"""A thousand single bytes changed in a log's files, one at a time; run by `make tamper`.

    python tests/soak/tamper.py --changes 1000

Every change of what a SELECT over any table of the log, the checkpoint file or high-water says
must be told by the audit, with its place; none may crash it. Exits with 1 where one is not.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "provenance")]

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
    tally = tampering.tally
    sys.stdout.write(
        f"seed {chosen.seed}: {tally.seen.total()} changes of what is read, all told and located "
        f"({dict(tally.seen)}); {tally.idle.total()} of what is not read, of which "
        f"{tally.told_all_the_same} were told; {len(tally.faults)} faults\n"
        if not tally.faults
        else "".join(f"FAILED: {fault}\n" for fault in tally.faults) + f"seed {chosen.seed}\n"
    )
    sys.exit(1 if tally.faults else 0)


if __name__ == "__main__":
    main()
