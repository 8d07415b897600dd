"""How much memory a process and all that it starts hold together, sampled from beside.

    python benchmarks/memory.py PID

Each page counts once, however many of the processes share it (the kernel's proportional set
size), so a copy of a process adds what it writes to. To look through gigabytes of pages takes a
good part of a second of a processor that the watched want for themselves: that is done when the
machine's memory in use, which the kernel knows at once, has grown, and every few seconds. So what
is missed of the largest sum is about `GROWN`, where others on the machine give back no memory.
Prints the largest sum, in MB, when its input ends. It is a process of its own, for a process with
threads is not copied. Linux only.

Next: benchmarks/bench_detect.py
"""

from __future__ import annotations

import select
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from os import getpid
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Peak", "watched"]

BRIEF: Final = 0.1
"""How often it asks what is in use on the machine, in seconds."""
GROWN: Final = 50.0
"""What has to come to that, in MB, before pages are looked through again,"""
SECONDS: Final = 5.0
"""or how much time has to pass."""


class Peak:
    """The largest sum, once the watch has ended.

    Attributes:
        megabytes: None where it cannot be known.
    """

    megabytes: float | None = None

    def __str__(self) -> str:
        """Write it."""
        return "unknown" if self.megabytes is None else f"{self.megabytes:,.0f} MB"


@contextmanager
def watched() -> Iterator[Peak]:
    """Watch this process, and all that it starts, while the body runs."""
    peak = Peak()
    watch = subprocess.Popen(
        [sys.executable, __file__, str(getpid())], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield peak
    finally:
        said, _ = watch.communicate()
        if said.strip():
            peak.megabytes = float(said)


def held(process: int) -> float:
    """Return what a process and all that it started hold, without this one, in MB."""
    total = 0.0
    with suppress(OSError):  # it has ended
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) / 1024
        for task in Path(f"/proc/{process}/task").iterdir():
            children = (task / "children").read_text().split()
            total += sum(held(int(child)) for child in children if int(child) != getpid())
    return total


def in_use() -> float:
    """Return what all processes of the machine hold of memory that is no file's, in MB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    told = dict(line.split(":") for line in lines)
    return sum(int(told[name].split()[0]) for name in ("AnonPages", "Shmem")) / 1024


def main() -> None:
    """Watch until the input ends."""
    process, most = int(sys.argv[1]), 0.0
    seen, due = 0.0, 0.0
    while not select.select([sys.stdin], [], [], BRIEF)[0]:
        now = in_use()
        if now > seen + GROWN or time.monotonic() > due:
            most = max(most, held(process))
            seen, due = now, time.monotonic() + SECONDS
    if most:
        print(most)


if __name__ == "__main__":
    main()
