"""Where a log's parts are found: the paths of C2SP tlog-tiles, written and read strictly.

Under a log's prefix there are `checkpoint`, `tile/<L>/<N>[.p/<W>]` and
`tile/entries/<N>[.p/<W>]` (c2sp.org/tlog-tiles, "APIs"), and `body/<index>`, which is
ours: the exact bytes of one entry's body. Paths are relative, without a slash in front.

Pure: a path that was read is written back as it came, and anything else raises.

Next: provenance/wire/bundles.py
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from provenance.errors import InputError
from provenance.proving.merkle import TILE_WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CHECKPOINT",
    "ENTRIES",
    "Address",
    "addresses",
    "body_path",
    "entries_path",
    "parse_body",
    "parse_tile",
    "tile_path",
    "width_at",
]

CHECKPOINT: Final = "checkpoint"
"""Where the newest signed checkpoint is."""
ENTRIES: Final = -1
"""The level that stands for entry bundles; they are cut like the tiles of level 0."""

_HEIGHT: Final = 8  # of a tile: 2**8 hashes
_LAST_LEVEL: Final = 63
_MAX_INDEX: Final = 2**63 - 1
_TILE: Final = re.compile(
    r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?"
)
_BODY: Final = re.compile(r"body/(0|[1-9][0-9]{0,18})")


class Address(NamedTuple):
    """Which tile, or which entry bundle.

    Attributes:
        level: 0 to 63, or `ENTRIES`.
        number: Its place within the level, from 0 (the specification's N).
        width: How many hashes or entries it holds, 1 to 256; fewer than 256 make it partial.
    """

    level: int
    number: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it is, relative to the log's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        digits = f"{self.number:03d}"
        digits = digits.zfill(len(digits) + -len(digits) % 3)
        steps = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{step}" for step in steps[:-1]), steps[-1]])
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{number}{partial}"

    @property
    def first(self) -> int:
        """The first hash's place within its level; for an entry bundle the first entry's index."""
        return self.number * TILE_WIDTH


def tile_path(level: int, number: int, width: int = TILE_WIDTH) -> str:
    """Write the path of a tile; the arguments are those of `merkle.ReadTile`."""
    return Address(level, number, width).path


def entries_path(number: int, width: int = TILE_WIDTH) -> str:
    """Write the path of an entry bundle."""
    return Address(ENTRIES, number, width).path


def body_path(index: int) -> str:
    """Write the path of one entry's body."""
    return f"body/{index}"


def parse_tile(path: str) -> Address:
    """Read the path of a tile or of an entry bundle.

    Raises:
        InputError: It is not the path that the specification gives to any tile.
    """
    match = _TILE.fullmatch(path)
    if match:
        level = ENTRIES if match[1] == "entries" else int(match[1])
        number = int(match[2].replace("x", "").replace("/", ""))
        found = Address(level, number, int(match[3] or TILE_WIDTH))
        # One resource has one path: no spare zeros, and a full tile has no width.
        fits = level <= _LAST_LEVEL and 0 < found.width <= TILE_WIDTH and number <= _MAX_INDEX
        if fits and found.path == path:
            return found
    raise InputError(f"{_shown(path)} is not the path of a tile (c2sp.org/tlog-tiles)")


def parse_body(path: str) -> int:
    """Read the path of a body; returns the entry's index.

    Raises:
        InputError: It is not `body/` and a plain decimal number below 2**63.
    """
    match = _BODY.fullmatch(path)
    if not match or int(match[1]) > _MAX_INDEX:
        raise InputError(f"{_shown(path)} is not the path of a body")
    return int(match[1])


def _shown(path: str) -> str:
    return ascii(path if len(path) <= 80 else f"{path[:80]}...")  # noqa: PLR2004 - a line's worth


def width_at(level: int, number: int, size: int) -> int:
    """How wide a tile is in the tree of `size` leaves; 0 where that tree has no such tile."""
    hashes = size >> (_HEIGHT * max(level, 0))
    return max(0, min(TILE_WIDTH, hashes - number * TILE_WIDTH))


def addresses(size: int, level: int, since: int = 0) -> Iterator[Address]:
    """Yield a level's tiles in the tree of `size` leaves, from the left, the partial one last.

    Args:
        size: Number of leaves.
        level: The level, or `ENTRIES`.
        since: Leave out what the tree of that many leaves had already, width for width.
    """
    hashes = size >> (_HEIGHT * max(level, 0))
    had = since >> (_HEIGHT * max(level, 0))
    for number in range(had // TILE_WIDTH, -(-hashes // TILE_WIDTH)):
        found = Address(level, number, width_at(level, number, size))
        if found.width != width_at(level, number, since):
            yield found
