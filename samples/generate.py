"""Writes the sample files: `python -m samples.generate --seed 7 --scale 1 -o DIR`.

The same arguments give the same bytes on every machine. `--clean` writes the
same world with nothing planted, `--strength` one whose deeds are so many natural
spreads beyond what is natural.

Next: samples/simulate.py
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from samples import tables
from samples.abuses import commit_abuses
from samples.labour import workplaces
from samples.latecomers import late_rows
from samples.simulate import simulate
from samples.strength import STRENGTHS
from samples.timesheets import timesheets
from samples.workdays import END
from samples.writing import EVENT_COLUMNS, event_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samples.labour import Month
    from samples.strength import Strength
    from samples.world import World

__all__ = ["SAMPLE_SCALE", "SAMPLE_SEED", "generate", "main", "write_files"]

SAMPLE_SEED = 7
SAMPLE_SCALE = 1.0
LABEL_COLUMNS = ("subject_id", "type", "note")


@dataclass(frozen=True, slots=True)
class Table:
    """One CSV file: its columns, and rows as text by column; missing cells are empty."""

    columns: tuple[str, ...]
    rows: list[dict[str, str]]

    def text(self) -> str:
        """Return the file's text, with LF newlines."""
        out = io.StringIO()
        writer = csv.DictWriter(out, self.columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return out.getvalue()


def generate(
    seed: int, scale: float, *, clean: bool = False, strength: Strength | None = None
) -> dict[str, Table]:
    """Make all sample files.

    Args:
        seed: Names the world.
        scale: How much is grown and made; 1 gives about 5,000 events, at least 0.05.
        clean: Whether to plant nothing; there are no labels then.
        strength: Of the deeds, see `samples.strength`; None for what such deeds are.

    Returns:
        The tables by file name.
    """
    world = simulate(seed, scale, clean=clean, strength=strength)
    places = workplaces(world)
    abuses = [] if clean else commit_abuses(places, seed, strength)
    events, missed = event_rows(world)
    made = {
        "products.csv": tables.products(),
        "facilities.csv": tables.facilities(world, places),
        "locations.csv": tables.locations(),
        "legal_limits.csv": tables.legal_limits(),
        "watchlist.csv": tables.watchlist(),
        "labour.csv": tables.labour(places),
        "timesheets.csv": tables.sheets(timesheets(places, seed)),
    }
    files = {name: Table(tuple(rows[0]), rows) for name, rows in made.items()}
    files["events.csv"] = Table(EVENT_COLUMNS, events)
    files["late_scans.csv"] = Table(EVENT_COLUMNS, late_rows(missed))
    files["labels.csv"] = Table(LABEL_COLUMNS, _labels(world, abuses))
    return files


def _labels(world: World, abuses: list[tuple[Month, str, str]]) -> list[dict[str, str]]:
    """Name what was planted: scans by their event id, months by site and month."""
    found = [
        (row.event_id, kind, note)
        for row, kind, note in sorted(world.labels, key=lambda label: label[0].order)
        if row.when < END
    ]
    found += [(f"{entry.site.id}|{entry.month}", kind, note) for entry, kind, note in abuses]
    found.sort(key=lambda label: (label[1], label[0]))
    return [dict(zip(LABEL_COLUMNS, label, strict=True)) for label in found]


def write_files(files: dict[str, Table], directory: Path) -> None:
    """Write tables into a directory, which is made when missing.

    A file appears under its name only when it is complete: a crash leaves a
    `.part` file that the next run overwrites.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name, table in files.items():
        part = directory / f"{name}.part"
        part.write_bytes(table.text().encode())
        part.replace(directory / name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The words after the program's name; those of the process by default.

    Returns:
        The exit code: 0 fine, 2 an argument cannot be used.
    """
    parser = argparse.ArgumentParser(prog="python -m samples.generate", description=__doc__)
    parser.add_argument("--seed", type=int, default=SAMPLE_SEED, help="names the world")
    parser.add_argument("--scale", type=float, default=SAMPLE_SCALE, help="1 is 5,000 events")
    parser.add_argument("--clean", action="store_true", help="plant nothing")
    parser.add_argument("--strength", choices=STRENGTHS, help="of what is planted, in spreads")
    parser.add_argument("-o", "--output", type=Path, required=True, help="directory to write to")
    options = parser.parse_args(arguments)
    if not _SMALLEST <= options.scale <= _LARGEST:
        sys.stderr.write(f"--scale must lie between {_SMALLEST} and {_LARGEST:g}\n")
        return 2
    strength = STRENGTHS[options.strength] if options.strength else None
    files = generate(options.seed, options.scale, clean=options.clean, strength=strength)
    try:
        write_files(files, options.output)
    except OSError as error:
        sys.stderr.write(f"{options.output}: cannot write there ({error.strerror})\n")
        return 2
    for name, table in files.items():
        sys.stdout.write(f"{name}: {len(table.rows)} rows\n")
    return 0


_SMALLEST, _LARGEST = 0.05, 200.0

if __name__ == "__main__":
    raise SystemExit(main())
