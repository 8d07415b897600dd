"""Erasure entries: which openings and bodies the log has forgotten on purpose. Pure.

An entry says what is gone by place alone, index and path, and nothing about
whom it concerned. So an auditor can tell what was forgotten openly from what
somebody took out: whatever is missing must be named here.

Next: provenance/proving/proof.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from provenance.entries import Content, Draft, EntryType, Identity, Tier
from provenance.errors import EncodingError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = [
    "NEVER",
    "PLACES_AT_ONCE",
    "VERSION",
    "Place",
    "erasure_drafts",
    "erasure_key",
    "read_erasure",
]

VERSION: Final = "erasure/1"
PLACES_AT_ONCE: Final = 50_000
"""Most places that one entry names; a larger erasure is several entries."""
NEVER: Final = frozenset((EntryType.POLICY, EntryType.ERASURE))
"""What is never erased: who may sign, what is secret, and what was forgotten."""

Place = tuple[int, str | None]
"""Index of an entry, and the path of a field; None for the whole body with all its openings."""

_TIERS: Final = {"*": Tier.PUBLIC, "/basis": Tier.PRIVATE}


def erasure_key(origin: str, number: int) -> tuple[str, ...]:
    """Name the row key of a log's nth erasure, from 0: readers ask for one after the other."""
    return ("erasure", origin, str(number))


def erasure_drafts(
    origin: str,
    first: int,
    places: Mapping[int, Collection[str] | None],
    party: str,
    basis: str = "",
) -> list[Draft]:
    """Write down what is erased, in as many entries as it takes.

    Args:
        origin: The log's.
        first: Number of the first of these erasures.
        places: The paths of each entry that lose their opening; None for whole bodies.
        party: Who erases.
        basis: Why it had to be, in the words of whoever decided; private.
    """
    named = [
        [index, path]
        for index, paths in sorted(places.items())
        for path in ([None] if paths is None else sorted(paths))
    ]
    drafts: list[Draft] = []
    for start in range(0, len(named), PLACES_AT_ONCE):
        content: Content = {"party": party, "erased": named[start : start + PLACES_AT_ONCE]}
        if basis:
            content["basis"] = basis
        identity = Identity(erasure_key(origin, first + len(drafts)))
        drafts.append(Draft(EntryType.ERASURE, VERSION, content, (identity,), tiers=_TIERS))
    return drafts


def read_erasure(content: Any) -> Iterator[Place]:
    """Yield what an erasure entry names.

    Args:
        content: JSON values, from wherever; a mirror has them from another machine.

    Raises:
        EncodingError: The content is not of version erasure/1.
    """
    if not isinstance(content, dict) or content.get("_v", VERSION) != VERSION:
        raise EncodingError(f"not of version {VERSION}")
    named = content.get("erased")
    if not isinstance(named, list):
        raise EncodingError("not a list of what was erased")
    for place in named:
        match place:
            case [int(index), str() | None as path] if index >= 0 and not isinstance(index, bool):
                yield index, path
            case _:
                raise EncodingError("names what is no place in the log")
