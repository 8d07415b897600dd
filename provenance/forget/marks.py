"""The `erased` file: which erasures have been carried out everywhere, and what is pending.

The log says what was erased; this file says how far every place that held a
copy has followed. It may be lost: then everything is gone through again, which
does no harm. It names no subject. What rows set aside must hold to be forgotten
is kept as hashes keyed with the workspace secret, until they are.

    provenance erased v1
    example.org/provenance
    finished 2
    tried 3
    pending log.db: somebody reads an older state of the log
    look 93b7… driver

Next: provenance/forget/run.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from provenance.errors import StorageError
from provenance.files import replace_file
from provenance.hashing import keyer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from provenance.forget.wanted import Looked

__all__ = ["Marks", "Needle", "needle_digest", "needles_of", "read_marks", "write_marks"]

_HEADER: Final = "provenance erased v1"
_SIZE: Final = 16
_LINES: Final = re.compile(
    r"finished (\d{1,15})\ntried (\d{1,15})\n((?:(?:pending|look) [^\n]+\n)*)"
)

Needle = tuple[tuple[str, str], ...]
"""What a row must hold, all of it: (column or "", keyed hash of the text in hexadecimal)."""


@dataclass(frozen=True)
class Marks:
    """How far the places have followed.

    Attributes:
        finished: Erasures that are carried out in every place.
        tried: Erasures that were tried everywhere: they are carried out but for `pending`.
        pending: Place and reason.
        needles: What rows set aside are still looked through for.
    """

    finished: int = 0
    tried: int = 0
    pending: Mapping[str, str] = field(default_factory=dict)
    needles: frozenset[Needle] = frozenset()


def needle_digest(secret: bytes) -> Callable[[str], str]:
    """Make the keyed hash that stands for a text that is looked for."""
    digest = keyer(secret, "forget")
    return lambda text: digest(text.encode())[:_SIZE].hex()


def needles_of(looked: Iterable[Looked], secret: bytes) -> frozenset[Needle]:
    """Turn what is looked for into what may be kept of it."""
    digest = needle_digest(secret)
    return frozenset(tuple((name, digest(text)) for name, text in one) for one in looked)


def read_marks(path: Path, origin: str) -> Marks:
    """Read the file; what is missing or unreadable says that nothing was carried out.

    Raises:
        StorageError: It is there and cannot be read.
    """
    try:
        text = path.read_text()
    except (FileNotFoundError, UnicodeDecodeError):
        return Marks()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from None
    found = _LINES.fullmatch(text.removeprefix(f"{_HEADER}\n{origin}\n"))
    if found is None:
        return Marks()
    lines = [line.split(" ", 1) for line in found[3].splitlines()]
    pending = [line.partition(": ") for kind, line in lines if kind == "pending"]
    return Marks(
        int(found[1]),
        int(found[2]),
        {place: why for place, _, why in pending},
        frozenset(_needle(line) for kind, line in lines if kind == "look"),
    )


def write_marks(path: Path, origin: str, marks: Marks) -> None:
    """Replace the file, durably.

    Raises:
        StorageError: The disk refused.
    """
    lines = [_HEADER, origin, f"finished {marks.finished}", f"tried {marks.tried}"]
    lines += [f"pending {place}: {' '.join(why.split())}" for place, why in marks.pending.items()]
    lines += [
        "look " + "\t".join(f"{digest} {name}" for name, digest in needle)
        for needle in sorted(marks.needles)
    ]
    try:
        replace_file(path, ("\n".join(lines) + "\n").encode())
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from None


def _needle(line: str) -> Needle:
    parts = (part.partition(" ") for part in line.split("\t"))
    return tuple((name, digest) for digest, _, name in parts)
