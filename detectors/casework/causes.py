"""What took a flag's cause away: named where something it rested on was taken back.

An entry of the evidence no longer holds when it was erased, declared an error,
or when a later one is the newest version of the same record. Otherwise what
came since has changed what the flag was held against, or its detector is not
the one that raised it.

Next: detectors/casework/reviews.py
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Final

from detectors.casework.superseded import Cause, Why
from detectors.record import code_digest, libraries, number
from graph.frames import KEYS
from provenance.disclosure.erased import VERSION as ERASURE
from provenance.disclosure.erased import read_erasure
from provenance.entries import Tier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from detectors.base import Detector
    from graph.frames import Frames
    from graph.model import Record
    from graph.store import GraphStore
    from provenance.entries import Content

__all__ = ["Causes", "same_level"]

_TABLES: Final = {
    "facility/1": "facilities",
    "product/1": "products",
    "labour/1": "labour",
    "legal_limit/1": "legal_limits",
    "location/1": "locations",
    "watchlist/1": "watchlist",
}
"""Versions of records of which the newest counts, and the frame that holds them."""
_SHEETS: Final = "timesheet/1"
_HELD: Final = ("events", "timesheets", *_TABLES.values())
_LEVELS: Final = ("false_discovery_level", "largest_p")
_NAMED: Final = 5


class Causes:
    """What a span of the log took back of what was there before."""

    def __init__(self, graph: GraphStore, frames: Frames, start: int) -> None:
        """Read what the entries from `start` on correct, erase or replace.

        Args:
            graph: Where to read.
            frames: What the run read of it, up to where this goes, too.
            start: The first entry that none of the flags asked about knew.
        """
        stop = frames.position
        self._graph = graph
        self._span = start, stop
        self._held = frozenset().union(*(getattr(frames, name)["index"] for name in _HELD))
        self._by: dict[int, list[tuple[str, Record]]] = defaultdict(list)
        for record in graph.contents("epcis/1", Tier.PRIVATE, start, stop):
            if "corrects" in record.attrs:
                self._by[record.attrs["corrects"]["index"]].append(("corrects", record))
        for record in graph.contents(ERASURE, Tier.PRIVATE, start, stop):
            for index in {index for index, _ in read_erasure(record.attrs)}:
                self._by[index].append(("erases", record))
        self._newer: dict[tuple[object, ...], list[Record]] = defaultdict(list)
        for version in (*_TABLES, _SHEETS):
            for record in graph.contents(version, Tier.PRIVATE, start, stop):
                self._newer[_key(version, record.attrs)].append(record)

    def why(self, flag: Record, detector: Detector, *, gone: bool) -> Why:
        """Say why a flag fell.

        Args:
            flag: With its content at the private tier.
            detector: Who was asked and did not raise it.
            gone: Whether what it is about is no longer on record.
        """
        taken = list(self._taken(flag.attrs))
        if taken:
            told = [f"entry {one.index} {verb} entry {index}" for index, verb, one in taken]
            more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
            found = f"{'; '.join(told[:_NAMED])}{more}, on which the flag rested"
            changed = {one.index: one for _, _, one in taken}
            return Why(Cause.RECORD, _sentence(found), tuple(changed.values())[:_NAMED])
        if gone:
            return Why(Cause.RECORD, "What the flag is about is no longer on record.")
        other = _other(flag.attrs, detector)
        if other:
            return Why(Cause.DETECTOR, _sentence(f"{other}, and does not raise it on the record"))
        first, last = max(flag.attrs["tree_size"], self._span[0]), self._span[1] - 1
        came = f"entries {first} to {last}" if first < last else f"entry {last}"
        return Why(
            Cause.RECORD,
            f"What the flag rested on still stands; with what came since ({came}) it is no "
            "longer out of the ordinary, or is explained.",
        )

    def _taken(self, flag: Content) -> Iterator[tuple[int, str, Record]]:
        """Yield the entries of a flag's evidence that no longer hold, how, and by which."""
        since = flag["tree_size"]
        for index, _leaf_hash in flag.get("evidence", ()):
            replaced = () if index in self._held else self._replaced(index)
            for verb, one in chain(self._by.get(index, ()), replaced):
                if one.index >= since:
                    yield index, verb, one

    def _replaced(self, index: int) -> Iterator[tuple[str, Record]]:
        for version in (*_TABLES, _SHEETS):
            for old in self._graph.contents(version, Tier.PRIVATE, index, index + 1):
                newer = self._newer.get(_key(version, old.attrs), ())
                yield from (("takes the place of", one) for one in newer[-1:] if one.index > index)


def same_level(flag: Content, level: float) -> bool:
    """Tell whether a flag was raised at a false-discovery level; a rule knows none."""
    own = flag.get("parameters", {}).get(_LEVELS[0])
    return own is None or own == number(level)


def _key(version: str, content: Content) -> tuple[object, ...]:
    names: Sequence[str] = (
        KEYS[_TABLES[version]] if version in _TABLES else ("facility_id", "month")
    )
    return (version, *(content.get(name) for name in names))


def _other(flag: Content, detector: Detector) -> str:
    """Say how a detector is not the one that raised a flag; empty where it is."""
    if detector.version != flag["detector_version"]:
        was, now = flag["detector_version"], detector.version
        return f"version {was} of {detector.name} raised it; version {now} judges now"
    if "parameters" not in flag:
        return ""
    own = {name: value for name, value in flag["parameters"].items() if name not in _LEVELS}
    asked = {
        name: value if isinstance(value, str) else number(value)
        for name, value in detector.parameters.items()
    }
    if own != asked:
        return f"{detector.name} judges by other parameters now"
    if flag.get("code_digest") != code_digest(type(detector).__module__):
        return f"the code of {detector.name} is another now"
    if flag.get("libraries") != dict(libraries(detector.libraries)):
        return f"{detector.name} rests on other versions of libraries now"
    return ""


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
