"""Writers at once: do they get their turns, and what does sharing cost?

    PYTHONPATH=. python benchmarks/bench_writers.py

Four processes append batches of 20 events for some seconds. The worst wait of any of them is given
as a multiple of the mean wait: a writer that starved would show there. The rate of the four
together is given as a ratio to that of one alone.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests" / "provenance"
sys.path.append(str(TESTS))

from log_factories import Rig, event  # type: ignore[import-not-found]  # noqa: E402 - tests

from provenance.clock import system_clock, system_entropy  # noqa: E402 - as above

SECONDS, BATCH, WRITERS = 6.0, 20, 4


def write(directory: Path, writer: int, seconds: float) -> None:
    """Append for some time; print how long each call took."""
    rig = Rig(directory, entropy=system_entropy)
    rig.clock = system_clock
    log = rig.open()
    number, waits = writer * 10_000_000, []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        outcomes = log.append([event(each) for each in range(number, number + BATCH)])
        waits.append(time.monotonic() - begun)
        assert {one.kind for one in outcomes} == {"appended"}
        number += BATCH
    log.close()
    sys.stdout.write(json.dumps(waits))


def run(writers: int) -> tuple[list[list[float]], int]:
    """Let so many processes write one log; returns each one's waits, and the log's entries."""
    with tempfile.TemporaryDirectory() as place:
        rig = Rig(Path(place), entropy=system_entropy)
        rig.create().close()
        command = [sys.executable, __file__, place]
        environment = {"PYTHONPATH": f"{ROOT}:{TESTS}"}
        running = [
            subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE, text=True, env=environment)
            for n in range(writers)
        ]
        waits = [json.loads(process.communicate()[0]) for process in running]
        assert all(process.returncode == 0 for process in running)
        report = rig.audit()
        assert report.problems == []
        assert report.size == 1 + BATCH * sum(map(len, waits)), "an acknowledged event is missing"
        return waits, report.size - 1


def main() -> None:
    """Measure one writer, then four."""
    _, alone = run(1)
    waits, together = run(WRITERS)
    every = [one for each in waits for one in each]
    turns = sorted(map(len, waits))
    mean = statistics.mean(every)
    print(f"one writer             {alone / SECONDS:8,.0f} events/s")
    print(f"{WRITERS} writers together    {together / SECONDS:8,.0f} events/s")
    print(f"  ratio to one alone   {together / alone:8.2f}")
    print(f"  mean wait            {mean * 1000:8.1f} ms")
    print(f"  worst wait           {max(every) * 1000:8.1f} ms, {max(every) / mean:.1f} x the mean")
    print(f"  fewest / most turns  {turns[0]} / {turns[-1]}: {turns[0] / turns[-1]:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]), int(sys.argv[2]), SECONDS)
    else:
        main()
