"""A log in memory whose histories can be chosen, and a witness of it, for tests of witnesses."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from provenance.notes.checkpoint import Checkpoint, sign
from provenance.notes.keys import LogKey, generate
from provenance.proving.merkle import tree_of
from provenance.wire.witness import Request, format_request
from provenance.wire.witness_state import Witness, create_witness

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "log.example/watched"
NAME = "witness.example/one"
NOW_US = 1_774_300_000_000_000


def seeded(seed: int) -> Any:
    """Entropy that gives the same bytes every time."""
    return random.Random(seed).randbytes


@dataclass
class SetClock:
    """A clock that stands still until it is set."""

    now_us: int = NOW_US

    def __call__(self) -> int:
        """Be a `provenance.clock.Clock`."""
        return self.now_us


@dataclass
class Operator:
    """Who holds a log's key, and may sign whatever history they like."""

    origin: str = ORIGIN
    seed: int = 1
    key: LogKey = field(init=False)

    def __post_init__(self) -> None:
        """Make the key."""
        self.key = generate(self.origin, seeded(self.seed))

    def leaves(self, size: int, fork: int | None = None) -> list[bytes]:
        """Leaf hashes; from index `fork` on they are another history's."""
        names = [f"{n}" if fork is None or n < fork else f"{n} fork {fork}" for n in range(size)]
        return [sha256(name.encode()).digest() for name in names]

    def root(self, size: int, fork: int | None = None) -> bytes:
        """The root of a history."""
        return tree_of(self.leaves(size, fork))[0]

    def note(self, size: int, fork: int | None = None, *keys: LogKey) -> str:
        """The signed checkpoint of a history."""
        said = Checkpoint(self.origin, size, self.root(size, fork))
        return sign(said, keys or [self.key])

    def path(self, old: int, size: int, fork: int | None = None) -> tuple[bytes, ...]:
        """The consistency proof within one history."""
        if not 0 < old < size:
            return ()
        return tuple(tree_of(self.leaves(size, fork))[1].consistency_path(old, size))

    def request(self, old: int, size: int, fork: int | None = None) -> bytes:
        """An honest request for a history, where there can be one."""
        return format_request(Request(old, self.path(old, size, fork), self.note(size, fork)))


def new_witness(directory: Path, *vkeys: str, clock: SetClock | None = None) -> Witness:
    """A witness that follows these keys."""
    witness = create_witness(directory, NAME, clock or SetClock(), seeded(9))
    for vkey in vkeys:
        witness.follow(vkey)
    return witness
