"""Fuzz every parser of bytes from outside for as long as is wanted; `make fuzz`.

    python tests/fuzz/fuzz.py [--seconds N] [--seed N] [--only NAME] [--bytes BASE64]

Each parser gets spoilt samples in turn. What comes out must be what went in, or
an error of ours; anything else is shown with the bytes that do it, made as short
as they can be, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import base64
import random
import secrets
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from fuzz_mutation import mutant, smallest
from fuzz_parsers import PARSERS, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

_TURN = 200  # inputs before the next parser has its turn


class Finding(NamedTuple):
    """What a parser did wrong, and with which bytes."""

    name: str
    fault: str
    data: bytes

    def __str__(self) -> str:
        """Tell it so that it can be done again."""
        coded = base64.b64encode(self.data).decode()
        return (
            f"{self.name}: {self.fault[:500]}\n  bytes {self.data[:500]!r}\n"
            f"  again: python tests/fuzz/fuzz.py --only {self.name!r} --bytes {coded}"
        )


def turn(name: str, seed: str, count: int) -> Iterator[Finding]:
    """Give one parser `count` spoilt samples; the same for the same seed."""
    parser = PARSERS[name]
    samples, dice = parser.samples(), random.Random(f"{seed} {name}")
    for _ in range(count):
        data = mutant(dice, samples)
        if found := fault(parser, data):
            # Shortened only as long as it is the same kind of failure.
            kind = found.partition(":")[0]
            short = smallest(
                data, lambda less, kind=kind: (fault(parser, less) or "").startswith(kind)
            )
            yield Finding(name, fault(parser, short) or found, short)


def say(line: object) -> None:
    """Print a line at once, also into a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def run(seconds: float, seed: int, names: list[str]) -> int:
    """Fuzz for `seconds`; returns how many failures were found."""
    say(f"seed {seed}, {len(names)} parsers, {seconds:g} s")
    end, rounds, seen = time.monotonic() + seconds, 0, set[tuple[str, str]]()
    while time.monotonic() < end:
        for name in names:
            for finding in turn(name, f"{seed} {rounds}", _TURN):
                kind = (name, finding.fault.partition(":")[0])
                if kind not in seen:
                    say(finding)
                seen.add(kind)
            if time.monotonic() > end:
                break
        rounds += 1
    say(f"{rounds} rounds of {_TURN} inputs a parser; {len(seen)} failures")
    return len(seen)


def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Fuzz the parsers.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--only", choices=PARSERS, action="append")
    parser.add_argument("--bytes", type=base64.b64decode, help="try only these, of one parser")
    asked = parser.parse_args()
    names = asked.only or list(PARSERS)
    if asked.bytes is not None:
        found = fault(PARSERS[names[0]], asked.bytes)
        say(found or "as it should be")
        return int(found is not None)
    return int(run(asked.seconds, asked.seed, names) > 0)


if __name__ == "__main__":
    sys.exit(main())
