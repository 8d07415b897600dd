"""One file, ingested while its processes are killed and its disk is full; run by `make soak`.

    python tests/soak/ingest_soak.py --rows 1000000 --kills 10 --full 1

A blow kills the command, or the process beside it that lets the graph follow, or the one that
writes the log, or interrupts it, or fills its disk. After each the same command is given again. In
the end the log must hold the same sequence of
event ids and opened contents as one that nothing happened to, each row must be accounted for, the
log must add up, and the graph must be what the log says. No process may be left behind, and no
error may be more than one line. Exits with 1, and one line that says what was broken.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from graph.audit import audit_graph  # noqa: E402 - from beside, as the tests have it
from provenance.disclosure.privacy import open_entry  # noqa: E402 - as above
from provenance.entries import EntryType, Tier  # noqa: E402 - as above
from workspace.workspace import Workspace, create_workspace  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = "event_id,event_time,event_type,facility_id,product_id,lot_id,quantity,input_lots,carrier"
BAD_EVERY, AGAIN_EVERY = 997, 499
COMMAND = [sys.executable, "-P", "-c", "from cli import main; main()"]
PATIENCE = 60.0
HELPERS = {"graph": b"workspace.projecting", "writer": b"workspace.appending"}
ROW_BYTES = 1_000
"""An event takes more than this in the log."""


@dataclass(frozen=True)
class Made:
    """What is in the file, by construction."""

    rows: int
    events: int
    bad: int
    again: int


def write_file(path: Path, events: int) -> Made:
    """Write events that make, transform and ship lots, a few rows twice, and a few spoilt."""
    bad = again = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for number in range(events):
            row = _row(number)
            file.write(row)
            if number % BAD_EVERY == 5:
                file.write(f"B-{number},yesterday,ship,F-1,P-1,L-1,1,,\n")
                bad += 1
            if number % AGAIN_EVERY == 7:
                file.write(_row(number // 2))
                again += 1
    return Made(events + bad + again, events, bad, again)


def name_of(number: int) -> str:
    """Return the id of an event."""
    return f"E-{number:07}"


def _row(number: int) -> str:
    lot, word, inputs = f"L-{number // 5:06}", "ship", ""
    if number % 5 == 0:
        word, inputs = ("transform", f"L-{number // 10:06}") if number else ("produce", "")
    when = f"2024-{1 + number % 12:02}-{1 + number % 28:02}T{number % 24:02}:{number % 60:02}:00Z"
    what = f"F-{number % 31},P-{number % 7},{lot},{number % 90},{inputs}"
    return f"{name_of(number)},{when},{word},{what},C\n"


class BrokenError(Exception):
    """Something that must hold does not."""


def demand(holds: object, otherwise: str) -> None:
    """Refuse to go on where something does not hold."""
    if not holds:
        raise BrokenError(otherwise)


@dataclass
class Trial:
    """One workspace, one file, and what is done to whoever brings them together.

    Attributes:
        counts: What was done, and what came of it.
    """

    directory: Path
    source: Path
    made: Made
    rng: random.Random
    counts: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Make the workspace."""
        create_workspace(self.directory, origin="soak.example/log", party="p", domain="https://p")

    @property
    def size(self) -> int:
        """Entries that are covered by the published checkpoint."""
        return int((self.directory / "checkpoint").read_text().splitlines()[1])

    def start(self, limit: int | None = None) -> subprocess.Popen[str]:
        """Give the command; with a limit, no file may grow beyond so many bytes."""

        def confine() -> None:
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.Popen(
            [
                *COMMAND,
                "ingest",
                "--json",
                "--data",
                str(self.directory),
                str(self.source),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            preexec_fn=confine,  # noqa: PLW1509 - there are no other threads
        )

    def strike(self, how: str) -> None:
        """Start it, and do something to it at a moment of its own."""
        before = self.size
        process = self.start()
        # A third of what is left at most, so that there is something left for the next one.
        step = max(1, (self.made.events - before) // 3)
        self._wait(process, before + self.rng.randint(1, step))
        beside = children(process.pid)
        if how in HELPERS:
            hit = [helper for helper in beside if does(helper, HELPERS[how])]
            self.counts[f"{how} was not there"] += not hit
            for helper in hit:
                with suppress(ProcessLookupError):
                    os.kill(helper, signal.SIGKILL)
        if how == "graph":
            # It must go on alone, and is killed later.
            self._wait(process, self.size + self.rng.randint(1, step))
        if how != "writer" or not hit:
            self.counts["too late"] += process.poll() is not None
            process.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGKILL)
        _, said = process.communicate()
        self._see(how, process.returncode, said)
        gone(beside)

    def _wait(self, process: subprocess.Popen[str], size: int) -> None:
        """Wait until the log has come so far, and a moment longer."""
        end = time.monotonic() + PATIENCE + self.made.rows / 500
        while process.poll() is None and self.size < size and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(self.rng.uniform(0, 0.02))

    def _see(self, how: str, code: int, said: str) -> None:
        self.counts[how] += 1
        ended = code in {0, 3}
        if how == "interrupt":
            demand(ended or code == 130, f"interrupted, it ended with {code}: {said}")
            demand(
                ended or "goes on from there" in said,
                f"it does not say how: {said}",
            )
        elif how == "writer":
            demand(ended or code in {2, -signal.SIGKILL}, f"without it, {code}: {said}")
            demand(code != 2 or len(complaints(said)) == 1, f"not one line: {said}")
        else:
            demand(ended or code == -signal.SIGKILL, f"killed, it ended with {code}: {said}")
        demand("Traceback" not in said, said)

    def fill_disk(self) -> None:
        """Let it run into a full disk: one error, and what was acknowledged is there."""
        before = self.size
        # The write-ahead log needs more than that for what is left, so it does not get to the end.
        room = (self.made.events - before) * self.rng.randint(100, ROW_BYTES // 2)
        process = self.start(max(room, 100_000))
        beside: list[int] = []
        while process.poll() is None:
            beside = children(process.pid) or beside
            time.sleep(0.02)
        said = process.communicate()[1]
        self.counts["full disk"] += 1
        if process.returncode not in {0, 3}:
            demand(
                process.returncode == 2,
                f"on a full disk it ended with {process.returncode}",
            )
            demand(len(complaints(said)) == 1, f"more than one line: {said}")
            self.counts["full disk refused"] += 1
        demand(self.size >= before, "the log has shrunk")
        gone(beside)

    def complete(self) -> dict[str, Any]:
        """Give the command until it succeeds; returns its receipt."""
        process = self.start()
        told, said = process.communicate()
        demand(process.returncode == 3, f"in the end: {process.returncode}: {said}")
        receipt: dict[str, Any] = orjson.loads(told)
        demand(receipt["rows"] == self.made.rows, "rows are missing")
        parts = [receipt[name] for name in ("accepted", "duplicate", "quarantined")]
        demand(sum(parts) == self.made.rows, f"{parts} are not all rows")
        demand(receipt["quarantined"] == self.made.bad, "quarantined otherwise")
        return receipt

    def look(self) -> str:
        """Check log and graph, and return a digest of all events in order of the log."""
        with Workspace(self.directory) as workspace:
            problems = workspace.audit(lambda _done, _total: None).problems
            demand(not problems, f"the log: {problems[:1]}")
            differing = audit_graph(workspace.reader, workspace.graph)
            demand(differing.position == differing.size, "the graph is behind")
            demand(not differing.problems, f"the graph: {differing.problems[:1]}")
            state, number = hashlib.sha256(), 0
            for number, (name, content) in enumerate(self._events(workspace), 1):
                # In the order of the file: so each is there once.
                demand(name == name_of(number - 1), f"{name} in place of {name_of(number - 1)}")
                state.update(content)
            demand(number == self.made.events, f"{number:,} events in the log")
            digest = state.hexdigest()
            say(f"{self.directory.name}: {number:,} events, as in the file; opened: {digest[:16]}")
            return digest

    def _events(self, workspace: Workspace) -> Iterator[tuple[str, bytes]]:
        for entry in workspace.reader.entries(1):
            if entry.type == EntryType.EVENT:
                content = open_entry(entry, Tier.PRIVATE)
                yield (
                    content["event_id"],
                    orjson.dumps(content, option=orjson.OPT_SORT_KEYS),
                )

    def batch(self) -> dict[str, Any]:
        """Return the one batch entry, which must cover every event."""
        with Workspace(self.directory) as workspace:
            log = workspace.reader
            indexes = log.indexes([EntryType.BATCH], 0, log.size)
            demand(len(indexes) == 1, f"{len(indexes)} batch entries")
            return open_entry(log.entry(indexes[0]), Tier.PRIVATE)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, listed.read_text().split())
        except OSError:
            continue
    return found


def complaints(said: str) -> list[str]:
    """Return the lines of standard error that do not only tell how far it is."""
    return [line for line in said.splitlines() if not line.endswith(" left")]


def does(process: int, module: bytes) -> bool:
    """Say whether a process is that of a module of ours."""
    try:
        return module in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def gone(processes: list[int]) -> None:
    """Wait until processes have ended; they must, by themselves."""
    end = time.monotonic() + PATIENCE
    for process in processes:
        while Path(f"/proc/{process}").exists() and time.monotonic() < end:
            time.sleep(0.01)
        demand(not Path(f"/proc/{process}").exists(), f"process {process} was left behind")


def soak(place: Path, events: int, blows: list[str], rng: random.Random) -> Counter[str]:
    """Ingest a file twice, once under blows, and compare.

    Args:
        place: An empty directory.
        events: How many the file has.
        blows: "kill", "graph", "writer", "interrupt" and "full", in order.
        rng: Chooses the moments.

    Raises:
        BrokenError: Something that must hold does not.
    """
    source = place / "events.csv"
    made = write_file(source, events)
    calm = Trial(place / "calm", source, made, rng)
    calm.begin()
    calm.complete()
    rough = Trial(place / "rough", source, made, rng)
    rough.begin()
    for blow in blows:
        if blow == "full":
            rough.fill_disk()
        else:
            rough.strike(blow)
        say(f"{blow}: {rough.size:,} entries")
    rough.complete()
    demand(
        rough.look() == calm.look(),
        "the contents differ from those of an undisturbed ingest",
    )
    ours, theirs = rough.batch(), calm.batch()
    for name in ("count", "ranges", "party"):
        demand(
            ours[name] == theirs[name],
            f"the batch's {name}: {ours[name]}, not {theirs[name]}",
        )
    return rough.counts


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Run it, in a temporary directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--full", type=int, default=1)
    parser.add_argument("--directory", help="where the files are made; default: the system's")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    chosen = parser.parse_args()
    say(f"seed {chosen.seed}")
    rng = random.Random(chosen.seed)
    blows = [
        rng.choice(["kill", "kill", "graph", "writer", "interrupt"]) for _ in range(chosen.kills)
    ]
    for _ in range(chosen.full):
        blows.insert(rng.randint(1, len(blows)), "full")
    with tempfile.TemporaryDirectory(dir=chosen.directory) as place:
        try:
            counts = soak(Path(place), chosen.rows, blows, rng)
        except BrokenError as error:
            sys.exit(f"FAILED: {error}")
    say(f"{chosen.rows:,} events, the same as undisturbed: {dict(+counts)}")
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    say(f"compared: ids in order, opened contents, batch entry; audited: log, graph ({held} MB)")


if __name__ == "__main__":
    main()
