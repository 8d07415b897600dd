"""Two writers on one log, killed with SIGKILL again and again; run by `make soak`.

    python tests/soak/soak.py --rounds 200 --minutes 0

After every round the log must hold each acknowledged event once, at the index that was
acknowledged, must add up to the last byte, and must continue every checkpoint that was ever
seen beside it. Exits with 1, and one line that says what was broken, at the first fault.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "provenance")]

from log_factories import Rig, event  # noqa: E402 - from beside, as the tests have it

from provenance.clock import system_clock, system_entropy  # noqa: E402 - as above
from provenance.disclosure.privacy import open_entry  # noqa: E402 - as above
from provenance.entries import Tier  # noqa: E402 - as above
from provenance.errors import ProvenanceError  # noqa: E402 - as above
from provenance.notes.checkpoint import parse  # noqa: E402 - as above

if TYPE_CHECKING:
    from provenance.store.reading import LogReader

WRITERS = 2
SHARED = 5  # of the ten events of a call: both writers try to append them
OWN = 10_000_000  # from here on, events of one writer alone


class Soak:
    """One log, and what is known of it from outside.

    Attributes:
        acknowledged: Index by event number, as the writers were told.
        seen: Roots by size, of every checkpoint that was seen beside the database.
        counts: Kills, and what was found after them.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        """Begin the log."""
        self.directory = directory
        self.rng = random.Random(seed)
        (directory / "log").mkdir()
        self.rig = Rig(directory / "log", entropy=system_entropy)
        self.rig.clock = system_clock
        self.rig.create().close()
        self.acknowledged: dict[int, int] = {}
        self.seen: dict[int, bytes] = {}
        self.counts: Counter[str] = Counter()

    def run(self, rounds: int, seconds: float) -> None:
        """Go on until both so many rounds and so many seconds are over."""
        end = time.monotonic() + seconds
        number = 0
        while number < rounds or time.monotonic() < end:
            self.round(number)
            number += 1
            if number % 20 == 0:
                self.tell(number)
        self.tell(number)

    def tell(self, rounds: int) -> None:
        """Print where we are."""
        say(
            f"{rounds} rounds, {self.counts['kills']} kills: {len(self.acknowledged):,} events "
            f"acknowledged, 0 lost, 0 doubled, {len(self.seen):,} checkpoints seen, no fork; "
            f"{self.counts['unacknowledged']:,} in the log without a word, "
            f"{self.counts['unpublished']} times the next writer had to publish"
        )

    def round(self, number: int) -> None:
        """Start the writers, kill them at moments of their own, and look at what is left."""
        last = max((n for n in self.acknowledged if n < OWN), default=0)
        first = max(0, last - self.rng.randrange(20))
        tolds = [self.directory / f"told-{writer}" for writer in range(WRITERS)]
        running = [self.start(first, writer, tolds[writer]) for writer in range(WRITERS)]
        for process in self.rng.sample(running, len(running)):
            self.watch(self.rng.uniform(0.01, 0.25))
            os.kill(process, signal.SIGKILL)
        for process in running:
            status = os.waitpid(process, 0)[1]
            self.demand(os.WIFSIGNALED(status), f"round {number}: a writer ended by itself")
            self.counts["kills"] += 1
        for told in tolds:
            self.take_down(told)
        self.look()

    def start(self, first: int, writer: int, told: Path) -> int:
        """Start a writer in a process of its own; returns its id."""
        told.write_bytes(b"")
        process = os.fork()
        if process == 0:
            try:
                write_for_ever(self.rig, first, writer, told)
            finally:
                os._exit(1)
        return process

    def watch(self, seconds: float) -> None:
        """Look at the published checkpoint for some time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.see(self.rig.files.checkpoint.read_bytes())
            time.sleep(0.002)

    def see(self, text: bytes) -> None:
        """Remember a checkpoint; two of one size must be the same."""
        said = parse(text)[0]
        known = self.seen.setdefault(said.size, said.root)
        self.demand(known == said.root, f"two checkpoints of {said.size} entries: a fork")

    def take_down(self, told: Path) -> None:
        """Take down what a writer said before it died; its last line may be cut off."""
        for line in told.read_text().split("\n")[:-1]:
            event_number, index = map(int, line.split())
            known = self.acknowledged.setdefault(event_number, index)
            self.demand(known == index, f"event {event_number}: told to be at {known} and {index}")

    def look(self) -> None:
        """Audit the log as the dead left it and after the next opening, and compare."""
        problems = self.rig.audit().problems
        self.counts["unpublished"] += bool(problems)
        rest = [one for one in problems if "the next writer mends it" not in one]
        self.demand(not rest, f"the audit after a kill: {rest[:1]}")
        self.rig.open().close()
        problems = self.rig.audit().problems
        self.demand(not problems, f"the audit after opening: {problems[:1]}")
        self.see(self.rig.files.checkpoint.read_bytes())
        reader = self.rig.reader()
        self.compare(reader)
        reader.close()

    def compare(self, reader: LogReader) -> None:
        """Each acknowledged event once and in its place; each seen checkpoint on this tree."""
        places: dict[str, int] = {}
        for entry in reader.entries(1):
            name = open_entry(entry, Tier.PRIVATE)["event_id"]
            self.demand(name not in places, f"{name} is in the log twice")
            places[name] = entry.index
        for number, index in self.acknowledged.items():
            self.demand(places.get(f"E-{number}") == index, f"E-{number} is lost or moved")
        self.counts["unacknowledged"] = len(places) - len(self.acknowledged)
        for size, root in self.seen.items():
            self.demand(reader.root_at(size) == root, f"the checkpoint of {size} is not continued")

    def demand(self, holds: bool, otherwise: str) -> None:
        """End it where something does not hold."""
        if not holds:
            self.rig.directory.rename(kept := Path(tempfile.mkdtemp()) / "log")
            sys.exit(f"FAILED: {otherwise}; the log is in {kept}")


def write_for_ever(rig: Rig, first: int, writer: int, told: Path) -> None:
    """Append ten events at a time, half of them the other writer's too, and tell what came back."""
    output = os.open(told, os.O_WRONLY | os.O_APPEND)
    log = rig.open()
    start = first
    while True:
        shared = list(range(start, start + SHARED))
        own = [OWN * (writer + 1) + number for number in shared]
        numbers = shared + own
        outcomes = log.append([event(number) for number in numbers])
        lines = [f"{n} {one.index}\n" for n, one in zip(numbers, outcomes, strict=True)]
        os.write(output, "".join(lines).encode())
        start += SHARED


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Run it, in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = parser.parse_args()
    say(f"seed {chosen.seed}")
    with tempfile.TemporaryDirectory() as place:
        try:
            Soak(Path(place), chosen.seed).run(chosen.rounds, chosen.minutes * 60)
        except ProvenanceError as error:
            sys.exit(f"FAILED: {error}")


if __name__ == "__main__":
    main()
